import type { Movie, MovieTrack } from './movie.ts';
import { MAX_SKIPPED_SAMPLES } from './mp4-error.ts';
import type { Sample } from './sample.ts';
import { type FoundSample, SampleCursor } from './sample-table.ts';
import { FragmentCursor, type TrackFragment } from './track-fragment.ts';

/** Latest time told, microseconds: 142 years. Files that claim more are damaged. */
const MAX_TIME_US: number = 2 ** 52;

/** A sample of a fragment, found by a seek. */
export interface FragmentPosition {
  /** Place of the `moof` box. */
  readonly fragmentOffset: number;
  /** Which of the track's samples in that fragment, from 0. */
  readonly step: number;
}

/** The samples of one track in decoding order: those of the sample table, then those of the fragments it is given. */
export class TrackReader {
  readonly track: MovieTrack;
  /** The sample to come; undefined before `fill`, at the end, and while fragments are wanted. */
  head: Sample | undefined;
  /** Nothing more comes, whatever fragments follow. */
  isEnded = false;
  readonly #delayUs: number;
  /** Media time from which on nothing is presented. */
  readonly #endTime: number;
  #dtsShift: number;
  #table: SampleCursor | undefined;
  #fragments: TrackFragment[] = [];
  #cursor: FragmentCursor | undefined;
  /** Decode time behind everything given so far. */
  #time = 0;
  /** Steps of the cursors before it, when a fragment has the track more than once. */
  #stepsBefore = 0;
  // What is passed over before the first sample after a start or a seek.
  #minEnd = Number.NEGATIVE_INFINITY;
  #position: FragmentPosition | undefined;
  #wantsSync = false;
  /** Presentation time sought: pictures before it that come later in decoding order can't be decoded from there. */
  #minPts = Number.NEGATIVE_INFINITY;

  constructor(track: MovieTrack, movie: Movie) {
    this.track = track;
    const { edits, table } = track;
    this.#dtsShift = table.dtsShift;
    this.#delayUs = Math.round((edits.delay * 1_000_000) / movie.timescale);
    this.#endTime =
      edits.length === undefined || movie.isFragmented
        ? Number.POSITIVE_INFINITY
        : edits.mediaStart + Math.round((edits.length * track.timescale) / movie.timescale);
  }

  /** Fragments given and not yet gone through. */
  get fragmentsAhead(): number {
    return this.#fragments.length;
  }

  /** Whether media time `ticks` lies in the sample table. */
  hasInTable(ticks: number): boolean {
    return this.track.table.sampleCount > 0 && ticks < this.track.table.totalDuration;
  }

