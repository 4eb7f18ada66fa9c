/** What peers may ask for again and again, and what is kept of it. */
import { describe, expect, it } from 'vitest';
import { MAX_RENDITIONS } from '../../../src/media/audience.ts';
import { Stream } from '../../../src/media/stream.ts';
import { MAX_UNUSED_STREAMS, StreamHub } from '../../../src/media/stream-hub.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import { RAW_FRAMING } from '../../../src/media/viewer.ts';
import { FakeClock, FakeSink, LIVE, PUBLISHER, TextWriter, VideoSource, watch } from '../../media-test-kit.ts';

function named(stream: string): { readonly vhost: string; readonly app: string; readonly stream: string } {
  return { vhost: DEFAULT_VHOST, app: 'live', stream };
}

describe('streams asked for by names nobody publishes', () => {
  it('do not pile up until they are old, and those in use stay', () => {
    const hub = new StreamHub({ clock: new FakeClock(), settingsFor: () => LIVE });
    const published = hub.getOrCreate(named('published'));
    published.publish(PUBLISHER, () => undefined);
    const { sink } = watch(hub.getOrCreate(named('watched')));
    for (let i = 0; i < 10 * MAX_UNUSED_STREAMS; i++) watch(hub.getOrCreate(named(`${i}`))).viewer.leave();
    expect(hub.list().length).toBeLessThanOrEqual(MAX_UNUSED_STREAMS + 2);
    expect(hub.get(named('published'))).toBe(published);
    expect(sink.closedAs).toBeUndefined();
    hub.close();
  });
});

describe('renditions asked for by names of their own', () => {
  it('make room when nobody reads them, and are refused when all are read', () => {
    const clock = new FakeClock();
    const stream = new Stream(named('s'), LIVE, clock, () => undefined);
    new VideoSource(
      clock,
      stream.publish(PUBLISHER, () => undefined),
    ).run(1000);
    const made: TextWriter[] = [];
    const view = (rendition: string): FakeSink => {
      const sink = new FakeSink();
      const makeWriter = (): TextWriter => {
        made.push(new TextWriter());
        return made[made.length - 1]!;
      };
      stream.view({ rendition, makeWriter, framing: RAW_FRAMING, sink }).start();
      return sink;
    };
    for (let i = 0; i < 3 * MAX_RENDITIONS; i++) watch(stream, { rendition: `left ${i}` }).viewer.leave();
    const readers = Array.from({ length: MAX_RENDITIONS }, (_, i) => view(`read ${i}`));
    expect(readers.map((sink) => sink.closedAs)).toEqual(readers.map(() => undefined));
    expect(view('one more').closedAs).toBe('failed');
    expect(stream.counters.failed).toBe(1);
    expect(view('read 0').closedAs).toBeUndefined();
    expect(made.length).toBe(MAX_RENDITIONS);
    stream.close();
  });
});

describe('waiting for a publisher', () => {
  it('ends with its signal and leaves no timer and no use of the stream', async () => {
    const clock = new FakeClock();
    const stream = new Stream(named('s'), LIVE, clock, () => undefined);
    const left = new AbortController();
    const waiting = stream.whenLive(60_000, left.signal);
    expect(stream.isIdle).toBe(false);
    left.abort();
    await expect(waiting).resolves.toBe('aborted');
    await expect(stream.whenLive(60_000, left.signal)).resolves.toBe('aborted');
    expect(stream.isIdle).toBe(true);
    expect(clock.timers).toBe(0);
  });
});
