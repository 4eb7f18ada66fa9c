import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type DtlsCertificatePem, parseDtlsCertificatePem } from '../../../src/io/dtls-certificate-pem.ts';
import { ConfigError } from '../../../src/wire/errors.ts';
import { type CertificateKind, makePair, makePem, startPair, untilConnected } from './dtls-kit.ts';

const paths = { certificatePath: 'webrtc.certificate', privateKeyPath: 'webrtc.privateKey' };
const rsa = makePem('rsa');
const ecdsa = makePem('ecdsa-p256');
const keyOf = (pem: string): string => pem.slice(pem.indexOf('-----BEGIN PRIVATE'));
const certificateOf = (pem: string): string => pem.slice(0, pem.indexOf('-----BEGIN PRIVATE'));

describe('PEM files', () => {
  it.each([
    ['rsa', rsa],
    ['ecdsa-p256', ecdsa],
  ] as const)('with a certificate and key of %s are read', (kind: CertificateKind, pem) => {
    const certificate = parseDtlsCertificatePem({ certificate: certificateOf(pem), privateKey: keyOf(pem), ...paths });
    expect(certificate.kind).toBe(kind);
    const expected = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], {
      input: pem,
      encoding: 'utf8',
    });
    const { value } = certificate.fingerprint('sha-256');
    expect(expected.split('=')[1]!.trim().replaceAll(':', '')).toBe(Buffer.from(value).toString('hex').toUpperCase());
    expect(untilConnected(startPair(makePair({ certificate }, { certificate }), { seed: 1 }))).toBe(true);
  });

  it('may hold keys of our own that are shorter than those of peers', () => {
    const pem = makePem('rsa', ['rsa:1024']);
    const certificate = parseDtlsCertificatePem({ certificate: certificateOf(pem), privateKey: keyOf(pem), ...paths });
    expect(certificate.kind).toBe('rsa');
  });

  it('may hold keys of the older forms, and text around', () => {
    const forms = [
      { pem: rsa, key: createPrivateKey(keyOf(rsa)).export({ type: 'pkcs1', format: 'pem' }).toString() },
      { pem: ecdsa, key: createPrivateKey(keyOf(ecdsa)).export({ type: 'sec1', format: 'pem' }).toString() },
    ];
    for (const { pem, key } of forms) {
      const certificate = `subject=CN = peer\n${certificateOf(pem)}\n`;
      expect(() => parseDtlsCertificatePem({ certificate, privateKey: key, ...paths })).not.toThrow();
    }
  });

  it('may hold the issuers of the certificate, which are sent along', () => {
    const chain = `${certificateOf(ecdsa)}${certificateOf(rsa)}`;
    const certificate = parseDtlsCertificatePem({ certificate: chain, privateKey: keyOf(ecdsa), ...paths });
    expect(certificate.chain).toHaveLength(2);
    expect(untilConnected(startPair(makePair({ certificate }, { certificate }), { seed: 1 }))).toBe(true);
  });

  it('may have an encrypted key', () => {
    const key = createPrivateKey(keyOf(rsa));
    const privateKey = key
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'secret' })
      .toString();
    const pem = { certificate: certificateOf(rsa), privateKey, ...paths };
    expect(parseDtlsCertificatePem({ ...pem, passphrase: 'secret' }).kind).toBe('rsa');
    for (const options of [{}, { passphrase: 'wrong' }]) {
      expect(() => parseDtlsCertificatePem({ ...pem, ...options })).toThrow('passphrase missing or wrong');
    }
  });

  const p384 = makePem('ecdsa-p256', ['ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1']);
  const small = makePem('rsa', ['rsa:768']);
  const damaged = certificateOf(rsa).replace(/\n[\w+/]{64}\n/, '\n');

  it.each<[string, Partial<DtlsCertificatePem>, string, string]>([
    ['no certificate', { certificate: keyOf(rsa) }, 'certificate', 'no PEM certificate'],
    ['an empty file', { certificate: '' }, 'certificate', 'no PEM certificate'],
    ['a damaged certificate', { certificate: damaged }, 'certificate', 'damaged'],
    ['nine certificates', { certificate: certificateOf(ecdsa).repeat(9) }, 'certificate', '9 certificates'],
    ['no key', { privateKey: certificateOf(rsa) }, 'key', 'not a PEM private key'],
    ["another certificate's key", { privateKey: keyOf(ecdsa) }, 'key', 'does not belong'],
    [
      'a key of another curve',
      { certificate: certificateOf(p384), privateKey: keyOf(p384) },
      'key',
      'must be ECDSA on P-256',
    ],
    ['a small key', { certificate: certificateOf(small), privateKey: keyOf(small) }, 'key', 'RSA of 1024 to 8192 bits'],
  ])('are refused with %s', (_, options, part, message) => {
    const pem = { certificate: certificateOf(rsa), privateKey: keyOf(rsa), ...paths, ...options };
    expect(() => parseDtlsCertificatePem(pem)).toThrow(
      expect.objectContaining({
        code: `dtls-certificate/bad-${part}`,
        path: part === 'key' ? paths.privateKeyPath : paths.certificatePath,
        message: expect.stringContaining(message),
      }),
    );
    expect(() => parseDtlsCertificatePem(pem)).toThrow(ConfigError);
  });
});
