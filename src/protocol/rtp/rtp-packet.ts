import { getU32, setU32 } from '../../wire/big-endian.ts';
import { StateError } from '../../wire/errors.ts';
import type { RtpErrorCode } from './rtp-error.ts';

/** Header without contributing sources or extension, bytes. */
export const RTP_FIXED_HEADER_BYTES = 12;

/** Most contributing sources (CC has four bits). */
export const MAX_CONTRIBUTING_SOURCES = 15;

const VERSION_2 = 0x80;
const PADDING_FLAG = 0x20;
const EXTENSION_FLAG = 0x10;
const MARKER_FLAG = 0x80;
const NO_SOURCES: readonly number[] = [];

/**
 * An RTP packet (RFC 3550 §5.1), looked at where it lies.
 *
 *     V=2(2) P X CC(4)  M PT(7)  sequence number(16)
 *     timestamp(32)
 *     SSRC(32)
 *     CSRC(32) × CC
 *     X: profile(16) length in words(16) extension data
 *     payload
 *     P: padding, its last byte is its length
 */
export interface RtpPacket {
  readonly marker: boolean;
  /** 0–127. */
  readonly payloadType: number;
  /** 16 bits. */
  readonly sequenceNumber: number;
  /** 32 bits, units of the payload format's clock. */
  readonly timestamp: number;
  readonly ssrc: number;
  /** Contributing sources. */
  readonly csrcs: readonly number[];
  /** "Defined by profile", 16 bits; meaningless without `extension`. */
  readonly extensionProfile: number;
  /** The extension's data without its header, whole words: a view of the packet. */
  readonly extension: Uint8Array | undefined;
  /** Without padding: a view of the packet. */
  readonly payload: Uint8Array;
  /** Bytes of padding taken off, 0–255. */
  readonly paddingBytes: number;
}

/** What `writeRtpPacket` writes. */
export interface RtpPacketFields {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
  /** Default none. */
  readonly csrcs?: readonly number[] | undefined;
  /** Default 0. */
  readonly extensionProfile?: number | undefined;
  /** Default none; filled up with zeros to whole words. */
  readonly extension?: Uint8Array | undefined;
  /** 0–255, default 0. */
  readonly paddingBytes?: number | undefined;
}

