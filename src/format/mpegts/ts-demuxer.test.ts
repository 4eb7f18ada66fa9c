import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../codec/frame.ts';
import { joinLengthPrefixed } from '../../codec/nal-unit.ts';
import { writeOpusHead } from '../../codec/opus/opus-head.ts';
import type { Track } from '../../codec/track.ts';
import { AdtsMuxer } from '../adts/adts-muxer.ts';
import { toTimestamp90k, writePesHeader } from './pes-packet.ts';
import { writeProgramAssociationSection, writeProgramMapSection } from './program-tables.ts';
import type { TsDemuxEvent } from './ts-demux-event.ts';
import { TsDemuxer, type TsDemuxerOptions } from './ts-demuxer.ts';
import { TsMuxer } from './ts-muxer.ts';
import { packetCount, writePackets } from './ts-packet.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const joined = (pieces: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(pieces));

/** 640x360, as libx264 writes it. */
const SPS = '6742c01ed890280bfe5c04400000030040 00000c83c58b8980';
const H264: Track = {
  kind: 'video',
  trackId: 0,
  codec: 'h264',
  config: bytes(`0142c01effe10019 ${SPS} 010005 68c888cb20`),
};
const AAC: Track = { kind: 'audio', trackId: 0, codec: 'aac', config: bytes('1210') };
const MP3: Track = { kind: 'audio', trackId: 0, codec: 'mp3', config: new Uint8Array(0) };
const head = { channels: 2, preSkip: 0, inputSampleRate: 48_000, outputGain: 0, mappingFamily: 0 };
const OPUS: Track = { kind: 'audio', trackId: 0, codec: 'opus', config: writeOpusHead(head) };

function video(dtsUs: number, isKeyFrame: boolean, size = 40, ptsUs: number = dtsUs): Frame {
  const nalUnit = new Uint8Array(size).fill(0x80);
  nalUnit[0] = isKeyFrame ? 0x65 : 0x41;
  return { track: H264, dtsUs, ptsUs, isKeyFrame, payload: joinLengthPrefixed([nalUnit], 4) };
}

function audio(dtsUs: number, size = 30, track: Track = AAC): Frame {
  return { track, dtsUs, ptsUs: dtsUs, isKeyFrame: true, payload: new Uint8Array(size).fill(0x21) };
}

function demux(pieces: readonly Uint8Array[], options: TsDemuxerOptions = {}): TsDemuxEvent[] {
  const demuxer = new TsDemuxer(options);
  return [...pieces.flatMap((piece) => demuxer.receive(piece)), ...demuxer.flush()];
}

function framesOf(events: readonly TsDemuxEvent[]): Frame[] {
  return events.flatMap((event) => (event.type === 'frame' ? event.frame : []));
}

function tracksOf(events: readonly TsDemuxEvent[]): Track[] {
  return events.flatMap((event) => (event.type === 'track' ? event.track : []));
}

function reasonsOf(events: readonly TsDemuxEvent[]): string[] {
  return events.flatMap((event) => ('reason' in event ? event.reason : []));
}

function mux(frames: readonly Frame[], tracks: readonly Track[]): Uint8Array {
  const muxer = new TsMuxer(tracks);
  return joined(frames.map((frame) => muxer.mux(frame)));
}

const CLIP = [
  video(0, true, 900, 80_000),
  audio(0),
  audio(23_220),
  video(40_000, false, 100, 40_000),
  audio(46_440, 400),
  video(80_000, false, 5000, 160_000),
  audio(69_660),
  video(120_000, true, 300, 120_000),
];
const STREAM = mux(CLIP, [H264, AAC]);

/** A transport stream by hand: one program, one audio stream of the given type, and its PES payloads. */
class HandMade {
  readonly #pieces: Uint8Array[] = [];
  #counter = 0;

  constructor(streamType: number, descriptors: Uint8Array = new Uint8Array(0)) {
    const pat = writeProgramAssociationSection(1, [{ programNumber: 1, pmtPid: 0x20 }]);
    this.section(0, pat);
    this.section(0x20, pmt([{ pid: 0x30, streamType, descriptors }]));
  }

  section(pid: number, section: Uint8Array, counter = 0): this {
    return this.#unit(pid, counter, joined([Uint8Array.of(0), section]));
  }

