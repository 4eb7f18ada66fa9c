import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { monotonicUs } from '../../bench/load/clock.ts';
import { hasStamp, STAMP_END, stampNumber, stampTimeUs } from '../../bench/load/frame-stamp.ts';
import { MEDIA_HEAD_SIZE } from '../../bench/load/message-sink.ts';
import { RtspClient } from '../../bench/load/rtsp-client.ts';
import { RemoteServer } from '../integration/robustness/remote-server.ts';
import { StampedPublisher } from '../integration/robustness/stamped-publisher.ts';
import { until } from '../integration/robustness/until.ts';

const PATH = 'live/stalled';
/** 4.8 Mb/s, so that what the kernel takes for a viewer that does not read is full after some seconds. */
const STREAM = { path: PATH, frameRate: 25, gopFrames: 25, frameBytes: 24_000 };
const VIEWERS = 4;
const WINDOW_MS = 4000;
const STALL_TIMEOUT_SECONDS = 2;
/** What one viewer that stalls may add to the delay of another. */
const ALLOWED_MS = 10;
/** Frames that may come later than that in the window with it, beyond those of the windows without: the machine's own noise. */
const ALLOWED_SHARE = 0.005;
/** What a stalled viewer does to others it does every time; a hiccup of the machine it does not. */
const MOST_TRIALS = 3;

/** A viewer that knows how old each frame is when it comes. */
class DelayViewer {
  readonly socket: Socket;
  closed = false;
  failure: string | undefined;
  frames = 0;
  gaps = 0;
  delaysMs: number[] = [];
  readonly #client: RtspClient;
  #nowUs = 0;
  #lastFrame = -1;

  constructor(port: number, udp: boolean) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#client = new RtspClient(
      { host: '127.0.0.1', port, path: PATH, udp },
      {
        send: (text) => this.socket.write(text),
        failed: (reason) => {
          this.failure ??= reason;
        },
        arrived: () => {
          this.#nowUs = monotonicUs();
        },
        media: { message: (type, _timestampMs, _sizeBytes, head) => this.#take(type, head) },
      },
    );
    this.socket.on('connect', () => this.#client.start());
    this.socket.on('data', (bytes: Uint8Array) => {
      this.#nowUs = monotonicUs();
      this.#client.push(bytes, 0, bytes.length);
    });
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  leave(): void {
    this.#client.close();
    this.socket.destroy();
  }

  #take(type: number, head: Uint8Array): void {
    if (type !== 9 || MEDIA_HEAD_SIZE < STAMP_END || !hasStamp(head)) return;
    const number = stampNumber(head);
    if (this.#lastFrame >= 0 && number !== this.#lastFrame + 1) this.gaps++;
    this.#lastFrame = number;
    this.frames++;
    this.delaysMs.push((this.#nowUs - stampTimeUs(head)) / 1000);
  }
}

interface Delays {
  readonly sorted: Float64Array;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

function delaysOf(viewers: readonly DelayViewer[]): Delays {
  const sorted = Float64Array.from(viewers.flatMap((viewer) => viewer.delaysMs)).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { sorted, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Share of frames that came later than `limitMs`. */
function lateShare({ sorted }: Delays, limitMs: number): number {
  return sorted.filter((delayMs) => delayMs > limitMs).length / sorted.length;
}

/** Delays in a window with a viewer that stalls, and in those before and behind it. */
interface Trial {
  readonly before: Delays;
  readonly during: Delays;
  readonly after: Delays;
}

/** By how much the window with the stalled viewer is worse than the worse one of the others. */
interface Harm {
  readonly p99Ms: number;
  readonly lateShare: number;
  readonly maxMs: number;
}

function harmOf({ before, during, after }: Trial): Harm {
  const limitMs = Math.max(before.p50, after.p50) + ALLOWED_MS;
  return {
    p99Ms: during.p99 - Math.max(before.p99, after.p99),
    lateShare: lateShare(during, limitMs) - Math.max(lateShare(before, limitMs), lateShare(after, limitMs)),
    maxMs: during.max - Math.max(before.max, after.max),
  };
}

function isAllowed(harm: Harm): boolean {
  return harm.p99Ms <= ALLOWED_MS && harm.lateShare <= ALLOWED_SHARE;
}

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

it('a TCP viewer that stops reading is closed, and the others see no frame later for it', {
  timeout: 90_000,
}, async () => {
  const server = await RemoteServer.start({
    latency: 'realtime',
    play: { stall_timeout: STALL_TIMEOUT_SECONDS },
  });
  closers.push(() => server.close());
  const publisher = new StampedPublisher({ ...STREAM, port: server.rtmpPort });
  closers.push(() => publisher.leave());
  await until('the publish is accepted', () => publisher.has('publishing'));
  publisher.begin();
  publisher.run();
  const watch = (udp: boolean): DelayViewer => {
    const viewer = new DelayViewer(server.rtspPort, udp);
    closers.push(() => viewer.leave());
    return viewer;
  };
  const viewers = [
    ...Array.from({ length: VIEWERS }, () => watch(false)),
    ...Array.from({ length: VIEWERS }, () => watch(true)),
  ];
  await until('viewers see frames', () => viewers.every(({ frames }) => frames > STREAM.frameRate));

  const measure = async (isOver: () => boolean): Promise<Delays> => {
    for (const viewer of viewers) viewer.delaysMs = [];
    await until('the window is over', isOver, 60_000);
    return delaysOf(viewers);
  };
  const forAWhile = (): (() => boolean) => {
    const endMs = performance.now() + WINDOW_MS;
    return () => performance.now() > endMs;
  };
  /** Windows without a viewer that stalls, and one with it, from its coming to its end. */
  const disturb = async (times: number): Promise<Trial> => {
    const before = await measure(forAWhile());
    const stalled = watch(false);
    await until('it sees frames', () => stalled.frames > 0);
    stalled.socket.pause();
    // It learns of its end only when it has read what came before.
    const isClosed = async (): Promise<boolean> => (await server.glance()).viewers.stalled === times;
    let isOver = false;
    const disturbed = measure(() => isOver);
    while (!(await isClosed())) {
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
    }
    isOver = true;
    const during = await disturbed;
    const after = await measure(forAWhile());
    stalled.socket.resume();
    await until('it finds its connection closed', () => stalled.closed);
    return { before, during, after };
  };

  let harm = harmOf(await disturb(1));
  for (let times = 2; times <= MOST_TRIALS && !isAllowed(harm); times++) harm = harmOf(await disturb(times));
  expect(viewers.map(({ failure, gaps, closed }) => ({ failure, gaps, closed }))).toEqual(
    viewers.map(() => ({ failure: undefined, gaps: 0, closed: false })),
  );
  assert.ok(isAllowed(harm), JSON.stringify(harm));
});
