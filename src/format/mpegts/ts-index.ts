import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';

/** Most entries of each of an index's two tables: a day of ten clock references a second. */
export const MAX_TS_INDEX_ENTRIES = 1_048_576;

const MAGIC = 0x4d54_5849; // "MTXI"
const VERSION = 1;

/** A column of numbers that grows. */
class Column {
  #values = new Float64Array(256);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(this.#length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  get length(): number {
    return this.#length;
  }

  finish(): Float64Array {
    return this.#values.slice(0, this.#length);
  }
}

/** Offsets in a file and the times that belong to them, both ascending. */
export interface OffsetTimes {
  /** Bytes from the start of the file. */
  readonly offsets: Float64Array;
  /** Microseconds from the first clock reference. */
  readonly timesUs: Float64Array;
}

/** Where in a transport stream which time is, and where a decoder can start. */
export class TsIndex {
  /** Program clock references. */
  readonly clock: OffsetTimes;
  /** Packets at which a key frame begins; without video, packets about half a second apart. */
  readonly starts: OffsetTimes;
  /** The packets of the first program association and program map table. */
  readonly tables: Uint8Array;

  constructor(clock: OffsetTimes, starts: OffsetTimes, tables: Uint8Array) {
    this.clock = clock;
    this.starts = starts;
    this.tables = tables;
  }

  /** Time of the last clock reference, microseconds. */
  get durationUs(): number {
    return this.clock.timesUs[this.clock.timesUs.length - 1] ?? 0;
  }

  /** When the byte at `offset` is due: between two clock references in proportion. Microseconds. */
  timeAt(offset: number): number {
    const { offsets, timesUs } = this.clock;
    if (offsets.length < 2) return 0;
    const after = Math.min(Math.max(upperBound(offsets, offset), 1), offsets.length - 1);
    const fromOffset = offsets[after - 1]!;
    const fromUs = timesUs[after - 1]!;
    const share = (offset - fromOffset) / (offsets[after]! - fromOffset);
    return Math.max(0, Math.round(fromUs + share * (timesUs[after]! - fromUs)));
  }

  /** Number of the last start at or before `targetUs`; 0 when there is none before. */
  startBefore(targetUs: number): number {
    return Math.max(0, upperBound(this.starts.timesUs, targetUs) - 1);
  }
}

/** Number of values that are not above `value`. */
function upperBound(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Collects an index while a file is read from front to back. */
export class TsIndexBuilder {
  readonly #clockOffsets = new Column();
  readonly #clockTimes = new Column();
  readonly #startOffsets = new Column();

  /** @param timeUs not before that of the call before */
  clock(offset: number, timeUs: number): void {
    if (this.#clockOffsets.length === MAX_TS_INDEX_ENTRIES) return;
    this.#clockOffsets.push(offset);
    this.#clockTimes.push(timeUs);
  }

  start(offset: number): void {
    if (this.#startOffsets.length < MAX_TS_INDEX_ENTRIES) this.#startOffsets.push(offset);
  }

  finish(tables: Uint8Array): TsIndex {
    const clock = { offsets: this.#clockOffsets.finish(), timesUs: this.#clockTimes.finish() };
    const offsets = this.#startOffsets.finish();
    const byClock = new TsIndex(clock, { offsets, timesUs: new Float64Array(0) }, tables);
    return new TsIndex(clock, { offsets, timesUs: offsets.map((offset) => byClock.timeAt(offset)) }, tables);
  }
}

/** An index as bytes for a cache: a number that tells its form, then the tables and columns in big-endian. */
export function writeTsIndex(index: TsIndex): Uint8Array {
  const { clock, starts, tables } = index;
  const writer = new ByteWriter(64 + tables.length + 16 * (clock.offsets.length + starts.offsets.length));
  writer.u32(MAGIC).u32(VERSION).u32(tables.length).raw(tables);
  for (const { offsets, timesUs } of [clock, starts]) {
    writer.u32(offsets.length);
    for (const value of offsets) writer.f64(value);
    for (const value of timesUs) writer.f64(value);
  }
  return writer.finish();
}

/** Reads what `writeTsIndex` wrote; undefined for anything else. */
export function parseTsIndex(bytes: Uint8Array): TsIndex | undefined {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC || reader.u32() !== VERSION) return undefined;
  const tables = reader.view(reader.u32()).slice();
  const clock = readColumns(reader);
  const starts = readColumns(reader);
  if (clock === undefined || starts === undefined || reader.remaining !== 0) return undefined;
  return new TsIndex(clock, starts, tables);
}

function readColumns(reader: ByteReader): OffsetTimes | undefined {
  const length = reader.u32();
  if (reader.overrun || length > MAX_TS_INDEX_ENTRIES || length * 16 > reader.remaining) return undefined;
  const offsets = new Float64Array(length);
  const timesUs = new Float64Array(length);
  for (let i = 0; i < length; i++) offsets[i] = reader.f64();
  for (let i = 0; i < length; i++) timesUs[i] = reader.f64();
  return isAscending(offsets) && isAscending(timesUs) ? { offsets, timesUs } : undefined;
}

function isAscending(values: Float64Array): boolean {
  let last = 0;
  for (const value of values) {
    if (!(value >= last)) return false;
    last = value;
  }
  return true;
}
