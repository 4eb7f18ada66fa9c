import { MP4V_FORMAT } from '../../src/protocol/rtp/payload/mp4v-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-mp4v';

const MAPPINGS = [
  mappingOf('MP4V-ES'),
  mappingOf('MP4V-ES', 'config=000001B001000001B58913000001000000012000C48D8800CD030408144300'),
];

/** MPEG-4 visual over RTP: the input as packets. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(MP4V_FORMAT, MAPPINGS, bytes);
}
