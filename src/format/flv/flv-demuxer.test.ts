import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AmfObject } from '../../protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../../protocol/amf/amf0-writer.ts';
import type { FlvTypeId } from './flv-codecs.tables.ts';
import type { FlvDemuxEvent } from './flv-demux-event.ts';
import { FlvDemuxer } from './flv-demuxer.ts';
import { writeMetadata } from './flv-script-data.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const ascii = (text: string): string => Buffer.from(text).toString('hex');

/** SPS and PPS of a 640x360 Constrained Baseline stream. */
const AVCC = bytes('0142c01effe1000a 6742c01ed900a02ff970 01000468ce3c80');
const HVCC = new Uint8Array(23).fill(1);
const ASC = bytes('1210');

type Step = readonly [typeId: FlvTypeId, timestampMs: number, body: Uint8Array];

function demux(...steps: readonly Step[]): FlvDemuxEvent[] {
  const demuxer = new FlvDemuxer();
  return steps.flatMap(([typeId, timestampMs, body]) => demuxer.demux(typeId, timestampMs, body));
}

const video = (hex: string, timestampMs = 0): Step => [9, timestampMs, bytes(hex)];
const audio = (hex: string, timestampMs = 0): Step => [8, timestampMs, bytes(hex)];
const withBytes = (hex: string, tail: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([bytes(hex), tail]));
const avcHeader: Step = [9, 0, withBytes('1700000000', AVCC)];
const aacHeader: Step = [8, 0, withBytes('af00', ASC)];

describe('FlvDemuxer, legacy video', () => {
  it('makes a track from an AVC sequence header and frames with composition time', () => {
    const [track, key, inter] = demux(
      avcHeader,
      video('1701000050 00000001 65', 40),
      video('2701ffffd8 00000001 41', 80),
    );
    expect(track).toMatchObject({ type: 'track', track: { kind: 'video', trackId: 0, codec: 'h264', config: AVCC } });
    expect(key).toMatchObject({ type: 'frame', frame: { dtsUs: 40_000, ptsUs: 120_000, isKeyFrame: true } });
    expect(inter).toMatchObject({ type: 'frame', frame: { dtsUs: 80_000, ptsUs: 40_000, isKeyFrame: false } });
    expect(key?.type === 'frame' && track?.type === 'track' && key.frame.track === track.track).toBe(true);
  });

  it('takes codec id 12 for HEVC', () => {
    const [track, frame] = demux([9, 0, withBytes('1c00000000', HVCC)], video('1c01000000 00000001 26'));
    expect(track).toMatchObject({ type: 'track', track: { codec: 'h265' } });
    expect(frame).toMatchObject({ type: 'frame', frame: { payload: bytes('0000000126') } });
  });

  it('gives payloads as views into the body', () => {
    const body = bytes('1701000000 00000001 65');
    const [, frame] = demux(avcHeader, [9, 0, body]);
    expect(frame?.type === 'frame' && frame.frame.payload.buffer === body.buffer).toBe(true);
  });

  it('tells a repeated sequence header from a changed one', () => {
    const other = withBytes('1700000000', AVCC);
    other[other.length - 1] = 0x81;
    const events = demux(avcHeader, avcHeader, [9, 0, other]);
    expect(events.map((event) => event.type)).toEqual(['track', 'repeated-config', 'track']);
  });

  it('keeps a configuration that is not its caller’s to change', () => {
    const demuxer = new FlvDemuxer();
    const body = withBytes('1700000000', AVCC);
    const [event] = demuxer.demux(9, 0, body);
    body.fill(0);
    expect(event).toMatchObject({ track: { config: AVCC } });
  });

  it.each([
    ['h263', '2212', false],
    ['h263', '1212', true],
    ['vp6', '1400', true],
    ['vp6a', '2500', false],
    ['screen', '1300', true],
    ['screen2', '1600', true],
    ['mpeg4', '1900', true],
  ])('passes %s on whole (%s, key frame %s)', (codec, hex, isKeyFrame) => {
    const [track, frame] = demux(video(hex, 7));
    expect(track).toEqual({
      type: 'track',
      track: { kind: 'video', trackId: 0, codec, config: new Uint8Array(0) },
    });
    expect(frame).toMatchObject({
      type: 'frame',
      frame: { dtsUs: 7000, ptsUs: 7000, isKeyFrame, payload: bytes(hex) },
    });
  });

  it('follows a publisher that changes codec', () => {
    const events = demux(video('1212'), avcHeader, video('1212'), video('2212'));
    expect(events.map((event) => (event.type === 'track' ? event.track.codec : event.type))).toEqual([
      'h263',
      'frame',
      'h264',
      'h263',
      'frame',
      'frame',
    ]);
  });
});

