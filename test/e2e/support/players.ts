import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { ffmpegRecord } from '../../peers/ffmpeg.ts';
import { ffprobeCommand, parseProbe } from '../../peers/ffprobe.ts';
import { gstreamerRecord, parseGdp } from '../../peers/gstreamer.ts';
import { rtmpdumpRecord } from '../../peers/rtmpdump.ts';
import { vlcRecord } from '../../peers/vlc.ts';
import {
  demuxedElementaryRecording,
  demuxedRecording,
  elementaryRecording,
  exactRecording,
  type Recording,
} from './coded-unit.ts';
import type { RunOptions } from './expect-run.ts';
import { readFlvFile } from './flv-file.ts';
import { FlvViewer } from './flv-viewer.ts';
import type { Stage, TestServer } from './stage.ts';

/** A real player on one output. */
export interface Player {
  readonly name: string;
  /** How its recording compares with the source. */
  readonly compare: 'exact' | 'elementary';
  readonly options: RunOptions;
  /** It has joined a moment after it was told to. */
  readonly isQuick?: true;
  /** Plays `path` (`live/x`) until the stream ends; fails unless the program ends by itself with exit code 0. */
  record(stage: Stage, server: TestServer, path: string): Promise<Recording>;
}

/** How a player's recording compares with the source. */
type Comparison = Pick<Player, 'compare' | 'options'>;

const EXACT: Comparison = { compare: 'exact', options: { toEnd: true } };
/** 90 kHz and back to milliseconds. */
const BY_TS: Comparison = { compare: 'elementary', options: { toEnd: true, toleranceMs: 1 } };
/**
 * VLC (3.0.24) stamps frames anew when it muxes, and what waits in its packetizers when a stream ends is lost: some five
 * frames. Both go for a local file as well.
 */
const BY_VLC: Comparison = { compare: 'elementary', options: { times: 'none' } };

let nextFile = 0;

/** Every program on every output it can play. */
export const PLAYERS: readonly Player[] = [
  own('http'),
  own('ws'),
  ffmpeg('rtmp', EXACT),
  ffmpeg('flv', EXACT),
  ffmpeg('ts', BY_TS),
  ffprobe('rtmp', EXACT),
  ffprobe('flv', EXACT),
  ffprobe('ts', BY_TS),
  gstreamer('rtmpsrc', { compare: 'exact', options: {} }),
  gstreamer('rtmp2src', EXACT),
  gstreamer('flv', EXACT),
  gstreamer('ts', BY_TS),
  {
    name: 'rtmpdump over RTMP',
    ...EXACT,
    async record(stage, server, path) {
      const file = newFile(stage);
      await stage.run(rtmpdumpRecord(server.rtmp(path), file)).succeeded();
      return exactRecording(await readFlvFile(file));
    },
  },
  vlc('rtmp'),
  vlc('flv'),
  vlc('ts'),
];

/** The address of an output. */
function address(server: TestServer, path: string, output: 'rtmp' | 'flv' | 'ts'): string {
  return output === 'rtmp' ? server.rtmp(path) : server.http(`${path}.${output}`);
}

function newFile(stage: Stage): string {
  return stage.path(`recording-${nextFile++}.flv`);
}

function outputName(output: 'rtmp' | 'flv' | 'ts'): string {
  return { rtmp: 'RTMP', flv: 'HTTP-FLV', ts: 'HTTP-TS' }[output];
}

function ffmpeg(output: 'rtmp' | 'flv' | 'ts', how: Comparison): Player {
  return {
    name: `ffmpeg over ${outputName(output)}`,
    ...how,
    async record(stage, server, path) {
      const file = newFile(stage);
      const { stderr } = await stage.run(ffmpegRecord(address(server, path, output), file)).succeeded();
      assert.equal(stderr, '', `ffmpeg complained about ${outputName(output)}`);
      // From ADTS ffmpeg writes an empty AAC configuration first.
      const content = await readFlvFile(file, output === 'ts' ? ['bad-config'] : []);
      return how.compare === 'exact' ? exactRecording(content) : elementaryRecording(content);
    },
  };
}

function ffprobe(output: 'rtmp' | 'flv' | 'ts', how: Comparison): Player {
  return {
    name: `ffprobe over ${outputName(output)}`,
    ...how,
    async record(stage, server, path) {
      const { stdout } = await stage.run(ffprobeCommand(address(server, path, output))).succeeded();
      const { packets } = parseProbe(stdout);
      const video = packets.filter(({ kind }) => kind === 'video');
      const audio = packets.filter(({ kind }) => kind === 'audio');
      return how.compare === 'exact'
        ? demuxedRecording(video, audio)
        : demuxedElementaryRecording(video, audio, 'h264');
    },
  };
}

function gstreamer(source: 'rtmpsrc' | 'rtmp2src' | 'flv' | 'ts', how: Comparison): Player {
  const output = source === 'flv' || source === 'ts' ? source : 'rtmp';
  const element = output === 'rtmp' ? source : `souphttpsrc ! ${source === 'ts' ? 'tsdemux' : 'flvdemux'}`;
  return {
    name: `GStreamer (${element}) over ${outputName(output)}`,
    ...how,
    async record(stage, server, path) {
      const videoFile = newFile(stage);
      const audioFile = newFile(stage);
      const url = address(server, path, output);
      await stage.run(gstreamerRecord({ source, url, videoFile, audioFile })).succeeded();
      const video = parseGdp(await readFile(videoFile));
      const audio = parseGdp(await readFile(audioFile));
      return how.compare === 'exact'
        ? demuxedRecording(video, audio)
        : demuxedElementaryRecording(video, audio, 'h264');
    },
  };
}

function vlc(output: 'rtmp' | 'flv' | 'ts'): Player {
  return {
    name: `VLC over ${outputName(output)}`,
    ...BY_VLC,
    async record(stage, server, path) {
      const file = newFile(stage);
      const { directory } = stage;
      await stage.run(vlcRecord({ url: address(server, path, output), file, directory })).succeeded();
      return elementaryRecording(await readFlvFile(file));
    },
  };
}

function own(scheme: 'http' | 'ws'): Player {
  return {
    name: scheme === 'http' ? 'an HTTP client and our reader over HTTP-FLV' : 'a WebSocket client over WS-FLV',
    ...EXACT,
    isQuick: true,
    async record(stage, server, path) {
      const viewer = await FlvViewer.open(server[scheme](`${path}.flv`));
      stage.own(() => viewer.close());
      await viewer.ended;
      return exactRecording(viewer.content);
    },
  };
}
