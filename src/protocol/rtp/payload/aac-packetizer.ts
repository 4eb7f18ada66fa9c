import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** AU-headers-length and one AU-header. */
const HEADER_BYTES = 4;
const AU_HEADER_BITS = 16;
/** Largest AU-size that 13 bits say. */
const MAX_AU_SIZE = 0x1fff;

/**
 * AAC in mode AAC-hbr (RFC 3640 §3.3.6), one access unit a packet, or several packets for one that does not fit, each
 * with the size of the whole. Access units above 8,191 bytes are left out: the mode has no way to say their size.
 *
 *     AU-headers-length(16)=16  AU-size(13) AU-Index(3)=0  access unit or part of it
 */
export class AacPacketizer implements Packetizer {
  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const size = payload.length;
    const step = out.maxPayloadSize - HEADER_BYTES;
    if (size > MAX_AU_SIZE || step <= 0) return;
    for (let at = 0; at < size; at += step) {
      const end = Math.min(at + step, size);
      out.open();
      out.u16(AU_HEADER_BITS);
      out.u16(size << 3);
      out.raw(payload, at, end);
      out.close(end === size);
    }
  }
}
