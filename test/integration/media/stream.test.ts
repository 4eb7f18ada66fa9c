import { describe, expect, it } from 'vitest';
import { RENDITION_IDLE_MS } from '../../../src/media/audience.ts';
import type { Stream } from '../../../src/media/stream.ts';
import { HOUSEKEEPING_MS, STREAM_IDLE_MS, StreamHub } from '../../../src/media/stream-hub.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import type { StreamSettings } from '../../../src/media/stream-settings.ts';
import { parseAmf0 } from '../../../src/protocol/amf/amf0-reader.ts';
import {
  AUDIO,
  DATA_TRACK,
  FakeClock,
  FakeSink,
  frame,
  LIVE,
  PUBLISHER,
  TextWriter,
  track,
  VIDEO,
  VideoSource,
  watch,
} from '../../media-test-kit.ts';

const NAME = { vhost: DEFAULT_VHOST, app: 'live', stream: 'a' };

interface Scene {
  readonly clock: FakeClock;
  readonly hub: StreamHub;
  readonly stream: Stream;
  readonly ends: string[];
  readonly faults: unknown[];
  readonly publish: (id?: string) => ReturnType<Stream['publish']>;
}

function scene(settings: Partial<StreamSettings> = {}): Scene {
  const clock = new FakeClock();
  const ends: string[] = [];
  const faults: unknown[] = [];
  const hub = new StreamHub({
    clock,
    settingsFor: () => ({ ...LIVE, ...settings }),
    onFault: (_stream, error) => faults.push(error),
  });
  const stream = hub.getOrCreate(NAME);
  const publish = (id = 'p1'): ReturnType<Stream['publish']> =>
    stream.publish({ ...PUBLISHER, id }, (end) => ends.push(`${id} ${end}`));
  return { clock, hub, stream, ends, faults, publish };
}

