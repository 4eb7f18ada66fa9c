import type { FrameLog } from './frame-log.ts';
import { CUT_BYTES, type Rendition } from './rendition.ts';
import type { StreamHeader } from './stream-header.ts';
import type { Framing, ViewerCloseReason, ViewerSink } from './viewer.ts';

/** A write to one viewer joins entries up to this size (or is one larger entry); what is left follows when the socket has drained. */
export const MAX_JOINED_BYTES: number = CUT_BYTES;

/** Joined buffers are remembered for the next viewer at the same place up to about this size together. */
export const MAX_REMEMBERED_BYTES: number = 8 * 1024 * 1024;

/** A viewer whose socket took all it was given within this long before the end gets the stream's last frames too, milliseconds. */
export const KEEPS_UP_MS = 1_000;

/** How much may wait in the socket of such a viewer with the last frames, bytes. */
const MAX_FINAL_BYTES: number = 4 * MAX_JOINED_BYTES;

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
  /** Viewers closed because of a fault on this side. */
  failed: number;
  /** Bytes handed to viewers. */
  sentBytes: number;
}

/** Counters at zero. */
export function noViewerCounters(): ViewerCounters {
  return { lagJumps: 0, stalled: 0, overflowed: 0, failed: 0, sentBytes: 0 };
}

/** Adds what `counters` counted to `sum`. */
export function addViewerCounters(sum: ViewerCounters, counters: Readonly<ViewerCounters>): void {
  sum.lagJumps += counters.lagJumps;
  sum.stalled += counters.stalled;
  sum.overflowed += counters.overflowed;
  sum.failed += counters.failed;
  sum.sentBytes += counters.sentBytes;
}

export interface FanOutOptions {
  readonly log: FrameLog;
  readonly rendition: Rendition;
  readonly framing: Framing;
  readonly limits: ViewerLimits;
  readonly counters: ViewerCounters;
  /** Called when a viewer was closed by the fan-out (its sink has been told already). */
  readonly onClosed: (viewer: FanOutViewer, reason: ViewerCloseReason) => void;
  /** Called with what a sink, a framing or a container writer threw; the viewer it hit is closed as `failed`. */
  readonly onFault: (error: unknown) => void;
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
  /** The header it knows; undefined until it has been given the first one. */
  header: StreamHeader | undefined;
  /** Lag this viewer may have before it jumps, microseconds: more than the queue length while it catches up from its start. */
  allowedLagUs = 0;
  /** `nowMs` when the sink was last seen to have sent something, or to have nothing to send. */
  lastProgressMs: number;
  /** What waited in the sink when it was last looked at. */
  bufferedBytes = 0;
  closed = false;

  constructor(sink: ViewerSink, cursor: number, nowMs: number) {
    this.sink = sink;
    this.cursor = cursor;
    this.lastProgressMs = nowMs;
  }
}

interface JoinedBytes {
  readonly bytes: Uint8Array;
  readonly next: number;
  /** The header in force at the last entry in it. */
  readonly header: StreamHeader;
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
  readonly #onFault: (error: unknown) => void;
  readonly #viewers = new Set<FanOutViewer>();
  readonly #joined = new Map<number, JoinedBytes>();
  #joinedBytes = 0;
  #joinedHead = -1;

