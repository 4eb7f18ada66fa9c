import type { Duplex } from 'node:stream';

/**
 * Stops a stream that was read from such that the next listener of `data` starts it again, as with a fresh one: after
 * `pause()` alone it would not. Node's HTTP server does the same with sockets it hands out for upgrades.
 */
export function stopFlow(stream: Duplex): void {
  stream.pause();
  stream.readableFlowing = null;
}
