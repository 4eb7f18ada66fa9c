import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/codec/frame.ts';
import {
  addViewerCounters,
  FanOut,
  type FanOutOptions,
  type FanOutViewer,
  KEEPS_UP_MS,
  MAX_JOINED_BYTES,
  MAX_REMEMBERED_BYTES,
  noViewerCounters,
} from '../../../src/media/fan-out.ts';
import { FrameLog, type FrameLogOptions } from '../../../src/media/frame-log.ts';
import { Rendition } from '../../../src/media/rendition.ts';
import { EMPTY_STREAM_HEADER, withTrack } from '../../../src/media/stream-header.ts';
import { RAW_FRAMING } from '../../../src/media/viewer.ts';
import { AUDIO, FakeSink, frame, TextWriter, track, VIDEO } from '../../media-test-kit.ts';

/** A log, its rendition as text and its viewers, without a stream around them. */
class Bench {
  readonly log: FrameLog;
  readonly writer = new TextWriter();
  readonly rendition: Rendition;
  readonly fanOut: FanOut;
  readonly counters = noViewerCounters();
  readonly closed: [FanOutViewer, string][] = [];
  readonly faults: unknown[] = [];
  nowMs = 0;

  constructor(options: Partial<FanOutOptions['limits']> & FrameLogOptions = {}) {
    this.log = new FrameLog({ maxSeconds: 60, ...options });
    this.log.setHeader(withTrack(withTrack(EMPTY_STREAM_HEADER, VIDEO), AUDIO));
    this.rendition = new Rendition(this.log, this.writer);
    this.fanOut = new FanOut({
      log: this.log,
      rendition: this.rendition,
      framing: RAW_FRAMING,
      limits: { queueLengthUs: 5_000_000, stallTimeoutMs: 15_000, maxSocketBufferBytes: 8_000_000, ...options },
      counters: this.counters,
      onClosed: (viewer, reason) => this.closed.push([viewer, reason]),
      onFault: (error) => this.faults.push(error),
    });
  }

  /** Frames as `K0 P40 A60` (letter and milliseconds). */
  append(text: string, size = 4): void {
    for (const name of text.split(' ')) {
      const kind = name.startsWith('A') ? AUDIO : VIDEO;
      this.log.append(frame(kind, Number(name.slice(1)), { isKey: !name.startsWith('P'), size }));
    }
  }

  /** GOPs of a second, a frame every 200 ms, from `fromMs` until before `toMs`. */
  gops(fromMs: number, toMs: number, size = 4): void {
    for (let ms = fromMs; ms < toMs; ms += 200) this.append(`${ms % 1000 === 0 ? 'K' : 'P'}${ms}`, size);
  }

  flush(): void {
    this.rendition.advance();
    this.fanOut.flush(this.nowMs);
  }

  join(
    at: number | undefined = this.log.newestJoinPoint(),
    sink = new FakeSink(),
  ): { viewer: FanOutViewer; sink: FakeSink } {
    this.rendition.advance();
    return { viewer: this.fanOut.join(sink, at, this.nowMs), sink };
  }

  drain(viewer: FanOutViewer, sink: FakeSink): void {
    sink.drain();
    this.fanOut.drained(viewer, this.nowMs);
  }
}

describe('FanOut, joining', () => {
  it('gives the header and everything from the key frame on', () => {
    const bench = new Bench();
    bench.append('K0 P40 K80 P120');
    const { sink } = bench.join();
    bench.flush();
    bench.append('P160');
    bench.flush();
    expect(sink.items).toEqual(['Hv1a1', 'K80', 'P120', 'P160']);
  });

  it('waits for the next key frame when there is none to start at', () => {
    const bench = new Bench();
    bench.append('K0 P40');
    const { sink } = bench.join(bench.log.head);
    bench.flush();
    bench.append('P80 A90');
    bench.flush();
    expect(sink.items).toEqual([]);
    bench.append('K120 P160');
    bench.flush();
    expect(sink.items).toEqual(['Hv1a1', 'K120', 'P160']);
  });

  it('gives the header in force at the frame it starts at', () => {
    const bench = new Bench();
    bench.append('K0');
    bench.log.setHeader(withTrack(bench.log.header, track('video', 2)));
    bench.append('K40');
    const old = bench.join(0);
    const { sink } = bench.join(1);
    bench.flush();
    expect(sink.items[0]).toBe('Hv2a1');
    expect(old.sink.items).toEqual(['Hv1a1', 'K0', 'Cv2a1', 'K40']);
  });

  it('starts at the next key frame when the one it was to start at is gone meanwhile', () => {
    const bench = new Bench({ maxSeconds: 1 });
    bench.append('K0 P40');
    const { sink } = bench.join(0);
    bench.gops(1000, 5000);
    bench.flush();
    expect(sink.items.slice(0, 2)).toEqual(['Hv1a1', 'K3000']);
  });
});

