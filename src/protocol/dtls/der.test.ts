import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCertificateKey, kindOf } from './certificate-key.ts';
import { DerReader, DerTag, writeDer } from './der.ts';
import { ObjectIdentifier } from './object-identifiers.tables.ts';

describe('DER', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])('has elements of %d bytes', (sizeBytes) => {
    const content = new Uint8Array(sizeBytes).fill(7);
    const element = writeDer(DerTag.sequence, content);
    const reader = new DerReader(element);
    expect(reader.isNext(DerTag.sequence)).toBe(true);
    expect(reader.content(DerTag.sequence)).toEqual(content);
    expect([reader.isAtEnd, reader.isInvalid]).toEqual([true, false]);
    const cut = new DerReader(element.subarray(0, -1));
    expect(cut.content(DerTag.sequence)).toHaveLength(0);
    expect(cut.isInvalid).toBe(true);
  });

  it.each([
    ['another tag', [2, 1, 0]],
    ['an indefinite length', [48, 0x80, 0, 0]],
    ['a length of four bytes', [48, 0x84, 0, 0, 0, 1, 0]],
    ['nothing', []],
    ['only a tag', [48]],
  ])('is invalid with %s', (_, bytes) => {
    const reader = new DerReader(Uint8Array.from(bytes));
    expect(reader.element(DerTag.sequence)).toHaveLength(0);
    expect(reader.isInvalid).toBe(true);
  });
});

describe('keys of certificates', () => {
  const rsa = (bits: number): Uint8Array => {
    const modulus = new Uint8Array(bits / 8 + 1).fill(0xff, 1);
    const numbers = writeDer(
      DerTag.sequence,
      writeDer(DerTag.integer, modulus),
      writeDer(DerTag.integer, Uint8Array.of(1, 0, 1)),
    );
    const algorithm = writeDer(DerTag.sequence, ObjectIdentifier.rsaEncryption, Uint8Array.of(5, 0));
    return writeDer(DerTag.sequence, algorithm, writeDer(DerTag.bitString, Uint8Array.of(0), numbers));
  };

  it.each([
    [1024, undefined],
    [2040, undefined],
    [2048, 'rsa'],
    [4096, 'rsa'],
    [8192, 'rsa'],
    [8200, undefined],
    [16_384, undefined],
  ])('are of RSA with %d bits: %s', (bits, kind) => {
    expect(kindOf(rsa(bits))).toBe(kind);
  });

  it('are of P-256, not of any other curve', () => {
    const key = (curve: Uint8Array): Uint8Array =>
      writeDer(
        DerTag.sequence,
        writeDer(DerTag.sequence, ObjectIdentifier.ecPublicKey, curve),
        writeDer(DerTag.bitString, new Uint8Array(66)),
      );
    expect(kindOf(key(ObjectIdentifier.prime256v1))).toBe('ecdsa-p256');
    expect(kindOf(key(writeDer(DerTag.objectIdentifier, Uint8Array.of(0x2b, 0x81, 0x04, 0x00, 0x22))))).toBeUndefined();
  });

  it('are found in nothing by accident', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(findCertificateKey(bytes)).toBeUndefined();
        expect(findCertificateKey(writeDer(DerTag.sequence, writeDer(DerTag.sequence, bytes)))).toBeUndefined();
      }),
    );
  });
});
