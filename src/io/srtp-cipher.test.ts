import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveKey } from '../protocol/srtp/key-derivation.ts';
import { SrtpJob } from '../protocol/srtp/srtp-cipher.ts';
import { writeIv } from '../protocol/srtp/srtp-packet.ts';
import { nodeSrtpCrypto } from './srtp-cipher.ts';
import { srtpProvider } from './srtp-crypto.ts';

/** The portable one, and the fastest here where it is another. */
const providers = Object.entries({ portable: nodeSrtpCrypto, [srtpProvider().name]: srtpProvider().crypto });

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Quid pro quo (RFC 7714 §16, §17). */
const gcmSalt = hex('517569642070726f2071756f');
const gcmKeys = { 16: hex('000102030405060708090a0b0c0d0e0f'), 32: Uint8Array.from({ length: 32 }, (_, i) => i) };
const gcmRtp = hex(`8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
  69736120 696e2070 61727465 73207472 6573`);
const gcmRtcp = hex(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
  deadbeef deadbeef deadbeef deadbeef deadbeef`);

describe('AES-CM', () => {
  it('makes the key stream of RFC 3711 B.2', () => {
    const cipher = nodeSrtpCrypto.createCipher({
      transform: 'aes-cm',
      encryptionKey: hex('2B7E151628AED2A6ABF7158809CF4F3C'),
      authenticationKey: new Uint8Array(20),
      tagBytes: 10,
    });
    const job = new SrtpJob();
    const textEnd = 0xff02 * 16;
    // The longest text there is: more than fits in one call to OpenSSL.
    Object.assign(job, { bytes: new Uint8Array(textEnd + 10), textEnd, tagAt: textEnd });
    writeIv(job, hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'), 0, 0);
    cipher.seal([job], 1);
    const blocks = [0, 1, 2, 0xfeff, 0xff00, 0xff01].map((i) => toHex(job.bytes.subarray(16 * i, 16 * i + 16)));
    expect(blocks).toEqual([
      'e03ead0935c95e80e166b16dd92b4eb4',
      'd23513162b02d0f72a43a2fe4a5f97ab',
      '41e95b3bb0a2e8dd477901e4fca894c0',
      'ec8cdf7398607cb0f2d21675ea9ea1e4',
      '362b7c3c6773516318a077d7fc5073ae',
      '6a2cc3787889374fbeb4c81b17ba6c44',
    ]);
  });
});

describe.each(providers)('AES-CM by %s', (_, crypto) => {
  it('does in many jobs at once what OpenSSL does packet by packet', () => {
    const encryptionKey = randomBytes(16);
    const authenticationKey = randomBytes(20);
    const cipher = crypto.createCipher({ transform: 'aes-cm', encryptionKey, authenticationKey, tagBytes: 10 });
    const texts = [0, 1, 15, 16, 17, 1100, 65_000, 3, 64_999].map((sizeBytes) => randomBytes(sizeBytes));
    const jobs = texts.map((text, i) => {
      const job = new SrtpJob();
      const textEnd = 12 + text.length;
      Object.assign(job, { bytes: Buffer.alloc(textEnd + 10), textStart: 12, textEnd, tagAt: textEnd, hasWord: true });
      Object.assign(job, { word: 0xfedc_ba98 - i });
      job.bytes.set(text, 12);
      writeIv(job, randomBytes(14), i, i);
      return job;
    });
    cipher.seal(jobs, jobs.length);
    for (const [i, job] of jobs.entries()) {
      const encrypted = createCipheriv('aes-128-ctr', encryptionKey, job.iv).update(texts[i]!);
      expect(toHex(job.bytes.subarray(12, job.textEnd))).toBe(encrypted.toString('hex'));
      const word = Buffer.alloc(4);
      word.writeUInt32BE(job.word);
      const tag = createHmac('sha1', authenticationKey)
        .update(job.bytes.subarray(0, job.textEnd))
        .update(word)
        .digest();
      expect(toHex(job.bytes.subarray(job.tagAt))).toBe(toHex(tag.subarray(0, 10)));
      const before = Uint8Array.from(job.bytes);
      job.word ^= 1;
      expect(cipher.open(job)).toBe(false);
      expect(toHex(job.bytes)).toBe(toHex(before));
      job.word ^= 1;
      expect(cipher.open(job)).toBe(true);
      expect(toHex(job.bytes.subarray(12, job.textEnd))).toBe(texts[i]!.toString('hex'));
    }
  });
});

describe.each(providers)('AES-GCM by %s', (_, crypto) => {
  it.each([
    // RFC 7714 §16.1.1 and §16.2.1.
    [
      16,
      `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf
       8833899d 7f27beb1 6a9152cf 765ee439 0cce`,
    ],
    [
      32,
      `8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799
       b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13`,
    ],
  ] as const)('protects the RTP packet of RFC 7714 with a key of %i bytes', (keyBytes, expected) => {
    const cipher = crypto.createCipher({
      transform: 'aes-gcm',
      encryptionKey: gcmKeys[keyBytes],
      authenticationKey: new Uint8Array(),
      tagBytes: 16,
    });
    const job = new SrtpJob();
    const bytes = Buffer.alloc(gcmRtp.length + 16);
    bytes.set(gcmRtp);
    Object.assign(job, { bytes, textStart: 12, textEnd: gcmRtp.length, tagAt: gcmRtp.length });
    writeIv(job, gcmSalt, 0x5501a0b2, 0xf17b);
    expect(toHex(job.iv.subarray(0, 12))).toBe('51753c6580c2726f20718414');
    cipher.seal([job], 1);
    expect(toHex(bytes)).toBe(toHex(hex(expected)));
    bytes[12]! ^= 1;
    expect(cipher.open(job)).toBe(false);
    bytes[12]! ^= 1;
    expect(cipher.open(job)).toBe(true);
    expect(toHex(bytes.subarray(0, gcmRtp.length))).toBe(toHex(gcmRtp));
  });

  it('protects the RTCP packet of RFC 7714 §17.1', () => {
    const cipher = crypto.createCipher({
      transform: 'aes-gcm',
      encryptionKey: gcmKeys[16],
      authenticationKey: new Uint8Array(),
      tagBytes: 16,
    });
    const job = new SrtpJob();
    const bytes = Buffer.alloc(gcmRtcp.length + 16);
    bytes.set(gcmRtcp);
    Object.assign(job, { bytes, textStart: 8, textEnd: gcmRtcp.length, tagAt: gcmRtcp.length });
    Object.assign(job, { hasWord: true, word: 0x8000_05d4 });
    writeIv(job, gcmSalt, 0x4d617273, 0x5d4);
    expect(toHex(job.iv.subarray(0, 12))).toBe('517524055203726f207170bb');
    cipher.seal([job], 1);
    expect(toHex(bytes)).toBe(
      toHex(
        hex(`81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46
          86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade`),
      ),
    );
  });
});

describe('key derivation', () => {
  const keys = {
    masterKey: hex('E1F97A0D3E018BE0D64FA32C06DE4139'),
    masterSalt: hex('0EC675AD498AFEEBB6960B3AABE6'),
  };

  it.each([
    ['cipher key', 0, 'c61e7a93744f39ee10734afe3ff7a087'],
    ['cipher salt', 2, '30cbbc08863d8c85d49db34a9ae1'],
    ['authentication key', 1, 'cebe321f6ff7716b6fd4ab49af256a156d38baa4'],
  ])('gives the %s of RFC 3711 B.3', (_, label, expected) => {
    expect(toHex(deriveKey(nodeSrtpCrypto, keys, label, expected.length / 2))).toBe(expected);
  });
});
