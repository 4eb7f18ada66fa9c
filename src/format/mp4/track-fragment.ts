import { ByteReader } from '../../wire/byte-reader.ts';
import { childBoxes, findBox } from './box.ts';
import type { MovieTrack } from './movie.ts';
import { MAX_FRAGMENT_SAMPLES, mp4Error } from './mp4-error.ts';
import { groupSize, type Sample } from './sample.ts';

/** Flags of `tfhd` (ISO/IEC 14496-12 §8.8.7). */
const TFHD = { baseDataOffset: 1, description: 2, duration: 8, sizeBytes: 0x10, flags: 0x20, baseIsMoof: 0x02_0000 };

/** Flags of `trun` (§8.8.8). */
const TRUN = { dataOffset: 1, firstFlags: 4, duration: 0x100, sizeBytes: 0x200, flags: 0x400, composition: 0x800 };

/** Sample flags (§8.8.3.1): it is no sync sample; it depends on others. */
const IS_NON_SYNC = 0x1_0000;
const DEPENDS_ON_OTHERS = 0x100_0000;

/** A `trun`: samples that lie one behind the other. */
interface TrackRun {
  readonly flags: number;
  readonly count: number;
  readonly offset: number;
  readonly firstFlags: number | undefined;
  /** One record a sample of `recordBytes`, with the fields that `flags` name. */
  readonly records: DataView;
  readonly recordBytes: number;
}

/** The samples of one track in one fragment (`traf`, §8.8.6), read where they lie in the `moof` box. */
export interface TrackFragment {
  readonly track: MovieTrack;
  /** Place of the fragment's `moof` box in the file. */
  readonly fragmentOffset: number;
  /** Decode time of the first sample (`tfdt`, §8.8.12); undefined: where the track's samples before ended. */
  readonly baseDecodeTime: number | undefined;
  readonly description: number;
  readonly duration: number;
  readonly sizeBytes: number;
  readonly flags: number;
  readonly runs: readonly TrackRun[];
}

/**
 * Parses the body of a `moof` box (§8.8.4), which stays in use. Tracks that are not played are left out, and runs whose
 * samples have no bytes.
 *
 * @param offset place of the box in the file
 * @param fileBytes size of the file: samples behind its end are left out where nothing else bounds their count
 * @throws ProtocolError `mp4/bad-fragment`
 */
export function parseMovieFragment(
  body: Uint8Array,
  offset: number,
  fileBytes: number,
  tracks: ReadonlyMap<number, MovieTrack>,
): TrackFragment[] {
  const fragments: TrackFragment[] = [];
  let samples = 0;
  // Where the data of the next track begins when its header does not say.
  let dataOffset = offset;
  for (const { type, body: traf } of childBoxes(body)) {
    if (type !== 'traf') continue;
    const boxes = childBoxes(traf);
    const header = readTrackHeader(findBox(boxes, 'tfhd'), tracks);
    if (header === undefined) throw mp4Error('mp4/bad-fragment', `the fragment at byte ${offset} has a broken header`);
    const base = header.baseDataOffset ?? (header.isBaseMoof ? offset : dataOffset);
    let at = base;
    const runs: TrackRun[] = [];
    for (const { type: boxType, body: trun } of boxes) {
      if (boxType !== 'trun') continue;
      const run = readRun(trun, base, at);
      samples += run?.count ?? 0;
      const isPlausible = run !== undefined && (run.recordBytes > 0 || samples <= MAX_FRAGMENT_SAMPLES);
      if (!isPlausible) throw mp4Error('mp4/bad-fragment', `the fragment at byte ${offset} has a broken run`);
      at = run.offset + sizeOfRun(run, header.sizeBytes);
      const isEmpty = (run.flags & TRUN.sizeBytes) === 0 && header.sizeBytes === 0;
      if (run.count > 0 && !isEmpty && run.offset < fileBytes) runs.push(run);
    }
    dataOffset = at;
    const { track, description, duration, sizeBytes, flags } = header;
    if (track === undefined) continue;
    const baseDecodeTime = readDecodeTime(findBox(boxes, 'tfdt'));
    fragments.push({ track, fragmentOffset: offset, baseDecodeTime, description, duration, sizeBytes, flags, runs });
  }
  return fragments;
}

