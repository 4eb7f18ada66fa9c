import { AssertionError } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerProcess } from '../../peers/peer-process.ts';
import type { TestServer } from './stage.ts';

/** How long a player of GStreamer may go on after the end, milliseconds. */
const PATIENCE_MS = 6000;

/** Writes what comes to a file at once: a player that has to be killed leaves all it got. */
export function toFile(file: string): string {
  return `gdppay ! filesink buffer-mode=unbuffered location=${file}`;
}

/**
 * Waits until GStreamer’s `rtspsrc` has played a stream to its end; what it got is for the caller to compare. Fails when it
 * ended with an error, but for those of version 1.22 that come after the end:
 * - When all tracks are over it interrupts what it reads and writes to pause, and that to tear its session down. Now and
 *   then it finds that it can't do the one (with gst-rtsp-server too), or has cut a report of its own in two, and the
 *   answer is to what came of that.
 * - Now and then it goes on although it has had the BYE of every track, mostly with SRTP. It is told to stop then.
 *
 * @param path of the stream that is played, which is live or about to be
 * @returns whether it had to be told to stop
 */
export async function endOfRtspsrc(player: PeerProcess, server: TestServer, path: string): Promise<boolean> {
  if (await hadToBeStopped(player, server, path)) return true;
  const { stderr } = await player.exit;
  if (!/gst_rtspsrc_(pause|close)/.test(stderr)) await player.succeeded();
  return false;
}

/**
 * A player of GStreamer locked itself up: where the first packets of RTP and RTCP come by UDP at once, the `srtpdec` of
 * version 1.22 now and then takes one of each and never another. It proves nothing, and is to play again.
 */
export class LockedUpError extends AssertionError {
  constructor() {
    super({ message: 'GStreamer locked itself up with its first packets' });
  }
}

async function hadToBeStopped(player: PeerProcess, server: TestServer, path: string): Promise<boolean> {
  const stream = await server.whenLive(path);
  let overMs = Number.POSITIVE_INFINITY;
  while (!player.isOver) {
    await sleep(100);
    if (stream.state === 'live') continue;
    overMs = Math.min(overMs, performance.now());
    if (performance.now() - overMs < PATIENCE_MS) continue;
    player.kill('SIGINT');
    // Locked up for good it does not hear that either.
    const timer = setTimeout(() => player.kill('SIGKILL'), PATIENCE_MS);
    await player.exit;
    clearTimeout(timer);
    return true;
  }
  return false;
}
