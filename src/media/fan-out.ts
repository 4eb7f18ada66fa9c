import type { FrameLog } from './frame-log.ts';
import type { Rendition } from './rendition.ts';
import type { Framing, ViewerCloseReason, ViewerSink } from './viewer.ts';

/** A write to one viewer joins entries up to about this size; what is left follows when the socket has drained. */
export const MAX_JOINED_BYTES: number = 256 * 1024;

/** What the slow-viewer contract allows. */
export interface ViewerLimits {
  /** A viewer that lags more than this jumps to the newest key frame, microseconds. */
  readonly queueLengthUs: number;
  /** A socket that takes nothing for this long is dead, milliseconds. */
  readonly stallTimeoutMs: number;
  /** Most bytes that may wait in one viewer's socket. */
  readonly maxSocketBufferBytes: number;
}

/** Counters of the slow-viewer contract, one set for a stream; all only grow. */
export interface ViewerCounters {
  /** Times a viewer jumped to a newer key frame because it lagged. */
  lagJumps: number;
  /** Viewers closed because their socket took nothing. */
  stalled: number;
  /** Viewers closed because too much waited in their socket. */
  overflowed: number;
  /** Bytes handed to viewers. */
  sentBytes: number;
}

export interface FanOutOptions {
  readonly log: FrameLog;
  readonly rendition: Rendition;
  readonly framing: Framing;
  readonly limits: ViewerLimits;
  readonly counters: ViewerCounters;
  /** Called when a viewer was closed by the fan-out (its sink has been told already). */
  readonly onClosed: (viewer: FanOutViewer, reason: ViewerCloseReason) => void;
}

/** One viewer's place in the log. Made by `FanOut.join`. */
export class FanOutViewer {
  readonly sink: ViewerSink;
  /** Frame to be sent next. */
  cursor: number;
  /** Bytes handed to the sink. */
  sentBytes = 0;
  /** Times this viewer jumped because it lagged. */
  lagJumps = 0;
  paused = false;
  /** Waits for a frame to start at, from `cursor` on. */
  waiting = true;
  /** Has been given a container header. */
  started = false;
  /** Lag this viewer may have before it jumps, microseconds: more than the queue length while it catches up from its start. */
  allowedLagUs = 0;
  /** `nowMs` when the sink last had nothing left to send. */
  lastDrainedMs: number;
  closed = false;

  constructor(sink: ViewerSink, cursor: number, nowMs: number) {
    this.sink = sink;
    this.cursor = cursor;
    this.lastDrainedMs = nowMs;
  }
}

interface JoinedBytes {
  readonly from: number;
  readonly bytes: Uint8Array;
  readonly next: number;
}

/**
 * Hands a rendition to its viewers. A viewer whose socket is empty gets `rendition[cursor..head]`, joined once for all
 * that stand at the same frame; one whose socket still holds bytes is passed over, so what it costs is bounded by one
 * joined buffer, and nobody waits for it.
 */
export class FanOut {
  readonly #log: FrameLog;
  readonly #rendition: Rendition;
  readonly #framing: Framing;
  readonly #limits: ViewerLimits;
  readonly #counters: ViewerCounters;
  readonly #onClosed: (viewer: FanOutViewer, reason: ViewerCloseReason) => void;
  readonly #viewers = new Set<FanOutViewer>();
  readonly #joined = new Map<number, JoinedBytes>();
  #joinedHead = -1;

  constructor(options: FanOutOptions) {
    this.#log = options.log;
    this.#rendition = options.rendition;
    this.#framing = options.framing;
    this.#limits = options.limits;
    this.#counters = options.counters;
    this.#onClosed = options.onClosed;
  }

  get size(): number {
    return this.#viewers.size;
  }

