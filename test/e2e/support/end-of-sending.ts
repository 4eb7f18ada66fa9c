import { setTimeout } from 'node:timers/promises';
import type { PeerProcess } from '../../peers/peer-process.ts';

/** Longer than any pause of a publisher that still sends. */
const QUIET_MS = 3_000;

/** Waits until a publisher that may not find its end has ended, or nothing more comes of it. @param count of what came */
export async function endOfSending(publisher: PeerProcess, count: () => number): Promise<void> {
  let before = count();
  let sinceMs = performance.now();
  while (!publisher.isOver && performance.now() - sinceMs < QUIET_MS) {
    await setTimeout(50);
    if (count() !== before) sinceMs = performance.now();
    before = count();
  }
}

/**
 * The same, and stops it: at the end `rtspclientsink` of GStreamer 1.22 interrupts its own PAUSE, and now and then (over TLS
 * once in ten times) it then neither ends nor says TEARDOWN, or ends with an error. What came of it says whether all was sent.
 */
export async function stopWhenQuiet(publisher: PeerProcess, count: () => number): Promise<void> {
  await endOfSending(publisher, count);
  publisher.kill('SIGINT');
  await publisher.exit;
}
