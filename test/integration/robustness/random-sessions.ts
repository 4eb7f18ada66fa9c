import type { RtmpClientEvent } from '../../../src/protocol/rtmp/client-events.ts';
import { RtmpPeer } from './rtmp-peer.ts';
import { SeededRandom } from './seeded-random.ts';
import { type SyntheticClip, syntheticClip } from './synthetic-clip.ts';
import { Watcher } from './watcher.ts';

export interface RandomSessionsOptions {
  readonly rtmpPort: number;
  readonly httpPort: number;
  readonly count: number;
  /** Sessions at a time. */
  readonly concurrency: number;
  readonly seed: number;
}

/** How many sessions got how far. */
export interface RandomSessionsResult {
  readonly published: number;
  readonly watched: number;
  readonly total: number;
}

/** Names the sessions fight over. */
const STREAM_NAMES = 15;
/** A session that waits for something that does not come gives up after at most this, milliseconds. */
const MAX_PATIENCE_MS = 200;
/** How long that may become on a machine so busy that hardly a session gets anywhere in it. */
const LONGEST_PATIENCE_MS = 5000;
/** As many of the sessions should get to publish, and as many to watch, share. */
const WANTED_SHARE = 0.1;
const POLL_MS = 4;
/** The points of an RTMP session at which it may be given up. */
const STAGES: readonly (RtmpClientEvent['type'] | 'media')[] = [
  'handshake',
  'connected',
  'publishing',
  'playing',
  'media',
  'media',
];

/** Publishes, plays and watches at random and leaves at random points, politely or not. */
export async function runRandomSessions(options: RandomSessionsOptions): Promise<RandomSessionsResult> {
  const random = new SeededRandom(options.seed);
  const clip = syntheticClip();
  const result = { published: 0, watched: 0, total: 0 };
  let ended = 0;
  let maxPatienceMs = MAX_PATIENCE_MS;
  const passTime: PassTime = (isOver) => whenOver(isOver, random.below(maxPatienceMs));
  const next = async (): Promise<void> => {
    while (result.total < options.count) {
      result.total++;
      const kind = random.below(6);
      if (kind < 2) {
        if (await publishOnce(options, random, clip, passTime)) result.published++;
      } else if (kind < 4 ? await playOnce(options, random, passTime) : await watchOnce(options, random, passTime)) {
        result.watched++;
      }
      ended++;
      if (ended % options.concurrency === 0 && Math.min(result.published, result.watched) < ended * WANTED_SHARE) {
        maxPatienceMs = Math.min(maxPatienceMs * 1.5, LONGEST_PATIENCE_MS);
      }
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, next));
  return result;
}

function pathOf(random: SeededRandom): string {
  return `live/s${random.below(STREAM_NAMES)}`;
}

/** Waits until something is over, or until the patience of a session is at its end. */
type PassTime = (isOver: () => boolean) => Promise<void>;

/** Looks every few milliseconds until `isOver`, or until patience is at its end. */
async function whenOver(isOver: () => boolean, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!isOver() && performance.now() < deadline) {
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

async function publishOnce(
  options: RandomSessionsOptions,
  random: SeededRandom,
  clip: SyntheticClip,
  passTime: PassTime,
): Promise<boolean> {
  const peer = new RtmpPeer({ mode: 'publish', port: options.rtmpPort, path: pathOf(random) });
  const stage = random.pick(STAGES);
  let frames = 0;
  const maxFrames = random.below(30);
  const startTime = random.below(2 ** 31);
  await passTime(() => {
    if (peer.closed || peer.endCode !== undefined) return true;
    if (stage !== 'media') return peer.has(stage);
    if (!peer.has('publishing')) return false;
    if (frames === 0) peer.send(9, startTime, clip.videoHeader);
    peer.send(9, startTime + frames * 40, clip.frame(frames % 10 === 0, 200 + random.below(20_000)));
    return ++frames > maxFrames;
  });
  await endRtmp(peer, random);
  return peer.has('publishing');
}

async function playOnce(options: RandomSessionsOptions, random: SeededRandom, passTime: PassTime): Promise<boolean> {
  const peer = new RtmpPeer({ mode: 'play', port: options.rtmpPort, path: pathOf(random) });
  const stage = random.pick(STAGES);
  const maxMessages = random.below(20);
  await passTime(() => {
    if (peer.closed || peer.endCode !== undefined) return true;
    return stage === 'media' ? peer.messages > maxMessages : peer.has(stage);
  });
  await endRtmp(peer, random);
  return peer.messages > 0;
}

async function endRtmp(peer: RtmpPeer, random: SeededRandom): Promise<void> {
  const manner = random.below(3);
  if (manner === 0) peer.leave();
  else if (manner === 1) peer.vanish();
  else peer.socket.end();
  await closed(peer);
}

async function watchOnce(options: RandomSessionsOptions, random: SeededRandom, passTime: PassTime): Promise<boolean> {
  const watcher = new Watcher({
    protocol: random.pick(['http', 'ws']),
    port: options.httpPort,
    path: pathOf(random),
    query: random.pick(['', '?wait=1', '?start=-5']),
  });
  const maxFrames = random.below(20);
  await passTime(() => watcher.closed || watcher.failure !== undefined || watcher.frames > maxFrames);
  if (random.below(2) === 0) watcher.leave();
  else watcher.socket.resetAndDestroy();
  await closed(watcher);
  return watcher.frames > 0;
}

async function closed(peer: { readonly closed: boolean; readonly socket: { destroy(): unknown } }): Promise<void> {
  const deadline = performance.now() + 1000;
  while (!peer.closed) {
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
    if (performance.now() > deadline) peer.socket.destroy();
  }
}
