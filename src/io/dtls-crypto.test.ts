import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCertificateKey } from '../protocol/dtls/certificate-key.ts';
import { CIPHER_SUITES } from '../protocol/dtls/cipher-suites.tables.ts';
import { HelloVerifier } from '../protocol/dtls/hello-verifier.ts';
import { prf, SessionSecrets } from '../protocol/dtls/key-schedule.ts';
import { NAMED_GROUPS } from '../protocol/dtls/named-groups.tables.ts';
import { parseRecord } from '../protocol/dtls/record.ts';
import { RecordProtection } from '../protocol/dtls/record-protection.ts';
import { createSelfSignedCertificate } from '../protocol/dtls/self-signed-certificate.ts';
import { SIGNATURE_SCHEMES } from '../protocol/dtls/signature-schemes.tables.ts';
import { fromHexadecimal, toHexadecimal } from '../wire/hexadecimal.ts';
import { nodeDtlsCrypto as crypto, NodeDtlsPrivateKey } from './dtls-crypto.ts';

const hex = (text: string): Uint8Array => fromHexadecimal(text.replaceAll(' ', ''))!;

describe('the pseudorandom function', () => {
  // Published on the TLS working group's list in 2009; `openssl kdf … TLS1-PRF` gives the same.
  it.each([
    [
      'sha256',
      '9bbe436ba940f017b17652849a71db35',
      'a0ba9f936cda311827a6f796ffd5198c',
      'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66',
    ],
    [
      'sha384',
      'b80b733d6ceefcdc71566ea48e5567df',
      'cd665cf6a8447dd6ff8b27555edb7465',
      '7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f',
    ],
  ] as const)('of %s gives the known answer', (hash, secret, seed, output) => {
    const input = { hash, secret: hex(secret), label: 'test label', seed: hex(seed) };
    for (const sizeBytes of [0, 1, 31, 32, 33, 48, 49, output.length / 2])
      expect(toHexadecimal(prf(crypto, input, sizeBytes))).toBe(output.slice(0, 2 * sizeBytes));
  });
});

describe('secrets of a session', () => {
  const make = (sessionHash: Uint8Array | undefined): SessionSecrets =>
    new SessionSecrets({
      crypto,
      suite: CIPHER_SUITES[0]!,
      clientRandom: new Uint8Array(32).fill(1),
      serverRandom: new Uint8Array(32).fill(2),
      premasterSecret: new Uint8Array(32).fill(3),
      sessionHash,
    });

  // From `openssl kdf -kdfopt digest:SHA256 … TLS1-PRF`, master secret and exporter one after the other.
  it.each([
    [
      undefined,
      undefined,
      '22afd71f8a02cf9b796c9dda3daf101a72b3d47dda3074ae52334ebfdf9f8b8f119f3ad8ebb94e9770f8ca56c3f71784440662d423a27a094d600cd4',
    ],
    [
      new Uint8Array(32).fill(4),
      undefined,
      'b8ea34007c6e14173a686e818377d05706d0abb5446f42fe241c2c3e61dd7d95136558cd0a42d7360c5d2e9a879991bd6aaedc5f292445f5f635bcf6',
    ],
    [
      new Uint8Array(32).fill(4),
      Uint8Array.of(5, 6),
      'b004d3a9267ec01874bb5bae26c8a56ce13887a52a2b6f727fa7611260ee2f71f7e6ea2d9c75901821796b3a9ae3ec1571df09a6cc112b9cf958bbff',
    ],
  ])('export what openssl derives', (sessionHash, context, expected) => {
    expect(toHexadecimal(make(sessionHash).export('EXTRACTOR-dtls_srtp', context, 60)!)).toBe(expected);
  });

  it('tell an empty context from none', () => {
    const secrets = make(undefined);
    expect(secrets.export('EXPORTER-x', new Uint8Array(), 20)).not.toEqual(secrets.export('EXPORTER-x', undefined, 20));
  });

  it.each(['client finished', 'server finished', 'master secret', 'extended master secret', 'key expansion'])(
    'are not exported as %s',
    (label) => {
      expect(make(undefined).export(label, undefined, 20)).toBeUndefined();
    },
  );
});

