import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/codec/frame.ts';
import type { Track } from '../../../src/codec/track.ts';
import { FlvDemuxer } from '../../../src/format/flv/flv-demuxer.ts';
import { FlvReader } from '../../../src/format/flv/flv-reader.ts';
import { TsDemuxer } from '../../../src/format/mpegts/ts-demuxer.ts';
import type { ContainerWriter } from '../../../src/media/container-writer.ts';
import { FlvIngest } from '../../../src/media/flv-ingest.ts';
import { writeOnMetaData } from '../../../src/media/metadata.ts';
import { AdtsContainerWriter, Mp3ContainerWriter } from '../../../src/media/renditions/audio-rendition.ts';
import { FlvContainerWriter } from '../../../src/media/renditions/flv-rendition.ts';
import { RtmpContainerWriter } from '../../../src/media/renditions/rtmp-rendition.ts';
import { TsContainerWriter } from '../../../src/media/renditions/ts-rendition.ts';
import {
  DEFAULT_SELECTION,
  EMPTY_STREAM_HEADER,
  type StreamHeader,
  type TrackSelection,
  withTrack,
} from '../../../src/media/stream-header.ts';
import { StreamHub } from '../../../src/media/stream-hub.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import { ChunkReader } from '../../../src/protocol/rtmp/chunk-reader.ts';
import type { RtmpMessage } from '../../../src/protocol/rtmp/rtmp-message.ts';
import { DATA_TRACK, FakeClock, LIVE, PUBLISHER } from '../../media-test-kit.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const AVC_CONFIG = '0142c01effe1000a6742c01ed900a02ff97001000468ce3c80';

const H264: Track = { kind: 'video', trackId: 0, codec: 'h264', config: bytes(AVC_CONFIG) };
const H264_CHANGED: Track = {
  ...H264,
  config: bytes(AVC_CONFIG.replace('42c01e', '42c01f').replace('42c01e', '42c01f')),
};
const AAC: Track = { kind: 'audio', trackId: 0, codec: 'aac', config: bytes('1210') };
const SECOND_AAC: Track = { ...AAC, trackId: 1 };
const HEVC_ONE: Track = { kind: 'video', trackId: 1, codec: 'h265', config: bytes('01'.repeat(23)) };
const SPEEX: Track = { kind: 'audio', trackId: 0, codec: 'speex', config: new Uint8Array(0) };
const MP3: Track = { kind: 'audio', trackId: 0, codec: 'mp3', config: new Uint8Array(0) };

const headerOf = (...tracks: Track[]): StreamHeader => tracks.reduce(withTrack, EMPTY_STREAM_HEADER);
const METADATA = writeOnMetaData(new Map([['title', 'clip']]))!;

/** A slice of one NAL unit, length in front: IDR or not. */
function videoFrame(track: Track, ms: number, isKeyFrame: boolean): Frame {
  const payload = bytes(`00000003${isKeyFrame ? '65' : '41'}88${(ms % 256).toString(16).padStart(2, '0')}`);
  return { track, dtsUs: ms * 1000, ptsUs: (ms + 40) * 1000, isKeyFrame, payload };
}

function audioFrame(track: Track, ms: number): Frame {
  return { track, dtsUs: ms * 1000, ptsUs: ms * 1000, isKeyFrame: true, payload: Uint8Array.of(0xb6, ms % 256) };
}

interface Told {
  readonly flags: string | undefined;
  /** `track video 0`, `repeated video 0`, `metadata`, `frame video 0 40`, `data`. */
  readonly events: string[];
  readonly frames: Frame[];
}

function describeEvents(
  demuxer: FlvDemuxer,
  messages: readonly { typeId: number; timestamp: number; body: Uint8Array }[],
): Told {
  const events: string[] = [];
  const frames: Frame[] = [];
  for (const { typeId, timestamp, body } of messages) {
    for (const event of demuxer.demux(typeId as 8 | 9 | 18, timestamp, body)) {
      if (event.type === 'frame') {
        frames.push(event.frame);
        const { track, dtsUs } = event.frame;
        events.push(`frame ${track.kind} ${track.trackId} ${dtsUs / 1000}`);
      } else if (event.type === 'track') events.push(`track ${event.track.kind} ${event.track.trackId} @${timestamp}`);
      else if (event.type === 'repeated-config') events.push(`repeated ${event.track.kind} ${event.track.trackId}`);
      else if (event.type === 'data') events.push('data');
      else if (event.type === 'metadata') events.push(`metadata @${timestamp}`);
      else events.push(event.type);
    }
  }
  return { flags: undefined, events, frames };
}

