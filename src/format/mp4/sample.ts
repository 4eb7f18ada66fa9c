/** The next sample of a track, wherever its description stands; overwritten by the step to the one after it. */
export interface Sample {
  /** Place in the file, bytes. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Decode time in units of the track's timescale. */
  readonly dts: number;
  /** From decode time to presentation time, may be negative. */
  readonly compositionOffset: number;
  readonly duration: number;
  readonly isSync: boolean;
  /** Which of the track's sample descriptions, from 0. */
  readonly description: number;
}

/** How samples of plain audio, which are a few bytes each, are put together to frames of useful length. */
export interface Grouping {
  readonly blockBytes: number;
  /** Samples of one frame, as near as it goes. */
  readonly samples: number;
}

/** How many of `left` samples that lie together go into the next frame: no small rest is left behind. */
export function groupSize(grouping: Grouping, left: number): number {
  return left < grouping.samples * 1.5 ? left : grouping.samples;
}
