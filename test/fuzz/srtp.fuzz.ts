import { nodeSrtpCrypto } from '../../src/io/srtp-cipher.ts';
import type { SrtpKeys } from '../../src/protocol/srtp/key-derivation.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../../src/protocol/srtp/srtp-profile.ts';
import { SrtpReceiver } from '../../src/protocol/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../src/protocol/srtp/srtp-sender.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'srtp';

const profiles: readonly SrtpProfileName[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
];
/** Around the packet: nothing there may change. */
const MARGIN = 3;

/**
 * First byte: profile in its two low bits, 4 for a master key identifier. Then packets, each behind its length in 16 bits,
 * the highest bit for RTCP. Each is opened as it is and, taken for a plain packet, protected and opened again. The key is
 * 00 01 02 …, so that packets made by other programs open.
 */
export function run(bytes: Uint8Array): void {
  const keys = keysOf(bytes[0] ?? 0);
  const sender = new SrtpSender(keys, nodeSrtpCrypto);
  const receiver = new SrtpReceiver(keys, nodeSrtpCrypto);
  const peer = new SrtpReceiver(keys, nodeSrtpCrypto);
  for (let at = 1; at + 2 <= bytes.length; ) {
    const isRtcp = bytes[at]! >= 0x80;
    const sizeBytes = ((bytes[at]! & 0x7f) << 8) | bytes[at + 1]!;
    const packet = bytes.subarray(at + 2, at + 2 + sizeBytes);
    at += 2 + sizeBytes;
    open(receiver, packet, isRtcp);
    const sealed = protect(sender, packet, isRtcp);
    if (sealed === undefined) continue;
    // Packets whose sequence number goes back further than the window are lost to the receiver, never altered.
    const opened = open(peer, sealed, isRtcp);
    if (opened !== undefined) expectSameBytes(opened, packet, 'packets');
    else if (peer.dropped.malformed > 0) throw new RangeError('what was protected is malformed');
    if (open(peer, sealed, isRtcp) !== undefined) throw new RangeError('a packet was taken twice');
  }
}

function keysOf(choice: number): SrtpKeys {
  const profile = profiles[choice & 3]!;
  const { keyBytes, saltBytes } = SRTP_PROFILES[profile];
  const keys = { profile, masterKey: counting(keyBytes, 0), masterSalt: counting(saltBytes, keyBytes) };
  return (choice & 4) === 0 ? keys : { ...keys, masterKeyIdentifier: counting(4, 1) };
}

function counting(sizeBytes: number, from: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => from + i);
}

function open(receiver: SrtpReceiver, packet: Uint8Array, isRtcp: boolean): Uint8Array | undefined {
  const bytes = new Uint8Array(packet.length + 2 * MARGIN);
  bytes.set(packet, MARGIN);
  const packetEnd = MARGIN + packet.length;
  const end = isRtcp
    ? receiver.unprotectRtcp(bytes, MARGIN, packetEnd)
    : receiver.unprotectRtp(bytes, MARGIN, packetEnd);
  checkMargins(bytes, packetEnd);
  if (end === 0) {
    expectSameBytes(bytes.subarray(MARGIN, packetEnd), packet, 'a dropped packet and what it was');
    return undefined;
  }
  if (end < MARGIN || end >= packetEnd) throw new RangeError(`a packet of ${packet.length} ends at ${end - MARGIN}`);
  return bytes.subarray(MARGIN, end);
}

function protect(sender: SrtpSender, packet: Uint8Array, isRtcp: boolean): Uint8Array | undefined {
  const overheadBytes = isRtcp ? sender.rtcpOverheadBytes : sender.rtpOverheadBytes;
  const bytes = new Uint8Array(packet.length + overheadBytes + 2 * MARGIN);
  bytes.set(packet, MARGIN);
  const packetEnd = MARGIN + packet.length;
  const end = isRtcp ? sender.protectRtcp(bytes, MARGIN, packetEnd) : sender.protectRtp(bytes, MARGIN, packetEnd);
  if (end === 0) return undefined;
  if (end !== packetEnd + overheadBytes) throw new RangeError('a protected packet has another size');
  checkMargins(bytes, end);
  return bytes.subarray(MARGIN, end);
}

function checkMargins(bytes: Uint8Array, end: number): void {
  const isClean = (part: Uint8Array): boolean => part.every((byte) => byte === 0);
  if (!isClean(bytes.subarray(0, MARGIN)) || !isClean(bytes.subarray(end)))
    throw new RangeError('bytes outside changed');
}
