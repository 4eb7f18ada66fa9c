import type { Frame } from '../codec/frame.ts';
import { type Track, trackSlot } from '../codec/track.ts';

/** Bitrates and frame rates are averaged over this long, microseconds of stream time. */
const WINDOW_US = 5_000_000;

/** What is measured on one track; undefined until enough frames came. */
export interface TrackMeasurements {
  readonly frames: number;
  readonly bytes: number;
  readonly bitrateBps: number | undefined;
  readonly frameRate: number | undefined;
  /** Time between the two newest key frames, seconds (video only). */
  readonly gopSeconds: number | undefined;
}

class TrackMeter {
  frames = 0;
  bytes = 0;
  bitrateBps: number | undefined;
  frameRate: number | undefined;
  gopSeconds: number | undefined;
  #windowStartUs: number | undefined;
  #windowBytes = 0;
  #windowFrames = 0;
  #lastKeyUs: number | undefined;

  add(frame: Frame): void {
    this.frames++;
    this.bytes += frame.payload.length;
    if (frame.track.kind === 'video' && frame.isKeyFrame) {
      if (this.#lastKeyUs !== undefined) this.gopSeconds = (frame.dtsUs - this.#lastKeyUs) / 1e6;
      this.#lastKeyUs = frame.dtsUs;
    }
    if (this.#windowStartUs === undefined || frame.dtsUs < this.#windowStartUs) this.#open(frame.dtsUs);
    const spanUs = frame.dtsUs - this.#windowStartUs!;
    // A first figure after one second, so that a page need not wait for a whole window.
    if (spanUs >= WINDOW_US || (this.bitrateBps === undefined && spanUs >= 1_000_000)) {
      this.bitrateBps = Math.round((this.#windowBytes * 8e6) / spanUs);
      this.frameRate = Math.round((this.#windowFrames * 1e8) / spanUs) / 100;
      this.#open(frame.dtsUs);
    }
    this.#windowBytes += frame.payload.length;
    this.#windowFrames++;
  }

  #open(dtsUs: number): void {
    this.#windowStartUs = dtsUs;
    this.#windowBytes = 0;
    this.#windowFrames = 0;
  }
}

/** Measures the frames of a stream, track by track. */
export class StreamStats {
  readonly #meters = new Map<number, TrackMeter>();

  add(frame: Frame): void {
    const key = trackSlot(frame.track);
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = new TrackMeter();
      this.#meters.set(key, meter);
    }
    meter.add(frame);
  }

  /** What was measured on this track (by kind and id). */
  of(track: Track): TrackMeasurements {
    return this.#meters.get(trackSlot(track)) ?? new TrackMeter();
  }

  reset(): void {
    this.#meters.clear();
  }
}
