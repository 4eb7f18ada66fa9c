import { type Box, findBox } from './box.ts';
import { type Grouping, groupSize, type Sample } from './sample.ts';
import { SampleTimes } from './sample-times.ts';
import { SampleSizes, TableColumns } from './table-columns.ts';

/** How far decoding order and presentation order of a track without sync sample table may lie apart, samples. */
const MAX_REORDERING = 32;

/** A sample found by its presentation time. */
export interface FoundSample {
  readonly index: number;
  /** In units of the track's timescale. */
  readonly pts: number;
}

/**
 * The sample table of a track (`stbl`, ISO/IEC 14496-12 §8.5), read where it lies in the movie box: however many samples
 * there are, nothing is made for each of them. Counts that other boxes do not bear out are cut.
 */
export class SampleTable {
  readonly sampleCount: number;
  /** Largest amount by which a sample is presented before its decode time, in units of the timescale. */
  readonly dtsShift: number;
  readonly durations: TableColumns;
  readonly compositionOffsets: TableColumns;
  readonly chunkRuns: TableColumns;
  readonly sizes: SampleSizes;
  /** When the track is plain audio described sample by sample. */
  readonly grouping: Grouping | undefined;
  readonly #chunks: TableColumns;
  readonly #hasLargeOffsets: boolean;
  /** Numbers of the sync samples, from 1; undefined when every sample is one. */
  readonly #syncSamples: TableColumns | undefined;

  constructor(boxes: readonly Box[], grouping: Grouping | undefined, isAlwaysSync: boolean) {
    this.durations = new TableColumns(findBox(boxes, 'stts'), 8);
    this.compositionOffsets = new TableColumns(findBox(boxes, 'ctts'), 8);
    this.chunkRuns = new TableColumns(findBox(boxes, 'stsc'), 12);
    this.sizes = new SampleSizes(findBox(boxes, 'stsz'), findBox(boxes, 'stz2'));
    const large = findBox(boxes, 'co64');
    this.#hasLargeOffsets = large !== undefined;
    this.#chunks = large === undefined ? new TableColumns(findBox(boxes, 'stco'), 4) : new TableColumns(large, 8);
    const stss = findBox(boxes, 'stss');
    this.#syncSamples = stss === undefined || isAlwaysSync ? undefined : new TableColumns(stss, 4);
    const isSampleBySample = this.durations.count === 1 && this.durations.u32(0, 4) === 1;
    this.grouping = isSampleBySample ? grouping : undefined;
    this.sampleCount = this.chunkRuns.count === 0 || this.#chunks.count === 0 ? 0 : this.sizes.count;
    let lowest = 0;
    for (let i = 0; i < this.compositionOffsets.count; i++) {
      lowest = Math.min(lowest, this.compositionOffsets.i32(i, 4));
    }
    this.dtsShift = lowest === 0 ? 0 : -lowest;
  }

  get chunkCount(): number {
    return this.#chunks.count;
  }

  chunkOffset(chunk: number): number {
    return this.#hasLargeOffsets ? this.#chunks.u64(chunk) : this.#chunks.u32(chunk);
  }

  /** Sum of the durations of all samples. */
  get totalDuration(): number {
    const times = this.times();
    times.advance(this.sampleCount);
    return times.dts;
  }

  times(): SampleTimes {
    return new SampleTimes(this.durations, this.compositionOffsets);
  }

  /** How many sync samples are listed; undefined when every sample is one. */
  get syncSampleCount(): number | undefined {
    return this.#syncSamples?.count;
  }

  /** Number, from 0, of a listed sync sample. */
  syncSampleAt(entry: number): number {
    return this.#syncSamples!.u32(entry) - 1;
  }

  /** The last sample decoded at or before `dts`: the first one when there is none. */
  sampleAtDecodeTime(dts: number): number {
    let sample = 0;
    let start = 0;
    for (let entry = 0; entry < this.durations.count && start <= dts; entry++) {
      const count = this.durations.u32(entry);
      const duration = this.durations.u32(entry, 4);
      const inside = duration === 0 ? count : Math.floor((dts - start) / duration);
      if (inside < count) return Math.min(sample + inside, this.sampleCount - 1);
      sample += count;
      start += count * duration;
    }
    return Math.max(0, Math.min(sample, this.sampleCount) - 1);
  }

