import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../codec/frame.ts';
import { sampleAudioDetails } from '../../codec/sample-audio.ts';
import type { AudioCodec, Track, VideoCodec } from '../../codec/track.ts';
import { FLV_DATA_TRACK, FlvDemuxer } from './flv-demuxer.ts';
import { type FlvBody, isFlvTrack, toFlvConfig, toFlvEndOfSequence, toFlvFrame } from './flv-muxer.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const ascii = (text: string): string => Buffer.from(text).toString('hex');
const joined = (body: FlvBody | undefined): Uint8Array => new Uint8Array(Buffer.concat(body?.parts ?? []));

const CONFIGS: Readonly<Record<string, string>> = {
  h264: '0142c01effe1000a6742c01ed900a02ff97001000468ce3c80',
  h265: '01'.repeat(23),
  av1: '81004c00',
  vp9: '000a820202020000',
  vp8: '000a820202020000',
  aac: '1210',
  opus: '4f707573486561640102380180bb0000000000',
  flac: '664c614300000022',
  mp3: '',
  ac3: '',
  eac3: '',
};
const VIDEO: readonly VideoCodec[] = ['h264', 'h265', 'av1', 'vp9', 'vp8'];
const AUDIO: readonly AudioCodec[] = ['aac', 'opus', 'flac', 'mp3', 'ac3', 'eac3'];

function track(codec: VideoCodec | AudioCodec, trackId = 0): Track {
  const kind = (VIDEO as readonly string[]).includes(codec) ? 'video' : 'audio';
  return { kind, trackId, codec, config: bytes(CONFIGS[codec] ?? '') };
}

function frame(of: Track, more: Partial<Frame> = {}): Frame {
  return { track: of, dtsUs: 40_000, ptsUs: 40_000, isKeyFrame: true, payload: bytes('aabb'), ...more };
}

describe('toFlvFrame', () => {
  it.each([
    ['h264 key frame', frame(track('h264'), { ptsUs: 120_000 }), '1701000050 aabb'],
    [
      'h264 with negative composition time',
      frame(track('h264'), { ptsUs: 39_000, isKeyFrame: false }),
      '2701ffffff aabb',
    ],
    ['aac', frame(track('aac')), 'af01 aabb'],
    ['h265 with composition time', frame(track('h265'), { ptsUs: 50_000 }), `91${ascii('hvc1')} 00000a aabb`],
    ['h265 without', frame(track('h265'), { isKeyFrame: false }), `a3${ascii('hvc1')} aabb`],
    ['av1', frame(track('av1')), `91${ascii('av01')} aabb`],
    ['vp9', frame(track('vp9'), { isKeyFrame: false }), `a1${ascii('vp09')} aabb`],
    ['opus', frame(track('opus')), `91${ascii('Opus')} aabb`],
    ['ac3', frame(track('ac3')), `91${ascii('ac-3')} aabb`],
    ['h264 of track 2', frame(track('h264', 2), { ptsUs: 50_000 }), `96 01 ${ascii('avc1')} 02 00000a aabb`],
    ['aac of track 1', frame(track('aac', 1)), `95 01 ${ascii('mp4a')} 01 aabb`],
    ['mp3 of track 1', frame(track('mp3', 1)), `95 01 ${ascii('.mp3')} 01 aabb`],
    ['a data message', frame(FLV_DATA_TRACK), 'aabb'],
    ['an opaque codec', frame({ ...track('aac'), codec: 'speex', config: bytes('') }), 'aabb'],
  ])('writes %s', (_, input, expected) => {
    const message = toFlvFrame(input, { multitrack: true });
    expect(joined(message)).toEqual(bytes(expected));
    expect(message?.timestampMs).toBe(40);
    expect(message?.parts.at(-1)).toBe(input.payload);
  });

  it.each([
    [44_100, 2, '2f'],
    [48_000, 2, '2f'],
    [44_100, 1, '2e'],
    [22_050, 2, '2b'],
    [16_000, 1, '2a'],
    [11_025, 1, '26'],
    [8000, 1, '22'],
  ])('says MP3 of %i Hz and %i channels as %s', (sampleRate, channels, expected) => {
    const audio = { sampleRate, channels, profile: 'Layer III', codecString: 'mp3' };
    expect(joined(toFlvFrame(frame({ ...track('mp3'), audio })))).toEqual(bytes(`${expected}aabb`));
  });

  it.each([
    ['g711a', 8000, 1, '72aabb'],
    ['g711a', 8000, 2, '73aabb'],
    ['g711u', 8000, 1, '82aabb'],
    ['g711u', 8000, 2, '83aabb'],
    ['g711u', 16_000, 1, undefined],
    ['g711a', 8000, 3, undefined],
  ] as const)('says %s of %i Hz and %i channels as %s', (codec, sampleRate, channels, expected) => {
    const audio = sampleAudioDetails(codec, sampleRate, channels);
    const message = toFlvFrame(frame({ kind: 'audio', trackId: 0, codec, config: bytes(''), audio }));
    expect(message && joined(message)).toEqual(expected === undefined ? undefined : bytes(expected));
  });

  it.each(['g722', 'l16', 'vorbis', 'mp2', 'amr', 'mpeg-video', 'jpeg', 'mp2t', 'theora'] as const)(
    'has no form for %s',
    (codec) => {
      const input = { ...track(codec), config: bytes('0102') };
      expect(isFlvTrack(input, { multitrack: true })).toBe(false);
      expect(toFlvFrame(frame(input))).toBeUndefined();
      expect(toFlvConfig(input)).toEqual([]);
      expect(toFlvEndOfSequence(input)).toBeUndefined();
    },
  );

  it('leaves tracks other than 0 out unless asked, and opaque ones always', () => {
    expect(toFlvFrame(frame(track('h265', 1)))).toBeUndefined();
    expect(isFlvTrack({ ...track('aac', 1), codec: 'speex' }, { multitrack: true })).toBe(false);
  });

  it.each([
    [1999, 1999, 1, 0],
    [2000, 2499, 2, 0],
    [2000, 2500, 2, 1],
    [1000, 2 ** 45, 1, 0x7f_ffff],
    [2 ** 45, 0, Math.floor(2 ** 45 / 1000) % 2 ** 32, -0x80_0000],
  ])('rounds dts %i and pts %i µs to %i ms and %i ms', (dtsUs, ptsUs, timestampMs, compositionTimeMs) => {
    const message = toFlvFrame(frame(track('h264'), { dtsUs, ptsUs }))!;
    expect(message.timestampMs).toBe(timestampMs);
    expect(Buffer.from(message.parts[0]!).readIntBE(2, 3)).toBe(compositionTimeMs);
  });

  it('wraps timestamps at 2^32 ms', () => {
    expect(toFlvFrame(frame(track('aac'), { dtsUs: (2 ** 32 + 7) * 1000 }))?.timestampMs).toBe(7);
  });
});

