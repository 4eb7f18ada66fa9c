import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkReader, type ChunkReaderOptions } from './chunk-reader.ts';
import { writeMessage } from './chunk-writer.ts';
import { RTMP_DEFAULT_CHUNK_SIZE, type RtmpMessage } from './rtmp-message.ts';

const joinBytes = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Cuts `bytes` into pieces at the given positions (any numbers). */
function cutAt(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...cuts, bytes.length].map((cut, i) => bytes.slice(i === 0 ? 0 : cuts[i - 1], cut));
}

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));

interface Heard {
  readonly messages: RtmpMessage[];
  readonly code: string | undefined;
}

function hear(pieces: readonly Uint8Array[], options: ChunkReaderOptions = {}, chunkSize?: number): Heard {
  const reader = new ChunkReader(options);
  if (chunkSize !== undefined) reader.chunkSize = chunkSize;
  const messages: RtmpMessage[] = [];
  let code: string | undefined;
  for (const piece of pieces) code = reader.receive(piece, (message) => messages.push(message))?.code;
  return { messages, code };
}

/** Whole, byte by byte, and in threes: always the same. */
function hearEveryWay(text: string, options: ChunkReaderOptions = {}, chunkSize?: number): Heard {
  const bytes = hex(text);
  const whole = hear([bytes], options, chunkSize);
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  const threes = cutAt(
    bytes,
    Array.from({ length: bytes.length / 3 }, (_, i) => 3 * i),
  );
  expect(hear(single, options, chunkSize)).toEqual(whole);
  expect(hear(threes, options, chunkSize)).toEqual(whole);
  return whole;
}

const times = (heard: Heard): number[] => heard.messages.map((message) => message.timestamp);

describe('chunk headers', () => {
  it('reads fmt 0 with a little-endian message stream id', () => {
    const { messages, code } = hearEveryWay('04 000010 000002 08 01020304 aabb');
    expect(code).toBeUndefined();
    expect(messages).toEqual([
      { typeId: 8, messageStreamId: 0x04030201, timestamp: 16, payload: Uint8Array.of(0xaa, 0xbb) },
    ]);
  });

  it('adds the delta of fmt 1, 2 and 3', () => {
    const heard = hearEveryWay(
      `04 000064 000001 08 01000000 a0
       44 000014 000002 08 a1a1
       84 00000a a2a2
       c4 a3a3
       c4 a4a4`,
    );
    expect(times(heard)).toEqual([100, 120, 130, 140, 150]);
    expect(heard.messages.map((message) => message.payload.length)).toEqual([1, 2, 2, 2, 2]);
    expect(heard.messages.every((message) => message.messageStreamId === 1 && message.typeId === 8)).toBe(true);
  });

  it('takes the time of fmt 0 for the delta of a fmt 3 message behind it (RTMP 1.0 §5.3.1.2.4)', () => {
    expect(times(hearEveryWay('04 000017 000001 08 01000000 a0 c4 a1 c4 a2'))).toEqual([23, 46, 69]);
  });

  it.each([
    ['one byte', '3f', 63],
    ['two bytes, lowest', '00 00', 64],
    ['two bytes, highest', '00 ff', 319],
    ['three bytes, lowest', '01 0000', 64],
    ['three bytes, low byte first', '01 0001', 320],
    ['three bytes, highest', '01 ffff', 65_599],
  ])('reads chunk stream ids of %s', (_name, basic, id) => {
    const { messages } = hearEveryWay(`${basic} 000001 000001 09 00000000 aa`);
    expect(messages).toHaveLength(1);
    const written = writeMessage(
      { chunkStreamId: id, timestamp: 1, typeId: 9, messageStreamId: 0, parts: [Uint8Array.of(0xaa)] },
      128,
    );
    // The writer takes the shortest form.
    if (id !== 64 || basic !== '01 0000') expect(written).toEqual(hex(`${basic} 000001 000001 09 00000000 aa`));
  });

  it('is the same stream in two-byte and three-byte form', () => {
    const { messages } = hearEveryWay('00 00 000005 000001 09 00000000 aa c1 0000 bb');
    expect(messages.map((message) => message.timestamp)).toEqual([5, 10]);
  });

  it('puts interleaved messages together', () => {
    const { messages } = hearEveryWay(
      `06 000000 000005 09 01000000 01020304
       07 000001 000003 08 01000000 a1a2a3
       c6 05`,
      {},
      4,
    );
    expect(messages.map((message) => [message.typeId, [...message.payload]])).toEqual([
      [8, [0xa1, 0xa2, 0xa3]],
      [9, [1, 2, 3, 4, 5]],
    ]);
  });

  it('gives empty messages', () => {
    const { messages } = hearEveryWay('06 000000 000000 09 01000000 c6 c6');
    expect(messages.map((message) => message.payload.length)).toEqual([0, 0, 0]);
  });

  it('wraps times at 32 bits', () => {
    expect(times(hearEveryWay('06 ffffff 000001 09 01000000 fffffff0 aa 46 000020 000001 09 bb'))).toEqual([
      0xfffffff0, 0x10,
    ]);
  });
});