describe('FanOut, sharing', () => {
  it('makes every frame once and hands the same buffers to all viewers at the same place', () => {
    const bench = new Bench();
    bench.append('K0 P40');
    const viewers = Array.from({ length: 50 }, () => bench.join());
    bench.flush();
    bench.append('P80 P120');
    bench.flush();
    expect(bench.writer.made).toBe(4);
    for (const { sink } of viewers) {
      expect(sink.writes.length).toBe(3);
      // The second write is the joined GOP, the third the joined tick: one object each.
      expect(sink.writes[1]).toBe(viewers[0]!.sink.writes[1]);
      expect(sink.writes[2]).toBe(viewers[0]!.sink.writes[2]);
    }
  });

  it('joins no more than a bounded piece, but a larger single frame whole', () => {
    const bench = new Bench();
    bench.gops(0, 4000, 60_000);
    bench.append('K4000', 1_000_000);
    bench.append('P4040', 60_000);
    const { sink } = bench.join(0);
    bench.flush();
    const sizes = sink.writes.map((bytes) => bytes.length);
    expect(sizes.filter((size) => size > MAX_JOINED_BYTES)).toEqual([1_000_001]);
    expect(sink.items.length).toBe(1 + 22);
  });

  it('splits no tick of usual size, so that a viewer that keeps up costs one write a tick', () => {
    const bench = new Bench();
    bench.append('K0', 1000);
    const { sink } = bench.join();
    bench.flush();
    const before = sink.writes.length;
    for (let tick = 1; tick <= 40; tick++) {
      bench.append(`P${tick * 100} P${tick * 100 + 50}`, 60_000);
      bench.flush();
    }
    expect(sink.writes.length - before).toBe(40);
  });

  it('brings viewers that catch up from different places together', () => {
    const bench = new Bench({ queueLengthUs: 60_000_000 });
    bench.gops(0, 30_000, 20_000);
    const first = bench.join(0);
    const second = bench.join(5);
    bench.flush();
    const shared = second.sink.writes.filter((bytes) => first.sink.writes.includes(bytes));
    expect(shared.length).toBeGreaterThanOrEqual(second.sink.writes.length - 3);
    expect(shared.length).toBeGreaterThan(5);
  });

  it('joins anew what ended at a head that has moved', () => {
    const bench = new Bench();
    bench.append('K0 P40');
    bench.join(0);
    bench.flush();
    bench.append('P80');
    const { sink } = bench.join(0);
    bench.flush();
    expect(sink.writes.length).toBe(2);
    expect(sink.items).toEqual(['Hv1a1', 'K0', 'P40', 'P80']);
  });

  it('remembers a bounded amount of what was joined', () => {
    const bench = new Bench({ queueLengthUs: 600_000_000, maxBytes: 64 * 1024 * 1024, maxSeconds: 1000 });
    bench.gops(0, 40_000, 100_000);
    const first = bench.join(0);
    bench.flush();
    expect(first.sink.sizeBytes).toBeGreaterThan(2 * MAX_REMEMBERED_BYTES);
    const again = bench.join(0);
    bench.flush();
    // What was joined first had to go for what came later, so it was joined anew.
    expect(again.sink.writes[1]).not.toBe(first.sink.writes[1]);
    expect(again.sink.text).toBe(first.sink.text);
  });
});

