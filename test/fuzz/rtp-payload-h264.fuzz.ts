import { H264_FORMAT } from '../../src/protocol/rtp/payload/h264-format.ts';
import { parseParameterSets } from '../../src/protocol/rtp/payload/sprop-parameter-sets.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-h264';

const MAPPINGS = [
  mappingOf('H264', 'packetization-mode=1;sprop-parameter-sets=Z0LAHtkAoC/5cA==,aM48gA=='),
  mappingOf('H264'),
  mappingOf('H264', 'packetization-mode=2;sprop-interleaving-depth=3'),
];

/** H.264 over RTP: the input as packets, and as `sprop-parameter-sets`. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(H264_FORMAT, MAPPINGS, bytes);
  parseParameterSets(String.fromCharCode(...bytes.subarray(0, 4096)));
}