  /** Media time to presentation time, microseconds from the start of the movie. */
  toUs(ticks: number): number {
    const us = ((ticks - this.track.edits.mediaStart) * 1_000_000) / this.track.timescale;
    return Math.min(Math.round(us) + this.#delayUs, MAX_TIME_US);
  }

  /** The last media time whose presentation time, which is rounded, is not behind `us`, within what is presented. */
  toTicks(us: number): number {
    const ticks = Math.floor(((us - this.#delayUs + 0.5) * this.track.timescale) / 1_000_000);
    return Math.min(ticks + this.track.edits.mediaStart, this.#endTime - 1);
  }

  ptsUs(sample: Sample): number {
    return this.toUs(sample.dts + sample.compositionOffset);
  }

  dtsUs(sample: Sample): number {
    return Math.min(this.toUs(sample.dts - this.#dtsShift), this.ptsUs(sample));
  }

  /** Where the presentation of the table's samples ends, microseconds. */
  get tableEndUs(): number {
    return this.toUs(Math.min(this.track.table.totalDuration, this.#endTime));
  }

  /** Learns from fragments by how much samples are presented before their decode time. */
  learnShift(fragments: readonly TrackFragment[]): void {
    for (const fragment of fragments) {
      if (fragment.track !== this.track) continue;
      const cursor = new FragmentCursor(fragment, 0);
      while (cursor.advance()) this.#dtsShift = Math.max(this.#dtsShift, -cursor.compositionOffset);
    }
  }

  /**
   * Starts from the beginning: video at the last sync sample that the edit list's first picture needs, audio at the first
   * frame that is heard at or behind `originUs`.
   */
  start(originUs: number): void {
    const { table, edits, kind } = this.track;
    this.#restart();
    if (kind === 'audio') {
      const ticks = this.toTicks(originUs);
      this.#minEnd = ticks + 1;
      this.#table?.seek(table.sampleAtDecodeTime(ticks));
    } else if (edits.mediaStart > 0) {
      const found = table.syncSampleAtOrBefore(edits.mediaStart);
      if (found !== undefined) this.#table?.seek(found.index);
    }
  }

  /** The sync sample of the table that is the last one presented at or before media time `ticks`. */
  findInTable(ticks: number): FoundSample | undefined {
    const { table, kind } = this.track;
    if (kind === 'video') return table.syncSampleAtOrBefore(ticks);
    const index = table.sampleAtDecodeTime(ticks);
    const times = table.times();
    times.advance(index);
    return times.pts <= ticks ? { index, pts: times.pts } : undefined;
  }

  /** Goes to a sample of the table. */
  seekTable(found: FoundSample): void {
    this.#restart();
    this.#minPts = found.pts;
    this.#table?.seek(found.index);
  }

  /** Goes to the first place to start from that is presented at or behind `us`. */
  seekAtOrAfter(us: number, isInFragments: boolean): void {
    const { table, kind } = this.track;
    const ticks = this.toTicks(us - 1) + 1;
    this.#restart();
    this.#minPts = ticks;
    this.#wantsSync = kind === 'video';
    if (isInFragments) this.#leaveTable();
    else if (kind === 'audio') this.#table?.seek(table.sampleAtDecodeTime(ticks));
    else {
      const found = table.syncSampleAtOrAfter(ticks);
      if (found === undefined) this.#leaveTable();
      else this.#table?.seek(found.index);
    }
  }

  /** Passes over everything before a sample of a fragment; that fragment, or ones before it, must be given next. */
  seekFragment(position: FragmentPosition, pts: number): void {
    this.#restart();
    this.#leaveTable();
    this.#position = position;
    this.#minPts = pts;
  }

  give(fragment: TrackFragment): void {
    this.#fragments.push(fragment);
  }

  /** Makes sure of `head`; false when there is none without more fragments. */
  fill(): boolean {
    for (let skipped = 0; this.head === undefined && !this.isEnded; skipped++) {
      const sample = this.#step();
      if (sample === undefined) return false;
      if (skipped === MAX_SKIPPED_SAMPLES || this.#isBehindEnd(sample)) this.isEnded = true;
      else if (this.#isWanted(sample)) this.head = sample;
    }
    return this.head !== undefined;
  }

  /** The head was used. */
  take(): void {
    this.head = undefined;
  }

  #restart(): void {
    this.head = undefined;
    this.isEnded = false;
    this.#table = this.track.table.sampleCount > 0 ? new SampleCursor(this.track.table) : undefined;
    this.#fragments = [];
    this.#cursor = undefined;
    this.#time = 0;
    this.#minPts = Number.NEGATIVE_INFINITY;
    this.#minEnd = Number.NEGATIVE_INFINITY;
    this.#position = undefined;
    this.#wantsSync = false;
  }

  #leaveTable(): void {
    this.#time = this.track.table.totalDuration;
    this.#table = undefined;
  }

  #step(): Sample | undefined {
    if (this.#table?.advance() === true) return this.#table;
    if (this.#table !== undefined) this.#leaveTable();
    for (;;) {
      const cursor = this.#cursor;
      if (cursor?.advance() === true) return cursor;
      if (cursor !== undefined) this.#time = cursor.endTime;
      const fragment = this.#fragments.shift();
      if (fragment === undefined) return undefined;
      const isSame = cursor?.fragment.fragmentOffset === fragment.fragmentOffset;
      this.#stepsBefore = isSame ? this.#stepsBefore + cursor!.steps : 0;
      this.#cursor = new FragmentCursor(fragment, this.#time);
    }
  }

  #isBehindEnd(sample: Sample): boolean {
    return sample.isSync && sample.dts + sample.compositionOffset >= this.#endTime;
  }

  #isWanted(sample: Sample): boolean {
    if (sample.sizeBytes === 0 || this.track.descriptions[sample.description] === undefined) return false;
    const pts = sample.dts + sample.compositionOffset;
    if (pts < this.#minPts || pts + sample.duration < this.#minEnd) return false;
    if (this.#wantsSync && !sample.isSync) return false;
    if (this.#position !== undefined) {
      const { fragmentOffset, step } = this.#position;
      const cursor = this.#cursor!;
      if (cursor.fragment.fragmentOffset < fragmentOffset) return false;
      const isAt = this.#stepsBefore + cursor.steps - 1 >= step;
      if (cursor.fragment.fragmentOffset === fragmentOffset && !isAt) return false;
    }
    this.#minEnd = Number.NEGATIVE_INFINITY;
    this.#position = undefined;
    this.#wantsSync = false;
    return true;
  }
}