describe('Stream, publishing', () => {
  it('is live with a publisher and idle again after it', () => {
    const { clock, stream, publish } = scene();
    expect([stream.state, stream.publisher, stream.liveForMs]).toEqual(['idle', undefined, 0]);
    const publication = publish();
    clock.advance(1_500);
    expect([stream.state, stream.publisher?.id, stream.liveForMs]).toEqual(['live', 'p1', 1_500]);
    publication.end('unpublished');
    expect([stream.state, stream.publisher, stream.liveForMs]).toEqual(['idle', undefined, 0]);
  });

  it('refuses a second publisher by default', () => {
    const { stream, ends, publish } = scene();
    publish();
    expect(() => publish('p2')).toThrow(expect.objectContaining({ code: 'stream/busy' }) as Error);
    expect([stream.publisher?.id, ends]).toEqual(['p1', []]);
  });

  it('hands over to a second publisher when that is allowed, and late frames of the first do nothing', () => {
    const { clock, stream, ends, publish } = scene({ takeover: 'takeover' });
    const first = publish();
    const { sink } = watch(stream);
    new VideoSource(clock, first).run(200);
    const second = publish('p2');
    expect([stream.publisher?.id, ends, first.ended]).toEqual(['p2', ['p1 taken-over'], true]);
    new VideoSource(clock, second, { startMs: 5_000_000 }).run(200);
    first.frame(frame(VIDEO, 999, { isKey: true }));
    first.track(track('video', 9));
    first.end('lost');
    clock.advance(100);
    expect(sink.items).toEqual([
      'Hv1',
      'K0',
      'P40',
      'P80',
      'P120',
      'P160',
      'Cv1',
      'K170',
      'P210',
      'P250',
      'P290',
      'P330',
    ]);
    expect(stream.state).toBe('live');
  });

  it.each([
    ['never sends a frame', undefined, 20_000],
    ['stops sending frames', 0, 5_000],
  ])('gives up a publisher that %s', (_, framesAtMs, timeoutMs) => {
    const { clock, stream, ends, publish } = scene();
    const publication = publish();
    if (framesAtMs !== undefined) publication.frame(frame(VIDEO, framesAtMs, { isKey: true }));
    clock.advance(timeoutMs);
    expect(ends).toEqual([]);
    clock.advance(HOUSEKEEPING_MS);
    expect([ends, stream.state]).toEqual([['p1 timeout'], 'grace']);
  });

  it('keeps a publisher whose frames could not be read for as long as the process was held up', () => {
    const { clock, ends, publish } = scene();
    const publication = publish();
    publication.frame(frame(VIDEO, 0, { isKey: true }));
    clock.holdUp(60_000);
    expect(ends).toEqual([]);
    publication.frame(frame(VIDEO, 40));
    clock.advance(5_000);
    expect(ends).toEqual([]);
    clock.holdUp(60_000);
    clock.advance(HOUSEKEEPING_MS);
    expect(ends).toEqual(['p1 timeout']);
  });

  it('gives up publishers though it is held up all the time', () => {
    const { clock, ends, publish } = scene();
    publish().frame(frame(VIDEO, 0, { isKey: true }));
    for (let i = 0; i < 4; i++) clock.holdUp(3_000);
    expect(ends).toEqual(['p1 timeout']);
  });

  it('counts metadata and headers for no sign of life, but data messages', () => {
    const { clock, ends, publish } = scene();
    const publication = publish();
    publication.frame(frame(VIDEO, 0, { isKey: true }));
    for (let i = 0; i < 20; i++) {
      clock.advance(1_000);
      publication.frame(frame(DATA_TRACK, 0));
    }
    expect(ends).toEqual([]);
    for (let i = 0; i < 6; i++) {
      clock.advance(1_000);
      publication.metadata(new Map());
      publication.track(VIDEO);
    }
    expect(ends).toEqual(['p1 timeout']);
  });

  it('takes nobody after it was closed', async () => {
    const { stream, ends, publish } = scene();
    publish();
    const { sink } = watch(stream);
    stream.close();
    stream.close();
    expect([ends, sink.closedAs, sink.closeCalls, stream.state]).toEqual([['p1 closed'], 'closed', 1, 'closed']);
    expect(() => publish('p2')).toThrow(expect.objectContaining({ code: 'stream/closed' }) as Error);
    await expect(stream.whenLive(1_000)).resolves.toBe('closed');
    const late = new FakeSink();
    const { viewer } = watch(stream, { sink: late });
    viewer.close('duration');
    expect([late.closedAs, late.closeCalls, stream.viewers]).toEqual(['closed', 1, 0]);
  });

  it('lets video begin with a key frame, of each track for itself, and after each republish', () => {
    const { clock, stream, publish } = scene();
    const { sink } = watch(stream);
    for (let round = 0; round < 2; round++) {
      const publication = publish();
      publication.track(VIDEO);
      publication.track(track('video', 1, 1));
      for (const text of ['P0', 'A10', 'Q20', 'K40', 'Q60', 'L80', 'P90', 'Q100']) {
        const of = 'QL'.includes(text[0]!) ? track('video', 1, 1) : text.startsWith('A') ? AUDIO : VIDEO;
        publication.frame(frame(of, Number(text.slice(1)), { isKey: 'KLA'.includes(text[0]!) }));
      }
      clock.advance(100);
      publication.end('lost');
    }
    expect(sink.items.filter((item) => !item.startsWith('C'))).toEqual([
      'Hv1v1',
      'K40',
      'K80',
      'P90',
      'P100',
      'A120',
      'K150',
      'K190',
      'P200',
      'P210',
    ]);
  });
});