describe('record protection', () => {
  it.each(CIPHER_SUITES)('of $name opens what it sealed and nothing else', (suite) => {
    const keys = { key: crypto.randomBytes(suite.keyBytes), fixedIv: crypto.randomBytes(suite.fixedIvBytes) };
    const sender = new RecordProtection(crypto, suite, keys);
    const receiver = new RecordProtection(crypto, suite, keys);
    const sequenceNumbers = fc.oneof(fc.nat(), fc.integer({ min: 2 ** 32, max: 2 ** 48 - 1 }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), sequenceNumbers, fc.nat(), (plaintext, sequenceNumber, flip) => {
        const bytes = sender.seal({ contentType: 23, epoch: 1, sequenceNumber }, plaintext);
        const record = parseRecord(bytes, 0)!;
        expect(record).toMatchObject({ contentType: 23, epoch: 1, sequenceNumber });
        expect(bytes.length).toBe(13 + plaintext.length + sender.overheadBytes);
        expect(new Uint8Array(receiver.open(record)!)).toEqual(plaintext);
        expect(receiver.open({ ...record, sequenceNumber: sequenceNumber ^ 1 })).toBeUndefined();
        expect(receiver.open({ ...record, contentType: 22 })).toBeUndefined();
        const at = flip % record.fragment.length;
        expect(
          receiver.open({ ...record, fragment: record.fragment.with(at, record.fragment[at]! ^ 1) }),
        ).toBeUndefined();
      }),
      { numRuns: 50 },
    );
    const short = parseRecord(sender.seal({ contentType: 23, epoch: 1, sequenceNumber: 1 }, new Uint8Array()), 0)!;
    for (let length = 0; length < short.fragment.length; length++)
      expect(receiver.open({ ...short, fragment: short.fragment.subarray(0, length) })).toBeUndefined();
  });
});

describe('key exchange', () => {
  it.each(NAMED_GROUPS)('of $name agrees', (group) => {
    const [a, b] = [crypto.createKeyExchange(group), crypto.createKeyExchange(group)];
    expect(a.publicKey).toHaveLength(group.publicKeyBytes);
    expect(a.deriveSharedSecret(b.publicKey)).toEqual(b.deriveSharedSecret(a.publicKey));
    expect(a.deriveSharedSecret(b.publicKey)).toHaveLength(32);
    for (const sizeBytes of [0, 1, 31, 32, 33, 64, 65, 66])
      expect(a.deriveSharedSecret(new Uint8Array(sizeBytes))).toBeUndefined();
  });
});

describe('signatures', () => {
  const keys = {
    'ecdsa-p256': generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };

  it.each(SIGNATURE_SCHEMES)('of $name are verified', (scheme) => {
    const { privateKey, publicKey } = keys[scheme.kind];
    const message = new TextEncoder().encode('message');
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    const signature = new NodeDtlsPrivateKey(privateKey, scheme.kind).sign(scheme, message);
    expect(crypto.verify(spki, scheme, message, signature)).toBe(true);
    expect(crypto.verify(spki, scheme, message.with(0, 0), signature)).toBe(false);
    expect(crypto.verify(spki, scheme, message, signature.subarray(1))).toBe(false);
    expect(crypto.verify(spki, scheme, message, new Uint8Array())).toBe(false);
    expect(crypto.verify(spki.subarray(1), scheme, message, signature)).toBe(false);
    for (const other of SIGNATURE_SCHEMES)
      if (other !== scheme && other.kind === scheme.kind)
        expect(crypto.verify(spki, other, message, signature)).toBe(false);
  });
});

describe('a self-signed certificate', () => {
  it.each([
    [Date.UTC(2026, 10, 21, 7, 5, 9), 30, 'Nov 20 07:05:09 2026 GMT', 'Dec 21 07:05:09 2026 GMT'],
    [Date.UTC(2049, 11, 31), 10, 'Dec 30 00:00:00 2049 GMT', 'Jan 10 00:00:00 2050 GMT'],
    [Date.UTC(2051, 0, 1), 1, 'Dec 31 00:00:00 2050 GMT', 'Jan  2 00:00:00 2051 GMT'],
  ])('is one for OpenSSL too', (wallClockMs, validDays, from, to) => {
    const certificate = createSelfSignedCertificate({ crypto, wallClockMs, validDays, commonName: 'Zoë' });
    const parsed = new X509Certificate(certificate.der);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect([parsed.validFrom, parsed.validTo, parsed.subject]).toEqual([from, to, 'CN=Zoë']);
    expect(parsed.issuer).toBe(parsed.subject);
    expect(parsed.serialNumber).toMatch(/^[4-7][\dA-F]{31}$/);
    expect(findCertificateKey(certificate.der)?.subjectPublicKeyInfo).toEqual(
      new Uint8Array(parsed.publicKey.export({ format: 'der', type: 'spki' })),
    );
    const colons = certificate
      .fingerprint('sha-256')
      .value.reduce((text, byte) => `${text}:${toHexadecimal(Uint8Array.of(byte))}`, '');
    expect(colons.slice(1).toUpperCase()).toBe(parsed.fingerprint256);
  });

  it('has another serial number and key each time', () => {
    const make = (): X509Certificate =>
      new X509Certificate(createSelfSignedCertificate({ crypto, wallClockMs: 0 }).der);
    const [a, b] = [make(), make()];
    expect(a.serialNumber).not.toBe(b.serialNumber);
    expect(a.publicKey.equals(b.publicKey)).toBe(false);
  });
});

describe('HelloVerifier', () => {
  it('drops what is no start of a hello', () => {
    const verifier = new HelloVerifier(crypto);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(verifier.judge(bytes, Uint8Array.of(1)).type).toBe('drop');
      }),
    );
  });
});
