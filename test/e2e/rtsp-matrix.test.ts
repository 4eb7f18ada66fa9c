import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSelfSignedCertificate } from '../peers/self-signed-certificate.ts';
import { type ClipSource, makeClipSource } from './support/clip-source.ts';
import { CLIPS, type Clip } from './support/rtsp-clips.ts';
import { MATRIX_PLAYERS, type MatrixPlayer } from './support/rtsp-matrix.ts';
import { clipPublisher } from './support/rtsp-matrix-publishers.ts';
import { Stage, type TestServer } from './support/stage.ts';

/** Clips at a time; each has a server, so that its players can be counted. */
const LANES = 2;
/** A player that has not come by then joins later. */
const GATHERING_MS = 6000;

let stage: Stage;
const servers: TestServer[] = [];
const plays = new Map<string, Promise<void>>();

function keyOf(clip: Clip, player: MatrixPlayer): string {
  return `${clip.name} by ${player.name}`;
}

/** Players ask for a stream and wait; then it is published. */
async function playOnce(
  server: TestServer,
  source: ClipSource,
  path: string,
  players: readonly MatrixPlayer[],
): Promise<readonly PromiseSettledResult<void>[]> {
  const { clip } = source;
  const playing = Promise.allSettled(players.map((player) => player.play(stage, server, path, source)));
  const expected = players.reduce(
    (sum, { connections, isPerTrack }) => sum + connections * (isPerTrack === true ? clip.tracks.length : 1),
    0,
  );
  const deadline = Date.now() + GATHERING_MS;
  while (server.millrace.counters.rtsp!.connections < expected && Date.now() < deadline) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  const publisher = clipPublisher(clip.notSentBy === 'ffmpeg' ? 'gstreamer' : 'ffmpeg', 'tcp');
  await stage.run(publisher.command(source, publisher.url(server, path))).succeeded();
  return playing;
}

/** GStreamer may try twice: about once in a hundred runs, version 1.22 gets a packet before its pipeline is linked. */
async function playClip(server: TestServer, clip: Clip, number: number): Promise<void> {
  const source = await makeClipSource(stage, clip, `clip-${number}`);
  const players = MATRIX_PLAYERS.filter((player) => player.canPlay(clip));
  const results = await playOnce(server, source, `live/clip-${number}`, players);
  const again = players.filter((player, i) => results[i]!.status === 'rejected' && player.isPerTrack === true);
  const secondResults = again.length === 0 ? [] : await playOnce(server, source, `live/again-${number}`, again);
  for (const [i, player] of players.entries()) {
    const second = again.indexOf(player);
    const result = second < 0 ? results[i]! : secondResults[second]!;
    settle.get(keyOf(clip, player))!(
      result.status === 'rejected' ? Promise.reject(result.reason as Error) : Promise.resolve(),
    );
  }
}

const settle = new Map<string, (play: Promise<void>) => void>();

beforeAll(async () => {
  stage = await Stage.open();
  const { cert, key } = await makeSelfSignedCertificate(stage.directory);
  for (let lane = 0; lane < LANES; lane++) {
    servers.push(
      await stage.server({
        rtsp: { multicast: true, multicast_ttl: 1, wait: 30 },
        rtsps: { listen: '127.0.0.1:0', cert, key },
      }),
    );
  }
  for (const clip of CLIPS) {
    for (const player of MATRIX_PLAYERS) {
      const key = keyOf(clip, player);
      const play = new Promise<void>((resolve) => {
        settle.set(key, resolve);
      });
      play.catch(() => undefined);
      plays.set(key, play);
    }
  }
  let next = 0;
  const lanes = servers.map(async (server) => {
    while (next < CLIPS.length) {
      const number = next++;
      const clip = CLIPS[number]!;
      await playClip(server, clip, number).catch((error: unknown) => {
        for (const player of MATRIX_PLAYERS) settle.get(keyOf(clip, player))!(Promise.reject(error as Error));
      });
    }
  });
  void Promise.all(lanes);
});

afterAll(async () => {
  await stage.close();
});

describe.each(CLIPS)('$name', (clip) => {
  it.each(MATRIX_PLAYERS.filter((player) => player.canPlay(clip)))(
    'played by $name is what was published',
    async (player) => {
      await plays.get(keyOf(clip, player));
    },
  );
});

it('nothing went wrong in the servers', () => {
  for (const { millrace } of servers) expect(millrace.counters.rtsp).toMatchObject({ faults: 0, overflowed: 0 });
});
