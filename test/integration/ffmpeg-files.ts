/** Runs ffmpeg and ffprobe on files, for tests of formats. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FFMPEG = 'ffmpeg';
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A folder of its own that is removed with its files by `remove()`. */
export class ScratchFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'millrace-format-'));

  file(name: string): string {
    return join(this.path, name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Makes a file with ffmpeg and returns its bytes. Throws with ffmpeg's words when it fails. */
export function makeWithFfmpeg(path: string, args: readonly string[]): Uint8Array {
  execFileSync(FFMPEG, ['-v', 'error', '-y', ...args, path], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Uint8Array(readFileSync(path));
}

/** One packet as ffmpeg's framemd5 tells it; times in its time base. */
export interface FramePacket {
  readonly stream: number;
  readonly dtsUs: number;
  readonly ptsUs: number;
  readonly sizeBytes: number;
  readonly md5: string;
}

export interface FrameReport {
  readonly packets: readonly FramePacket[];
  /** What ffmpeg said at level `warning`; empty for a clean file. */
  readonly warnings: string;
}

/** Reads a file with ffmpeg without decoding (`-c copy`) and tells each packet. */
export function framesByFfmpeg(path: string, args: readonly string[] = []): FrameReport {
  const all = ['-v', 'warning', '-i', path, '-map', '0:v?', '-map', '0:a?', '-c', 'copy', '-copyts', ...args];
  const result = spawnSync(FFMPEG, [...all, '-f', 'framemd5', '-'], {
    maxBuffer: MAX_OUTPUT_BYTES,
    encoding: 'utf8',
  });
  const timeBases = new Map<number, number>();
  const packets: FramePacket[] = [];
  for (const line of result.stdout.split('\n')) {
    const base = /^#tb (\d+): (\d+)\/(\d+)/.exec(line);
    if (base !== null) timeBases.set(Number(base[1]), (1_000_000 * Number(base[2])) / Number(base[3]));
    if (line.startsWith('#') || line === '') continue;
    const [stream, dts, pts, , sizeBytes, md5] = line.split(',').map((field) => field.trim());
    const tickUs = timeBases.get(Number(stream)) ?? 1;
    packets.push({
      stream: Number(stream),
      dtsUs: Math.round(Number(dts) * tickUs),
      ptsUs: Math.round(Number(pts) * tickUs),
      sizeBytes: Number(sizeBytes),
      md5: md5 ?? '',
    });
  }
  return { packets, warnings: result.stderr };
}

/** Decodes a whole file; returns what ffmpeg said at level `warning`, empty for a clean file. */
export function decodeWarnings(path: string): string {
  const args = ['-v', 'warning', '-xerror', '-i', path, '-map', '0', '-f', 'null', '-'];
  const result = spawnSync(FFMPEG, args, { maxBuffer: MAX_OUTPUT_BYTES, encoding: 'utf8' });
  return result.status === 0 ? result.stderr : `exit code ${result.status}: ${result.stderr}`;
}