function readFlv(pieces: readonly Uint8Array[]): Told {
  const reader = new FlvReader();
  let flags = '';
  const tags = pieces
    .flatMap((piece) => reader.receive(piece))
    .flatMap((event) => {
      if (event.type === 'header') flags = `${event.hasAudio ? 'a' : ''}${event.hasVideo ? 'v' : ''}`;
      return event.type === 'tag' ? event : [];
    });
  return { ...describeEvents(new FlvDemuxer(), tags), flags };
}

function readRtmp(pieces: readonly Uint8Array[], chunkSize: number): Told & { readonly messages: RtmpMessage[] } {
  const reader = new ChunkReader();
  reader.chunkSize = chunkSize;
  const messages: RtmpMessage[] = [];
  for (const piece of pieces) expect(reader.receive(piece, (message) => messages.push(message))).toBeUndefined();
  expect(reader.partialBytes).toBe(0);
  const told = describeEvents(
    new FlvDemuxer(),
    messages.map(({ typeId, timestamp, payload }) => ({ typeId, timestamp, body: payload })),
  );
  return { ...told, messages };
}

interface Reading {
  readonly name: string;
  readonly make: (selection: TrackSelection) => ContainerWriter;
  readonly read: (pieces: readonly Uint8Array[]) => Told;
}

const FLV_LIKE: readonly Reading[] = [
  { name: 'FLV', make: (selection) => new FlvContainerWriter(selection), read: readFlv },
  ...[128, 60_000].map((chunkSize) => ({
    name: `RTMP in chunks of ${chunkSize}`,
    make: (selection: TrackSelection) => new RtmpContainerWriter({ selection, messageStreamId: 1, chunkSize }),
    read: (pieces: readonly Uint8Array[]) => readRtmp(pieces, chunkSize),
  })),
];

