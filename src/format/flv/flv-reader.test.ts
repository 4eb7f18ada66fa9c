import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlvReader, type FlvReaderEvent } from './flv-reader.ts';
import { writeFlvHeader, writeFlvTag } from './flv-tag.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const header = writeFlvHeader({ hasAudio: true, hasVideo: true });

function read(pieces: readonly Uint8Array[], maxTagSizeBytes?: number): FlvReaderEvent[] {
  const reader = new FlvReader(maxTagSizeBytes === undefined ? {} : { maxTagSizeBytes });
  return pieces.flatMap((piece) => reader.receive(piece));
}

function cut(stream: Uint8Array, at: readonly number[]): Uint8Array[] {
  const points = [0, ...at.map((point) => point % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return points.slice(1).map((end, i) => stream.slice(points[i]!, end));
}

function failureOf(events: readonly FlvReaderEvent[]): string | undefined {
  for (const event of events) if (event.type === 'failed') return event.error.code;
  return undefined;
}

describe('FlvReader', () => {
  it('tells what the header promises', () => {
    expect(read([writeFlvHeader({ hasAudio: false, hasVideo: true })])).toEqual([
      { type: 'header', hasAudio: false, hasVideo: true },
    ]);
  });

  it('accepts a header that points further ahead than 9 bytes', () => {
    const stream = Buffer.concat([bytes('464c5601 05 0000000c aabbcc 00000000'), writeFlvTag(8, 7, [bytes('01')])]);
    expect(read([stream])[1]).toMatchObject({ type: 'tag', timestamp: 7 });
  });

  it('accepts wrong PreviousTagSize and a StreamID that is not zero', () => {
    const tag = bytes('08 000001 000005 00 000007 af 00000000');
    expect(read([header, tag, tag]).filter((event) => event.type === 'tag')).toHaveLength(2);
  });

  it('gives a tag without body', () => {
    expect(read([header, writeFlvTag(9, 3, [])])[1]).toEqual({
      type: 'tag',
      typeId: 9,
      timestamp: 3,
      body: new Uint8Array(0),
    });
  });

  it('skips tags of unknown type and goes on', () => {
    const unknown = bytes('0f 000002 000000 00 000000 aabb 0000000d');
    const events = read([header, unknown, writeFlvTag(8, 1, [bytes('af01')])]);
    expect(events.slice(1)).toEqual([
      { type: 'skipped', typeId: 15, sizeBytes: 2 },
      { type: 'tag', typeId: 8, timestamp: 1, body: bytes('af01') },
    ]);
  });

  it.each([
    ['flv/bad-signature', '464c57 01 05 00000009'],
    ['flv/bad-version', '464c56 02 05 00000009'],
    ['flv/bad-data-offset', '464c56 01 05 00000008'],
    ['flv/bad-data-offset', '464c56 01 05 00001001'],
    ['flv/bad-tag', '464c56 01 05 00000009 00000000 49 000001 000000 00 000000'],
    ['flv/encrypted-tag', '464c56 01 05 00000009 00000000 29 000001 000000 00 000000'],
    ['flv/tag-too-large', '464c56 01 05 00000009 00000000 09 ffffff 000000 00 000000'],
  ])('fails with %s', (code, hex) => {
    expect(failureOf(read([bytes(hex)]))).toBe(code);
  });

  it('takes nothing more after a failure', () => {
    const reader = new FlvReader();
    reader.receive(bytes('000000000000000000'));
    expect(reader.receive(header)).toEqual([]);
  });

  it('refuses a body over the limit it was given', () => {
    const tag = writeFlvTag(9, 0, [new Uint8Array(101)]);
    expect(failureOf(read([header, tag], 100))).toBe('flv/tag-too-large');
    expect(failureOf(read([header, tag], 101))).toBeUndefined();
  });

  it('does not allocate what a tag header only claims', () => {
    const reader = new FlvReader();
    reader.receive(header);
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 50 }, () => {
      const one = new FlvReader();
      one.receive(header);
      one.receive(bytes('09 7fffff 000000 00 000000 17'));
      return one;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 70_000);
    expect(readers).toHaveLength(50);
  });

  it('gives bodies of their own, exactly sized, whatever becomes of the input', () => {
    const body = Uint8Array.from({ length: 300_000 }, (_, i) => i);
    const stream = Buffer.concat([header, writeFlvTag(9, 1, [body])]);
    const reader = new FlvReader();
    const events: FlvReaderEvent[] = [];
    for (let at = 0; at < stream.length; at += 1000) {
      const piece = new Uint8Array(stream.subarray(at, at + 1000));
      events.push(...reader.receive(piece));
      piece.fill(0);
    }
    const tag = events[1]!;
    expect(tag.type === 'tag' && Buffer.compare(tag.body, body) === 0).toBe(true);
    expect(tag.type === 'tag' && tag.body.buffer.byteLength).toBe(300_000);
  });

  it('gives the same events however the input is cut', () => {
    const tag = fc.record({
      type: fc.constantFrom(8, 9, 18, 15, 0x29, 0x80),
      timestamp: fc.nat(0xffff_ffff),
      body: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (tags, cuts) => {
        const pieces = tags.map(({ type, timestamp, body }) => {
          const written = writeFlvTag(8, timestamp, [body]);
          written[0] = type;
          return written;
        });
        const stream = new Uint8Array(Buffer.concat([header, ...pieces]));
        expect(read(cut(stream, cuts))).toEqual(read([stream]));
        expect(read([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(read([stream]));
      }),
      { numRuns: 60 },
    );
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, withHeader) => {
        const events = read(withHeader ? [header, noise] : [noise]);
        expect(events.length).toBeLessThanOrEqual(noise.length + 1);
      }),
    );
  });
});
