import { describe, expect, it } from 'vitest';
import type { Frame } from '../../codec/frame.ts';
import { joinLengthPrefixed } from '../../codec/nal-unit.ts';
import type { Track } from '../../codec/track.ts';
import { parsePesHeader } from './pes-packet.ts';
import { parseProgramMapSection, registrationOf } from './program-tables.ts';
import { TsMuxer } from './ts-muxer.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

const SPS = '6742c01ed900a02ff970';
const PPS = '68ce3c80';
const H264: Track = {
  kind: 'video',
  trackId: 0,
  codec: 'h264',
  config: bytes(`0142c01effe1000a ${SPS} 010004 ${PPS}`),
};
const AAC: Track = { kind: 'audio', trackId: 0, codec: 'aac', config: bytes('1210') };
const MP3: Track = { kind: 'audio', trackId: 0, codec: 'mp3', config: new Uint8Array(0) };

const IDR = bytes('65888000');
const SLICE = bytes('419a0000');

function video(dtsUs: number, nalUnits: readonly Uint8Array[], more: Partial<Frame> = {}): Frame {
  const isKeyFrame = nalUnits.includes(IDR);
  return { track: H264, dtsUs, ptsUs: dtsUs, isKeyFrame, payload: joinLengthPrefixed(nalUnits, 4), ...more };
}

function audio(dtsUs: number, track: Track = AAC): Frame {
  return { track, dtsUs, ptsUs: dtsUs, isKeyFrame: true, payload: bytes('21000102') };
}

interface Packet {
  readonly pid: number;
  readonly isStart: boolean;
  readonly counter: number;
  readonly hasPcr: boolean;
  readonly isRandomAccess: boolean;
  readonly payload: Uint8Array;
}

function packets(stream: Uint8Array): Packet[] {
  expect(stream.length % 188).toBe(0);
  expect(stream.buffer.byteLength).toBe(stream.length);
  const found: Packet[] = [];
  for (let at = 0; at < stream.length; at += 188) {
    const one = stream.subarray(at, at + 188);
    const adaptation = (one[3]! & 0x20) !== 0 ? one[4]! + 1 : 0;
    const flags = adaptation > 1 ? one[5]! : 0;
    found.push({
      pid: ((one[1]! & 0x1f) << 8) | one[2]!,
      isStart: (one[1]! & 0x40) !== 0,
      counter: one[3]! & 15,
      hasPcr: (flags & 0x10) !== 0,
      isRandomAccess: (flags & 0x40) !== 0,
      payload: (one[3]! & 0x10) !== 0 ? one.subarray(4 + adaptation) : new Uint8Array(0),
    });
  }
  return found;
}

function pidsOf(stream: Uint8Array): number[] {
  return packets(stream).map((one) => one.pid);
}

/** Payload of the PES packet in a muxed frame of few bytes. */
function elementary(stream: Uint8Array): string {
  const unit = Buffer.concat(
    packets(stream).flatMap((one) => (one.pid === 0 || one.pid === 0x1001 ? [] : one.payload)),
  );
  return unit.subarray(parsePesHeader(unit)!.payloadOffset).toString('hex');
}

function programMap(stream: Uint8Array): ReturnType<typeof parseProgramMapSection> {
  const pmt = packets(stream).find((one) => one.pid === 0x1001)!.payload;
  return parseProgramMapSection(pmt.subarray(1, 4 + (((pmt[2]! & 15) << 8) | pmt[3]!)));
}