describe('FlvDemuxer, legacy audio', () => {
  it('makes a track from an AAC sequence header', () => {
    const [track, frame] = demux(aacHeader, audio('af01 2112', 23));
    expect(track).toMatchObject({ track: { kind: 'audio', codec: 'aac', config: ASC, audio: { sampleRate: 44_100 } } });
    expect(frame).toMatchObject({ frame: { dtsUs: 23_000, ptsUs: 23_000, isKeyFrame: true, payload: bytes('2112') } });
  });

  it('makes a new MP3 track when the frames change their rate, not when they turn to joint stereo', () => {
    const events = demux(audio('2f fffb9000'), audio('2f fffb9040'), audio('2f fffb9400'), audio('2f fffb9440'));
    expect(events.map((event) => event.type)).toEqual(['track', 'frame', 'frame', 'track', 'frame', 'frame']);
    expect(events[1]).toMatchObject({ frame: { payload: bytes('fffb9000') } });
  });

  it.each([
    ['pcm', '0e11'],
    ['adpcm', '1e11'],
    ['pcm-le', '3e11'],
    ['nellymoser16', '4211'],
    ['nellymoser8', '5211'],
    ['nellymoser', '6211'],
    ['speex', 'b611'],
    ['mp3-8k', 'e211'],
    ['device', 'f211'],
  ])('passes %s on whole', (codec, hex) => {
    const [track, frame] = demux(audio(hex));
    expect(track).toMatchObject({ type: 'track', track: { kind: 'audio', codec } });
    expect(frame).toMatchObject({ type: 'frame', frame: { payload: bytes(hex) } });
  });
});

describe('FlvDemuxer, G.711', () => {
  it.each([
    ['g711a', '72', 1],
    ['g711a', '73', 2],
    ['g711u', '82', 1],
    ['g711u', '83', 2],
    ['g711u', '8f', 2],
  ])('takes %s out of tags that begin with %s as samples of %i channels at 8 kHz', (codec, first, channels) => {
    expect(demux(audio(`${first}d5d4`, 20))).toMatchObject([
      { type: 'track', track: { kind: 'audio', trackId: 0, codec, audio: { sampleRate: 8000, channels } } },
      { type: 'frame', frame: { dtsUs: 20_000, isKeyFrame: true, payload: bytes('d5d4') } },
    ]);
  });

  it('makes a new track when the channels change', () => {
    const events = demux(audio('72d5'), audio('72d5'), audio('73d5d5'), audio('73d5d5'), audio('83d5d5'));
    expect(events.map((event) => event.type).join()).toBe('track,frame,frame,track,frame,frame,track,frame');
  });
});

