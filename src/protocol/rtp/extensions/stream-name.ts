import type { RtpPacketView } from '../rtp-packet-view.ts';

/** Longest mid, rid or repaired rid that is read or written, bytes; the one-byte form has room for 16. */
export const MAX_STREAM_NAME_BYTES = 32;

const FIRST_VISIBLE = 0x21;
const LAST_VISIBLE = 0x7e;

/**
 * The text of a mid (RFC 9143 §15.2), rid or repaired rid (RFC 8852 §3) element: visible ASCII, as their grammars want.
 * Makes a string: meant for the first packets of a stream, `isStreamName` for the others.
 * @param at where the element's data begins
 * @returns `undefined` when it is empty, too long or has other characters
 */
export function readStreamName(bytes: Uint8Array, at: number, sizeBytes: number): string | undefined {
  if (sizeBytes < 1 || sizeBytes > MAX_STREAM_NAME_BYTES || at < 0 || at + sizeBytes > bytes.length) return undefined;
  let text = '';
  for (let i = at; i < at + sizeBytes; i++) {
    const byte = bytes[i]!;
    if (byte < FIRST_VISIBLE || byte > LAST_VISIBLE) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Whether the element at `at` is exactly `name`, which `streamNameBytes` made. */
export function isStreamName(bytes: Uint8Array, at: number, sizeBytes: number, name: Uint8Array): boolean {
  if (sizeBytes !== name.length || at < 0 || at + sizeBytes > bytes.length) return false;
  for (let i = 0; i < sizeBytes; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/** A name as an element carries it; `undefined` for one that no element can. */
export function streamNameBytes(name: string): Uint8Array | undefined {
  const { length } = name;
  if (length < 1 || length > MAX_STREAM_NAME_BYTES) return undefined;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const code = name.charCodeAt(i);
    if (code < FIRST_VISIBLE || code > LAST_VISIBLE) return undefined;
    bytes[i] = code;
  }
  return bytes;
}

/** The name in the element of a packet's header with this id; `undefined` when there is none, or `id` is 0. */
export function findStreamName(packet: RtpPacketView, id: number): string | undefined {
  const at = id === 0 ? -1 : packet.findElement(id);
  return at < 0 ? undefined : readStreamName(packet.bytes, at, packet.elementBytes);
}