/** `slice` of a Node buffer, which is what sockets give, does not copy: whoever keeps a part of a packet must be able to. */
function plainView(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

/**
 * Looks at `bytes` as one RTP packet. Its `payload` and `extension` are views of `bytes`, plain arrays whatever
 * those are, good for as long as those are.
 * Gives `undefined` for another version, and when a length inside does not fit. Never throws.
 */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket | undefined {
  const sizeBytes = bytes.length;
  if (sizeBytes < RTP_FIXED_HEADER_BYTES) return undefined;
  const flags = bytes[0]!;
  if ((flags & 0xc0) !== VERSION_2) return undefined;
  const csrcCount = flags & 0x0f;
  let payloadAt = RTP_FIXED_HEADER_BYTES + 4 * csrcCount;
  let extensionProfile = 0;
  let extension: Uint8Array | undefined;
  if ((flags & EXTENSION_FLAG) !== 0) {
    if (payloadAt + 4 > sizeBytes) return undefined;
    extensionProfile = (bytes[payloadAt]! << 8) | bytes[payloadAt + 1]!;
    const extensionAt = payloadAt + 4;
    payloadAt = extensionAt + 4 * ((bytes[payloadAt + 2]! << 8) | bytes[payloadAt + 3]!);
    if (payloadAt > sizeBytes) return undefined;
    extension = plainView(bytes, extensionAt, payloadAt);
  }
  if (payloadAt > sizeBytes) return undefined;
  let paddingBytes = 0;
  if ((flags & PADDING_FLAG) !== 0) {
    paddingBytes = bytes[sizeBytes - 1]!;
    // The count counts itself, so it can't be 0.
    if (paddingBytes === 0 || paddingBytes > sizeBytes - payloadAt) return undefined;
  }
  const second = bytes[1]!;
  return {
    marker: (second & MARKER_FLAG) !== 0,
    payloadType: second & 0x7f,
    sequenceNumber: (bytes[2]! << 8) | bytes[3]!,
    timestamp: getU32(bytes, 4),
    ssrc: getU32(bytes, 8),
    csrcs: csrcCount === 0 ? NO_SOURCES : readSources(bytes, csrcCount),
    extensionProfile,
    extension,
    payload: plainView(bytes, payloadAt, sizeBytes - paddingBytes),
    paddingBytes,
  };
}

/** Bytes `writeRtpPacket` takes for `packet`. */
export function rtpPacketSize(packet: RtpPacketFields): number {
  const { csrcs, extension, payload, paddingBytes } = packet;
  const extensionBytes = extension === undefined ? 0 : 4 + 4 * Math.ceil(extension.length / 4);
  return RTP_FIXED_HEADER_BYTES + 4 * (csrcs?.length ?? 0) + extensionBytes + payload.length + (paddingBytes ?? 0);
}

/**
 * Writes a packet into `out` from `at` on. Numbers are cut to the bits they have.
 * @returns where it ends
 * @throws StateError `rtp/no-room`, `rtp/too-many-sources`, `rtp/bad-extension` (over 65,535 words)
 */
export function writeRtpPacket(packet: RtpPacketFields, out: Uint8Array, at = 0): number {
  const csrcs = packet.csrcs ?? NO_SOURCES;
  const { extension, payload } = packet;
  const paddingBytes = (packet.paddingBytes ?? 0) & 0xff;
  if (csrcs.length > MAX_CONTRIBUTING_SOURCES) throw refusal('rtp/too-many-sources', `${csrcs.length} sources`);
  if (out.length - at < rtpPacketSize(packet)) throw refusal('rtp/no-room', 'the buffer is too small for the packet');
  const flags = VERSION_2 | (paddingBytes > 0 ? PADDING_FLAG : 0) | (extension === undefined ? 0 : EXTENSION_FLAG);
  out[at] = flags | csrcs.length;
  out[at + 1] = (packet.marker ? MARKER_FLAG : 0) | (packet.payloadType & 0x7f);
  out[at + 2] = packet.sequenceNumber >>> 8;
  out[at + 3] = packet.sequenceNumber;
  setU32(out, at + 4, packet.timestamp);
  setU32(out, at + 8, packet.ssrc);
  let end = at + RTP_FIXED_HEADER_BYTES;
  for (const csrc of csrcs) {
    setU32(out, end, csrc);
    end += 4;
  }
  if (extension !== undefined) end = writeExtension(packet.extensionProfile ?? 0, extension, out, end);
  out.set(payload, end);
  end += payload.length;
  if (paddingBytes > 0) {
    out.fill(0, end, end + paddingBytes - 1);
    end += paddingBytes;
    out[end - 1] = paddingBytes;
  }
  return end;
}

function writeExtension(profile: number, data: Uint8Array, out: Uint8Array, at: number): number {
  const words = Math.ceil(data.length / 4);
  if (words > 0xffff) throw refusal('rtp/bad-extension', `an extension of ${data.length} bytes`);
  out[at] = profile >>> 8;
  out[at + 1] = profile;
  out[at + 2] = words >>> 8;
  out[at + 3] = words;
  out.set(data, at + 4);
  const end = at + 4 + 4 * words;
  out.fill(0, at + 4 + data.length, end);
  return end;
}

function refusal(code: RtpErrorCode, message: string): StateError {
  return new StateError(code, message);
}

function readSources(bytes: Uint8Array, count: number): number[] {
  const sources: number[] = [];
  for (let i = 0; i < count; i++) sources.push(getU32(bytes, RTP_FIXED_HEADER_BYTES + 4 * i));
  return sources;
}
