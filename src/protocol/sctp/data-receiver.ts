import { DATA_FLAG } from './chunk-type.ts';
import type { DataHeader } from './data-chunk.ts';
import type { ForwardTsn, SkippedStream } from './forward-tsn-chunk.ts';
import type { WholeMessage } from './fragment-runs.ts';
import { heldSize } from './inbound-streams.ts';
import type { PacketBuilder } from './packet-builder.ts';
import { DataReassembly, InterleavedReassembly, type Reassembly } from './reassembly.ts';
import { ReceivedTsns } from './received-tsns.ts';
import { SACK_ENTRY_BYTES, SACK_HEADER_BYTES, sackHeader, writeSackHeader } from './sack-chunk.ts';
import type { SctpErrorCode } from './sctp-error.ts';
import { HELD_CHUNK_OVERHEAD_BYTES } from './sctp-limits.ts';

/** What both sides agreed on, as far as receiving goes. */
export interface DataReceiverOptions {
  readonly initialTsn: number;
  readonly isInterleaved: boolean;
  readonly windowBytes: number;
  readonly maxMessageBytes: number;
  readonly delayedSackMs: number;
}

/** A window smaller than this is told as none (RFC 9260 §6.2, silly window syndrome). */
const MIN_TOLD_WINDOW_BYTES = 1200;

/** Takes the peer's chunks, gives whole messages and says what has come (RFC 9260 §6.2, §6.5 to §6.7). */
export class DataReceiver {
  readonly #options: DataReceiverOptions;
  readonly #tsns: ReceivedTsns;
  readonly #reassembly: Reassembly;
  readonly #sack = sackHeader();
  /** Whole messages nobody takes for now. */
  #undelivered: WholeMessage[] = [];
  #undeliveredBytes = 0;
  #toldWindowBytes: number;
  #packetsUnacknowledged = 0;
  #hasData = false;
  #isSackDue = false;
  #deadlineMs: number = Number.POSITIVE_INFINITY;
  #isFirstPacket = true;
  /** While set, whole messages are kept and close the window. */
  isPaused = false;

  constructor(options: DataReceiverOptions) {
    this.#options = options;
    this.#tsns = new ReceivedTsns(options.initialTsn);
    this.#reassembly = options.isInterleaved
      ? new InterleavedReassembly(options.maxMessageBytes)
      : new DataReassembly(options.maxMessageBytes);
    this.#toldWindowBytes = options.windowBytes;
  }

  get cumulativeTsn(): number {
    return this.#tsns.cumulativeTsn;
  }

  /** Bytes of payload and overhead held: fragments, messages out of order and undelivered ones. */
  get heldBytes(): number {
    return this.#reassembly.heldBytes + this.#undeliveredBytes;
  }

  /** Whether a SACK should go out now. */
  get isSackDue(): boolean {
    return this.#isSackDue;
  }

  /** When a delayed SACK is due; Infinity for never. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Whether everything up to this TSN has come. */
  hasAllUpTo(tsn: number): boolean {
    return this.#tsns.indexOf(tsn) <= this.#tsns.cumulative;
  }