describe('TsMuxer program map', () => {
  it('lists what it carries by the PIDs of SRS, with the clock on video', () => {
    const muxer = new TsMuxer([AAC, H264]);
    expect(programMap(muxer.writeTables())).toMatchObject({
      pcrPid: 0x100,
      version: 0,
      streams: [
        { pid: 0x101, streamType: 0x0f },
        { pid: 0x100, streamType: 0x1b },
      ],
    });
    expect(muxer.unsupported).toEqual([]);
  });

  it('puts the clock on audio when there is no video', () => {
    expect(programMap(new TsMuxer([MP3]).writeTables())).toMatchObject({
      pcrPid: 0x102,
      streams: [{ pid: 0x102, streamType: 3 }],
    });
  });

  it.each<[string, Partial<Track>, number, string]>([
    ['mpeg-2 audio', { codec: 'mp3', audio: { sampleRate: 22_050, channels: 1, profile: '', codecString: '' } }, 4, ''],
    ['AC-3', { codec: 'ac3' }, 0x81, 'AC-3'],
    ['E-AC-3', { codec: 'eac3' }, 0x87, 'EAC3'],
    ['Opus', { codec: 'opus' }, 6, 'Opus'],
    ['H.265', { kind: 'video', codec: 'h265' }, 0x24, 'HEVC'],
  ])('describes %s', (_, track, streamType, format) => {
    const map = programMap(new TsMuxer([{ ...MP3, ...track }]).writeTables());
    expect(map?.streams[0]).toMatchObject({ streamType });
    const registered = registrationOf(map!.streams[0]!.descriptors);
    expect(registered === 0 ? '' : Buffer.from(registered.toString(16), 'hex').toString()).toBe(format);
  });

  it('goes over several packets when many tracks need it', () => {
    const tracks = Array.from({ length: 40 }, (_, trackId): Track => ({ ...MP3, codec: 'opus', trackId }));
    const muxer = new TsMuxer(tracks);
    const tables = muxer.writeTables();
    expect(pidsOf(tables)).toEqual([0, 0x1001, 0x1001, 0x1001]);
    expect(muxer.unsupported).toHaveLength(8);
  });

  it('goes up a version, modulo 32, only when it changes', () => {
    const muxer = new TsMuxer([H264]);
    muxer.setTracks([{ ...H264, config: Uint8Array.from(H264.config) }]);
    expect(programMap(muxer.writeTables())?.version).toBe(0);
    for (let i = 1; i <= 33; i++) {
      muxer.setTracks(i % 2 === 1 ? [H264, AAC] : [H264]);
      expect(programMap(muxer.writeTables())?.version).toBe(i % 32);
    }
  });
});

describe('TsMuxer tables', () => {
  it('stand before the first frame, video key frames, after the interval, and after a change', () => {
    const muxer = new TsMuxer([H264, AAC], { tableIntervalMs: 500 });
    const hasTables = (frame: Frame): boolean => pidsOf(muxer.mux(frame)).includes(0x1001);
    expect(hasTables(audio(0))).toBe(true);
    expect(hasTables(audio(20_000))).toBe(false);
    expect(hasTables(video(40_000, [IDR]))).toBe(true);
    expect(hasTables(video(80_000, [SLICE]))).toBe(false);
    expect(hasTables(audio(539_999))).toBe(false);
    expect(hasTables(audio(540_000))).toBe(true);
    expect(hasTables(audio(10_000))).toBe(true);
    muxer.setTracks([H264]);
    expect(hasTables(video(12_000, [SLICE]))).toBe(true);
  });

  it('do not follow every frame of a stream without video', () => {
    const muxer = new TsMuxer([AAC]);
    const withTables = Array.from({ length: 50 }, (_, i) => muxer.mux(audio(i * 20_000))).filter((out) =>
      pidsOf(out).includes(0),
    );
    expect(withTables).toHaveLength(2);
  });
});

