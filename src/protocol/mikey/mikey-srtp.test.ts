import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../../wire/base64.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../srtp/srtp-profile.ts';
import type { MikeyKey, MikeyMessage } from './mikey-message.ts';
import { parseMikeyMessage } from './mikey-reader.ts';
import { type MikeySrtp, mikeyMessageOf, srtpOf } from './mikey-srtp.ts';
import { writeMikeyMessage } from './mikey-writer.ts';

const counting = (sizeBytes: number, from = 0): Uint8Array =>
  Uint8Array.from({ length: sizeBytes }, (_, i) => i + from);

/** What GStreamer 1.22 writes for the key 00 01 02 …, SSRC 0x12345678 with rollover counter 7, by cipher and tag. */
const GSTREAMER = {
  icm80:
    'AQAFAHU+OmEBAAASNFZ4AAAABwsA7qukiJI1pCYKELVRjUY9ni4wzLgxWXaRsV8BAAAAFQABAQEBEAIBAQMBCgcBAQgBAQoBAQAAACIAIAAeAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdAA==',
  icm32:
    'AQAFAB23g4ABAAASNFZ4AAAABwsA7qukiJI42jwKEO4h1XgVsWJcNTFR10HrkC0BAAAAFQABAQEBEAIBAQMBBAcBAQgBAQoBAQAAACIAIAAeAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdAA==',
  icm256:
    'AQAFAMCzcD0BAAASNFZ4AAAABwsA7qukiJI5tFYKEA/kV5rP47pYtZzVeZOLNckBAAAAFQABAQEBIAIBAQMBCgcBAQgBAQoBAQAAADIAIAAuAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQA=',
  gcm128:
    'AQAFAJRbNswBAAASNFZ4AAAABwsA7qukiJI6nzgKEMzh5oMLI39WRnZllFjXNSgBAAAAFQABBgEBEAIBAAMBAAcBAQgBAQoBAQAAACAAIAAcAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGwA=',
  gcm256:
    'AQAFANYb5vUBAAASNFZ4AAAABwsA7qukiJI7V8QKEK5JoKUOM6MvMnH/V+M+EqMBAAAAFQABBgEBIAIBAAMBAAcBAQgBAQoBAQAAADAAIAAsAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKisA',
} as const;

function read(base64: string): MikeyMessage {
  const message = parseMikeyMessage(fromBase64(base64)!);
  if (message instanceof ProtocolError) throw message;
  return message;
}

function withParameters(parameters: readonly (readonly [type: number, value: number])[]): MikeyMessage {
  const list = parameters.map(([type, value]) => ({ type, value: Uint8Array.of(value) }));
  return { ...read(GSTREAMER.icm80), policies: [{ policyNumber: 0, protocol: 0, parameters: list }] };
}

function withKey(key: Partial<MikeyKey>): MikeyMessage {
  const message = read(GSTREAMER.icm80);
  return { ...message, keys: [{ ...message.keys[0]!, ...key }] };
}

const options = {
  cryptoSessionBundleId: 0x1122_3344,
  random: counting(16, 100),
  unixTimeMs: 1_000_000_000_500,
  rolloverCounters: new Map([
    [0x1234_5678, 7],
    [9, 0],
  ]),
};

