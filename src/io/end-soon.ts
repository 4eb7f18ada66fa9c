/** How long a peer may take to receive what was written before its connection is cut, milliseconds. */
export const LINGER_MS = 10_000;

/** What ending a connection needs of it: TCP and TLS sockets. */
export interface EndableSocket extends CuttableSocket {
  readonly destroyed: boolean;
  end(): unknown;
  once(event: 'finish' | 'close', listener: () => void): unknown;
}

/** What cutting a connection needs of it. */
export interface CuttableSocket {
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * Closes a connection once the network has taken what was written, or after `lingerMs` when the peer does not read:
 * ending a socket alone waits for as long as the peer likes.
 */
export function endSoon(socket: EndableSocket, lingerMs: number = LINGER_MS): void {
  if (socket.destroyed) return;
  cutAfter(socket, lingerMs);
  socket.once('finish', () => socket.destroy());
  socket.end();
}

/** Cuts a connection that is not closed within `lingerMs`, whatever it is doing. */
export function cutAfter(socket: CuttableSocket, lingerMs: number): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}
