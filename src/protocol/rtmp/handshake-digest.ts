/** Random bytes and HMAC-SHA-256 for the handshake; `node:crypto` behind it in production. */
export interface HandshakeCrypto {
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array;
  randomBytes(size: number): Uint8Array;
}

/** Size of C1, C2, S1 and S2 (RTMP 1.0 §5.2.3). */
export const HANDSHAKE_SIZE = 1536;

/**
 * How the digest of a complex handshake lies in C1 or S1, which is time(4) version(4) and two blocks of 764 bytes:
 *
 *     schema 0:  time version | key block    | digest block
 *     schema 1:  time version | digest block | key block
 *
 *     digest block:  offset(4) random(n) digest(32) random(728 - n),  n = sum of the offset bytes mod 728
 *     key block:     random(n) key(128) random(632 - n) offset(4),    n = sum of the offset bytes mod 632
 */
export type DigestSchema = 0 | 1;

const DIGEST_SIZE = 32;
const BLOCK_SIZE = 764;
const DIGEST_BLOCK_AT = [8 + BLOCK_SIZE, 8] as const;
const DIGEST_OFFSETS = 728;

const utf8 = new TextEncoder();
const CLIENT_NAME = utf8.encode('Genuine Adobe Flash Player 001');
const SERVER_NAME = utf8.encode('Genuine Adobe Flash Media Server 001');
/** The 32 bytes that make both names into the keys of C2 and S2. */
const KEY_TAIL = Uint8Array.from([
  0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57, 0x6e, 0xec, 0x5d,
  0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae,
]);

/** Whose packet is signed: the client signs C1 and C2, the server S1 and S2. */
export type HandshakeSide = 'client' | 'server';

function nameOf(side: HandshakeSide): Uint8Array {
  return side === 'client' ? CLIENT_NAME : SERVER_NAME;
}

function longKeyOf(side: HandshakeSide): Uint8Array {
  const name = nameOf(side);
  const key = new Uint8Array(name.length + KEY_TAIL.length);
  key.set(name);
  key.set(KEY_TAIL, name.length);
  return key;
}

/** Where the digest of `packet` (C1 or S1) lies under `schema`. */
function digestOffset(packet: Uint8Array, schema: DigestSchema): number {
  const at = DIGEST_BLOCK_AT[schema];
  const sum = packet[at]! + packet[at + 1]! + packet[at + 2]! + packet[at + 3]!;
  return at + 4 + (sum % DIGEST_OFFSETS);
}

function computeDigest(crypto: HandshakeCrypto, side: HandshakeSide, packet: Uint8Array, at: number): Uint8Array {
  const message = new Uint8Array(HANDSHAKE_SIZE - DIGEST_SIZE);
  message.set(packet.subarray(0, at));
  message.set(packet.subarray(at + DIGEST_SIZE), at);
  return crypto.hmacSha256(nameOf(side), message);
}

/** Whether two byte strings are equal, in a time that does not tell where they differ. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** A digest found in C1 or S1. */
export interface FoundDigest {
  readonly schema: DigestSchema;
  /** A copy, 32 bytes. */
  readonly digest: Uint8Array;
}

/** The digest `side` put in its C1 or S1, schema 0 tried first; undefined when there is none (a simple handshake). */
export function findDigest(crypto: HandshakeCrypto, side: HandshakeSide, packet: Uint8Array): FoundDigest | undefined {
  for (const schema of [0, 1] as const) {
    const at = digestOffset(packet, schema);
    const digest = new Uint8Array(packet.subarray(at, at + DIGEST_SIZE));
    if (equalInConstantTime(digest, computeDigest(crypto, side, packet, at))) return { schema, digest };
  }
  return undefined;
}

/** Signs `packet` (C1 or S1, otherwise complete) in place and gives a copy of the digest. */
export function writeDigest(
  crypto: HandshakeCrypto,
  options: { readonly side: HandshakeSide; readonly schema: DigestSchema; readonly packet: Uint8Array },
): Uint8Array {
  const { side, schema, packet } = options;
  const at = digestOffset(packet, schema);
  const digest = computeDigest(crypto, side, packet, at);
  packet.set(digest, at);
  return new Uint8Array(digest);
}

/** C2 or S2 of a complex handshake: random bytes, then their HMAC under a key made from the other side's digest. */
export function makeSignedEcho(crypto: HandshakeCrypto, side: HandshakeSide, peerDigest: Uint8Array): Uint8Array {
  const packet = new Uint8Array(HANDSHAKE_SIZE);
  packet.set(crypto.randomBytes(HANDSHAKE_SIZE - DIGEST_SIZE));
  const key = crypto.hmacSha256(longKeyOf(side), peerDigest);
  packet.set(crypto.hmacSha256(key, packet.subarray(0, HANDSHAKE_SIZE - DIGEST_SIZE)), HANDSHAKE_SIZE - DIGEST_SIZE);
  return packet;
}

/** Whether `packet` (C2 or S2) is the signed echo `side` owes for `digest`. */
export function isSignedEcho(
  crypto: HandshakeCrypto,
  options: { readonly side: HandshakeSide; readonly digest: Uint8Array; readonly packet: Uint8Array },
): boolean {
  const { side, digest, packet } = options;
  const key = crypto.hmacSha256(longKeyOf(side), digest);
  const signature = crypto.hmacSha256(key, packet.subarray(0, HANDSHAKE_SIZE - DIGEST_SIZE));
  return equalInConstantTime(packet.subarray(HANDSHAKE_SIZE - DIGEST_SIZE, HANDSHAKE_SIZE), signature);
}
