import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinBytes } from '../../wire/join-bytes.ts';
import {
  type HandshakeFragment,
  type HandshakeMessage,
  MAX_HANDSHAKE_MESSAGE_BYTES,
  parseHandshakeFragments,
  writeHandshakeFragment,
} from './handshake-message.ts';
import { HandshakeReassembly, MAX_MESSAGES_AHEAD, MAX_PIECES } from './reassembly.ts';

function piece(message: HandshakeMessage, start: number, end: number): HandshakeFragment {
  const { type, messageSequence, body } = message;
  return { type, messageSequence, messageBytes: body.length, offset: start, body: body.subarray(start, end) };
}

const messageOf = (messageSequence: number, sizeBytes: number, type = 11): HandshakeMessage => ({
  type,
  messageSequence,
  body: Uint8Array.from({ length: sizeBytes }, (_, i) => i + messageSequence),
});

describe('handshake fragments', () => {
  const fragment = fc
    .record({ type: fc.nat(255), messageSequence: fc.nat(65_535), body: fc.uint8Array({ maxLength: 60 }) })
    .chain((message) =>
      fc
        .tuple(fc.nat(message.body.length), fc.nat(message.body.length))
        .map(([a, b]) => ({ message, start: Math.min(a, b), end: Math.max(a, b) })),
    );

  it('are read as they were written, several in a record', () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 5 }), (pieces) => {
        const record = joinBytes([
          new Uint8Array(),
          ...pieces.map(({ message, start, end }) => writeHandshakeFragment(message, start, end - start)),
        ]);
        const fragments = pieces.map(({ message, start, end }) => piece(message, start, end));
        expect(parseHandshakeFragments(record)).toEqual({ fragments, isMalformed: false });
      }),
    );
  });

  it('are never read beyond the record', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        for (const { body, offset, messageBytes } of parseHandshakeFragments(bytes).fragments)
          expect(offset + body.length).toBeLessThanOrEqual(messageBytes);
      }),
    );
  });

  it('before a broken one are read', () => {
    const whole = writeHandshakeFragment(messageOf(0, 5), 0, 5);
    const parsed = parseHandshakeFragments(joinBytes([whole, whole.subarray(0, 14)]));
    expect(parsed.fragments).toHaveLength(1);
    expect(parsed.isMalformed).toBe(true);
    const outside = whole.with(8, 1);
    expect(parseHandshakeFragments(outside)).toEqual({ fragments: [], isMalformed: true });
  });
});

describe('HandshakeReassembly', () => {
  it('gives messages in order, whatever pieces they come in', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 });
    const cuts = fc.array(fc.tuple(fc.nat(4), fc.nat(40), fc.nat(40)), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, cuts, fc.infiniteStream(fc.nat(1000)), (lengths, extra, order) => {
        const messages = lengths.map((length, i) => messageOf(i, length));
        const pieces = messages.flatMap((message) => {
          const at = Math.floor(message.body.length / 3);
          return [piece(message, 0, at), piece(message, at, message.body.length)];
        });
        for (const [i, a, b] of extra) {
          const message = messages[i % messages.length]!;
          const [start, end] = [a % (message.body.length + 1), b % (message.body.length + 1)];
          pieces.push(piece(message, Math.min(start, end), Math.max(start, end)));
        }
        const shuffled = pieces
          .map((fragment) => ({ fragment, key: order.next().value }))
          .sort((a, b) => a.key - b.key);
        const reassembly = new HandshakeReassembly(0);
        const taken: unknown[] = [];
        for (const { fragment } of shuffled) {
          expect(['kept', 'old']).toContain(reassembly.add(fragment, 0));
          for (let message = reassembly.take(); message !== undefined; message = reassembly.take()) taken.push(message);
        }
        expect(taken).toEqual(messages.map((message) => ({ ...message, epoch: 0 })));
      }),
    );
  });

  it('does not give a message with a hole', () => {
    const reassembly = new HandshakeReassembly(0);
    const message = messageOf(0, 10);
    for (const [start, end] of [
      [0, 4],
      [5, 10],
      [0, 3],
      [6, 9],
    ] as const)
      reassembly.add(piece(message, start, end), 0);
    expect(reassembly.take()).toBeUndefined();
    reassembly.add(piece(message, 4, 5), 0);
    expect(reassembly.take()?.body).toEqual(message.body);
    expect(reassembly.add(piece(message, 0, 10), 0)).toBe('old');
  });

  it('refuses what contradicts, comes too early or in too many pieces', () => {
    const reassembly = new HandshakeReassembly(3);
    expect(reassembly.add(piece(messageOf(3, 1000), 0, 1), 0)).toBe('kept');
    expect(reassembly.add(piece(messageOf(3, 1001), 0, 1), 0)).toBe('refused');
    expect(reassembly.add(piece(messageOf(3, 1000, 12), 0, 1), 0)).toBe('refused');
    expect(reassembly.add(piece(messageOf(4 + MAX_MESSAGES_AHEAD, 1), 0, 1), 0)).toBe('refused');
    expect(reassembly.add(piece(messageOf(2, 1), 0, 1), 0)).toBe('old');
    const fates = Array.from({ length: 100 }, (_, i) => reassembly.add(piece(messageOf(3, 1000), 2 * i, 2 * i + 1), 0));
    expect(fates.filter((fate) => fate === 'kept')).toHaveLength(MAX_PIECES);
    reassembly.add(piece(messageOf(3, 1000), 0, 1000), 0);
    expect(reassembly.take()?.body.length).toBe(1000);
  });

  it('keeps bounded memory, and always has room for the next message', () => {
    const reassembly = new HandshakeReassembly(0);
    const large = (messageSequence: number, sizeBytes = MAX_HANDSHAKE_MESSAGE_BYTES): HandshakeFragment => ({
      type: 11,
      messageSequence,
      messageBytes: sizeBytes,
      offset: 0,
      body: new Uint8Array(1),
    });
    expect(reassembly.add(large(1, MAX_HANDSHAKE_MESSAGE_BYTES + 1), 0)).toBe('too-large');
    expect([1, 2, 3, 4].map((i) => reassembly.add(large(i), 0))).toEqual(['kept', 'kept', 'refused', 'refused']);
    expect(reassembly.add(large(0), 0)).toBe('kept');
    expect(reassembly.add(large(1), 0)).toBe('kept');
    expect(reassembly.add(large(2), 0)).toBe('refused');
  });

  it('prefers a protected message to what came in clear', () => {
    const reassembly = new HandshakeReassembly(0);
    reassembly.add(piece(messageOf(0, 10), 0, 10), 0);
    reassembly.add(piece(messageOf(0, 12, 20), 0, 12), 1);
    expect(reassembly.add(piece(messageOf(0, 10), 0, 10), 0)).toBe('refused');
    expect(reassembly.take()).toMatchObject({ epoch: 1, type: 20 });
  });
});
