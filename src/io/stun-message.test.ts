import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longTermKey } from '../protocol/stun/long-term-credentials.ts';
import { integrityKindOf, isIntegrityValid } from '../protocol/stun/message-integrity.ts';
import { StunAttribute } from '../protocol/stun/stun-attributes.ts';
import {
  BINDING_METHOD,
  MAX_STUN_ATTRIBUTES,
  parseStunMessage,
  StunClass,
  type StunMessage,
} from '../protocol/stun/stun-message.ts';
import { StunWriter } from '../protocol/stun/stun-writer.ts';
import { fromHexadecimal, toHexadecimal } from '../wire/hexadecimal.ts';
import { nodeStunCrypto } from './stun-crypto.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (text: string): Uint8Array => fromHexadecimal(text.replaceAll(/\s/g, ''))!;
const parsed = (bytes: Uint8Array): StunMessage => {
  const message = parseStunMessage(bytes);
  expect(message).toBeDefined();
  return message!;
};

// RFC 5769 §2.1–2.4.
const request = hex(`
  00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff
  80290008 932ff9b151263b36 00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
  80280004 e57a3bcf`);
const ipv4Response = hex(`
  0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96`);
const ipv6Response = hex(`
  01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c`);
const longTermRequest = hex(`
  00010060 2112a442 78ad3433c6ad72c029da412e 00060012 e3839ee38388e383aae38383e382afe382b9 0000
  0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341 0014000b 6578616d706c652e6f7267 00
  00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666`);
const key = nodeStunCrypto.importKey(encode('VOkJxbRl1RmTxUk/WvJxBt'));

describe('the vectors of RFC 5769', () => {
  it('hold for the request', () => {
    const message = parsed(request);
    expect(message.messageClass).toBe(StunClass.request);
    expect(message.method).toBe(BINDING_METHOD);
    expect(toHexadecimal(message.transactionId)).toBe('b7e7a701bc34d686fa87dfae');
    expect(message.text(StunAttribute.software)).toBe('STUN test client');
    expect(message.u32(StunAttribute.priority)).toBe(0x6e00_01ff);
    expect(message.u64(StunAttribute.iceControlled)).toBe(0x932f_f9b1_5126_3b36n);
    expect(message.text(StunAttribute.username)).toBe('evtj:h6vY');
    expect(message.hasFingerprint).toBe(true);
    expect(message.unknownRequired).toEqual([]);
    expect(isIntegrityValid(message, key, nodeStunCrypto)).toBe(true);
  });

  it.each([
    ['IPv4', ipv4Response, '192.0.2.1'],
    ['IPv6', ipv6Response, '2001:db8:1234:5678:11:2233:4455:6677'],
  ])('hold for the %s response', (_, bytes, address) => {
    const message = parsed(bytes);
    expect(message.messageClass).toBe(StunClass.success);
    expect(message.mappedAddress()).toEqual({ address, port: 32_853 });
    expect(isIntegrityValid(message, key, nodeStunCrypto)).toBe(true);
  });

  it('hold for the long-term request, which is also written like that', () => {
    const username = '\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9';
    const credentials = { username, realm: 'example.org', password: 'TheMatrIX' };
    const message = parsed(longTermRequest);
    expect(message.text(StunAttribute.username)).toBe(username);
    expect(message.text(StunAttribute.realm)).toBe('example.org');
    expect(message.hasFingerprint).toBe(false);
    expect(isIntegrityValid(message, longTermKey(credentials, nodeStunCrypto), nodeStunCrypto)).toBe(true);
    const written = new StunWriter(StunClass.request, BINDING_METHOD, message.transactionId)
      .text(StunAttribute.username, username)
      .text(StunAttribute.nonce, 'f//499k954d6OL34oL9FSTvy64sA')
      .text(StunAttribute.realm, 'example.org')
      .messageIntegrity(longTermKey(credentials, nodeStunCrypto))
      .finish();
    expect(written).toEqual(longTermRequest);
  });

  it.each([
    ['request', request],
    ['IPv4 response', ipv4Response],
    ['IPv6 response', ipv6Response],
  ])('break with any bit of the %s', (_, bytes) => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const broken = bytes.slice();
      broken[bit >>> 3]! ^= 1 << (bit & 7);
      // One bit may make FINGERPRINT another attribute, or part of one.
      const message = parseStunMessage(broken);
      expect(message?.hasFingerprint ?? false).toBe(false);
      if (message === undefined || bit >>> 3 >= bytes.length - 8) continue;
      expect(isIntegrityValid(message, key, nodeStunCrypto)).toBe(false);
    }
  });

  it('break with any bit even without FINGERPRINT', () => {
    const bytes = request.slice(0, -8);
    bytes[3] = bytes.length - 20;
    expect(isIntegrityValid(parsed(bytes), key, nodeStunCrypto)).toBe(true);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const broken = bytes.slice();
      broken[bit >>> 3]! ^= 1 << (bit & 7);
      const message = parseStunMessage(broken);
      if (message !== undefined) expect(isIntegrityValid(message, key, nodeStunCrypto)).toBe(false);
    }
  });
});

