/** Files of `test/fixtures/vod` and what ffmpeg finds in them, for tests of `MediaFile` readers. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from '../src/codec/frame.ts';
import type { MediaFile, RandomAccess } from '../src/format/media-file.ts';

const folder: string = join(import.meta.dirname, 'fixtures', 'vod');

/** The bytes of a fixture. */
export function vodBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, name)));
}

/** A file in memory. */
export function memoryFile(bytes: Uint8Array): RandomAccess {
  return {
    sizeBytes: bytes.length,
    read: (offset, sizeBytes) => Promise.resolve(bytes.slice(offset, offset + sizeBytes)),
  };
}

/** A packet as `ffmpeg -c copy -copyts -f framemd5` tells it, in microseconds. */
export interface ExpectedPacket {
  readonly stream: number;
  readonly dtsUs: number;
  readonly ptsUs: number;
  readonly durationUs: number;
  readonly sizeBytes: number;
  readonly md5: string;
}

/** The packets of the `.framemd5` beside a fixture, by stream: video first, then audio. */
export function expectedPackets(name: string): readonly (readonly ExpectedPacket[])[] {
  const tickUs: number[] = [];
  const streams: ExpectedPacket[][] = [];
  for (const line of readFileSync(join(folder, `${name}.framemd5`), 'utf8').split('\n')) {
    const base = /^#tb (\d+): (\d+)\/(\d+)/.exec(line);
    if (base !== null) tickUs[Number(base[1])] = (1_000_000 * Number(base[2])) / Number(base[3]);
    if (line.startsWith('#') || line === '') continue;
    const [stream = 0, dts = 0, pts = 0, duration = 0, sizeBytes = 0] = line.split(',').map(Number);
    const tick = tickUs[stream] ?? 1;
    const packets = streams[stream] ?? [];
    streams[stream] = packets;
    packets.push({
      stream,
      dtsUs: Math.round(dts * tick),
      ptsUs: Math.round(pts * tick),
      durationUs: Math.round(duration * tick),
      sizeBytes,
      md5: (line.split(',')[5] ?? '').trim(),
    });
  }
  return streams;
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** All frames from where the file stands. */
export async function readFrames(file: MediaFile, limit: number = Number.POSITIVE_INFINITY): Promise<Frame[]> {
  const frames: Frame[] = [];
  while (frames.length < limit) {
    const frame = await file.next();
    if (frame === undefined) break;
    frames.push(frame);
  }
  return frames;
}

/** The frames by track: video first, then audio. */
export function byTrack(file: MediaFile, frames: readonly Frame[]): readonly (readonly Frame[])[] {
  const ordered = file.tracks.toSorted((a, b) =>
    a.kind === b.kind ? a.trackId - b.trackId : a.kind === 'video' ? -1 : 1,
  );
  return ordered.map(({ kind, trackId }) =>
    frames.filter(({ track }) => track.kind === kind && track.trackId === trackId),
  );
}

/**
 * Seeks to `targetUs` and says what is wrong with where it lands and what comes then; nothing when all is well: it lands on
 * the last key frame of the leading track at or before the target, tells its time, and goes on as a file played from its
 * beginning does, the other tracks from that time on, without pictures that lie before it.
 *
 * @param all the frames of the file from its beginning
 * @param toleranceUs how far times may be apart; above 1, decode times are taken for worked out and only compared with
 * presentation times
 */
export async function faultOfSeek(
  file: MediaFile,
  all: readonly Frame[],
  targetUs: number,
  toleranceUs: number,
): Promise<string | undefined> {
  const leading = file.tracks.find((track) => track.kind === 'video') ?? file.tracks[0]!;
  const isLeading = ({ track }: Frame): boolean => track.kind === leading.kind && track.trackId === leading.trackId;
  const landedUs = await file.seek(targetUs);
  const after = await readFrames(file);
  if (after[0]?.ptsUs !== landedUs) return `seek(${targetUs}) told ${landedUs} and gave ${after[0]?.ptsUs}`;
  const keys = all.filter((frame) => isLeading(frame) && frame.isKeyFrame);
  const isNear = (frame: Frame): boolean => Math.abs(frame.ptsUs - landedUs) <= toleranceUs;
  const best = keys.findLast((frame) => frame.ptsUs <= targetUs) ?? keys[0]!;
  // Times that are made exact may lie behind a target that those in the file lie before, and the other way round.
  const isFitting = (frame: Frame, i: number): boolean => {
    const next = keys[i + 1]?.ptsUs ?? Number.POSITIVE_INFINITY;
    return isNear(frame) && frame.ptsUs <= targetUs + toleranceUs && next >= targetUs - toleranceUs;
  };
  const key = keys.find(isFitting) ?? best;
  const isStart = key === keys[0];
  const expected = isStart ? all[0]! : key;
  if (!isNear(expected)) return `seek(${targetUs}) landed at ${landedUs}, not ${expected.ptsUs}`;
  // Tracks may be woven differently where they begin together.
  const whole = byTrack(file, all);
  for (const [track, given] of byTrack(file, after).entries()) {
    const frames = whole[track]!;
    const first = given[0];
    if (first === undefined) return `after seek(${targetUs}) nothing of track ${track}`;
    const start =
      isLeading(first) && !isStart ? frames.indexOf(key) : frames.findIndex((one) => isSame(one, first, toleranceUs));
    const rest = frames.slice(start).filter((one) => isStart || one.ptsUs >= key.ptsUs - toleranceUs);
    const before = isStart || isLeading(first) ? undefined : frames[start - 1];
    if (before !== undefined && before.ptsUs >= key.ptsUs + toleranceUs) return `after seek(${targetUs}) a late start`;
    if (given.length !== rest.length) return `after seek(${targetUs}) ${given.length} frames, not ${rest.length}`;
    const wrong = rest.findIndex((one, i) => !isSame(one, given[i]!, toleranceUs));
    if (wrong >= 0) return `after seek(${targetUs}) another frame ${wrong} of track ${track}`;
  }
  return undefined;
}

function isSame(a: Frame, b: Frame, toleranceUs: number): boolean {
  const isTimely = toleranceUs > 1 ? b.dtsUs <= b.ptsUs : Math.abs(a.dtsUs - b.dtsUs) <= toleranceUs;
  return (
    isTimely &&
    a.isKeyFrame === b.isKeyFrame &&
    Math.abs(a.ptsUs - b.ptsUs) <= toleranceUs &&
    md5(a.payload) === md5(b.payload)
  );
}