describe('Stream, the grace window', () => {
  it.each(['lost', 'timeout'] as const)('keeps viewers when the publisher is gone (%s) until it comes back', (end) => {
    const { clock, stream, publish } = scene();
    const first = publish();
    const { viewer, sink } = watch(stream);
    new VideoSource(clock, first).run(200);
    if (end === 'lost') first.end('lost');
    else clock.advance(6_000);
    expect([stream.state, sink.closedAs]).toEqual(['grace', undefined]);
    clock.advance(2_000);
    const second = publish('p2');
    second.track(track('video', 2));
    second.frame(frame(track('video', 2), 77_000, { isKey: true }));
    second.frame(frame(track('video', 2), 77_040));
    clock.advance(11_000);
    expect(sink.items).toEqual(['Hv1', 'K0', 'P40', 'P80', 'P120', 'P160', 'Cv2', 'K170', 'P210']);
    expect([viewer.lagJumps, sink.closedAs]).toEqual([0, 'stream-ended']);
  });

  it('ends the stream after the window', () => {
    const { clock, stream, publish } = scene();
    const publication = publish();
    const { sink } = watch(stream);
    publication.end('lost');
    clock.advance(4_999);
    expect([stream.state, sink.closedAs]).toEqual(['grace', undefined]);
    clock.advance(1);
    expect([stream.state, sink.closedAs, stream.viewers]).toEqual(['idle', 'stream-ended', 0]);
  });

  it.each([
    [{ graceAfterUnpublish: true }, 'unpublished', 'grace'],
    [{ graceAfterUnpublish: false }, 'unpublished', 'idle'],
    [{ graceMs: 0 }, 'lost', 'idle'],
  ] as const)('with %j and a publisher that is %s leaves the stream in %s', (settings, end, state) => {
    const { stream, publish } = scene(settings);
    const publication = publish();
    const { sink } = watch(stream);
    publication.end(end);
    expect([stream.state, sink.closedAs]).toEqual([state, state === 'idle' ? 'stream-ended' : undefined]);
  });

  it('keeps how long the stream has been live', () => {
    const { clock, stream, publish } = scene();
    publish().end('lost');
    clock.advance(3_000);
    publish();
    expect(stream.liveForMs).toBe(3_000);
  });

  it('begins anew with the next publisher when it is over', () => {
    const { clock, stream, publish } = scene();
    const first = publish();
    first.metadata(new Map([['title', 'old']]));
    new VideoSource(clock, first).run(2_000);
    first.end('lost');
    clock.advance(6_000);
    expect([stream.header.tracks, stream.header.metadata]).toEqual([[], undefined]);
    const second = publish('p2');
    const { sink } = watch(stream);
    second.track(AUDIO);
    second.frame(frame(AUDIO, 50_000));
    clock.advance(100);
    expect(sink.items).toEqual(['Ha1', 'A0']);
  });
});

describe('Stream, the end', () => {
  it('gives the last frames to a viewer whose socket is just busy, then closes it', () => {
    const { clock, stream, publish } = scene();
    const publication = publish();
    const { sink } = watch(stream);
    const source = new VideoSource(clock, publication);
    source.run(200);
    clock.advance(100);
    sink.isStopped = true;
    source.run(200);
    publication.end('unpublished');
    expect(sink.items.at(-1)).toBe('P360');
    expect(sink.closedAs).toBe('stream-ended');
  });

  it('lets a sink that is told look again at once, and leave', () => {
    const { clock, stream, publish } = scene();
    const publication = publish();
    const again = new FakeSink();
    const { sink, viewer } = watch(stream);
    sink.onClose = () => {
      watch(stream, { sink: again });
      viewer.leave();
    };
    new VideoSource(clock, publication).run(400);
    publication.end('unpublished');
    expect([stream.viewers, again.closedAs]).toEqual([1, undefined]);
    new VideoSource(clock, publish('p2')).run(400);
    clock.advance(100);
    expect(again.items.slice(0, 2)).toEqual(['Hv1', 'K0']);
    expect(again.items.length).toBe(11);
  });

  it('leaves nothing behind when everybody has gone', () => {
    const { clock, hub, stream, publish } = scene();
    const idleTimers = clock.timers;
    const publication = publish();
    new VideoSource(clock, publication).run(400);
    const viewers = Array.from({ length: 20 }, (_, i) => watch(stream, { rendition: `text${i % 3}` }));
    new VideoSource(clock, publication, { startMs: 400 }).run(2_000);
    for (const { viewer } of viewers) viewer.leave();
    expect([stream.viewers, clock.timers]).toEqual([0, idleTimers]);
    publication.end('unpublished');
    expect([stream.log.sizeBytes, stream.log.head - stream.log.first, clock.timers]).toEqual([0, 0, idleTimers]);
    clock.advance(STREAM_IDLE_MS + HOUSEKEEPING_MS);
    expect(hub.list()).toEqual([]);
    hub.close();
    expect(clock.timers).toBe(0);
  });
});

