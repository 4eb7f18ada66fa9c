/** How publisher timestamps become stream time (SRS `time_jitter`). */
export type JitterAlgorithm =
  /** Start at 0, bridge jumps, keep every track from going back. */
  | 'full'
  /** Start at 0, otherwise as sent. */
  | 'zero'
  /** As sent (absolute time, ATC). */
  | 'off';

/** RTMP and FLV timestamps wrap at 2^32 ms. */
export const RTMP_WRAP_US: number = 2 ** 32 * 1000;

/** Frames up to this much before the newest of their track are an encoder's disorder and are levelled; beyond it the clock was set anew. */
export const MAX_BACKWARD_STEP_US = 1_000_000;

/** A step forward of up to this much is always believed; a longer one only when as much time really passed. */
export const MAX_FORWARD_STEP_US = 1_000_000;

/** Steps up to this much are what frames usually have between them, and are not looked at further. */
const REGULAR_STEP_US = 250_000;

/** How far apart two tracks may be and still be on one clock. */
export const MAX_TRACK_SKEW_US = 5_000_000;

/** Stream time left between the last frame before a jump and the first one after it. */
export const JUMP_STEP_US = 10_000;

export interface TimelineOptions {
  readonly algorithm?: JitterAlgorithm;
  /** Where raw timestamps wrap, in microseconds; default `RTMP_WRAP_US`. */
  readonly wrapUs?: number;
}

interface TrackClock {
  /** Newest raw time, unwrapped on this track's own. */
  rawUs: number;
  /** Newest stream time. */
  outUs: number;
  /** Highest raw − offset since the offset holds: below `outUs` for a track that began before the stream did. */
  highUs: number;
  /** raw − out. */
  offsetUs: number;
  arrivalMs: number;
}

/**
 * One clock for a stream. Each track's raw decode times come in, stream time goes out: never negative, never back within
 * a track, unwrapped, and under `full` without the holes and leaps of publishers that restart their clock.
 * Tracks that jump together stay in step.
 */
export class Timeline {
  readonly #algorithm: JitterAlgorithm;
  readonly #wrapUs: number;
  readonly #tracks = new Map<number, TrackClock>();
  #newestRawUs: number | undefined;
  #originUs: number | undefined;
  #newestOutUs = 0;
  #resumeAtUs: number | undefined;
  #dataOutUs = 0;
  #isUsed = false;
  #jumps = 0;
  #levelled = 0;

  constructor(options: TimelineOptions = {}) {
    this.#algorithm = options.algorithm ?? 'full';
    this.#wrapUs = options.wrapUs ?? RTMP_WRAP_US;
  }

  /** Clock jumps bridged so far. */
  get jumps(): number {
    return this.#jumps;
  }

  /** Frames whose time went back a little and was levelled. */
  get levelledFrames(): number {
    return this.#levelled;
  }

  /** Newest stream time given out. */
  get newestUs(): number {
    return this.#newestOutUs;
  }