describe('SRTP in MIKEY', () => {
  it.each([
    ['icm80', 'AES_CM_128_HMAC_SHA1_80', undefined],
    ['icm32', 'AES_CM_128_HMAC_SHA1_32', 4],
    ['gcm128', 'AEAD_AES_128_GCM', undefined],
    ['gcm256', 'AEAD_AES_256_GCM', undefined],
  ] as const)('is understood as GStreamer writes %s', (name, profile, rtcpTagBytes) => {
    const { keyBytes, saltBytes } = SRTP_PROFILES[profile];
    expect(srtpOf(read(GSTREAMER[name]))).toEqual({
      keys: {
        profile,
        masterKey: counting(keyBytes),
        masterSalt: counting(saltBytes, keyBytes),
        ...(rtcpTagBytes === undefined ? {} : { rtcpTagBytes }),
      },
      rolloverCounters: new Map([[0x1234_5678, 7]]),
    });
  });

  it.each(Object.keys(SRTP_PROFILES) as SrtpProfileName[])('%s comes back as it was written', (profile) => {
    const { keyBytes, saltBytes } = SRTP_PROFILES[profile];
    for (const masterKeyIdentifier of [undefined, counting(4, 1), counting(128)]) {
      const keys = {
        profile,
        masterKey: counting(keyBytes, 3),
        masterSalt: counting(saltBytes, 50),
        ...(masterKeyIdentifier === undefined ? {} : { masterKeyIdentifier }),
      };
      const message = parseMikeyMessage(writeMikeyMessage(mikeyMessageOf({ ...options, keys })));
      const { keys: read, rolloverCounters } = srtpOf(message as MikeyMessage) as MikeySrtp;
      // The short tag of SRTCP is what GStreamer makes of the short tag of SRTP.
      const isShort = profile === 'AES_CM_128_HMAC_SHA1_32';
      expect(read).toEqual(isShort ? { ...keys, rtcpTagBytes: 4 } : keys);
      expect(rolloverCounters).toEqual(options.rolloverCounters);
    }
  });

  it('is dated in NTP time', () => {
    const keys = { profile: 'AEAD_AES_128_GCM', masterKey: counting(16), masterSalt: counting(12) } as const;
    const { timestamp } = mikeyMessageOf({ ...options, keys });
    // 2001-09-09T01:46:40.5Z.
    expect(timestamp).toEqual({ type: 0, value: Uint8Array.of(0xbf, 0x45, 0x48, 0x80, 0x80, 0, 0, 0) });
  });

  it.each([
    ['no policy', { ...read(GSTREAMER.icm80), policies: [] }, 'AES_CM_128_HMAC_SHA1_80'],
    ['a policy without parameters', withParameters([]), 'AES_CM_128_HMAC_SHA1_80'],
    ['a tag of 4 bytes', withParameters([[11, 4]]), 'AES_CM_128_HMAC_SHA1_32'],
    // As live555 has it.
    [
      'an authentication key of 20 bytes',
      withParameters([
        [3, 20],
        [4, 14],
        [11, 10],
      ]),
      'AES_CM_128_HMAC_SHA1_80',
    ],
    ['key and salt apart', withKey({ key: counting(16), salt: counting(14, 16) }), 'AES_CM_128_HMAC_SHA1_80'],
    ['an MKI', withKey({ validity: { type: 'identifier', identifier: counting(4) } }), 'AES_CM_128_HMAC_SHA1_80'],
    [
      'an interval',
      withKey({ validity: { type: 'interval', from: counting(4), to: counting(4) } }),
      'AES_CM_128_HMAC_SHA1_80',
    ],
  ])('is understood with %s', (_, message, profile) => {
    expect(srtpOf(message)).toMatchObject({
      keys: { profile, masterKey: counting(16), masterSalt: counting(14, 16) },
    });
  });

  it.each([
    ['AES-256 in counter mode', read(GSTREAMER.icm256), 'mikey/unsupported'],
    ['NULL encryption', withParameters([[0, 0]]), 'mikey/unsupported'],
    ['F8', withParameters([[0, 2]]), 'mikey/unsupported'],
    ['NULL authentication', withParameters([[2, 0]]), 'mikey/unsupported'],
    ['authentication off', withParameters([[10, 0]]), 'mikey/unsupported'],
    ['RTP in clear', withParameters([[7, 0]]), 'mikey/unsupported'],
    ['RTCP in clear', withParameters([[8, 0]]), 'mikey/unsupported'],
    ['a tag of 8 bytes', withParameters([[11, 8]]), 'mikey/unsupported'],
    [
      'a short AEAD tag',
      withParameters([
        [0, 6],
        [20, 8],
      ]),
      'mikey/unsupported',
    ],
    [
      'AES-GCM with 24 bytes of key',
      withParameters([
        [0, 6],
        [1, 24],
      ]),
      'mikey/unsupported',
    ],
    ['another PRF', withParameters([[5, 1]]), 'mikey/unsupported'],
    ['a key derivation rate', withParameters([[6, 4]]), 'mikey/unsupported'],
    [
      'a policy not for SRTP',
      { ...withParameters([]), policies: [{ policyNumber: 0, protocol: 1, parameters: [] }] },
      'mikey/unsupported',
    ],
    ['a key to derive from', withKey({ kind: 'tgk' }), 'mikey/unsupported'],
    [
      'an MKI of 129 bytes',
      withKey({ validity: { type: 'identifier', identifier: counting(129) } }),
      'mikey/unsupported',
    ],
    ['a key too short', withKey({ key: counting(29) }), 'mikey/malformed'],
    ['key and salt cut elsewhere', withKey({ key: counting(14), salt: counting(16) }), 'mikey/malformed'],
    ['no key', { ...read(GSTREAMER.icm80), keys: [] }, 'mikey/malformed'],
  ])('is refused with %s', (_, message, code) => {
    expect(srtpOf(message)).toMatchObject({ code });
  });
});
