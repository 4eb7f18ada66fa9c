/**
 * The mark every published video frame carries: an SEI NAL unit `user_data_unregistered` (ITU-T H.264 §D.1.7) in front
 * of the frame's own NAL units, with the number of the frame and the time it was handed to the socket. It goes through
 * a server as part of the payload, so it does not depend on what the server does to timestamps. Digits are ASCII: they
 * never need emulation prevention.
 *
 *     5 bytes  FLV video tag header          4 bytes  NAL unit length (42)
 *     1 byte   0x06 SEI                      1 byte   payload type 5
 *     1 byte   payload size (38)            16 bytes  UUID
 *     8 bytes  frame number, hexadecimal    14 bytes  CLOCK_MONOTONIC µs, decimal
 *     1 byte   0x80 trailing bits
 */

const UUID = new TextEncoder().encode('millrace-load-01');
const VIDEO_HEADER_SIZE = 5;
const NUMBER_SIZE = 8;
const TIME_SIZE = 14;
const SEI_PAYLOAD_SIZE = UUID.length + NUMBER_SIZE + TIME_SIZE;
const NAL_UNIT_SIZE = 3 + SEI_PAYLOAD_SIZE + 1;
const UUID_OFFSET = VIDEO_HEADER_SIZE + 4 + 3;
const NUMBER_OFFSET = UUID_OFFSET + UUID.length;
const TIME_OFFSET = NUMBER_OFFSET + NUMBER_SIZE;

/** Bytes at the start of a video message that hold the whole mark. */
export const STAMP_END: number = TIME_OFFSET + TIME_SIZE;

/** A copy of an FLV AVC video tag body with an empty mark put in front of its NAL units (4-byte NAL unit lengths). */
export function insertStamp(body: Uint8Array): Uint8Array {
  const out = new Uint8Array(body.length + 4 + NAL_UNIT_SIZE);
  out.set(body.subarray(0, VIDEO_HEADER_SIZE));
  out.set([0, 0, 0, NAL_UNIT_SIZE, 0x06, 5, SEI_PAYLOAD_SIZE], VIDEO_HEADER_SIZE);
  out.set(UUID, UUID_OFFSET);
  out.fill(0x30, NUMBER_OFFSET, STAMP_END);
  out[STAMP_END] = 0x80;
  out.set(body.subarray(VIDEO_HEADER_SIZE), STAMP_END + 1);
  return out;
}

/** Fills in the mark of a body made by `insertStamp` which starts at `bodyOffset` of `bytes`. */
export function writeStamp(bytes: Uint8Array, bodyOffset: number, frameNumber: number, timeUs: number): void {
  let rest = frameNumber;
  for (let i = NUMBER_SIZE - 1; i >= 0; i--) {
    const digit = rest & 15;
    bytes[bodyOffset + NUMBER_OFFSET + i] = digit < 10 ? 0x30 + digit : 0x57 + digit;
    rest >>>= 4;
  }
  let time = timeUs;
  for (let i = TIME_SIZE - 1; i >= 0; i--) {
    const tens = Math.floor(time / 10);
    bytes[bodyOffset + TIME_OFFSET + i] = 0x30 + (time - tens * 10);
    time = tens;
  }
}

/** Whether a video message that begins with `head` carries the mark. */
export function hasStamp(head: Uint8Array): boolean {
  for (let i = 0; i < UUID.length; i++) if (head[UUID_OFFSET + i] !== UUID[i]) return false;
  return true;
}

/** The frame number of a marked message. */
export function stampNumber(head: Uint8Array): number {
  let value = 0;
  for (let i = NUMBER_OFFSET; i < TIME_OFFSET; i++) {
    const code = head[i]!;
    value = value * 16 + (code < 0x3a ? code - 0x30 : code - 0x57);
  }
  return value;
}

/** The send time of a marked message, µs of CLOCK_MONOTONIC. */
export function stampTimeUs(head: Uint8Array): number {
  let value = 0;
  for (let i = TIME_OFFSET; i < STAMP_END; i++) value = value * 10 + (head[i]! - 0x30);
  return value;
}
