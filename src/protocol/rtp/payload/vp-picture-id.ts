/** Picture ids of VP8 and VP9 payload descriptors in their 15-bit form (RFC 7741 §4.2, RFC 9628 §4.2). */

const MAX_PICTURE_ID = 0x7fff;
const IS_15_BITS = 0x8000;

/** The picture id after `pictureId`, 0–32767. */
export function nextPictureId(pictureId: number): number {
  return (pictureId + 1) & MAX_PICTURE_ID;
}

/** The 16 bits a picture id is sent as. */
export function pictureIdField(pictureId: number): number {
  return IS_15_BITS | pictureId;
}

/** Bytes a picture id takes, by its first byte: 1 or 2. */
export function pictureIdBytes(first: number): number {
  return (first & 0x80) !== 0 ? 2 : 1;
}
