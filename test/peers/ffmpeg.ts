import { type PeerCommand, words } from './peer-process.ts';

const QUIET = ['-hide_banner', '-nostdin', '-v', 'warning', '-y'];

export interface FfmpegPublishOptions {
  /** A file ffmpeg can read; sent in real time, frames as they are. */
  readonly input: string;
  /** `rtmp://…` or `rtmps://…` */
  readonly url: string;
  /** Start over at the end of the input, again and again. */
  readonly loop?: boolean;
  /** Stop after so many seconds. */
  readonly seconds?: number;
  /** Writes what it sends to this FLV file too. */
  readonly copyTo?: string;
  readonly timeoutMs?: number;
}

/** Publishes a file as an encoder would: real time, nothing encoded anew. */
export function ffmpegPublish(options: FfmpegPublishOptions): PeerCommand {
  const { input, url, loop = false, seconds, copyTo, timeoutMs = 60_000 } = options;
  const limit = seconds === undefined ? [] : ['-t', String(seconds)];
  const output = (target: string): string[] => ['-map', '0', '-c', 'copy', ...limit, '-f', 'flv', target];
  return {
    program: 'ffmpeg',
    args: [
      ...QUIET,
      '-re',
      ...(loop ? ['-stream_loop', '-1'] : []),
      '-i',
      input,
      ...output(url),
      ...(copyTo === undefined ? [] : output(copyTo)),
    ],
    timeoutMs,
  };
}

/**
 * Plays `input` (a URL or file) to its end and writes the frames as they came to a file. Into FLV, frames from MPEG-TS
 * and ADTS go as length-prefixed NAL units and bare AAC; parameter sets and delimiters stay. How many frames it has
 * written is on stdout, twice a second.
 */
export function ffmpegRecord(input: string, file: string, format: 'flv' | 'mpegts' = 'flv'): PeerCommand {
  return {
    program: 'ffmpeg',
    args: [
      ...QUIET,
      '-progress',
      'pipe:1',
      '-analyzeduration',
      '1000000',
      '-i',
      input,
      '-map',
      '0',
      '-c',
      'copy',
      '-f',
      format,
      file,
    ],
    timeoutMs: 60_000,
  };
}

/** Decodes everything in `input` and throws it away; what is wrong with it is on stderr. */
export function ffmpegDecode(input: string, timeoutMs = 60_000): PeerCommand {
  return { program: 'ffmpeg', args: [...QUIET, '-xerror', '-i', input, '-f', 'null', '-'], timeoutMs };
}

/** A test picture and a tone: the lavfi inputs most clips are made of. */
export function testSignal(options: { size: string; frameRate: number; seconds: number }): readonly string[] {
  const { size, frameRate, seconds } = options;
  return [
    ...words(`-f lavfi -i testsrc2=size=${size}:rate=${frameRate}:duration=${seconds}`),
    ...words(`-f lavfi -i sine=frequency=440:beep_factor=4:sample_rate=44100:duration=${seconds}`),
  ];
}

/** Makes a file; `args` are everything between the common options and the file name. */
export function ffmpegMake(args: readonly string[], file: string, timeoutMs = 60_000): PeerCommand {
  return { program: 'ffmpeg', args: [...QUIET, ...args, file], timeoutMs };
}
