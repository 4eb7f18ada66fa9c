import { ByteReader } from '../../wire/byte-reader.ts';
import { type Box, boxesIn, childBoxes, findBox, fourCc } from './box.ts';
import { type EditList, NO_EDITS, parseEditList } from './edit-list.ts';
import { MAX_TRACKS, mp4Error } from './mp4-error.ts';
import type { Grouping } from './sample.ts';
import { type ParsedDescription, parseSampleDescriptions, type SampleDescription } from './sample-description.ts';
import { SampleTable } from './sample-table.ts';

/** What fragments leave out of their samples (`trex`, ISO/IEC 14496-12 §8.8.3). */
export interface FragmentDefaults {
  /** From 1. */
  readonly description: number;
  readonly duration: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

/** A track of a movie that can be played. */
export interface MovieTrack {
  /** As fragments and indexes name it. */
  readonly id: number;
  readonly kind: 'video' | 'audio';
  /** Units a second. */
  readonly timescale: number;
  /** By the index samples have; undefined for those that can't be played. At least one can. */
  readonly descriptions: readonly (SampleDescription | undefined)[];
  readonly edits: EditList;
  readonly table: SampleTable;
  readonly grouping: Grouping | undefined;
  readonly defaults: FragmentDefaults;
}

/** A `moov` box read: everything about a file but its media and its fragments. */
export interface Movie {
  readonly timescale: number;
  /** From `mvhd` or `mehd`, in units of `timescale`; 0 unknown. */
  readonly duration: number;
  readonly isFragmented: boolean;
  readonly tracks: readonly MovieTrack[];
}

/** Plain audio is put together to frames of about this length, microseconds. */
const PLAIN_FRAME_US = 20_000;

const NO_DEFAULTS: FragmentDefaults = { description: 1, duration: 0, sizeBytes: 0, flags: 0 };

/**
 * Parses the body of a `moov` box (ISO/IEC 14496-12 §8.2.1), which stays in use by the sample tables. Tracks of other kinds
 * than video and audio, without known codec or of pictures for chapters are left out.
 *
 * @throws ProtocolError `mp4/compressed-movie`, `mp4/encrypted`, `mp4/no-playable-track`
 */
export function parseMovie(body: Uint8Array): Movie {
  const boxes = childBoxes(body);
  if (findBox(boxes, 'cmov') !== undefined) {
    throw mp4Error('mp4/compressed-movie', 'the movie box is compressed, which is not supported');
  }
  const { timescale, duration } = parseTimes(findBox(boxes, 'mvhd'));
  const extends_ = boxesIn(boxes, 'mvex');
  const isFragmented = findBox(boxes, 'mvex') !== undefined;
  const mehd = findBox(extends_, 'mehd');
  const found: (MovieTrack | string)[] = [];
  const chapters = chapterTracks(boxes);
  for (const { type, body: trak } of boxes) {
    if (type !== 'trak' || found.length === MAX_TRACKS) continue;
    const track = parseTrack(childBoxes(trak), extends_, chapters);
    if (track !== undefined) found.push(track);
  }
  const tracks = found.filter((track) => typeof track !== 'string');
  const isPlayable = (track: MovieTrack): boolean => isFragmented || track.table.sampleCount > 0;
  const playable = tracks.filter(isPlayable);
  if (playable.length === 0) {
    if (found.includes('encrypted')) throw mp4Error('mp4/encrypted', 'the file is encrypted');
    const names = found.filter((track) => typeof track === 'string').join(', ');
    throw mp4Error('mp4/no-playable-track', `no track of a known codec with samples (${names || 'none'})`);
  }
  return {
    timescale: timescale === 0 ? 1000 : timescale,
    duration: mehd === undefined ? duration : parseFragmentsDuration(mehd),
    isFragmented,
    tracks: playable,
  };
}

/**
 * `mvhd` (§8.2.2) and `mdhd` (§8.4.2) begin alike; an unknown duration is all ones.
 *
 *     version(8) flags(24) creation(32/64) modification(32/64) timescale(32) duration(32/64)
 */
function parseTimes(body: Uint8Array | undefined): { timescale: number; duration: number } {
  if (body === undefined) return { timescale: 0, duration: 0 };
  const reader = new ByteReader(body);
  const isLong = reader.u8() === 1;
  reader.skip(isLong ? 19 : 11);
  const timescale = reader.u32();
  const high = isLong ? reader.u32() : 0;
  const low = reader.u32();
  const isUnknown = low === 0xffff_ffff && (!isLong || high === 0xffff_ffff);
  if (reader.overrun) return { timescale: 0, duration: 0 };
  return { timescale, duration: isUnknown ? 0 : high * 0x1_0000_0000 + low };
}

/** `mehd` (§8.8.2): version(8) flags(24) fragment_duration(32/64). */
function parseFragmentsDuration(body: Uint8Array): number {
  const reader = new ByteReader(body);
  const isLong = reader.u8() === 1;
  reader.skip(3);
  return isLong ? reader.u32() * 0x1_0000_0000 + reader.u32() : reader.u32();
}

/** Tracks that others name as their chapters: texts, and pictures that are no film. */
function chapterTracks(boxes: readonly Box[]): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const { type, body } of boxes) {
    if (type !== 'trak') continue;
    const chap = findBox(boxesIn(childBoxes(body), 'tref'), 'chap');
    const reader = new ByteReader(chap ?? new Uint8Array(0));
    while (reader.remaining >= 4 && ids.size < MAX_TRACKS) ids.add(reader.u32());
  }
  return ids;
}

