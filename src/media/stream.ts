import type { Frame } from '../codec/frame.ts';
import { type Track, trackSlot } from '../codec/track.ts';
import { ResourceError } from '../wire/errors.ts';
import type { Clock } from './clock.ts';
import type { ContainerWriter } from './container-writer.ts';
import { FanOut, type FanOutViewer, noViewerCounters, type ViewerCounters } from './fan-out.ts';
import { FrameLog } from './frame-log.ts';
import { type Metadata, mergeMetadata, writeOnMetaData } from './metadata.ts';
import { MixQueue } from './mix-queue.ts';
import { Publication, type PublicationEnd, type PublisherInfo } from './publication.ts';
import { Rendition } from './rendition.ts';
import { EMPTY_STREAM_HEADER, type StreamHeader, withTrack } from './stream-header.ts';
import { type StreamName, streamKey } from './stream-name.ts';
import type { StreamSettings } from './stream-settings.ts';
import { StreamStats } from './stream-stats.ts';
import { Timeline } from './timeline.ts';
import type { Framing, ViewerCloseReason, ViewerSink } from './viewer.ts';

/** A rendition nobody reads is dropped after this long, milliseconds. */
export const RENDITION_IDLE_MS = 10_000;

/**
 * Most renditions of one stream: each holds as much as the log, and RTMP clients may ask for one on every message stream.
 * HTTP and the first message stream of RTMP make 32.
 */
export const MAX_RENDITIONS = 48;

/** Code of the `ResourceError` that `Stream.publish` throws when the name is taken. */
export type StreamErrorCode = 'stream/busy' | 'stream/closed';

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

/** `idle`: nobody publishes; `live`: somebody does; `grace`: the publisher was lost and viewers wait for it. */
export type StreamState = 'idle' | 'live' | 'grace' | 'closed';

/** One stream: its publisher, its log, its renditions and its viewers. Made by `StreamHub`. */
export class Stream {
  readonly name: StreamName;
  /** `streamKey(name)`, for maps and logs. */
  readonly key: string;
  readonly settings: StreamSettings;
  readonly log: FrameLog;
  readonly stats: StreamStats = new StreamStats();
  readonly counters: ViewerCounters = noViewerCounters();
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  #timeline: Timeline;
  readonly #mixQueue: MixQueue | undefined;
  readonly #renditions = new Map<string, SharedRendition>();
  #publication: Publication | undefined;
  #metadata: Metadata | undefined;
  #headerIsOld = false;
  /** Video tracks of which this publication has sent a key frame. */
  readonly #keyedSlots = new Set<number>();
  #state: StreamState = 'idle';
  #liveSinceMs: number | undefined;
  #idleSinceMs: number;
  #viewers = 0;
  #stopTicking: (() => void) | undefined;
  #cancelGrace: (() => void) | undefined;
  #flushPlanned = false;
  readonly #waiters = new Set<() => void>();

  /** @param onFault told of what sinks and container writers throw */
  constructor(name: StreamName, settings: StreamSettings, clock: Clock, onFault: (error: unknown) => void) {
    this.name = name;
    this.key = streamKey(name);
    this.settings = settings;
    this.#clock = clock;
    this.#onFault = onFault;
    this.#idleSinceMs = clock.nowMs();
    this.log = new FrameLog({
      maxBytes: settings.logMaxBytes,
      maxSeconds: settings.logMaxSeconds,
      maxGopFrames: settings.gopCacheMaxFrames,
    });
    this.#timeline = new Timeline({ algorithm: settings.jitter });
    this.#mixQueue = settings.mixCorrect ? new MixQueue() : undefined;
  }

  get state(): StreamState {
    return this.#state;
  }

  get header(): StreamHeader {
    return this.log.header;
  }

  /** Viewers now; who waits in `whenLive` is none yet. */
  get viewers(): number {
    return this.#viewers;
  }

  get publisher(): PublisherInfo | undefined {
    return this.#publication?.info;
  }

  /** How long the stream has been live, milliseconds; a grace window does not interrupt it. */
  get liveForMs(): number {
    return this.#liveSinceMs === undefined ? 0 : this.#clock.nowMs() - this.#liveSinceMs;
  }

  /** Whether there is neither publisher nor viewer, nor a window in which one is waited for. */
  get isIdle(): boolean {
    const isUsed = this.#publication !== undefined || this.#viewers > 0 || this.#waiters.size > 0;
    return !isUsed && this.#state !== 'grace';
  }

  /** How long it has been idle, milliseconds; 0 while it is not. */
  get idleForMs(): number {
    return this.isIdle ? this.#clock.nowMs() - this.#idleSinceMs : 0;
  }

  /** Clock jumps of the publisher bridged so far. */
  get timestampJumps(): number {
    return this.#timeline.jumps;
  }