describe.each(FLV_LIKE)('$name', ({ make, read }) => {
  it('begins with metadata at 0 and the sequence headers at the time of the first frame', () => {
    const writer = make(DEFAULT_SELECTION);
    const header = { ...headerOf(AAC, H264), metadata: METADATA };
    const told = read([
      writer.writeHeader(header, 5_000_000),
      writer.writeFrame(videoFrame(H264, 5_000, true), header),
    ]);
    expect(told.events).toEqual(['metadata @0', 'track video 0 @5000', 'track audio 0 @5000', 'frame video 0 5000']);
  });

  it('gives frames back bit for bit, with composition times, across the wrap of the timestamp', () => {
    const writer = make(DEFAULT_SELECTION);
    const header = headerOf(AAC, H264);
    const input = [2 ** 32 - 40, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 40, 16_777_214, 16_777_215, 16_777_216].flatMap(
      (ms) => [videoFrame(H264, ms, ms % 2 === 0), audioFrame(AAC, ms)],
    );
    const { frames } = read([writer.writeHeader(header, 0), ...input.map((frame) => writer.writeFrame(frame, header))]);
    const shape = ({ track, dtsUs, ptsUs, isKeyFrame, payload }: Frame): unknown => {
      return [track.codec, (dtsUs / 1000) % 2 ** 32, ptsUs - dtsUs, isKeyFrame, [...payload]];
    };
    expect(frames.map(shape)).toEqual(input.map(shape));
  });

  it('announces a changed track once, in front of the first frame under the new header', () => {
    const writer = make(DEFAULT_SELECTION);
    const before = headerOf(AAC, H264);
    const after = withTrack(before, H264_CHANGED);
    const pieces = [
      writer.writeHeader(before, 0),
      writer.writeFrame(videoFrame(H264, 0, true), before),
      writer.writeFrame(audioFrame(AAC, 10), after),
      writer.writeFrame(videoFrame(H264_CHANGED, 40, true), after),
      writer.writeFrame(audioFrame(AAC, 50), after),
    ];
    expect(read(pieces).events.slice(2)).toEqual([
      'frame video 0 0',
      'track video 0 @10',
      'frame audio 0 10',
      'frame video 0 40',
      'frame audio 0 50',
    ]);
  });

  it('says new metadata and repeated headers once each, and nothing for a header that only lost a track', () => {
    const writer = make(DEFAULT_SELECTION);
    const first = headerOf(AAC, H264);
    const second = { ...first, metadata: METADATA };
    const third = withTrack(second, { ...H264 });
    const fourth = { ...third, tracks: [third.tracks[0]!] };
    const headers = [first, second, second, third, fourth];
    const pieces = [
      writer.writeHeader(first, 0),
      ...headers.map((header, i) => writer.writeFrame(videoFrame(H264, i * 40, true), header)),
    ];
    expect(read(pieces).events.slice(2)).toEqual([
      'frame video 0 0',
      'metadata @0',
      'frame video 0 40',
      'frame video 0 80',
      'repeated video 0',
      'frame video 0 120',
      'frame video 0 160',
    ]);
  });

  it('is made without changing the writer when a header is asked for', () => {
    const asked = make(DEFAULT_SELECTION);
    const plain = make(DEFAULT_SELECTION);
    const header = headerOf(AAC, H264);
    const other = withTrack(header, H264_CHANGED);
    for (const writer of [asked, plain]) writer.writeFrame(videoFrame(H264, 0, true), header);
    asked.writeHeader(other, 0);
    asked.writeHeaderUpdate(other, 0);
    expect(asked.writeFrame(audioFrame(AAC, 10), header)).toEqual(plain.writeFrame(audioFrame(AAC, 10), header));
  });

  it.each<[Partial<TrackSelection>, string[]]>([
    [{}, ['frame video 0 0', 'frame audio 0 0']],
    [{ multitrack: true }, ['frame video 0 0', 'frame video 1 0', 'frame audio 0 0', 'frame audio 1 0']],
    [{ video: false }, ['frame audio 0 0']],
    [{ audio: false, multitrack: true }, ['frame video 0 0', 'frame video 1 0']],
  ])('with %j carries %j, announces nothing else, and data always', (change, expected) => {
    const writer = make({ ...DEFAULT_SELECTION, ...change });
    const header = headerOf(H264, HEVC_ONE, AAC, SECOND_AAC);
    const data: Frame = { ...audioFrame(DATA_TRACK, 0), payload: bytes('0200 0161') };
    const input = [
      videoFrame(H264, 0, true),
      videoFrame(HEVC_ONE, 0, true),
      audioFrame(AAC, 0),
      audioFrame(SECOND_AAC, 0),
      data,
    ];
    const { events } = read([writer.writeHeader(header, 0), ...input.map((frame) => writer.writeFrame(frame, header))]);
    expect(events.filter((event) => event.startsWith('frame'))).toEqual(expected);
    expect(events.filter((event) => event.startsWith('track')).length).toBe(expected.length);
    expect(events.at(-1)).toBe('data');
  });

  it('does not announce a change of a track it leaves out', () => {
    const writer = make({ ...DEFAULT_SELECTION, video: false });
    const before = headerOf(AAC, H264);
    const pieces = [
      writer.writeHeader(before, 0),
      writer.writeFrame(audioFrame(AAC, 0), before),
      writer.writeFrame(audioFrame(AAC, 10), withTrack(before, H264_CHANGED)),
    ];
    expect(read(pieces).events).toEqual(['track audio 0 @0', 'frame audio 0 0', 'frame audio 0 10']);
  });

  it('carries opaque codecs untouched and without a sequence header', () => {
    const writer = make(DEFAULT_SELECTION);
    const header = headerOf(SPEEX);
    const frame = { ...audioFrame(SPEEX, 0), payload: bytes('b6 010203') };
    const { events, frames } = read([writer.writeHeader(header, 0), writer.writeFrame(frame, header)]);
    expect(events).toEqual(['track audio 0 @0', 'frame audio 0 0']);
    expect([frames[0]!.track.codec, frames[0]!.payload]).toEqual(['speex', frame.payload]);
  });
});

describe('FLV header flags', () => {
  it.each<[string, Track[], Partial<TrackSelection>]>([
    ['av', [AAC, H264], {}],
    ['v', [H264], {}],
    ['a', [AAC], {}],
    ['av', [], {}],
    ['a', [], { video: false }],
    ['v', [AAC, H264], { audio: false }],
    ['a', [AAC, H264], { video: false }],
    ['a', [AAC, HEVC_ONE], {}],
  ])('are %s for what is known and asked for', (flags, tracks, change) => {
    const writer = new FlvContainerWriter({ ...DEFAULT_SELECTION, ...change });
    expect(readFlv([writer.writeHeader(headerOf(...tracks), 0)]).flags).toBe(flags);
  });

  it('stand only at the very start', () => {
    const writer = new FlvContainerWriter(DEFAULT_SELECTION);
    const header = headerOf(AAC, H264);
    const pieces = [
      writer.writeHeader(header, 0),
      writer.writeFrame(videoFrame(H264, 0, true), header),
      writer.writeHeaderUpdate(withTrack(header, H264_CHANGED), 80_000),
    ];
    expect(readFlv(pieces).events.slice(3)).toEqual(['track video 0 @80', 'repeated audio 0']);
  });
});

