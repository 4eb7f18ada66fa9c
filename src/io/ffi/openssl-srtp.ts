/**
 * SRTP's ciphers by the OpenSSL inside the Node program, through `node:ffi`: contexts live as long as their keys, where
 * `node:crypto` makes an object for each HMAC and each GCM packet.
 *
 * Every pointer is in this file. Packets are copied into one block of memory that is made once and never resized, so
 * memory that belongs to others is never pointed at.
 */
import { timingSafeEqual } from 'node:crypto';
import type { SrtpCipher, SrtpCipherOptions, SrtpJob } from '../../protocol/srtp/srtp-cipher.ts';
import { ResourceError } from '../../wire/errors.ts';
import { withoutExperimentalWarning } from './experimental-warning.ts';

/** Code of the `ResourceError` for an OpenSSL that can't be called or fails. */
export type OpenSslErrorCode = 'openssl/unavailable' | 'openssl/failed';

type Ffi = typeof import('node:ffi');

/** The functions used: EVP_EncryptInit(3), SHA1_Update of SHA1_Init(3). */
interface OpenSslFunctions {
  EVP_CIPHER_CTX_new(): bigint;
  EVP_CIPHER_CTX_free(context: bigint): void;
  EVP_aes_128_ctr(): bigint;
  EVP_aes_128_gcm(): bigint;
  EVP_aes_256_gcm(): bigint;
  EVP_EncryptInit_ex(context: bigint, cipher: bigint, engine: bigint, key: bigint, iv: bigint): number;
  EVP_EncryptUpdate(context: bigint, out: bigint, outLength: bigint, input: bigint, length: bigint): number;
  EVP_EncryptFinal_ex(context: bigint, out: bigint, outLength: bigint): number;
  EVP_DecryptInit_ex(context: bigint, cipher: bigint, engine: bigint, key: bigint, iv: bigint): number;
  EVP_DecryptUpdate(context: bigint, out: bigint, outLength: bigint, input: bigint, length: bigint): number;
  EVP_DecryptFinal_ex(context: bigint, out: bigint, outLength: bigint): number;
  EVP_CIPHER_CTX_ctrl(context: bigint, command: bigint, argument: bigint, pointer: bigint): number;
  SHA1_Update(context: bigint, data: bigint, length: bigint): number;
}

const NULL = 0n;
/** `EVP_CTRL_AEAD_GET_TAG`, `EVP_CTRL_AEAD_SET_TAG`. */
const GET_TAG = 0x10n;
const SET_TAG = 0x11n;

/** Longest packet, bytes: that of UDP and of an interleaved frame. */
const MAX_PACKET_BYTES = 0xffff;

/** Places in the block; the clear part of a packet ends where the encrypted part always begins. */
const KEY_AT = 0;
const IV_AT = 32;
const OUT_LENGTH_AT = 48;
const WORD_AT = 56;
const TAG_AT = 64;
const SHA_AT = 128;
const OUTER_AT = 256;
const TEXT_AT = 512 + 65_536;
const BLOCK_BYTES: number = TEXT_AT + 65_536 + 256;

/**
 * Words of the state: the first of `SHA_CTX`. Its others (Nl, Nh, data[16], num) count and keep what is no whole block, and
 * are left as they are: only whole blocks are hashed, and padded here.
 */
const SHA_WORDS = 5;
const SHA_BLOCK_BYTES = 64;
const SHA_DIGEST_BYTES = 20;
/** Clear parts up to this length have their pointer made once: headers with extensions seldom have more. */
const KNOWN_CLEAR_BYTES = 256;
/** Lengths below are kept as they are passed on. */
const KNOWN_LENGTHS = 2048;

/** Copies a part without making a view of it: of those there would be two for each packet. */
const copyBytes: (this: Uint8Array, to: Uint8Array, at: number, start: number, end: number) => number =
  Buffer.prototype.copy;

/** What encrypts with OpenSSL. One for the process; synchronous, so its block is never shared. */
export class OpenSslSrtp {
  readonly #functions: OpenSslFunctions;
  readonly #block: Block;
  readonly #contexts: FinalizationRegistry<bigint>;