describe('Stream, viewers', () => {
  it('get what is new once a merge interval', () => {
    const { clock, stream, publish } = scene({ mergeWriteMs: 200 });
    const publication = publish();
    const { sink } = watch(stream);
    new VideoSource(clock, publication).run(1_000);
    expect(sink.writes.length).toBe(1 + 5);
    expect(sink.items.length).toBe(1 + 25);
  });

  it('get frames of one turn in one write when the interval is 0', () => {
    const { clock, stream, publish } = scene({ mergeWriteMs: 0 });
    const publication = publish();
    const { sink } = watch(stream);
    publication.track(VIDEO);
    publication.frame(frame(VIDEO, 0, { isKey: true }));
    publication.frame(frame(VIDEO, 40));
    expect(sink.writes.length).toBe(0);
    clock.settle();
    expect(sink.items).toEqual(['Hv1', 'K0', 'P40']);
    publication.frame(frame(VIDEO, 80));
    publication.frame(frame(VIDEO, 120));
    clock.settle();
    expect(sink.writes.length).toBe(3);
    expect(clock.timers).toBe(1);
  });

  it.each([
    ['at the newest key frame', {}, {}, 'K2000'],
    ['at the next one without a GOP cache', { gopCache: false }, {}, 'K3000'],
    ['at the next one when asked', {}, { atNext: true }, 'K3000'],
    ['some seconds back', {}, { secondsAgo: 1.5 }, 'K0'],
    ['some seconds back also without a GOP cache', { gopCache: false }, { secondsAgo: 0.5 }, 'K1000'],
    ['at the oldest when there is not so much', {}, { secondsAgo: 1000 }, 'K0'],
  ])('start %s', (_, settings, options, first) => {
    const { clock, stream, publish } = scene(settings);
    const source = new VideoSource(clock, publish());
    source.run(2_200);
    const { sink } = watch(stream, options);
    source.run(1_200);
    expect(sink.items.slice(0, 2)).toEqual(['Hv1', first]);
  });

  it('share a rendition by name, and buffers by framing', () => {
    const { clock, stream, publish } = scene();
    const source = new VideoSource(clock, publish());
    source.run(200);
    const writers: TextWriter[] = [];
    const makeWriter = (): TextWriter => {
      writers.push(new TextWriter());
      return writers.at(-1)!;
    };
    let joins = 0;
    const framing = {
      name: 'other',
      join: (parts: readonly Uint8Array[]) => {
        joins++;
        return new Uint8Array(Buffer.concat(parts));
      },
    };
    const plain = Array.from({ length: 10 }, () => watch(stream, { makeWriter }));
    const framed = Array.from({ length: 10 }, () => watch(stream, { makeWriter, framing }));
    source.run(1_000);
    clock.advance(100);
    expect([writers.length, writers[0]!.made]).toEqual([1, 30]);
    expect(joins).toBeLessThan(25);
    for (const { sink } of [...plain, ...framed]) expect(sink.text).toBe(plain[0]!.sink.text);
    for (const { sink } of framed) expect(sink.writes.at(-1)).toBe(framed[0]!.sink.writes.at(-1));
    expect(framed[0]!.sink.writes.at(-1)).not.toBe(plain[0]!.sink.writes.at(-1));
  });

  it('have their rendition dropped some seconds after the last has left, and made anew for the next', () => {
    const { clock, stream, publish } = scene();
    const source = new VideoSource(clock, publish());
    let made = 0;
    const makeWriter = (): TextWriter => {
      made++;
      return new TextWriter();
    };
    source.run(400);
    watch(stream, { makeWriter }).viewer.leave();
    source.run(RENDITION_IDLE_MS - 2_000);
    const { viewer, sink } = watch(stream, { makeWriter });
    expect([made, sink.items[0], sink.items[1]]).toEqual([1, 'Hv1', 'K8000']);
    viewer.leave();
    source.run(RENDITION_IDLE_MS + 2 * HOUSEKEEPING_MS);
    watch(stream, { makeWriter });
    expect(made).toBe(2);
  });

  it('are counted while they are there, each once', () => {
    const { stream } = scene();
    const first = watch(stream);
    const second = watch(stream);
    expect(stream.viewers).toBe(2);
    first.viewer.leave();
    first.viewer.leave();
    first.viewer.close('closed');
    second.viewer.close('duration');
    second.viewer.close('duration');
    second.viewer.leave();
    expect([stream.viewers, first.sink.closeCalls, second.sink.closedAs, second.sink.closeCalls]).toEqual([
      0,
      0,
      'duration',
      1,
    ]);
  });

  it('that stop reading are closed although nothing is published and nothing merged', () => {
    const { clock, stream, publish } = scene({ mergeWriteMs: 0, graceMs: 60_000 });
    const publication = publish();
    const { sink } = watch(stream);
    sink.isStopped = true;
    new VideoSource(clock, publication).run(40);
    publication.end('lost');
    clock.advance(15_500 + HOUSEKEEPING_MS);
    expect([sink.closedAs, stream.counters.stalled, stream.viewers]).toEqual(['stalled', 1, 0]);
  });

  it('are told when their container cannot be made, and nobody else is hit', () => {
    const { clock, hub, stream, faults, publish } = scene();
    const error = new RangeError('broken');
    class BrokenWriter extends TextWriter {
      override writeFrame(...args: Parameters<TextWriter['writeFrame']>): Uint8Array {
        if (this.made === 10) throw error;
        return super.writeFrame(...args);
      }
    }
    const other = hub.getOrCreate({ ...NAME, stream: 'b' });
    const source = new VideoSource(clock, publish());
    const broken = watch(stream, { rendition: 'broken', makeWriter: () => new BrokenWriter() });
    const healthy = watch(stream);
    const elsewhere = watch(other);
    source.run(200);
    expect(broken.sink.closedAs).toBeUndefined();
    source.run(400);
    expect([broken.sink.closedAs, faults, stream.counters.failed, stream.viewers]).toEqual(['failed', [error], 1, 1]);
    expect([healthy.sink.items.length, elsewhere.sink.closedAs]).toEqual([1 + 15, undefined]);
    const late = watch(stream, { rendition: 'broken', makeWriter: () => new BrokenWriter() });
    expect([late.sink.closedAs, stream.viewers]).toEqual(['failed', 1]);
  });

  it('that throw are told to the process when nobody else listens', () => {
    const clock = new FakeClock();
    const hub = new StreamHub({ clock, settingsFor: () => LIVE });
    const stream = hub.getOrCreate(NAME);
    const { sink } = watch(stream);
    sink.onWrite = () => {
      throw new TypeError('no more');
    };
    const publication = stream.publish(PUBLISHER, () => undefined);
    publication.track(VIDEO);
    publication.frame(frame(VIDEO, 0, { isKey: true }));
    expect(() => clock.advance(100)).toThrow('no more');
    expect(sink.closedAs).toBe('failed');
  });
});