/** A track, or why there is none that can be played; undefined for what is neither video nor audio. */
function parseTrack(
  boxes: readonly Box[],
  extends_: readonly Box[],
  chapters: ReadonlySet<number>,
): MovieTrack | string | undefined {
  const tkhd = findBox(boxes, 'tkhd');
  const media = boxesIn(boxes, 'mdia');
  const hdlr = findBox(media, 'hdlr');
  if (tkhd === undefined || hdlr === undefined || hdlr.length < 12) return undefined;
  const handler = fourCc(hdlr, 8);
  if (handler !== 'vide' && handler !== 'soun') return undefined;
  const idReader = new ByteReader(tkhd, tkhd[0] === 1 ? 20 : 12);
  const id = idReader.u32();
  if (chapters.has(id)) return undefined;
  const { timescale } = parseTimes(findBox(media, 'mdhd'));
  const tableBoxes = boxesIn(boxesIn(media, 'minf'), 'stbl');
  const stsd = findBox(tableBoxes, 'stsd');
  if (timescale === 0 || stsd === undefined) return undefined;
  const parsed = parseSampleDescriptions(stsd, handler, timescale);
  const descriptions = parsed.map((one: ParsedDescription) => (one === 'encrypted' ? undefined : one));
  const first = descriptions.find((one) => one !== undefined);
  if (first === undefined) return parsed.includes('encrypted') ? 'encrypted' : stsdName(stsd);
  const grouping = groupingOf(first);
  const elst = findBox(boxesIn(boxes, 'edts'), 'elst');
  const isAudio = handler === 'soun';
  return {
    id,
    kind: isAudio ? 'audio' : 'video',
    timescale,
    descriptions,
    edits: elst === undefined ? NO_EDITS : parseEditList(elst),
    table: new SampleTable(tableBoxes, grouping, isAudio),
    grouping,
    defaults: fragmentDefaults(extends_, id),
  };
}

function stsdName(stsd: Uint8Array): string {
  return stsd.length >= 16 ? JSON.stringify(fourCc(stsd, 12)) : 'no codec';
}

function groupingOf(description: SampleDescription): Grouping | undefined {
  const { plain, sampleRate } = description;
  if (plain === undefined) return undefined;
  const samples = Math.max(1, Math.round((sampleRate * PLAIN_FRAME_US) / 1_000_000));
  return { blockBytes: plain.blockBytes, samples };
}

/** version+flags(32) track_ID(32) description(32) duration(32) size(32) flags(32) */
function fragmentDefaults(extends_: readonly Box[], id: number): FragmentDefaults {
  for (const { type, body } of extends_) {
    if (type !== 'trex') continue;
    const reader = new ByteReader(body, 4);
    if (reader.u32() !== id) continue;
    const description = reader.u32();
    const duration = reader.u32();
    const sizeBytes = reader.u32();
    const flags = reader.u32();
    if (!reader.overrun) return { description, duration, sizeBytes, flags };
  }
  return NO_DEFAULTS;
}
