import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** AU-headers-length. */
const SECTION_BYTES = 2;
/** One AU-header: AU-size(13), AU-Index or AU-Index-delta(3). */
const AU_HEADER_BYTES = 2;
const AU_HEADER_BITS = 16;
/** Largest AU-size that 13 bits say. */
const MAX_AU_SIZE = 0x1fff;

/**
 * AAC in mode AAC-hbr (RFC 3640 §3.3.6): one access unit or several that follow one another, or part of one that does not
 * fit, with the size of the whole. Access units above 8,191 bytes are left out: the mode has no way to say their size.
 *
 *     AU-headers-length(16) in bits  { AU-size(13) AU-Index(3)=0 } …  { access unit } … or part of one
 */
export class AacPacketizer implements Packetizer {
  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    writeAlone(payload, 0, out);
  }

  writeUnits(payloads: readonly Uint8Array[], unitDuration: number, out: PayloadWriter): void {
    let first = 0;
    while (first < payloads.length) {
      const end = endOfPacket(payloads, first, out.maxPayloadSize);
      if (end - first <= 1) writeAlone(payloads[first]!, first * unitDuration, out);
      else writeTogether(payloads, first, end, first * unitDuration, out);
      first = Math.max(end, first + 1);
    }
  }
}

function writeAlone(payload: Uint8Array, timestampDelta: number, out: PayloadWriter): void {
  const size = payload.length;
  const step = out.maxPayloadSize - SECTION_BYTES - AU_HEADER_BYTES;
  if (size > MAX_AU_SIZE || step <= 0) return;
  for (let at = 0; at < size; at += step) {
    const end = Math.min(at + step, size);
    out.open(timestampDelta);
    out.u16(AU_HEADER_BITS);
    out.u16(size << 3);
    out.raw(payload, at, end);
    out.close(end === size);
  }
}

function writeTogether(
  payloads: readonly Uint8Array[],
  first: number,
  end: number,
  timestampDelta: number,
  out: PayloadWriter,
): void {
  out.open(timestampDelta);
  out.u16((end - first) * AU_HEADER_BITS);
  for (let i = first; i < end; i++) out.u16(payloads[i]!.length << 3);
  for (let i = first; i < end; i++) out.raw(payloads[i]!);
  out.close(true);
}

/** Behind the last of the units from `first` on that fit into one packet whole; `first` when that one does not. */
function endOfPacket(payloads: readonly Uint8Array[], first: number, maxPayloadSize: number): number {
  let sizeBytes = SECTION_BYTES;
  let end = first;
  while (end < payloads.length) {
    const size = payloads[end]!.length;
    sizeBytes += AU_HEADER_BYTES + size;
    if (size === 0 || size > MAX_AU_SIZE || sizeBytes > maxPayloadSize) break;
    end++;
  }
  return end;
}
