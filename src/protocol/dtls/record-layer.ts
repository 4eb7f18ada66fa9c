import { StateError } from '../../wire/errors.ts';
import type { DtlsStateErrorCode } from './dtls-error.ts';
import {
  ContentType,
  DTLS_1_0,
  DTLS_1_2,
  type DtlsRecord,
  MAX_PLAINTEXT_BYTES,
  MAX_RECORD_SEQUENCE_NUMBER,
  RECORD_HEADER_BYTES,
  writeRecordHeader,
} from './record.ts';
import type { RecordProtection } from './record-protection.ts';
import { ReplayWindow } from './replay-window.ts';

/** Epoch of the handshake in clear, and the only one behind it: keys are never changed. */
export type Epoch = 0 | 1;

/** Records that were dropped without any other effect. */
export interface DroppedRecords {
  /** Cut short, of an unknown type or version, or a fragment that contradicts another. */
  malformed: number;
  /** Taken before, or too old to know. */
  replayed: number;
  /** Not made with the keys of this session. */
  unauthentic: number;
  /** In clear though keys are there, of an epoch that isn't there (yet), or more than may be held. */
  untimely: number;
}

/** A client's first record number is taken over up to here: beyond, the rest of the numbers might not suffice. */
const MAX_ADOPTED_SEQUENCE_NUMBER = 0xffff_ffff;

/** Numbers, protects and opens records of both epochs (RFC 6347 §4.1). */
export class RecordLayer {
  readonly dropped: DroppedRecords = { malformed: 0, replayed: 0, unauthentic: 0, untimely: 0 };
  readonly #nextSequenceNumber: [number, number] = [0, 0];
  readonly #window = new ReplayWindow();
  #read: RecordProtection | undefined;
  #write: RecordProtection | undefined;

  /** Whether records of epoch 1 can be read and written. */
  get hasKeys(): boolean {
    return this.#read !== undefined;
  }

  install(read: RecordProtection, write: RecordProtection): void {
    this.#read = read;
    this.#write = write;
  }

  /**
   * Lets the numbers of epoch 0 start where those of the client's hello are, which a HelloVerifyRequest from elsewhere
   * may have used (RFC 6347 §4.2.1).
   */
  adoptSequenceNumber(sequenceNumber: number): void {
    if (sequenceNumber > MAX_ADOPTED_SEQUENCE_NUMBER) return;
    this.#nextSequenceNumber[0] = Math.max(this.#nextSequenceNumber[0], sequenceNumber);
  }

  /** Bytes a record of that epoch is longer than what is in it. */
  overheadBytes(epoch: Epoch): number {
    return RECORD_HEADER_BYTES + (epoch === 0 ? 0 : this.#write!.overheadBytes);
  }

  /**
   * A whole record in a new buffer.
   * @throws StateError `dtls/record-too-large` for more than `MAX_PLAINTEXT_BYTES`; `dtls/wrong-state` without keys for
   * the epoch or once all record numbers are used
   */
  write(epoch: Epoch, contentType: number, plaintext: Uint8Array): Uint8Array {
    if (plaintext.length > MAX_PLAINTEXT_BYTES)
      throw new StateError(
        'dtls/record-too-large' satisfies DtlsStateErrorCode,
        `a record of ${plaintext.length} bytes`,
      );
    const sequenceNumber = this.#nextSequenceNumber[epoch];
    if (sequenceNumber > MAX_RECORD_SEQUENCE_NUMBER || (epoch === 1 && this.#write === undefined))
      throw new StateError('dtls/wrong-state' satisfies DtlsStateErrorCode, `no record can be sent in epoch ${epoch}`);
    this.#nextSequenceNumber[epoch] = sequenceNumber + 1;
    const header = { contentType, epoch, sequenceNumber };
    if (epoch === 1) return this.#write!.seal(header, plaintext);
    const record = new Uint8Array(RECORD_HEADER_BYTES + plaintext.length);
    writeRecordHeader(record, header, plaintext.length);
    record.set(plaintext, RECORD_HEADER_BYTES);
    return record;
  }

  /**
   * What is in a record: a view into it in epoch 0, a new buffer in epoch 1. Undefined when it must be dropped, which is
   * counted.
   */
  open(record: DtlsRecord): Uint8Array | undefined {
    if (!isKnown(record)) return this.#drop('malformed');
    if (record.epoch === 0) {
      return record.fragment.length > MAX_PLAINTEXT_BYTES ? this.#drop('malformed') : record.fragment;
    }
    if (record.epoch !== 1 || this.#read === undefined) return this.#drop('untimely');
    if (this.#window.isTaken(record.sequenceNumber)) return this.#drop('replayed');
    const plaintext = this.#read.open(record);
    if (plaintext === undefined) return this.#drop('unauthentic');
    this.#window.take(record.sequenceNumber);
    return plaintext;
  }

  #drop(reason: keyof DroppedRecords): undefined {
    this.dropped[reason]++;
    return undefined;
  }
}

function isKnown({ contentType, version, epoch }: DtlsRecord): boolean {
  if (contentType < ContentType.changeCipherSpec || contentType > ContentType.applicationData) return false;
  return version === DTLS_1_2 || (version === DTLS_1_0 && epoch === 0);
}
