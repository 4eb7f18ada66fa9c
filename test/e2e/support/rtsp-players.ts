import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { ffmpegRecord } from '../../peers/ffmpeg.ts';
import { ffprobeCommand, type ProbedPacket, type ProbeResult, parseProbe } from '../../peers/ffprobe.ts';
import { parseGdp } from '../../peers/gstreamer.ts';
import { type PeerCommand, words } from '../../peers/peer-process.ts';
import { demuxedElementaryRecording, elementaryRecording, type Recording } from './coded-unit.ts';
import type { RunOptions } from './expect-run.ts';
import { readFlvFile } from './flv-file.ts';
import { endOfRtspsrc, toFile } from './rtspsrc.ts';
import type { Stage, TestServer } from './stage.ts';

/** How packets get to an RTSP player. */
export type RtspTransport = 'tcp' | 'udp' | 'udp_multicast' | 'http';

/** A real RTSP player that records H.264 and AAC. */
export interface RtspPlayer {
  readonly name: string;
  readonly options: RunOptions;
  /** Plays the stream `path` at `url` until it ends; fails unless the program then ends by itself. */
  record(stage: Stage, url: string, server: TestServer, path: string): Promise<Recording>;
}

/** 90 kHz, and sound laid end to end where RTMP rounds to milliseconds. */
const TIMED: RunOptions = { toEnd: true, toleranceMs: 2 };

let nextFile = 0;

function newFile(stage: Stage): string {
  return stage.path(`rtsp-${nextFile++}.flv`);
}

/** What ffprobe sees of a URL until the stream ends. */
export async function probeRtsp(stage: Stage, url: string, transport: RtspTransport): Promise<ProbeResult> {
  const { stdout } = await stage.run(withTransport(ffprobeCommand(url), transport)).succeeded();
  return parseProbe(stdout);
}

/** @param how `hasDecodeTimes` false: with B-frames ffprobe knows presentation times only, and the order is that of decoding */
export function ffprobePlayer(
  transport: RtspTransport,
  how: { readonly hasDecodeTimes: boolean } = { hasDecodeTimes: true },
): RtspPlayer {
  return {
    name: `ffprobe over ${transport}`,
    options: TIMED,
    async record(stage, url) {
      const { packets } = await probeRtsp(stage, url, transport);
      const of = (kind: string): ProbedPacket[] => packets.filter((packet) => packet.kind === kind);
      const video = how.hasDecodeTimes
        ? withFirstTime(of('video'))
        : of('video').map((packet, i) => ({ ...packet, dtsMs: i }));
      return demuxedElementaryRecording(video, of('audio'), 'h264');
    },
  };
}

/**
 * FFmpeg 5.1 loses the time of a first picture that comes in pieces, whatever the server: its parser counts bytes from −1
 * where a packet has no position. The second one tells it, as all are equally long.
 */
function withFirstTime(packets: readonly ProbedPacket[]): ProbedPacket[] {
  const [first, second, third] = packets;
  if (first === undefined || second === undefined || third === undefined || !Number.isNaN(first.ptsMs)) {
    return [...packets];
  }
  const firstMs = 2 * second.ptsMs - third.ptsMs;
  return [{ ...first, ptsMs: firstMs, dtsMs: firstMs }, ...packets.slice(1)];
}

export function ffmpegPlayer(transport: RtspTransport): RtspPlayer {
  return {
    name: `ffmpeg over ${transport}`,
    // See `withFirstTime`.
    options: { toEnd: true, times: 'none' },
    async record(stage, url) {
      const file = newFile(stage);
      const { stderr } = await stage.run(withTransport(ffmpegRecord(url, file), transport)).succeeded();
      const complaints = stderr.split('\n').filter((line) => line !== '' && !/Timestamps are unset/.test(line));
      assert.deepEqual(complaints, [], `ffmpeg complained about ${url} over ${transport}`);
      return elementaryRecording(await readFlvFile(file));
    },
  };
}

/** Options for the RTSP input of a program of ffmpeg. */
function withTransport(command: PeerCommand, transport: RtspTransport): PeerCommand {
  const at = command.program === 'ffmpeg' ? command.args.indexOf('-i') : 0;
  return { ...command, args: command.args.toSpliced(at, 0, '-rtsp_transport', transport) };
}

/** @param protocols of `rtspsrc`; `http` wants a URL that begins with `rtsph:` */
export function gstreamerPlayer(protocols: 'tcp' | 'udp' | 'http'): RtspPlayer {
  return {
    name: `GStreamer over ${protocols}`,
    // Its jitter buffer stamps packets by when they came, and units of sound in them are counted from there. One without
    // a time, as GStreamer gives the later ones when SDP does not tell how long they are, is far beyond `backMs`.
    options: { toEnd: true, times: 'none', backMs: 100 },
    async record(stage, url, server, path) {
      const [videoFile, audioFile] = [newFile(stage), newFile(stage)];
      await endOfRtspsrc(stage.run(gstreamerRecord(url, protocols, videoFile, audioFile)), server, path);
      const [video, audio] = [parseGdp(await readFile(videoFile)), parseGdp(await readFile(audioFile))];
      return demuxedElementaryRecording(video, audio, 'h264');
    },
  };
}

function gstreamerRecord(url: string, protocols: string, videoFile: string, audioFile: string): PeerCommand {
  // See `rtsp-matrix.ts`: no caps filter in front of the depayloader.
  const branch = (depay: string, caps: string, file: string): string[] =>
    words(`s. ! ${depay} ! queue ! ${caps} ! ${toFile(file)}`);
  return {
    program: 'gst-launch-1.0',
    args: [
      ...words(`-q rtspsrc name=s location=${url}`),
      'tls-validation-flags=0',
      // Told to use HTTP, version 1.22 finds that it has no protocol left.
      ...(protocols === 'http' ? [] : [`protocols=${protocols}`]),
      ...branch('rtph264depay', 'video/x-h264,stream-format=byte-stream,alignment=au', videoFile),
      ...branch('rtpmp4gdepay', 'audio/mpeg', audioFile),
    ],
    timeoutMs: 60_000,
  };
}