describe('what other senders do', () => {
  it('tolerates the fmt 1 ping with which librtmp opens chunk stream 2', () => {
    const { messages, code } = hearEveryWay('42 000000 000006 04 0006 00000d0f');
    expect(code).toBeUndefined();
    expect(messages).toEqual([{ typeId: 4, messageStreamId: 0, timestamp: 0, payload: hex('0006 00000d0f') }]);
  });

  it('tolerates the headerless 0xC4 with which FMLE opens its audio', () => {
    const { messages, code } = hearEveryWay('c4 04 000000 000001 08 01000000 aa');
    expect(code).toBeUndefined();
    expect(messages).toHaveLength(1);
  });

  it('tolerates fmt 1 and 2 instead of 3 inside a message', () => {
    const { messages, code } = hearEveryWay(
      '06 000005 000005 09 01000000 0102 46 000000 000005 09 0304 86 000000 05',
      {},
      2,
    );
    expect(code).toBeUndefined();
    expect(messages).toEqual([{ typeId: 9, messageStreamId: 1, timestamp: 5, payload: Uint8Array.of(1, 2, 3, 4, 5) }]);
  });
});

describe('extended timestamps', () => {
  const first = '06 ffffff 000006 09 01000000';

  it.each([
    ['0x00ffffff', '00ffffff', 0x00ffffff],
    ['0x01000000', '01000000', 0x01000000],
    ['0x7fffffff', '7fffffff', 0x7fffffff],
    ['0x80000000', '80000000', 0x80000000],
    ['0xffffffff', 'ffffffff', 0xffffffff],
  ])('%s with the field repeated on every chunk (specification, SRS)', (_name, field, time) => {
    const heard = hearEveryWay(`${first} ${field} 0102 c6 ${field} 0304 c6 ${field} 0506`, {}, 2);
    expect(heard.messages).toEqual([
      { typeId: 9, messageStreamId: 1, timestamp: time, payload: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    ]);
  });

  it.each(['00ffffff', '01000000', '7fffffff', '80000000'])('%s with the field left out (old librtmp)', (field) => {
    const heard = hearEveryWay(`${first} ${field} 0102 c6 0304 c6 0506`, {}, 2);
    expect(heard.messages).toEqual([
      {
        typeId: 9,
        messageStreamId: 1,
        timestamp: Number.parseInt(field, 16),
        payload: Uint8Array.of(1, 2, 3, 4, 5, 6),
      },
    ]);
  });

  it('gives back payload bytes that looked like the start of a repeated field', () => {
    const heard = hearEveryWay(`${first} 01020304 aaaa c6 0102 c6 0102 07 000000 000000 08 01000000`, {}, 2);
    // The next chunk header (c6) is where the third byte of the field would have been.
    expect(heard.messages).toEqual([
      { typeId: 9, messageStreamId: 1, timestamp: 0x01020304, payload: hex('aaaa 0102 0102') },
      { typeId: 8, messageStreamId: 1, timestamp: 0, payload: new Uint8Array(0) },
    ]);
  });

  it('is a delta with fmt 1 and 2', () => {
    const heard = hearEveryWay(
      `06 000010 000001 09 01000000 aa
       46 ffffff 000001 09 01000000 bb
       86 ffffff 02000000 cc`,
    );
    expect(times(heard)).toEqual([16, 0x01000010, 0x03000010]);
  });

  it('may repeat the delta or the time on the chunks behind fmt 1', () => {
    for (const repeated of ['01000000', '01000010']) {
      const heard = hearEveryWay(
        `06 000010 000001 09 01000000 aa 46 ffffff 000004 09 01000000 0102 c6 ${repeated} 0304`,
        {},
        2,
      );
      expect(heard.messages.at(-1)).toEqual({
        typeId: 9,
        messageStreamId: 1,
        timestamp: 0x01000010,
        payload: Uint8Array.of(1, 2, 3, 4),
      });
    }
  });

  it('is a time again on a fmt 3 message behind fmt 0, a delta behind fmt 1', () => {
    expect(times(hearEveryWay('06 ffffff 000001 09 01000000 01000000 aa c6 01000005 bb'))).toEqual([
      0x01000000, 0x01000005,
    ]);
    expect(
      times(hearEveryWay('06 000000 000001 09 01000000 aa 46 ffffff 000001 09 01000000 bb c6 01000000 cc')),
    ).toEqual([0, 0x01000000, 0x02000000]);
  });
});

describe('protocol messages of the chunk layer', () => {
  const setChunkSize = (size: string): string => `02 000000 000004 01 00000000 ${size}`;

  it.each([
    ['1', '00000001', 1],
    ['127', '0000007f', 127],
    ['128', '00000080', 128],
    ['65536', '00010000', 65_536],
    ['the largest', '7fffffff', 0x7fffffff],
  ])('takes chunk size %s at once', (_name, text, size) => {
    const reader = new ChunkReader();
    expect(reader.receive(hex(setChunkSize(text)), () => undefined)).toBeUndefined();
    expect(reader.chunkSize).toBe(size);
  });

  it.each([
    ['0', '02 000000 000004 01 00000000 00000000'],
    ['beyond 31 bits', '02 000000 000004 01 00000000 80000000'],
    ['cut short', '02 000000 000003 01 00000000 000010'],
  ])('refuses chunk size %s', (_name, text) => {
    expect(hearEveryWay(text).code).toBe('rtmp/bad-chunk-size');
  });

  it('reads with a new chunk size in the middle of another message', () => {
    const { messages } = hearEveryWay(
      `06 000000 000006 09 01000000 0102 02 000000 000004 01 00000000 0000 c2 0004 c6 03040506`,
      {},
      2,
    );
    expect(messages.map((message) => [...message.payload])).toEqual([[1, 2, 3, 4, 5, 6]]);
  });

  it('forgets a message that is aborted', () => {
    const reader = new ChunkReader();
    const messages: RtmpMessage[] = [];
    const part = writeMessage(
      { chunkStreamId: 6, timestamp: 0, typeId: 9, messageStreamId: 1, parts: [new Uint8Array(200)] },
      128,
    ).subarray(0, 12 + 128);
    reader.receive(part, (message) => messages.push(message));
    expect(reader.partialBytes).toBe(200);
    reader.receive(hex('02 000000 000004 02 00000000 00000006'), (message) => messages.push(message));
    expect(reader.partialBytes).toBe(0);
    reader.receive(hex('06 000000 000001 09 01000000 aa'), (message) => messages.push(message));
    expect(messages.map((message) => message.payload.length)).toEqual([1]);
  });

  it('ignores the abort of a chunk stream that is not there, and refuses one without an id', () => {
    expect(hearEveryWay('02 000000 000004 02 00000000 00012345').code).toBeUndefined();
    expect(hearEveryWay('02 000000 000002 02 00000000 0000').code).toBe('rtmp/bad-control-message');
  });
});

describe('chunks from an attacker', () => {
  it.each([
    ['fmt 2 on a new chunk stream', '86 000000', 'rtmp/bad-chunk-header'],
    ['fmt 3 on a new chunk stream', 'c6', 'rtmp/bad-chunk-header'],
    [
      'fmt 0 inside a message',
      '06 000000 000100 09 01000000 aabb 06 000000 000100 09 01000000',
      'rtmp/chunk-inside-message',
    ],
    [
      'another length inside a message',
      '06 000000 000100 09 01000000 aabb 46 000000 000200 09',
      'rtmp/chunk-inside-message',
    ],
  ])('refuses %s', (_name, text, code) => {
    expect(hearEveryWay(text, {}, 2).code).toBe(code);
  });

  it('refuses a message over the limit before any of it came', () => {
    expect(hearEveryWay('06 000000 000101 09 01000000', { maxMessageSizeBytes: 256 }).code).toBe(
      'rtmp/message-too-large',
    );
    expect(hearEveryWay('06 000000 000100 09 01000000', { maxMessageSizeBytes: 256 }).code).toBeUndefined();
  });

  it('spends nothing on a claimed 16 MB before they come', () => {
    const reader = new ChunkReader();
    reader.receive(hex('06 000000 ffffff 09 01000000'), () => undefined);
    expect(reader.partialBytes).toBe(0);
    reader.receive(new Uint8Array(1), () => undefined);
    expect(reader.partialBytes).toBe(16_384);
  });

  it('takes a message of 16,777,215 bytes that does come, in a buffer of its size', () => {
    const payload = new Uint8Array(0xffffff).fill(7);
    const bytes = writeMessage(
      { chunkStreamId: 6, timestamp: 0, typeId: 9, messageStreamId: 1, parts: [payload] },
      65_536,
    );
    const { messages, code } = hear(cutAt(bytes, [1, 100_000, 5_000_000]), {}, 65_536);
    expect(code).toBeUndefined();
    expect(messages[0]?.payload.length).toBe(payload.length);
    expect(messages[0]?.payload.buffer.byteLength).toBe(payload.length);
  });

  it('bounds the memory of unfinished messages together', () => {
    const reader = new ChunkReader({ maxPartialBytes: 100_000 });
    let code: string | undefined;
    let held = 0;
    for (let id = 3; id < 60 && code === undefined; id++) {
      const bytes = Uint8Array.of(id, 0, 0, 0, 0, 0x3f, 0xff, 9, 1, 0, 0, 0, ...new Uint8Array(128));
      code = reader.receive(bytes, () => undefined)?.code;
      held = Math.max(held, code === undefined ? reader.partialBytes : 0);
    }
    expect(code).toBe('rtmp/too-many-partial-bytes');
    expect(held).toBeLessThanOrEqual(100_000);
  });

  it('bounds the number of chunk streams', () => {
    const streams = (count: number): string =>
      Array.from({ length: count }, (_, i) => `00 ${i.toString(16).padStart(2, '0')} 000000 000000 09 00000000`).join(
        '',
      );
    expect(hearEveryWay(streams(64)).code).toBeUndefined();
    expect(hearEveryWay(streams(65)).code).toBe('rtmp/too-many-chunk-streams');
  });

  it('stays failed', () => {
    const reader = new ChunkReader();
    const error = reader.receive(hex('c6'), () => undefined);
    expect(reader.receive(hex('06 000000 000001 09 01000000 aa'), () => expect.unreachable())).toBe(error);
  });

  it('survives any bytes, and gives the same however they are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(400), { maxLength: 10 }), (bytes, cuts) => {
        expect(hear(cutAt(bytes, cuts))).toEqual(hear([bytes]));
      }),
      { numRuns: 300 },
    );
  });
});

