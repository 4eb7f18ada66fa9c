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

/** A step back of up to this much is an encoder's disorder and is levelled; beyond it the clock was set anew. */
export const MAX_BACKWARD_STEP_US = 1_000_000;

/** A step forward of up to this much is always believed; a longer one only when as much time really passed. */
export const MAX_FORWARD_STEP_US = 1_000_000;

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
  /** Newest raw time, unwrapped. */
  rawUs: number;
  /** Newest stream time. */
  outUs: number;
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
    const unwrapped = this.#unwrap(rawUs);
    const outUs = this.#map(slot, unwrapped, nowMs);
    if (outUs > this.#newestOutUs) this.#newestOutUs = outUs;
    return outUs;
  }

  /** Stream time for a data message: on the tracks' clock when it is near it, else now (many encoders stamp data with 0). */
  toDataTime(rawUs: number): number {
    let nearest = this.#newestOutUs;
    for (const clock of this.#tracks.values()) {
      const outUs = this.#near(rawUs, clock.rawUs) - clock.offsetUs;
      if (Math.abs(outUs - this.#newestOutUs) <= MAX_TRACK_SKEW_US) nearest = Math.max(0, outUs);
    }
    return this.#algorithm === 'full' ? nearest : this.#newestOutUs;
  }

  /** A new publisher takes over: its first frame follows the last one of the publisher before, whatever its clock says. */
  restart(): void {
    if (this.#newestRawUs === undefined) return;
    this.#tracks.clear();
    this.#newestRawUs = undefined;
    this.#originUs = undefined;
    this.#resumeAtUs = this.#newestOutUs + JUMP_STEP_US;
  }

  #unwrap(rawUs: number): number {
    const unwrapped = this.#newestRawUs === undefined ? rawUs : this.#near(rawUs, this.#newestRawUs);
    this.#newestRawUs = unwrapped;
    return unwrapped;
  }

  /** The value of `rawUs` plus a whole number of wraps that lies nearest to `referenceUs`. */
  #near(rawUs: number, referenceUs: number): number {
    return rawUs + Math.round((referenceUs - rawUs) / this.#wrapUs) * this.#wrapUs;
  }

  #map(slot: number, rawUs: number, nowMs: number): number {
    if (this.#algorithm !== 'full') {
      this.#originUs ??= this.#algorithm === 'zero' ? rawUs - (this.#resumeAtUs ?? 0) : 0;
      return Math.max(0, rawUs - this.#originUs);
    }
    const clock = this.#tracks.get(slot);
    if (clock === undefined) return this.#startTrack(slot, rawUs, nowMs);
    const stepUs = rawUs - clock.rawUs;
    const elapsedUs = (nowMs - clock.arrivalMs) * 1000;
    const believed = stepUs <= MAX_FORWARD_STEP_US || stepUs <= elapsedUs + MAX_FORWARD_STEP_US;
    if (stepUs < -MAX_BACKWARD_STEP_US || !believed) {
      this.#jumps++;
      clock.offsetUs = this.#offsetAfterJump(clock, rawUs);
    }
    let outUs = rawUs - clock.offsetUs;
    if (outUs < clock.outUs) {
      this.#levelled++;
      outUs = clock.outUs;
    }
    clock.rawUs = rawUs;
    clock.outUs = outUs;
    clock.arrivalMs = nowMs;
    return outUs;
  }

  #startTrack(slot: number, rawUs: number, nowMs: number): number {
    let offsetUs: number | undefined;
    for (const other of this.#tracks.values()) {
      if (Math.abs(rawUs - other.offsetUs - this.#newestOutUs) <= MAX_TRACK_SKEW_US) offsetUs = other.offsetUs;
    }
    offsetUs ??= rawUs - (this.#tracks.size === 0 ? (this.#resumeAtUs ?? 0) : this.#newestOutUs);
    // A track that begins a little before the one that set the clock starts no earlier than the stream itself.
    const outUs = Math.max(this.#resumeAtUs ?? 0, rawUs - offsetUs);
    this.#tracks.set(slot, { rawUs, outUs, offsetUs, arrivalMs: nowMs });
    return outUs;
  }

  /** Another track that already made the same jump gives the offset, so that the two stay in step. */
  #offsetAfterJump(jumped: TrackClock, rawUs: number): number {
    for (const other of this.#tracks.values()) {
      if (other === jumped || other.offsetUs === jumped.offsetUs) continue;
      if (Math.abs(rawUs - other.offsetUs - this.#newestOutUs) <= MAX_BACKWARD_STEP_US) return other.offsetUs;
    }
    return rawUs - (this.#newestOutUs + JUMP_STEP_US);
  }
}
