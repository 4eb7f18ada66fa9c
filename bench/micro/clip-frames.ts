import { fileURLToPath } from 'node:url';
import type { Frame } from '../../src/codec/frame.ts';
import type { Track } from '../../src/codec/track.ts';
import type { FlvTypeId } from '../../src/format/flv/flv-codecs.tables.ts';
import { FlvDemuxer } from '../../src/format/flv/flv-demuxer.ts';
import { audioTimeMs, ensureClip, readClip, videoTimeMs } from '../load/clip.ts';

/** One FLV tag of the clip. */
export interface ClipTag {
  readonly typeId: FlvTypeId;
  readonly timestampMs: number;
  readonly body: Uint8Array;
}

/** The first ten seconds of the clip of the load benchmark: sequence headers, then frames in the order of their times. */
export async function clipTags(): Promise<ClipTag[]> {
  const path = fileURLToPath(new URL('../../.cache/bench/clip-1200k.flv', import.meta.url));
  await ensureClip(path);
  const clip = readClip(path);
  const video = clip.video.slice(0, 250).map((body, i): ClipTag => ({ typeId: 9, timestampMs: videoTimeMs(i), body }));
  const audio = clip.audio.slice(0, 430).map((body, i): ClipTag => ({ typeId: 8, timestampMs: audioTimeMs(i), body }));
  return [
    { typeId: 9, timestampMs: 0, body: clip.videoHeader },
    { typeId: 8, timestampMs: 0, body: clip.audioHeader },
    ...[...video, ...audio].toSorted((a, b) => a.timestampMs - b.timestampMs),
  ];
}

/** The same as tracks and frames. */
export async function clipFrames(): Promise<{ readonly tracks: readonly Track[]; readonly frames: readonly Frame[] }> {
  const demuxer = new FlvDemuxer();
  const tracks: Track[] = [];
  const frames: Frame[] = [];
  for (const tag of await clipTags()) {
    for (const event of demuxer.demux(tag.typeId, tag.timestampMs, tag.body)) {
      if (event.type === 'track') tracks.push(event.track);
      else if (event.type === 'frame') frames.push(event.frame);
    }
  }
  return { tracks, frames };
}
