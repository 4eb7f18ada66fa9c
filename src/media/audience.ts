import type { Clock } from './clock.ts';
import type { ContainerWriter } from './container-writer.ts';
import { FanOut, type FanOutViewer, type ViewerCounters } from './fan-out.ts';
import type { FrameLog } from './frame-log.ts';
import { Rendition } from './rendition.ts';
import type { StreamSettings } from './stream-settings.ts';
import type { Framing, ViewerCloseReason, ViewerSink } from './viewer.ts';

/** A rendition nobody reads is dropped after this long, milliseconds. */
export const RENDITION_IDLE_MS = 10_000;

/**
 * Most renditions of one stream: each holds as much as the log, and RTMP clients may ask for one on every message stream.
 * HTTP and the first message stream of RTMP make 32.
 */
export const MAX_RENDITIONS = 48;

export interface ViewOptions {
  /** Renditions are shared by name; `makeWriter` is called when there is none of this name yet. */
  readonly rendition: string;
  readonly makeWriter: () => ContainerWriter;
  readonly framing: Framing;
  readonly sink: ViewerSink;
  /** Start this many seconds back in the log instead of at the newest key frame. */
  readonly secondsAgo?: number;
  /** Start at the next key frame to come, whatever the log holds. */
  readonly atNext?: boolean;
}

/** A viewer's hold on a stream. */
export interface StreamViewer {
  /** Sends the first bytes at once. Call it when the sink is ready to be closed, too. */
  start(): void;
  /** To be called when the sink has room again. */
  drained(): void;
  /** The viewer left by itself: it is forgotten and its sink is not told. Idempotent. */
  leave(): void;
  setPaused(paused: boolean): void;
  /** The stream ends it: the sink is told. Idempotent. */
  close(reason: ViewerCloseReason): void;
  /** Bytes handed to the sink so far. */
  readonly sentBytes: number;
  /** Times it jumped to a newer key frame. */
  readonly lagJumps: number;
}

interface SharedRendition {
  readonly rendition: Rendition;
  readonly fanOuts: Map<string, FanOut>;
  idleSinceMs: number | undefined;
}

export interface AudienceOptions {
  readonly log: FrameLog;
  readonly settings: StreamSettings;
  readonly clock: Clock;
  /** Counted into, for the whole life of the stream. */
  readonly counters: ViewerCounters;
  /** Told of what sinks and container writers throw. */
  readonly onFault: (error: unknown) => void;
  /** The last viewer has left. */
  readonly onEmpty: () => void;
}

/** All viewers of one stream: the renditions they read, made once for each container, and when they are written to. */
export class Audience {
  readonly #log: FrameLog;
  readonly #settings: StreamSettings;
  readonly #clock: Clock;
  readonly #counters: ViewerCounters;
  readonly #onFault: (error: unknown) => void;
  readonly #onEmpty: () => void;
  readonly #renditions = new Map<string, SharedRendition>();
  #viewers = 0;
  #stopTicking: (() => void) | undefined;
  #flushPlanned = false;

  constructor(options: AudienceOptions) {
    this.#log = options.log;
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#counters = options.counters;
    this.#onFault = options.onFault;
    this.#onEmpty = options.onEmpty;
  }

  /** Viewers now. */
  get size(): number {
    return this.#viewers;
  }

