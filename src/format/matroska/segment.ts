import type { FileWindow } from '../file-window.ts';
import { childElements, type EbmlHeader, readEbmlHeader, toAscii, toFloat, toUnsigned } from './ebml-element.ts';
import {
  MAX_CUE_POINTS,
  MAX_HEADER_ELEMENT_BYTES,
  MAX_SKIPPED_ELEMENTS,
  MAX_TRACKS,
  matroskaError,
} from './matroska-error.ts';
import { ID } from './matroska-ids.tables.ts';
import { parseTrackEntry, type TrackEntry } from './track-entry.ts';

/** A place in the file where a cue says that a track can be entered. */
export interface CuePoint {
  /** In units of the timestamp scale. */
  readonly timestamp: number;
  /** Place of the cluster in the file. */
  readonly clusterOffset: number;
}

/** What a file tells in front of its clusters, and where it keeps the rest (RFC 9559 §5.1). */
export interface Segment {
  /** Nanoseconds of one unit of time. */
  readonly timestampScaleNs: number;
  /** In those units, 0 unknown. */
  readonly duration: number;
  readonly tracks: readonly TrackEntry[];
  /** Tracks that were left out. */
  readonly otherTracks: number;
  readonly firstClusterOffset: number;
  /** By track number, ascending in time and place. */
  readonly cues: ReadonlyMap<number, readonly CuePoint[]>;
}

const DEFAULT_TIMESTAMP_SCALE_NS = 1_000_000;
const MAX_TIMESTAMP_SCALE_NS = 1_000_000_000_000;
const DOC_TYPES: ReadonlySet<string> = new Set(['matroska', 'webm']);

/** What was found so far. */
interface Found {
  dataOffset: number;
  timestampScaleNs: number;
  duration: number;
  tracks: TrackEntry[] | undefined;
  otherTracks: number;
  cues: Map<number, CuePoint[]>;
  /** Places of elements that SeekHeads name, by identifier. */
  places: Map<number, number>;
  seekHeads: number;
}

/**
 * Reads the headers of a file: up to its first cluster, and what its SeekHead says lies behind.
 *
 * @throws ProtocolError `matroska/not-matroska`, `matroska/bad-element`, `matroska/element-too-large`,
 * `matroska/no-tracks`, `matroska/no-playable-track`
 */
export async function readSegment(window: FileWindow): Promise<Segment> {
  const found: Found = {
    dataOffset: await findSegment(window),
    timestampScaleNs: DEFAULT_TIMESTAMP_SCALE_NS,
    duration: 0,
    tracks: undefined,
    otherTracks: 0,
    cues: new Map(),
    places: new Map(),
    seekHeads: 0,
  };
  let at = found.dataOffset;
  let firstClusterOffset: number | undefined;
  for (let count = 0; count < MAX_SKIPPED_ELEMENTS; count++) {
    const element = await readEbmlHeader(window, at);
    if (element === undefined) break;
    if (element.id === ID.cluster) {
      firstClusterOffset = at;
      break;
    }
    await readHeaderElement(window, element, found);
    at = element.end;
  }
  for (const id of [ID.seekHead, ID.info, ID.tracks, ID.cues]) await readNamed(window, id, found);
  if (found.tracks === undefined) throw matroskaError('matroska/no-tracks', 'the file has no tracks');
  if (found.tracks.length === 0 || firstClusterOffset === undefined) {
    throw matroskaError('matroska/no-playable-track', 'no track of a known codec with blocks');
  }
  const { timestampScaleNs, duration, tracks, otherTracks, cues } = found;
  return { timestampScaleNs, duration, tracks, otherTracks, firstClusterOffset, cues };
}

/** Where the content of the segment begins. */
async function findSegment(window: FileWindow): Promise<number> {
  const ebml = await readEbmlHeader(window, 0);
  if (ebml?.id !== ID.ebml || ebml.end > window.sizeBytes) {
    throw matroskaError('matroska/not-matroska', 'the file does not begin with an EBML header');
  }
  const header = await window.view(ebml.bodyOffset, Math.min(ebml.end - ebml.bodyOffset, MAX_HEADER_ELEMENT_BYTES));
  for (const { id, body } of childElements(header)) {
    if (id === ID.docType && !DOC_TYPES.has(toAscii(body))) {
      throw matroskaError('matroska/not-matroska', `the document type ${JSON.stringify(toAscii(body))} is not known`);
    }
  }
  let at = ebml.end;
  for (let count = 0; count < MAX_SKIPPED_ELEMENTS; count++) {
    const element = await readEbmlHeader(window, at);
    if (element === undefined) break;
    if (element.id === ID.segment) return element.bodyOffset;
    at = element.end;
  }
  throw matroskaError('matroska/not-matroska', 'the file has no segment');
}

