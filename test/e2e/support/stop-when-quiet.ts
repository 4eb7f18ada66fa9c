import { setTimeout } from 'node:timers/promises';
import type { PeerProcess } from '../../peers/peer-process.ts';
import type { FlvViewer } from './flv-viewer.ts';

/** Longer than any pause of a publisher that still sends. */
const QUIET_MS = 3_000;

/**
 * Waits until a publisher has ended, and stops it when nothing more comes of it: at the end `rtspclientsink` of GStreamer 1.22
 * interrupts its own PAUSE, and now and then (over TLS once in ten times) it then neither ends nor says TEARDOWN, or ends with
 * an error. What came of it says whether all was sent.
 */
export async function stopWhenQuiet(publisher: PeerProcess, viewer: FlvViewer): Promise<void> {
  for (let before = -1; !publisher.isOver && viewer.content.video.length !== before; ) {
    before = viewer.content.video.length;
    await Promise.race([publisher.exit, setTimeout(QUIET_MS)]);
  }
  publisher.kill('SIGINT');
  await publisher.exit;
}