  /**
   * Adds a viewer. Nothing is sent before the next `flush` or `drained`.
   * @param at frame to start at (a join point), or undefined to start at the next one that comes
   */
  join(sink: ViewerSink, at: number | undefined, nowMs: number): FanOutViewer {
    const viewer = new FanOutViewer(sink, at ?? this.#rendition.head, nowMs);
    this.#viewers.add(viewer);
    return viewer;
  }

  /** Removes a viewer that left by itself; its sink is not told. */
  leave(viewer: FanOutViewer): void {
    viewer.closed = true;
    this.#viewers.delete(viewer);
    if (this.#viewers.size === 0) this.#joined.clear();
  }

  /** Stops sending to a viewer; when it goes on, it goes on at the newest key frame. */
  setPaused(viewer: FanOutViewer, paused: boolean, nowMs: number): void {
    if (viewer.paused === paused) return;
    viewer.paused = paused;
    if (paused) return;
    viewer.lastDrainedMs = nowMs;
    this.#jump(viewer, this.#log.newestJoinPoint());
    this.#flushViewer(viewer, nowMs);
  }

  /** Sends what is new to every viewer that can take it, and closes those that are dead. Call after `rendition.advance()`. */
  flush(nowMs: number): void {
    for (const viewer of this.#viewers) this.#flushViewer(viewer, nowMs);
  }

  /** The viewer's socket has room again: catches up at once instead of at the next flush. */
  drained(viewer: FanOutViewer, nowMs: number): void {
    if (viewer.closed) return;
    viewer.lastDrainedMs = nowMs;
    if (viewer.cursor < this.#rendition.head) this.#flushViewer(viewer, nowMs);
  }

  close(viewer: FanOutViewer, reason: ViewerCloseReason): void {
    if (viewer.closed) return;
    this.leave(viewer);
    if (reason === 'stalled') this.#counters.stalled++;
    if (reason === 'socket-buffer') this.#counters.overflowed++;
    viewer.sink.close(reason);
    this.#onClosed(viewer, reason);
  }

  closeAll(reason: ViewerCloseReason): void {
    for (const viewer of [...this.#viewers]) this.close(viewer, reason);
  }

  #flushViewer(viewer: FanOutViewer, nowMs: number): void {
    const sink = viewer.sink;
    if (viewer.closed) return;
    if (sink.bufferedBytes > 0) {
      if (nowMs - viewer.lastDrainedMs > this.#limits.stallTimeoutMs) this.close(viewer, 'stalled');
      return;
    }
    viewer.lastDrainedMs = nowMs;
    if (viewer.paused) return;
    if (!this.#place(viewer)) return;
    const head = this.#rendition.head;
    while (viewer.cursor < head) {
      const joined = this.#join(viewer.cursor);
      viewer.cursor = joined.next;
      this.#write(viewer, joined.bytes);
      if (sink.bufferedBytes > 0 || viewer.closed) break;
    }
    if (viewer.cursor >= head) viewer.allowedLagUs = this.#limits.queueLengthUs;
    if (sink.bufferedBytes > this.#limits.maxSocketBufferBytes) this.close(viewer, 'socket-buffer');
  }

  /** Puts the cursor where the viewer may read on; false while it must wait for a place to start at. */
  #place(viewer: FanOutViewer): boolean {
    if (viewer.waiting) {
      const start = this.#log.joinPointFrom(Math.max(viewer.cursor, this.#rendition.first));
      if (start === undefined) return false;
      if (viewer.started) this.#write(viewer, this.#framed(this.#rendition.headerBetween(viewer.cursor, start)));
      else this.#write(viewer, this.#framed(this.#rendition.headerFor(start)));
      viewer.cursor = start;
      viewer.waiting = false;
      viewer.started = true;
      viewer.allowedLagUs = this.#limits.queueLengthUs + this.#lagUs(start);
      return true;
    }
    if (viewer.cursor >= this.#rendition.head) return true;
    const gone = viewer.cursor < this.#rendition.first;
    if (!gone && this.#lagUs(viewer.cursor) <= viewer.allowedLagUs) return true;
    const newest = this.#log.newestJoinPoint();
    // Behind, but the newest key frame is behind as well: going on from here is the shortest way forward.
    if (!gone && (newest === undefined || newest <= viewer.cursor)) return true;
    viewer.lagJumps++;
    this.#counters.lagJumps++;
    this.#jump(viewer, newest);
    return this.#place(viewer);
  }

  #lagUs(index: number): number {
    const frame = this.#log.at(index);
    return frame === undefined ? 0 : this.#log.newestDtsUs - frame.dtsUs;
  }

  #jump(viewer: FanOutViewer, to: number | undefined): void {
    const target = to === undefined || to < viewer.cursor ? this.#log.joinPointFrom(viewer.cursor) : to;
    if (!viewer.started) {
      viewer.cursor = target ?? this.#rendition.head;
      return;
    }
    if (target === undefined || target < this.#rendition.first) {
      viewer.waiting = true;
      return;
    }
    this.#write(viewer, this.#framed(this.#rendition.headerBetween(viewer.cursor, target)));
    viewer.cursor = target;
    viewer.waiting = false;
  }

  #framed(bytes: Uint8Array): Uint8Array {
    return bytes.length === 0 ? bytes : this.#framing.join([bytes], bytes.length);
  }

  #write(viewer: FanOutViewer, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    viewer.sentBytes += bytes.length;
    this.#counters.sentBytes += bytes.length;
    viewer.sink.write(bytes);
  }

  #join(from: number): JoinedBytes {
    const head = this.#rendition.head;
    if (head !== this.#joinedHead) {
      this.#joined.clear();
      this.#joinedHead = head;
    }
    const cached = this.#joined.get(from);
    if (cached !== undefined) return cached;
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    let next = from;
    while (next < head) {
      const part = this.#rendition.at(next)!;
      if (parts.length > 0 && sizeBytes + part.length > MAX_JOINED_BYTES) break;
      next++;
      if (part.length === 0) continue;
      parts.push(part);
      sizeBytes += part.length;
    }
    const bytes = parts.length === 0 ? EMPTY : this.#framing.join(parts, sizeBytes);
    const joined = { from, bytes, next };
    this.#joined.set(from, joined);
    return joined;
  }
}

const EMPTY = new Uint8Array(0);
