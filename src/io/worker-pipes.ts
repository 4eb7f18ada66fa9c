import type { Readable, Writable } from 'node:stream';
import type { BytePipe } from '../protocol/netstring/byte-pipe.ts';

/** The ends of two one-way streams as one pipe. A broken stream is an ended one. */
export function pipeOfStreams(readable: Readable, writable: Writable): BytePipe {
  let ended: (() => void) | undefined;
  let isEnded = false;
  const end = (): void => {
    if (isEnded) return;
    isEnded = true;
    ended?.();
  };
  readable.on('end', end);
  readable.on('close', end);
  readable.on('error', end);
  // The other end went away while something was on its way there: the readable's end tells it.
  writable.on('error', end);
  return {
    get queuedBytes() {
      return writable.writableLength;
    },
    send(bytes) {
      if (!isEnded && writable.writable) writable.write(bytes);
    },
    onBytes(receive) {
      readable.on('data', (bytes: Uint8Array) => {
        if (!isEnded) receive(bytes);
      });
    },
    onEnd(callback) {
      ended = callback;
    },
    close() {
      isEnded = true;
      readable.destroy();
      // What was written before still leaves.
      writable.end();
    },
  };
}