  private constructor(functions: OpenSslFunctions, block: Block) {
    this.#functions = functions;
    this.#block = block;
    this.#contexts = new FinalizationRegistry((context) => functions.EVP_CIPHER_CTX_free(context));
  }

  /** @throws ResourceError `openssl/unavailable` when Node has no `node:ffi`, or its OpenSSL is not to be found */
  static load(): OpenSslSrtp {
    const ffi = withoutExperimentalWarning(() => process.getBuiltinModule('node:ffi') as Ffi | undefined);
    if (ffi === undefined) throw unavailable(`Node ${process.version} has no node:ffi`);
    try {
      const bytes = new Uint8Array(BLOCK_BYTES);
      return new OpenSslSrtp(functionsOf(ffi), new Block(bytes, ffi.getRawPointer(bytes)));
    } catch (cause) {
      throw unavailable((cause as Error).message, cause);
    }
  }

  /** As `SrtpCrypto.createCipher`. @throws ResourceError `openssl/failed` */
  createCipher(options: SrtpCipherOptions): SrtpCipher {
    const functions = this.#functions;
    const encrypting = functions.EVP_CIPHER_CTX_new();
    const decrypting = functions.EVP_CIPHER_CTX_new();
    if (encrypting === NULL || decrypting === NULL) throw failed('EVP_CIPHER_CTX_new');
    const block = this.#block;
    const type = cipherOf(functions, options);
    block.bytes.set(options.encryptionKey, KEY_AT);
    const key = block.pointer(KEY_AT);
    check(functions.EVP_EncryptInit_ex(encrypting, type, NULL, key, NULL), 'EVP_EncryptInit_ex');
    check(functions.EVP_DecryptInit_ex(decrypting, type, NULL, key, NULL), 'EVP_DecryptInit_ex');
    block.bytes.fill(0, KEY_AT, KEY_AT + 32);
    const cipher =
      options.transform === 'aes-cm'
        ? new OpenSslAesCm(functions, block, encrypting, options)
        : new OpenSslAesGcm(functions, block, encrypting, decrypting, options.tagBytes);
    // Ciphers have no end of their own: their keys live as long as the session that holds them.
    this.#contexts.register(cipher, encrypting);
    this.#contexts.register(cipher, decrypting);
    return cipher;
  }
}

/** The memory OpenSSL reads and writes, with the pointers into it that are used for each packet. */
class Block {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly view: DataView;
  readonly text: bigint;
  readonly iv: bigint;
  readonly outLength: bigint;
  readonly word: bigint;
  readonly tag: bigint;
  readonly sha: bigint;
  readonly outer: bigint;
  readonly #address: bigint;
  readonly #clear: bigint[];

  constructor(bytes: Uint8Array, address: bigint) {
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer);
    this.view = new DataView(bytes.buffer);
    this.#address = address;
    this.text = this.pointer(TEXT_AT);
    this.iv = this.pointer(IV_AT);
    this.outLength = this.pointer(OUT_LENGTH_AT);
    this.word = this.pointer(WORD_AT);
    this.tag = this.pointer(TAG_AT);
    this.sha = this.pointer(SHA_AT);
    this.outer = this.pointer(OUTER_AT);
    this.#clear = Array.from({ length: KNOWN_CLEAR_BYTES }, (_, sizeBytes) => this.pointer(TEXT_AT - sizeBytes));
  }

  pointer(at: number): bigint {
    return this.#address + BigInt(at);
  }

  /** Where a packet begins whose clear part has so many bytes. */
  clear(sizeBytes: number): bigint {
    return this.#clear[sizeBytes] ?? this.pointer(TEXT_AT - sizeBytes);
  }

  /** Copies packet and initialization vector in. */
  load(job: SrtpJob): void {
    const { bytes, start, textStart, textEnd, ivWords } = job;
    if (textEnd - start > MAX_PACKET_BYTES) throw failed(`a packet of ${textEnd - start} bytes`);
    copyBytes.call(bytes, this.bytes, TEXT_AT - (textStart - start), start, textEnd);
    for (let i = 0; i < 4; i++) this.words[(IV_AT >>> 2) + i] = ivWords[i]!;
  }

  /** Copies the encrypted part back. */
  store(job: SrtpJob): void {
    const { bytes, textStart, textEnd } = job;
    copyBytes.call(this.bytes, bytes, textStart, TEXT_AT, TEXT_AT + textEnd - textStart);
  }
}

