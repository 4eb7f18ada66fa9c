import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSelfSignedCertificate } from '../peers/self-signed-certificate.ts';
import { type ClipSource, makeClipSource } from './support/clip-source.ts';
import { stopWhenQuiet } from './support/end-of-sending.ts';
import { MULTICAST } from './support/multicast.ts';
import { CLIPS, type Clip } from './support/rtsp-clips.ts';
import { MATRIX_PLAYERS, type MatrixPlayer } from './support/rtsp-matrix.ts';
import { clipPublisher } from './support/rtsp-matrix-publishers.ts';
import { LockedUpError } from './support/rtspsrc.ts';
import { Stage, type TestServer } from './support/stage.ts';

/** Clips at a time; each has a server, so that its players can be counted. */
const LANES = 2;
/** A player that has not come by then joins later. */
const GATHERING_MS = 6000;
/** How often a player that locked itself up plays again. */
const MOST_TIMES_AGAIN = 2;

let stage: Stage;
let certificate: { readonly cert: string; readonly key: string };
const servers: TestServer[] = [];
const plays = new Map<string, Promise<void>>();

async function openServer(): Promise<TestServer> {
  const server = await stage.server({
    rtsp: { ...MULTICAST, wait: 30 },
    rtsps: { listen: '127.0.0.1:0', ...certificate },
  });
  servers.push(server);
  return server;
}

function keyOf(clip: Clip, player: MatrixPlayer): string {
  return `${clip.name} by ${player.name}`;
}

/** Players ask for a stream and wait; then it is published. */
async function playClip(
  server: TestServer,
  source: ClipSource,
  path: string,
  players: readonly MatrixPlayer[],
): Promise<readonly PromiseSettledResult<void>[]> {
  const { clip } = source;
  const playing = Promise.allSettled(players.map((player) => player.play(stage, server, path, source)));
  const expected = players.reduce((sum, { connections }) => sum + connections, 0);
  const deadline = Date.now() + GATHERING_MS;
  while (server.millrace.counters.rtsp!.connections < expected && Date.now() < deadline) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  const publisher = clipPublisher(clip.notSentBy === 'ffmpeg' ? 'gstreamer' : 'ffmpeg', 'tcp');
  const program = stage.run(publisher.command(source, publisher.url(server, path)));
  if (publisher.program === 'gstreamer') {
    const { log } = await server.whenLive(path);
    await stopWhenQuiet(program, () => log.head);
  } else {
    await program.succeeded();
  }
  return playing;
}

/** Plays a clip by all, and once more by those that locked themselves up. */
async function playByAll(
  server: TestServer,
  source: ClipSource,
  path: string,
  players: readonly MatrixPlayer[],
): Promise<readonly PromiseSettledResult<void>[]> {
  let results = await playClip(server, source, path, players);
  for (let again = 1; again <= MOST_TIMES_AGAIN; again++) {
    const lockedUp = players.filter((_, i) => isLockedUp(results[i]!));
    if (lockedUp.length === 0) break;
    const anew = await playClip(server, source, `${path}-${again}`, lockedUp);
    results = players.map((player, i) => anew[lockedUp.indexOf(player)] ?? results[i]!);
  }
  return results;
}

function isLockedUp(result: PromiseSettledResult<void>): boolean {
  return result.status === 'rejected' && result.reason instanceof LockedUpError;
}

/** Tells the test of a player how it went. */
function tell(clip: Clip, player: MatrixPlayer, result: PromiseSettledResult<void>): void {
  settle.get(keyOf(clip, player))!(
    result.status === 'rejected' ? Promise.reject(result.reason as Error) : Promise.resolve(),
  );
}

const settle = new Map<string, (play: Promise<void>) => void>();

beforeAll(async () => {
  stage = await Stage.open();
  certificate = await makeSelfSignedCertificate(stage.directory);
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
  const lane = async (server: TestServer): Promise<void> => {
    while (next < CLIPS.length) {
      const number = next++;
      const clip = CLIPS[number]!;
      const fail = (reason: unknown): void => {
        for (const player of MATRIX_PLAYERS) tell(clip, player, { status: 'rejected', reason });
      };
      try {
        const source = await makeClipSource(stage, clip, `clip-${number}`);
        const players = MATRIX_PLAYERS.filter((player) => player.canPlay(clip));
        const results = await playByAll(server, source, `live/clip-${number}`, players);
        for (const [i, player] of players.entries()) tell(clip, player, results[i]!);
      } catch (error) {
        fail(error);
      }
    }
  };
  for (let i = 0; i < LANES; i++) void lane(await openServer());
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