  constructor(options: FanOutOptions) {
    this.#log = options.log;
    this.#rendition = options.rendition;
    this.#framing = options.framing;
    this.#limits = options.limits;
    this.#counters = options.counters;
    this.#onClosed = options.onClosed;
    this.#onFault = options.onFault;
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
    if (this.#viewers.size === 0) this.#forgetJoined();
  }

  /** Stops sending to a viewer; when it goes on, it goes on at the newest key frame. */
  setPaused(viewer: FanOutViewer, paused: boolean, nowMs: number): void {
    if (viewer.paused === paused || viewer.closed) return;
    viewer.paused = paused;
    if (paused) return;
    viewer.lastProgressMs = nowMs;
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
    viewer.lastProgressMs = nowMs;
    if (viewer.cursor < this.#rendition.head) this.#flushViewer(viewer, nowMs);
  }

  /**
   * The stream ends: viewers that kept up get the last frames although their sockets may still be busy with the ones
   * before, because there will be no later flush.
   */
  finish(nowMs: number): void {
    for (const viewer of this.#viewers) {
      if (viewer.paused || nowMs - viewer.lastProgressMs > KEEPS_UP_MS) continue;
      try {
        if (this.#place(viewer)) this.#send(viewer, Math.min(MAX_FINAL_BYTES, this.#limits.maxSocketBufferBytes));
      } catch (error) {
        this.#fail(viewer, error);
      }
    }
  }

  /** Ends a viewer: its sink is told. Idempotent. */
  close(viewer: FanOutViewer, reason: ViewerCloseReason): void {
    if (viewer.closed) return;
    this.leave(viewer);
    if (reason === 'stalled') this.#counters.stalled++;
    if (reason === 'socket-buffer') this.#counters.overflowed++;
    if (reason === 'failed') this.#counters.failed++;
    try {
      viewer.sink.close(reason);
    } catch (error) {
      this.#onFault(error);
    }
    this.#onClosed(viewer, reason);
  }

  closeAll(reason: ViewerCloseReason): void {
    for (const viewer of this.#viewers) this.close(viewer, reason);
  }

  #flushViewer(viewer: FanOutViewer, nowMs: number): void {
    const { sink } = viewer;
    if (viewer.closed) return;
    const waitingBytes = sink.bufferedBytes;
    if (waitingBytes > 0) {
      if (waitingBytes < viewer.bufferedBytes) viewer.lastProgressMs = nowMs;
      viewer.bufferedBytes = waitingBytes;
      if (nowMs - viewer.lastProgressMs > this.#limits.stallTimeoutMs) this.close(viewer, 'stalled');
      return;
    }
    viewer.lastProgressMs = nowMs;
    if (viewer.paused) return;
    try {
      if (this.#place(viewer)) this.#send(viewer, 0);
    } catch (error) {
      this.#fail(viewer, error);
    }
    if (viewer.closed) return;
    viewer.bufferedBytes = sink.bufferedBytes;
    if (viewer.bufferedBytes > this.#limits.maxSocketBufferBytes) this.close(viewer, 'socket-buffer');
  }

  /** What one viewer's sink throws must not keep the others from their bytes. */
  #fail(viewer: FanOutViewer, error: unknown): void {
    this.close(viewer, 'failed');
    this.#onFault(error);
  }

  /** Writes from the cursor on until nothing is left or more than `untilBytes` wait in the sink. */
  #send(viewer: FanOutViewer, untilBytes: number): void {
    const { sink } = viewer;
    while (!viewer.closed && !viewer.paused && viewer.cursor < this.#rendition.head) {
      const joined = this.#join(viewer.cursor);
      // Before the write: a sink may call back into `drained` from it.
      viewer.cursor = joined.next;
      viewer.header = joined.header;
      this.#write(viewer, joined.bytes);
      if (sink.bufferedBytes > untilBytes) break;
    }
    if (viewer.cursor >= this.#rendition.head) viewer.allowedLagUs = this.#limits.queueLengthUs;
  }

  /** Puts the cursor where the viewer may read on; false while it must wait for a place to start at. */
  #place(viewer: FanOutViewer): boolean {
    if (viewer.waiting) {
      const start = this.#log.joinPointFrom(Math.max(viewer.cursor, this.#rendition.first));
      if (start === undefined) return false;
      const known = viewer.header;
      const bytes = known === undefined ? this.#rendition.startBytes(start) : this.#rendition.updateBytes(known, start);
      viewer.cursor = start;
      viewer.header = this.#log.headerAt(start);
      viewer.waiting = false;
      viewer.allowedLagUs = this.#limits.queueLengthUs + this.#log.lagUs(start);
      this.#write(viewer, this.#framed(bytes));
      return !viewer.closed;
    }
    if (viewer.cursor >= this.#rendition.head) return true;
    const gone = viewer.cursor < this.#rendition.first;
    if (!gone && this.#log.lagUs(viewer.cursor) <= viewer.allowedLagUs) return true;
    const newest = this.#log.newestJoinPoint();
    // Behind, but the newest key frame is behind as well: going on from here is the shortest way forward.
    if (!gone && (newest === undefined || newest <= viewer.cursor)) return true;
    viewer.lagJumps++;
    this.#counters.lagJumps++;
    this.#jump(viewer, newest);
    return this.#place(viewer);
  }

  /** Lets the viewer go on at `to`, or where that would be a step back, at the next place to start at. */
  #jump(viewer: FanOutViewer, to: number | undefined): void {
    if (to !== undefined && to > viewer.cursor) viewer.cursor = to;
    viewer.waiting = true;
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

  #forgetJoined(): void {
    this.#joined.clear();
    this.#joinedBytes = 0;
  }

  #join(from: number): JoinedBytes {
    const head = this.#rendition.head;
    if (head !== this.#joinedHead) {
      this.#forgetJoined();
      this.#joinedHead = head;
    }
    const cached = this.#joined.get(from);
    if (cached !== undefined) return cached;
    const end = this.#rendition.cutAfter(from);
    const limitBytes = Math.min(MAX_JOINED_BYTES, this.#limits.maxSocketBufferBytes);
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    let next = from;
    while (next < end) {
      const part = this.#rendition.at(next)!;
      if (parts.length > 0 && sizeBytes + part.length > limitBytes) break;
      next++;
      if (part.length === 0) continue;
      parts.push(part);
      sizeBytes += part.length;
    }
    const bytes = parts.length === 0 ? EMPTY : this.#framing.join(parts, sizeBytes);
    const joined = { bytes, next, header: this.#rendition.headerAt(next - 1) };
    if (this.#joinedBytes + bytes.length > MAX_REMEMBERED_BYTES) this.#forgetJoined();
    this.#joined.set(from, joined);
    this.#joinedBytes += bytes.length;
    return joined;
  }
}

const EMPTY = new Uint8Array(0);