describe('FlvDemuxer, Enhanced RTMP video', () => {
  const hevcHeader: Step = [9, 0, withBytes(`90${ascii('hvc1')}`, HVCC)];

  it.each([
    ['hvc1', 'h265', HVCC],
    ['avc1', 'h264', AVCC],
    ['av01', 'av1', bytes('81004c00')],
    ['vp09', 'vp9', bytes('000a820202020000')],
    ['vp08', 'vp8', bytes('000a820202020000')],
  ])('makes a track from a sequence start of %s', (fourCc, codec, config) => {
    const [track] = demux([9, 0, withBytes(`90${ascii(fourCc)}`, config)]);
    expect(track).toMatchObject({ type: 'track', track: { codec, config } });
  });

  it('reads composition time in CodedFrames of AVC and HEVC only, and none in CodedFramesX', () => {
    const events = demux(
      hevcHeader,
      video(`91${ascii('hvc1')} fffff6 01020304`, 100),
      video(`a3${ascii('hvc1')} 01020304`, 140),
      video(`91${ascii('vp09')} 01020304`, 180),
    );
    expect(events[1]).toMatchObject({
      frame: { dtsUs: 100_000, ptsUs: 90_000, isKeyFrame: true, payload: bytes('01020304') },
    });
    expect(events[2]).toMatchObject({ frame: { ptsUs: 140_000, isKeyFrame: false, payload: bytes('01020304') } });
    expect(events[4]).toMatchObject({ frame: { ptsUs: 180_000, payload: bytes('01020304'), track: { codec: 'vp9' } } });
  });

  it('adds the nanosecond offset of ModEx and skips unknown ModEx, in a chain, long form included', () => {
    const modExLong = `ff 0100 ${'ee'.repeat(257)} 5${'7'}`;
    const events = demux(hevcHeader, video(`97 ${modExLong} 02 0927c0 03 ${ascii('hvc1')} aabb`, 1000));
    expect(events[1]).toMatchObject({
      type: 'frame',
      frame: { dtsUs: 1_000_600, ptsUs: 1_000_600, payload: bytes('aabb') },
    });
  });

  it('holds a nanosecond offset below a millisecond', () => {
    const [, frame] = demux(hevcHeader, video(`97 02 ffffff 03 ${ascii('hvc1')} aabb`, 1));
    expect(frame).toMatchObject({ frame: { dtsUs: 2000 } });
  });

  it('tells the picture size of VP8 when a key frame has told it', () => {
    const key = '10020 09d012a 4001 f000'.replaceAll(' ', '');
    const events = demux(
      video(`90${ascii('vp08')}000a820202020000`),
      video(`a1${ascii('vp08')}110200`),
      video(`91${ascii('vp08')}${key}`),
      video(`91${ascii('vp08')}${key}`),
    );
    expect(events.map((event) => event.type)).toEqual(['track', 'frame', 'track', 'frame', 'frame']);
    expect(events[2]).toMatchObject({ track: { video: { width: 320, height: 240 } } });
  });

  it('takes the AV1 configuration out of an MPEG-2 TS descriptor', () => {
    const [track] = demux(video(`95${ascii('av01')} 8004 81004cf0`));
    expect(track).toMatchObject({ type: 'track', track: { codec: 'av1', config: bytes('81004c10') } });
  });

  it('keeps video metadata with the track, whichever comes first', () => {
    const metadata = writeAmf0Values([
      'colorInfo',
      new AmfObject([['colorConfig', new AmfObject([['bitDepth', 10]])]]),
    ]);
    const body: Step = [9, 0, withBytes(`d4${ascii('hvc1')}`, metadata)];
    for (const steps of [
      [hevcHeader, body],
      [body, hevcHeader],
    ]) {
      const events = demux(...steps, body);
      expect(events.filter((event) => event.type === 'track').at(-1)).toMatchObject({
        track: { codec: 'h265', config: HVCC, videoMetadata: metadata },
      });
      expect(events.at(-1)?.type).toBe('repeated-config');
    }
  });

  it('reads one track, many tracks, and many tracks of many codecs', () => {
    const events = demux(
      [9, 0, withBytes(`96 00 ${ascii('avc1')} 02`, AVCC)],
      [9, 0, withBytes(`96 00 ${ascii('hvc1')} 01`, HVCC)],
      video(`96 21 ${ascii('avc1')} 02 000005 000028aabb ${ascii('hvc1')} 01 000004 000014cc`, 40),
      video(`a6 13 ${ascii('hvc1')} 01 000001 dd`, 80),
    );
    expect(events.slice(2)).toMatchObject([
      { frame: { track: { trackId: 2, codec: 'h264' }, dtsUs: 40_000, ptsUs: 80_000, payload: bytes('aabb') } },
      { frame: { track: { trackId: 1, codec: 'h265' }, dtsUs: 40_000, ptsUs: 60_000, payload: bytes('cc') } },
      { frame: { track: { trackId: 1, codec: 'h265' }, dtsUs: 80_000, isKeyFrame: false, payload: bytes('dd') } },
    ]);
  });

  it('keeps the tracks before a broken one', () => {
    const events = demux(hevcHeader, video(`96 13 ${ascii('hvc1')} 00 000001 dd 01 0000ff ee`));
    expect(events.slice(1)).toMatchObject([
      { type: 'frame', frame: { payload: bytes('dd') } },
      { type: 'malformed', reason: 'truncated-multitrack' },
    ]);
  });

  it('tells the end of a sequence', () => {
    expect(demux(hevcHeader, video(`92${ascii('hvc1')}`))[1]).toMatchObject({
      type: 'end-of-sequence',
      track: { codec: 'h265' },
    });
    expect(demux(avcHeader, video('1702'))[1]).toMatchObject({ type: 'end-of-sequence', track: { codec: 'h264' } });
  });
});