  /** The last sync sample presented at or before `pts`. */
  syncSampleAtOrBefore(pts: number): FoundSample | undefined {
    let found: FoundSample | undefined;
    this.#visitSyncSamples(pts, (sample) => {
      if (sample.pts > pts) return false;
      found = sample;
      return true;
    });
    return found;
  }

  /** The first sync sample presented at or after `pts`. */
  syncSampleAtOrAfter(pts: number): FoundSample | undefined {
    let found: FoundSample | undefined;
    this.#visitSyncSamples(pts, (sample) => {
      if (sample.pts >= pts) found = sample;
      return found === undefined;
    });
    return found;
  }

  /** Sync samples in order until `visit` says false; without a list of them, only those around `pts`. */
  #visitSyncSamples(pts: number, visit: (sample: FoundSample) => boolean): void {
    const times = this.times();
    const listed = this.#syncSamples;
    if (listed === undefined) {
      times.advance(Math.max(0, this.sampleAtDecodeTime(pts) - MAX_REORDERING));
      const end = Math.min(this.sampleCount, times.index + 2 * MAX_REORDERING);
      for (; times.index < end; times.advance(1)) if (!visit({ index: times.index, pts: times.pts })) return;
      return;
    }
    for (let entry = 0; entry < listed.count; entry++) {
      const index = listed.u32(entry) - 1;
      if (index < times.index) continue;
      if (index >= this.sampleCount) return;
      times.advance(index - times.index);
      if (!visit({ index, pts: times.pts })) return;
    }
  }
}

/** Goes through the samples of a table one by one. */
export class SampleCursor implements Sample {
  readonly #table: SampleTable;
  offset = 0;
  sizeBytes = 0;
  dts = 0;
  compositionOffset = 0;
  duration = 0;
  isSync = false;
  description = 0;
  #times: SampleTimes;
  #nextIndex = 0;
  #nextOffset = 0;
  #chunk = -1;
  #run = 0;
  #leftInChunk = 0;
  #syncEntry = 0;

  constructor(table: SampleTable) {
    this.#table = table;
    this.#times = table.times();
  }

  /** Steps to the next sample; false at the end, where the fields keep what they were. */
  advance(): boolean {
    const table = this.#table;
    if (this.#nextIndex >= table.sampleCount) return false;
    while (this.#leftInChunk === 0) if (!this.#enterChunk(this.#chunk + 1)) return false;
    const index = this.#nextIndex;
    const { grouping } = table;
    let count = 1;
    if (grouping === undefined) this.sizeBytes = table.sizes.at(index);
    else {
      count = groupSize(grouping, Math.min(this.#leftInChunk, table.sampleCount - index));
      this.sizeBytes = count * grouping.blockBytes;
    }
    const times = this.#times;
    this.offset = this.#nextOffset;
    this.dts = times.dts;
    this.compositionOffset = times.compositionOffset;
    this.duration = times.duration * count;
    this.description = Math.max(0, table.chunkRuns.u32(this.#run, 8) - 1);
    this.isSync = this.#isSync(index);
    this.#nextOffset += this.sizeBytes;
    this.#leftInChunk -= count;
    this.#nextIndex = index + count;
    times.advance(count);
    return true;
  }

  /** Makes `sample` (from 0) the one `advance` steps to. */
  seek(sample: number): void {
    this.#nextIndex = sample;
    this.#times = this.#table.times();
    this.#times.advance(sample);
    this.#syncEntry = 0;
    this.#seekChunk(sample);
  }

  #enterChunk(chunk: number): boolean {
    const { chunkCount, chunkRuns } = this.#table;
    if (chunk >= chunkCount) return false;
    // Runs count chunks from 1.
    while (this.#run + 1 < chunkRuns.count && chunkRuns.u32(this.#run + 1) <= chunk + 1) this.#run++;
    this.#chunk = chunk;
    this.#leftInChunk = chunkRuns.u32(this.#run, 4);
    this.#nextOffset = this.#table.chunkOffset(chunk);
    return true;
  }

  #seekChunk(sample: number): void {
    const { chunkCount, chunkRuns, sizes, grouping } = this.#table;
    let first = 0;
    let chunk = 0;
    for (let run = 0; run < chunkRuns.count && chunk < chunkCount; run++) {
      const nextRun = run + 1 < chunkRuns.count ? chunkRuns.u32(run + 1) - 1 : chunkCount;
      const end = Math.min(Math.max(nextRun, chunk), chunkCount);
      const perChunk = chunkRuns.u32(run, 4);
      const count = (end - chunk) * perChunk;
      if (sample < first + count) {
        const chunksIn = Math.floor((sample - first) / perChunk);
        const samplesIn = sample - first - chunksIn * perChunk;
        this.#run = run;
        this.#enterChunk(chunk + chunksIn);
        this.#leftInChunk -= samplesIn;
        if (grouping !== undefined) this.#nextOffset += samplesIn * grouping.blockBytes;
        else if (sizes.fixed > 0) this.#nextOffset += samplesIn * sizes.fixed;
        else for (let i = sample - samplesIn; i < sample; i++) this.#nextOffset += sizes.at(i);
        return;
      }
      first += count;
      chunk = end;
    }
    this.#chunk = chunkCount;
    this.#leftInChunk = 0;
  }

  #isSync(sample: number): boolean {
    const count = this.#table.syncSampleCount;
    if (count === undefined) return true;
    while (this.#syncEntry < count && this.#table.syncSampleAt(this.#syncEntry) < sample) this.#syncEntry++;
    return this.#syncEntry < count && this.#table.syncSampleAt(this.#syncEntry) === sample;
  }
}
