import { InterleavedBatches } from '../../io/datagram-batch.ts';
import type { Clock } from '../../media/clock.ts';
import { interleavedBytes } from '../../media/renditions/rtp-framing.ts';

/**
 * Datagrams of one client leave in pieces of about this many bytes, and up to twice as many where a frame would be cut: a
 * receiver's socket buffer, 212,992 bytes on Linux unless it asks for more, has room for several of them.
 */
export const PIECE_BYTES = 32_768;

/** Time between two rounds, milliseconds. */
export const ROUND_MS = 5;

/**
 * How long a BYE waits behind the last packet, milliseconds: FFmpeg looks at RTCP first, and drops what RTP still has for
 * it when a BYE is there.
 */
export const BYE_DELAY_MS = 500;

/** What was written at once leaves in at most so many rounds. */
const MAX_ROUNDS = 8;

/** A part of joined `$` frames with its packets found, shared by all who send it. */
export interface DatagramPiece {
  readonly bytes: Uint8Array;
  readonly batches: InterleavedBatches;
}

/** Who has datagrams to send. */
export interface PacedSender {
  /** Sends its part of a round; false when nothing is left. */
  sendRound(): boolean;
}

/**
 * Spreads what is written to datagram clients over time: a GOP, or what a stream made since the last tick, at once would
 * overflow what receivers and routers can hold. One timer serves all, and only while there is something to send.
 */
export class DatagramPacer {
  readonly #clock: Clock;
  readonly #senders = new Set<PacedSender>();
  /** Pieces of the buffers written last, for the next client that is given the same. */
  readonly #pieces = new WeakMap<Uint8Array, readonly DatagramPiece[]>();
  #stop: (() => void) | undefined;
  /** What waits for `BYE_DELAY_MS`, and how to stop waiting. */
  readonly #byes = new Map<() => void, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `sendRound` of `sender` at every round from the next on until it returns false. */
  add(sender: PacedSender): void {
    this.#senders.add(sender);
    this.#stop ??= this.#clock.every(ROUND_MS, () => this.#round());
  }

  remove(sender: PacedSender): void {
    this.#senders.delete(sender);
    if (this.#senders.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Joined frames in pieces; the same for the same buffer. */
  piecesOf(frames: Uint8Array): readonly DatagramPiece[] {
    let pieces = this.#pieces.get(frames);
    if (pieces === undefined) {
      pieces = cut(frames);
      this.#pieces.set(frames, pieces);
    }
    return pieces;
  }

  /** Calls `task` after `BYE_DELAY_MS`, or when the pacer is closed. */
  afterLastPacket(task: () => void): void {
    const cancel = this.#clock.after(BYE_DELAY_MS, () => {
      this.#byes.delete(task);
      task();
    });
    this.#byes.set(task, cancel);
  }

  close(): void {
    for (const [task, cancel] of this.#byes) {
      cancel();
      task();
    }
    this.#byes.clear();
    this.#senders.clear();
    this.#stop?.();
    this.#stop = undefined;
  }

  #round(): void {
    for (const sender of this.#senders) if (!sender.sendRound()) this.remove(sender);
  }
}

/** Pieces to be sent in each round when there are so many. */
export function piecesPerRound(pieces: number): number {
  return Math.ceil(pieces / MAX_ROUNDS);
}

function cut(frames: Uint8Array): DatagramPiece[] {
  const pieces: DatagramPiece[] = [];
  let start = 0;
  let at = 0;
  while (at < frames.length) {
    const packet = at;
    at += interleavedBytes(frames, at);
    if (at < frames.length && (at - start < PIECE_BYTES || continuesRun(frames, packet, at, start))) continue;
    pieces.push({ bytes: frames.subarray(start, at), batches: new InterleavedBatches() });
    start = at;
  }
  return pieces;
}

/** Whether the packet at `next` can go in one message to the kernel with that before it: not longer, and of its track. */
function continuesRun(frames: Uint8Array, packet: number, next: number, start: number): boolean {
  if (next - start >= 2 * PIECE_BYTES || frames[next + 1] !== frames[packet + 1]) return false;
  return interleavedBytes(frames, next) <= interleavedBytes(frames, packet);
}
