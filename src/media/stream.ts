import type { Frame } from '../codec/frame.ts';
import { type Track, trackSlot } from '../codec/track.ts';
import { ResourceError } from '../wire/errors.ts';
import { Audience, refusedViewer, type StreamViewer, type ViewOptions } from './audience.ts';
import type { Clock } from './clock.ts';
import { noViewerCounters, type ViewerCounters } from './fan-out.ts';
import { FrameLog } from './frame-log.ts';
import { type Metadata, mergeMetadata, writeOnMetaData } from './metadata.ts';
import { MixQueue } from './mix-queue.ts';
import { Publication, type PublicationEnd, type PublisherInfo } from './publication.ts';
import { EMPTY_STREAM_HEADER, type StreamHeader, withTrack } from './stream-header.ts';
import { type StreamName, streamKey } from './stream-name.ts';
import type { StreamSettings } from './stream-settings.ts';
import { StreamStats } from './stream-stats.ts';
import { Timeline } from './timeline.ts';

/** Code of the `ResourceError` that `Stream.publish` throws when the name is taken. */
export type StreamErrorCode = 'stream/busy' | 'stream/closed';

/** `idle`: nobody publishes; `live`: somebody does; `grace`: the publisher was lost and viewers wait for it. */
export type StreamState = 'idle' | 'live' | 'grace' | 'closed';

/** A stream live for less than this may have tracks that were not announced yet, milliseconds. */
export const SETTLE_MS = 1_500;

/** How waiting for a publisher ends: with one, or why without. */
export type WaitOutcome = 'live' | 'timeout' | 'aborted' | 'abandoned' | 'closed';

/** One stream: its publisher, its log, and its life from the first to the last who uses it. Made by `StreamHub`. */
export class Stream {
  readonly name: StreamName;
  /** `streamKey(name)`, for maps and logs. */
  readonly key: string;
  readonly settings: StreamSettings;
  readonly log: FrameLog;
  readonly stats: StreamStats = new StreamStats();
  readonly counters: ViewerCounters = noViewerCounters();
  readonly #clock: Clock;
  #timeline: Timeline;
  readonly #mixQueue: MixQueue | undefined;
  readonly #audience: Audience;
  #publication: Publication | undefined;
  #metadata: Metadata | undefined;
  #headerIsOld = false;
  /** Video tracks of which this publication has sent a key frame. */
  readonly #keyedSlots = new Set<number>();
  #state: StreamState = 'idle';
  #liveSinceMs: number | undefined;
  #idleSinceMs: number;
  #cancelGrace: (() => void) | undefined;
  readonly #waiters = new Set<() => void>();

  /** @param onFault told of what sinks and container writers throw */
  constructor(name: StreamName, settings: StreamSettings, clock: Clock, onFault: (error: unknown) => void) {
    this.name = name;
    this.key = streamKey(name);
    this.settings = settings;
    this.#clock = clock;
    this.#idleSinceMs = clock.nowMs();
    this.log = new FrameLog({
      maxBytes: settings.logMaxBytes,
      maxSeconds: settings.logMaxSeconds,
      maxGopFrames: settings.gopCacheMaxFrames,
    });
    this.#audience = new Audience({
      log: this.log,
      settings,
      clock,
      counters: this.counters,
      onFault,
      onEmpty: () => this.#noteIfIdle(),
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
    return this.#audience.size;
  }

  /** Whether anybody views the stream or waits for it. */
  get isWatched(): boolean {
    return this.#audience.size > 0 || this.#waiters.size > 0;
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
    const isUsed = this.#publication !== undefined || this.#audience.size > 0 || this.#waiters.size > 0;
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
    return this.#state === 'closed' ? refusedViewer(options.sink, 'closed') : this.#audience.view(options);
  }

  /**
   * Resolves with `live` when somebody publishes; with something else after `timeoutMs`, when `signal` aborts or when the
   * stream is abandoned or closed. The stream counts as in use meanwhile.
   */
  whenLive(timeoutMs: number, signal?: AbortSignal): Promise<WaitOutcome> {
    if (this.#state === 'live' || this.#state === 'closed') return Promise.resolve(this.#state);
    if (signal?.aborted === true) return Promise.resolve('aborted');
    return new Promise((resolve) => {
      const settle = (outcome: WaitOutcome): void => {
        this.#waiters.delete(wake);
        signal?.removeEventListener('abort', abort);
        cancel();
        this.#noteIfIdle();
        resolve(outcome);
      };
      const wake = (): void => settle(this.#state === 'live' || this.#state === 'closed' ? this.#state : 'abandoned');
      const abort = (): void => settle('aborted');
      const cancel = this.#clock.after(timeoutMs, () => settle('timeout'));
      this.#waiters.add(wake);
      signal?.addEventListener('abort', abort);
    });
  }

  /** Nobody will publish: tells those who wait for it, in `whenLive` or as viewers, unless somebody does already. */
  abandon(): void {
    if (this.#state !== 'idle') return;
    for (const wake of this.#waiters) wake();
    this.#audience.close('stream-ended');
  }

  /** To be called about twice a second: timeouts, dead viewers, unused renditions. */
  housekeep(): void {
    const publication = this.#publication;
    if (publication !== undefined) {
      const nowMs = this.#clock.nowMs();
      const { firstFrameTimeoutMs, frameTimeoutMs } = this.settings;
      const late =
        publication.lastFrameMs === undefined
          ? nowMs - publication.startedMs > firstFrameTimeoutMs
          : nowMs - publication.lastFrameMs > frameTimeoutMs;
      if (late) publication.revoke('timeout');
    }
    this.#audience.housekeep();
  }

  /** Ends the publication and every viewer; the stream can't be used after. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#publication?.revoke('closed');
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    this.#audience.close('closed');
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
    this.#audience.frameAppended();
  }

  /** @internal called by `Publication` */
  publicationEnded(publication: Publication, end: PublicationEnd): void {
    if (this.#publication !== publication) return;
    this.#publication = undefined;
    this.#drainMixQueue();
    this.#audience.flush();
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
    this.#audience.finish();
    this.#state = 'idle';
    this.#liveSinceMs = undefined;
    this.#metadata = undefined;
    this.#timeline = new Timeline({ algorithm: this.settings.jitter });
    this.log.clear();
    this.log.setHeader(EMPTY_STREAM_HEADER);
    this.#audience.close('stream-ended');
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

  #noteIfIdle(): void {
    if (!this.isIdle) return;
    this.#idleSinceMs = this.#clock.nowMs();
  }
}
