import assert from 'node:assert/strict';
import { splitAnnexB } from '../../../src/codec/nal-unit.ts';

/** What the bytes of a codec are without what programs put in and take out on their way. */
export type Normalise = (bytes: Uint8Array) => Uint8Array;

/** As they are. */
export const asTheyAre: Normalise = (bytes) => bytes;

/** NAL units behind start codes, less parameter sets and delimiters. */
function withoutParameterSets(isExtra: (head: number) => boolean): Normalise {
  return (bytes) =>
    Buffer.concat(
      splitAnnexB(bytes)
        .filter((nalUnit) => !isExtra(nalUnit[0]!))
        .flatMap((nalUnit) => [Uint8Array.of(0, 0, 1), nalUnit]),
    );
}

export const h264Slices: Normalise = withoutParameterSets((head) => [7, 8, 9].includes(head & 31));
/** Less messages in front of pictures too: x265 puts one beside the parameter sets. */
export const h265Slices: Normalise = withoutParameterSets((head) => head >>> 1 >= 32 && head >>> 1 <= 39);

const GROUP_OF_VOP = 0xb3;
const VOP = 0xb6;

/** Pictures of MPEG-4 video: its headers stand in the description, in the stream, or in both. */
export const vops: Normalise = (bytes) => {
  const kept: Uint8Array[] = [];
  let start = -1;
  const finish = (end: number): void => {
    const code = bytes[start + 3];
    if (start >= 0 && (code === VOP || code === GROUP_OF_VOP)) kept.push(bytes.subarray(start, end));
  };
  for (let at = 0; at + 3 < bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    finish(at);
    start = at;
    at += 2;
  }
  finish(bytes.length);
  return Buffer.concat(kept);
};

const SOI = 0xd8;
const SOS = 0xda;

/** The scans of JPEG pictures: RTP leaves the headers out, and every receiver makes its own. */
export const jpegScans: Normalise = (bytes) => {
  const kept: Uint8Array[] = [];
  for (let at = 0; at + 3 < bytes.length; ) {
    if (bytes[at] !== 0xff || bytes[at + 1] !== SOI) {
      at++;
      continue;
    }
    at += 2;
    let marker = 0;
    while (marker !== SOS && at + 3 < bytes.length) {
      marker = bytes[at + 1]!;
      at += 2 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    }
    const start = at;
    while (at + 1 < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] === 0xd9)) at++;
    kept.push(bytes.subarray(start, at));
  }
  return Buffer.concat(kept);
};

export interface PartOptions {
  /** How much may be missing at the end of the source, bytes. */
  readonly tailBytes: number;
  /** How much of the source may have gone before, 0–1. */
  readonly lateness: number;
}

/** Fails unless `received` is the source from somewhere near its beginning to its end, byte for byte. */
export function expectPart(received: Uint8Array, source: Uint8Array, { tailBytes, lateness }: PartOptions): void {
  assert.ok(received.length > 0, 'nothing came');
  const found = Buffer.from(source.buffer, source.byteOffset, source.byteLength).lastIndexOf(received);
  if (found < 0) assert.fail(describeDifference(received, source));
  const missing = source.length - found - received.length;
  assert.ok(missing <= tailBytes, `the last ${missing} of ${source.length} bytes did not come`);
  assert.ok(found <= source.length * lateness, `it begins as late as at byte ${found} of ${source.length}`);
}

function describeDifference(received: Uint8Array, source: Uint8Array): string {
  const whole = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const start = whole.indexOf(received.subarray(0, Math.min(16, received.length)));
  if (start < 0)
    return `${received.length} bytes came, and the first of them are not among the source's ${source.length}`;
  let same = 0;
  while (same < received.length && received[same] === whole[start + same]) same++;
  return `${received.length} bytes came; they are the source's from ${start} of ${source.length} on, but only ${same} of them`;
}
