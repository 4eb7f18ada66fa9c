/** Types of records (RFC 5246 §6.2.1). Heartbeat and everything else is dropped. */
export const ContentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** DTLS 1.2 on the wire. */
export const DTLS_1_2 = 0xfefd;
/** DTLS 1.0, which the first flight of many clients still has in its record headers. */
export const DTLS_1_0 = 0xfeff;

export const RECORD_HEADER_BYTES = 13;
/** Most bytes a record may protect (RFC 5246 §6.2.1). */
export const MAX_PLAINTEXT_BYTES = 16_384;
/** Most bytes behind a record header (RFC 5246 §6.2.3). */
export const MAX_FRAGMENT_BYTES: number = MAX_PLAINTEXT_BYTES + 2048;
/** Sequence numbers have 48 bits. */
export const MAX_RECORD_SEQUENCE_NUMBER: number = 2 ** 48 - 1;

/** One record of a datagram. */
export interface DtlsRecord {
  readonly contentType: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequenceNumber: number;
  /** A view into the datagram. */
  readonly fragment: Uint8Array;
}

/**
 * Reads the record at `at` (RFC 6347 §4.1).
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+-------------------------------+---------------+
 *     | content type  |            version            |     epoch     |
 *     +---------------+-------------------------------+---------------+
 *     |     epoch     |             sequence number, 48 bits          |
 *     +---------------+-----------------------------------------------+
 *     |                               |            length             |
 *     +-------------------------------+-------------------------------+
 *
 * @returns undefined when it is cut short or longer than `MAX_FRAGMENT_BYTES`: nothing behind it can be found either
 */
export function parseRecord(datagram: Uint8Array, at: number): DtlsRecord | undefined {
  const fragmentAt = at + RECORD_HEADER_BYTES;
  if (fragmentAt > datagram.length) return undefined;
  const u16 = (offset: number): number => (datagram[at + offset]! << 8) | datagram[at + offset + 1]!;
  const sizeBytes = u16(11);
  if (sizeBytes > MAX_FRAGMENT_BYTES || fragmentAt + sizeBytes > datagram.length) return undefined;
  return {
    contentType: datagram[at]!,
    version: u16(1),
    epoch: u16(3),
    sequenceNumber: u16(5) * 2 ** 32 + u16(7) * 2 ** 16 + u16(9),
    fragment: datagram.subarray(fragmentAt, fragmentAt + sizeBytes),
  };
}

/** Writes the header of a record whose fragment has `sizeBytes` to the start of `target`. The version is DTLS 1.2. */
export function writeRecordHeader(
  target: Uint8Array,
  header: Pick<DtlsRecord, 'contentType' | 'epoch' | 'sequenceNumber'>,
  sizeBytes: number,
): void {
  target[0] = header.contentType;
  target[1] = DTLS_1_2 >>> 8;
  target[2] = DTLS_1_2 & 0xff;
  writeRecordNumber(target, 3, header.epoch, header.sequenceNumber);
  target[11] = sizeBytes >>> 8;
  target[12] = sizeBytes;
}

/** Writes epoch and sequence number, the 64 bits that number a record and go into its nonce. */
export function writeRecordNumber(target: Uint8Array, at: number, epoch: number, sequenceNumber: number): void {
  const high = Math.floor(sequenceNumber / 2 ** 32);
  target[at] = epoch >>> 8;
  target[at + 1] = epoch;
  target[at + 2] = high >>> 8;
  target[at + 3] = high;
  target[at + 4] = sequenceNumber >>> 24;
  target[at + 5] = sequenceNumber >>> 16;
  target[at + 6] = sequenceNumber >>> 8;
  target[at + 7] = sequenceNumber;
}
