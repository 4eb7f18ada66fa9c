/**
 * The server gives the memory behind a read back as soon as the read is handled (`releaseBytes`): whatever of it is still
 * in use then would be empty. So a publisher's whole way from the socket to the viewers runs twice, with input that is
 * taken away after each read and with input that stays, and all viewers must get the same bytes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/codec/frame.ts';
import { FlvReader } from '../../../src/format/flv/flv-reader.ts';
import { releaseBytes } from '../../../src/io/release-bytes.ts';
import type { ContainerWriter } from '../../../src/media/container-writer.ts';
import { FlvIngest } from '../../../src/media/flv-ingest.ts';
import { AdtsContainerWriter, Mp3ContainerWriter } from '../../../src/media/renditions/audio-rendition.ts';
import { FlvContainerWriter } from '../../../src/media/renditions/flv-rendition.ts';
import { RtmpContainerWriter } from '../../../src/media/renditions/rtmp-rendition.ts';
import { TsContainerWriter } from '../../../src/media/renditions/ts-rendition.ts';
import { Stream } from '../../../src/media/stream.ts';
import type { StreamHeader } from '../../../src/media/stream-header.ts';
import { RAW_FRAMING } from '../../../src/media/viewer.ts';
import { AmfEcmaArray, AmfObject, type AmfValue } from '../../../src/protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../../../src/protocol/amf/amf0-writer.ts';
import { writeAmf3Values } from '../../../src/protocol/amf/amf3-writer.ts';
import type { RtmpServerEvent } from '../../../src/protocol/rtmp/server-events.ts';
import { RtmpServerSession } from '../../../src/protocol/rtmp/server-session.ts';
import { FakeClock, FakeSink, LIVE, PUBLISHER } from '../../media-test-kit.ts';
import { connectObject, joinBytes, Speaker, testCrypto } from '../../rtmp-test-kit.ts';

const FIXTURE = join(import.meta.dirname, '../../fixtures/bbb.flv');
const ALL = { audio: true, video: true, multitrack: true };

const WRITERS: Readonly<Record<string, () => ContainerWriter>> = {
  flv: () => new FlvContainerWriter(ALL),
  rtmp: () => new RtmpContainerWriter({ selection: ALL, messageStreamId: 1, chunkSize: 60_000 }),
  ts: () => new TsContainerWriter(ALL),
  aac: () => new AdtsContainerWriter(),
  mp3: () => new Mp3ContainerWriter(),
};

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const noise = (seed: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (Math.imul(seed + i, 2_654_435_761) >>> 13) & 0xff);

/** Enhanced RTMP v2 video: one track of several, `packetType` 0 configuration, 1 frame, 4 metadata. */
function extraVideo(packetType: number, trackId: number, fourCc: string, body: Uint8Array, isKey = true): Uint8Array {
  const head = Uint8Array.of(0x80 | ((isKey ? 1 : 2) << 4) | 6, packetType);
  return joinBytes([head, ascii(fourCc), Uint8Array.of(trackId), body]);
}

/** The same for audio: `packetType` 0 configuration, 1 frame. */
function extraAudio(packetType: number, trackId: number, fourCc: string, body: Uint8Array): Uint8Array {
  return joinBytes([Uint8Array.of(0x95, packetType), ascii(fourCc), Uint8Array.of(trackId), body]);
}

/**
 * What else a publisher may send, `round` after round: more tracks, codecs passed through, every kind of data.
 * `audio` begins a frame of the first audio track.
 */
