import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DTLS_1_2,
  MAX_FRAGMENT_BYTES,
  MAX_RECORD_SEQUENCE_NUMBER,
  parseRecord,
  RECORD_HEADER_BYTES,
  writeRecordHeader,
} from './record.ts';

describe('a record', () => {
  it('is read as it was written', () => {
    const header = fc.record({
      contentType: fc.nat(255),
      epoch: fc.nat(65_535),
      sequenceNumber: fc.oneof(
        fc.maxSafeNat().map((n) => n % 2 ** 48),
        fc.constant(MAX_RECORD_SEQUENCE_NUMBER),
      ),
    });
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 100 }), fc.nat(5), (fields, fragment, at) => {
        const bytes = new Uint8Array(at + RECORD_HEADER_BYTES + fragment.length + 3);
        writeRecordHeader(bytes.subarray(at), fields, fragment.length);
        bytes.set(fragment, at + RECORD_HEADER_BYTES);
        expect(parseRecord(bytes, at)).toEqual({ ...fields, version: DTLS_1_2, fragment });
      }),
    );
  });

  it('is none when it is cut anywhere or too long', () => {
    const bytes = new Uint8Array(RECORD_HEADER_BYTES + MAX_FRAGMENT_BYTES + 1);
    writeRecordHeader(bytes, { contentType: 22, epoch: 0, sequenceNumber: 0 }, MAX_FRAGMENT_BYTES);
    expect(parseRecord(bytes, 0)?.fragment.length).toBe(MAX_FRAGMENT_BYTES);
    for (const length of [0, 1, 12, 13, 14, MAX_FRAGMENT_BYTES])
      expect(parseRecord(bytes.subarray(0, length), 0)).toBeUndefined();
    writeRecordHeader(bytes, { contentType: 22, epoch: 0, sequenceNumber: 0 }, MAX_FRAGMENT_BYTES + 1);
    expect(parseRecord(bytes, 0)).toBeUndefined();
  });
});
