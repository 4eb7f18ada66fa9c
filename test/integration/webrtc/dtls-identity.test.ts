import { describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { DtlsCertificate } from '../../../src/protocol/dtls/dtls-certificate.ts';
import type { DtlsCrypto } from '../../../src/protocol/dtls/dtls-crypto.ts';
import { NAMED_GROUPS } from '../../../src/protocol/dtls/named-groups.tables.ts';
import { joinBytes } from '../../../src/wire/join-bytes.ts';
import { certificateOf, connectedOf, failureOf, makePair, startPair, untilConnected, untilOver } from './dtls-kit.ts';

const link = { seed: 1, delayMs: 10 } as const;

/** A crypto that lies about its Finished messages. */
function forgingFinished(side: 'client' | 'server'): DtlsCrypto {
  return {
    ...nodeDtlsCrypto,
    hmac: (hash, key) => {
      const hmac = nodeDtlsCrypto.hmac(hash, key);
      return (message) => {
        const output = hmac(message);
        if (Buffer.from(message).includes(`${side} finished`)) output[0]! ^= 1;
        return output;
      };
    },
  };
}

/** A certificate whose owner has another key. */
function stolen(name: string): DtlsCertificate {
  const { der } = certificateOf('ecdsa-p256', name);
  const { privateKey } = certificateOf('ecdsa-p256', 'thief');
  return new DtlsCertificate({ crypto: nodeDtlsCrypto, der, privateKey });
}

describe('a peer that is not who it should be', () => {
  it.each(['client', 'server'])('is refused: a %s with another certificate', (side) => {
    const other = [certificateOf('ecdsa-p256', 'other').fingerprint('sha-256')];
    const pair =
      side === 'client' ? makePair({}, { expectedFingerprints: other }) : makePair({ expectedFingerprints: other });
    const path = startPair(pair, link);
    untilOver(path);
    const [bad, good] = side === 'client' ? [path.clientPeer, path.serverPeer] : [path.serverPeer, path.clientPeer];
    expect(failureOf(good)).toBe('dtls/fingerprint-mismatch');
    expect(failureOf(bad)).toBe('dtls/peer-alert');
    expect(connectedOf(good)).toBeUndefined();
  });

  it.each([
    ['of another hash', 'sha-512', undefined],
    ['of an unknown hash', 'md5', undefined],
    ['cut short', 'sha-256', 31],
    ['that is empty', 'sha-256', 0],
  ])('is refused by a fingerprint %s', (_, algorithm, sizeBytes) => {
    const value = certificateOf('ecdsa-p256', 'server').fingerprint('sha-256').value.subarray(0, sizeBytes);
    const path = startPair(makePair({ expectedFingerprints: [{ algorithm, value }] }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/fingerprint-mismatch');
  });

  it('is refused by an empty list of fingerprints', () => {
    const path = startPair(makePair({ expectedFingerprints: [] }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/fingerprint-mismatch');
  });

  it('is refused by the strongest fingerprint though a weaker one matches', () => {
    const server = certificateOf('ecdsa-p256', 'server');
    const other = certificateOf('ecdsa-p256', 'other');
    const expectedFingerprints = [server.fingerprint('sha-1'), other.fingerprint('sha-512')];
    const path = startPair(makePair({ expectedFingerprints }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/fingerprint-mismatch');
  });

  it('is taken by one of several fingerprints', () => {
    const certificates = ['other', 'server', 'third'].map((name) => certificateOf('ecdsa-p256', name));
    const expectedFingerprints = certificates.map((certificate) => certificate.fingerprint('sha-256'));
    expect(untilConnected(startPair(makePair({ expectedFingerprints }), link))).toBe(true);
  });

  it("is refused: a server with another's certificate (ServerKeyExchange)", () => {
    const path = startPair(makePair({}, { certificate: stolen('server') }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/bad-signature');
  });

  it("is refused: a client with another's certificate (CertificateVerify)", () => {
    const path = startPair(makePair({ certificate: stolen('client') }), link);
    untilOver(path);
    expect(failureOf(path.serverPeer)).toBe('dtls/bad-signature');
    expect(connectedOf(path.serverPeer)).toBeUndefined();
  });

  it.each([0, 1, 8, 72, 300])('is refused with a made up signature of %d bytes', (sizeBytes) => {
    const { der } = certificateOf('ecdsa-p256', 'server');
    const privateKey = { kind: 'ecdsa-p256', sign: () => new Uint8Array(sizeBytes).fill(0x30) } as const;
    const certificate = new DtlsCertificate({ crypto: nodeDtlsCrypto, der, privateKey });
    for (const pair of [makePair({}, { certificate }), makePair({ certificate })]) {
      const path = startPair(pair, link);
      untilOver(path);
      expect([failureOf(path.clientPeer), failureOf(path.serverPeer)]).toContain('dtls/bad-signature');
    }
  });

  it.each([
    ['client', 'serverPeer'],
    ['server', 'clientPeer'],
  ] as const)('is refused: a %s whose Finished message is forged', (side, victim) => {
    const forged = { crypto: forgingFinished(side) };
    const path = startPair(side === 'client' ? makePair(forged) : makePair({}, forged), link);
    untilOver(path);
    expect(failureOf(path[victim])).toBe('dtls/bad-finished');
    expect(connectedOf(path[victim])).toBeUndefined();
  });
});

describe('a public key that is none', () => {
  const p256 = 23;
  const offCurve = joinBytes([Uint8Array.of(4), new Uint8Array(64).fill(7)]);
  const infinity = Uint8Array.of(0);
  const compressed = joinBytes([Uint8Array.of(2), new Uint8Array(32).fill(3)]);
  /** A point of the curve in the form that also tells its parity (X9.62 §4.3.6), which OpenSSL would take. */
  const hybrid = nodeDtlsCrypto.createKeyExchange(NAMED_GROUPS[1]!).publicKey.slice();
  hybrid[0] = 6 | (hybrid[64]! & 1);

  it.each([
    ['zero', 29, new Uint8Array(32)],
    ['of low order', 29, new Uint8Array(32).with(0, 1)],
    ['the field prime', 29, new Uint8Array(32).fill(0xff).with(0, 0xed).with(31, 0x7f)],
    ['short', 29, new Uint8Array(31).fill(9)],
    ['long', 29, new Uint8Array(33).fill(9)],
    ['empty', 29, new Uint8Array()],
    ['off the curve', p256, offCurve],
    ['the point at infinity', p256, infinity],
    ['compressed', p256, compressed],
    ['hybrid', p256, hybrid],
    ['all zeros', p256, new Uint8Array(65)],
    ['empty', p256, new Uint8Array()],
  ])('is refused: %s, group %d', (_, group, publicKey) => {
    const crypto: DtlsCrypto = {
      ...nodeDtlsCrypto,
      createKeyExchange: () => ({ publicKey, deriveSharedSecret: () => new Uint8Array(32).fill(1) }),
    };
    const groups = [group];
    for (const [pair, victim] of [
      [makePair({ groups, crypto }, { groups }), 'serverPeer'],
      [makePair({ groups }, { groups, crypto }), 'clientPeer'],
    ] as const) {
      const path = startPair(pair, link);
      untilOver(path);
      expect(failureOf(path[victim])).toBe('dtls/illegal-parameter');
    }
  });

  it.each([
    ['zeros as the secret', 32, 0],
    ['a short key', 31, 1],
    ['a long key', 33, 1],
  ])('is refused though the crypto port does not notice: %s', (_, keyBytes, secretByte) => {
    const crypto: DtlsCrypto = {
      ...nodeDtlsCrypto,
      createKeyExchange: () => ({
        publicKey: new Uint8Array(keyBytes),
        deriveSharedSecret: () => new Uint8Array(32).fill(secretByte),
      }),
    };
    const path = startPair(makePair({ crypto }, { crypto }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/illegal-parameter');
  });
});
