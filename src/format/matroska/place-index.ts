import type { FileWindow } from '../file-window.ts';
import { BlockReader } from './block-reader.ts';
import { MAX_INDEXED_CLUSTERS } from './matroska-error.ts';
import type { CuePoint, Segment } from './segment.ts';
import type { TimeLine } from './time-line.ts';

/** A stretch of the file to look through. */
export interface FilePlace {
  /** Where a cluster begins. */
  readonly offset: number;
  /** Where what was looked through before begins. */
  readonly end: number;
}

/** Where clusters are by time: from the cues, or found by going from cluster to cluster as far as seeks needed. */
export class PlaceIndex {
  readonly #window: FileWindow;
  readonly #times: TimeLine;
  readonly #cues: readonly CuePoint[];
  readonly #timesUs: number[] = [];
  readonly #offsets: number[] = [];
  readonly #reader: BlockReader;
  #isWhole = false;

  /** @param trackNumber of the track whose cues count */
  constructor(window: FileWindow, segment: Segment, times: TimeLine, trackNumber: number) {
    this.#window = window;
    this.#times = times;
    this.#cues = (segment.cues.get(trackNumber) ?? []).filter(({ clusterOffset }) => clusterOffset < window.sizeBytes);
    this.#reader = new BlockReader(window);
    const { firstClusterOffset } = segment;
    // In front of the first cue a track may have key frames too.
    if (this.#cues[0]?.clusterOffset !== firstClusterOffset) this.#add(Number.NEGATIVE_INFINITY, firstClusterOffset);
    for (const { timestamp, clusterOffset } of this.#cues) this.#add(times.toUs(timestamp), clusterOffset);
    // Cues name the places of their track; without them all clusters have to be gone through.
    this.#isWhole = this.#cues.length > 0;
    if (!this.#isWhole) this.#reader.moveToElement(firstClusterOffset);
  }

  /** Times of the cues; undefined without any. */
  get cuePointsUs(): readonly number[] | undefined {
    return this.#cues.length === 0
      ? undefined
      : this.#cues.map(({ timestamp }) => Math.max(0, this.#times.toUs(timestamp)));
  }

  /** Stretches of the file that may hold the last key frame at or before `targetUs`, the likeliest first, then backwards. */
  async *placesBefore(targetUs: number): AsyncGenerator<FilePlace, void, undefined> {
    await this.#growTo(targetUs);
    let end = this.#window.sizeBytes;
    for (let entry = this.#find(targetUs); entry >= 0; entry--) {
      const offset = this.#offsets[entry]!;
      if (offset < end) yield { offset, end };
      end = Math.min(end, offset);
    }
  }

  /** Goes on from the last known cluster until one lies behind the target. */
  async #growTo(targetUs: number): Promise<void> {
    while (!this.#isWhole && (this.#timesUs.at(-1) ?? Number.NEGATIVE_INFINITY) <= targetUs) {
      const cluster = this.#offsets.length < MAX_INDEXED_CLUSTERS ? await this.#reader.nextCluster() : undefined;
      if (cluster === undefined) this.#isWhole = true;
      else this.#add(this.#times.toUs(cluster.timestamp), cluster.offset);
    }
  }

  /** Clusters out of order, and twice the same, are left out. */
  #add(timeUs: number, offset: number): void {
    const last = this.#offsets.length - 1;
    if (last >= 0 && (offset <= this.#offsets[last]! || timeUs < this.#timesUs[last]!)) return;
    this.#timesUs.push(timeUs);
    this.#offsets.push(offset);
  }

  /** The last entry at or before a time; −1 when there is none. */
  #find(timeUs: number): number {
    let low = -1;
    let high = this.#timesUs.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#timesUs[middle]! <= timeUs) low = middle;
      else high = middle;
    }
    return low;
  }
}