const id = Uint8Array.from({ length: 12 }, (_, i) => i);
const writer = (messageClass: StunClass = StunClass.request): StunWriter =>
  new StunWriter(messageClass, BINDING_METHOD, id);

describe('MESSAGE-INTEGRITY-SHA256', () => {
  it('holds for the request of RFC 8489 B.1, as erratum 6268 has it, and for no other key', () => {
    const bytes = hex(`
      00010090 2112a442 78ad3433c6ad72c029da412e
      001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
      00150029 6f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c39465354767936347341 000000
      0014000b 6578616d706c652e6f7267 00  001d0004 00020000
      001c0020 b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65`);
    const credentials = encode('マトリックス:example.org:TheMatrIX');
    const keyOf = (hash: string): Uint8Array => createHash(hash).update(credentials).digest();
    const message = parsed(bytes);
    expect(integrityKindOf(message)).toBe('sha256');
    expect(message.text(StunAttribute.realm)).toBe('example.org');
    expect(message.unknownRequired).toEqual([]);
    expect(isIntegrityValid(message, nodeStunCrypto.importKey(keyOf('sha256')), nodeStunCrypto)).toBe(true);
    expect(isIntegrityValid(message, nodeStunCrypto.importKey(keyOf('md5')), nodeStunCrypto)).toBe(false);
  });

  it('counts more than MESSAGE-INTEGRITY in front of it', () => {
    const other = nodeStunCrypto.importKey(encode('other'));
    const bytes = writer().messageIntegrity(other).messageIntegritySha256(key).fingerprint().finish();
    const message = parsed(bytes);
    expect(integrityKindOf(message)).toBe('sha256');
    expect(isIntegrityValid(message, key, nodeStunCrypto)).toBe(true);
    expect(isIntegrityValid(message, other, nodeStunCrypto)).toBe(false);
  });

  it.each([
    [32, true],
    [28, true],
    [16, true],
    [12, false],
    [18, false],
    [36, false],
  ])('of %i bytes is taken: %s', (sizeBytes, isTaken) => {
    const start = writer().text(StunAttribute.username, 'a:b').finish();
    const covered = start.slice();
    covered[3] = start.length - 20 + 4 + sizeBytes;
    const hmac = createHmac('sha256', 'VOkJxbRl1RmTxUk/WvJxBt').update(covered).digest();
    const value = new Uint8Array(sizeBytes);
    value.set(hmac.subarray(0, sizeBytes));
    const bytes = writer().text(StunAttribute.username, 'a:b').attribute(StunAttribute.messageIntegritySha256, value);
    expect(isIntegrityValid(parsed(bytes.finish()), key, nodeStunCrypto)).toBe(isTaken);
  });
});

