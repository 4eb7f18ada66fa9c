import type { TableColumns } from './table-columns.ts';

/** A duration above this is a negative one of a writer that lost its way; such samples last one tick. */
const MAX_DURATION = 0x7fff_ffff;

/** Walks along `stts` (ISO/IEC 14496-12 §8.6.1.2) and `ctts` (§8.6.1.3), which say how many samples in a row have a value. */
export class SampleTimes {
  readonly #durations: TableColumns;
  readonly #offsets: TableColumns;
  /** The sample the walker stands at. */
  index = 0;
  dts = 0;
  duration = 0;
  compositionOffset = 0;
  #durationEntry = -1;
  #durationLeft = 0;
  #offsetEntry = -1;
  #offsetLeft = 0;

  constructor(durations: TableColumns, offsets: TableColumns) {
    this.#durations = durations;
    this.#offsets = offsets;
    this.#enterDurations();
    this.#enterOffsets();
  }

  get pts(): number {
    return this.dts + this.compositionOffset;
  }

  /** Steps to a later sample; takes as long as there are entries on the way, however many samples they count. */
  advance(samples: number): void {
    this.index += samples;
    let left = samples;
    while (left > 0) {
      const taken = Math.min(left, this.#durationLeft);
      this.dts += taken * this.duration;
      this.#durationLeft -= taken;
      left -= taken;
      if (this.#durationLeft === 0) this.#enterDurations();
    }
    left = samples;
    while (left > 0) {
      const taken = Math.min(left, this.#offsetLeft);
      this.#offsetLeft -= taken;
      left -= taken;
      if (this.#offsetLeft === 0) this.#enterOffsets();
    }
  }

  /** The next entry that counts any sample. Behind the last one, its duration goes on. */
  #enterDurations(): void {
    while (this.#durationLeft === 0) {
      this.#durationEntry++;
      if (this.#durationEntry >= this.#durations.count) {
        this.#durationLeft = Number.POSITIVE_INFINITY;
        return;
      }
      this.#durationLeft = this.#durations.u32(this.#durationEntry);
      const duration = this.#durations.u32(this.#durationEntry, 4);
      if (this.#durationLeft > 0) this.duration = duration > MAX_DURATION ? 1 : duration;
    }
  }

  /** The next entry that counts any sample. Behind the last one, presentation is when decoding is. */
  #enterOffsets(): void {
    while (this.#offsetLeft === 0) {
      this.#offsetEntry++;
      if (this.#offsetEntry >= this.#offsets.count) {
        this.#offsetLeft = Number.POSITIVE_INFINITY;
        this.compositionOffset = 0;
        return;
      }
      this.#offsetLeft = this.#offsets.u32(this.#offsetEntry);
      // Version 0 has no sign, but QuickTime writes negative offsets into it all the same.
      this.compositionOffset = this.#offsets.i32(this.#offsetEntry, 4);
    }
  }
}