  pes(timeUs: number | undefined, payload: Uint8Array): this {
    const time = toTimestamp90k(timeUs ?? 0);
    const header = writePesHeader(0xc0, time, time, payload.length);
    // Without a time: the flag off, its bytes become stuffing.
    if (timeUs === undefined) header.set([0x84, 0x00, 5, 0xff, 0xff, 0xff, 0xff, 0xff], 6);
    const unit = joined([header, payload]);
    this.#unit(0x30, this.#counter, unit);
    this.#counter += packetCount(unit.length, { pcr90k: undefined, isRandomAccess: false });
    return this;
  }

  /** Counts on as if packets had been lost. */
  lose(count: number): this {
    this.#counter += count;
    return this;
  }

  #unit(pid: number, counter: number, unit: Uint8Array): this {
    const first = { pcr90k: undefined, isRandomAccess: false };
    const out = new Uint8Array(188 * packetCount(unit.length, first));
    writePackets(out, 0, pid, counter & 15, [unit], unit.length, first);
    this.#pieces.push(out);
    return this;
  }

  finish(): Uint8Array {
    return joined(this.#pieces);
  }
}

function pmt(
  streams: readonly { pid: number; streamType: number; descriptors: Uint8Array }[],
  version = 0,
  programNumber = 1,
): Uint8Array {
  return writeProgramMapSection({ programNumber, version, pcrPid: 0x1fff, streams });
}

const adts = (...payloads: readonly Uint8Array[]): Uint8Array => {
  const muxer = new AdtsMuxer();
  return joined(payloads.map((payload) => muxer.mux({ ...audio(0), payload })));
};