/**
 * AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1). The two hashes of HMAC (RFC 2104) go on from where the key
 * has taken them, and their last blocks are padded here (FIPS 180-4 §5.1.1), so each is one call.
 */
class OpenSslAesCm implements SrtpCipher {
  readonly #functions: OpenSslFunctions;
  readonly #block: Block;
  readonly #context: bigint;
  readonly #tagBytes: number;
  readonly #inner: Uint32Array;
  readonly #outer: Uint32Array;
  /** Tags side by side, to be compared without making views of them. */
  readonly #received: Uint8Array;
  readonly #expected: Uint8Array;

  constructor(functions: OpenSslFunctions, block: Block, context: bigint, options: SrtpCipherOptions) {
    this.#functions = functions;
    this.#block = block;
    this.#context = context;
    this.#tagBytes = options.tagBytes;
    this.#received = new Uint8Array(options.tagBytes);
    this.#expected = new Uint8Array(options.tagBytes);
    this.#inner = this.#stateAfter(options.authenticationKey, 0x36);
    this.#outer = this.#stateAfter(options.authenticationKey, 0x5c);
  }

  seal(jobs: readonly SrtpJob[], count: number): void {
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      this.#block.load(job);
      this.#crypt(job);
      this.#authenticate(job);
      this.#block.store(job);
      for (let k = 0; k < this.#tagBytes; k++) job.bytes[job.tagAt + k] = this.#block.bytes[TAG_AT + k]!;
    }
  }

  open(job: SrtpJob): boolean {
    const block = this.#block;
    block.load(job);
    const received = this.#received;
    const expected = this.#expected;
    for (let k = 0; k < this.#tagBytes; k++) received[k] = job.bytes[job.tagAt + k]!;
    this.#authenticate(job);
    for (let k = 0; k < this.#tagBytes; k++) expected[k] = block.bytes[TAG_AT + k]!;
    if (!timingSafeEqual(received, expected)) return false;
    this.#crypt(job);
    block.store(job);
    return true;
  }

  /** Encrypts or decrypts, which is the same. */
  #crypt(job: SrtpJob): void {
    const { text, iv, outLength } = this.#block;
    const sizeBytes = job.textEnd - job.textStart;
    check(this.#functions.EVP_EncryptInit_ex(this.#context, NULL, NULL, NULL, iv), 'EVP_EncryptInit_ex');
    check(
      this.#functions.EVP_EncryptUpdate(this.#context, text, outLength, text, toLength(sizeBytes)),
      'EVP_EncryptUpdate',
    );
  }

  /** Writes the whole HMAC at `TAG_AT`. */
  #authenticate(job: SrtpJob): void {
    const block = this.#block;
    const clearBytes = job.textStart - job.start;
    const end = TEXT_AT + job.textEnd - job.textStart;
    block.view.setUint32(end, job.word);
    const hashedBytes = clearBytes + end + 4 - TEXT_AT;
    const paddedBytes = pad(block, TEXT_AT - clearBytes, hashedBytes);
    this.#hash(this.#inner, block.clear(clearBytes), paddedBytes);
    writeDigest(block, OUTER_AT);
    pad(block, OUTER_AT, SHA_DIGEST_BYTES);
    this.#hash(this.#outer, block.outer, SHA_BLOCK_BYTES);
    writeDigest(block, TAG_AT);
  }

  /** Hashes whole blocks on from `state`; the state after them stands at `SHA_AT`. */
  #hash(state: Uint32Array, data: bigint, sizeBytes: number): void {
    const { words } = this.#block;
    for (let i = 0; i < SHA_WORDS; i++) words[(SHA_AT >>> 2) + i] = state[i]!;
    check(this.#functions.SHA1_Update(this.#block.sha, data, toLength(sizeBytes)), 'SHA1_Update');
  }

  /** The state of SHA-1 after the key's block (RFC 2104 §2). */
  #stateAfter(key: Uint8Array, mask: number): Uint32Array {
    const { bytes, words } = this.#block;
    for (let i = 0; i < SHA_BLOCK_BYTES; i++) bytes[OUTER_AT + i] = (key[i] ?? 0) ^ mask;
    const state = new Uint32Array(SHA_WORDS);
    // FIPS 180-4 §5.3.1.
    state.set([0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]);
    this.#hash(state, this.#block.outer, SHA_BLOCK_BYTES);
    state.set(words.subarray(SHA_AT >>> 2, (SHA_AT >>> 2) + SHA_WORDS));
    bytes.fill(0, OUTER_AT, OUTER_AT + SHA_BLOCK_BYTES);
    return state;
  }
}