describe('parseStunMessage', () => {
  it.each([
    ['nothing', ''],
    ['a header cut short', '00010000 2112a442 0001020304050607080910'],
    ['no cookie (RFC 3489)', '00010000 2112a443 000102030405060708091011'],
    ['set top bits', '80010000 2112a442 000102030405060708091011'],
    ['a length that is no multiple of four', '00010002 2112a442 000102030405060708091011 0006'],
    ['a length beyond the end', '00010008 2112a442 000102030405060708091011 80220000'],
    ['bytes behind the end', '00010000 2112a442 000102030405060708091011 80220000'],
    ['an attribute beyond the end', '00010004 2112a442 000102030405060708091011 80220004'],
    ['a short FINGERPRINT', '00010004 2112a442 000102030405060708091011 80280000'],
  ])('refuses %s', (_, text) => {
    expect(parseStunMessage(hex(text))).toBeUndefined();
  });

  it('refuses attributes behind FINGERPRINT, more than the limit, and more bytes than the limit', () => {
    expect(parseStunMessage(writer().fingerprint().flag(StunAttribute.useCandidate).finish())).toBeUndefined();
    const many = (count: number): Uint8Array => {
      const message = writer();
      for (let i = 0; i < count; i++) message.flag(0x8888);
      return message.finish();
    };
    expect(parseStunMessage(many(MAX_STUN_ATTRIBUTES))).toBeDefined();
    expect(parseStunMessage(many(MAX_STUN_ATTRIBUTES + 1))).toBeUndefined();
    expect(() => writer().attribute(0x8888, new Uint8Array(2048))).toThrow(
      expect.objectContaining({ code: 'stun/too-large' }),
    );
  });

  it('ignores what follows the integrity, and every attribute but the first of its type', () => {
    const bytes = writer()
      .u32(StunAttribute.priority, 1)
      .u32(StunAttribute.priority, 2)
      .messageIntegrity(key)
      .flag(StunAttribute.useCandidate)
      .flag(0x7fff)
      .finish();
    const message = parsed(bytes);
    expect(message.u32(StunAttribute.priority)).toBe(1);
    expect(message.has(StunAttribute.useCandidate)).toBe(false);
    expect(message.unknownRequired).toEqual([]);
  });

  it('tells attributes it would have to understand', () => {
    expect(parsed(writer().flag(0x0003).flag(0x9999).flag(0x7fff).finish()).unknownRequired).toEqual([3, 0x7fff]);
  });

  it.each([
    [300, 300],
    [487, 487],
    [699, 699],
    [200, undefined],
    [700, undefined],
  ])('reads error %i as %s', (code, expected) => {
    expect(parsed(writer(StunClass.error).errorCode(code, 'Why').finish()).errorCode()).toBe(expected);
  });

  it('gives values of a wrong size as absent', () => {
    const message = parsed(
      writer()
        .attribute(StunAttribute.priority, new Uint8Array(3))
        .attribute(StunAttribute.iceControlled, new Uint8Array(4))
        .attribute(StunAttribute.xorMappedAddress, new Uint8Array(4))
        .attribute(StunAttribute.errorCode, new Uint8Array(3))
        .finish(),
    );
    expect(message.u32(StunAttribute.priority)).toBeUndefined();
    expect(message.u64(StunAttribute.iceControlled)).toBeUndefined();
    expect(message.mappedAddress()).toBeUndefined();
    expect(message.errorCode()).toBeUndefined();
  });

  it('reads MAPPED-ADDRESS of old servers', () => {
    const bytes = writer(StunClass.success)
      .attribute(1, Uint8Array.of(0, 1, 0x12, 0x34, 192, 0, 2, 9))
      .finish();
    expect(parsed(bytes).mappedAddress()).toEqual({ address: '192.0.2.9', port: 0x1234 });
  });

  it('reads what was written', () => {
    const attribute = fc.tuple(fc.integer({ min: 0x8100, max: 0xbfff }), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(StunClass)),
        fc.integer({ min: 0, max: 0xff }),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.uniqueArray(attribute, { selector: ([type]) => type, maxLength: 10 }),
        (messageClass, method, transactionId, attributes) => {
          const message = new StunWriter(messageClass, method, transactionId);
          for (const [type, value] of attributes) message.attribute(type, value);
          const read = parsed(message.messageIntegrity(key).fingerprint().finish());
          expect(read.messageClass).toBe(messageClass);
          expect(read.method).toBe(method);
          expect(read.transactionId).toEqual(transactionId);
          for (const [type, value] of attributes) expect(read.value(type)).toEqual(value);
          expect(isIntegrityValid(read, key, nodeStunCrypto)).toBe(true);
        },
      ),
    );
  });

  it('survives any bytes behind a good header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        const body = rest.subarray(0, rest.length & ~3);
        const bytes = new Uint8Array(20 + body.length);
        bytes.set(hex('0001 0000 2112a442 000102030405060708091011'));
        bytes[3] = body.length;
        bytes.set(body, 20);
        const message = parseStunMessage(bytes);
        if (message === undefined) return;
        message.mappedAddress();
        message.errorCode();
        message.text(StunAttribute.username);
        isIntegrityValid(message, key, nodeStunCrypto);
      }),
    );
  });
});