describe('FlvDemuxer, Enhanced RTMP audio', () => {
  it.each([
    ['Opus', 'opus', '4f707573486561640102380180bb00000000 00'],
    ['fLaC', 'flac', '664c6143 00000022'],
    ['mp4a', 'aac', '1210'],
  ])('makes a track from a sequence start of %s', (fourCc, codec, config) => {
    const [track, frame] = demux(audio(`90${ascii(fourCc)}${config}`), audio(`91${ascii(fourCc)} aabb`, 20));
    expect(track).toMatchObject({ type: 'track', track: { codec, config: bytes(config) } });
    expect(frame).toMatchObject({ frame: { dtsUs: 20_000, isKeyFrame: true, payload: bytes('aabb') } });
  });

  it.each([
    ['ac-3', 'ac3'],
    ['ec-3', 'eac3'],
    ['.mp3', 'mp3'],
    ['Opus', 'opus'],
  ])('makes a track from the first frame of %s', (fourCc, codec) => {
    const events = demux(audio(`91${ascii(fourCc)} 0b770102030405`));
    expect(events).toMatchObject([{ type: 'track', track: { codec } }, { type: 'frame' }]);
  });

  it('reads multitrack and ModEx', () => {
    const events = demux(audio(`97 02 0003e8 05 11 ${ascii('Opus')} 03 000002 aabb 04 000001 cc`, 5));
    expect(events.filter((event) => event.type === 'frame')).toMatchObject([
      { frame: { track: { trackId: 3 }, dtsUs: 5001, payload: bytes('aabb') } },
      { frame: { track: { trackId: 4 }, dtsUs: 5001, payload: bytes('cc') } },
    ]);
  });
});

describe('FlvDemuxer, data messages', () => {
  const entries = [
    ['width', 640],
    ['encoder', 'x'],
    ['__proto__', 1],
  ] as const;

  it.each([
    ['with', true],
    ['without', false],
  ])('reads onMetaData %s @setDataFrame, entries in order', (_, isWrapped) => {
    const body = isWrapped
      ? withBytes(Buffer.from(writeAmf0Values(['@setDataFrame'])).toString('hex'), writeMetadata(entries))
      : writeMetadata(entries);
    const [event] = demux([18, 0, body]);
    expect(event?.type === 'metadata' && [...event.values]).toEqual(entries);
  });

  it.each(['onCuePoint', 'onTextData', 'x'.repeat(300)])('relays %s untouched, without @setDataFrame', (name) => {
    const message = writeAmf0Values([name, new AmfObject([['text', 'hello']])]);
    const [plain] = demux([18, 9, message]);
    expect(plain).toMatchObject({
      type: 'data',
      frame: { track: { kind: 'data', codec: 'amf0' }, dtsUs: 9000, ptsUs: 9000, isKeyFrame: true, payload: message },
    });
    const wrapped = withBytes(Buffer.from(writeAmf0Values(['@setDataFrame'])).toString('hex'), message);
    expect(demux([18, 9, wrapped])).toMatchObject([{ type: 'data', frame: { payload: message } }]);
  });
});

