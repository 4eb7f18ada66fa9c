import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../wire/errors.ts';
import { fromHexadecimal } from '../../wire/hexadecimal.ts';
import { MAX_MIKEY_PAYLOADS, type MikeyKey, type MikeyMessage } from './mikey-message.ts';
import { parseMikeyMessage } from './mikey-reader.ts';
import { writeMikeyMessage } from './mikey-writer.ts';

function hex(text: string): Uint8Array {
  return fromHexadecimal(text.replaceAll(/\s/g, ''))!;
}

function read(text: string): MikeyMessage {
  const message = parseMikeyMessage(hex(text));
  if (message instanceof ProtocolError) throw message;
  return message;
}

const byte = fc.nat(255);
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const keys: fc.Arbitrary<MikeyKey> = fc.record({
  kind: fc.constantFrom('tgk', 'tek'),
  key: bytes(300),
  salt: optional(bytes(20)),
  validity: optional(
    fc.oneof(
      fc.record({ type: fc.constant('identifier' as const), identifier: bytes(255) }),
      fc.record({ type: fc.constant('interval' as const), from: bytes(255), to: bytes(8) }),
    ),
  ),
});

const messages: fc.Arbitrary<MikeyMessage> = fc.record({
  dataType: byte,
  isVerificationWanted: fc.boolean(),
  pseudoRandomFunction: fc.nat(127),
  cryptoSessionBundleId: word,
  cryptoSessions: fc.array(fc.record({ policyNumber: byte, ssrc: word, rolloverCounter: word }), { maxLength: 20 }),
  timestamp: optional(
    fc.oneof(
      fc.record({
        type: fc.constantFrom(0 as const, 1 as const),
        value: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      }),
      fc.record({ type: fc.constant(2 as const), value: fc.uint8Array({ minLength: 4, maxLength: 4 }) }),
    ),
  ),
  random: optional(bytes(255)),
  policies: fc.array(
    fc.record({
      policyNumber: byte,
      protocol: byte,
      parameters: fc.array(fc.record({ type: byte, value: bytes(30) }), { maxLength: 10 }),
    }),
    { maxLength: 3 },
  ),
  keys: fc.array(keys, { maxLength: 4 }),
});

/** Made by gst-rtsp-server 1.22 for its SDP. */
const GSTREAMER = `0100050075 3e3a61 01 00 00 12345678 00000007 0b 00 eeaba4889235a426
  0a 10 b5518d463d9e2e30ccb831597691b15f 01 00 00 0015 000101 010110 020101 03010a 070101 080101 0a0101
  00 00 0022 00 20 001e 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d 00`;

describe('MIKEY messages', () => {
  it('are read as GStreamer writes them', () => {
    const parameters = [
      [0, 1],
      [1, 16],
      [2, 1],
      [3, 10],
      [7, 1],
      [8, 1],
      [10, 1],
    ] as const;
    expect(read(GSTREAMER)).toEqual({
      dataType: 0,
      isVerificationWanted: false,
      pseudoRandomFunction: 0,
      cryptoSessionBundleId: 0x753e3a61,
      cryptoSessions: [{ policyNumber: 0, ssrc: 0x12345678, rolloverCounter: 7 }],
      timestamp: { type: 0, value: hex('eeaba4889235a426') },
      random: hex('b5518d463d9e2e30ccb831597691b15f'),
      policies: [
        {
          policyNumber: 0,
          protocol: 0,
          parameters: parameters.map(([type, value]) => ({ type, value: Uint8Array.of(value) })),
        },
      ],
      keys: [{ kind: 'tek', key: Uint8Array.from({ length: 30 }, (_, i) => i), salt: undefined, validity: undefined }],
    });
  });

  it('are written as GStreamer writes them', () => {
    expect(writeMikeyMessage(read(GSTREAMER))).toEqual(hex(GSTREAMER));
  });

  it('come back as they were written', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(parseMikeyMessage(writeMikeyMessage(message))).toEqual(message);
      }),
    );
  });

  it('cut short anywhere are errors', () => {
    const whole = hex(GSTREAMER);
    for (let end = 0; end < whole.length; end++) {
      expect(parseMikeyMessage(whole.subarray(0, end))).toMatchObject({ code: 'mikey/malformed' });
    }
  });

  it('of any bytes give a message or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (input, isLikely) => {
        if (isLikely) input.set([1, 0].slice(0, input.length));
        const message = parseMikeyMessage(input);
        if (message instanceof ProtocolError) expect(message.code).toMatch(/^mikey\//);
        else expect(message.keys.length).toBeLessThanOrEqual(MAX_MIKEY_PAYLOADS);
      }),
      { numRuns: 2000 },
    );
  });

  it('may have payloads that say nothing about keys', () => {
    const message = read(`01 00 06 00 00000001 00 01  07 00 0003 616263  15 01 0002 6465  09 00 0001 66
      05 01 ${'ab'.repeat(20)}  00 02 00000009`);
    expect(message).toMatchObject({ timestamp: { type: 2, value: hex('00000009') }, cryptoSessions: [], keys: [] });
  });

  it.each([
    ['version 2', '02 00 00 00 00000001 00 00', 'mikey/unsupported'],
    ['a map by generic id', '01 00 00 00 00000001 00 02', 'mikey/unsupported'],
    ['a public key envelope', '01 00 02 00 00000001 00 00 00', 'mikey/unsupported'],
    ['Diffie-Hellman', '01 00 03 00 00000001 00 00 00', 'mikey/unsupported'],
    ['encrypted keys', '01 00 01 00 00000001 00 00 00 01 0000 00', 'mikey/unsupported'],
    ['a timestamp of type 3', '01 00 05 00 00000001 00 00 00 03 0000000000000000', 'mikey/unsupported'],
    ['a key of type 4', '01 00 01 00 00000001 00 00 00 00 0004 00 40 0000 00', 'mikey/unsupported'],
    ['a MAC of type 2', '01 00 01 00 00000001 00 00 00 00 0004 00 20 0000 02', 'mikey/unsupported'],
    ['an error message', '01 06 0c 00 00000001 00 00 00 07 0000', 'mikey/refused'],
    ['a parameter longer than its policy', '01 00 0a 00 00000001 00 00 00 00 00 0003 000201', 'mikey/malformed'],
    ['a key longer than its payload', '01 00 01 00 00000001 00 00 00 00 0004 00 20 0001 00', 'mikey/malformed'],
    ['200 keys', `01 00 01 00 00000001 00 00 00 00 0320 ${'14200000'.repeat(200)} 00`, 'mikey/too-large'],
    ['200 payloads', `01 00 0b 00 00000001 00 00 ${'0b00'.repeat(200)}`, 'mikey/too-large'],
    ['8,193 bytes', '00'.repeat(8193), 'mikey/too-large'],
  ])('with %s are refused', (_, text, code) => {
    expect(parseMikeyMessage(hex(text))).toMatchObject({ code });
  });

  it.each([
    ['256 random bytes', { random: new Uint8Array(256) }],
    ['256 sessions', { cryptoSessions: Array(256).fill({ policyNumber: 0, ssrc: 0, rolloverCounter: 0 }) }],
    ['a long key', { keys: [{ kind: 'tek', key: new Uint8Array(65_536), salt: undefined, validity: undefined }] }],
  ] as const)('with %s are not written', (_, part) => {
    expect(() => writeMikeyMessage({ ...read(GSTREAMER), ...part })).toThrow(
      expect.objectContaining({ code: 'mikey/bad-message' }),
    );
  });
});