function extras(round: number, audio: readonly number[]): readonly (readonly [typeId: number, body: Uint8Array])[] {
  const values: AmfValue = new AmfObject([
    ['text', `cue ${round}`],
    ['list', [round, null, 'x'.repeat(200)]],
  ]);
  const details = new AmfEcmaArray([
    ['encoder', `test ${round}`],
    // Kept beside those of later rounds.
    [`bytes ${round % 3}`, noise(round, 40)],
    ['nested', values],
  ]);
  const colors = writeAmf0Values(['colorInfo', new AmfObject([['hdrCll', round]])]);
  const inAggregate = [...audio, ...noise(round, 60)];
  const aggregate = [0, 1].flatMap((i) => [
    8,
    0,
    0,
    inAggregate.length,
    0,
    0,
    i,
    0,
    0,
    0,
    0,
    ...inAggregate,
    0,
    0,
    0,
    0,
  ]);
  return [
    [18, writeAmf0Values(['@setDataFrame', 'onMetaData', details])],
    [18, writeAmf0Values(['onCuePoint', values])],
    [15, joinBytes([Uint8Array.of(0), writeAmf0Values(['onTextData', values])])],
    [15, writeAmf3Values(['onTextData', details])],
    [9, extraVideo(0, 1, 'av01', Uint8Array.of(0x81, 0, 0x0c, round & 1))],
    [9, extraVideo(4, 1, 'av01', colors)],
    [9, extraVideo(1, 1, 'av01', noise(round, 300))],
    [9, extraVideo(1, 2, 'vp09', joinBytes([Uint8Array.of(0x82, 0x49, 0x83, 0x42, 0, 0x77), noise(round, 100)]))],
    [9, extraVideo(1, 2, 'vp09', noise(round, 100), false)],
    [
      8,
      extraAudio(0, 1, 'Opus', joinBytes([ascii('OpusHead'), Uint8Array.of(1, 2, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0)])),
    ],
    [8, extraAudio(1, 1, 'Opus', noise(round, 90))],
    [
      8,
      extraAudio(
        1,
        2,
        '.mp3',
        joinBytes([Uint8Array.of(0xff, 0xfb, 0x90 | ((round & 1) << 2), 0x64), noise(round, 413)]),
      ),
    ],
    [22, Uint8Array.from(aggregate)],
  ];
}

/** How frames of the first audio track begin. */
const AUDIO = { aac: [0xaf, 1], speex: [0xb2], mp3: [0x2f, 0xff, 0xfb, 0x90, 0x64] } as const;

/** Everything a publisher sends: with AAC the clip's first seconds with extras between, or those alone. */
function publisherBytes(audio: keyof typeof AUDIO): Uint8Array {
  const say = new Speaker();
  const out: Uint8Array[] = [new Uint8Array(1 + 2 * 1536).fill(3, 0, 1)];
  out.push(say.command(0, 'connect', 1, connectObject({ pageUrl: 'http://page/', capsEx: 2 })));
  // Both in front of the answer to connect, where they are held.
  out.push(say.command(0, 'createStream', 2, null), say.command(1, 'publish', 3, null, 'name?key=k', 'live'));
  out.push(say.control({ type: 'set-chunk-size', sizeBytes: 3000 }));
  let round = 0;
  const sendExtras = (timestamp: number): void => {
    for (const [typeId, body] of extras(round, AUDIO[audio])) out.push(say.message(typeId, 1, timestamp, body));
    round++;
  };
  sendExtras(0);
  if (audio === 'aac') {
    for (const event of new FlvReader().receive(new Uint8Array(readFileSync(FIXTURE)))) {
      if (event.type !== 'tag' || event.timestamp > 4000) continue;
      out.push(say.message(event.typeId, 1, event.timestamp, event.body));
      if (out.length % 40 === 0) sendExtras(event.timestamp);
    }
  } else for (let i = 1; i < 40; i++) sendExtras(i * 40);
  return joinBytes(out);
}

interface Run {
  readonly frames: number;
  readonly counters: unknown;
  readonly viewers: Readonly<Record<string, Uint8Array>>;
}

