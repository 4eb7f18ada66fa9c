import {
  type CipherGCMTypes,
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import type { SrtpCipher, SrtpCipherOptions, SrtpCrypto, SrtpJob } from '../protocol/srtp/srtp-cipher.ts';

const BLOCK_BYTES = 16;
const WORD_BYTES = 4;
const SHA_BLOCK_BYTES = 64;
const SHA_DIGEST_BYTES = 20;
/** Key stream made in one call: enough for any one packet. */
const MAX_BLOCKS = 4096;

/** SRTP's cryptography by OpenSSL, through `node:crypto`. Keys are copied; the arrays may be cleared. */
export const nodeSrtpCrypto: SrtpCrypto = {
  encryptBlocks: (key, blocks) => blockCipher(key).update(blocks),
  createCipher: (options) => (options.transform === 'aes-cm' ? new AesCmCipher(options) : new AesGcmCipher(options)),
};

/** What is hashed, of one packet after the other; grows to the longest. */
let hashed: Uint8Array = new Uint8Array(2048);
const hashedAgain: Uint8Array = new Uint8Array(SHA_BLOCK_BYTES + SHA_DIGEST_BYTES);

/** The block of HMAC that the key is in (RFC 2104 §2); keys of SRTP are shorter than a block. */
function keyBlock(key: Uint8Array, mask: number): Uint8Array {
  return Uint8Array.from({ length: SHA_BLOCK_BYTES }, (_, i) => (key[i] ?? 0) ^ mask);
}

function blockCipher(key: Uint8Array): Cipheriv {
  return createCipheriv(key.length === 32 ? 'aes-256-ecb' : 'aes-128-ecb', createSecretKey(key), null).setAutoPadding(
    false,
  );
}

/**
 * AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1). One object encrypts counter blocks for as long as the key
 * lives, those of many packets in one call: making an object for each packet would cost more than its encryption.
 */
class AesCmCipher implements SrtpCipher {
  readonly #blocks: Cipheriv;
  /** The key's blocks of the two hashes. */
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;
  readonly #tagBytes: number;
  /** Of the packet being opened: its tag, and that which it ought to have. */
  readonly #received: Uint8Array;
  readonly #expected: Uint8Array;
  readonly #single: SrtpJob[] = [];
  #counters: Uint8Array = new Uint8Array(0);
  #counterWords: Uint32Array = new Uint32Array(0);

  constructor(options: SrtpCipherOptions) {
    this.#blocks = blockCipher(options.encryptionKey);
    this.#inner = keyBlock(options.authenticationKey, 0x36);
    this.#outer = keyBlock(options.authenticationKey, 0x5c);
    this.#tagBytes = options.tagBytes;
    this.#received = new Uint8Array(options.tagBytes);
    this.#expected = new Uint8Array(options.tagBytes);
  }

  seal(jobs: readonly SrtpJob[], count: number): void {
    this.#crypt(jobs, count);
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      const tag = this.#tag(job);
      for (let k = 0; k < this.#tagBytes; k++) job.bytes[job.tagAt + k] = tag.charCodeAt(k);
    }
  }

  open(job: SrtpJob): boolean {
    const { bytes, tagAt } = job;
    this.#received.set(bytes.subarray(tagAt, tagAt + this.#tagBytes));
    const tag = this.#tag(job);
    for (let k = 0; k < this.#tagBytes; k++) this.#expected[k] = tag.charCodeAt(k);
    if (!timingSafeEqual(this.#received, this.#expected)) return false;
    this.#single[0] = job;
    this.#crypt(this.#single, 1);
    return true;
  }

  /**
   * The whole HMAC, one character a byte. Made of two hashes (RFC 2104 §2): for each HMAC Node makes an object, for a hash it
   * makes none, and text it makes faster than a buffer.
   */
  #tag(job: SrtpJob): string {
    const { bytes, start, textEnd, word } = job;
    const end = SHA_BLOCK_BYTES + textEnd - start;
    if (end + WORD_BYTES > hashed.length) hashed = new Uint8Array(end + WORD_BYTES);
    hashed.set(this.#inner);
    hashed.set(bytes.subarray(start, textEnd), SHA_BLOCK_BYTES);
    hashed[end] = word >>> 24;
    hashed[end + 1] = word >>> 16;
    hashed[end + 2] = word >>> 8;
    hashed[end + 3] = word;
    const digest = hash('sha1', hashed.subarray(0, end + WORD_BYTES), 'latin1');
    hashedAgain.set(this.#outer);
    for (let i = 0; i < SHA_DIGEST_BYTES; i++) hashedAgain[SHA_BLOCK_BYTES + i] = digest.charCodeAt(i);
    return hash('sha1', hashedAgain, 'latin1');
  }

  /** Encrypts or decrypts, which is the same. */
  #crypt(jobs: readonly SrtpJob[], count: number): void {
    let first = 0;
    while (first < count) {
      let blockCount = 0;
      let end = first;
      while (end < count) {
        const needed = blocksOf(jobs[end]!);
        if (end > first && blockCount + needed > MAX_BLOCKS) break;
        blockCount += needed;
        end++;
      }
      this.#reserve(blockCount);
      let block = 0;
      for (let i = first; i < end; i++) block = this.#writeCounters(jobs[i]!, block);
      const keyStream = this.#blocks.update(this.#counters.subarray(0, blockCount * BLOCK_BYTES));
      let at = 0;
      for (let i = first; i < end; i++) {
        xor(jobs[i]!, keyStream, at);
        at += blocksOf(jobs[i]!) * BLOCK_BYTES;
      }
      first = end;
    }
  }

  #reserve(blockCount: number): void {
    if (this.#counters.length >= blockCount * BLOCK_BYTES) return;
    this.#counters = new Uint8Array(Math.max(blockCount, 128) * BLOCK_BYTES);
    this.#counterWords = new Uint32Array(this.#counters.buffer);
  }

  #writeCounters(job: SrtpJob, block: number): number {
    const count = blocksOf(job);
    const { ivWords } = job;
    const words = this.#counterWords;
    const counters = this.#counters;
    for (let i = 0; i < count; i++) {
      const word = (block + i) * WORD_BYTES;
      words[word] = ivWords[0]!;
      words[word + 1] = ivWords[1]!;
      words[word + 2] = ivWords[2]!;
      words[word + 3] = ivWords[3]!;
      const end = (block + i + 1) * BLOCK_BYTES;
      counters[end - 2] = i >>> 8;
      counters[end - 1] = i;
    }
    return block + count;
  }
}

function blocksOf(job: SrtpJob): number {
  return Math.ceil((job.textEnd - job.textStart) / BLOCK_BYTES);
}

function xor(job: SrtpJob, keyStream: Uint8Array, keyStreamAt: number): void {
  const { bytes, textStart, textEnd } = job;
  const sizeBytes = textEnd - textStart;
  const text = new DataView(bytes.buffer, bytes.byteOffset + textStart, sizeBytes);
  const key = new DataView(keyStream.buffer, keyStream.byteOffset + keyStreamAt, sizeBytes);
  let at = 0;
  // Little-endian, as the machines are: in the other order each word would be turned around three times.
  for (; at + WORD_BYTES <= sizeBytes; at += WORD_BYTES) {
    text.setUint32(at, text.getUint32(at, true) ^ key.getUint32(at, true), true);
  }
  for (; at < sizeBytes; at++) text.setUint8(at, text.getUint8(at) ^ key.getUint8(at));
}

/** AES-GCM (RFC 7714). Its object can't be used twice. */
class AesGcmCipher implements SrtpCipher {
  readonly #algorithm: CipherGCMTypes;
  readonly #key: KeyObject;
  readonly #tagBytes: number;

  constructor(options: SrtpCipherOptions) {
    this.#algorithm = options.encryptionKey.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm';
    this.#key = createSecretKey(options.encryptionKey);
    this.#tagBytes = options.tagBytes;
  }

  seal(jobs: readonly SrtpJob[], count: number): void {
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      const { bytes, textStart, textEnd, tagAt } = job;
      const cipher = createCipheriv(this.#algorithm, this.#key, job.iv.subarray(0, 12), {
        authTagLength: this.#tagBytes,
      });
      cipher.setAAD(associatedData(job));
      bytes.set(cipher.update(bytes.subarray(textStart, textEnd)), textStart);
      cipher.final();
      bytes.set(cipher.getAuthTag(), tagAt);
    }
  }

  open(job: SrtpJob): boolean {
    const { bytes, textStart, textEnd, tagAt } = job;
    const decipher = createDecipheriv(this.#algorithm, this.#key, job.iv.subarray(0, 12), {
      authTagLength: this.#tagBytes,
    });
    decipher.setAAD(associatedData(job));
    decipher.setAuthTag(bytes.subarray(tagAt, tagAt + this.#tagBytes));
    const text = decipher.update(bytes.subarray(textStart, textEnd));
    try {
      decipher.final();
    } catch {
      // Node says by throwing that the tag is wrong.
      return false;
    }
    bytes.set(text, textStart);
    return true;
  }
}

/** Authenticated but not encrypted: the bytes in clear, and the word of SRTCP behind them (RFC 7714 §8.2, §9.2). */
function associatedData(job: SrtpJob): Uint8Array {
  const { bytes, start, textStart, word } = job;
  if (!job.hasWord) return bytes.subarray(start, textStart);
  const data = new Uint8Array(textStart - start + WORD_BYTES);
  data.set(bytes.subarray(start, textStart));
  new DataView(data.buffer).setUint32(data.length - WORD_BYTES, word);
  return data;
}
