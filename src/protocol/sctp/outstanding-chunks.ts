import { getU16 } from '../../wire/big-endian.ts';
import { IndexedRing } from '../../wire/indexed-ring.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { SACK_ENTRY_BYTES } from './sack-chunk.ts';

/** What became of a chunk. */
const CHUNK_STATE = { inFlight: 0, acknowledged: 1, lost: 2, abandoned: 3 } as const;

/** A chunk is lost when one sent so many packets later has come (RFC 9260 §7.2.4 counts three reports). */
const LOSS_PACKETS = 3;

/** What of the path finding losses depends on, milliseconds. */
export interface PathTiming {
  readonly nowMs: number;
  readonly minRttMs: number;
  /** Undefined before the first measurement. */
  readonly srttMs: number | undefined;
}

/** A chunk with a TSN. */
export class OutgoingChunk {
  readonly index: number;
  readonly message: OutgoingMessage;
  /** Its part of the message. */
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly fsn: number;
  /** What it takes of the windows. */
  readonly sizeBytes: number;
  state: number = CHUNK_STATE.inFlight;
  transmissions = 0;
  sentAtMs = 0;
  /** Which packet carried it last. */
  packetNumber = 0;

  constructor(
    index: number,
    message: OutgoingMessage,
    fragment: { readonly start: number; readonly end: number; readonly flags: number; readonly fsn: number },
    sizeBytes: number,
  ) {
    this.index = index;
    this.message = message;
    this.start = fragment.start;
    this.end = fragment.end;
    this.flags = fragment.flags;
    this.fsn = fragment.fsn;
    this.sizeBytes = sizeBytes;
  }

  get isAcknowledged(): boolean {
    return this.state === CHUNK_STATE.acknowledged;
  }
}

/**
 * Chunks that have a TSN and are not acknowledged in order, by index: the first chunk ever sent has 0, so that nothing
 * here wraps. Loss is found by order of sending, not of TSNs: thus it is found for retransmissions as well.
 */
export class OutstandingChunks {
  readonly #chunks = new IndexedRing<OutgoingChunk>();
  #bytesInFlight = 0;
  #lostChunks = 0;
  /** No chunk below is lost. */
  #lostFrom = 0;
  #packets = 0;
  /**
   * Paths that change the order get more time before a chunk is lost: so many quarters of the shortest round trip
   * (RFC 8985 §6.2, step 4), one more each time a chunk comes that was taken for lost, once a round trip.
   */
  #reorderSteps = 0;
  #reorderStepAtMs: number = Number.NEGATIVE_INFINITY;
  /** Latest packet of which something was acknowledged. */
  #newestAcknowledged = -1;
  /** Everything before is acknowledged or given up for good. */
  #advancedEnd = 0;
  /** When chunks that others have overtaken count as lost, if nothing comes before; Infinity for never. */
  lossDeadlineMs: number = Number.POSITIVE_INFINITY;
  /** Results of the last SACK. */
  acknowledgedBytes = 0;
  /** Bytes acknowledged in order by it. */
  inOrderBytes = 0;
  isAdvanced = false;
  /** Latest packet found lost by it, or by `findLost`; −1 for none. */
  newestLost = -1;

  /** Index of the oldest chunk held; everything below is acknowledged. */
  get first(): number {
    return this.#chunks.first;
  }

  /** Index of the next new chunk. */
  get end(): number {
    return this.#chunks.end;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  /** Whether chunks wait to be sent again. */
  get hasLost(): boolean {
    return this.#lostChunks > 0;
  }

  /** Packets sent so far. */
  get packets(): number {
    return this.#packets;
  }

  /** Index up to which the peer may be told to go on (RFC 3758 §3.5, Advanced.Peer.Ack.Point), plus one. */
  get advancedEnd(): number {
    return this.#advancedEnd;
  }

  at(index: number): OutgoingChunk | undefined {
    return this.#chunks.at(index);
  }

  /** A packet with chunks begins: what is sent now has its number. */
  beginPacket(): void {
    this.#packets++;
  }

  /** Adds a new chunk as sent now. */
  add(chunk: OutgoingChunk, nowMs: number): void {
    this.#chunks.append(chunk);
    const { message, index } = chunk;
    if (message.firstIndex < 0) message.firstIndex = index;
    message.lastIndex = index;
    this.#markSent(chunk, nowMs);
  }

  /** A chunk that `nextLost` gave is sent again now. */
  resend(chunk: OutgoingChunk, nowMs: number): void {
    this.#lostChunks--;
    this.#lostFrom = chunk.index + 1;
    this.#markSent(chunk, nowMs);
  }

  #markSent(chunk: OutgoingChunk, nowMs: number): void {
    chunk.state = CHUNK_STATE.inFlight;
    chunk.transmissions++;
    chunk.sentAtMs = nowMs;
    chunk.packetNumber = this.#packets;
    this.#bytesInFlight += chunk.sizeBytes;
  }