describe('TsMuxer frames', () => {
  it('get a delimiter and, at key frames, parameter sets', () => {
    const muxer = new TsMuxer([H264]);
    expect(elementary(muxer.mux(video(0, [IDR])))).toBe(
      `0000000109f0 00000001${SPS} 00000001${PPS} 0000000165888000`.replaceAll(' ', ''),
    );
    expect(elementary(muxer.mux(video(40_000, [SLICE])))).toBe('0000000109f000000001419a0000');
  });

  it('keep the delimiter and parameter sets they have', () => {
    const other = bytes('6742c01fda');
    const out = new TsMuxer([H264]).mux(video(0, [bytes('0910'), other, bytes(PPS), IDR]));
    expect(elementary(out)).toBe(`00000001091000000001${'6742c01fda'}00000001${PPS}0000000165888000`);
  });

  it('of H.265 get theirs', () => {
    const track: Track = { ...H264, codec: 'h265', config: new Uint8Array(23) };
    const out = new TsMuxer([track]).mux(video(0, [bytes('02010203')], { track }));
    expect(elementary(out)).toBe('0000000146015000000001 02010203'.replaceAll(' ', ''));
  });

  it('of AAC get an ADTS header', () => {
    expect(elementary(new TsMuxer([AAC]).mux(audio(0)))).toBe('fff15080017ffc21000102');
  });

  it('say where a decoder may start, and the clock', () => {
    const muxer = new TsMuxer([H264, AAC]);
    expect(packets(muxer.mux(video(0, [IDR]))).at(-1)).toMatchObject({
      pid: 0x100,
      hasPcr: true,
      isRandomAccess: true,
    });
    expect(packets(muxer.mux(video(40_000, [SLICE])))[0]).toMatchObject({ hasPcr: true, isRandomAccess: false });
    expect(packets(muxer.mux(audio(40_000)))[0]).toMatchObject({ pid: 0x101, hasPcr: false, isRandomAccess: false });
  });

  it('carry PTS and DTS modulo 2^33', () => {
    const wrapUs = Math.round((2 ** 33 * 100) / 9);
    const out = new TsMuxer([H264]).mux(video(wrapUs - 40_000, [IDR], { ptsUs: wrapUs + 40_000 }));
    const pes = packets(out).at(-1)!.payload;
    expect(parsePesHeader(pes)).toMatchObject({ dts90k: 2 ** 33 - 3600, pts90k: 3600 });
  });

  it('give a size for units up to 64 KiB and none beyond', () => {
    const muxer = new TsMuxer([H264]);
    const sizeOf = (length: number): number | undefined => {
      const out = muxer.mux(video(0, [new Uint8Array(length).fill(0x41)]));
      return parsePesHeader(packets(out).find((one) => one.pid === 0x100)!.payload)?.packetSizeBytes;
    };
    expect(sizeOf(1000)).toBe(14 + 10 + 1000);
    expect(sizeOf(70_000)).toBeUndefined();
  });

  it('count on without a gap on every PID', () => {
    const muxer = new TsMuxer([H264, AAC]);
    const frames = Array.from({ length: 40 }, (_, i) =>
      i % 2 === 0 ? video(i * 20_000, [i % 8 === 0 ? IDR : SLICE, new Uint8Array(i * 50).fill(6)]) : audio(i * 20_000),
    );
    const last = new Map<number, number>();
    for (const one of frames.flatMap((frame) => packets(muxer.mux(frame)))) {
      const before = last.get(one.pid);
      if (before !== undefined && one.payload.length > 0) expect(one.counter).toBe((before + 1) & 15);
      last.set(one.pid, one.counter);
    }
    expect([...last.keys()].sort((a, b) => a - b)).toEqual([0, 0x100, 0x101, 0x1001]);
  });

  it('of other tracks bring a clock of their own when video is slow', () => {
    const muxer = new TsMuxer([H264, AAC]);
    muxer.mux(video(0, [IDR]));
    const before = packets(muxer.mux(video(20_000, [SLICE]))).at(-1)!.counter;
    expect(pidsOf(muxer.mux(audio(119_999)))).toEqual([0x101]);
    const [clock, sound] = packets(muxer.mux(audio(120_000)));
    expect(clock).toMatchObject({ pid: 0x100, hasPcr: true, counter: before });
    expect(clock?.payload).toHaveLength(0);
    expect(sound?.pid).toBe(0x101);
    expect(packets(muxer.mux(video(200_000, [SLICE])))[0]?.counter).toBe((before + 1) & 15);
  });

  it('follow a configuration that setTracks has not seen', () => {
    const muxer = new TsMuxer([H264]);
    const newer: Track = { ...H264, config: bytes(`0142c01effe1000a ${SPS} 010004 68ce3c81`) };
    expect(elementary(muxer.mux(video(0, [IDR], { track: newer })))).toContain('68ce3c81');
  });
});

describe('TsMuxer leaves out', () => {
  const none = new Uint8Array(0);
  const tracks: readonly Track[] = [
    { kind: 'video', trackId: 1, codec: 'av1', config: none },
    { kind: 'video', trackId: 2, codec: 'vp9', config: none },
    { kind: 'audio', trackId: 1, codec: 'flac', config: none },
    { kind: 'audio', trackId: 2, codec: 'speex', config: none },
    { kind: 'audio', trackId: 3, codec: 'aac', config: bytes('f8e64000') },
    { kind: 'data', trackId: 0, codec: 'amf0', config: none },
  ];

  it.each(tracks)('$codec', (track) => {
    const muxer = new TsMuxer([H264, track]);
    expect(muxer.unsupported).toEqual([track]);
    expect(muxer.mux(audio(0, track))).toHaveLength(0);
  });

  it.each<[string, Frame]>([
    ['frames of tracks it was not told of', audio(0)],
    ['frames of another codec than it was told', video(0, [IDR], { track: { ...H264, codec: 'h265' } })],
    ['MP3 frames without bytes', { ...audio(0, MP3), payload: none }],
  ])('%s', (_, frame) => {
    expect(new TsMuxer([H264, MP3]).mux(frame)).toHaveLength(0);
  });

  it('AAC frames too long for ADTS', () => {
    expect(new TsMuxer([AAC]).mux({ ...audio(0), payload: new Uint8Array(9000) })).toHaveLength(0);
  });
});