describe('FanOut, slow viewers', () => {
  it('costs at most one joined buffer and delays nobody', () => {
    const bench = new Bench({ queueLengthUs: 1_000_000_000 });
    bench.gops(0, 1000, 30_000);
    const slow = bench.join();
    slow.sink.isStopped = true;
    const healthy = bench.join();
    for (let second = 1; second < 10; second++) {
      bench.nowMs += 1000;
      bench.gops(second * 1000, second * 1000 + 1000, 30_000);
      bench.flush();
      expect(healthy.viewer.cursor).toBe(bench.log.head);
    }
    expect(slow.sink.bufferedBytes).toBeLessThanOrEqual(MAX_JOINED_BYTES + 100);
    expect(healthy.sink.items.length).toBe(1 + 50);
    expect(bench.counters).toMatchObject({ lagJumps: 0, stalled: 0, overflowed: 0 });
  });

  it('catches up at once when its socket has drained, without gaps', () => {
    const bench = new Bench();
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    bench.gops(1000, 4000);
    bench.flush();
    sink.isStopped = false;
    bench.drain(viewer, sink);
    expect(viewer.cursor).toBe(bench.log.head);
    expect(sink.items.slice(1).map((item) => Number(item.slice(1)))).toEqual(
      Array.from({ length: 20 }, (_, i) => i * 200),
    );
    expect(viewer.lagJumps).toBe(0);
  });

  it('jumps to the newest key frame when it lags too much, and is counted', () => {
    const bench = new Bench();
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    bench.gops(1000, 8400);
    bench.flush();
    sink.isStopped = false;
    bench.drain(viewer, sink);
    expect(sink.items).toEqual(['Hv1a1', 'K0', 'P200', 'P400', 'P600', 'P800', 'K8000', 'P8200']);
    expect([viewer.lagJumps, bench.counters.lagJumps]).toEqual([1, 1]);
  });

  it.each([
    ['while it was away', 3000],
    ['exactly at the frame it would have read next', 1000],
  ])('gets the header again after a jump when it changed %s', (_, changedAtMs) => {
    const bench = new Bench();
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    bench.gops(1000, changedAtMs);
    bench.log.setHeader(withTrack(bench.log.header, track('video', 2)));
    bench.gops(changedAtMs, 8200);
    bench.flush();
    sink.isStopped = false;
    bench.drain(viewer, sink);
    expect(sink.items.slice(6)).toEqual(['Uv2a1', 'K8000']);
  });

  it('does not get the header again after a jump when it had read of the change, as the last frame or before', () => {
    for (const framesAfterChange of ['K1000', 'K1000 P1200']) {
      const bench = new Bench();
      bench.gops(0, 1000);
      const { viewer, sink } = bench.join();
      bench.log.setHeader(withTrack(bench.log.header, track('video', 2)));
      bench.append(framesAfterChange);
      sink.isStopped = true;
      bench.flush();
      bench.gops(2000, 9200);
      bench.flush();
      sink.isStopped = false;
      bench.drain(viewer, sink);
      expect(viewer.lagJumps).toBe(1);
      expect(sink.items.filter((item) => /[HUC]/.test(item[0]!))).toEqual(['Hv1a1', 'Cv2a1']);
    }
  });

  it('gets the header again when the log has long forgotten that it changed', () => {
    const bench = new Bench({ maxSeconds: 2 });
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    bench.log.setHeader(withTrack(bench.log.header, track('video', 2)));
    bench.gops(1000, 20_200);
    bench.flush();
    sink.isStopped = false;
    bench.drain(viewer, sink);
    expect(sink.items.slice(6)).toEqual(['Uv2a1', 'K20000']);
    expect(viewer.lagJumps).toBe(1);
  });

  it('goes on where it stands when the newest key frame is behind it', () => {
    const bench = new Bench();
    bench.append('K0 P200');
    const { viewer, sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    for (let ms = 400; ms < 12_000; ms += 200) bench.append(`P${ms}`);
    bench.flush();
    sink.isStopped = false;
    bench.drain(viewer, sink);
    expect(sink.items.slice(1, 5)).toEqual(['K0', 'P200', 'P400', 'P600']);
    expect([sink.items.length, viewer.lagJumps]).toEqual([61, 0]);
  });

  it('waits for a key frame when what it stood in is gone and none is there', () => {
    const bench = new Bench({ maxGopFrames: 10 });
    bench.append('K0 P40');
    const { viewer, sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    for (let ms = 80; ms < 2000; ms += 40) bench.append(`P${ms}`);
    bench.flush();
    sink.isStopped = false;
    bench.drain(viewer, sink);
    bench.append('P2000');
    bench.flush();
    expect(sink.items).toEqual(['Hv1a1', 'K0', 'P40']);
    bench.append('K2040 P2080');
    bench.flush();
    expect(sink.items.slice(3)).toEqual(['K2040', 'P2080']);
    expect(viewer.lagJumps).toBe(1);
  });

  it('never reads across frames the log dropped before their bytes were made', () => {
    const bench = new Bench({ maxBytes: 3_000 });
    bench.append('K0 P40');
    const { sink } = bench.join();
    bench.flush();
    // One tick brings more than the log holds.
    for (let ms = 80; ms < 2000; ms += 40) bench.append(`P${ms}`);
    bench.flush();
    expect(sink.items).toEqual(['Hv1a1', 'K0', 'P40']);
    bench.append('K2000 P2040');
    bench.flush();
    expect(sink.items.slice(3)).toEqual(['K2000', 'P2040']);
  });

  it('may lag by what it asked for until it has caught up', () => {
    const bench = new Bench();
    bench.gops(0, 20_000);
    const { viewer, sink } = bench.join(0);
    sink.isStopped = true;
    bench.flush();
    bench.gops(20_000, 22_000);
    bench.flush();
    bench.drain(viewer, sink);
    expect([viewer.lagJumps, sink.items.length]).toEqual([0, 1 + 110]);
    // Caught up: from now on the usual limit holds.
    bench.gops(22_000, 30_200);
    bench.flush();
    sink.isStopped = false;
    bench.drain(viewer, sink);
    expect([viewer.lagJumps, sink.items.at(-1)]).toEqual([1, 'K30000']);
  });

  it('is closed and counted when its socket takes nothing for the stall timeout', () => {
    const bench = new Bench({ stallTimeoutMs: 15_000 });
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    bench.nowMs = 15_000;
    bench.flush();
    expect(sink.closedAs).toBeUndefined();
    bench.nowMs = 15_001;
    bench.flush();
    expect([sink.closedAs, sink.closeCalls, bench.fanOut.size, bench.counters.stalled]).toEqual(['stalled', 1, 0, 1]);
    expect(bench.closed).toEqual([[viewer, 'stalled']]);
  });

  it('is not stalled while its socket takes something, however little', () => {
    const bench = new Bench({ stallTimeoutMs: 1_000 });
    bench.gops(0, 1000, 1000);
    const { sink } = bench.join();
    sink.isStopped = true;
    for (let i = 0; i < 20; i++) {
      bench.flush();
      bench.nowMs += 900;
      sink.bufferedBytes -= 10;
    }
    expect(sink.closedAs).toBeUndefined();
    bench.flush();
    bench.nowMs += 1_001;
    bench.flush();
    expect(sink.closedAs).toBe('stalled');
  });

  it('is closed and counted when more than the limit waits in its socket', () => {
    const bench = new Bench({ maxSocketBufferBytes: 50_000 });
    bench.append('K0', 60_000);
    const { sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    expect([sink.closedAs, bench.counters.overflowed]).toEqual(['socket-buffer', 1]);
  });

  it('is given pieces below a small limit, so that joining alone kills nobody', () => {
    const bench = new Bench({ maxSocketBufferBytes: 50_000 });
    bench.gops(0, 5000, 10_000);
    const { viewer, sink } = bench.join(0);
    sink.isStopped = true;
    bench.flush();
    for (let i = 0; i < 10; i++) bench.drain(viewer, sink);
    expect([sink.closedAs, viewer.cursor]).toEqual([undefined, bench.log.head]);
  });
});

describe('FanOut, pausing', () => {
  it('goes on at the newest key frame', () => {
    const bench = new Bench();
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    bench.flush();
    bench.fanOut.setPaused(viewer, true, 0);
    bench.gops(1000, 3400);
    bench.flush();
    bench.fanOut.setPaused(viewer, false, 0);
    expect(sink.items.slice(6)).toEqual(['K3000', 'P3200']);
    expect(viewer.lagJumps).toBe(0);
  });

  it('waits for the next key frame after a pause inside a GOP', () => {
    const bench = new Bench();
    bench.append('K0 P200');
    const { viewer, sink } = bench.join();
    bench.flush();
    bench.fanOut.setPaused(viewer, true, 0);
    bench.append('P400');
    bench.flush();
    bench.fanOut.setPaused(viewer, false, 0);
    bench.append('P600 A610');
    bench.flush();
    expect(sink.items).toEqual(['Hv1a1', 'K0', 'P200']);
    bench.append('K1000');
    bench.flush();
    expect(sink.items.slice(3)).toEqual(['K1000']);
  });

  it('before anything was sent starts with the header', () => {
    const bench = new Bench();
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    bench.fanOut.setPaused(viewer, true, 0);
    bench.flush();
    bench.gops(1000, 1400);
    bench.rendition.advance();
    expect(sink.writes).toEqual([]);
    bench.fanOut.setPaused(viewer, false, 0);
    expect(sink.items).toEqual(['Hv1a1', 'K1000', 'P1200']);
  });

  it('tells of a header that changed meanwhile, once', () => {
    const bench = new Bench();
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    bench.flush();
    bench.fanOut.setPaused(viewer, true, 0);
    bench.log.setHeader(withTrack(bench.log.header, track('audio', 9)));
    bench.gops(1000, 2200);
    bench.flush();
    for (const paused of [false, true, false, true, false]) bench.fanOut.setPaused(viewer, paused, 0);
    bench.append('K3000');
    bench.flush();
    expect(sink.items.slice(6)).toEqual(['Uv1a9', 'K2000', 'K3000']);
  });

  it('writes nothing into a busy socket', () => {
    const bench = new Bench();
    bench.gops(0, 1000);
    const { viewer, sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    const { bufferedBytes } = sink;
    bench.gops(1000, 2200);
    bench.rendition.advance();
    for (const paused of [true, false, true, false]) bench.fanOut.setPaused(viewer, paused, 0);
    expect(sink.bufferedBytes).toBe(bufferedBytes);
  });
});

describe('FanOut, the end of a stream', () => {
  it('gives the last frames to viewers whose sockets are busy but keep up, not to slow ones', () => {
    const bench = new Bench();
    bench.gops(0, 1000);
    const busy = bench.join();
    const slow = bench.join();
    slow.sink.isStopped = true;
    bench.flush();
    bench.nowMs += KEEPS_UP_MS;
    busy.sink.isStopped = true;
    bench.append('K1000');
    bench.flush();
    bench.append('P1200');
    bench.nowMs += KEEPS_UP_MS;
    bench.flush();
    bench.fanOut.finish(bench.nowMs);
    bench.fanOut.closeAll('stream-ended');
    expect(busy.sink.items.slice(-2)).toEqual(['K1000', 'P1200']);
    expect(slow.sink.items.at(-1)).toBe('P800');
    expect([busy.sink.closedAs, slow.sink.closedAs]).toEqual(['stream-ended', 'stream-ended']);
  });

  it('puts no more than a bounded amount into such a socket', () => {
    const bench = new Bench();
    bench.append('K0');
    const { sink } = bench.join();
    sink.isStopped = true;
    bench.flush();
    bench.gops(1000, 20_000, 60_000);
    bench.rendition.advance();
    bench.fanOut.finish(bench.nowMs);
    expect(sink.bufferedBytes).toBeLessThanOrEqual(5 * MAX_JOINED_BYTES);
  });
});

describe('FanOut and sinks that call back or throw', () => {
  it.each(['header', 'frames'])('writes nothing more after the sink left from its write of the %s', (when) => {
    const bench = new Bench();
    bench.gops(0, 2000);
    const { viewer, sink } = bench.join();
    const other = bench.join();
    sink.onWrite = () => {
      if (sink.writes.length === (when === 'header' ? 1 : 2)) bench.fanOut.leave(viewer);
    };
    bench.flush();
    bench.gops(2000, 3000);
    bench.flush();
    expect(sink.writes.length).toBe(when === 'header' ? 1 : 2);
    expect([bench.fanOut.size, sink.closeCalls]).toEqual([1, 0]);
    expect(other.sink.items.length).toBe(11);
  });

  it('gives every frame once when the sink says "drained" from inside a write', () => {
    const bench = new Bench();
    bench.gops(0, 3000, 60_000);
    const { viewer, sink } = bench.join(0);
    sink.onWrite = () => bench.fanOut.drained(viewer, bench.nowMs);
    bench.flush();
    bench.log.setHeader(withTrack(bench.log.header, track('video', 2)));
    bench.fanOut.setPaused(viewer, true, 0);
    bench.gops(3000, 5000, 60_000);
    bench.flush();
    bench.fanOut.setPaused(viewer, false, 0);
    const times = sink.items.map((item) => item.replaceAll('.', ''));
    expect(times).toEqual([
      'Hv1a1',
      ...Array.from({ length: 15 }, (_, i) => `${i % 5 === 0 ? 'K' : 'P'}${i * 200}`),
      'Uv2a1',
      'K4000',
      'P4200',
      'P4400',
      'P4600',
      'P4800',
    ]);
  });

  it('closes one that throws, tells of it, and serves the others', () => {
    const bench = new Bench();
    bench.append('K0');
    const error = new TypeError('write after end');
    const first = bench.join();
    const bad = bench.join();
    const last = bench.join();
    bad.sink.onWrite = () => {
      throw error;
    };
    bad.sink.onClose = () => {
      throw error;
    };
    bench.flush();
    for (const { sink } of [first, last]) expect(sink.items).toEqual(['Hv1a1', 'K0']);
    expect([bad.sink.closedAs, bench.counters.failed, bench.fanOut.size]).toEqual(['failed', 1, 2]);
    expect(bench.faults).toEqual([error, error]);
    expect(bench.closed).toEqual([[bad.viewer, 'failed']]);
  });

  it('closes each once, also when closing makes others leave or close', () => {
    const bench = new Bench();
    bench.append('K0');
    const viewers = Array.from({ length: 4 }, () => bench.join());
    viewers[0]!.sink.onClose = () => {
      bench.fanOut.leave(viewers[1]!.viewer);
      bench.fanOut.close(viewers[0]!.viewer, 'closed');
      bench.fanOut.close(viewers[2]!.viewer, 'closed');
    };
    bench.fanOut.closeAll('stream-ended');
    expect(viewers.map(({ sink }) => sink.closedAs)).toEqual(['stream-ended', undefined, 'closed', 'stream-ended']);
    expect(viewers.map(({ sink }) => sink.closeCalls)).toEqual([1, 0, 1, 1]);
    expect(bench.fanOut.size).toBe(0);
  });

  it('does nothing for a viewer that has gone', () => {
    const bench = new Bench();
    bench.append('K0');
    const { viewer, sink } = bench.join();
    bench.fanOut.leave(viewer);
    bench.fanOut.drained(viewer, 0);
    bench.fanOut.setPaused(viewer, true, 0);
    bench.fanOut.setPaused(viewer, false, 0);
    bench.fanOut.close(viewer, 'closed');
    bench.flush();
    expect([sink.writes.length, sink.closeCalls, bench.closed.length]).toEqual([0, 0, 0]);
  });
});

describe('viewer counters', () => {
  it('add up', () => {
    const sum = noViewerCounters();
    const one = { lagJumps: 1, stalled: 2, overflowed: 3, failed: 4, sentBytes: 5 };
    addViewerCounters(sum, one);
    addViewerCounters(sum, one);
    expect(sum).toEqual({ lagJumps: 2, stalled: 4, overflowed: 6, failed: 8, sentBytes: 10 });
  });
});

type Step =
  | { readonly type: 'frame'; readonly letter: string; readonly size: number }
  | { readonly type: 'header' }
  | { readonly type: 'clear' }
  | { readonly type: 'flush' }
  | { readonly type: 'advance' }
  | { readonly type: 'join'; readonly ago: number | undefined }
  | { readonly type: 'leave' | 'stop' | 'go' | 'drain' | 'pause' | 'resume'; readonly viewer: number };

describe('FanOut under random use', () => {
  const viewer = fc.nat(4);
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        type: fc.constant('frame' as const),
        letter: fc.constantFrom('P', 'P', 'P', 'A', 'A', 'K'),
        size: fc.constantFrom(4, 4, 1000, 100_000, 300_000),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ type: fc.constantFrom<'flush' | 'advance'>('flush', 'flush', 'advance') }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('header' as const, 'clear' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('join' as const), ago: fc.option(fc.nat(5), { nil: undefined }) }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constantFrom(
          'leave' as const,
          'stop' as const,
          'go' as const,
          'drain' as const,
          'pause' as const,
          'resume' as const,
        ),
        viewer,
      }),
    },
  );
  const budget = fc.record({
    maxSeconds: fc.constantFrom(1, 4, 60),
    maxBytes: fc.constantFrom(2_000, 500_000, 50_000_000),
    maxGopFrames: fc.constantFrom(5, 1000),
    queueLengthUs: fc.constantFrom(500_000, 3_000_000),
  });

  it('every viewer gets a header and runs of frames without gaps that begin where a decoder can', () => {
    fc.assert(
      fc.property(budget, fc.array(step, { minLength: 10, maxLength: 150 }), (options, steps) => {
        const bench = new Bench(options);
        const frames: { readonly frame: Frame; readonly config: number }[] = [];
        const viewers: { viewer: FanOutViewer; sink: FakeSink }[] = [];
        let config = 1;
        for (const step of steps) {
          if (step.type === 'frame') {
            const of = step.letter === 'A' ? AUDIO : VIDEO;
            const added = frame(of, frames.length * 100, { isKey: step.letter !== 'P', size: step.size });
            frames.push({ frame: added, config });
            bench.log.append(added);
          } else if (step.type === 'header') {
            config++;
            bench.log.setHeader(withTrack(bench.log.header, track('video', config % 100)));
          } else if (step.type === 'flush') bench.flush();
          else if (step.type === 'advance') bench.rendition.advance();
          else if (step.type === 'clear') bench.log.clear();
          else if (step.type === 'join') {
            viewers.push(
              bench.join(step.ago === undefined ? bench.log.newestJoinPoint() : bench.log.joinPointAgo(step.ago)),
            );
          } else {
            const chosen = viewers[step.viewer % Math.max(1, viewers.length)];
            if (chosen === undefined) continue;
            if (step.type === 'leave') bench.fanOut.leave(chosen.viewer);
            else if (step.type === 'stop') chosen.sink.isStopped = true;
            else if (step.type === 'go') chosen.sink.isStopped = false;
            else if (step.type === 'drain') bench.drain(chosen.viewer, chosen.sink);
            else bench.fanOut.setPaused(chosen.viewer, step.type === 'pause', bench.nowMs);
          }
        }
        for (const { viewer, sink } of viewers) {
          if (viewer.closed || viewer.paused) continue;
          sink.isStopped = false;
          bench.drain(viewer, sink);
        }
        bench.flush();
        expect(bench.faults).toEqual([]);
        for (const { viewer, sink } of viewers) {
          checkRuns(sink, frames);
          expect(sink.closedAs).toBeUndefined();
          const follows = !viewer.closed && !viewer.paused && !viewer.waiting;
          if (follows) expect(viewer.cursor).toBe(bench.log.head);
        }
      }),
    );
  });

  /** The decoder's view: which configuration it was told last, and whether each frame may follow the one before. */
  function checkRuns(sink: FakeSink, frames: readonly { readonly frame: Frame; readonly config: number }[]): void {
    let known: number | undefined;
    let previous: number | undefined;
    sink.items.forEach((item, i) => {
      const letter = item[0]!;
      if (letter === 'H' || letter === 'U' || letter === 'C') {
        expect(letter === 'H').toBe(i === 0);
        known = Number(/v(\d+)/.exec(item)![1]);
        return;
      }
      const index = Number.parseInt(item.slice(1), 10) / 100;
      const { frame: of, config } = frames[index]!;
      if (previous !== undefined) expect(index).toBeGreaterThan(previous);
      // A gap may only end at a key frame.
      if (index !== (previous ?? -2) + 1) expect(of.isKeyFrame && of.track.kind === 'video').toBe(true);
      expect(known).toBe(config % 100);
      previous = index;
    });
  }
});