describe('FlvDemuxer, useless and broken input', () => {
  it.each<[string, Step]>([
    ['empty-message', [9, 0, new Uint8Array(0)]],
    ['empty-message', [8, 0, new Uint8Array(0)]],
    ['empty-message', [18, 0, new Uint8Array(0)]],
    ['empty-message', audio('2f')],
    ['empty-message', audio('72')],
    ['video-command', video('5200')],
    ['video-command', video(`d100`)],
    ['unknown-video-codec', video('1f')],
    ['unknown-video-codec', video('11')],
    ['unknown-video-codec', video(`90${ascii('vvc1')}00`)],
    ['unknown-audio-codec', audio('c000')],
    ['unknown-audio-codec', audio(`91${ascii('ac-4')}00`)],
    ['unknown-packet-type', video('1703000000')],
    ['unknown-packet-type', video(`98${ascii('hvc1')}`)],
    ['unknown-packet-type', audio('af02')],
    ['unknown-packet-type', audio(`93${ascii('Opus')}`)],
    ['frame-before-config', video('1701000000 00000001 65')],
    ['frame-before-config', video('1702')],
    ['frame-before-config', audio('af01 21')],
    ['frame-before-config', audio(`92${ascii('Opus')}`)],
    ['multichannel-config', audio(`94${ascii('Opus')} 0102 00000003`)],
    ['unknown-multitrack-type', video(`96 31 ${ascii('hvc1')} 00 00`)],
    ['clear-data-frame', [18, 0, writeAmf0Values(['@clearDataFrame', 'onMetaData'])]],
  ])('ignores %s', (reason, step) => {
    expect(demux(step)).toEqual([{ type: 'ignored', reason }]);
  });

  it.each<[string, Step]>([
    ['truncated-header', video('1701')],
    ['truncated-header', video('17')],
    ['truncated-header', video('91687663')],
    ['truncated-header', video(`91${ascii('hvc1')}0000`)],
    ['truncated-header', audio('af')],
    ['truncated-header', audio('91')],
    ['truncated-mod-ex', video('97')],
    ['truncated-mod-ex', audio('97ff')],
    ['truncated-mod-ex', audio('970a00')],
    ['truncated-multitrack', video(`9601${ascii('hvc1')}`)],
    ['truncated-multitrack', video(`9621687663`)],
    ['nested-multitrack', video('9606')],
    ['nested-multitrack', audio('9505')],
    ['bad-config', video('1700000000')],
    ['bad-config', video('1700000000 0142c01e')],
    ['bad-config', audio('af00')],
    ['bad-config', video(`95${ascii('av01')} 8003810000`)],
    ['bad-config', video(`95${ascii('hvc1')} 800481000000`)],
    ['script-data-without-name', [18, 0, bytes('00')]],
    ['script-data-without-name', [18, 0, bytes('02ffff61')]],
    ['script-data-without-name', [18, 0, writeAmf0Values(['@setDataFrame'])]],
    ['bad-metadata', [18, 0, writeAmf0Values(['onMetaData', 5])]],
    ['bad-metadata', [18, 0, writeAmf0Values(['onMetaData'])]],
  ])('calls %s what it is', (reason, step) => {
    expect(demux(step)).toEqual([{ type: 'malformed', reason }]);
  });

  it('survives any bytes, and never makes more events than bytes', () => {
    const interesting = fc.constantFrom(0x17, 0x27, 0x1c, 0x90, 0x91, 0x96, 0x97, 0xd4, 0xaf, 0x2f, 0x95, 2);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom<FlvTypeId>(8, 9, 18), interesting, fc.uint8Array({ maxLength: 60 })), {
          maxLength: 10,
        }),
        (messages) => {
          const demuxer = new FlvDemuxer();
          for (const [typeId, first, rest] of messages) {
            const events = demuxer.demux(typeId, 0xffff_ffff, Uint8Array.of(first, ...rest));
            expect(events.length).toBeLessThanOrEqual(rest.length + 2);
          }
        },
      ),
    );
  });
});
