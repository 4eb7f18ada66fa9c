import type { TcpSocket } from './tcp-listener.ts';

/** A read of this much or more came late: the pause before it was too long for the sender's rate, bytes. */
const LARGE_READ_BYTES = 32_768;
/** A read of less than this had time for more, bytes. */
const SMALL_READ_BYTES = 8_192;
/** The shortest pause worth making, milliseconds. */
const SHORTEST_PAUSE_MS = 10;

/** What of a socket's libuv handle is used here. Not in Node's documentation, but the same since Node 0.10. */
interface ReadableHandle {
  readStop(): number;
  readStart(): number;
}

/**
 * Lets a sender's bytes gather in the kernel between two reads. A read costs as much as parsing ten frames, whatever it
 * brings, and `socket.pause()` only stops events: Node goes on reading up to the high-water mark. So this stops the handle
 * itself, behind the stream's back. The pause follows the sender's rate, so that the receive window never fills.
 */
export class GatheredReads {
  readonly #handle: ReadableHandle;
  readonly #socket: TcpSocket;
  readonly #longestPauseMs: number;
  #pauseMs: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(socket: TcpSocket, handle: ReadableHandle, longestPauseMs: number) {
    this.#socket = socket;
    this.#handle = handle;
    this.#longestPauseMs = longestPauseMs;
    this.#pauseMs = longestPauseMs;
    socket.once('close', () => clearTimeout(this.#timer));
  }

  /**
   * @param longestPauseMs longest time between two reads; 0 for none
   * @returns undefined where reads can't or need not be gathered: the socket then just reads as bytes come
   */
  static on(socket: TcpSocket, longestPauseMs: number): GatheredReads | undefined {
    const handle = (socket as unknown as { readonly _handle?: Partial<ReadableHandle> | null })._handle;
    if (longestPauseMs < SHORTEST_PAUSE_MS || 'encrypted' in socket) return undefined;
    if (typeof handle?.readStop !== 'function' || typeof handle.readStart !== 'function') return undefined;
    return new GatheredReads(socket, handle as ReadableHandle, longestPauseMs);
  }

  /** To be called after a read was handled: the next one comes after a pause. */
  pauseAfter(sizeBytes: number): void {
    if (sizeBytes >= LARGE_READ_BYTES) this.#pauseMs = Math.max(SHORTEST_PAUSE_MS, this.#pauseMs / 2);
    else if (sizeBytes < SMALL_READ_BYTES) this.#pauseMs = Math.min(this.#longestPauseMs, this.#pauseMs * 1.25);
    // Who sends more than that leaves in the kernel at the shortest pause must not be held back by pauses.
    const isTooFast = sizeBytes >= LARGE_READ_BYTES && this.#pauseMs === SHORTEST_PAUSE_MS;
    if (isTooFast || this.#timer !== undefined || this.#socket.destroyed) return;
    this.#handle.readStop();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#socket.destroyed) this.#handle.readStart();
    }, this.#pauseMs);
  }
}