/** AES-GCM (RFC 7714). */
class OpenSslAesGcm implements SrtpCipher {
  readonly #functions: OpenSslFunctions;
  readonly #block: Block;
  readonly #encrypting: bigint;
  readonly #decrypting: bigint;
  readonly #tagBytes: number;
  readonly #tagLength: bigint;

  constructor(functions: OpenSslFunctions, block: Block, encrypting: bigint, decrypting: bigint, tagBytes: number) {
    this.#tagLength = BigInt(tagBytes);
    this.#functions = functions;
    this.#block = block;
    this.#encrypting = encrypting;
    this.#decrypting = decrypting;
    this.#tagBytes = tagBytes;
  }

  seal(jobs: readonly SrtpJob[], count: number): void {
    const f = this.#functions;
    const block = this.#block;
    const { text, iv, outLength, tag } = block;
    const context = this.#encrypting;
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      const clearBytes = job.textStart - job.start;
      block.load(job);
      check(f.EVP_EncryptInit_ex(context, NULL, NULL, NULL, iv), 'EVP_EncryptInit_ex');
      check(
        f.EVP_EncryptUpdate(context, NULL, outLength, block.clear(clearBytes), toLength(clearBytes)),
        'EVP_EncryptUpdate',
      );
      if (job.hasWord) {
        block.view.setUint32(WORD_AT, job.word);
        check(f.EVP_EncryptUpdate(context, NULL, outLength, block.word, 4n), 'EVP_EncryptUpdate');
      }
      const sizeBytes = job.textEnd - job.textStart;
      check(f.EVP_EncryptUpdate(context, text, outLength, text, toLength(sizeBytes)), 'EVP_EncryptUpdate');
      check(f.EVP_EncryptFinal_ex(context, tag, outLength), 'EVP_EncryptFinal_ex');
      check(f.EVP_CIPHER_CTX_ctrl(context, GET_TAG, this.#tagLength, tag), 'EVP_CIPHER_CTX_ctrl');
      block.store(job);
      for (let k = 0; k < this.#tagBytes; k++) job.bytes[job.tagAt + k] = block.bytes[TAG_AT + k]!;
    }
  }

  open(job: SrtpJob): boolean {
    const f = this.#functions;
    const block = this.#block;
    const { text, iv, outLength, tag } = block;
    const context = this.#decrypting;
    const clearBytes = job.textStart - job.start;
    block.load(job);
    check(f.EVP_DecryptInit_ex(context, NULL, NULL, NULL, iv), 'EVP_DecryptInit_ex');
    check(
      f.EVP_DecryptUpdate(context, NULL, outLength, block.clear(clearBytes), toLength(clearBytes)),
      'EVP_DecryptUpdate',
    );
    if (job.hasWord) {
      block.view.setUint32(WORD_AT, job.word);
      check(f.EVP_DecryptUpdate(context, NULL, outLength, block.word, 4n), 'EVP_DecryptUpdate');
    }
    const sizeBytes = job.textEnd - job.textStart;
    check(f.EVP_DecryptUpdate(context, text, outLength, text, toLength(sizeBytes)), 'EVP_DecryptUpdate');
    for (let k = 0; k < this.#tagBytes; k++) block.bytes[TAG_AT + k] = job.bytes[job.tagAt + k]!;
    check(f.EVP_CIPHER_CTX_ctrl(context, SET_TAG, this.#tagLength, tag), 'EVP_CIPHER_CTX_ctrl');
    // OpenSSL compares the tags in constant time.
    if (f.EVP_DecryptFinal_ex(context, tag, outLength) !== 1) return false;
    block.store(job);
    return true;
  }
}

/** Pads what stands at `at` to whole blocks; one block went before it. @returns the padded length, bytes */
function pad(block: Block, at: number, sizeBytes: number): number {
  const paddedBytes = (sizeBytes + 9 + SHA_BLOCK_BYTES - 1) & ~(SHA_BLOCK_BYTES - 1);
  const { bytes, view } = block;
  bytes[at + sizeBytes] = 0x80;
  for (let i = at + sizeBytes + 1; i < at + paddedBytes - 4; i++) bytes[i] = 0;
  view.setUint32(at + paddedBytes - 4, (SHA_BLOCK_BYTES + sizeBytes) * 8);
  return paddedBytes;
}

/** The state at `SHA_AT` as the bytes of a digest. */
function writeDigest(block: Block, at: number): void {
  for (let i = 0; i < 5; i++) block.view.setUint32(at + 4 * i, block.words[(SHA_AT >>> 2) + i]!);
}

const lengths: readonly bigint[] = Array.from({ length: KNOWN_LENGTHS }, (_, sizeBytes) => BigInt(sizeBytes));

/** A length as the argument of a function; those of packets that are not unusually long are made once. */
function toLength(sizeBytes: number): bigint {
  return lengths[sizeBytes] ?? BigInt(sizeBytes);
}

function cipherOf(functions: OpenSslFunctions, options: SrtpCipherOptions): bigint {
  if (options.transform === 'aes-cm') return functions.EVP_aes_128_ctr();
  return options.encryptionKey.length === 32 ? functions.EVP_aes_256_gcm() : functions.EVP_aes_128_gcm();
}

function functionsOf(ffi: Ffi): OpenSslFunctions {
  // Lengths and numbers are declared as pointers too: calls that take nothing else cost Node a third (measured on 26.10),
  // and both machines pass an `int` in the low half of the register a pointer has.
  const init = { arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer'], return: 'int32' } as const;
  const update = init;
  const final = { arguments: ['pointer', 'pointer', 'pointer'], return: 'int32' } as const;
  const cipher = { arguments: [], return: 'pointer' } as const;
  return ffi.dlopen(null, {
    EVP_CIPHER_CTX_new: cipher,
    EVP_CIPHER_CTX_free: { arguments: ['pointer'], return: 'void' },
    EVP_aes_128_ctr: cipher,
    EVP_aes_128_gcm: cipher,
    EVP_aes_256_gcm: cipher,
    EVP_EncryptInit_ex: init,
    EVP_EncryptUpdate: update,
    EVP_EncryptFinal_ex: final,
    EVP_DecryptInit_ex: init,
    EVP_DecryptUpdate: update,
    EVP_DecryptFinal_ex: final,
    EVP_CIPHER_CTX_ctrl: { arguments: ['pointer', 'pointer', 'pointer', 'pointer'], return: 'int32' },
    SHA1_Update: final,
  }).functions;
}

function check(result: number, what: string): void {
  if (result !== 1) throw failed(what);
}

function failed(what: string): ResourceError {
  return new ResourceError('openssl/failed' satisfies OpenSslErrorCode, `OpenSSL failed: ${what}`);
}

function unavailable(reason: string, cause?: unknown): ResourceError {
  return new ResourceError(
    'openssl/unavailable' satisfies OpenSslErrorCode,
    `no OpenSSL to call: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}
