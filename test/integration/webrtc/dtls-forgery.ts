import { parseHandshakeFragments, writeHandshakeFragment } from '../../../src/protocol/dtls/handshake-message.ts';
import { ContentType, parseRecord, RECORD_HEADER_BYTES, writeRecordHeader } from '../../../src/protocol/dtls/record.ts';
import { joinBytes } from '../../../src/wire/join-bytes.ts';

/** A record in clear. */
export function plainRecord(contentType: number, fragment: Uint8Array, sequenceNumber = 1000, epoch = 0): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER_BYTES + fragment.length);
  writeRecordHeader(record, { contentType, epoch, sequenceNumber }, fragment.length);
  record.set(fragment, RECORD_HEADER_BYTES);
  return record;
}

export function plainMessage(type: number, messageSequence: number, body: Uint8Array): Uint8Array {
  return plainRecord(ContentType.handshake, writeHandshakeFragment({ type, messageSequence, body }, 0, body.length));
}

/** Changes the bodies of handshake messages in clear that come whole, and leaves everything else. */
export function rewriteMessages(
  datagram: Uint8Array,
  rewrite: (type: number, body: Uint8Array) => Uint8Array,
): Uint8Array {
  const records: Uint8Array[] = [];
  for (let at = 0; at < datagram.length; ) {
    const record = parseRecord(datagram, at)!;
    const end = at + RECORD_HEADER_BYTES + record.fragment.length;
    if (record.epoch === 0 && record.contentType === ContentType.handshake) {
      const messages = parseHandshakeFragments(record.fragment).fragments.map(({ type, messageSequence, body }) => {
        const rewritten = rewrite(type, body);
        return writeHandshakeFragment({ type, messageSequence, body: rewritten }, 0, rewritten.length);
      });
      records.push(plainRecord(ContentType.handshake, joinBytes(messages), record.sequenceNumber));
    } else {
      records.push(datagram.subarray(at, end));
    }
    at = end;
  }
  return joinBytes(records);
}
