/** Size of a transport packet (ISO/IEC 13818-1 §2.4.3.2). */
export const TS_PACKET_SIZE_BYTES = 188;
export const TS_SYNC_BYTE = 0x47;
/** PID of the program association table. */
export const PAT_PID = 0;
/** PID of stuffing packets. */
export const NULL_PID = 0x1fff;

/** PTS, DTS and the PCR base count modulo this, at 90 kHz. */
export const TIMESTAMP_MODULUS_90K: number = 2 ** 33;

const HEADER_SIZE = 4;
/** What of a packet is left for adaptation field and payload. */
export const TS_PAYLOAD_SIZE_BYTES: number = TS_PACKET_SIZE_BYTES - HEADER_SIZE;
/** Adaptation field with flags only, and with a PCR. */
const ADAPTATION_FLAGS_SIZE = 2;
const ADAPTATION_PCR_SIZE = 8;

/** What the first packet of a unit says in its adaptation field. */
export interface FirstPacketFacts {
  /** Clock value at 90 kHz, 0–2^33-1, when this packet carries a PCR. */
  readonly pcr90k: number | undefined;
  readonly isRandomAccess: boolean;
}

function adaptationSize(first: FirstPacketFacts): number {
  if (first.pcr90k !== undefined) return ADAPTATION_PCR_SIZE;
  return first.isRandomAccess ? ADAPTATION_FLAGS_SIZE : 0;
}

/** How many transport packets a unit of `sizeBytes` (a PES packet, or pointer field and section) fills. */
export function packetCount(sizeBytes: number, first: FirstPacketFacts): number {
  const firstCapacity = TS_PAYLOAD_SIZE_BYTES - adaptationSize(first);
  return sizeBytes <= firstCapacity ? 1 : 1 + Math.ceil((sizeBytes - firstCapacity) / TS_PAYLOAD_SIZE_BYTES);
}

/**
 * Writes a unit into whole transport packets at `at`, the last one filled up by adaptation field stuffing
 * (ISO/IEC 13818-1 §2.4.3.3).
 *
 * ```
 * | 0x47 | error, unit start, priority, PID (13) | scrambling (2), adaptation (1), payload (1), counter (4) | adaptation … | payload … |
 * ```
 *
 * @param out has room for `packetCount(sizeBytes, first)` packets from `at` on
 * @param parts the unit in pieces, `sizeBytes` bytes together
 * @param continuityCounter counter of the first packet, 0–15
 * @returns the counter for the next packet of this PID
 */
export function writePackets(
  out: Uint8Array,
  at: number,
  pid: number,
  continuityCounter: number,
  parts: readonly Uint8Array[],
  sizeBytes: number,
  first: FirstPacketFacts,
): number {
  let position = at;
  let counter = continuityCounter;
  let remaining = sizeBytes;
  let partIndex = 0;
  let partOffset = 0;
  let isFirst = true;
  while (remaining > 0) {
    const needed = isFirst ? adaptationSize(first) : 0;
    const payloadSize = Math.min(TS_PAYLOAD_SIZE_BYTES - needed, remaining);
    const adaptation = TS_PAYLOAD_SIZE_BYTES - payloadSize;
    out[position] = TS_SYNC_BYTE;
    out[position + 1] = (isFirst ? 0x40 : 0) | (pid >>> 8);
    out[position + 2] = pid;
    out[position + 3] = (adaptation > 0 ? 0x30 : 0x10) | counter;
    counter = (counter + 1) & 15;
    let cursor = position + HEADER_SIZE;
    if (adaptation > 0) {
      writeAdaptationField(out, cursor, adaptation, isFirst ? first : undefined);
      cursor += adaptation;
    }
    remaining -= payloadSize;
    const end = position + TS_PACKET_SIZE_BYTES;
    while (cursor < end) {
      const part = parts[partIndex]!;
      const taken = Math.min(part.length - partOffset, end - cursor);
      // A whole part is copied as it is; only a cut one costs a view.
      const isWhole = taken === part.length;
      out.set(isWhole ? part : part.subarray(partOffset, partOffset + taken), cursor);
      cursor += taken;
      partOffset += taken;
      if (partOffset === part.length) {
        partIndex++;
        partOffset = 0;
      }
    }
    position = end;
    isFirst = false;
  }
  return counter;
}

/** One packet of nothing but a PCR. It does not advance the continuity counter, so `continuityCounter` is the last one. */
export function writePcrPacket(
  out: Uint8Array,
  at: number,
  pid: number,
  continuityCounter: number,
  pcr90k: number,
): void {
  out[at] = TS_SYNC_BYTE;
  out[at + 1] = pid >>> 8;
  out[at + 2] = pid;
  out[at + 3] = 0x20 | continuityCounter;
  writeAdaptationField(out, at + HEADER_SIZE, TS_PAYLOAD_SIZE_BYTES, { pcr90k, isRandomAccess: false });
}

/**
 * ```
 * | length (8) | discontinuity, random access, priority, PCR, OPCR, splice, private, extension | PCR base (33) | 6 × 1 | extension (9) | 0xff … |
 * ```
 */
function writeAdaptationField(
  out: Uint8Array,
  at: number,
  sizeBytes: number,
  facts: FirstPacketFacts | undefined,
): void {
  out[at] = sizeBytes - 1;
  if (sizeBytes === 1) return;
  const pcr = facts?.pcr90k;
  out[at + 1] = (facts?.isRandomAccess === true ? 0x40 : 0) | (pcr === undefined ? 0 : 0x10);
  let cursor = at + ADAPTATION_FLAGS_SIZE;
  if (pcr !== undefined) {
    const high = Math.floor(pcr / 2);
    out[cursor] = high >>> 24;
    out[cursor + 1] = high >>> 16;
    out[cursor + 2] = high >>> 8;
    out[cursor + 3] = high;
    out[cursor + 4] = ((pcr % 2) << 7) | 0x7e;
    out[cursor + 5] = 0;
    cursor += 6;
  }
  out.fill(0xff, cursor, at + sizeBytes);
}
