import { stripTemporalDelimiters } from '../../codec/av1/obu.ts';
import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { FileWindow } from '../file-window.ts';
import type { MediaFile, RandomAccess } from '../media-file.ts';
import { readBoxHeader } from './box.ts';
import { completeTrack } from './complete-track.ts';
import { type FragmentIndex, readFragmentIndex } from './fragment-index.ts';
import { FragmentReader } from './fragment-reader.ts';
import { type Movie, parseMovie } from './movie.ts';
import {
  MAX_FRAGMENTS_AHEAD,
  MAX_MOVIE_BYTES,
  MAX_SAMPLE_BYTES,
  MAX_SEEK_POINTS,
  MAX_TOP_LEVEL_BOXES,
  MAX_WALKED_FRAGMENTS,
  mp4Error,
} from './mp4-error.ts';
import type { Sample } from './sample.ts';
import { toNetworkOrder } from './sample-order.ts';
import { FragmentCursor, type TrackFragment } from './track-fragment.ts';
import { type FragmentPosition, TrackReader } from './track-reader.ts';

/** Types of boxes a file may begin with. */
const FIRST_BOXES: ReadonlySet<string> = new Set([
  'ftyp',
  'styp',
  'moov',
  'mdat',
  'free',
  'skip',
  'wide',
  'pnot',
  'uuid',
  'udta',
  'meta',
]);

/**
 * Opens an MP4 or QuickTime file (ISO/IEC 14496-12, -14, -15; QuickTime File Format), its `moov` box in front or at the end,
 * whole or in fragments.
 *
 * Frames come ordered by decode time over all tracks. Positions are those of the presentation as the edit lists have it;
 * audio that ends before its start (the priming of AAC) is left out, and decode times before it read 0. The movie box is
 * held in memory, at most `MAX_MOVIE_BYTES`. Left out are edit lists that jump within the media, partial sync samples and
 * media outside the file.
 *
 * @throws ProtocolError with an `Mp4ErrorCode`
 */
export async function openMp4File(file: RandomAccess): Promise<MediaFile> {
  const window = new FileWindow(file);
  const { movie, end } = await readMovie(window);
  const opened = new Mp4File(file, window, movie, end);
  await opened.open();
  return opened;
}

/** Finds and parses the movie box; tells where the box behind it begins. */
async function readMovie(window: FileWindow): Promise<{ movie: Movie; end: number }> {
  let at = 0;
  for (let count = 0; count < MAX_TOP_LEVEL_BOXES; count++) {
    const box = await readBoxHeader(window, at);
    if (count === 0 && (box === undefined || !FIRST_BOXES.has(box.type))) {
      throw mp4Error('mp4/not-mp4', 'the file does not begin with a box of MP4 or QuickTime');
    }
    if (box === undefined) break;
    if (box.type === 'moov') {
      const bodyBytes = box.end - at - box.headerBytes;
      if (bodyBytes > MAX_MOVIE_BYTES) {
        throw mp4Error('mp4/movie-too-large', `a movie box of ${bodyBytes} bytes is over the limit`);
      }
      if (box.end > window.sizeBytes) throw mp4Error('mp4/truncated', 'the file ends inside its movie box');
      const body = (await window.view(at + box.headerBytes, bodyBytes)).slice();
      return { movie: parseMovie(body), end: box.end };
    }
    at = box.end;
  }
  throw mp4Error('mp4/no-movie', 'the file has no movie box');
}

class Mp4File implements MediaFile {
  readonly isSeekable = true;
  readonly #file: RandomAccess;
  readonly #window: FileWindow;
  readonly #movie: Movie;
  readonly #readers: readonly TrackReader[];
  /** Seeks go by its sync samples. */
  readonly #reference: TrackReader;
  readonly #fragments: FragmentReader;
  readonly #firstFragment: number;
  #index: FragmentIndex | undefined;
  #nextFragment: number;
  /** Presentation time of position 0, microseconds. */
  #originUs = 0;
  /** Presentation time of the first sample of the reference track, in its units. */
  #firstPts = Number.NEGATIVE_INFINITY;
  #mediaTracks: ReadonlyMap<TrackReader, readonly (Track | undefined)[]> = new Map();
  #seekPointsUs: readonly number[] | undefined;

