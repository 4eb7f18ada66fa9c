import type { Track } from '../../codec/track.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import type { FileWindow } from '../file-window.ts';
import { completeTrack } from '../mp4/complete-track.ts';
import { splitLaces } from './block-lacing.ts';
import { type Block, BlockReader } from './block-reader.ts';
import { readVint } from './ebml-element.ts';
import { MAX_PROBED_BLOCKS, MAX_TAIL_BYTES } from './matroska-error.ts';
import { declaredReorderDepth, mayReorder } from './reorder-depth.ts';
import { MAX_REORDER_DEPTH, reorderDepthOf } from './reordered-times.ts';
import type { Segment } from './segment.ts';
import { TimeLine } from './time-line.ts';
import type { TrackEntry } from './track-entry.ts';

/** Pictures whose times are looked at to see how they are reordered. */
const PROBED_PICTURES = 64;

/** No frame lasts longer, microseconds. */
const MAX_FRAME_US = 3_600_000_000;

/** Without a better word for it: 25 pictures a second. */
const DEFAULT_FRAME_US = 40_000;

/** A track with what only its first blocks tell. */
export interface ProbedTrack {
  readonly entry: TrackEntry;
  readonly track: Track;
  readonly reorderDepth: number;
  /** From picture to picture, microseconds. */
  readonly frameUs: number;
}

export interface Probe {
  readonly tracks: readonly ProbedTrack[];
  /** Time of the first block of any of the tracks; undefined when there is none. */
  readonly firstUs: number | undefined;
}

/**
 * Looks at the first blocks, at most `MAX_PROBED_BLOCKS`: a frame of every track, and the order of pictures.
 *
 * @throws ProtocolError as `BlockReader`
 */
export async function probeTracks(window: FileWindow, segment: Segment): Promise<Probe> {
  const times = new TimeLine(segment.timestampScaleNs);
  const firstFrames = new Map<number, Uint8Array>();
  const pictureTimes = new Map<number, number[]>();
  for (const { kind, number } of segment.tracks) if (kind === 'video') pictureTimes.set(number, []);
  const reader = new BlockReader(window);
  reader.moveToElement(segment.firstClusterOffset);
  let firstUs: number | undefined;
  for (let count = 0; count < MAX_PROBED_BLOCKS; count++) {
    const block = await reader.next();
    if (block === undefined) break;
    const entry = segment.tracks.find(({ number }) => number === block.trackNumber);
    if (entry === undefined) continue;
    firstUs ??= times.toUs(block.timestamp);
    const ofPictures = pictureTimes.get(entry.number);
    if (ofPictures !== undefined && ofPictures.length < PROBED_PICTURES) ofPictures.push(times.toUs(block.timestamp));
    const isStart = entry.kind === 'audio' || block.isKeyFrame;
    if (isStart && !firstFrames.has(entry.number))
      firstFrames.set(entry.number, await firstFrame(window, block, entry));
    const hasAll = firstFrames.size === segment.tracks.length;
    if (hasAll && [...pictureTimes.values()].every((one) => one.length >= PROBED_PICTURES)) break;
  }
  const count = { video: 0, audio: 0 };
  const tracks = segment.tracks.map((entry): ProbedTrack => {
    const { kind, sampleRate, channels, coding } = entry;
    const facts = { kind, trackId: count[kind]++, codec: coding.codec, config: coding.config, sampleRate, channels };
    const track = completeTrack(facts, firstFrames.get(entry.number));
    const known = pictureTimes.get(entry.number) ?? [];
    const depth = mayReorder(track) ? Math.max(declaredReorderDepth(track), reorderDepthOf(known)) : 0;
    return { entry, track, reorderDepth: Math.min(depth, MAX_REORDER_DEPTH), frameUs: frameUsOf(entry, known) };
  });
  return { tracks, firstUs };
}

async function firstFrame(window: FileWindow, block: Block, entry: TrackEntry): Promise<Uint8Array> {
  const bytes = (await window.view(block.payloadOffset, block.payloadBytes)).slice();
  const lace = splitLaces(bytes, block.lacing)?.[0] ?? new Uint8Array(0);
  return joinBytes([entry.strippedHeader, lace]);
}

/** What the track says, or the smallest step between the times of its pictures. */
function frameUsOf(entry: TrackEntry, timesUs: readonly number[]): number {
  if (entry.defaultDurationNs > 0) return entry.defaultDurationNs / 1000;
  const sorted = timesUs.toSorted((a, b) => a - b);
  let frameUs = Number.POSITIVE_INFINITY;
  for (let i = 1; i < sorted.length; i++) {
    const step = sorted[i]! - sorted[i - 1]!;
    if (step > 0) frameUs = Math.min(frameUs, step);
  }
  return Number.isFinite(frameUs) ? frameUs : DEFAULT_FRAME_US;
}

/**
 * Time of the end of the last block, for files whose header does not tell their duration; undefined when no cluster is found
 * within `MAX_TAIL_BYTES` of the end.
 */
export async function lastTimeUs(window: FileWindow, segment: Segment, times: TimeLine): Promise<number | undefined> {
  const from = Math.max(segment.firstClusterOffset, window.sizeBytes - MAX_TAIL_BYTES);
  const tail = (await window.view(from, window.sizeBytes - from)).slice();
  const last = lastClusterIn(tail);
  if (last === undefined) return undefined;
  const reader = new BlockReader(window);
  reader.moveToElement(from + last);
  let endUs: number | undefined;
  for (;;) {
    const block = await reader.next();
    if (block === undefined) return endUs;
    const entry = segment.tracks.find(({ number }) => number === block.trackNumber);
    if (entry === undefined) continue;
    const durationUs = block.duration === undefined ? entry.defaultDurationNs / 1000 : block.duration * times.stepUs;
    endUs = Math.max(endUs ?? 0, times.toUs(block.timestamp) + Math.round(Math.min(durationUs, MAX_FRAME_US)));
  }
}

/** What a cluster may begin with: CRC-32, Void, Timestamp, Position, PrevSize. */
const FIRST_IN_CLUSTER: ReadonlySet<number | undefined> = new Set([0xbf, 0xec, 0xe7, 0xa7, 0xab]);

/** Where the last cluster of some bytes begins: its identifier, a size, and what a cluster begins with. */
function lastClusterIn(bytes: Uint8Array): number | undefined {
  for (let at = bytes.length - 6; at >= 0; at--) {
    if (bytes[at] !== 0x1f || bytes[at + 1] !== 0x43 || bytes[at + 2] !== 0xb6 || bytes[at + 3] !== 0x75) continue;
    const size = readVint(bytes, at + 4);
    if (size !== undefined && FIRST_IN_CLUSTER.has(bytes[at + 4 + size.bytes])) return at;
  }
  return undefined;
}
