import { diff32 } from '../../wire/sequence-number.ts';
import { DATA_FLAG } from './chunk-type.ts';
import { CongestionWindow } from './congestion-window.ts';
import {
  DATA_HEADER_BYTES,
  dataHeader,
  I_DATA_HEADER_BYTES,
  writeDataHeader,
  writeInterleavedHeader,
} from './data-chunk.ts';
import {
  FORWARD_TSN_HEADER_BYTES,
  SKIPPED_STREAM_BYTES,
  type SkippedStream,
  writeForwardTsn,
} from './forward-tsn-chunk.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { OutgoingChunk, OutstandingChunks } from './outstanding-chunks.ts';
import { type PacketBuilder, paddedSize } from './packet-builder.ts';
import type { RetransmissionTimeout } from './retransmission-timeout.ts';
import type { SackHeader } from './sack-chunk.ts';
import { MAX_TSN_AHEAD } from './sctp-limits.ts';
import type { SendQueue } from './send-queue.ts';

/** How long a peer may wait for a second packet before it acknowledges one (RFC 9260 §6.2). */
const DELAYED_SACK_MS = 200;
/** Least wait for an answer, beyond two round trips. */
const MIN_PROBE_MS = 10;

/** What both sides agreed on, as far as sending goes. */
export interface DataSenderOptions {
  readonly initialTsn: number;
  readonly isInterleaved: boolean;
  /** The peer takes FORWARD-TSN: messages can be given up. */
  readonly hasForwardTsn: boolean;
  readonly packetBytes: number;
  readonly peerWindowBytes: number;
}

/** Sends the queued messages as chunks: windows, acknowledgements, retransmission, giving up (RFC 9260 §6, RFC 3758). */
export class DataSender {
  readonly #options: DataSenderOptions;
  readonly #queue: SendQueue;
  readonly #timeout: RetransmissionTimeout;
  readonly #outstanding = new OutstandingChunks();
  readonly #congestion: CongestionWindow;
  readonly #header = dataHeader();
  readonly #headerBytes: number;
  #peerWindowBytes: number;
  #deadlineMs: number = Number.POSITIVE_INFINITY;
  /** When the newest chunk is sent again, so that its acknowledgement tells what was lost; Infinity for never. */
  #probeDeadlineMs: number = Number.POSITIVE_INFINITY;
  /** Nothing was acknowledged since the last probe or timeout. */
  #isProbed = false;
  #lastSentMs: number = Number.NEGATIVE_INFINITY;
  /** Chunk whose round trip is measured, −1 for none. */
  #measured = -1;
  /** Losses of packets up to this one belong to the cut that was made. */
  #recoveryPacket = -1;
  /** Index of the newest chunk when the window was cut last. */
  #recoveryEnd = -1;
  #isFastRetransmitDue = false;
  #isForwardDue = false;
  #forwardedEnd = 0;
  #forwardedAtMs: number = Number.NEGATIVE_INFINITY;

  constructor(options: DataSenderOptions, queue: SendQueue, timeout: RetransmissionTimeout) {
    this.#options = options;
    this.#queue = queue;
    this.#timeout = timeout;
    this.#congestion = new CongestionWindow(options.packetBytes);
    this.#peerWindowBytes = options.peerWindowBytes;
    this.#headerBytes = options.isInterleaved ? I_DATA_HEADER_BYTES : DATA_HEADER_BYTES;
  }