describe('TsDemuxer and TsMuxer', () => {
  it('give tracks, payloads and times back', () => {
    const events = demux([STREAM]);
    expect(reasonsOf(events)).toEqual([]);
    expect(tracksOf(events)).toMatchObject([H264, AAC]);
    expect(tracksOf(events)[0]?.video).toMatchObject({ width: 640, height: 360 });
    const frames = framesOf(events);
    expect(frames).toHaveLength(CLIP.length);
    for (const kind of ['video', 'audio']) {
      const sent = CLIP.filter((frame) => frame.track.kind === kind);
      const got = frames.filter((frame) => frame.track.kind === kind);
      expect(got.map((frame) => Buffer.from(frame.payload).toString('hex'))).toEqual(
        sent.map((frame) => Buffer.from(frame.payload).toString('hex')),
      );
      expect(got.map((frame) => frame.isKeyFrame)).toEqual(sent.map((frame) => frame.isKeyFrame));
      // 90 kHz cannot say every microsecond.
      got.forEach((frame, i) => {
        expect(Math.abs(frame.dtsUs - sent[i]!.dtsUs)).toBeLessThanOrEqual(6);
        expect(Math.abs(frame.ptsUs - sent[i]!.ptsUs)).toBeLessThanOrEqual(6);
      });
    }
    expect(events.filter((event) => event.type === 'clock')).toMatchObject(
      [0, 40_000, 80_000, 120_000].map((timeUs) => ({ timeUs })),
    );
  });

  it('give any frames back, whole milliseconds exactly, over the wrap too', () => {
    const spec = fc.record({
      stepMs: fc.integer({ min: 1, max: 5000 }),
      compositionTimeMs: fc.integer({ min: 0, max: 1000 }),
      isKeyFrame: fc.boolean(),
      size: fc.integer({ min: 2, max: 1200 }),
      codec: fc.constantFrom('video', 'opus'),
    });
    const start = fc.constantFrom(0, 1, 95_443_000, 95_443_717, 4_294_967_295);
    fc.assert(
      fc.property(start, fc.array(spec, { minLength: 1, maxLength: 12 }), (startMs, specs) => {
        let ms = startMs;
        const sent = specs.map(({ stepMs, compositionTimeMs, isKeyFrame, size, codec }, i) => {
          ms += stepMs;
          // CELT, 20 ms, one frame.
          if (codec === 'opus') return { ...audio(ms * 1000, size, OPUS), payload: new Uint8Array(size).fill(0xf8) };
          return video(ms * 1000, isKeyFrame || i === 0, size, (ms + compositionTimeMs) * 1000);
        });
        const first = sent.findIndex((frame) => frame.track === H264 && frame.isKeyFrame);
        const wanted = sent.filter((frame, i) => frame.track === OPUS || (first >= 0 && i >= first));
        const events = demux([mux(sent, [H264, OPUS])]);
        const got = framesOf(events);
        expect(got).toHaveLength(wanted.length);
        const offset = wanted[0]!.dtsUs - got[0]!.dtsUs;
        // A stream that starts late starts somewhere within the 26.5 hours of 33 bits.
        expect(Math.abs(offset - Math.round((offset * 9) / 100 / 2 ** 33) * ((2 ** 33 * 100) / 9))).toBeLessThan(2);
        for (const [i, frame] of got.entries()) {
          expect(frame).toMatchObject({ isKeyFrame: wanted[i]!.isKeyFrame, payload: wanted[i]!.payload });
          expect(Math.abs(frame.dtsUs + offset - wanted[i]!.dtsUs)).toBeLessThanOrEqual(1);
          expect(Math.abs(frame.ptsUs + offset - wanted[i]!.ptsUs)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('give frames as soon as they are whole when their size is given', () => {
    const demuxer = new TsDemuxer();
    const muxer = new TsMuxer([H264, AAC]);
    // The first packets wait for the sync bytes after them.
    demuxer.receive(muxer.mux(video(0, true)));
    for (const frame of [audio(10_000), video(40_000, false), audio(50_000)]) {
      expect(framesOf(demuxer.receive(muxer.mux(frame))).at(-1)?.payload).toEqual(frame.payload);
    }
  });

  it('give frames too long for a size when the next begins, or at the end', () => {
    const long = [video(0, true, 80_000), video(40_000, false, 90_000)];
    const demuxer = new TsDemuxer();
    expect(framesOf(demuxer.receive(mux(long, [H264])))).toHaveLength(1);
    expect(framesOf(demuxer.flush())[0]?.payload).toEqual(long[1]!.payload);
  });
});

describe('TsDemuxer input', () => {
  it('may be cut anywhere', () => {
    const whole = demux([STREAM]);
    for (const size of [1, 7, 187, 188, 189, 1316]) {
      const pieces = Array.from({ length: Math.ceil(STREAM.length / size) }, (_, i) =>
        STREAM.slice(i * size, (i + 1) * size),
      );
      expect(demux(pieces)).toEqual(whole);
    }
  });

  it('may be damaged and cut anywhere', () => {
    const damage = fc.array(
      fc.record({ at: fc.nat(STREAM.length - 1), remove: fc.nat(300), insert: fc.uint8Array({ maxLength: 200 }) }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(damage, fc.array(fc.nat(STREAM.length), { maxLength: 10 }), (faults, cuts) => {
        let stream = STREAM;
        for (const { at, remove, insert } of faults) {
          stream = joined([stream.subarray(0, at), insert, stream.subarray(at + remove)]);
        }
        const points = [0, ...cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b), stream.length];
        const pieces = points.slice(1).map((end, i) => stream.slice(points[i]!, end));
        expect(demux(pieces)).toEqual(demux([stream]));
      }),
      { numRuns: 60 },
    );
  });

  it('may be anything', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 187, maxLength: 187 }), { maxLength: 12 }), (noise) => {
        const stream = joined(noise.flatMap((packet) => [Uint8Array.of(0x47), packet]));
        expect(demux([stream]).length).toBeLessThanOrEqual(stream.length);
      }),
    );
  });

  it('is found behind and between other bytes', () => {
    const noise = new Uint8Array(500).fill(0x47, 100, 140);
    const events = demux([noise, STREAM, noise, STREAM]);
    expect(reasonsOf(events).filter((reason) => reason === 'lost-sync')).toHaveLength(2);
    expect(framesOf(events).length).toBeGreaterThanOrEqual(2 * CLIP.length - 2);
  });

  it('may lose packets: only the units they belong to are missing', () => {
    const packets = Array.from({ length: STREAM.length / 188 }, (_, i) => STREAM.subarray(i * 188, (i + 1) * 188));
    // Somewhere within the frame of 5000 bytes.
    const lost = packets.findIndex((_, i) => i > 15 && (packets[i]![1]! & 0x40) === 0);
    const events = demux(packets.filter((_, i) => i !== lost));
    expect(reasonsOf(events)).toEqual(['packets-lost']);
    expect(framesOf(events)).toHaveLength(CLIP.length - 1);
  });

  it('may have packets twice', () => {
    const packets = Array.from({ length: STREAM.length / 188 }, (_, i) => STREAM.subarray(i * 188, (i + 1) * 188));
    const events = demux(packets.flatMap((packet) => [packet, packet]));
    expect(framesOf(events)).toEqual(framesOf(demux([STREAM])));
    expect(reasonsOf(events)).toEqual([]);
  });
});

describe('TsDemuxer audio', () => {
  const one = new Uint8Array(20).fill(1);
  const two = new Uint8Array(30).fill(2);
  const three = new Uint8Array(40).fill(3);
  const times = (events: readonly TsDemuxEvent[]): (readonly [number, number])[] =>
    framesOf(events).map((frame) => [frame.payload[0]!, frame.ptsUs]);

  it('reads many frames in one PES packet, each by its duration later', () => {
    const stream = new HandMade(0x0f).pes(1_000_000, adts(one, two, three)).finish();
    expect(times(demux([stream]))).toEqual([
      [1, 1_000_000],
      [2, 1_023_220],
      [3, 1_046_440],
    ]);
  });

  it('reads frames that go over PES packets: a time belongs to the first frame that begins there', () => {
    const all = adts(one, two, three);
    for (let cut = 1; cut < all.length; cut++) {
      const stream = new HandMade(0x0f).pes(1_000_000, all.subarray(0, cut)).pes(2_000_000, all.subarray(cut)).finish();
      const starts = [0, 27, 64].filter((start) => start >= cut);
      const expected = [0, 27, 64].map((start, i) => {
        const isAfter = start >= cut;
        return isAfter ? 2_000_000 + starts.indexOf(start) * 23_220 : 1_000_000 + i * 23_220;
      });
      expect(times(demux([stream])).map(([, us]) => us)).toEqual(expected);
    }
  });

  it('goes on from the last time when a PES packet has none', () => {
    const stream = new HandMade(0x0f).pes(1_000_000, adts(one)).pes(undefined, adts(two)).finish();
    expect(times(demux([stream]))).toEqual([
      [1, 1_000_000],
      [2, 1_023_220],
    ]);
  });

  it('drops frames before the first time, and a frame whose end was lost', () => {
    const all = adts(one, two);
    const stream = new HandMade(0x0f)
      .pes(undefined, adts(three))
      .pes(1_000_000, all.subarray(0, 40))
      .lose(1)
      .pes(2_000_000, adts(three))
      .finish();
    const events = demux([stream]);
    expect(times(events)).toEqual([
      [1, 1_000_000],
      [3, 2_000_000],
    ]);
    expect(reasonsOf(events)).toEqual(['frame-without-time', 'packets-lost']);
  });

  it('steps over bytes that are no frame', () => {
    const stream = new HandMade(0x0f).pes(0, joined([bytes('00ff00'), adts(one)])).finish();
    const events = demux([stream]);
    expect(times(events)).toEqual([[1, 0]]);
    expect(reasonsOf(events)).toEqual(['bad-audio-frame']);
  });

  it('tells a new track when the format changes', () => {
    const mono: Track = { ...AAC, config: bytes('1188') };
    const other = new AdtsMuxer().mux({ ...audio(0, 20), track: mono });
    const stream = new HandMade(0x0f).pes(0, joined([adts(one), other, adts(one)])).finish();
    expect(tracksOf(demux([stream])).map((track) => track.audio?.sampleRate)).toEqual([44_100, 48_000, 44_100]);
  });

  it('reads several Opus packets in one PES packet', () => {
    const packet = (first: number): Uint8Array => Uint8Array.of(0x7f, 0xe0, 2, 0xf8, first);
    const opus = bytes('0504 4f707573 7f028001');
    const events = demux([new HandMade(6, opus).pes(500_000, joined([packet(1), packet(2)])).finish()]);
    expect(framesOf(events).map((frame) => [frame.payload[1], frame.ptsUs])).toEqual([
      [1, 500_000],
      [2, 520_000],
    ]);
    expect(tracksOf(events)[0]).toMatchObject({ codec: 'opus', audio: { channels: 1 } });
  });

  it('reads MP3 as the muxer wrote it', () => {
    const frame = new Uint8Array(417);
    frame.set(bytes('fffb9064'));
    const events = demux([mux([{ ...audio(0, 1, MP3), payload: frame }], [MP3])]);
    expect(tracksOf(events)[0]).toMatchObject({ codec: 'mp3', audio: { sampleRate: 44_100 } });
    expect(framesOf(events)[0]?.payload).toEqual(frame);
  });
});

describe('TsDemuxer tables', () => {
  const none = new Uint8Array(0);

  it('are checked by CRC', () => {
    const broken = Uint8Array.from(STREAM);
    broken[10] = broken[10]! ^ 1;
    const events = demux([broken]);
    expect(reasonsOf(events)[0]).toBe('bad-section-crc');
    // The next tables stand before the next key frame.
    expect(framesOf(events)).toHaveLength(1);
  });

  it('may change: what goes is told, what stays goes on, what is new begins', () => {
    const muxer = new TsMuxer([H264, AAC]);
    const before = CLIP.slice(0, 5).map((frame) => muxer.mux(frame));
    muxer.setTracks([H264, OPUS]);
    const opus = { ...audio(200_000, 9, OPUS), payload: new Uint8Array(9).fill(0xf8) };
    const events = demux([...before, muxer.mux(opus), muxer.mux(video(240_000, false))]);
    expect(reasonsOf(events)).toEqual([]);
    expect(tracksOf(events).map((track) => track.codec)).toEqual(['h264', 'aac', 'opus']);
    expect(events.find((event) => event.type === 'end-of-sequence')).toMatchObject({ track: { codec: 'aac' } });
    expect(framesOf(events).at(-1)?.track).toBe(tracksOf(events)[0]);
  });

  it('tell of streams that are not read', () => {
    const events = demux([new HandMade(0x06).pes(0, none).finish()]);
    expect(reasonsOf(events)).toEqual(['unknown-stream-type']);
  });

  it('with more streams than are followed are followed in part', () => {
    const streams = Array.from({ length: 40 }, (_, i) => ({ pid: 0x100 + i, streamType: 0x0f, descriptors: none }));
    const events = demux([new HandMade(0x0f).section(0x20, pmt(streams, 1), 1).finish()]);
    expect(reasonsOf(events)).toEqual(['too-many-streams']);
  });

  it('let a program be chosen', () => {
    const two = (chosen: number | undefined): Track[] => {
      const stream = new HandMade(0x0f);
      const pat = writeProgramAssociationSection(1, [
        { programNumber: 7, pmtPid: 0x40 },
        { programNumber: 1, pmtPid: 0x20 },
      ]);
      stream.section(0, pat, 1).section(0x40, pmt([{ pid: 0x31, streamType: 0x0f, descriptors: none }], 0, 7));
      stream
        .section(0x20, pmt([{ pid: 0x30, streamType: 0x0f, descriptors: none }]), 1)
        .pes(0, adts(new Uint8Array(5)));
      return tracksOf(demux([stream.finish()], chosen === undefined ? {} : { programNumber: chosen }));
    };
    expect(two(1)).toHaveLength(1);
    expect(two(7)).toHaveLength(0);
    expect(two(9)).toHaveLength(0);
  });
});

describe('TsDemuxer limits', () => {
  it('drop a video unit over the limit and go on', () => {
    const frames = [video(0, true, 500), video(40_000, false, 100_000), video(80_000, false, 500)];
    const events = demux([mux(frames, [H264])], { maxPesSizeBytes: 50_000 });
    expect(reasonsOf(events)).toEqual(['pes-too-large']);
    expect(framesOf(events)).toHaveLength(2);
  });

  it('drop a unit that is shorter than it says', () => {
    const packets = Array.from({ length: STREAM.length / 188 }, (_, i) => STREAM.subarray(i * 188, (i + 1) * 188));
    // Cut short by the end of the stream.
    const events = demux(packets.slice(0, -1));
    expect(reasonsOf(events)).toEqual(['pes-cut-short']);
    expect(framesOf(events)).toHaveLength(CLIP.length - 1);
  });

  it.each([
    ['scrambled-packet', 3, 0xc0],
    ['transport-error', 1, 0x80],
  ])('drop packets with %s', (reason, at, flag) => {
    const muxer = new TsMuxer([AAC]);
    const pieces = [0, 20_000, 40_000].map((us) => Uint8Array.from(muxer.mux(audio(us))));
    pieces[1]![at] = pieces[1]![at]! | flag;
    const events = demux(pieces);
    expect(reasonsOf(events)[0]).toBe(reason);
    expect(framesOf(events)).toHaveLength(2);
  });
});

describe('TsDemuxer video', () => {
  it('drops pictures before parameter sets and units without pictures', () => {
    const events = demux([mux([video(0, false), video(40_000, true), video(80_000, false)], [H264])]);
    expect(reasonsOf(events)).toEqual(['frame-before-config']);
    expect(framesOf(events)).toHaveLength(2);
  });

  it('tells changed parameter sets once', () => {
    const config = Uint8Array.from(H264.config);
    config[config.length - 1] = 0x21;
    const newer: Track = { ...H264, config };
    const frames = [0, 1, 2, 3].map((i) => ({ ...video(i * 40_000, true), track: i < 2 ? H264 : newer }));
    expect(tracksOf(demux([mux(frames, [H264])])).map((track) => track.config)).toEqual([H264.config, newer.config]);
  });
});
