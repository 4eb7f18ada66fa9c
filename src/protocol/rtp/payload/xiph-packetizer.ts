import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** Ident, fragment type and kind, length. */
const HEADER_BYTES = 6;

/** Where a payload lies in its packet (RFC 5215 §2.2), in the top two bits. */
export const XIPH_FRAGMENT = { none: 0, start: 1, middle: 2, end: 3 } as const;

/** What a packet is (RFC 5215 §2.2), in the next two bits. */
export const XIPH_KIND = { data: 0, configuration: 1, comment: 2 } as const;

/** The number of packets in a payload: one whole. */
const ONE_PACKET = 1;
/** Longest packet or part that 16 bits say. */
const MAX_PART_BYTES = 0xffff;

/**
 * Packets of Vorbis (RFC 5215 §2.2, §4) or Theora, which is packed the same way: one in a payload, or one in parts. The marker stays 0.
 *
 *     ident(24)  fragment(2) kind(2) packets(4)  length(16)  packet or part of it
 */
export class XiphPacketizer implements Packetizer {
  readonly #ident: number;

  constructor(ident: number) {
    this.#ident = ident;
  }

  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const step = Math.min(out.maxPayloadSize - HEADER_BYTES, MAX_PART_BYTES);
    const size = payload.length;
    if (step <= 0) return;
    for (let at = 0; at < size; at += step) {
      const end = Math.min(at + step, size);
      let fragment: number = at === 0 ? XIPH_FRAGMENT.start : XIPH_FRAGMENT.middle;
      if (end === size) fragment = at === 0 ? XIPH_FRAGMENT.none : XIPH_FRAGMENT.end;
      out.open();
      out.u8(this.#ident >>> 16);
      out.u16(this.#ident & 0xffff);
      out.u8((fragment << 6) | (XIPH_KIND.data << 4) | (fragment === XIPH_FRAGMENT.none ? ONE_PACKET : 0));
      out.u16(end - at);
      out.raw(payload, at, end);
      out.close(false);
    }
  }
}