/** Publishes `bytes` in reads of `readBytes` to viewers of every container, some there from the start, some at the end. */
function run(
  bytes: Uint8Array,
  options: {
    readonly isLent: boolean;
    readonly readBytes: number;
    readonly mixCorrect: boolean;
    readonly writers?: typeof WRITERS;
  },
): Run {
  const clock = new FakeClock();
  const name = { vhost: 'v', app: 'live', stream: 'name' };
  const settings = { ...LIVE, mixCorrect: options.mixCorrect, maxSocketBufferBytes: 1e9 };
  const stream = new Stream(name, settings, clock, (error) => {
    throw error;
  });
  const session = new RtmpServerSession({
    crypto: testCrypto(),
    nowMs: 0,
    serverVersion: 'test',
    ownsInput: options.isLent,
  });
  const sinks = new Map<string, FakeSink>();
  const watchAll = (when: string): void => {
    for (const [rendition, makeWriter] of Object.entries(options.writers ?? WRITERS)) {
      const sink = new FakeSink();
      sinks.set(`${rendition} ${when}`, sink);
      stream.view({ rendition, makeWriter, framing: RAW_FRAMING, sink, secondsAgo: 60 }).start();
    }
  };
  let ingest: FlvIngest | undefined;
  let isDeciding = false;
  const perform = (events: readonly RtmpServerEvent[]): void => {
    for (const event of events) {
      if (event.type === 'failed') throw event.error;
      if (event.type === 'connect') isDeciding = true;
      if (event.type === 'publish') {
        ingest = new FlvIngest(stream.publish(PUBLISHER, () => undefined));
        perform(session.acceptPublish(event.messageStreamId));
      }
      if (event.type === 'message') ingest!.push(event.typeId, event.timestamp, event.payload);
    }
  };
  watchAll('from the start');
  for (let at = 0; at < bytes.length; ) {
    // Not more in the first one than may be held until connect is answered.
    const read = bytes.slice(at, at + Math.min(options.readBytes, at === 0 ? 8000 : Number.POSITIVE_INFINITY));
    at += read.length;
    perform(session.receive(read, clock.nowMs()));
    if (options.isLent) releaseBytes(read);
    if (isDeciding) perform(session.acceptConnect());
    isDeciding = false;
    clock.advance(20);
  }
  watchAll('at the end');
  clock.advance(1000);
  expect(session.connectRequest?.pageUrl).toBe('http://page/');
  const viewers = Object.fromEntries([...sinks].map(([who, sink]) => [who, joinBytes(sink.writes)]));
  const { ignored, malformed } = ingest!.counters;
  const result = { frames: stream.log.head, counters: { ignored, malformed }, viewers };
  stream.close();
  return result;
}

describe('input that is only lent', () => {
  it.each([
    { audio: 'aac', readBytes: 65_536, mixCorrect: false },
    { audio: 'aac', readBytes: 1460, mixCorrect: false },
    { audio: 'aac', readBytes: 30_000, mixCorrect: true },
    { audio: 'speex', readBytes: 65_536, mixCorrect: false },
    { audio: 'speex', readBytes: 333, mixCorrect: true },
    { audio: 'mp3', readBytes: 10_000, mixCorrect: false },
  ] as const)('gives every viewer the same as input that stays: %j', ({ audio, readBytes, mixCorrect }) => {
    const bytes = publisherBytes(audio);
    const kept = run(bytes, { isLent: false, readBytes, mixCorrect });
    const lent = run(bytes, { isLent: true, readBytes, mixCorrect });
    expect(kept.frames).toBeGreaterThan(300);
    expect(lent.frames).toBe(kept.frames);
    expect(lent.counters).toEqual(kept.counters);
    for (const [who, expected] of Object.entries(kept.viewers)) {
      expect(Buffer.compare(lent.viewers[who]!, expected), who).toBe(0);
    }
    const filled = Object.keys(kept.viewers).filter((who) => kept.viewers[who]!.length > 4000);
    const containers = new Set(filled.map((who) => who.split(' ')[0]!));
    expect([...containers]).toEqual(['flv', 'rtmp', 'ts', ...(audio === 'speex' ? [] : [audio])]);
  });
});

describe('frames that are only lent by the log', () => {
  it.each(Object.keys(WRITERS))('are copied into what %s makes of them', (container) => {
    const bytes = publisherBytes(container === 'mp3' ? 'mp3' : 'aac');
    const write = (isLent: boolean): Uint8Array => {
      const writer = WRITERS[container]!();
      const made: Uint8Array[] = [];
      const observed = {
        writeHeader: (header: StreamHeader, dtsUs: number) => writer.writeHeader(header, dtsUs),
        writeHeaderUpdate: (header: StreamHeader, dtsUs: number) => writer.writeHeaderUpdate(header, dtsUs),
        writeFrame: (frame: Frame, header: StreamHeader) => {
          const payload = frame.payload.slice();
          made.push(writer.writeFrame({ ...frame, payload }, header));
          if (isLent) payload.fill(0xee);
          return made[made.length - 1]!;
        },
      };
      run(bytes, { isLent: false, readBytes: 65_536, mixCorrect: false, writers: { [container]: () => observed } });
      return joinBytes(made);
    };
    expect(Buffer.compare(write(true), write(false))).toBe(0);
  });
});