describe('Stream.whenLive', () => {
  it('is live at once, when a publisher comes, or when it comes back', async () => {
    const { clock, stream, publish } = scene();
    const waiting = stream.whenLive(10_000);
    clock.advance(9_000);
    const publication = publish();
    await expect(waiting).resolves.toBe('live');
    await expect(stream.whenLive(0)).resolves.toBe('live');
    publication.end('lost');
    const again = stream.whenLive(10_000);
    publish('p2');
    await expect(again).resolves.toBe('live');
  });

  it('says that the time is over, that nobody will publish, or that the server closes', async () => {
    const { clock, hub, stream } = scene();
    const first = stream.whenLive(1_000);
    const second = stream.whenLive(100_000);
    clock.advance(1_000);
    await expect(first).resolves.toBe('timeout');
    stream.abandon();
    await expect(second).resolves.toBe('abandoned');
    const third = stream.whenLive(100_000);
    hub.close();
    await expect(third).resolves.toBe('closed');
    expect(clock.timers).toBe(0);
  });

  it('keeps the stream in use but is no viewer', () => {
    const { clock, hub, stream } = scene();
    void stream.whenLive(10_000);
    clock.advance(9_900);
    expect([hub.list().length, stream.viewers, stream.idleForMs]).toEqual([1, 0, 0]);
    clock.advance(100 + STREAM_IDLE_MS + HOUSEKEEPING_MS);
    expect(hub.list()).toEqual([]);
  });
});

