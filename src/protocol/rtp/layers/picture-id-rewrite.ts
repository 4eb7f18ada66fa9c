import { pictureIdField } from '../payload/vp-picture-id.ts';

/** Where a VP8 or VP9 payload has the numbers that have to be without gaps for each viewer; as their parsers tell it. */
export interface PictureNumbers {
  /** Bits of the picture id: 7 or 15; 0 when there is none. */
  readonly pictureIdBits: 0 | 7 | 15;
  readonly pictureIdAt: number;
  /** −1 when there is none. */
  readonly tl0PictureIndex: number;
  readonly tl0PictureIndexAt: number;
}

/**
 * Gives the payload that `where` was read from, or a copy of it `shift` bytes further on, another picture id and index of
 * base layer pictures (RFC 7741 §4.2, RFC 9628 §4.2), where it has them. The form of the picture id stays: of one with 7 bits
 * the low 7 are taken.
 */
export function rewritePictureNumbers(
  bytes: Uint8Array,
  shift: number,
  where: PictureNumbers,
  replacement: { readonly pictureId: number; readonly tl0PictureIndex: number },
): void {
  const at = where.pictureIdAt + shift;
  if (where.pictureIdBits === 15) {
    const field = pictureIdField(replacement.pictureId);
    bytes[at] = field >>> 8;
    bytes[at + 1] = field;
  } else if (where.pictureIdBits === 7) {
    bytes[at] = replacement.pictureId & 0x7f;
  }
  if (where.tl0PictureIndex >= 0) bytes[where.tl0PictureIndexAt + shift] = replacement.tl0PictureIndex;
}