describe('toFlvConfig', () => {
  it.each<[string, Track, readonly string[]]>([
    ['h264', track('h264'), [`1700000000${CONFIGS['h264']}`]],
    ['aac', track('aac'), ['af001210']],
    ['av1', track('av1'), [`90${ascii('av01')}81004c00`]],
    ['h264 of track 1', track('h264', 1), [`9600${ascii('avc1')}01${CONFIGS['h264']}`]],
    ['aac of track 1', track('aac', 1), [`9500${ascii('mp4a')}011210`]],
    ['mp3, which has none', track('mp3'), []],
    ['data, which has none', FLV_DATA_TRACK, []],
    [
      'video metadata',
      { ...track('vp9'), videoMetadata: bytes('0200') },
      [`90${ascii('vp09')}${CONFIGS['vp9']}`, `d4${ascii('vp09')}0200`],
    ],
  ])('writes %s', (_, input, expected) => {
    expect(toFlvConfig(input, { multitrack: true }).map(joined)).toEqual(expected.map(bytes));
  });
});

describe('toFlvEndOfSequence', () => {
  it.each([
    ['h264', '1702000000'],
    ['h265', `92${ascii('hvc1')}`],
    ['opus', `92${ascii('Opus')}`],
  ] as const)('writes that of %s', (codec, expected) => {
    expect(joined(toFlvEndOfSequence(track(codec)))).toEqual(bytes(expected));
  });

  it.each(['aac', 'mp3'] as const)('has none for %s', (codec) => {
    expect(toFlvEndOfSequence(track(codec))).toBeUndefined();
  });
});

describe('muxer and demuxer together', () => {
  const tracks = fc
    .tuple(fc.constantFrom(...VIDEO, ...AUDIO), fc.constantFrom(0, 1, 255))
    .map(([codec, trackId]) => track(codec, trackId));

  it('give every frame back as it was', () => {
    const frames = fc.array(
      fc.record({
        dtsMs: fc.nat(0xffff_ffff),
        compositionTimeMs: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
        isKeyFrame: fc.boolean(),
        payload: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(tracks, fc.option(fc.uint8Array({ minLength: 1, maxLength: 9 })), frames, (base, metadata, list) => {
        const hasMetadata = metadata !== null && base.kind === 'video' && base.config.length > 0;
        const input: Track = hasMetadata ? { ...base, videoMetadata: metadata } : base;
        const demuxer = new FlvDemuxer();
        let newest: Track | undefined;
        for (const body of toFlvConfig(input, { multitrack: true })) {
          const [event] = demuxer.demux(body.typeId, 0, joined(body));
          if (event?.type === 'track') newest = event.track;
        }
        if (input.config.length > 0) expect(newest).toMatchObject(input);
        const hasTime = input.codec === 'h264' || input.codec === 'h265';
        for (const { dtsMs, compositionTimeMs, isKeyFrame, payload } of list) {
          const dtsUs = dtsMs * 1000;
          const sent: Frame = {
            track: input,
            dtsUs,
            ptsUs: dtsUs + (hasTime ? compositionTimeMs * 1000 : 0),
            isKeyFrame: isKeyFrame || input.kind === 'audio',
            payload,
          };
          const message = toFlvFrame(sent, { multitrack: true })!;
          const events = demuxer.demux(message.typeId, message.timestampMs, joined(message));
          const last = events.at(-1);
          expect(last?.type).toBe('frame');
          if (last?.type !== 'frame') return;
          const { track: got, ...rest } = last.frame;
          expect(got).toMatchObject({ kind: input.kind, trackId: input.trackId, codec: input.codec });
          expect({ ...rest, track: input }).toEqual(sent);
        }
      }),
    );
  });
});
