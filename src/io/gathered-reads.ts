import type { TcpSocket } from './tcp-listener.ts';

/** A read of this much or more came late: the pause before it was too long for the sender's rate, bytes. */
const LARGE_READ_BYTES = 49_152;
/** A read of less than this had time for more, bytes. */
const SMALL_READ_BYTES = 8_192;
/** The shortest pause worth making, milliseconds. */
const SHORTEST_PAUSE_MS = 10;

/** Pauses end at multiples of this, so that one turn of the event loop reads from many senders, milliseconds. */
const GRID_MS = 50;

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
  #pauseMs: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(socket: TcpSocket, handle: ReadableHandle, pauseMs: number) {
    this.#socket = socket;
    this.#handle = handle;
    this.#pauseMs = pauseMs;
    socket.once('close', () => clearTimeout(this.#timer));
  }

  /**
   * @param pauseMs time between two reads to begin with; 0 for none
   * @returns undefined where reads can't or need not be gathered: the socket then just reads as bytes come
   */
  static on(socket: TcpSocket, pauseMs: number): GatheredReads | undefined {
    const handle = (socket as unknown as { readonly _handle?: Partial<ReadableHandle> | null })._handle;
    if (pauseMs < SHORTEST_PAUSE_MS || 'encrypted' in socket) return undefined;
    if (typeof handle?.readStop !== 'function' || typeof handle.readStart !== 'function') return undefined;
    return new GatheredReads(socket, handle as ReadableHandle, pauseMs);
  }

  /**
   * To be called after a read was handled: the next one comes after a pause.
   * @param longestPauseMs longest time to the next read
   */
  pauseAfter(sizeBytes: number, longestPauseMs: number): void {
    if (sizeBytes >= LARGE_READ_BYTES) this.#pauseMs = Math.max(SHORTEST_PAUSE_MS, this.#pauseMs / 2);
    else if (sizeBytes < SMALL_READ_BYTES) this.#pauseMs = this.#pauseMs * 1.25;
    this.#pauseMs = Math.min(this.#pauseMs, longestPauseMs);
    // Who sends more than that leaves in the kernel at the shortest pause must not be held back by pauses.
    const isTooFast = sizeBytes >= LARGE_READ_BYTES && this.#pauseMs === SHORTEST_PAUSE_MS;
    if (isTooFast || this.#timer !== undefined || this.#socket.destroyed) return;
    this.#handle.readStop();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#socket.destroyed) this.#handle.readStart();
    }, onGrid(this.#pauseMs));
  }
}

/** The pause cut to end on the grid; one shorter than the grid is left as it is. */
function onGrid(pauseMs: number): number {
  if (pauseMs < GRID_MS) return pauseMs;
  const nowMs = performance.now();
  const endMs = Math.floor((nowMs + pauseMs) / GRID_MS) * GRID_MS;
  return endMs > nowMs ? endMs - nowMs : pauseMs;
}
