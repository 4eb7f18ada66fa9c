import { createHmac, randomBytes } from 'node:crypto';

/** HMAC-SHA-256 and random bytes from OpenSSL, in the shape the RTMP handshake asks for. */
export const nodeHandshakeCrypto: {
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array;
  randomBytes(size: number): Uint8Array;
} = {
  hmacSha256: (key, message) => createHmac('sha256', key).update(message).digest(),
  randomBytes: (size) => randomBytes(size),
};

/** 32 bits from the system's random source. */
export function random32(): number {
  return randomBytes(4).readUInt32BE(0);
}

/** A short random name for a session in logs: 8 characters of a–z and 0–9. */
export function contextId(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  let id = '';
  // 36 does not divide 256: the slight bias does no harm to a name in a log.
  for (const byte of randomBytes(8)) id += alphabet[byte % 36];
  return id;
}