  /** Adds a viewer; one that can't be served is closed by its `start()`. */
  view(options: ViewOptions): StreamViewer {
    const { rendition: name } = options;
    if (!this.#hasRoomFor(name)) {
      this.#counters.failed++;
      return refusedViewer(options.sink, 'failed');
    }
    let shared: SharedRendition;
    try {
      shared = this.#shared(name, options.makeWriter);
      shared.rendition.advance();
    } catch (error) {
      this.#failRendition(name, error);
      return refusedViewer(options.sink, 'failed');
    }
    const fanOut = this.#fanOut(shared, options.framing);
    this.#viewers++;
    this.#startTicking();
    let at: number | undefined;
    if (options.secondsAgo !== undefined) at = this.#log.joinPointAgo(options.secondsAgo);
    else if (this.#settings.gopCache && options.atNext !== true) at = this.#log.newestJoinPoint();
    const viewer = fanOut.join(options.sink, at, this.#clock.nowMs());
    return this.#handle(fanOut, viewer);
  }

  /** To be called about twice a second: dead viewers, unused renditions. */
  housekeep(): void {
    const nowMs = this.#clock.nowMs();
    for (const [name, shared] of this.#renditions) {
      for (const fanOut of shared.fanOuts.values()) fanOut.flush(nowMs);
      if (readersOf(shared) > 0) shared.idleSinceMs = undefined;
      else {
        shared.idleSinceMs ??= nowMs;
        if (nowMs - shared.idleSinceMs >= RENDITION_IDLE_MS) this.#renditions.delete(name);
      }
    }
  }

  /** Sends the last frames of a stream that ends, also to viewers whose sockets are still busy. */
  finish(): void {
    const nowMs = this.#clock.nowMs();
    for (const shared of this.#renditions.values()) {
      for (const fanOut of shared.fanOuts.values()) fanOut.finish(nowMs);
    }
  }

  /** Makes room for a rendition where nobody reads another one. */
  #hasRoomFor(name: string): boolean {
    if (this.#renditions.size < MAX_RENDITIONS || this.#renditions.has(name)) return true;
    for (const [other, shared] of this.#renditions) {
      if (readersOf(shared) === 0) return this.#renditions.delete(other);
    }
    return false;
  }

  #shared(name: string, makeWriter: () => ContainerWriter): SharedRendition {
    let shared = this.#renditions.get(name);
    if (shared === undefined) {
      shared = { rendition: new Rendition(this.#log, makeWriter()), fanOuts: new Map(), idleSinceMs: undefined };
      this.#renditions.set(name, shared);
    }
    return shared;
  }

  #fanOut(shared: SharedRendition, framing: Framing): FanOut {
    let fanOut = shared.fanOuts.get(framing.name);
    if (fanOut === undefined) {
      fanOut = new FanOut({
        log: this.#log,
        rendition: shared.rendition,
        framing,
        limits: {
          queueLengthUs: this.#settings.queueLengthMs * 1000,
          stallTimeoutMs: this.#settings.stallTimeoutMs,
          maxSocketBufferBytes: this.#settings.maxSocketBufferBytes,
        },
        counters: this.#counters,
        onClosed: () => this.#viewerLeft(),
        onFault: this.#onFault,
      });
      shared.fanOuts.set(framing.name, fanOut);
    }
    return fanOut;
  }

  #handle(fanOut: FanOut, viewer: FanOutViewer): StreamViewer {
    const clock = this.#clock;
    return {
      start: () => fanOut.drained(viewer, clock.nowMs()),
      drained: () => fanOut.drained(viewer, clock.nowMs()),
      leave: () => {
        if (viewer.closed) return;
        fanOut.leave(viewer);
        this.#viewerLeft();
      },
      setPaused: (paused) => fanOut.setPaused(viewer, paused, clock.nowMs()),
      close: (reason) => fanOut.close(viewer, reason),
      get sentBytes() {
        return viewer.sentBytes;
      },
      get lagJumps() {
        return viewer.lagJumps;
      },
    };
  }

  /** Closes every viewer. Forgets the renditions first: a sink that is told may look at the stream again at once. */
  close(reason: ViewerCloseReason): void {
    const closing = [...this.#renditions.values()];
    this.#renditions.clear();
    for (const shared of closing) {
      for (const fanOut of shared.fanOuts.values()) fanOut.closeAll(reason);
    }
  }

  /** A container writer threw: those who read it are closed, all others go on. */
  #failRendition(name: string, error: unknown): void {
    const shared = this.#renditions.get(name);
    this.#renditions.delete(name);
    for (const fanOut of shared?.fanOuts.values() ?? []) fanOut.closeAll('failed');
    this.#onFault(error);
  }

  #viewerLeft(): void {
    this.#viewers--;
    if (this.#viewers === 0) {
      this.#stopTicking?.();
      this.#stopTicking = undefined;
      this.#onEmpty();
    }
  }

  #startTicking(): void {
    if (this.#settings.mergeWriteMs === 0 || this.#stopTicking !== undefined) return;
    this.#stopTicking = this.#clock.every(this.#settings.mergeWriteMs, () => this.flush());
  }

  /** To be called for every frame. Without merging, frames that came in one read leave in one write. */
  frameAppended(): void {
    if (this.#settings.mergeWriteMs > 0 || this.#viewers === 0 || this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#clock.soon(() => {
      this.#flushPlanned = false;
      this.flush();
    });
  }

  /** Makes the bytes of what is new and sends them to every viewer that can take them. */
  flush(): void {
    if (this.#viewers === 0) return;
    const nowMs = this.#clock.nowMs();
    for (const [name, shared] of this.#renditions) {
      if (readersOf(shared) === 0) continue;
      try {
        shared.rendition.advance();
      } catch (error) {
        this.#failRendition(name, error);
        continue;
      }
      for (const fanOut of shared.fanOuts.values()) fanOut.flush(nowMs);
    }
  }
}

function readersOf(shared: SharedRendition): number {
  let readers = 0;
  for (const fanOut of shared.fanOuts.values()) readers += fanOut.size;
  return readers;
}

/** The handle of a viewer that was never added. */
export function refusedViewer(sink: ViewerSink, reason: ViewerCloseReason): StreamViewer {
  let closed = false;
  const close = (why: ViewerCloseReason): void => {
    if (closed) return;
    closed = true;
    sink.close(why);
  };
  return {
    start: () => close(reason),
    drained: () => undefined,
    leave: () => {
      closed = true;
    },
    setPaused: () => undefined,
    close,
    sentBytes: 0,
    lagJumps: 0,
  };
}
