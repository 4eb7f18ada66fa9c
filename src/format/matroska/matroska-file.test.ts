import { describe, expect, it } from 'vitest';
import type { Frame } from '../../codec/frame.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { RandomAccess } from '../media-file.ts';
import { openMatroskaFile } from './matroska-file.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const joined = (...parts: readonly Uint8Array[]): Uint8Array => joinBytes([new Uint8Array(0), ...parts]);

function element(id: string, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const body = joined(...parts.map((part) => (typeof part === 'string' ? hex(part) : part)));
  return new Uint8Array([
    ...hex(id),
    0x10,
    body.length >>> 16,
    (body.length >>> 8) & 0xff,
    body.length & 0xff,
    ...body,
  ]);
}

/** An element that does not tell its size. */
const endless = (id: string, ...parts: readonly Uint8Array[]): Uint8Array =>
  joined(hex(`${id} 01ffffffffffffff`), ...parts);

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
const EBML: Uint8Array = element('1a45dfa3', element('4282', text('matroska')));
const audioSettings = (rate: string): Uint8Array => element('e1', element('b5', rate), element('9f', '02'));
const track = (...parts: readonly Uint8Array[]): Uint8Array => element('ae', ...parts);
const tracks = (...entries: readonly Uint8Array[]): Uint8Array => element('1654ae6b', ...entries);

const AAC: Uint8Array = track(
  element('d7', '01'),
  element('83', '02'),
  element('86', text('A_AAC')),
  element('63a2', '1190'),
  audioSettings('473b8000'),
);
const PCM: Uint8Array = track(
  element('d7', '02'),
  element('83', '02'),
  element('86', text('A_PCM/INT/LIT')),
  element('e1', element('b5', '45fa0000'), element('9f', '01'), element('6264', '10')),
);
const stripped: Uint8Array = track(
  element('d7', '01'),
  element('83', '02'),
  element('86', text('A_AAC')),
  element('63a2', '1190'),
  audioSettings('473b8000'),
  element('6d80', element('6240', element('5034', element('4254', '03'), element('4255', 'aabb')))),
);
const video: Uint8Array = track(element('d7', '01'), element('83', '01'), element('86', text('V_MPEG2')));

const timestamp = (value: number): Uint8Array => element('e7', new Uint8Array([value >>> 8, value & 0xff]));
const simple = (trackAndTime: string, flags: string, payload: string): Uint8Array =>
  element('a3', hex(`${trackAndTime} ${flags} ${payload}`));

function fileOf(...parts: readonly Uint8Array[]): RandomAccess {
  const bytes = joined(...parts);
  return { sizeBytes: bytes.length, read: (at, size) => Promise.resolve(bytes.slice(at, at + size)) };
}

const segment = (...parts: readonly Uint8Array[]): RandomAccess => fileOf(EBML, element('18538067', ...parts));

async function frames(file: RandomAccess): Promise<Frame[]> {
  const opened = await openMatroskaFile(file);
  const all: Frame[] = [];
  for (let frame = await opened.next(); frame !== undefined; frame = await opened.next()) all.push(frame);
  return all;
}

const told = (frame: Frame): [number, string] => [frame.ptsUs, Buffer.from(frame.payload).toString('hex')];

