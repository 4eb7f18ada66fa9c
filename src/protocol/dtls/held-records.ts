import type { DtlsRecord } from './record.ts';

/** Records that may come before their time, records and bytes. What is more is lost, as on the way. */
export const MAX_HELD_RECORDS = 16;
export const MAX_HELD_BYTES = 24_576;

/**
 * Records of epoch 1 that overtook what is needed to open them: the peer's last messages in clear, or, for application
 * data, the end of the handshake.
 */
export class HeldRecords {
  #records: DtlsRecord[] = [];
  #bytes = 0;

  /** Keeps a copy. @returns false when there is no room */
  add(record: DtlsRecord): boolean {
    const { length } = record.fragment;
    if (this.#records.length === MAX_HELD_RECORDS || this.#bytes + length > MAX_HELD_BYTES) return false;
    this.#records.push({ ...record, fragment: new Uint8Array(record.fragment) });
    this.#bytes += length;
    return true;
  }

  /** Gives them all, in the order they came, and forgets them. */
  take(): readonly DtlsRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#bytes = 0;
    return records;
  }
}