describe('Stream, metadata and headers', () => {
  const metadataOf = (stream: Stream): unknown => {
    const { metadata } = stream.header;
    return metadata === undefined ? undefined : parseAmf0(metadata).values[1];
  };

  it('merges metadata, and forgets it with the publisher', () => {
    const { stream, publish } = scene();
    const publication = publish();
    expect(publication.metadata(new Map<string, number>([['width', 1]]))).toBe(true);
    publication.metadata(new Map<string, number>([['height', 2]]));
    expect(metadataOf(stream)).toMatchObject({
      properties: new Map<string, unknown>([
        ['width', 1],
        ['height', 2],
        ['server', 'Millrace'],
      ]),
    });
    publication.end('lost');
    const second = publish('p2');
    second.metadata(new Map<string, number>([['fps', 3]]));
    expect(metadataOf(stream)).toMatchObject({
      properties: new Map<string, unknown>([
        ['fps', 3],
        ['server', 'Millrace'],
      ]),
    });
  });

  it('keeps what it has when there is too much, however often it is sent', () => {
    const { stream, publish } = scene();
    const publication = publish();
    publication.metadata(new Map([['title', 'x']]));
    for (let i = 0; i < 300; i++) {
      const taken = publication.metadata(new Map([[`n${i}`, 'x'.repeat(100_000)]]));
      expect(taken).toBe(i < 2);
    }
    expect(stream.header.metadata!.length).toBeLessThan(256 * 1024);
  });

  it.each([
    [true, ['Hv1', 'K0', 'P40', 'K80']],
    [false, ['Hv1', 'K0', 'P40', 'Cv1', 'K80']],
  ])('with reduce_sequence_header %s sends %j for a header that is repeated', (reduceSequenceHeader, expected) => {
    const { clock, stream, publish } = scene({ reduceSequenceHeader });
    const { sink } = watch(stream);
    const publication = publish();
    publication.track(VIDEO);
    publication.frame(frame(VIDEO, 0, { isKey: true }));
    publication.frame(frame(VIDEO, 40));
    publication.repeatedConfig(VIDEO);
    publication.frame(frame(VIDEO, 80, { isKey: true }));
    clock.advance(100);
    expect(sink.items).toEqual(expected);
  });

  it('announces a track that changes or comes late in front of its frames', () => {
    const { clock, stream, publish } = scene();
    const { sink } = watch(stream);
    const publication = publish();
    publication.track(VIDEO);
    publication.frame(frame(VIDEO, 0, { isKey: true }));
    publication.track(AUDIO);
    publication.frame(frame(AUDIO, 20));
    publication.track(track('video', 2));
    publication.frame(frame(track('video', 2), 40, { isKey: true }));
    clock.advance(100);
    expect(sink.items).toEqual(['Hv1', 'K0', 'Cv1a1', 'A20', 'Cv2a1', 'K40']);
  });
});

