import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import type { AudioTrackReport, DataTrackReport, TrackReport, VideoTrackReport } from './probe-report.ts';
import { RunningDeviation } from './running-statistics.ts';

/** Measures the frames of one track. */
export class TrackProbe {
  /** The newest configuration. */
  track: Track;
  readonly #steps = new RunningDeviation();
  #frames = 0;
  #bytes = 0;
  #first: Frame | undefined;
  #last: Frame | undefined;
  #newestPtsUs = Number.NEGATIVE_INFINITY;
  #largestStepUs = 0;
  #backwardSteps = 0;
  #isReordered = false;
  #keyFrames = 0;
  #firstKeyUs = 0;
  #lastKeyUs = 0;
  #lastKeyFrame = 0;
  #firstKeyFrame = 0;
  #shortestGopUs = Number.POSITIVE_INFINITY;
  #longestGopUs = 0;

  constructor(track: Track) {
    this.track = track;
  }

  get firstPtsUs(): number | undefined {
    return this.#first?.ptsUs;
  }

  /** The latest presentation time so far; -Infinity before the first frame. */
  get newestPtsUs(): number {
    return this.#newestPtsUs;
  }

  get frames(): number {
    return this.#frames;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Frame): void {
    if (this.#last !== undefined) this.#pushStep(frame.dtsUs - this.#last.dtsUs);
    this.#first ??= frame;
    this.#last = frame;
    if (frame.ptsUs < this.#newestPtsUs) this.#isReordered = true;
    this.#newestPtsUs = Math.max(this.#newestPtsUs, frame.ptsUs);
    if (frame.isKeyFrame && frame.track.kind === 'video') this.#pushKeyFrame(frame.dtsUs);
    this.#frames++;
    this.#bytes += frame.payload.length;
  }

  report(): VideoTrackReport | AudioTrackReport | DataTrackReport {
    const { kind, video, audio } = this.track;
    const common = this.#common();
    if (kind === 'data') return { kind, ...common };
    if (kind === 'audio') {
      return {
        kind,
        ...common,
        codecString: audio?.codecString ?? null,
        profile: audio?.profile ?? null,
        sampleRate: audio?.sampleRate ?? null,
        channels: audio?.channels ?? null,
      };
    }
    const step = this.#averageStepUs();
    return {
      kind,
      ...common,
      codecString: video?.codecString ?? null,
      profile: video?.profile ?? null,
      level: video?.level ?? null,
      width: video?.width ?? null,
      height: video?.height ?? null,
      fps: step === undefined ? null : round(1_000_000 / step, 3),
      declaredFps: video?.frameRate === undefined ? null : round(video.frameRate, 3),
      keyFrames: this.#keyFrames,
      gop: this.#gop(),
      bFrames: this.#isReordered,
    };
  }

  #pushStep(stepUs: number): void {
    this.#steps.push(stepUs);
    this.#largestStepUs = Math.max(this.#largestStepUs, stepUs);
    if (stepUs < 0) this.#backwardSteps++;
  }

  #pushKeyFrame(dtsUs: number): void {
    if (this.#keyFrames === 0) {
      this.#firstKeyUs = dtsUs;
      this.#firstKeyFrame = this.#frames;
    } else {
      this.#shortestGopUs = Math.min(this.#shortestGopUs, dtsUs - this.#lastKeyUs);
      this.#longestGopUs = Math.max(this.#longestGopUs, dtsUs - this.#lastKeyUs);
    }
    this.#keyFrames++;
    this.#lastKeyUs = dtsUs;
    this.#lastKeyFrame = this.#frames;
  }

  /** Undefined while it would be zero or less: no rates can be told. */
  #averageStepUs(): number | undefined {
    if (this.#first === undefined || this.#last === undefined || this.#frames < 2) return undefined;
    const step = (this.#last.dtsUs - this.#first.dtsUs) / (this.#frames - 1);
    return step > 0 ? step : undefined;
  }

  #common(): TrackReport {
    const step = this.#averageStepUs();
    const hasSteps = this.#steps.count > 0;
    return {
      id: this.track.trackId,
      codec: this.track.codec,
      frames: this.#frames,
      bitrateBps: step === undefined ? null : Math.round((this.#bytes * 8_000_000) / (step * this.#frames)),
      firstPtsMs: toMs(this.#first?.ptsUs),
      firstDtsMs: toMs(this.#first?.dtsUs),
      lastDtsMs: toMs(this.#last?.dtsUs),
      jitterMs: hasSteps ? toMs(this.#steps.standardDeviation) : null,
      largestGapMs: hasSteps ? toMs(this.#largestStepUs) : null,
      backwardSteps: this.#backwardSteps,
    };
  }

  #gop(): VideoTrackReport['gop'] {
    const groups = this.#keyFrames - 1;
    if (groups < 1) return null;
    return {
      averageMs: round((this.#lastKeyUs - this.#firstKeyUs) / groups / 1000, 3),
      shortestMs: round(this.#shortestGopUs / 1000, 3),
      longestMs: round(this.#longestGopUs / 1000, 3),
      averageFrames: round((this.#lastKeyFrame - this.#firstKeyFrame) / groups, 3),
    };
  }
}

function toMs(timeUs: number | undefined): number | null {
  return timeUs === undefined ? null : round(timeUs / 1000, 3);
}

/** `value` to some decimal places. */
export function round(value: number, places: number): number {
  const factor = 10 ** places;
  return Math.round(value * factor) / factor;
}
