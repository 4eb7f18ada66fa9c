import assert from 'node:assert/strict';
import type { Frame } from '../../../src/codec/frame.ts';
import type { Track } from '../../../src/codec/track.ts';
import { ffprobeCommand, parseProbe } from '../../peers/ffprobe.ts';
import { PeerProcess } from '../../peers/peer-process.ts';

/** A file's frames as our own publisher wants them. */
export interface CodedFile {
  readonly tracks: readonly Track[];
  /** All tracks' frames by decode time. */
  readonly frames: readonly Frame[];
}

const CODECS: Readonly<Record<string, Track['codec']>> = {
  h264: 'h264',
  hevc: 'h265',
  av1: 'av1',
  vp9: 'vp9',
  aac: 'aac',
  opus: 'opus',
};

/**
 * Reads an MP4 file through ffprobe, which gives configuration and frames as the container holds them.
 * @param configs configurations of codecs ffprobe shows none of
 */
export async function readCodedFile(
  path: string,
  configs: Partial<Record<Track['codec'], Uint8Array>>,
): Promise<CodedFile> {
  const { stdout } = await PeerProcess.start(ffprobeCommand(path)).succeeded();
  const { streams, packets } = parseProbe(stdout);
  const tracks = streams.map((stream): Track => {
    const codec = CODECS[stream.codec];
    assert.ok(codec !== undefined, `no name for ${stream.codec}`);
    const config = configs[codec] ?? stream.extradata;
    assert.ok(config.length > 0, `${path} shows no configuration of ${codec}`);
    return { kind: stream.kind === 'video' ? 'video' : 'audio', trackId: 0, codec, config };
  });
  // Encoder delay and B-frames put the first times below 0, where RTMP has none.
  const firstMs = Math.min(...packets.map(({ dtsMs }) => dtsMs));
  const frames = packets.map(({ streamIndex, dtsMs, ptsMs, isKeyFrame, data }): Frame => {
    const dts = Math.round(dtsMs - firstMs);
    const pts = Math.round(ptsMs - firstMs);
    return { track: tracks[streamIndex]!, dtsUs: dts * 1000, ptsUs: pts * 1000, isKeyFrame, payload: data };
  });
  return { tracks, frames: frames.sort((a, b) => a.dtsUs - b.dtsUs) };
}