describe('Stream, order and time', () => {
  it.each([
    [true, ['Hv1a1', 'K0', 'A0', 'A20', 'P40', 'A40', 'A60', 'P80', 'A80']],
    [false, ['Hv1a1', 'K0', 'P40', 'P80', 'A0', 'A20', 'A40', 'A60', 'A80']],
  ])('with mix_correct %s a badly interleaved stream is %j', (mixCorrect, expected) => {
    const { clock, stream, publish } = scene({ mixCorrect });
    const { sink } = watch(stream);
    const publication = publish();
    publication.track(VIDEO);
    publication.track(AUDIO);
    for (const ms of [0, 40, 80]) publication.frame(frame(VIDEO, ms, { isKey: ms === 0 }));
    for (const ms of [0, 20, 40, 60, 80]) publication.frame(frame(AUDIO, ms));
    publication.end('lost');
    clock.advance(100);
    expect(sink.items).toEqual(expected);
  });

  it('lets frames that wait to be ordered go before a header changes', () => {
    const { clock, stream, publish } = scene({ mixCorrect: true });
    const { sink } = watch(stream);
    const publication = publish();
    publication.track(VIDEO);
    publication.frame(frame(VIDEO, 0, { isKey: true }));
    publication.frame(frame(VIDEO, 40));
    publication.track(track('video', 2));
    publication.frame(frame(track('video', 2), 80, { isKey: true }));
    publication.end('lost');
    clock.advance(100);
    expect(sink.items).toEqual(['Hv1', 'K0', 'P40', 'Cv2', 'K80']);
  });

  it('keeps the composition time and moves decode times to start at 0', () => {
    const { stream, publish } = scene();
    const publication = publish();
    publication.frame({ ...frame(VIDEO, 5_000, { isKey: true }), ptsUs: 5_080_000 });
    publication.frame(frame(DATA_TRACK, 0));
    expect(stream.log.at(0)).toMatchObject({ dtsUs: 0, ptsUs: 80_000 });
    expect(stream.log.at(1)).toMatchObject({ dtsUs: 0 });
  });

  it('keeps absolute time under jitter off, and the log in bounds when it is set back', () => {
    const { clock, stream, publish } = scene({ jitter: 'off', logMaxSeconds: 2 });
    const { viewer, sink } = watch(stream);
    for (let round = 0; round < 3; round++) {
      const publication = publish();
      new VideoSource(clock, publication, { startMs: 3_600_000 }).run(10_000);
      publication.end('lost');
    }
    clock.advance(100);
    expect(sink.items.filter((item) => item === 'K3600000').length).toBe(3);
    expect([sink.items.filter((item) => /^[KP]/.test(item)).length, viewer.lagJumps]).toEqual([750, 0]);
    expect(stream.log.head - stream.log.first).toBeLessThan(100);
  });
});

describe('StreamHub', () => {
  it('gives the same stream for the same name, and another for another virtual host', () => {
    const { hub, stream } = scene();
    expect(hub.getOrCreate({ ...NAME })).toBe(stream);
    expect(hub.get(NAME)).toBe(stream);
    expect(hub.get({ ...NAME, vhost: 'x' })).toBeUndefined();
    expect(hub.getOrCreate({ ...NAME, vhost: 'x' })).not.toBe(stream);
    expect(hub.list().length).toBe(2);
  });

  it.each([
    ['a publisher', (scene: Scene) => void scene.publish()],
    ['a viewer', (scene: Scene) => void watch(scene.stream)],
    ['a grace window', (scene: Scene) => scene.publish().end('lost')],
  ])('keeps a stream with %s', (_, use) => {
    const built = scene({ graceMs: 60_000, firstFrameTimeoutMs: 60_000 });
    use(built);
    built.clock.advance(30_000);
    expect(built.hub.get(NAME)).toBe(built.stream);
  });

  it('forgets a stream some seconds after its last use', () => {
    const { clock, hub, stream } = scene();
    const { viewer } = watch(stream);
    clock.advance(10_000);
    viewer.leave();
    clock.advance(STREAM_IDLE_MS - HOUSEKEEPING_MS);
    expect(hub.list().length).toBe(1);
    clock.advance(2 * HOUSEKEEPING_MS);
    expect([hub.list().length, stream.state]).toEqual([0, 'closed']);
    expect(hub.getOrCreate(NAME)).not.toBe(stream);
  });

  it('ends everything when it closes, also twice, and keeps the counters', () => {
    const { clock, hub, stream, ends, publish } = scene();
    const source = new VideoSource(clock, publish());
    const { sink } = watch(stream);
    source.run(1_000);
    const sentBytes = stream.counters.sentBytes;
    hub.close();
    hub.close();
    expect([sink.closedAs, ends, clock.timers]).toEqual(['closed', ['p1 closed'], 0]);
    expect([hub.list(), hub.viewerCounters.sentBytes]).toEqual([[], sentBytes]);
    expect(sentBytes).toBe(sink.sizeBytes);
  });
});