  /** When T3-rtx expires, a probe is due or a chunk counts as lost; Infinity for never. */
  get deadlineMs(): number {
    return Math.min(this.#deadlineMs, this.#probeDeadlineMs, this.#outstanding.lossDeadlineMs);
  }

  /** TSN of the newest chunk: what a request to reset streams names. */
  get lastAssignedTsn(): number {
    return (this.#options.initialTsn + this.#outstanding.end - 1) >>> 0;
  }

  /** Whether everything sent is acknowledged or given up with the peer's knowledge. */
  get isAllAcknowledged(): boolean {
    return this.#outstanding.isEmpty;
  }

  get bytesInFlight(): number {
    return this.#outstanding.bytesInFlight;
  }

  get congestionWindowBytes(): number {
    return this.#congestion.windowBytes;
  }

  /** Window of the peer as last told. */
  get peerWindowBytes(): number {
    return this.#peerWindowBytes;
  }

  /**
   * Takes a SACK, of which the length has been checked. Returns what it was: `invalid` when it acknowledges what was
   * never sent, `old` when newer ones came before, `empty` when it says nothing new, `new` otherwise.
   */
  handleSack(sack: SackHeader, bytes: Uint8Array, nowMs: number): 'invalid' | 'old' | 'empty' | 'new' {
    const outstanding = this.#outstanding;
    const last = outstanding.first - 1;
    const cumulative = last + diff32(sack.cumulativeTsn, this.#options.initialTsn + last);
    if (cumulative < last) return 'old';
    if (cumulative >= outstanding.end) return 'invalid';
    const wasFull = outstanding.bytesInFlight + this.#options.packetBytes > this.#congestion.windowBytes;
    const measured = this.#measured >= 0 ? outstanding.at(this.#measured) : undefined;
    const { minRttMs, srttMs } = this.#timeout;
    outstanding.acknowledge(cumulative, bytes, sack, { nowMs, minRttMs, srttMs });
    const hadNoWindow = this.#peerWindowBytes === 0;
    this.#peerWindowBytes = sack.receiveWindowBytes;
    const isNew = outstanding.acknowledgedBytes > 0 || outstanding.isAdvanced;
    if (isNew) {
      this.#timeout.endBackOff();
      this.#isProbed = false;
    }
    if (measured?.isAcknowledged) {
      this.#timeout.measure(nowMs - measured.sentAtMs);
      this.#measured = -1;
    }
    if (hadNoWindow && sack.receiveWindowBytes > 0) this.#handleOpenedWindow(nowMs);
    const isRecovering = outstanding.first <= this.#recoveryEnd;
    if (outstanding.newestLost >= 0) this.#handleLoss();
    else if (outstanding.isAdvanced && wasFull && !isRecovering) this.#congestion.open(outstanding.inOrderBytes);
    if (outstanding.isEmpty) this.#deadlineMs = Number.POSITIVE_INFINITY;
    else if (outstanding.isAdvanced) this.#restartTimer(nowMs);
    if (isNew) this.#armProbe(nowMs);
    this.#checkForward(nowMs);
    return isNew ? 'new' : 'empty';
  }

  /** What was sent against a closed window has been dropped: it goes again without waiting for the timer. */
  #handleOpenedWindow(nowMs: number): void {
    this.#timeout.endBackOff();
    this.#outstanding.loseAll();
    this.#measured = -1;
    if (!this.#outstanding.isEmpty) this.#restartTimer(nowMs);
  }

  #handleLoss(): void {
    const outstanding = this.#outstanding;
    if (outstanding.newestLost <= this.#recoveryPacket) return;
    this.#recoveryPacket = outstanding.packets;
    this.#recoveryEnd = outstanding.end - 1;
    this.#congestion.cut();
    this.#isFastRetransmitDue = true;
  }

  /**
   * Sets the time of the probe: two round trips after the last packet, as tail loss probes of TCP (RFC 8985 §7). Without
   * it, whatever is lost at the end of a window waits for T3-rtx, and on lossy paths much is.
   */
  #armProbe(nowMs: number): void {
    const outstanding = this.#outstanding;
    const { srttMs } = this.#timeout;
    this.#probeDeadlineMs = Number.POSITIVE_INFINITY;
    if (this.#isProbed || srttMs === undefined || outstanding.hasLost || outstanding.bytesInFlight === 0) return;
    // For a single packet the peer may wait before it answers.
    const waitMs = outstanding.bytesInFlight <= this.#options.packetBytes ? DELAYED_SACK_MS : MIN_PROBE_MS;
    const deadlineMs = nowMs + 2 * srttMs + waitMs;
    if (deadlineMs < this.#deadlineMs) this.#probeDeadlineMs = deadlineMs;
  }

  #probe(): void {
    this.#probeDeadlineMs = Number.POSITIVE_INFINITY;
    this.#isProbed = true;
    const chunk = this.#outstanding.newestInFlight();
    // One that may not be sent again is not given up for a probe.
    if (chunk === undefined || chunk.transmissions > chunk.message.maxRetransmits) return;
    this.#outstanding.markProbe(chunk);
    this.#isFastRetransmitDue = true;
  }

  /** Does what is due: a probe, losses, or what follows from T3-rtx (RFC 9260 §6.3.3). True for the latter. */
  handleTimeout(nowMs: number): boolean {
    if (nowMs < this.#deadlineMs) {
      if (nowMs >= this.#outstanding.lossDeadlineMs) {
        const { minRttMs, srttMs } = this.#timeout;
        this.#outstanding.findLost({ nowMs, minRttMs, srttMs });
        if (this.#outstanding.newestLost >= 0) this.#handleLoss();
      }
      if (nowMs >= this.#probeDeadlineMs) this.#probe();
      return false;
    }
    this.#handleRetransmissionTimeout(nowMs);
    return true;
  }

  #handleRetransmissionTimeout(nowMs: number): void {
    this.#isProbed = true;
    this.#probeDeadlineMs = Number.POSITIVE_INFINITY;
    this.#timeout.backOff();
    this.#congestion.collapse();
    this.#measured = -1;
    this.#outstanding.loseAll();
    this.#recoveryPacket = this.#outstanding.packets;
    this.#recoveryEnd = -1;
    this.#isFastRetransmitDue = false;
    this.#abandonExpired(nowMs);
    this.#forwardedAtMs = Number.NEGATIVE_INFINITY;
    this.#checkForward(nowMs);
    if (this.#outstanding.isEmpty) this.#deadlineMs = Number.POSITIVE_INFINITY;
    else this.#restartTimer(nowMs);
  }

  #restartTimer(nowMs: number): void {
    this.#deadlineMs = nowMs + this.#timeout.rtoMs;
  }

  /** Of the chunks waiting to be sent again, gives up the messages whose time is over. */
  #abandonExpired(nowMs: number): void {
    if (!this.#options.hasForwardTsn) return;
    const { first, end } = this.#outstanding;
    for (let index = first; index < end; index++) {
      const { message } = this.#outstanding.at(index)!;
      if (message.expiresAtMs <= nowMs && !message.isAbandoned) this.#giveUp(message);
    }
  }

  /** The chunk to send again, after giving up messages that may not be. */
  #nextLost(nowMs: number): OutgoingChunk | undefined {
    for (let chunk = this.#outstanding.nextLost(); chunk !== undefined; chunk = this.#outstanding.nextLost()) {
      const { message } = chunk;
      if (!this.#options.hasForwardTsn) return chunk;
      if (chunk.transmissions <= message.maxRetransmits && message.expiresAtMs > nowMs) return chunk;
      this.#giveUp(message);
      this.#checkForward(nowMs);
    }
    return undefined;
  }

  #giveUp(message: OutgoingMessage): void {
    const isUnfinished = message.leftBytes > 0;
    this.#outstanding.abandon(message);
    if (!isUnfinished) return;
    this.#queue.giveUp(message);
    this.#endUnsent(message);
  }

  /** The rest of a message is never sent, yet the peer has to learn where the message ends. */
  #endUnsent(message: OutgoingMessage): void {
    const fragment = { start: message.cutBytes, end: message.cutBytes, flags: DATA_FLAG.end, fsn: message.nextFsn };
    this.#outstanding.addAbandoned(new OutgoingChunk(this.#outstanding.end, message, fragment, 0));
  }

  /** Tells the peer to go on without what was given up: at once for what is new, then once a round trip. */
  #checkForward(nowMs: number): void {
    if (!this.#options.hasForwardTsn || !this.#outstanding.advance()) return;
    const isOverdue = nowMs - this.#forwardedAtMs >= (this.#timeout.srttMs ?? this.#timeout.rtoMs);
    if (this.#outstanding.advancedEnd > this.#forwardedEnd || isOverdue) this.#isForwardDue = true;
  }

  /** Puts into the open packet what may be sent now. True when it holds chunks with data or FORWARD-TSN after it. */
  fill(builder: PacketBuilder, nowMs: number): boolean {
    let isFilled = false;
    if (this.#isForwardDue) isFilled = this.#fillForward(builder, nowMs);
    const packets = this.#outstanding.packets;
    if (this.#fillLost(builder, nowMs) && !this.#outstanding.hasLost) this.#fillNew(builder, nowMs);
    if (this.#isForwardDue && !isFilled) isFilled = this.#fillForward(builder, nowMs);
    if (this.#outstanding.packets !== packets) {
      this.#armProbe(nowMs);
      return true;
    }
    return isFilled;
  }

  /** True when the packet has room left for new chunks. */
  #fillLost(builder: PacketBuilder, nowMs: number): boolean {
    const outstanding = this.#outstanding;
    if (!outstanding.hasLost) return true;
    let isFirst = true;
    // One packet goes whatever the window says (RFC 9260 §7.2.4).
    const isFast = this.#isFastRetransmitDue;
    for (let chunk = this.#nextLost(nowMs); chunk !== undefined; chunk = this.#nextLost(nowMs)) {
      if (paddedSize(chunk.sizeBytes) > builder.room) return false;
      const isAllowed =
        isFast ||
        outstanding.bytesInFlight === 0 ||
        outstanding.bytesInFlight + chunk.sizeBytes <= this.#congestion.windowBytes;
      if (!isAllowed) return false;
      if (isFirst) outstanding.beginPacket();
      isFirst = false;
      this.#isFastRetransmitDue = false;
      outstanding.resend(chunk, nowMs);
      if (chunk.index === this.#measured) this.#measured = -1;
      const isLast = !outstanding.hasLost && this.#queue.bufferedBytes === 0;
      this.#write(builder, chunk, isLast);
      if (chunk.index === outstanding.first || this.#deadlineMs === Number.POSITIVE_INFINITY) this.#restartTimer(nowMs);
    }
    return true;
  }

  #fillNew(builder: PacketBuilder, nowMs: number): void {
    const outstanding = this.#outstanding;
    let isFirst = true;
    for (let message = this.#queue.head(nowMs); message !== undefined; message = this.#queue.head(nowMs)) {
      const room = builder.room - this.#headerBytes;
      const left = message.leftBytes;
      // A message is not cut for the little that a packet has left.
      if (room <= 0 || (left > room && room < builder.capacity >> 1)) break;
      const payloadBytes = Math.min(left, room);
      const sizeBytes = this.#headerBytes + payloadBytes;
      const { bytesInFlight } = outstanding;
      // Gap blocks reach no further: what is sent beyond could not be acknowledged.
      if (outstanding.end - outstanding.first >= MAX_TSN_AHEAD) break;
      if (bytesInFlight > 0) {
        if (bytesInFlight >= this.#congestion.windowBytes) break;
        if (bytesInFlight + sizeBytes > this.#peerWindowBytes) break;
      } else this.#wake(nowMs);
      if (isFirst) outstanding.beginPacket();
      isFirst = false;
      this.#cut(builder, message, payloadBytes, nowMs);
    }
  }

  /** The window of a path that was not used for a while is no longer to be believed. */
  #wake(nowMs: number): void {
    const timeouts = Math.floor((nowMs - this.#lastSentMs) / this.#timeout.rtoMs);
    if (Number.isFinite(timeouts) && timeouts > 0) this.#congestion.rest(timeouts);
  }

  #cut(builder: PacketBuilder, message: OutgoingMessage, payloadBytes: number, nowMs: number): void {
    const outstanding = this.#outstanding;
    const start = message.cutBytes;
    const end = start + payloadBytes;
    let flags = message.isOrdered ? 0 : DATA_FLAG.unordered;
    if (start === 0) flags |= DATA_FLAG.begin;
    if (end === message.bytes.length) flags |= DATA_FLAG.end;
    const fragment = { start, end, flags, fsn: message.nextFsn++ };
    const chunk = new OutgoingChunk(outstanding.end, message, fragment, this.#headerBytes + payloadBytes);
    this.#queue.cut(message, payloadBytes);
    outstanding.add(chunk, nowMs);
    if (this.#measured < 0) this.#measured = chunk.index;
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) this.#restartTimer(nowMs);
    this.#lastSentMs = nowMs;
    // The last one that may go for now: without an answer at once the peer would wait for a second packet.
    const isLast = outstanding.bytesInFlight >= this.#congestion.windowBytes;
    this.#write(builder, chunk, isLast);
  }

  #write(builder: PacketBuilder, chunk: OutgoingChunk, isImmediate: boolean): void {
    const header = this.#header;
    const { message, start, end } = chunk;
    header.tsn = (this.#options.initialTsn + chunk.index) >>> 0;
    header.streamId = message.streamId;
    header.sequence = message.sequence;
    header.ppid = message.ppid;
    header.fsn = chunk.fsn;
    header.flags = isImmediate ? chunk.flags | DATA_FLAG.immediate : chunk.flags;
    const at = builder.reserve(this.#headerBytes + end - start);
    if (this.#options.isInterleaved) writeInterleavedHeader(builder.bytes, at, header, end - start);
    else writeDataHeader(builder.bytes, at, header, end - start);
    const isWhole = start === 0 && end === message.bytes.length;
    builder.bytes.set(isWhole ? message.bytes : message.bytes.subarray(start, end), at + this.#headerBytes);
  }

  /** True when the chunk was put into the packet. */
  #fillForward(builder: PacketBuilder, nowMs: number): boolean {
    const outstanding = this.#outstanding;
    const { first, advancedEnd } = outstanding;
    const kind = this.#options.isInterleaved ? 'iForwardTsn' : 'forwardTsn';
    const streamsThatFit = Math.floor((builder.room - FORWARD_TSN_HEADER_BYTES) / SKIPPED_STREAM_BYTES[kind]);
    if (streamsThatFit < 1) return false;
    this.#isForwardDue = false;
    if (advancedEnd <= first) return false;
    const skipped = new Map<number, SkippedStream>();
    let end = first;
    for (; end < advancedEnd; end++) {
      const { message } = outstanding.at(end)!;
      if (!message.isAbandoned || (!message.isOrdered && kind === 'forwardTsn')) continue;
      const key = message.isOrdered ? message.streamId : message.streamId + 65_536;
      if (!skipped.has(key) && skipped.size === streamsThatFit) break;
      const { streamId, sequence } = message;
      skipped.set(key, { streamId, isUnordered: !message.isOrdered, sequence });
    }
    const newCumulativeTsn = (this.#options.initialTsn + end - 1) >>> 0;
    builder.append(writeForwardTsn(kind, { newCumulativeTsn, skipped: [...skipped.values()] }));
    this.#forwardedEnd = end;
    this.#forwardedAtMs = nowMs;
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) this.#restartTimer(nowMs);
    return true;
  }
}
