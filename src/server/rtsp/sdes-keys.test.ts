import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cryptosOf } from '../../protocol/sdp/security-attributes.ts';
import { SRTP_PROFILES } from '../../protocol/srtp/srtp-profile.ts';
import { toBase64 } from '../../wire/base64.ts';
import { sdesKeysOf } from './sdes-keys.ts';

const KEY = Uint8Array.from({ length: 30 }, (_, i) => i);
const INLINE = `inline:${toBase64(KEY)}`;
const SUITE = 'AES_CM_128_HMAC_SHA1_80';

function keysOf(value: string): ReturnType<typeof sdesKeysOf> {
  const [crypto] = cryptosOf({ attributes: [{ name: 'crypto', value }] });
  return crypto && sdesKeysOf(crypto);
}

describe('a crypto attribute', () => {
  it.each([
    ['with a key alone', `1 ${SUITE} ${INLINE}`],
    ['with a lifetime', `1 ${SUITE} ${INLINE}|2^20`],
    ['with a lifetime written out', `1 ${SUITE} ${INLINE}|1048576`],
    ['with a window for replays', `1 ${SUITE} ${INLINE} WSH=128`],
    ['with a parameter that is optional', `1 ${SUITE} ${INLINE} -NEW=1`],
  ])('%s gives key and salt', (_, value) => {
    expect(keysOf(value)).toEqual({ profile: SUITE, masterKey: KEY.slice(0, 16), masterSalt: KEY.slice(16) });
  });

  it.each([
    ['1:4', [0, 0, 0, 1]],
    ['258:2', [1, 2]],
    ['255:1', [255]],
  ])('tells the identifier %s', (text, bytes) => {
    expect(keysOf(`1 ${SUITE} ${INLINE}|2^20|${text}`)?.masterKeyIdentifier).toEqual(Uint8Array.from(bytes));
    expect(keysOf(`1 ${SUITE} ${INLINE}|${text}`)?.masterKeyIdentifier).toEqual(Uint8Array.from(bytes));
  });

  it('of AES-GCM has a longer key and a shorter salt', () => {
    const keys = keysOf(`1 AEAD_AES_256_GCM inline:${toBase64(new Uint8Array(44))}`);
    expect([keys?.masterKey.length, keys?.masterSalt.length]).toEqual([32, 12]);
  });

  it.each([
    ['an unknown suite', `1 F8_128_HMAC_SHA1_80 ${INLINE}`],
    ['a name every object has', `1 constructor ${INLINE}`],
    ['several keys', `1 ${SUITE} ${INLINE}|1:4;${INLINE}|2:4`],
    ['a key too short', `1 ${SUITE} inline:${toBase64(KEY.slice(1))}`],
    ['a key too long', `1 AEAD_AES_128_GCM ${INLINE}`],
    ['another key method', `1 ${SUITE} outline:${toBase64(KEY)}`],
    ['an identifier that does not fit', `1 ${SUITE} ${INLINE}|256:1`],
    ['an identifier of no bytes', `1 ${SUITE} ${INLINE}|0:0`],
    ['an identifier too long', `1 ${SUITE} ${INLINE}|1:129`],
    ['packets in clear', `1 ${SUITE} ${INLINE} UNENCRYPTED_SRTP`],
    ['packets without a tag', `1 ${SUITE} ${INLINE} UNAUTHENTICATED_SRTP`],
    ['a key derivation rate', `1 ${SUITE} ${INLINE} KDR=1`],
  ])('with %s is not taken', (_, value) => {
    expect(keysOf(value)).toBeUndefined();
  });

  it('of any text gives whole keys or none', () => {
    const suites = fc.constantFrom('', `1 ${SUITE} ${INLINE}`, `1 ${SUITE} inline:`, '1 AEAD_AES_128_GCM inline:');
    fc.assert(
      fc.property(
        suites,
        fc.string({ unit: fc.constantFrom('|', ':', '2', '^', '=', ';', '1', ' ', '9', 'A', '/', 'W') }),
        (start, rest) => {
          const keys = keysOf(start + rest);
          if (keys === undefined) return;
          const { keyBytes, saltBytes } = SRTP_PROFILES[keys.profile];
          expect([keys.masterKey.length, keys.masterSalt.length]).toEqual([keyBytes, saltBytes]);
        },
      ),
    );
  });
});