  /** Takes a DATA or I-DATA chunk; a code when the association has to end. */
  receive(header: DataHeader, bytes: Uint8Array): SctpErrorCode | undefined {
    this.#hasData = true;
    if ((header.flags & DATA_FLAG.immediate) !== 0) this.#isSackDue = true;
    const index = this.#tsns.indexOf(header.tsn);
    const arrival = this.#tsns.look(index);
    if (arrival !== 'new') {
      if (arrival === 'duplicate') this.#tsns.addDuplicate(header.tsn);
      this.#isSackDue = true;
      return undefined;
    }
    const sizeBytes = header.payloadEnd - header.payloadStart + HELD_CHUNK_OVERHEAD_BYTES;
    const free = this.#options.windowBytes - this.heldBytes;
    if (sizeBytes > free) {
      // The chunk everything waits for may set free what is held, within reason.
      if (this.isPaused || index !== this.#tsns.cumulative + 1) {
        this.#isSackDue = true;
        return undefined;
      }
      if (free < -this.#options.maxMessageBytes) return 'sctp/receive-buffer-overflow';
    }
    this.#tsns.add(index);
    if (!this.#reassembly.add(index, header, bytes)) return 'sctp/message-too-large';
    if (this.isPaused) this.#keepReady();
    return undefined;
  }

  /** The TSN of a chunk that is not taken, for a stream that does not exist, counts as received all the same. */
  acknowledgeOnly(tsn: number): void {
    this.#hasData = true;
    const index = this.#tsns.indexOf(tsn);
    if (this.#tsns.look(index) === 'new') this.#tsns.add(index);
  }

  /** Takes a FORWARD-TSN or I-FORWARD-TSN. */
  forward(chunk: ForwardTsn): void {
    this.#hasData = true;
    this.#isSackDue = true;
    const from = this.#tsns.cumulative;
    const to = this.#tsns.indexOf(chunk.newCumulativeTsn);
    if (to <= from) return;
    this.#tsns.skipTo(to);
    this.#reassembly.forward(from, to, latestOf(chunk.skipped));
  }

  /** The peer's streams start again; empty for all. */
  reset(streamIds: readonly number[]): void {
    this.#reassembly.reset(streamIds);
  }

  /** Whole messages to deliver; none while paused. */
  takeMessages(): readonly WholeMessage[] {
    const { ready } = this.#reassembly;
    if (this.isPaused) {
      this.#keepReady();
      return [];
    }
    const messages = this.#undelivered.length === 0 ? ready.slice() : this.#undelivered.concat(ready);
    ready.length = 0;
    this.#undelivered = [];
    this.#undeliveredBytes = 0;
    return messages;
  }

  #keepReady(): void {
    const { ready } = this.#reassembly;
    for (const message of ready) {
      this.#undelivered.push(message);
      this.#undeliveredBytes += heldSize(message);
    }
    ready.length = 0;
  }

  /** Whether messages are kept because nobody takes them. */
  get hasUndelivered(): boolean {
    return this.#undelivered.length > 0 || this.#reassembly.ready.length > 0;
  }

  /** Whether `takeMessages` has something to do. */
  get hasMessages(): boolean {
    return this.#reassembly.ready.length > 0 || (!this.isPaused && this.#undelivered.length > 0);
  }

  /** A whole packet was read: decides when to answer. */
  endPacket(nowMs: number): void {
    if (!this.#hasData) return;
    this.#hasData = false;
    this.#packetsUnacknowledged++;
    if (this.#isFirstPacket || this.#packetsUnacknowledged >= 2 || this.#tsns.hasGaps) this.#isSackDue = true;
    this.#isFirstPacket = false;
    if (!this.#isSackDue) this.#deadlineMs = Math.min(this.#deadlineMs, nowMs + this.#options.delayedSackMs);
  }

  /** The delayed SACK is due. */
  handleTimeout(): void {
    this.#isSackDue = true;
  }

  /** Tells the peer of a window that has opened a good deal since it was last told. */
  checkWindow(): void {
    const opened = this.#windowToTell() - this.#toldWindowBytes;
    if (opened >= Math.min(this.#options.windowBytes / 2, 2 * MIN_TOLD_WINDOW_BYTES)) this.#isSackDue = true;
  }

  #windowToTell(): number {
    const free = this.#options.windowBytes - this.heldBytes;
    return free < MIN_TOLD_WINDOW_BYTES && this.heldBytes > 0 ? 0 : free;
  }

  /** Adds a SACK to the packet if there is one to send, due or only delayed. */
  fillSack(builder: PacketBuilder): void {
    if (!this.#isSackDue && this.#deadlineMs === Number.POSITIVE_INFINITY) return;
    const entries = Math.floor((builder.room - SACK_HEADER_BYTES) / SACK_ENTRY_BYTES);
    if (entries < 0) return;
    const sack = this.#sack;
    sack.cumulativeTsn = this.#tsns.cumulativeTsn;
    this.#toldWindowBytes = this.#windowToTell();
    sack.receiveWindowBytes = this.#toldWindowBytes;
    sack.gapBlocks = Math.min(entries, this.#tsns.gapRanges);
    sack.duplicates = Math.min(entries - sack.gapBlocks, this.#tsns.duplicates);
    const at = builder.reserve(SACK_HEADER_BYTES + SACK_ENTRY_BYTES * (sack.gapBlocks + sack.duplicates));
    writeSackHeader(builder.bytes, at, sack);
    const gapsAt = at + SACK_HEADER_BYTES;
    this.#tsns.writeGapBlocks(builder.bytes, gapsAt, sack.gapBlocks);
    this.#tsns.writeDuplicates(builder.bytes, gapsAt + SACK_ENTRY_BYTES * sack.gapBlocks, sack.duplicates);
    this.#isSackDue = false;
    this.#packetsUnacknowledged = 0;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }
}

/** The last entry of each stream and order, so that a chunk that names one a thousand times costs no more. */
function latestOf(skipped: readonly SkippedStream[]): readonly SkippedStream[] {
  if (skipped.length < 2) return skipped;
  const latest = new Map<number, SkippedStream>();
  for (const one of skipped) latest.set(one.isUnordered ? one.streamId + 65_536 : one.streamId, one);
  return [...latest.values()];
}
