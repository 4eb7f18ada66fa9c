import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parseGdp } from '../../peers/gstreamer.ts';
import { type PeerCommand, type PeerExit, words } from '../../peers/peer-process.ts';
import { type ClipSource, readBytes, readTracks, toBytes } from './clip-source.ts';
import { expectPart } from './coded-bytes.ts';
import type { Clip, ClipTrack } from './rtsp-clips.ts';
import { endOfRtspsrc, LockedUpError, toFile } from './rtspsrc.ts';
import type { Stage, TestServer } from './stage.ts';

/** One program over one transport: it plays a clip to its end, and fails unless it got it. */
export interface MatrixPlayer {
  readonly name: string;
  /** Connections it makes. */
  readonly connections: number;
  canPlay(clip: Clip): boolean;
  /** Rejects with a `LockedUpError` when it has to play again. */
  play(stage: Stage, server: TestServer, path: string, source: ClipSource): Promise<void>;
}

/** The last second of four is left on the busiest machine; a stream of sound alone is joined where it is. */
const LATENESS = 0.85;
/** See `ClipTrack.isHeldBack`. */
const HELD_BACK_BYTES = 3000;
const MOST_PICTURES_HELD_BACK = 2;

type Bytes = ReadonlyMap<ClipTrack['kind'], Uint8Array>;

/** Fails unless each track is a part of the source that reaches to its end. */
export function expectTracks(received: Bytes, { clip, bytes }: ClipSource, lateness: number = LATENESS): void {
  for (const { kind, name, isHeldBack } of clip.tracks) {
    try {
      const tailBytes = isHeldBack ? HELD_BACK_BYTES : 0;
      expectPart(received.get(kind)!, bytes.get(kind)!, { tailBytes, lateness });
    } catch (cause) {
      throw new assert.AssertionError({ message: `${name}: ${(cause as Error).message}` });
    }
  }
}

let plays = 0;

/** @param url of a path `live/x` */
type Address = (server: TestServer, path: string) => string;

const rtsp: Address = (server, path) => server.rtsp(path);
const rtsps: Address = (server, path) => server.rtsps(path);

function ffmpeg(name: string, transport: string, url: Address = rtsp): MatrixPlayer {
  return {
    name: `ffmpeg over ${name}`,
    connections: transport === 'http' ? 2 : 1,
    // It has no format for AC-3 in RTP.
    canPlay: (clip) => clip.notSentBy !== 'ffmpeg',
    async play(stage, server, path, source) {
      const bytes = `play-${plays++}`;
      const input = words(`-analyzeduration 1000000 -rtsp_transport ${transport} -i ${url(server, path)}`);
      await stage.run(toBytes(stage, source.clip, input, bytes)).succeeded();
      expectTracks(await readBytes(stage, source.clip, bytes), source);
    },
  };
}

function mpv(transport: string): MatrixPlayer {
  const common = `--no-config --vo=null --ao=null --framedrop=no --rtsp-transport=${transport}`;
  return {
    name: `mpv over ${transport}`,
    connections: 1,
    canPlay: (clip) => clip.notSentBy !== 'ffmpeg',
    async play(stage, server, path, source) {
      if (source.clip.tracks.some(({ isShownByMpv }) => isShownByMpv)) {
        const args = [...words(common), '--msg-level=all=error,ffmpeg=v', '--vf=lavfi=[showinfo]', server.rtsp(path)];
        await expectPictures(stage, source, { program: 'mpv', args, timeoutMs: 60_000 });
        return;
      }
      const name = `play-${plays++}`;
      const file = stage.path(`${name}.nut`);
      const args = words(`${common} --no-terminal --stream-record=${file} ${server.rtsp(path)}`);
      await stage.run({ program: 'mpv', args, timeoutMs: 60_000 }).succeeded();
      expectTracks(await readTracks(stage, source.clip, file, name, false), source);
    },
  };
}

function gstreamer(name: string, protocols: string | undefined, url: Address = rtsp): MatrixPlayer {
  return {
    name: `GStreamer over ${name}`,
    connections: protocols === undefined ? 2 : 1,
    canPlay: (clip) => clip.tracks.every(({ depayloader }) => depayloader !== undefined),
    async play(stage, server, path, source) {
      const play = plays++;
      const fileOf = (kind: string): string => stage.path(`play-${play}-${kind}.gdp`);
      const location = url(server, path);
      const lower = protocols === undefined ? '' : ` protocols=${protocols}`;
      // Its pads come from several threads at once, and each puts a caps filter of its own in front of what waits for it:
      // that of the wrong pad is in the way of the right one for a moment, and nothing tries again. The depayloader itself
      // fits one pad only.
      const branches = source.clip.tracks.map(
        ({ kind, depayloader }) => `s. ! ${depayloader} ! queue ! ${toFile(fileOf(kind))}`,
      );
      const command: PeerCommand = {
        program: 'gst-launch-1.0',
        args: words(`-q rtspsrc name=s location=${location} tls-validation-flags=0${lower} ${branches.join(' ')}`),
        timeoutMs: 60_000,
      };
      const hadToBeStopped = await endOfRtspsrc(stage.run(command), server, path);
      const received = new Map<ClipTrack['kind'], Uint8Array>();
      for (const { kind, normalise } of source.clip.tracks) {
        const packets = parseGdp(await readFile(fileOf(kind)));
        const data = packets.map((packet) => packet.data).filter((bytes) => !isXiphHeader(bytes));
        if (hadToBeStopped && data.length === 0) throw new LockedUpError();
        received.set(kind, normalise(Buffer.concat(data)));
      }
      expectTracks(received, source);
    },
  };
}