  /**
   * Stream time of a frame of track `slot` (any number that tells the tracks of the stream apart).
   * @param rawUs decode time as the publisher sent it, in microseconds, wrapping at `wrapUs`
   * @param nowMs arrival time on a monotonic clock
   */
  toStreamTime(slot: number, rawUs: number, nowMs: number): number {
    const outUs = this.#algorithm === 'full' ? this.#bridge(slot, rawUs, nowMs) : this.#shift(rawUs);
    if (outUs > this.#newestOutUs) this.#newestOutUs = outUs;
    this.#isUsed = true;
    return outUs;
  }

  /**
   * Stream time for a data message, never back: on the tracks' clock when it is near it, else now (many encoders stamp
   * data with 0).
   */
  toDataTime(rawUs: number): number {
    const isTimed = this.#algorithm === 'full' && rawUs !== 0;
    const onTracks = isTimed ? this.#nearestTrack(rawUs)?.outUs : undefined;
    this.#dataOutUs = Math.max(this.#dataOutUs, onTracks ?? this.#newestOutUs);
    return this.#dataOutUs;
  }

  /** A new publisher takes over: its first frame follows the last one of the publisher before, whatever its clock says. */
  restart(): void {
    if (!this.#isUsed) return;
    this.#tracks.clear();
    this.#newestRawUs = undefined;
    this.#originUs = undefined;
    this.#resumeAtUs = this.#newestOutUs + JUMP_STEP_US;
  }

  /** `zero` and `off`: unwrapped and at most moved as a whole. */
  #shift(wrappedUs: number): number {
    const rawUs = this.#newestRawUs === undefined ? wrappedUs : this.#near(wrappedUs, this.#newestRawUs);
    this.#newestRawUs = rawUs;
    this.#originUs ??= this.#algorithm === 'zero' ? rawUs - (this.#resumeAtUs ?? 0) : 0;
    return Math.max(0, rawUs - this.#originUs);
  }

  /** The value of `rawUs` plus a whole number of wraps that lies nearest to `referenceUs`. */
  #near(rawUs: number, referenceUs: number): number {
    return rawUs + Math.round((referenceUs - rawUs) / this.#wrapUs) * this.#wrapUs;
  }

  #bridge(slot: number, wrappedUs: number, nowMs: number): number {
    const clock = this.#tracks.get(slot);
    if (clock === undefined) return this.#startTrack(slot, wrappedUs, nowMs);
    const rawUs = this.#near(wrappedUs, clock.rawUs);
    const stepUs = rawUs - clock.rawUs;
    if (stepUs < 0 || stepUs > REGULAR_STEP_US || rawUs - clock.offsetUs < clock.outUs) {
      this.#settleStep(clock, rawUs, Math.max(0, nowMs - clock.arrivalMs) * 1000);
    }
    let outUs = rawUs - clock.offsetUs;
    if (outUs < clock.outUs) {
      this.#levelled++;
      outUs = clock.outUs;
    }
    clock.rawUs = rawUs;
    clock.outUs = outUs;
    clock.highUs = Math.max(clock.highUs, rawUs - clock.offsetUs);
    clock.arrivalMs = nowMs;
    return outUs;
  }

  /** Decides whether an unusual step is real, follows another track's jump, or is a jump of its own. */
  #settleStep(clock: TrackClock, rawUs: number, elapsedUs: number): void {
    const ownUs = rawUs - clock.offsetUs;
    const isBelieved =
      ownUs >= clock.highUs - MAX_BACKWARD_STEP_US &&
      (rawUs - clock.rawUs <= MAX_FORWARD_STEP_US + elapsedUs ||
        // The other tracks are there already.
        ownUs <= this.#newestOutUs + MAX_FORWARD_STEP_US);
    // A track that made this jump already explains the step better than the track's own past does.
    const other = this.#nearestTrack(rawUs, clock);
    const isExplained =
      other !== undefined &&
      other.outUs !== ownUs &&
      other.outUs >= clock.highUs - MAX_BACKWARD_STEP_US &&
      other.outUs <= this.#newestOutUs + MAX_FORWARD_STEP_US &&
      (!isBelieved || Math.abs(other.outUs - this.#newestOutUs) < Math.abs(ownUs - this.#newestOutUs));
    if (!isExplained && isBelieved) return;
    this.#jumps++;
    // A track that lags behind the others keeps its lag, one that rested catches up with them.
    const resumeUs = Math.min(this.#newestOutUs, clock.outUs + elapsedUs) + JUMP_STEP_US;
    clock.highUs = isExplained ? other.outUs : resumeUs;
    clock.offsetUs = rawUs - clock.highUs;
  }

  #startTrack(slot: number, wrappedUs: number, nowMs: number): number {
    const other = this.#nearestTrack(wrappedUs);
    const startUs = this.#tracks.size === 0 ? (this.#resumeAtUs ?? 0) : this.#newestOutUs;
    const offsetUs = wrappedUs - (other?.outUs ?? startUs);
    // A track that begins a little before the one that set the clock starts no earlier than the stream itself.
    const outUs = Math.max(this.#resumeAtUs ?? 0, wrappedUs - offsetUs);
    this.#tracks.set(slot, { rawUs: wrappedUs, outUs, highUs: wrappedUs - offsetUs, offsetUs, arrivalMs: nowMs });
    return outUs;
  }

  /** What `rawUs` is on the clock of the track (other than `except`) that puts it nearest to the newest stream time. */
  #nearestTrack(rawUs: number, except?: TrackClock): { readonly outUs: number } | undefined {
    let nearestUs: number | undefined;
    let distanceUs = MAX_TRACK_SKEW_US;
    for (const clock of this.#tracks.values()) {
      if (clock === except) continue;
      const outUs = this.#near(rawUs, clock.rawUs) - clock.offsetUs;
      const fromNewestUs = Math.abs(outUs - this.#newestOutUs);
      if (fromNewestUs > distanceUs) continue;
      nearestUs = outUs;
      distanceUs = fromNewestUs;
    }
    return nearestUs === undefined ? undefined : { outUs: nearestUs };
  }
}
