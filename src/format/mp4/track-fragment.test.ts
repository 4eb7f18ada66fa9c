import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import { NO_EDITS } from './edit-list.ts';
import type { MovieTrack } from './movie.ts';
import { SampleTable } from './sample-table.ts';
import { durationOfFragment, FragmentCursor, parseMovieFragment } from './track-fragment.ts';

const track: MovieTrack = {
  id: 1,
  kind: 'video',
  timescale: 1000,
  descriptions: [],
  edits: NO_EDITS,
  table: new SampleTable([], undefined, false),
  grouping: undefined,
  defaults: { description: 2, duration: 40, sizeBytes: 10, flags: 0x1_0000 },
};
const other: MovieTrack = { ...track, id: 2, kind: 'audio' };
const tracks: ReadonlyMap<number, MovieTrack> = new Map([track, other].map((one) => [one.id, one]));

function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = joinBytes([new Uint8Array(0), ...parts]);
  return new ByteWriter()
    .u32(8 + body.length)
    .raw(Buffer.from(type, 'latin1'))
    .raw(body)
    .finish();
}

const full = (flags: number, ...fields: readonly number[]): Uint8Array => {
  const writer = new ByteWriter().u32(flags);
  for (const field of fields) writer.u32(field >>> 0);
  return writer.finish();
};

const traf = (...boxes: readonly Uint8Array[]): Uint8Array => box('traf', ...boxes);

interface Told {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly dts: number;
  readonly isSync: boolean;
  readonly compositionOffset: number;
}

function samplesOf(body: Uint8Array, offset = 1000, fileBytes = 1_000_000): Told[][] {
  return parseMovieFragment(body, offset, fileBytes, tracks).map((fragment) => {
    const cursor = new FragmentCursor(fragment, 7000);
    const samples: Told[] = [];
    while (cursor.advance()) {
      const { sizeBytes, dts, isSync, compositionOffset } = cursor;
      samples.push({ offset: cursor.offset, sizeBytes, dts, isSync, compositionOffset });
    }
    expect(cursor.endTime).toBe((fragment.baseDecodeTime ?? 7000) + durationOfFragment(fragment));
    return samples;
  });
}

describe('parseMovieFragment', () => {
  it('fills in the defaults of the movie and the flags of the first sample', () => {
    const body = traf(box('tfhd', full(0x02_0000, 1)), box('tfdt', full(0, 500)), box('trun', full(5, 2, 100, 0)));
    expect(samplesOf(body)).toEqual([
      [
        { offset: 1100, sizeBytes: 10, dts: 500, isSync: true, compositionOffset: 0 },
        { offset: 1110, sizeBytes: 10, dts: 540, isSync: false, compositionOffset: 0 },
      ],
    ]);
  });

  it('reads every field of a sample', () => {
    const run = full(0xf01, 2, 100, 30, 5, 0, -3, 20, 6, 0x1_0000, 4);
    const body = traf(box('tfhd', full(0x02_0000, 1)), box('tfdt', full(0x100_0000, 1, 0)), box('trun', run));
    expect(samplesOf(body)[0]).toEqual([
      { offset: 1100, sizeBytes: 5, dts: 2 ** 32, isSync: true, compositionOffset: -3 },
      { offset: 1105, sizeBytes: 6, dts: 2 ** 32 + 30, isSync: false, compositionOffset: 4 },
    ]);
  });

  it('goes on behind what came before where no place is told', () => {
    const body = joinBytes([
      traf(box('tfhd', full(1, 1, 0, 5000)), box('trun', full(0, 3)), box('trun', full(0, 1))),
      traf(box('tfhd', full(0, 2)), box('trun', full(0, 1))),
    ]);
    const places = samplesOf(body).map((samples) => samples.map(({ offset }) => offset));
    expect(places).toEqual([[5000, 5010, 5020, 5030], [5040]]);
  });

  it('goes on from the time before where none is told', () => {
    expect(samplesOf(traf(box('tfhd', full(0, 1)), box('trun', full(0, 1))))[0]?.[0]?.dts).toBe(7000);
  });

  it('leaves out tracks it does not know and samples without bytes', () => {
    const unknown = traf(box('tfhd', full(0, 9)), box('trun', full(0, 4)));
    const empty = traf(box('tfhd', full(0x10, 1, 0)), box('trun', full(0, 0xffff)));
    expect(samplesOf(joinBytes([unknown, empty]))).toEqual([[]]);
  });

  it.each([
    ['no header', traf(box('trun', full(0, 1)))],
    ['a header cut short', traf(box('tfhd', full(1, 1)))],
    ['a run in front of the file', traf(box('tfhd', full(0, 1)), box('trun', full(1, 1, -5000)))],
    ['more samples than can be', traf(box('tfhd', full(0, 1)), box('trun', full(0, 0xffff_ffff)))],
  ])('refuses %s', (_name, body) => {
    expect(() => samplesOf(body)).toThrow(expect.objectContaining({ code: 'mp4/bad-fragment' }) as Error);
  });

  it('survives any bytes', () => {
    const boxes = fc.constantFrom('tfhd', 'tfdt', 'trun').chain((type) => {
      return fc.uint8Array({ maxLength: 40 }).map((body) => box(type, body));
    });
    fc.assert(
      fc.property(fc.array(boxes, { maxLength: 4 }), (parts) => {
        try {
          samplesOf(traf(box('tfhd', full(0, 1)), ...parts), 0, 4096);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});
