import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** Bytes of the header in front of each packet's data. */
export const AC3_HEADER_BYTES = 2;

/** Frame type: what a packet has (RFC 4184 §4.1.1). E-AC-3 has one bit, which is set for any part. */
export const AC3_FRAME_TYPE = { whole: 0, startWithMost: 1, start: 2, rest: 3 } as const;

/** The frame type of any part in E-AC-3 (RFC 4598 §4.1.1). */
export const EAC3_PART = 1;

/** Most parts of a frame: their number has 8 bits. */
export const MAX_AC3_PARTS = 255;

/**
 * AC-3 (RFC 4184 §4.2) and E-AC-3 (RFC 4598 §4.2): a frame a packet, or a frame in parts when it does not fit. The
 * marker stands on what ends a frame.
 *
 *     0(6 or 7)  frame type(2 or 1)  number of frames or of parts(8)  data
 */
export class Ac3Packetizer implements Packetizer {
  readonly #isEnhanced: boolean;

  constructor(isEnhanced: boolean) {
    this.#isEnhanced = isEnhanced;
  }

  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const size = payload.length;
    const room = out.maxPayloadSize - AC3_HEADER_BYTES;
    if (size === 0 || room <= 0) return;
    const parts = Math.ceil(size / room);
    if (parts > MAX_AC3_PARTS) return;
    for (let at = 0; at < size; at += room) {
      const end = Math.min(at + room, size);
      out.open();
      out.u8(parts === 1 ? AC3_FRAME_TYPE.whole : this.#partType(at, end, size));
      out.u8(parts);
      out.raw(payload, at, end);
      out.close(end === size);
    }
  }

  /** A decoder can begin with the first five eighths of an AC-3 frame. */
  #partType(start: number, end: number, size: number): number {
    if (this.#isEnhanced) return EAC3_PART;
    if (start > 0) return AC3_FRAME_TYPE.rest;
    return end * 8 >= size * 5 ? AC3_FRAME_TYPE.startWithMost : AC3_FRAME_TYPE.start;
  }
}