  constructor(file: RandomAccess, window: FileWindow, movie: Movie, firstFragment: number) {
    this.#file = file;
    this.#window = window;
    this.#movie = movie;
    this.#readers = movie.tracks.map((track) => new TrackReader(track, movie));
    this.#reference = this.#readers.find((reader) => reader.track.kind === 'video') ?? this.#readers[0]!;
    this.#fragments = new FragmentReader(window, movie);
    this.#firstFragment = firstFragment;
    this.#nextFragment = movie.isFragmented ? firstFragment : Number.POSITIVE_INFINITY;
  }

  get tracks(): readonly Track[] {
    return this.#readers.flatMap((reader) => this.#mediaTracks.get(reader)?.find((track) => track !== undefined) ?? []);
  }

  get durationUs(): number | undefined {
    const { timescale, duration, isFragmented } = this.#movie;
    if (!isFragmented) return Math.max(0, ...this.#readers.map((reader) => reader.tableEndUs - this.#originUs));
    const end = this.#index?.end;
    if (end !== undefined) return Math.max(0, this.#reference.toUs(end) - this.#originUs);
    return duration > 0 ? Math.round((duration * 1_000_000) / timescale) : undefined;
  }

  get seekPointsUs(): readonly number[] | undefined {
    const { table, kind } = this.#reference.track;
    const count = table.syncSampleCount;
    if (this.#movie.isFragmented || kind === 'audio' || count === undefined || count > MAX_SEEK_POINTS)
      return undefined;
    this.#seekPointsUs ??= this.#listSeekPoints(count);
    return this.#seekPointsUs;
  }

  async open(): Promise<void> {
    if (this.#movie.isFragmented) {
      const first = await this.#fragments.next(this.#firstFragment);
      if (first !== undefined) for (const reader of this.#readers) reader.learnShift(first.tracks);
      this.#index = await readFragmentIndex(this.#window, this.#fragments, this.#reference.track, this.#firstFragment);
    }
    await this.#start();
    const firsts = this.#readers.filter((reader) => reader.head !== undefined);
    if (firsts.length === 0) throw mp4Error('mp4/no-playable-track', 'no track has samples');
    const firstUs = (readers: readonly TrackReader[]): number =>
      Math.min(...readers.map((reader) => reader.ptsUs(reader.head!)));
    const allUs = firstUs(firsts);
    const videoUs = firstUs(firsts.filter((reader) => reader.track.kind === 'video'));
    // A recording of a live stream begins at the time of day. Pictures before the first of the edit list have to be
    // given, and have no time but their own.
    this.#originUs = this.#movie.isFragmented && allUs > 0 ? allUs : Math.min(0, videoUs);
    const first = this.#reference.head;
    if (first !== undefined) this.#firstPts = first.dts + first.compositionOffset;
    await this.#describeTracks();
    await this.#start();
  }

  async seek(targetUs: number): Promise<number> {
    const reference = this.#reference;
    const ticks = reference.toTicks(Math.max(0, targetUs) + this.#originUs);
    if (!this.#movie.isFragmented || reference.hasInTable(ticks)) {
      const found = reference.findInTable(ticks);
      if (found === undefined || found.pts <= this.#firstPts) return this.#start();
      const landedUs = reference.toUs(found.pts);
      for (const reader of this.#readers) reader.seekAtOrAfter(landedUs, false);
      reference.seekTable(found);
      this.#nextFragment = this.#movie.isFragmented ? this.#firstFragment : Number.POSITIVE_INFINITY;
      return this.#landed();
    }
    const found = await this.#findInFragments(ticks);
    if (found === undefined || found.pts <= this.#firstPts) return this.#start();
    const landedUs = reference.toUs(found.pts);
    for (const reader of this.#readers) reader.seekAtOrAfter(landedUs, true);
    reference.seekFragment(found.position, found.pts);
    this.#nextFragment = found.startOffset;
    return this.#landed();
  }

  async next(): Promise<Frame | undefined> {
    const reader = await this.#earliest();
    if (reader?.head === undefined) return undefined;
    const frame = await this.#read(reader, reader.head);
    reader.take();
    return frame;
  }

  /** Goes to the beginning; gives the position of the first frame. */
  async #start(): Promise<number> {
    for (const reader of this.#readers) reader.start(this.#originUs);
    if (this.#movie.isFragmented) this.#nextFragment = this.#firstFragment;
    return this.#landed();
  }

  async #landed(): Promise<number> {
    const reader = await this.#earliest();
    return reader?.head === undefined ? 0 : Math.max(0, reader.ptsUs(reader.head) - this.#originUs);
  }

  /** The track whose sample is decoded first. */
  async #earliest(): Promise<TrackReader | undefined> {
    await this.#fill();
    let earliest: TrackReader | undefined;
    let earliestUs = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers) {
      const dtsUs = reader.head === undefined ? Number.POSITIVE_INFINITY : reader.dtsUs(reader.head);
      if (dtsUs >= earliestUs) continue;
      earliest = reader;
      earliestUs = dtsUs;
    }
    return earliest;
  }

  /** Sees to it that every track that has more samples shows its next one, as far as fragments may be read ahead. */
  async #fill(): Promise<void> {
    for (;;) {
      let isWanting = false;
      let hasAny = false;
      let ahead = 0;
      for (const reader of this.#readers) {
        if (reader.fill() && !this.#isCut(reader)) hasAny = true;
        else if (!reader.isEnded) isWanting = true;
        ahead += reader.fragmentsAhead;
      }
      if (!isWanting || this.#nextFragment === Number.POSITIVE_INFINITY) return;
      if (hasAny && ahead >= MAX_FRAGMENTS_AHEAD) return;
      const fragment = await this.#fragments.next(this.#nextFragment);
      this.#nextFragment = fragment?.end ?? Number.POSITIVE_INFINITY;
      for (const one of fragment?.tracks ?? []) this.#readerOf(one)?.give(one);
    }
  }

  /** Ends a track of a fragmented file whose next sample is cut short: so a recording ends whose recorder was killed. */
  #isCut(reader: TrackReader): boolean {
    const { head } = reader;
    if (!this.#movie.isFragmented || head === undefined) return false;
    if (head.offset + head.sizeBytes <= this.#file.sizeBytes) return false;
    reader.take();
    reader.isEnded = true;
    return true;
  }

  #readerOf(fragment: TrackFragment): TrackReader | undefined {
    return this.#readers.find((reader) => reader.track === fragment.track);
  }

  async #read(reader: TrackReader, sample: Sample): Promise<Frame> {
    const { offset, sizeBytes, description } = sample;
    if (sizeBytes > MAX_SAMPLE_BYTES) {
      throw mp4Error('mp4/sample-too-large', `a sample of ${sizeBytes} bytes is over the limit of ${MAX_SAMPLE_BYTES}`);
    }
    const payload = await this.#payload(offset, sizeBytes);
    if (payload === undefined) {
      throw mp4Error('mp4/truncated', `a sample at byte ${offset} lies behind the end of the file`);
    }
    const track = this.#mediaTracks.get(reader)![description]!;
    const { plain } = reader.track.descriptions[description]!;
    if (plain !== undefined) toNetworkOrder(payload, plain.order);
    return {
      track,
      dtsUs: Math.max(0, reader.dtsUs(sample) - this.#originUs),
      ptsUs: Math.max(0, reader.ptsUs(sample) - this.#originUs),
      isKeyFrame: sample.isSync,
      payload: track.codec === 'av1' ? stripTemporalDelimiters(payload) : payload,
    };
  }

  /** The bytes of a sample; undefined when the file has not all of them. */
  async #payload(offset: number, sizeBytes: number): Promise<Uint8Array | undefined> {
    if (offset + sizeBytes > this.#file.sizeBytes) return undefined;
    const payload = await this.#file.read(offset, sizeBytes);
    return payload.length < sizeBytes ? undefined : payload;
  }

  /** Makes the tracks, with what only the first frames tell. */
  async #describeTracks(): Promise<void> {
    const made = new Map<TrackReader, readonly (Track | undefined)[]>();
    const count = { video: 0, audio: 0 };
    for (const reader of this.#readers) {
      const { kind, descriptions } = reader.track;
      const { head } = reader;
      const isReadable = head !== undefined && head.sizeBytes <= MAX_SAMPLE_BYTES;
      const firstFrame = isReadable ? await this.#payload(head.offset, head.sizeBytes) : undefined;
      const trackId = count[kind]++;
      const tracks = descriptions.map((description, index) => {
        if (description === undefined) return undefined;
        return completeTrack({ kind, trackId, ...description }, head?.description === index ? firstFrame : undefined);
      });
      made.set(reader, tracks);
    }
    this.#mediaTracks = made;
  }

  /**
   * The last sync sample of the reference track presented at or before `ticks`, from the index on, and where to read from so
   * that the other tracks' samples of that time come too.
   */
  async #findInFragments(ticks: number): Promise<FoundInFragments | undefined> {
    const index = this.#index;
    if (index === undefined || index.count === 0) return undefined;
    let walked = 0;
    for (let entry = Math.max(0, index.find(ticks)); entry >= 0; entry--) {
      const state: Walk = { found: undefined, time: this.#reference.track.table.totalDuration, isBehind: false };
      let at = index.offsetAt(entry);
      while (!state.isBehind && walked++ < MAX_WALKED_FRAGMENTS) {
        const fragment = await this.#fragments.next(at);
        if (fragment === undefined) break;
        lookThrough(
          fragment.tracks.filter((one) => one.track === this.#reference.track),
          ticks,
          state,
        );
        at = fragment.end;
      }
      // Other tracks may lie up to a fragment further in front.
      if (state.found !== undefined) return { ...state.found, startOffset: index.offsetAt(Math.max(0, entry - 1)) };
      if (walked >= MAX_WALKED_FRAGMENTS) break;
    }
    return undefined;
  }

  #listSeekPoints(count: number): readonly number[] {
    const { table } = this.#reference.track;
    const times = table.times();
    const points: number[] = [];
    for (let entry = 0; entry < count; entry++) {
      const sample = table.syncSampleAt(entry);
      if (sample < times.index || sample >= table.sampleCount) continue;
      times.advance(sample - times.index);
      const us = this.#reference.toUs(times.pts) - this.#originUs;
      if (times.pts >= this.#firstPts && us > (points.at(-1) ?? -1)) points.push(us);
    }
    return points;
  }
}

interface FoundInFragments {
  readonly position: FragmentPosition;
  readonly pts: number;
  readonly startOffset: number;
}

/** How far a search through fragments has come. */
interface Walk {
  found: Omit<FoundInFragments, 'startOffset'> | undefined;
  /** Decode time behind the fragments seen. */
  time: number;
  isBehind: boolean;
}

/** Looks through the parts one fragment has of a track. */
function lookThrough(parts: readonly TrackFragment[], ticks: number, walk: Walk): void {
  let stepsBefore = 0;
  for (const part of parts) {
    const cursor = new FragmentCursor(part, walk.time);
    if (cursor.endTime > ticks && walk.found !== undefined) walk.isBehind = true;
    while (!walk.isBehind && cursor.advance()) {
      const pts = cursor.dts + cursor.compositionOffset;
      if (!cursor.isSync || cursor.sizeBytes === 0) continue;
      if (pts > ticks) walk.isBehind = true;
      else {
        const step = stepsBefore + cursor.steps - 1;
        walk.found = { position: { fragmentOffset: part.fragmentOffset, step }, pts };
      }
    }
    walk.time = cursor.endTime;
    stepsBefore += cursor.steps;
  }
}
