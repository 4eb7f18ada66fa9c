import type { CipherSuite } from './cipher-suites.tables.ts';
import type { DtlsAead, DtlsCrypto } from './dtls-crypto.ts';
import {
  DTLS_1_2,
  type DtlsRecord,
  MAX_PLAINTEXT_BYTES,
  RECORD_HEADER_BYTES,
  writeRecordHeader,
  writeRecordNumber,
} from './record.ts';

const TAG_BYTES = 16;
const NONCE_BYTES = 12;
/** Number, type, version and length of the record (RFC 5246 §6.2.3.3). */
const ASSOCIATED_DATA_BYTES = 13;

/** Where the 64 bits of the record's number lie at the end of a nonce. */
const NUMBER_AT = NONCE_BYTES - 8;

/** Protects the records of one epoch in one direction (RFC 5288 §3, RFC 7905 §2). */
export class RecordProtection {
  /** Bytes a record is longer than what it protects, its header left out. */
  readonly overheadBytes: number;
  readonly #aead: DtlsAead;
  readonly #fixedIv: Uint8Array;
  readonly #explicitNonceBytes: number;
  readonly #nonce: Uint8Array = new Uint8Array(NONCE_BYTES);
  readonly #associatedData: Uint8Array = new Uint8Array(ASSOCIATED_DATA_BYTES);

  /** `fixedIv` is kept. */
  constructor(
    crypto: DtlsCrypto,
    suite: CipherSuite,
    keys: { readonly key: Uint8Array; readonly fixedIv: Uint8Array },
  ) {
    this.#aead = crypto.createAead(suite.aead, keys.key);
    this.#fixedIv = keys.fixedIv;
    this.#explicitNonceBytes = suite.explicitNonceBytes;
    this.overheadBytes = suite.explicitNonceBytes + TAG_BYTES;
  }

  /** A whole record, header included, in a new buffer. */
  seal(header: Pick<DtlsRecord, 'contentType' | 'epoch' | 'sequenceNumber'>, plaintext: Uint8Array): Uint8Array {
    const { epoch, sequenceNumber } = header;
    const record = new Uint8Array(RECORD_HEADER_BYTES + plaintext.length + this.overheadBytes);
    writeRecordHeader(record, header, record.length - RECORD_HEADER_BYTES);
    // No two records of a key have the same number: nor have they the same nonce.
    if (this.#explicitNonceBytes > 0) writeRecordNumber(record, RECORD_HEADER_BYTES, epoch, sequenceNumber);
    this.#setNonce(header, record.subarray(RECORD_HEADER_BYTES));
    this.#setAssociatedData(header, plaintext.length);
    const sealedAt = RECORD_HEADER_BYTES + this.#explicitNonceBytes;
    this.#aead.seal(this.#nonce, this.#associatedData, plaintext, record, sealedAt);
    return record;
  }

  /** The plaintext in a new buffer; undefined when the record is not authentic or protects too much. */
  open(record: DtlsRecord): Uint8Array | undefined {
    const { fragment } = record;
    const plaintextBytes = fragment.length - this.overheadBytes;
    if (plaintextBytes < 0 || plaintextBytes > MAX_PLAINTEXT_BYTES) return undefined;
    this.#setNonce(record, fragment);
    this.#setAssociatedData(record, plaintextBytes);
    return this.#aead.open(this.#nonce, this.#associatedData, fragment.subarray(this.#explicitNonceBytes));
  }

  #setNonce(header: Pick<DtlsRecord, 'epoch' | 'sequenceNumber'>, fragment: Uint8Array): void {
    const nonce = this.#nonce;
    const fixedIv = this.#fixedIv;
    if (this.#explicitNonceBytes > 0) {
      nonce.set(fixedIv);
      for (let i = 0; i < this.#explicitNonceBytes; i++) nonce[fixedIv.length + i] = fragment[i]!;
      return;
    }
    nonce.fill(0, 0, NUMBER_AT);
    writeRecordNumber(nonce, NUMBER_AT, header.epoch, header.sequenceNumber);
    for (let i = 0; i < NONCE_BYTES; i++) nonce[i]! ^= fixedIv[i]!;
  }

  #setAssociatedData(header: Pick<DtlsRecord, 'contentType' | 'epoch' | 'sequenceNumber'>, sizeBytes: number): void {
    const data = this.#associatedData;
    writeRecordNumber(data, 0, header.epoch, header.sequenceNumber);
    data[8] = header.contentType;
    data[9] = DTLS_1_2 >>> 8;
    data[10] = DTLS_1_2 & 0xff;
    data[11] = sizeBytes >>> 8;
    data[12] = sizeBytes;
  }
}
