import type { Socket } from 'node:net';

/** What was found at the beginning of a connection. */
export interface HeadWatch {
  /** Bytes after which the head is given as it is. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Whether bytes so far may still become what the watcher is after; when not, they are given at once. */
  readonly isOpen: (bytes: Uint8Array) => boolean;
  /** Gets the bytes, which are in the socket still, for the next reader. The socket is paused. */
  readonly onHead: (bytes: Uint8Array) => void;
  /** Nothing, or not enough, came in time. */
  readonly onTimeout: () => void;
}

const NOTHING = Buffer.alloc(0);

/** Looks at the head of the first request on a connection without taking it: whoever reads next reads it, too. */
export function watchHead(socket: Socket, watch: HeadWatch): void {
  let bytes: Buffer = NOTHING;
  const timer = setTimeout(() => {
    stop();
    watch.onTimeout();
  }, watch.timeoutMs);
  timer.unref();
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', stop);
  };
  const give = (): void => {
    stop();
    socket.pause();
    if (bytes.length > 0) socket.unshift(bytes);
    watch.onHead(bytes);
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const isWhole = bytes.includes('\r\n\r\n') || bytes.includes('\n\n') || bytes.length >= watch.maxBytes;
    if (isWhole || !watch.isOpen(bytes)) give();
  };
  // Behind the end nothing can be put back.
  const onEnd = (): void => {
    stop();
    socket.destroy();
  };
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', stop);
}
