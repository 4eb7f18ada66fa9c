import { ByteReader } from '../../wire/byte-reader.ts';
import type { FileWindow } from '../file-window.ts';
import { childBoxes, readBoxHeader } from './box.ts';
import type { FragmentReader } from './fragment-reader.ts';
import type { MovieTrack } from './movie.ts';
import { MAX_FRAGMENT_BYTES, MAX_INDEXED_FRAGMENTS, MAX_WALKED_FRAGMENTS } from './mp4-error.ts';
import { durationOfFragment } from './track-fragment.ts';

/** Most `sidx` boxes followed: an index may be a tree or a chain of them. */
export const MAX_SEGMENT_INDEXES = 1024;

const RANDOM_ACCESS_OFFSET_BYTES = 16;

/** Where fragments begin, and about when: a seek looks closer from there. */
export class FragmentIndex {
  readonly #times: number[] = [];
  readonly #offsets: number[] = [];
  /** Time behind the last fragment, in units of the track's timescale; undefined when not all of them were seen. */
  end: number | undefined;

  get count(): number {
    return this.#times.length;
  }

  offsetAt(entry: number): number {
    return this.#offsets[entry]!;
  }

  /** Keeps entries ascending by place; those out of order, and more than `MAX_INDEXED_FRAGMENTS`, are left out. */
  add(time: number, offset: number): void {
    const last = this.#offsets.length - 1;
    if (last >= 0 && (offset <= this.#offsets[last]! || time < this.#times[last]!)) return;
    if (last + 1 >= MAX_INDEXED_FRAGMENTS) return;
    this.#times.push(time);
    this.#offsets.push(offset);
  }

  /** The last entry at or before `time`, or −1. */
  find(time: number): number {
    let low = -1;
    let high = this.#times.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#times[middle]! <= time) low = middle;
      else high = middle;
    }
    return low;
  }
}

/**
 * The index of the fragments of `track`: from `sidx` boxes (ISO/IEC 14496-12 §8.16.3), the `mfra` box at the end (§8.8.9), or
 * else from the fragments themselves.
 *
 * @param firstOffset where the boxes behind the movie box begin
 * @throws ProtocolError `mp4/bad-box`, `mp4/bad-fragment`
 */
export async function readFragmentIndex(
  window: FileWindow,
  fragments: FragmentReader,
  track: MovieTrack,
  firstOffset: number,
): Promise<FragmentIndex> {
  const first = await fragments.next(firstOffset);
  const tellsTime = first?.tracks.some((one) => one.baseDecodeTime !== undefined) === true;
  const index =
    (tellsTime ? await readSegmentIndexes(window, track, firstOffset) : undefined) ??
    (tellsTime ? await readRandomAccess(window, track) : undefined);
  if (index !== undefined && index.end !== undefined) return index;
  return scan(fragments, track, firstOffset, index ?? new FragmentIndex(), tellsTime);
}

/** Adds the fragments from the last known one on, and finds the end of the track. */
async function scan(
  fragments: FragmentReader,
  track: MovieTrack,
  firstOffset: number,
  index: FragmentIndex,
  tellsTime: boolean,
): Promise<FragmentIndex> {
  let at = index.count > 0 ? index.offsetAt(index.count - 1) : firstOffset;
  let end = track.table.totalDuration;
  for (let count = 0; count < MAX_WALKED_FRAGMENTS; count++) {
    const fragment = await fragments.next(at);
    if (fragment === undefined) {
      index.end = end;
      return index;
    }
    for (const one of fragment.tracks) {
      if (one.track !== track) continue;
      const start = one.baseDecodeTime ?? end;
      // Without times of their own fragments only make sense one after the other.
      if (tellsTime || index.count === 0) index.add(start, fragment.offset);
      end = start + durationOfFragment(one);
    }
    at = fragment.end;
  }
  return index;
}

/**
 * The `sidx` boxes between `firstOffset` and the first fragment, when together they reach to the end of the file.
 *
 *     version(8) flags(24) reference_ID(32) timescale(32) earliest_presentation_time(32/64) first_offset(32/64)
 *     reserved(16) count(16) { type(1) size(31) duration(32) SAP(32) }
 */
async function readSegmentIndexes(
  window: FileWindow,
  track: MovieTrack,
  firstOffset: number,
): Promise<FragmentIndex | undefined> {
  const index = new FragmentIndex();
  const pending: number[] = [];
  let at = firstOffset;
  for (let count = 0; count < MAX_SEGMENT_INDEXES && pending.length === 0; count++) {
    const box = await readBoxHeader(window, at);
    if (box === undefined || box.type === 'moof') break;
    if (box.type === 'sidx') pending.push(at);
    at = box.end;
  }
  let coveredEnd = 0;
  let end = 0;
  for (let count = 0; count < MAX_SEGMENT_INDEXES; count++) {
    const offset = pending.shift();
    if (offset === undefined) break;
    const box = await readBoxHeader(window, offset);
    if (box === undefined || box.type !== 'sidx' || box.end - offset > MAX_FRAGMENT_BYTES) return undefined;
    const body = (await window.view(offset + box.headerBytes, box.end - offset - box.headerBytes)).slice();
    const reader = new ByteReader(body);
    const isLong = reader.u8() === 1;
    reader.skip(7);
    const timescale = reader.u32();
    let time = isLong ? reader.u32() * 0x1_0000_0000 + reader.u32() : reader.u32();
    let place = box.end + (isLong ? reader.u32() * 0x1_0000_0000 + reader.u32() : reader.u32());
    reader.skip(2);
    const entries = reader.u16();
    if (reader.overrun || timescale === 0) return undefined;
    for (let entry = 0; entry < entries; entry++) {
      const reference = reader.u32();
      const duration = reader.u32();
      reader.skip(4);
      if (reader.overrun) return undefined;
      if (reference >= 0x8000_0000) pending.push(place);
      else {
        index.add(Math.floor((time / timescale) * track.timescale), place);
        end = ((time + duration) / timescale) * track.timescale;
      }
      time += duration;
      place += reference % 0x8000_0000;
      coveredEnd = Math.max(coveredEnd, place);
    }
  }
  const behind = await readBoxHeader(window, coveredEnd);
  const isWhole = pending.length === 0 && (behind === undefined || behind.type === 'mfra' || behind.type === 'free');
  if (index.count === 0 || !isWhole) return undefined;
  index.end = Math.round(end);
  return index;
}

/**
 * The table of `track` in the `mfra` box, which the `mfro` box at the end of the file points back to.
 *
 *     tfra: version(8) flags(24) track_ID(32) lengths(32) count(32)
 *     { time(32/64) moof_offset(32/64) traf_number trun_number sample_number (8 to 32 each) }
 */
async function readRandomAccess(window: FileWindow, track: MovieTrack): Promise<FragmentIndex | undefined> {
  const tailAt = window.sizeBytes - RANDOM_ACCESS_OFFSET_BYTES;
  const tail = await window.view(Math.max(0, tailAt), RANDOM_ACCESS_OFFSET_BYTES);
  const [mfro] = childBoxes(tail);
  if (mfro?.type !== 'mfro' || mfro.body.length < 8) return undefined;
  const size = new ByteReader(mfro.body, 4).u32();
  const at = window.sizeBytes - size;
  if (size > MAX_FRAGMENT_BYTES || at < 0) return undefined;
  const box = await readBoxHeader(window, at);
  if (box?.type !== 'mfra') return undefined;
  const body = (await window.view(at + box.headerBytes, size - box.headerBytes)).slice();
  const index = new FragmentIndex();
  for (const { type, body: tfra } of childBoxes(body)) {
    if (type !== 'tfra') continue;
    const reader = new ByteReader(tfra);
    const isLong = reader.u8() === 1;
    reader.skip(3);
    if (reader.u32() !== track.id) continue;
    const lengths = reader.u32();
    const numberBytes = ((lengths >>> 4) & 3) + ((lengths >>> 2) & 3) + (lengths & 3) + 3;
    const count = reader.u32();
    for (let i = 0; i < count && !reader.overrun; i++) {
      const time = isLong ? reader.u32() * 0x1_0000_0000 + reader.u32() : reader.u32();
      const offset = isLong ? reader.u32() * 0x1_0000_0000 + reader.u32() : reader.u32();
      reader.skip(numberBytes);
      if (!reader.overrun && offset < window.sizeBytes) index.add(time, offset);
    }
  }
  return index.count === 0 ? undefined : index;
}
