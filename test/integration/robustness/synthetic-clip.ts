import { readFileSync } from 'node:fs';
import { insertStamp } from '../../../bench/load/frame-stamp.ts';

const FIXTURE = new URL('../../fixtures/bbb.flv', import.meta.url);
const VIDEO_TAG_HEADER_SIZE = 5;
const NAL_LENGTH_SIZE = 4;

/** FLV tag bodies of one video track whose frames can be of any size and rate. */
export interface SyntheticClip {
  readonly videoHeader: Uint8Array;
  /** A frame body with room for a stamp. */
  frame(isKeyFrame: boolean, sizeBytes: number): Uint8Array;
}

/** Frames with a real sequence header and slices of noise: what a server that does not decode can't tell from video. */
export function syntheticClip(): SyntheticClip {
  const videoHeader = readVideoHeader();
  return { videoHeader, frame: (isKeyFrame, sizeBytes) => insertStamp(noiseFrame(isKeyFrame, sizeBytes)) };
}

function noiseFrame(isKeyFrame: boolean, sizeBytes: number): Uint8Array {
  const body = new Uint8Array(Math.max(sizeBytes, VIDEO_TAG_HEADER_SIZE + NAL_LENGTH_SIZE + 16));
  body.set([isKeyFrame ? 0x17 : 0x27, 1, 0, 0, 0]);
  const nalSize = body.length - VIDEO_TAG_HEADER_SIZE - NAL_LENGTH_SIZE;
  body.set([nalSize >>> 24, nalSize >>> 16, nalSize >>> 8, nalSize], VIDEO_TAG_HEADER_SIZE);
  body[VIDEO_TAG_HEADER_SIZE + NAL_LENGTH_SIZE] = isKeyFrame ? 0x65 : 0x41;
  // No zeros: nothing in here looks like a start code.
  for (let i = VIDEO_TAG_HEADER_SIZE + NAL_LENGTH_SIZE + 1; i < body.length; i++) body[i] = 0x80 | (i * 31);
  return body;
}

/** The AVC sequence header of the fixture. */
function readVideoHeader(): Uint8Array {
  const file = new Uint8Array(readFileSync(FIXTURE));
  for (let at = 13; at + 11 <= file.length; ) {
    const sizeBytes = (file[at + 1]! << 16) | (file[at + 2]! << 8) | file[at + 3]!;
    const body = file.subarray(at + 11, at + 11 + sizeBytes);
    if (file[at] === 9 && body[1] === 0) return body.slice();
    at += 11 + sizeBytes + 4;
  }
  throw new TypeError('the fixture has no video sequence header');
}