  /** The oldest chunk to send again. */
  nextLost(): OutgoingChunk | undefined {
    if (this.#lostChunks === 0) return undefined;
    let index = Math.max(this.#lostFrom, this.#chunks.first);
    for (; index < this.#chunks.end; index++) {
      const chunk = this.#chunks.at(index)!;
      if (chunk.state === CHUNK_STATE.lost) {
        this.#lostFrom = index;
        return chunk;
      }
    }
    this.#lostFrom = index;
    return undefined;
  }

  /**
   * Takes a SACK: everything up to index `cumulative`, then the gap blocks at `gapBlocksAt`; what comes after one out of
   * order is ignored. Sets the results. Acknowledgements of chunks sent again that come within the shortest round trip are
   * for the first sending and say nothing about what was sent between.
   */
  acknowledge(
    cumulative: number,
    bytes: Uint8Array,
    gaps: { readonly gapBlocks: number; readonly gapBlocksAt: number },
    timing: PathTiming,
  ): void {
    this.acknowledgedBytes = 0;
    this.inOrderBytes = 0;
    this.isAdvanced = cumulative >= this.#chunks.first;
    for (let index = this.#chunks.first; index <= cumulative; index++) {
      const chunk = this.#chunks.at(index)!;
      if (chunk.state !== CHUNK_STATE.abandoned) this.inOrderBytes += chunk.sizeBytes;
      this.#acknowledgeChunk(chunk, timing);
    }
    this.#chunks.dropBefore(cumulative + 1);
    this.#advancedEnd = Math.max(this.#advancedEnd, cumulative + 1);
    let at = gaps.gapBlocksAt;
    let previous = cumulative;
    for (let block = 0; block < gaps.gapBlocks; block++, at += SACK_ENTRY_BYTES) {
      const from = cumulative + getU16(bytes, at);
      const to = cumulative + getU16(bytes, at + 2);
      if (from <= previous || to < from) break;
      const last = Math.min(to, this.#chunks.end - 1);
      for (let index = Math.max(from, this.#chunks.first); index <= last; index++) {
        this.#acknowledgeChunk(this.#chunks.at(index)!, timing);
      }
      previous = to;
    }
    this.findLost(timing);
  }

  #acknowledgeChunk(chunk: OutgoingChunk, timing: PathTiming): void {
    if (chunk.state === CHUNK_STATE.acknowledged) return;
    if (chunk.state === CHUNK_STATE.inFlight) this.#bytesInFlight -= chunk.sizeBytes;
    else if (chunk.state === CHUNK_STATE.lost) {
      this.#lostChunks--;
      this.#seeReordering(timing);
    }
    if (chunk.state !== CHUNK_STATE.abandoned) this.acknowledgedBytes += chunk.sizeBytes;
    chunk.state = CHUNK_STATE.acknowledged;
    if (chunk.transmissions > 1 && timing.nowMs - chunk.sentAtMs < timing.minRttMs) {
      this.#seeReordering(timing);
      return;
    }
    if (chunk.packetNumber > this.#newestAcknowledged) this.#newestAcknowledged = chunk.packetNumber;
  }

  #seeReordering({ nowMs, srttMs }: PathTiming): void {
    if (srttMs === undefined || nowMs - this.#reorderStepAtMs < srttMs) return;
    this.#reorderSteps++;
    this.#reorderStepAtMs = nowMs;
  }

  /** Chunks of packets long before the newest that came are lost: sets `newestLost`. Ends where chunks sent once are new. */
  findLost({ nowMs, minRttMs, srttMs = 0 }: PathTiming): void {
    const newest = this.#newestAcknowledged - LOSS_PACKETS;
    const reorderMs = this.#reorderSteps === 0 ? 0 : Math.min((this.#reorderSteps * minRttMs) / 4, srttMs);
    const waitMs = this.#reorderSteps === 0 ? 0 : srttMs + reorderMs;
    this.newestLost = -1;
    this.lossDeadlineMs = Number.POSITIVE_INFINITY;
    for (let index = this.#chunks.first; index < this.#chunks.end; index++) {
      const chunk = this.#chunks.at(index)!;
      if (chunk.packetNumber > newest) {
        if (chunk.transmissions === 1) return;
        continue;
      }
      if (chunk.state !== CHUNK_STATE.inFlight) continue;
      if (chunk.sentAtMs + waitMs > nowMs) {
        this.lossDeadlineMs = Math.min(this.lossDeadlineMs, chunk.sentAtMs + waitMs);
        continue;
      }
      this.#markLost(chunk);
      if (chunk.packetNumber > this.newestLost) this.newestLost = chunk.packetNumber;
    }
  }

  /** The newest chunk of which nothing is known. */
  newestInFlight(): OutgoingChunk | undefined {
    for (let index = this.#chunks.end - 1; index >= this.#chunks.first; index--) {
      const chunk = this.#chunks.at(index)!;
      if (chunk.state === CHUNK_STATE.inFlight) return chunk;
    }
    return undefined;
  }

  /** Lets a chunk be sent again as a probe: when that is acknowledged, everything sent before has had its time. */
  markProbe(chunk: OutgoingChunk): void {
    this.#markLost(chunk);
    this.#packets += LOSS_PACKETS;
  }

  #markLost(chunk: OutgoingChunk): void {
    chunk.state = CHUNK_STATE.lost;
    this.#bytesInFlight -= chunk.sizeBytes;
    this.#lostChunks++;
    this.#lostFrom = Math.min(this.#lostFrom, chunk.index);
  }

  /**
   * The retransmission timer expired: everything in flight is lost. When the peer has let go of what it acknowledged
   * beyond gaps (RFC 9260 §6.2.1), which shows in the oldest chunk, that is lost too.
   */
  loseAll(): void {
    this.lossDeadlineMs = Number.POSITIVE_INFINITY;
    const isReneged = this.#chunks.at(this.#chunks.first)?.state === CHUNK_STATE.acknowledged;
    for (let index = this.#chunks.first; index < this.#chunks.end; index++) {
      const chunk = this.#chunks.at(index)!;
      if (isReneged && chunk.state === CHUNK_STATE.acknowledged) {
        chunk.state = CHUNK_STATE.inFlight;
        this.#bytesInFlight += chunk.sizeBytes;
      }
      if (chunk.state === CHUNK_STATE.inFlight) this.#markLost(chunk);
    }
  }

  /** Gives up every chunk of a message that is not acknowledged (RFC 3758 §3.5). */
  abandon(message: OutgoingMessage): void {
    message.isAbandoned = true;
    for (let index = Math.max(message.firstIndex, this.#chunks.first); index <= message.lastIndex; index++) {
      const chunk = this.#chunks.at(index)!;
      if (chunk.message !== message || chunk.state === CHUNK_STATE.acknowledged) continue;
      if (chunk.state === CHUNK_STATE.inFlight) this.#bytesInFlight -= chunk.sizeBytes;
      else if (chunk.state === CHUNK_STATE.lost) this.#lostChunks--;
      chunk.state = CHUNK_STATE.abandoned;
    }
  }

  /** Adds a chunk that is never sent: the TSN with which a message ends whose rest was given up unsent. */
  addAbandoned(chunk: OutgoingChunk): void {
    this.#chunks.append(chunk);
    chunk.message.lastIndex = chunk.index;
    if (chunk.message.firstIndex < 0) chunk.message.firstIndex = chunk.index;
    chunk.state = CHUNK_STATE.abandoned;
  }

  /** Moves `advancedEnd` over chunks given up. True when the peer has to be told of any beyond what it acknowledged. */
  advance(): boolean {
    let end = Math.max(this.#advancedEnd, this.#chunks.first);
    for (let index = end; index < this.#chunks.end; index++) {
      const { state } = this.#chunks.at(index)!;
      if (state === CHUNK_STATE.abandoned) end = index + 1;
      else if (state !== CHUNK_STATE.acknowledged) break;
    }
    this.#advancedEnd = end;
    return end > this.#chunks.first;
  }
}
