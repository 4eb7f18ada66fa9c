import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { BenchError } from './errors.ts';
import { insertStamp } from './frame-stamp.ts';

const run = promisify(execFile);

/** Frames a second of the clip. */
export const FRAME_RATE = 25;
/** Frames from key frame to key frame: two seconds. */
export const GOP_FRAMES = 50;
const SECONDS = 20;
/** Samples in one AAC frame, and their rate. */
const AAC_FRAME_SAMPLES = 1024;
const AUDIO_RATE = 44_100;

/** The FLV tag bodies of the clip, in order; frames carry an empty stamp (see frame-stamp.ts). */
export interface Clip {
  readonly metadata: Uint8Array | undefined;
  readonly videoHeader: Uint8Array;
  readonly audioHeader: Uint8Array;
  readonly video: readonly Uint8Array[];
  readonly audio: readonly Uint8Array[];
  /** Payload bits a second when played in a loop, audio and video together. */
  readonly bitrateBps: number;
}

/** When video frame `index` is due, ms from the start of the stream. */
export function videoTimeMs(index: number): number {
  return (index * 1000) / FRAME_RATE;
}

/** When audio frame `index` is due, ms from the start of the stream. */
export function audioTimeMs(index: number): number {
  return Math.floor((index * AAC_FRAME_SAMPLES * 1000) / AUDIO_RATE);
}

/** The ffmpeg arguments that make the clip: H.264 at a constant rate, no B-frames, and AAC; together about 1.2 Mb/s. */
function ffmpegArguments(output: string): string[] {
  const video = `testsrc2=size=1280x720:rate=${FRAME_RATE},noise=alls=6:allf=t`;
  const audio = `anoisesrc=color=pink:sample_rate=${AUDIO_RATE}:amplitude=0.3`;
  const input = ['-hide_banner', '-loglevel', 'error', '-y', '-f', 'lavfi', '-i', video, '-f', 'lavfi', '-i', audio];
  const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-pix_fmt', 'yuv420p', '-threads', '1'];
  const rate = ['-b:v', '1040k', '-maxrate', '1040k', '-bufsize', '1040k', '-x264-params', 'nal-hrd=cbr:scenecut=0'];
  const gop = ['-g', String(GOP_FRAMES), '-keyint_min', String(GOP_FRAMES), '-bf', '0'];
  const aac = ['-c:a', 'aac', '-b:a', '112k', '-ac', '2'];
  return [...input, '-t', String(SECONDS), ...x264, ...rate, ...gop, ...aac, '-f', 'flv', output];
}

/** Makes the clip at `path` unless it is there already. Needs ffmpeg with libx264. */
export async function ensureClip(path: string): Promise<void> {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.part.flv`;
  try {
    await run('ffmpeg', ffmpegArguments(partial));
  } catch (cause) {
    throw new BenchError('bench/clip', 'ffmpeg could not make the clip (Debian package: ffmpeg)', { cause });
  }
  renameSync(partial, path);
}

/** Reads an FLV file made by `ensureClip`. */
export function readClip(path: string): Clip {
  const file = new Uint8Array(readFileSync(path));
  const video: Uint8Array[] = [];
  const audio: Uint8Array[] = [];
  let metadata: Uint8Array | undefined;
  let videoHeader: Uint8Array | undefined;
  let audioHeader: Uint8Array | undefined;
  for (let at = 13; at + 11 <= file.length; ) {
    const type = file[at]!;
    const sizeBytes = (file[at + 1]! << 16) | (file[at + 2]! << 8) | file[at + 3]!;
    const body = file.subarray(at + 11, at + 11 + sizeBytes);
    if (type === 18) metadata = body;
    else if (type === 9 && body[1] === 0) videoHeader = body;
    else if (type === 9 && body[1] === 1) video.push(insertStamp(body));
    else if (type === 8 && body[1] === 0) audioHeader = body;
    else if (type === 8) audio.push(body);
    at += 11 + sizeBytes + 4;
  }
  if (videoHeader === undefined || audioHeader === undefined || video.length !== SECONDS * FRAME_RATE) {
    throw new BenchError('bench/clip', `${path} is not the clip of the benchmark: remove it and run again`);
  }
  const bytesPerSecond = averageSize(video) * FRAME_RATE + (averageSize(audio) * AUDIO_RATE) / AAC_FRAME_SAMPLES;
  return { metadata, videoHeader, audioHeader, video, audio, bitrateBps: bytesPerSecond * 8 };
}

function averageSize(bodies: readonly Uint8Array[]): number {
  return bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length;
}
