import { AV1_FORMAT } from '../../src/protocol/rtp/payload/av1-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-av1';

const MAPPINGS = [mappingOf('AV1')];

/** AV1 over RTP: the input as packets. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(AV1_FORMAT, MAPPINGS, bytes, { insertsConfig: true });
}