  /**
   * Gives the stream to a publisher.
   * @param onEnded told when the stream takes it away again (timeout, takeover, shutdown)
   * @throws ResourceError `stream/busy` when somebody publishes and the policy is `refuse`
   */
  publish(info: PublisherInfo, onEnded: (end: PublicationEnd) => void): Publication {
    if (this.#state === 'closed')
      throw new ResourceError('stream/closed' satisfies StreamErrorCode, 'the stream is closed');
    if (this.#publication !== undefined) {
      if (this.settings.takeover === 'refuse') {
        throw new ResourceError('stream/busy' satisfies StreamErrorCode, `"${this.key}" is being published already`);
      }
      this.#publication.revoke('taken-over');
    }
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    if (this.#state === 'idle') this.#liveSinceMs = this.#clock.nowMs();
    this.#state = 'live';
    this.#headerIsOld = true;
    this.#keyedSlots.clear();
    this.#timeline.restart();
    this.stats.reset();
    const publication = new Publication(this, info, this.#clock.nowMs(), onEnded);
    this.#publication = publication;
    for (const wake of this.#waiters) wake();
    return publication;
  }

  /**
   * Adds a viewer. After `start()` it gets the header and frames as soon as there is a frame to start at. One that can't
   * be served any more is closed by `start()`.
   */
  view(options: ViewOptions): StreamViewer {
    if (this.#state === 'closed') return refusedViewer(options.sink, 'closed');
    const { rendition: name } = options;
    if (!this.#hasRoomFor(name)) {
      this.counters.failed++;
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
    if (options.secondsAgo !== undefined) at = this.log.joinPointAgo(options.secondsAgo);
    else if (this.settings.gopCache && options.atNext !== true) at = this.log.newestJoinPoint();
    const viewer = fanOut.join(options.sink, at, this.#clock.nowMs());
    return this.#handle(fanOut, viewer);
  }

  /**
   * Resolves with true when somebody publishes, with false after `timeoutMs`, when `signal` aborts or when the stream is
   * closed. The stream counts as in use meanwhile.
   */
  whenLive(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#state === 'live') return Promise.resolve(true);
    if (this.#state === 'closed' || signal?.aborted === true) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (live: boolean): void => {
        this.#waiters.delete(wake);
        signal?.removeEventListener('abort', abort);
        cancel();
        this.#noteIfIdle();
        resolve(live);
      };
      const wake = (): void => settle(this.#state === 'live');
      const abort = (): void => settle(false);
      const cancel = this.#clock.after(timeoutMs, abort);
      this.#waiters.add(wake);
      signal?.addEventListener('abort', abort);
    });
  }

  /** To be called about twice a second: timeouts, dead viewers, unused renditions. */
  housekeep(): void {
    const nowMs = this.#clock.nowMs();
    const publication = this.#publication;
    if (publication !== undefined) {
      const { firstFrameTimeoutMs, frameTimeoutMs } = this.settings;
      const late =
        publication.lastFrameMs === undefined
          ? nowMs - publication.startedMs > firstFrameTimeoutMs
          : nowMs - publication.lastFrameMs > frameTimeoutMs;
      if (late) publication.revoke('timeout');
    }
    for (const [name, shared] of this.#renditions) {
      let readers = 0;
      for (const fanOut of shared.fanOuts.values()) {
        fanOut.flush(nowMs);
        readers += fanOut.size;
      }
      if (readers > 0) shared.idleSinceMs = undefined;
      else {
        shared.idleSinceMs ??= nowMs;
        if (nowMs - shared.idleSinceMs >= RENDITION_IDLE_MS) this.#renditions.delete(name);
      }
    }
  }

  /** Ends the publication and every viewer; the stream can't be used after. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#publication?.revoke('closed');
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    this.#closeViewers('closed');
    this.log.clear();
    for (const wake of this.#waiters) wake();
  }

  /** @internal called by `Publication` */
  acceptTrack(track: Track): void {
    // What waits to be ordered came before the change.
    this.#drainMixQueue();
    this.#announce(track);
  }

  #announce(track: Track): void {
    this.log.setHeader(withTrack(this.#currentHeader(), track));
  }

  /** @internal called by `Publication` */
  acceptRepeatedConfig(track: Track): void {
    // A copy is another object, which is how renditions see that there is something to announce.
    if (!this.settings.reduceSequenceHeader) this.#announce({ ...track });
  }

  /** @internal called by `Publication` */
  acceptMetadata(values: Metadata): boolean {
    const header = this.#currentHeader();
    const merged = mergeMetadata(this.#metadata, values);
    const metadata = writeOnMetaData(merged);
    if (metadata === undefined) return false;
    this.#metadata = merged;
    this.log.setHeader({ ...header, metadata });
    return true;
  }

  /** @internal called by `Publication` */
  acceptFrame(frame: Frame): void {
    const nowMs = this.#clock.nowMs();
    const publication = this.#publication;
    if (publication !== undefined) publication.lastFrameMs = nowMs;
    if (this.#headerIsOld && frame.track.kind !== 'data') this.#currentHeader();
    const isData = frame.track.kind === 'data';
    const dtsUs = isData
      ? this.#timeline.toDataTime(frame.dtsUs)
      : this.#timeline.toStreamTime(trackSlot(frame.track), frame.dtsUs, nowMs);
    if (!this.#isDecodable(frame)) return;
    const stamped: Frame = {
      track: frame.track,
      dtsUs,
      ptsUs: dtsUs + (frame.ptsUs - frame.dtsUs),
      isKeyFrame: frame.isKeyFrame,
      payload: frame.payload,
    };
    if (this.#mixQueue === undefined) this.#append(stamped);
    else {
      // The payload is only lent, and the queue holds it longer.
      const kept = { ...stamped, payload: new Uint8Array(stamped.payload) };
      for (const ordered of this.#mixQueue.push(kept)) this.#append(ordered);
    }
    if (this.settings.mergeWriteMs === 0 && this.#viewers > 0) this.#planFlush();
  }

  /** @internal called by `Publication` */
  publicationEnded(publication: Publication, end: PublicationEnd): void {
    if (this.#publication !== publication) return;
    this.#publication = undefined;
    this.#drainMixQueue();
    this.#flush();
    if (end === 'taken-over') return;
    const opensGrace =
      end === 'lost' || end === 'timeout' || (end === 'unpublished' && this.settings.graceAfterUnpublish);
    if (opensGrace && this.settings.graceMs > 0) {
      this.#state = 'grace';
      this.#cancelGrace = this.#clock.after(this.settings.graceMs, () => this.#endStream());
    } else {
      this.#endStream();
    }
  }

  #endStream(): void {
    this.#cancelGrace = undefined;
    if (this.#state === 'closed') return;
    const nowMs = this.#clock.nowMs();
    for (const shared of this.#renditions.values()) {
      for (const fanOut of shared.fanOuts.values()) fanOut.finish(nowMs);
    }
    this.#state = 'idle';
    this.#liveSinceMs = undefined;
    this.#metadata = undefined;
    this.#timeline = new Timeline({ algorithm: this.settings.jitter });
    this.log.clear();
    this.log.setHeader(EMPTY_STREAM_HEADER);
    this.#closeViewers('stream-ended');
    this.#noteIfIdle();
  }

  /** Frames of a video track before its first key frame are of no use to anyone, least of all after a republish. */
  #isDecodable(frame: Frame): boolean {
    if (frame.track.kind !== 'video') return true;
    const slot = trackSlot(frame.track);
    if (frame.isKeyFrame) this.#keyedSlots.add(slot);
    return this.#keyedSlots.has(slot);
  }

  /** The header to change: a new publisher's first word replaces everything the one before had announced. */
  #currentHeader(): StreamHeader {
    if (this.#headerIsOld) {
      this.#headerIsOld = false;
      this.#metadata = undefined;
      this.log.setHeader(EMPTY_STREAM_HEADER);
    }
    return this.log.header;
  }

  #drainMixQueue(): void {
    if (this.#mixQueue === undefined) return;
    for (const frame of this.#mixQueue.drain()) this.#append(frame);
  }

  #append(frame: Frame): void {
    this.stats.add(frame);
    this.log.append(frame);
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
      shared = { rendition: new Rendition(this.log, makeWriter()), fanOuts: new Map(), idleSinceMs: undefined };
      this.#renditions.set(name, shared);
    }
    return shared;
  }

  #fanOut(shared: SharedRendition, framing: Framing): FanOut {
    let fanOut = shared.fanOuts.get(framing.name);
    if (fanOut === undefined) {
      fanOut = new FanOut({
        log: this.log,
        rendition: shared.rendition,
        framing,
        limits: {
          queueLengthUs: this.settings.queueLengthMs * 1000,
          stallTimeoutMs: this.settings.stallTimeoutMs,
          maxSocketBufferBytes: this.settings.maxSocketBufferBytes,
        },
        counters: this.counters,
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

  /** Forgets the renditions first: a sink that is told may look at the stream again at once. */
  #closeViewers(reason: ViewerCloseReason): void {
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
    }
    this.#noteIfIdle();
  }

  #startTicking(): void {
    if (this.settings.mergeWriteMs === 0 || this.#stopTicking !== undefined) return;
    this.#stopTicking = this.#clock.every(this.settings.mergeWriteMs, () => this.#flush());
  }

  /** Without merging, frames that came in one read leave in one write. */
  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#clock.soon(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
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

  #noteIfIdle(): void {
    if (!this.isIdle) return;
    this.#idleSinceMs = this.#clock.nowMs();
  }
}

function readersOf(shared: SharedRendition): number {
  let readers = 0;
  for (const fanOut of shared.fanOuts.values()) readers += fanOut.size;
  return readers;
}

/** The handle of a viewer that was never added. */
function refusedViewer(sink: ViewerSink, reason: ViewerCloseReason): StreamViewer {
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