describe('RTMP messages', () => {
  it('go on the message stream they were asked for, each with a full header', () => {
    const writer = new RtmpContainerWriter({ selection: DEFAULT_SELECTION, messageStreamId: 7, chunkSize: 128 });
    const header = { ...headerOf(AAC, H264), metadata: METADATA };
    const pieces = [
      writer.writeHeader(header, 0),
      writer.writeFrame(videoFrame(H264, 0, true), header),
      writer.writeFrame(audioFrame(AAC, 0), header),
    ];
    const { messages } = readRtmp(pieces, 128);
    expect(messages.map(({ typeId, messageStreamId }) => [typeId, messageStreamId])).toEqual([
      [18, 7],
      [9, 7],
      [8, 7],
      [9, 7],
      [8, 7],
    ]);
    // A viewer that comes later starts with any of the pieces.
    for (const piece of pieces.slice(1)) expect(readRtmp([piece], 128).messages.length).toBe(1);
  });
});

describe('MPEG-TS', () => {
  function readTs(pieces: readonly Uint8Array[]): string[] {
    const demuxer = new TsDemuxer();
    return [...pieces.flatMap((piece) => demuxer.receive(piece)), ...demuxer.flush()].flatMap((event) => {
      if (event.type === 'frame') return [`${event.frame.track.codec} ${event.frame.isKeyFrame ? 'key' : 'other'}`];
      return event.type === 'track' ? [`track ${event.track.codec}`] : event.type === 'malformed' ? [event.reason] : [];
    });
  }
  const hasTables = (piece: Uint8Array): boolean => piece[1] === 0x40 && piece[2] === 0;

  it('has no header, and tables in front of every key frame', () => {
    const writer = new TsContainerWriter(DEFAULT_SELECTION);
    const header = headerOf(AAC, H264);
    expect([writer.writeHeader().length, writer.writeHeaderUpdate().length]).toEqual([0, 0]);
    const pieces = [
      videoFrame(H264, 0, true),
      audioFrame(AAC, 10),
      videoFrame(H264, 40, false),
      videoFrame(H264, 80, true),
    ].map((frame) => writer.writeFrame(frame, header));
    expect(pieces.map(hasTables)).toEqual([true, false, false, true]);
    expect(pieces.every((piece) => piece.length % 188 === 0)).toBe(true);
  });

  it('gives the tables anew when a track comes, changes codec or goes, not when a configuration is repeated', () => {
    const writer = new TsContainerWriter(DEFAULT_SELECTION);
    const onlyVideo = headerOf(H264);
    const both = headerOf(H264, AAC);
    const repeated = withTrack(both, { ...AAC });
    const withMp3 = headerOf(H264, MP3);
    const mp3Frame = { ...audioFrame(MP3, 80), payload: bytes('fffb9064 00') };
    const pieces = [
      writer.writeFrame(videoFrame(H264, 0, true), onlyVideo),
      writer.writeFrame(videoFrame(H264, 10, false), onlyVideo),
      writer.writeFrame(audioFrame(AAC, 20), both),
      writer.writeFrame(audioFrame(AAC, 40), repeated),
      writer.writeFrame(videoFrame(H264, 60, false), repeated),
      writer.writeFrame(mp3Frame, withMp3),
      writer.writeFrame(videoFrame(H264, 100, false), withMp3),
      writer.writeFrame(videoFrame(H264, 120, false), onlyVideo),
    ];
    expect(pieces.map(hasTables)).toEqual([true, false, true, false, false, true, false, true]);
  });

  it('follows a selection, and carries neither data nor what it has no form for', () => {
    const header = headerOf(H264, AAC, SECOND_AAC);
    const audio = new TsContainerWriter({ ...DEFAULT_SELECTION, video: false });
    expect(audio.writeFrame(videoFrame(H264, 0, true), header).length).toBe(0);
    expect(audio.writeFrame(audioFrame(SECOND_AAC, 0), header).length).toBe(0);
    expect(audio.writeFrame(audioFrame(DATA_TRACK, 0), header).length).toBe(0);
    expect(readTs([audio.writeFrame(audioFrame(AAC, 0), header)])).toEqual(['track aac', 'aac key']);
    const speex = new TsContainerWriter(DEFAULT_SELECTION);
    expect(speex.writeFrame({ ...audioFrame(SPEEX, 0), payload: bytes('b601') }, headerOf(SPEEX)).length).toBe(0);
  });

  it('is read back as the frames that were written', () => {
    const writer = new TsContainerWriter(DEFAULT_SELECTION);
    const header = headerOf(AAC, H264);
    const frames = [videoFrame(H264, 0, true), audioFrame(AAC, 10), videoFrame(H264, 40, false), audioFrame(AAC, 50)];
    const told = readTs(frames.map((frame) => writer.writeFrame(frame, header)));
    expect([...told].sort()).toEqual(['aac key', 'aac key', 'h264 key', 'h264 other', 'track aac', 'track h264']);
  });
});