const anyMessage = fc.record({
  chunkStreamId: fc.oneof(fc.integer({ min: 3, max: 8 }), fc.constantFrom(63, 64, 319, 320, 65_599)),
  timestamp: fc.oneof(
    fc.nat(0xffffffff),
    fc.constantFrom(0, 1, 0xfffffe, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xffffffff),
  ),
  typeId: fc.constantFrom(8, 9, 18, 20, 22),
  messageStreamId: fc.nat(0xffffffff),
  parts: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }),
});

describe('written and read', () => {
  it('gives the same messages when the input is given away, and never changes one it gave', () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { maxLength: 8 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.nat(3000), { maxLength: 6 }),
        fc.array(fc.nat(40), { maxLength: 40 }),
        (messages, chunkSize, cuts, turns) => {
          // Chunks of messages on different chunk streams take turns, as RTMP lets them.
          const queues = new Map<number, Uint8Array[]>();
          for (const message of messages) {
            const chunks = chunksOf(writeMessage(message, chunkSize), message, chunkSize);
            queues.set(message.chunkStreamId, [...(queues.get(message.chunkStreamId) ?? []), ...chunks]);
          }
          const order: Uint8Array[] = [];
          for (let turn = 0; [...queues.values()].some((queue) => queue.length > 0); turn++) {
            const waiting = [...queues.values()].filter((queue) => queue.length > 0);
            order.push(waiting[(turns[turn] ?? turn) % waiting.length]!.shift()!);
          }
          const bytes = joinBytes(order);
          const copied = hear(cutAt(bytes, cuts), {}, chunkSize);
          const pieces = cutAt(bytes, cuts).map((piece) => piece.slice());
          expect(copied.code).toBeUndefined();
          expect(hear(pieces, { ownsInput: true }, chunkSize)).toEqual(copied);
        },
      ),
    );
  });

  it('gives the same messages for any chunk size and any cuts', () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { maxLength: 6 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.nat(3000), { maxLength: 8 }),
        (messages, chunkSize, cuts) => {
          const bytes = joinBytes(messages.map((message) => writeMessage(message, chunkSize)));
          const { messages: heard, code } = hear(cutAt(bytes, cuts), {}, chunkSize);
          expect(code).toBeUndefined();
          expect(heard).toEqual(
            messages.map(({ typeId, messageStreamId, timestamp, parts }) => ({
              typeId,
              messageStreamId,
              timestamp,
              payload: joinBytes(parts),
            })),
          );
        },
      ),
    );
  });

  it('fills the buffer exactly', () => {
    const parts = [new Uint8Array(5), new Uint8Array(RTMP_DEFAULT_CHUNK_SIZE * 2)];
    const bytes = writeMessage({ chunkStreamId: 6, timestamp: 0x1000000, typeId: 9, messageStreamId: 1, parts }, 128);
    expect(bytes.length).toBe(12 + 4 + 5 + 256 + 2 * (1 + 4));
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  it('starts no chunk behind a payload that ends with one', () => {
    const part = new Uint8Array(128);
    expect(
      writeMessage({ chunkStreamId: 6, timestamp: 0, typeId: 9, messageStreamId: 1, parts: [part] }, 128).length,
    ).toBe(12 + 128);
    expect(writeMessage({ chunkStreamId: 6, timestamp: 0, typeId: 9, messageStreamId: 1, parts: [] }, 128).length).toBe(
      12,
    );
  });
});

/** A message's chunks one by one. */
function chunksOf(
  bytes: Uint8Array,
  message: { readonly chunkStreamId: number; readonly timestamp: number },
  chunkSize: number,
): Uint8Array[] {
  const basic = message.chunkStreamId < 64 ? 1 : message.chunkStreamId < 320 ? 2 : 3;
  const extended = message.timestamp >= 0xffffff ? 4 : 0;
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let header = basic + 11 + extended; at < bytes.length; header = basic + extended) {
    const end = Math.min(bytes.length, at + header + chunkSize);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}