interface TrackHeader {
  readonly track: MovieTrack | undefined;
  readonly baseDataOffset: number | undefined;
  readonly isBaseMoof: boolean;
  readonly description: number;
  readonly duration: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

/**
 *     version(8) flags(24) track_ID(32) [base_data_offset(64)] [description(32)] [duration(32)] [size(32)] [flags(32)]
 */
function readTrackHeader(
  tfhd: Uint8Array | undefined,
  tracks: ReadonlyMap<number, MovieTrack>,
): TrackHeader | undefined {
  if (tfhd === undefined) return undefined;
  const reader = new ByteReader(tfhd, 1);
  const has = reader.u24();
  const track = tracks.get(reader.u32());
  const defaults = track?.defaults ?? { description: 1, duration: 0, sizeBytes: 0, flags: 0 };
  const baseDataOffset = (has & TFHD.baseDataOffset) !== 0 ? reader.u32() * 0x1_0000_0000 + reader.u32() : undefined;
  const description = (has & TFHD.description) !== 0 ? reader.u32() : defaults.description;
  const duration = (has & TFHD.duration) !== 0 ? reader.u32() : defaults.duration;
  const sizeBytes = (has & TFHD.sizeBytes) !== 0 ? reader.u32() : defaults.sizeBytes;
  const flags = (has & TFHD.flags) !== 0 ? reader.u32() : defaults.flags;
  if (reader.overrun) return undefined;
  return { track, baseDataOffset, isBaseMoof: (has & TFHD.baseIsMoof) !== 0, description, duration, sizeBytes, flags };
}

/** version(8) flags(24) baseMediaDecodeTime(32/64) */
function readDecodeTime(tfdt: Uint8Array | undefined): number | undefined {
  if (tfdt === undefined) return undefined;
  const reader = new ByteReader(tfdt);
  const isLong = reader.u8() === 1;
  reader.skip(3);
  const time = isLong ? reader.u32() * 0x1_0000_0000 + reader.u32() : reader.u32();
  return reader.overrun ? undefined : time;
}

/**
 *     version(8) flags(24) sample_count(32) [data_offset(32)] [first_sample_flags(32)]
 *     { [duration(32)] [size(32)] [flags(32)] [composition_time_offset(32)] }
 */
function readRun(trun: Uint8Array, base: number, at: number): TrackRun | undefined {
  const reader = new ByteReader(trun, 1);
  const flags = reader.u24();
  const declared = reader.u32();
  const offset = (flags & TRUN.dataOffset) !== 0 ? base + reader.i32() : at;
  const firstFlags = (flags & TRUN.firstFlags) !== 0 ? reader.u32() : undefined;
  if (reader.overrun || offset < 0) return undefined;
  let recordBytes = 0;
  for (const field of [TRUN.duration, TRUN.sizeBytes, TRUN.flags, TRUN.composition]) {
    if ((flags & field) !== 0) recordBytes += 4;
  }
  const held = recordBytes === 0 ? declared : Math.floor(reader.remaining / recordBytes);
  const records = new DataView(trun.buffer, trun.byteOffset + reader.offset, reader.remaining);
  return { flags, count: Math.min(declared, held), offset, firstFlags, records, recordBytes };
}

function sizeOfRun(run: TrackRun, defaultSizeBytes: number): number {
  if ((run.flags & TRUN.sizeBytes) === 0) return run.count * defaultSizeBytes;
  const field = (run.flags & TRUN.duration) !== 0 ? 4 : 0;
  let sum = 0;
  for (let i = 0; i < run.count; i++) sum += run.records.getUint32(i * run.recordBytes + field);
  return sum;
}

/** Sum of the durations of its samples. */
export function durationOfFragment(fragment: TrackFragment): number {
  let sum = 0;
  for (const { flags, count, records, recordBytes } of fragment.runs) {
    if ((flags & TRUN.duration) === 0) sum += count * fragment.duration;
    else for (let i = 0; i < count; i++) sum += records.getUint32(i * recordBytes);
  }
  return sum;
}

/** Goes through the samples of one fragment of a track. */
export class FragmentCursor implements Sample {
  readonly fragment: TrackFragment;
  offset = 0;
  sizeBytes = 0;
  dts: number;
  compositionOffset = 0;
  duration = 0;
  isSync = false;
  readonly description: number;
  /** Decode time behind the samples stepped to so far. */
  endTime: number;
  /** How many samples were stepped to. */
  steps = 0;
  #run = 0;
  #index = 0;
  #nextOffset = 0;

  /** @param startTime decode time when the fragment does not tell */
  constructor(fragment: TrackFragment, startTime: number) {
    this.fragment = fragment;
    this.description = Math.max(0, fragment.description - 1);
    this.endTime = fragment.baseDecodeTime ?? startTime;
    this.dts = this.endTime;
  }

  /** Steps to the next sample; false behind the last one. */
  advance(): boolean {
    const run = this.fragment.runs[this.#run];
    if (run === undefined) return false;
    const index = this.#index;
    if (index === 0) this.#nextOffset = run.offset;
    let flags = index === 0 ? (run.firstFlags ?? this.fragment.flags) : this.fragment.flags;
    let at = index * run.recordBytes;
    this.duration = this.fragment.duration;
    this.sizeBytes = this.fragment.sizeBytes;
    this.compositionOffset = 0;
    if ((run.flags & TRUN.duration) !== 0) {
      this.duration = run.records.getUint32(at);
      at += 4;
    }
    if ((run.flags & TRUN.sizeBytes) !== 0) {
      this.sizeBytes = run.records.getUint32(at);
      at += 4;
    }
    if ((run.flags & TRUN.flags) !== 0) {
      if (index > 0 || run.firstFlags === undefined) flags = run.records.getUint32(at);
      at += 4;
    }
    // Version 0 has no sign, but negative offsets are written into it all the same.
    if ((run.flags & TRUN.composition) !== 0) this.compositionOffset = run.records.getInt32(at);
    const count = this.#group(run);
    this.isSync = this.fragment.track.kind === 'audio' || (flags & (IS_NON_SYNC | DEPENDS_ON_OTHERS)) === 0;
    this.offset = this.#nextOffset;
    this.dts = this.endTime;
    this.endTime += this.duration;
    this.#nextOffset += this.sizeBytes;
    this.#index = index + count;
    if (this.#index >= run.count) {
      this.#run++;
      this.#index = 0;
    }
    this.steps++;
    return true;
  }

  /** Plain audio of which each sample is a few bytes goes together. */
  #group(run: TrackRun): number {
    const { grouping } = this.fragment.track;
    if (grouping === undefined || run.recordBytes > 0 || this.sizeBytes !== grouping.blockBytes) return 1;
    const count = groupSize(grouping, run.count - this.#index);
    this.sizeBytes *= count;
    this.duration *= count;
    return count;
  }
}