/** Whether this is one of the three header packets of Vorbis or Theora, which ffmpeg keeps beside the stream. */
function isXiphHeader(packet: Uint8Array): boolean {
  const type = packet[0]!;
  const name = Buffer.from(packet.subarray(1, 7)).toString('latin1');
  return (type < 0x80 && name === 'vorbis') || (type >= 0x80 && name === 'theora');
}

/** FFplay shows pictures it has decoded: their checksums are compared with those of the file's. */
const ffplay: MatrixPlayer = {
  name: 'ffplay over tcp',
  connections: 1,
  canPlay: hasVideo,
  async play(stage, server, path, source) {
    const options = '-hide_banner -nostats -autoexit -noframedrop -rtsp_transport tcp -vf showinfo';
    await expectPictures(stage, source, {
      program: 'ffplay',
      args: words(`${options} ${server.rtsp(path)}`),
      env: { SDL_VIDEODRIVER: 'dummy', SDL_AUDIODRIVER: 'dummy', AV_LOG_FORCE_NOCOLOR: '1' },
      timeoutMs: 60_000,
    });
  },
};

function hasVideo(clip: Clip): boolean {
  return clip.tracks.some(({ kind }) => kind === 'video') && clip.notSentBy !== 'ffmpeg';
}

/** Runs a player that shows checksums of its pictures, and compares them with those of the file's. */
async function expectPictures(stage: Stage, source: ClipSource, command: PeerCommand): Promise<void> {
  const player = stage.run(command);
  const decoder = stage.run({
    program: 'ffmpeg',
    args: words(`-hide_banner -nostdin -i ${source.file} -map 0:v -vf showinfo -f null -`),
    timeoutMs: 60_000,
  });
  const [played, decoded] = await Promise.all([player.succeeded(), decoder.succeeded()]);
  const [shown, expected] = [checksums(played), checksums(decoded)];
  assert.ok(shown.length >= expected.length * (1 - LATENESS), `${shown.length} of ${expected.length} pictures came`);
  const first = expected.lastIndexOf(shown[0]!);
  assert.deepEqual(shown, expected.slice(first, first + shown.length));
  const missing = expected.length - first - shown.length;
  const isHeldBack = source.clip.tracks.some((track) => track.kind === 'video' && track.isHeldBack);
  assert.ok(missing <= (isHeldBack ? MOST_PICTURES_HELD_BACK : 0), `the last ${missing} pictures did not come`);
}

function checksums({ stdout, stderr }: PeerExit): string[] {
  const lines = `${stdout}${stderr}`.matchAll(/showinfo.* n: *\d+ .*? checksum:([0-9A-F]+)/g);
  return [...lines].map((match) => match[1]!);
}

/** The columns of the matrix. */
export const MATRIX_PLAYERS: readonly MatrixPlayer[] = [
  ffmpeg('tcp', 'tcp'),
  ffmpeg('udp', 'udp'),
  ffmpeg('multicast', 'udp_multicast'),
  ffmpeg('an HTTP tunnel', 'http'),
  ffmpeg('TLS', 'tcp', rtsps),
  gstreamer('tcp', 'tcp'),
  gstreamer('udp', 'udp'),
  gstreamer('multicast', 'udp-mcast', (server, path) => `${server.rtsp(path)}?multicast`),
  // Told to use HTTP, version 1.22 finds that it has no protocol left: the address has to say it.
  gstreamer('an HTTP tunnel', undefined, (server, path) => server.rtsp(path).replace('rtsp:', 'rtsph:')),
  gstreamer('TLS', 'tcp', rtsps),
  gstreamer('TLS and SRTP by udp', 'udp', (server, path) => `${server.rtsps(path)}?srtp`),
  gstreamer('TLS and SRTP by tcp', 'tcp', (server, path) => `${server.rtsps(path)}?srtp`),
  mpv('tcp'),
  mpv('udp'),
  ffplay,
];