/** Reads an element the SeekHead names, unless it was in front of the clusters. */
async function readNamed(window: FileWindow, id: number, found: Found): Promise<void> {
  const place = found.places.get(id);
  if (place === undefined) return;
  if (id === ID.tracks && found.tracks !== undefined) return;
  if (id === ID.cues && found.cues.size > 0) return;
  if (id === ID.info && found.duration > 0) return;
  if (id === ID.seekHead && found.seekHeads > 1) return;
  const element = await readEbmlHeader(window, place);
  if (element?.id === id) await readHeaderElement(window, element, found);
}

async function readHeaderElement(window: FileWindow, element: EbmlHeader, found: Found): Promise<void> {
  const isKnown = [ID.info, ID.tracks, ID.cues, ID.seekHead].some((id) => id === element.id);
  if (element.end === Number.POSITIVE_INFINITY) {
    throw matroskaError('matroska/bad-element', `the element at byte ${element.offset} does not tell its size`);
  }
  if (!isKnown || element.end > window.sizeBytes) return;
  const sizeBytes = element.end - element.bodyOffset;
  if (sizeBytes > MAX_HEADER_ELEMENT_BYTES) {
    throw matroskaError('matroska/element-too-large', `${sizeBytes} bytes of headers at byte ${element.offset}`);
  }
  const body = await window.view(element.bodyOffset, sizeBytes);
  if (element.id === ID.info) readInfo(body, found);
  else if (element.id === ID.tracks) readTracks(body, found);
  else if (element.id === ID.cues) readCues(body, found);
  else readSeekHead(body, found);
}

function readInfo(body: Uint8Array, found: Found): void {
  for (const { id, body: value } of childElements(body)) {
    if (id === ID.timestampScale) {
      const scale = toUnsigned(value);
      if (scale > 0 && scale <= MAX_TIMESTAMP_SCALE_NS) found.timestampScaleNs = scale;
    } else if (id === ID.duration) found.duration = Math.max(0, toFloat(value));
  }
}

function readTracks(body: Uint8Array, found: Found): void {
  const tracks: TrackEntry[] = [];
  for (const { id, body: entry } of childElements(body)) {
    if (id !== ID.trackEntry) continue;
    const track = tracks.length < MAX_TRACKS ? parseTrackEntry(entry) : undefined;
    if (track === undefined || tracks.some((one) => one.number === track.number)) found.otherTracks++;
    else tracks.push(track);
  }
  found.tracks = tracks;
}

function readSeekHead(body: Uint8Array, found: Found): void {
  found.seekHeads++;
  for (const { id, body: seek } of childElements(body)) {
    if (id !== ID.seek) continue;
    let target = 0;
    let position: number | undefined;
    for (const { id: field, body: value } of childElements(seek)) {
      if (field === ID.seekId) target = toUnsigned(value);
      else if (field === ID.seekPosition) position = toUnsigned(value);
    }
    const isWanted = [ID.seekHead, ID.info, ID.tracks, ID.cues].some((one) => one === target);
    if (isWanted && position !== undefined) found.places.set(target, found.dataOffset + position);
  }
}

function readCues(body: Uint8Array, found: Found): void {
  let count = 0;
  for (const { id, body: point } of childElements(body)) {
    if (id !== ID.cuePoint) continue;
    let timestamp = 0;
    for (const { id: field, body: value } of childElements(point)) {
      if (field === ID.cueTime) timestamp = toUnsigned(value);
      else if (field === ID.cueTrackPositions && count++ < MAX_CUE_POINTS) addCue(timestamp, value, found);
    }
  }
}

/** Cues out of order are left out. */
function addCue(timestamp: number, positions: Uint8Array, found: Found): void {
  let track = 0;
  let position: number | undefined;
  for (const { id, body: value } of childElements(positions)) {
    if (id === ID.cueTrack) track = toUnsigned(value);
    else if (id === ID.cueClusterPosition) position = toUnsigned(value);
  }
  if (position === undefined) return;
  const points = found.cues.get(track) ?? [];
  found.cues.set(track, points);
  const last = points.at(-1);
  const clusterOffset = found.dataOffset + position;
  if (last !== undefined && (timestamp <= last.timestamp || clusterOffset < last.clusterOffset)) return;
  points.push({ timestamp, clusterOffset });
}
