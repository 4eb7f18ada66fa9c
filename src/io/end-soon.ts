/** How long a peer may take to receive what was written before its connection is cut, milliseconds. */
export const LINGER_MS = 10_000;
/** How long a peer may take to close its half after everything was sent to it, milliseconds. */
export const CLOSE_LINGER_MS = 1000;

/** What ending a connection needs of it: TCP and TLS sockets. */
export interface EndableSocket extends CuttableSocket {
  readonly destroyed: boolean;
  readonly writableFinished: boolean;
  end(): unknown;
  resume(): unknown;
  once(event: 'finish' | 'close', listener: () => void): unknown;
}

/** What cutting a connection needs of it. */
export interface CuttableSocket {
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * Closes a connection when the network has taken what was written and the peer has closed its half too. What it still
 * sends until then is read, to find its end: to those who hold the socket, or nobody. Closed earlier, the kernel would
 * answer it with a reset: the peer might lose the last it was sent, or die of writing its goodbye.
 *
 * The peer has `LINGER_MS` to take what was written, and `closeLingerMs` from then on; after that it is cut.
 *
 * Who ends it a second time may give it less time, not more.
 *
 * @param closeLingerMs for peers that may be slow to read what the kernel still holds for them: more
 */
export function endSoon(socket: EndableSocket, closeLingerMs: number = CLOSE_LINGER_MS): void {
  if (socket.destroyed) return;
  cutAfter(socket, LINGER_MS);
  // Node closes it by itself when both halves have ended.
  if (socket.writableFinished) cutAfter(socket, closeLingerMs);
  else socket.once('finish', () => cutAfter(socket, closeLingerMs));
  socket.end();
  socket.resume();
}

/**
 * Closes a connection when the network has taken what was written, or after `LINGER_MS`: for peers that are at fault, of
 * whom nothing more is read.
 */
export function cutSoon(socket: CuttableSocket & { readonly destroyed: boolean; destroySoon(): unknown }): void {
  if (socket.destroyed) return;
  cutAfter(socket, LINGER_MS);
  socket.destroySoon();
}

/** Cuts a connection that is not closed within `lingerMs`, whatever it is doing. */
export function cutAfter(socket: CuttableSocket, lingerMs: number): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}
