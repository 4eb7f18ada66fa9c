import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTrackEntry } from './track-entry.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** An element with a size of two bytes. */
function element(id: string, body: Uint8Array | string): Uint8Array {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  return new Uint8Array([...hex(id), 0x40 | (bytes.length >>> 8), bytes.length & 0xff, ...bytes]);
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

interface EntryOptions {
  readonly type?: string;
  readonly config?: Uint8Array;
  readonly audio?: Uint8Array;
  readonly more?: Uint8Array;
}

function entry(codecId: string, { type = '02', config, audio, more }: EntryOptions = {}): Uint8Array {
  return joined(
    element('d7', hex('01')),
    element('83', hex(type)),
    element('86', codecId),
    ...(config === undefined ? [] : [element('63a2', config)]),
    ...(audio === undefined ? [] : [element('e1', audio)]),
    ...(more === undefined ? [] : [more]),
  );
}

const stereo48: Uint8Array = joined(element('b5', hex('473b8000')), element('9f', hex('02')));
const bits = (count: number): Uint8Array => joined(stereo48, element('6264', Uint8Array.of(count)));
const wave = (tag: string, extra = ''): Uint8Array => hex(`${tag} 0200 80bb0000 00ee0200 0400 1000 0000 ${extra}`);

describe('parseTrackEntry', () => {
  it.each([
    ['V_MPEG4/ISO/AVC', { type: '01', config: hex('01640028') }, 'h264', '01640028'],
    ['V_VP9', { type: '01', config: hex('010100') }, 'vp9', ''],
    ['V_THEORA', { type: '01', config: hex('02 2a') }, 'theora', '022a'],
    ['A_AAC', { config: hex('1190') }, 'aac', '1190'],
    ['A_AAC/MPEG4/LC', { audio: stereo48 }, 'aac', ''],
    [
      'A_AAC/MPEG4/LC/SBR',
      { audio: joined(element('b5', hex('46bb8000')), element('9f', hex('02'))) },
      'aac',
      '2b118800',
    ],
    ['A_VORBIS', { config: hex('02 1e 5a') }, 'vorbis', '021e5a'],
    [
      'A_FLAC',
      { config: hex(`664c6143 00000022 ${'11'.repeat(34)} 84000000`) },
      'flac',
      `664c614380000022${'11'.repeat(34)}`,
    ],
    ['A_PCM/INT/LIT', { audio: bits(16) }, 'l16', ''],
    ['A_PCM/INT/BIG', { audio: bits(24) }, 'l24', ''],
    ['A_MS/ACM', { config: wave('0600') }, 'g711a', ''],
    ['A_MS/ACM', { config: wave('5500') }, 'mp3', ''],
    ['A_MS/ACM', { config: wave('ff00', '1190') }, 'aac', '1190'],
  ])('knows %s', (codecId, options, codec, config) => {
    expect(parseTrackEntry(entry(codecId, options))?.coding).toMatchObject({ codec, config: hex(config) });
  });

  it('finds the codec in what Video for Windows says', () => {
    const header = joined(new Uint8Array(16), Buffer.from('XVID'), new Uint8Array(20), hex('000001b0'));
    const coding = parseTrackEntry(entry('V_MS/VFW/FOURCC', { type: '01', config: header }))?.coding;
    expect(coding).toMatchObject({ codec: 'mp4v', config: hex('000001b0') });
  });

  it.each([
    ['subtitles', entry('S_TEXT/UTF8', { type: '11' })],
    ['codecs it does not know', entry('A_DTS')],
    ['floating point', entry('A_PCM/FLOAT/IEEE', { audio: bits(32) })],
    ['Vorbis without headers', entry('A_VORBIS')],
    ['tracks without number', joined(element('83', hex('02')), element('86', 'A_AAC'))],
  ])('leaves out %s', (_name, bytes) => {
    expect(parseTrackEntry(bytes)).toBeUndefined();
  });

  const encoding = (...parts: readonly Uint8Array[]): Uint8Array => element('6d80', element('6240', joined(...parts)));
  const compression = (algorithm: string, settings: string): Uint8Array =>
    element('5034', joined(element('4254', hex(algorithm)), element('4255', hex(settings))));

  it('keeps what header stripping left out of frames', () => {
    const found = parseTrackEntry(entry('A_AC3', { more: encoding(compression('03', '0b77')) }));
    expect(found?.strippedHeader).toEqual(hex('0b77'));
  });

  it('gives the configuration back what header stripping left out', () => {
    const more = encoding(element('5032', hex('02')), compression('03', '11'));
    const found = parseTrackEntry(entry('A_AAC', { config: hex('90'), more }));
    expect([found?.coding.config, found?.strippedHeader]).toEqual([hex('1190'), hex('')]);
  });

  it.each([
    ['compressed by zlib', encoding(compression('00', ''))],
    [
      'compressed twice',
      element('6d80', joined(element('6240', compression('03', '01')), element('6240', compression('03', '02')))),
    ],
    ['encrypted', encoding(element('5033', hex('01')))],
  ])('leaves out tracks that are %s', (_name, more) => {
    expect(parseTrackEntry(entry('A_AC3', { more }))).toBeUndefined();
  });

  it('survives any bytes', () => {
    const ids = ['d7', '83', '86', '63a2', 'e1', '6d80', '23e383', '56aa'];
    const elements = fc.array(
      fc.tuple(fc.constantFrom(...ids), fc.uint8Array({ maxLength: 40 })).map(([id, body]) => element(id, body)),
    );
    fc.assert(fc.property(elements, (parts) => void parseTrackEntry(joined(...parts))));
  });
});