describe('openMatroskaFile', () => {
  it('takes laced frames apart, each with its own time', async () => {
    const cluster = element(
      '1f43b675',
      timestamp(100),
      simple('81 0000', '84', '02 11 22 33'),
      simple('81 0040', '86', '01 81 44 5566'),
    );
    expect((await frames(segment(tracks(AAC), cluster))).map(told)).toEqual([
      [100_000, '11'],
      [121_333, '22'],
      [142_667, '33'],
      [164_000, '44'],
      [185_333, '5566'],
    ]);
  });

  it('puts back what header stripping left out', async () => {
    const cluster = element(
      '1f43b675',
      timestamp(0),
      simple('81 0000', '80', '01'),
      simple('81 0015', '82', '01 01 02 03'),
    );
    const all = await frames(segment(tracks(stripped), cluster));
    expect(all.map((frame) => told(frame)[1])).toEqual(['aabb01', 'aabb02', 'aabb03']);
  });

  it('gives little-endian samples in network order', async () => {
    const cluster = element('1f43b675', timestamp(0), simple('82 0000', '80', '01020304'));
    expect((await frames(segment(tracks(PCM), cluster))).map(told)).toEqual([[0, '02010403']]);
  });

  it('reads clusters and segments that do not tell their size', async () => {
    const clusters = joined(
      endless('1f43b675', timestamp(0), simple('81 0000', '80', '01'), element('ec', '00')),
      endless('1f43b675', timestamp(21), simple('81 0000', '80', '02')),
      element('1254c367', '00'),
      endless('1f43b675', timestamp(43), simple('81 0000', '80', '03')),
    );
    const file = fileOf(EBML, endless('18538067', tracks(AAC), clusters));
    expect((await frames(file)).map(told)).toEqual([
      [0, '01'],
      [21_333, '02'],
      [42_667, '03'],
    ]);
    const opened = await openMatroskaFile(file);
    expect(await opened.seek(30_000)).toBe(21_000);
    expect(opened.durationUs).toBe(43_000);
  });

  it('knows key frames of block groups by what they do not refer to', async () => {
    const group = (time: string, payload: string, ...more: Uint8Array[]): Uint8Array =>
      element('a0', element('a1', hex(`81 ${time} 00 ${payload}`)), ...more);
    const cluster = element('1f43b675', timestamp(0), group('0000', '01'), group('0028', '02', element('fb', 'd8')));
    expect((await frames(segment(tracks(video), cluster))).map((frame) => frame.isKeyFrame)).toEqual([true, false]);
  });

  it('times blocks before and behind their cluster', async () => {
    const cluster = element('1f43b675', timestamp(500), simple('81 ff9c', '80', '01'), simple('81 0064', '80', '02'));
    expect((await frames(segment(tracks(video), cluster))).map((frame) => frame.ptsUs)).toEqual([400_000, 600_000]);
  });

  it('counts positions from the first block of a recording that began late', async () => {
    const cluster = element(
      '1f43b675',
      timestamp(50_000),
      simple('81 0000', '80', '01'),
      simple('81 03e8', '80', '02'),
    );
    const file = segment(tracks(video), cluster);
    expect((await frames(file)).map((frame) => frame.ptsUs)).toEqual([0, 1_000_000]);
    expect(await (await openMatroskaFile(file)).seek(1_500_000)).toBe(1_000_000);
  });

  it('finds tracks and cues behind the clusters', async () => {
    const cluster = (time: number): Uint8Array =>
      element('1f43b675', timestamp(time), simple('81 0000', '80', '01'), simple('81 0028', '00', '02'));
    const one = cluster(0);
    const two = cluster(1000);
    const seekTo = (id: string, position: number): Uint8Array =>
      element('4dbb', element('53ab', id), element('53ac', new Uint8Array([position >>> 8, position & 0xff])));
    const headBytes = element('114d9b74', seekTo('1654ae6b', 0), seekTo('1c53bb6b', 0)).length;
    const tracksAt = headBytes + one.length + two.length;
    const cuesAt = tracksAt + tracks(video).length;
    const cue = (time: number, place: number): Uint8Array =>
      element(
        'bb',
        element('b3', new Uint8Array([time >>> 8, time & 0xff])),
        element('b7', element('f7', '01'), element('f1', new Uint8Array([place >>> 8, place & 0xff]))),
      );
    const file = segment(
      element('114d9b74', seekTo('1654ae6b', tracksAt), seekTo('1c53bb6b', cuesAt)),
      one,
      two,
      tracks(video),
      element('1c53bb6b', cue(0, headBytes), cue(1000, headBytes + one.length)),
    );
    const opened = await openMatroskaFile(file);
    expect(opened.seekPointsUs).toEqual([0, 1_000_000]);
    expect(await opened.seek(1_010_000)).toBe(1_000_000);
    expect(await opened.seek(999_999)).toBe(0);
  });

  it('ends where a recording was cut', async () => {
    const cluster = element(
      '1f43b675',
      timestamp(0),
      simple('81 0000', '80', '01'),
      simple('81 0015', '80', '02030405'),
    );
    const whole = joined(EBML, element('18538067', tracks(AAC), cluster));
    for (let cut = 1; cut < 14; cut++) {
      expect((await frames(fileOf(whole.slice(0, whole.length - cut)))).map(told)).toEqual([[0, '01']]);
    }
  });

  const goodCluster = element('1f43b675', timestamp(0), simple('81 0000', '80', '01'));
  it.each([
    ['another file', fileOf(hex('00000018 66747970')), 'matroska/not-matroska'],
    ['an empty file', fileOf(new Uint8Array(0)), 'matroska/not-matroska'],
    ['another kind of EBML', fileOf(element('1a45dfa3', element('4282', text('other')))), 'matroska/not-matroska'],
    ['no tracks', segment(goodCluster), 'matroska/no-tracks'],
    ['no known track', segment(tracks(element('ae', element('d7', '01'))), goodCluster), 'matroska/no-playable-track'],
    ['no cluster', segment(tracks(AAC)), 'matroska/no-playable-track'],
    ['no block', segment(tracks(AAC), element('1f43b675', timestamp(0))), 'matroska/no-playable-track'],
    ['a block without header', segment(tracks(AAC), element('1f43b675', simple('', '', '81'))), 'matroska/bad-block'],
    [
      'no element where one must be',
      segment(tracks(AAC), element('1f43b675', timestamp(0), new Uint8Array(40))),
      'matroska/bad-element',
    ],
    [
      'frames that do not add up',
      segment(tracks(AAC), element('1f43b675', simple('81 0000', '84', '02 01'))),
      'matroska/bad-block',
    ],
  ])('refuses %s', async (_name, file, code) => {
    await expect(frames(file)).rejects.toMatchObject({ code });
  });
});
