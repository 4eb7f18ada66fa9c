import { getU16, getU32, setU16, setU32 } from '../../wire/big-endian.ts';
import { crc32c } from '../../wire/crc32c.ts';

/** Bytes of the common header (RFC 9260 §3.1). */
export const PACKET_HEADER_BYTES = 12;

/** Bytes of type, flags and length before every chunk's value (RFC 9260 §3.2). */
export const CHUNK_HEADER_BYTES = 4;

/** Packets are cut from buffers of this size, which cost less than one buffer each. */
const SLAB_BYTES = 65_536;

const noBytes = new Uint8Array(0);
const fourZeros = new Uint8Array(4);

/** `sizeBytes` with the padding to a multiple of four that follows chunks and parameters. */
export function paddedSize(sizeBytes: number): number {
  return (sizeBytes + 3) & ~3;
}

/** The checksum a packet should have: CRC-32C with its own field taken as zero, as a number read lowest byte first. */
function checksumOf(bytes: Uint8Array, start: number, end: number): number {
  return crc32c(bytes, start + PACKET_HEADER_BYTES, end, crc32c(fourZeros, 0, 4, crc32c(bytes, start, start + 8)));
}

function getChecksum(bytes: Uint8Array): number {
  return (bytes[8]! | (bytes[9]! << 8) | (bytes[10]! << 16) | (bytes[11]! << 24)) >>> 0;
}

/** Whether the checksum of a packet of at least `PACKET_HEADER_BYTES` is right (RFC 9260 §6.8). */
export function isChecksumRight(packet: Uint8Array): boolean {
  return getChecksum(packet) === checksumOf(packet, 0, packet.length);
}

/** Whether the sender left the checksum out (RFC 9653). */
export function isChecksumZero(packet: Uint8Array): boolean {
  return getChecksum(packet) === 0;
}

/** Writes the right checksum into a packet. */
export function writeChecksum(packet: Uint8Array): void {
  putChecksum(packet, 0, checksumOf(packet, 0, packet.length));
}

function putChecksum(bytes: Uint8Array, start: number, checksum: number): void {
  bytes[start + 8] = checksum;
  bytes[start + 9] = checksum >>> 8;
  bytes[start + 10] = checksum >>> 16;
  bytes[start + 11] = checksum >>> 24;
}

/** The ports and verification tag of a packet of at least `PACKET_HEADER_BYTES`. */
export function parsePacketHeader(packet: Uint8Array): {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly verificationTag: number;
} {
  return {
    sourcePort: getU16(packet, 0),
    destinationPort: getU16(packet, 2),
    verificationTag: getU32(packet, 4),
  };
}

/**
 * Puts chunks together into packets of limited size. `begin`, then `append` or `reserve` as long as there is `room`, then
 * `finish`. What `finish` gave is never written again.
 *
 * ```
 *  0                   1                   2                   3
 * |      Source Port Number       |    Destination Port Number    |
 * |                       Verification Tag                        |
 * |              Checksum (lowest byte first)                     |
 * |  chunks, each padded to a multiple of four bytes …            |
 * ```
 */
export class PacketBuilder {
  /** Where `reserve` places chunks. */
  bytes: Uint8Array = noBytes;
  readonly #sourcePort: number;
  readonly #destinationPort: number;
  readonly #maxPacketBytes: number;
  #start = 0;
  #at = 0;
  #isOpen = false;

  /** `maxPacketBytes` is a multiple of four. */
  constructor(sourcePort: number, destinationPort: number, maxPacketBytes: number) {
    this.#sourcePort = sourcePort;
    this.#destinationPort = destinationPort;
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** Whether the packet begun has no chunk yet. */
  get isEmpty(): boolean {
    return this.#at === this.#start + PACKET_HEADER_BYTES;
  }

  /** Bytes left for chunks in the packet begun. */
  get room(): number {
    return this.#start + this.#maxPacketBytes - this.#at;
  }

  /** Bytes for chunks in an empty packet. */
  get capacity(): number {
    return this.#maxPacketBytes - PACKET_HEADER_BYTES;
  }

  begin(verificationTag: number): void {
    // A packet given up leaves its place to the next.
    if (!this.#isOpen) this.#start = (this.#at + 7) & ~7;
    if (this.#start + this.#maxPacketBytes > this.bytes.length) {
      this.bytes = new Uint8Array(Math.max(SLAB_BYTES, this.#maxPacketBytes));
      this.#start = 0;
    }
    const start = this.#start;
    setU16(this.bytes, start, this.#sourcePort);
    setU16(this.bytes, start + 2, this.#destinationPort);
    setU32(this.bytes, start + 4, verificationTag);
    setU32(this.bytes, start + 8, 0);
    this.#at = start + PACKET_HEADER_BYTES;
    this.#isOpen = true;
  }

  /** Takes room for a chunk of `sizeBytes` and gives its place in `bytes`. The caller writes all of it, but no padding. */
  reserve(sizeBytes: number): number {
    const at = this.#at;
    const end = at + paddedSize(sizeBytes);
    // Slabs are new, but a packet given up may have left bytes here.
    for (let pad = at + sizeBytes; pad < end; pad++) this.bytes[pad] = 0;
    this.#at = end;
    return at;
  }

  /** Adds a whole chunk with its header, unpadded or padded. */
  append(chunk: Uint8Array): void {
    const at = this.reserve(chunk.length);
    this.bytes.set(chunk, at);
  }

  /** The finished packet: a view that belongs to the caller. */
  finish(isChecksumLeftOut: boolean): Uint8Array {
    if (!isChecksumLeftOut) putChecksum(this.bytes, this.#start, checksumOf(this.bytes, this.#start, this.#at));
    this.#isOpen = false;
    return this.bytes.subarray(this.#start, this.#at);
  }
}