describe('bare audio', () => {
  it('is ADTS of the default AAC track, and nothing else', () => {
    const writer = new AdtsContainerWriter();
    const adts = writer.writeFrame(audioFrame(AAC, 0));
    expect([adts[0], adts[1]! & 0xf0, adts.length]).toEqual([0xff, 0xf0, 9]);
    for (const frame of [videoFrame(H264, 0, true), audioFrame(SECOND_AAC, 0), audioFrame(MP3, 0)]) {
      expect(writer.writeFrame(frame).length).toBe(0);
    }
    expect([writer.writeHeader().length, writer.writeHeaderUpdate().length]).toEqual([0, 0]);
  });

  it('is MP3 frames as they are, and nothing else', () => {
    const writer = new Mp3ContainerWriter();
    const frame = { ...audioFrame(MP3, 0), payload: bytes('fffb906400') };
    expect(writer.writeFrame(frame)).toEqual(frame.payload);
    expect(writer.writeFrame(audioFrame(AAC, 0)).length).toBe(0);
  });
});

describe('FlvIngest', () => {
  function ingest(): { readonly stream: ReturnType<StreamHub['getOrCreate']>; readonly ingest: FlvIngest } {
    const hub = new StreamHub({ clock: new FakeClock(), settingsFor: () => LIVE });
    const stream = hub.getOrCreate({ vhost: DEFAULT_VHOST, app: 'live', stream: 'a' });
    return { stream, ingest: new FlvIngest(stream.publish(PUBLISHER, () => undefined)) };
  }

  it('puts tracks, metadata, frames and data messages into the stream', () => {
    const { stream, ingest: into } = ingest();
    into.push(18, 0, METADATA);
    into.push(9, 0, bytes(`1700000000${AVC_CONFIG}`));
    into.push(8, 0, bytes('af001210'));
    into.push(9, 0, bytes('1701000000 00000001 65'));
    into.push(8, 10, bytes('af01 b600'));
    into.push(18, 20, bytes('02000a 6f6e4375 65506f69 6e74 05'));
    expect(stream.header.tracks.map(({ codec }) => codec)).toEqual(['h264', 'aac']);
    expect(stream.header.metadata).toBeDefined();
    const kinds = Array.from({ length: stream.log.head }, (_, i) => stream.log.at(i)!.track.kind);
    expect(kinds).toEqual(['video', 'audio', 'data']);
    expect([into.counters.ignored.size, into.counters.malformed.size]).toEqual([0, 0]);
  });

  it('counts what comes to nothing by reason', () => {
    const { stream, ingest: into } = ingest();
    into.push(9, 0, bytes('1701000000 00000001 65'));
    into.push(9, 0, bytes('5700'));
    into.push(9, 0, bytes('57'));
    into.push(9, 0, bytes('17'));
    into.push(8, 0, bytes(''));
    into.push(18, 0, writeOnMetaData(new Map([['a', 'x'.repeat(200_000)]]))!);
    into.push(18, 0, writeOnMetaData(new Map([['b', 'x'.repeat(200_000)]]))!);
    expect(Object.fromEntries(into.counters.ignored)).toEqual({
      'frame-before-config': 1,
      'video-command': 2,
      'empty-message': 1,
      'metadata-too-large': 1,
    });
    expect(Object.fromEntries(into.counters.malformed)).toEqual({ 'truncated-header': 1 });
    expect(stream.log.head).toBe(0);
  });
});
