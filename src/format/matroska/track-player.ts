import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { AudioTimes } from './audio-times.ts';
import type { Block } from './block-reader.ts';
import { type FrameDuration, frameDurationOf } from './frame-duration.ts';
import type { ProbedTrack } from './probe.ts';
import { ReorderedTimes } from './reordered-times.ts';
import type { TimeLine } from './time-line.ts';
import type { TrackEntry } from './track-entry.ts';

/** Clocks coarser than this round audio so that it can be heard in RTP timestamps, microseconds. */
const COARSE_CLOCK_US = 10;

/** Makes frames of the blocks of one track. */
export class TrackPlayer {
  readonly entry: TrackEntry;
  readonly track: Track;
  readonly #times: TimeLine;
  readonly #delayUs: number;
  readonly #reordered: ReorderedTimes;
  readonly #audioTimes: AudioTimes | undefined;
  readonly #durationOf: FrameDuration;
  /** Time sought: pictures before it that come later in decoding order can't be decoded from there. */
  #startUs = Number.NEGATIVE_INFINITY;
  #wantsKeyFrame = false;

  constructor(probed: ProbedTrack, times: TimeLine) {
    const { entry, track } = probed;
    this.entry = entry;
    this.track = track;
    this.#times = times;
    this.#delayUs = Math.round(entry.codecDelayNs / 1000);
    this.#reordered = new ReorderedTimes(probed.reorderDepth, probed.frameUs);
    const isRounded = track.kind === 'audio' && times.stepUs >= COARSE_CLOCK_US;
    this.#audioTimes = isRounded ? new AudioTimes(times.stepUs) : undefined;
    this.#durationOf = durationOf(entry, track);
  }

  get number(): number {
    return this.entry.number;
  }

  /** The next block is the first one, or the first after a seek. */
  reset(): void {
    this.#reordered.reset();
    this.#audioTimes?.reset();
    this.#startUs = Number.NEGATIVE_INFINITY;
    this.#wantsKeyFrame = false;
  }

  /** Passes over what lies before `us` and, of video, what can't be decoded from there. */
  startAt(us: number): void {
    this.#startUs = us;
    this.#wantsKeyFrame = true;
  }

  /** Presentation time the file tells for a block. May be below 0. */
  storedUs(block: Block): number {
    return this.#times.toUs(block.timestamp) - this.#delayUs;
  }

  isKeyFrame(block: Block): boolean {
    return this.track.kind === 'audio' || block.isKeyFrame;
  }

  isWanted(block: Block): boolean {
    if (this.storedUs(block) < this.#startUs || (this.#wantsKeyFrame && !this.isKeyFrame(block))) return false;
    this.#wantsKeyFrame = false;
    return true;
  }

  /** The frames of a block. @param payloads given away */
  frames(block: Block, payloads: readonly Uint8Array[]): Frame[] {
    const { track } = this;
    const storedUs = this.storedUs(block);
    if (track.kind === 'audio') {
      return payloads.map((payload, index) => {
        const durationUs = this.#durationOf(payload);
        const us = this.#audioUs(storedUs, index, durationUs || this.#shareUs(block, payloads.length));
        return { track, dtsUs: us, ptsUs: us, isKeyFrame: true, payload };
      });
    }
    const ptsUs = Math.max(0, storedUs);
    return payloads.map((payload) => {
      return { track, dtsUs: this.#reordered.next(ptsUs), ptsUs, isKeyFrame: block.isKeyFrame, payload };
    });
  }

  #audioUs(storedUs: number, index: number, durationUs: number): number {
    const us = this.#audioTimes?.next(index === 0 ? storedUs : undefined, durationUs);
    return Math.max(0, us ?? Math.round(storedUs + index * durationUs));
  }

  /** What each frame has of the duration a block tells. */
  #shareUs({ duration }: Block, count: number): number {
    return duration === undefined ? 0 : (duration * this.#times.stepUs) / count;
  }
}

function durationOf(entry: TrackEntry, track: Track): FrameDuration {
  const { plain } = entry.coding;
  if (plain === undefined) return frameDurationOf(track.codec, track.config, entry.defaultDurationNs / 1000);
  const bytesPerSecond = plain.sampleBytes * entry.channels * entry.sampleRate;
  return (frame) => (frame.length * 1_000_000) / bytesPerSecond;
}
