import { parseTheoraIdentification, theoraDetails } from '../../src/codec/theora/theora-headers.ts';
import { THEORA_FORMAT } from '../../src/protocol/rtp/payload/theora-format.ts';
import { mappingOf, readSdpMapping } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-theora';

const MAPPINGS = [readSdpMapping('theora-ffmpeg.sdp'), mappingOf('THEORA')];

/** Theora over RTP: the input as packets and as headers. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(THEORA_FORMAT, MAPPINGS, bytes);
  parseTheoraIdentification(bytes);
  theoraDetails(bytes);
}
