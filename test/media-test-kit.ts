/** What the tests of the media core share: virtual time, frames that can be recognised, and sinks that can be stopped. */
import type { Frame } from '../src/codec/frame.ts';
import type { Track } from '../src/codec/track.ts';
import type { StreamViewer, ViewOptions } from '../src/media/audience.ts';
import type { Clock } from '../src/media/clock.ts';
import type { ContainerWriter } from '../src/media/container-writer.ts';
import type { Publication } from '../src/media/publication.ts';
import type { Stream } from '../src/media/stream.ts';
import type { StreamHeader } from '../src/media/stream-header.ts';
import { DEFAULT_STREAM_SETTINGS, type StreamSettings } from '../src/media/stream-settings.ts';
import { type Framing, RAW_FRAMING, type ViewerCloseReason, type ViewerSink } from '../src/media/viewer.ts';

interface Timer {
  atMs: number;
  readonly intervalMs: number | undefined;
  readonly task: () => void;
}

/** Virtual time: stands still until `advance`. Timers that are due at the same time run in the order they were set. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000;
  readonly #timers = new Set<Timer>();
  readonly #soon: (() => void)[] = [];

  /** Timers that have not run or been cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  every(intervalMs: number, task: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + intervalMs, intervalMs, task });
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#add({ atMs: this.#nowMs + delayMs, intervalMs: undefined, task });
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  /** Ends the current piece of work: runs what `soon` took. */
  settle(): void {
    for (let task = this.#soon.shift(); task !== undefined; task = this.#soon.shift()) task();
  }

  /** Lets `ms` pass, timer by timer. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    this.settle();
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
      }
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      if (next.intervalMs === undefined) this.#timers.delete(next);
      else next.atMs += next.intervalMs;
      next.task();
      this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** The process is held up for `ms`: every timer that is due by then runs late, and once. */
  holdUp(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers].toSorted((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.#nowMs || !this.#timers.has(timer)) continue;
      if (timer.intervalMs === undefined) this.#timers.delete(timer);
      else timer.atMs = this.#nowMs + timer.intervalMs;
      timer.task();
      this.settle();
    }
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}

const NO_CONFIG: Uint8Array = new Uint8Array(0);

/** An H.264 or AAC track with `config` as its (meaningless) configuration, so that changes can be told apart. */
export function track(kind: 'video' | 'audio', config = 1, trackId = 0): Track {
  return { kind, trackId, codec: kind === 'video' ? 'h264' : 'aac', config: Uint8Array.of(kind.length, config) };
}

export const DATA_TRACK: Track = { kind: 'data', trackId: 0, codec: 'amf0', config: NO_CONFIG };

export const VIDEO: Track = track('video');
export const AUDIO: Track = track('audio');

/** A frame at `ms`, its payload `size` bytes that begin with the time. Video is a key frame only when `isKey` says so. */
export function frame(
  of: Track,
  ms: number,
  options: { readonly isKey?: boolean; readonly size?: number } = {},
): Frame {
  const payload = new Uint8Array(options.size ?? 4);
  if (payload.length >= 4) new DataView(payload.buffer).setUint32(0, ms);
  const isKeyFrame = options.isKey ?? of.kind !== 'video';
  return { track: of, dtsUs: ms * 1000, ptsUs: ms * 1000, isKeyFrame, payload };
}

/** A viewer's socket: takes everything at once until it is stopped. */
export class FakeSink implements ViewerSink {
  readonly writes: Uint8Array[] = [];
  closedAs: ViewerCloseReason | undefined;
  closeCalls = 0;
  bufferedBytes = 0;
  isStopped = false;
  /** Called after each write, as a socket may call back from it. */
  onWrite: (() => void) | undefined;
  onClose: ((reason: ViewerCloseReason) => void) | undefined;

  write(bytes: Uint8Array): void {
    if (this.closedAs !== undefined) throw new TypeError('written to after it was closed');
    this.writes.push(bytes);
    if (this.isStopped) this.bufferedBytes += bytes.length;
    this.onWrite?.();
  }

  close(reason: ViewerCloseReason): void {
    this.closedAs = reason;
    this.closeCalls++;
    this.onClose?.(reason);
  }

  /** The network has taken everything; the viewer's `drained()` is the caller's. */
  drain(): void {
    this.bufferedBytes = 0;
  }

  get text(): string {
    return this.writes.map((bytes) => new TextDecoder().decode(bytes)).join('');
  }

  /** What was written, cut at the spaces `TextWriter` puts behind every item. */
  get items(): string[] {
    return this.text.split(' ').slice(0, -1);
  }

  get sizeBytes(): number {
    return this.writes.reduce((sum, bytes) => sum + bytes.length, 0);
  }
}

/**
 * A container one can read: `H…` and `U…` (header, header update) with the configurations in force, `C…` when the header
 * changed in front of a frame, then `K100`, `P140` (video key and other frame), `A120`, `D0`, each followed by a space.
 * `made` counts calls of `writeFrame`.
 */
export class TextWriter implements ContainerWriter {
  made = 0;
  #header: StreamHeader | undefined;

  writeHeader(header: StreamHeader): Uint8Array {
    return text(`H${describeHeader(header)}`);
  }

  writeHeaderUpdate(header: StreamHeader): Uint8Array {
    return text(`U${describeHeader(header)}`);
  }

  writeFrame(of: Frame, header: StreamHeader): Uint8Array {
    this.made++;
    const change = this.#header !== undefined && this.#header !== header ? `C${describeHeader(header)} ` : '';
    this.#header = header;
    const kind = of.track.kind === 'video' ? (of.isKeyFrame ? 'K' : 'P') : of.track.kind === 'audio' ? 'A' : 'D';
    const name = `${change}${kind}${of.dtsUs / 1000}`;
    return text(name.padEnd(of.payload.length > 4 ? of.payload.length : 0, '.'));
  }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value} `);
}

function describeHeader(header: StreamHeader): string {
  return header.tracks.map((t) => `${t.kind[0]}${t.config[1]}`).join('');
}

export const LIVE: StreamSettings = { ...DEFAULT_STREAM_SETTINGS, mergeWriteMs: 100 };

export const PUBLISHER = { id: 'p1', protocol: 'rtmp', remote: '192.0.2.1:50000' } as const;

/** Adds a viewer that reads `TextWriter`'s container, and starts it. */
export function watch(
  stream: Stream,
  options: Partial<ViewOptions> & { readonly sink?: FakeSink; readonly framing?: Framing } = {},
): { readonly viewer: StreamViewer; readonly sink: FakeSink } {
  const sink = options.sink ?? new FakeSink();
  const viewer = stream.view({
    rendition: 'text',
    makeWriter: () => new TextWriter(),
    framing: RAW_FRAMING,
    ...options,
    sink,
  });
  viewer.start();
  return { viewer, sink };
}

/** Publishes video at 25 frames a second with a key frame every `gopMs`, in virtual time. */
export class VideoSource {
  readonly #clock: FakeClock;
  readonly #publication: Publication;
  readonly #gopMs: number;
  readonly size: number;
  atMs: number;

  constructor(
    clock: FakeClock,
    publication: Publication,
    options: { readonly gopMs?: number; readonly startMs?: number; readonly size?: number } = {},
  ) {
    this.#clock = clock;
    this.#publication = publication;
    this.#gopMs = options.gopMs ?? 1000;
    this.atMs = options.startMs ?? 0;
    this.size = options.size ?? 4;
    publication.track(VIDEO);
  }

  run(ms: number): void {
    for (const untilMs = this.atMs + ms; this.atMs < untilMs; this.atMs += 40) {
      this.#publication.frame(frame(VIDEO, this.atMs, { isKey: this.atMs % this.#gopMs === 0, size: this.size }));
      this.#clock.advance(40);
    }
  }
}
