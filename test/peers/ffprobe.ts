import type { DemuxedPacket } from './demuxed-packet.ts';
import type { PeerCommand } from './peer-process.ts';

/** One stream as ffprobe sees it. */
export interface ProbedStream {
  readonly index: number;
  readonly kind: string;
  readonly codec: string;
  readonly profile: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Decoder configuration as the container holds it. */
  readonly extradata: Uint8Array;
}

/** One packet as ffprobe reads it. */
export interface ProbedPacket extends DemuxedPacket {
  readonly streamIndex: number;
  readonly kind: string;
}

export interface ProbeResult {
  readonly streams: readonly ProbedStream[];
  readonly packets: readonly ProbedPacket[];
}

/** Reads `input` (a URL or file) to its end; its stdout is for `parseProbe`. */
export function ffprobeCommand(input: string, timeoutMs = 60_000): PeerCommand {
  return {
    program: 'ffprobe',
    args: ['-hide_banner', '-v', 'warning', '-show_streams', '-show_packets', '-show_data', '-of', 'json', input],
    timeoutMs,
  };
}

/** Takes apart what `ffprobeCommand` printed. */
export function parseProbe(stdout: string): ProbeResult {
  const document = JSON.parse(stdout) as {
    readonly streams?: readonly Record<string, string | number>[];
    readonly packets?: readonly Record<string, string | number>[];
  };
  return {
    streams: (document.streams ?? []).map((stream) => ({
      index: Number(stream['index']),
      kind: String(stream['codec_type']),
      codec: String(stream['codec_name']),
      profile: stream['profile'] === undefined ? undefined : String(stream['profile']),
      width: stream['width'] === undefined ? undefined : Number(stream['width']),
      height: stream['height'] === undefined ? undefined : Number(stream['height']),
      extradata: parseHexDump(String(stream['extradata'] ?? '')),
    })),
    packets: (document.packets ?? []).map((packet) => ({
      streamIndex: Number(packet['stream_index']),
      kind: String(packet['codec_type']),
      ptsMs: toMs(packet['pts_time']),
      dtsMs: toMs(packet['dts_time'] ?? packet['pts_time']),
      isKeyFrame: String(packet['flags']).startsWith('K'),
      data: parseHexDump(String(packet['data'] ?? '')),
    })),
  };
}

/** Seconds with six decimals to milliseconds with three. */
function toMs(seconds: string | number | undefined): number {
  return Math.round(Number(seconds) * 1_000_000) / 1000;
}

/** Lines of `00000010: 0142 c01e …  text`, sixteen bytes each. */
function parseHexDump(dump: string): Uint8Array {
  const digits = dump
    .split('\n')
    .map((line) => line.slice(10, 50).replaceAll(' ', ''))
    .join('');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
