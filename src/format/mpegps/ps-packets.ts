import { findStartCode } from '../../codec/nal-unit.ts';
import type { FileWindow } from '../file-window.ts';
import { parsePesHeader, readTimestamp } from '../mpegts/pes-packet.ts';

const PACK = 0xba;
const SYSTEM_HEADER = 0xbb;
const PROGRAM_END = 0xb9;
const FIRST_STREAM = 0xbc;
/** Bytes looked at for a packet: the largest there is. */
const MAX_PACKET_BYTES = 65_542;

/** One PES packet of a program stream. */
export interface PsPacket {
  readonly streamId: number;
  /** 33 bits at 90 kHz. */
  readonly pts90k: number | undefined;
  readonly dts90k: number | undefined;
  /** A view, valid until the window is used again. */
  readonly payload: Uint8Array;
  readonly offset: number;
  /** Where the next packet is to be looked for. */
  readonly end: number;
}

/**
 * The PES packet at `from` or behind it in a program stream (ISO/IEC 13818-1 §2.5) or MPEG-1 system stream (ISO/IEC
 * 11172-1 §2.4.3); packs and system headers are passed over. Undefined at the end.
 */
export async function nextPsPacket(window: FileWindow, from: number): Promise<PsPacket | undefined> {
  let at = from;
  for (;;) {
    const bytes = await window.atLeast(at, MAX_PACKET_BYTES);
    const found = findStartCode(bytes, 0);
    if (found + 6 > bytes.length) return undefined;
    const id = bytes[found + 3]!;
    if (id === PACK || id === SYSTEM_HEADER || id === PROGRAM_END || id < FIRST_STREAM) {
      at += found + 4;
      continue;
    }
    const sizeBytes = 6 + ((bytes[found + 4]! << 8) | bytes[found + 5]!);
    const packet = bytes.subarray(found, found + sizeBytes);
    if (packet.length < sizeBytes) return undefined;
    const offset = at + found;
    const times = parsePesHeader(packet) ?? parseMpeg1Header(packet);
    if (times !== undefined) {
      const payload = packet.subarray(times.payloadOffset);
      const { pts90k, dts90k } = times;
      return { streamId: id, pts90k, dts90k, payload, offset, end: offset + sizeBytes };
    }
    at = offset + sizeBytes;
  }
}

interface Mpeg1Header {
  readonly payloadOffset: number;
  readonly pts90k: number | undefined;
  readonly dts90k: number | undefined;
}

/**
 * ISO/IEC 11172-1 §2.4.3.3: stuffing, perhaps a buffer size, then time stamps.
 *
 *     ff… | 01 scale(1) size(13) | 0010 PTS(33+3)  or  0011 PTS 0001 DTS  or  00001111
 */
function parseMpeg1Header(packet: Uint8Array): Mpeg1Header | undefined {
  const id = packet[3]!;
  if (id < 0xc0 || id > 0xef) return undefined;
  let at = 6;
  while (packet[at] === 0xff && at < 6 + 16) at++;
  if (((packet[at] ?? 0) & 0xc0) === 0x40) at += 2;
  const flags = (packet[at] ?? 0) & 0xf0;
  if (flags === 0x20 && at + 5 <= packet.length) {
    const pts90k = readTimestamp(packet, at);
    return { payloadOffset: at + 5, pts90k, dts90k: pts90k };
  }
  if (flags === 0x30 && at + 10 <= packet.length) {
    return { payloadOffset: at + 10, pts90k: readTimestamp(packet, at), dts90k: readTimestamp(packet, at + 5) };
  }
  if (packet[at] !== 0x0f) return undefined;
  return { payloadOffset: at + 1, pts90k: undefined, dts90k: undefined };
}
