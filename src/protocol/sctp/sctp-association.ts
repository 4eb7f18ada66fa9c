import type { ProtocolError } from '../../wire/errors.ts';
import { agreementWith, judgeCookie, ourSetup, type TagPair } from './association-setup.ts';
import { getU16, getU32, setU16, setU32 } from './big-endian.ts';
import { CHUNK_TYPE, FLAG_TAG_REFLECTED, unknownTypeRule } from './chunk-type.ts';
import { dataHeader, readData, readInterleavedData } from './data-chunk.ts';
import { DataReceiver } from './data-receiver.ts';
import { DataSender } from './data-sender.ts';
import {
  describeAbort,
  ERROR_CAUSE,
  type ErrorCause,
  invalidStreamValue,
  numberValue,
  parseCauses,
  staleMsOf,
  writeAbort,
  writeError,
} from './error-cause.ts';
import { parseForwardTsn } from './forward-tsn-chunk.ts';
import { Heartbeat, heartbeatAck } from './heartbeat.ts';
import { OutgoingMessage, type SendOptions } from './outgoing-message.ts';
import {
  CHUNK_HEADER_BYTES,
  isChecksumRight,
  isChecksumZero,
  PACKET_HEADER_BYTES,
  PacketBuilder,
  paddedSize,
  parsePacketHeader,
} from './packet-builder.ts';
import { parseReConfig } from './re-config-chunk.ts';
import { RetransmissionTimeout } from './retransmission-timeout.ts';
import { readSack, sackHeader } from './sack-chunk.ts';
import { type SctpErrorCode, type SctpStateErrorCode, sctpError, sctpStateError } from './sctp-error.ts';
import type { SctpEvent } from './sctp-event.ts';
import { MAX_ECHOED_BYTES, MAX_REPORTED_UNKNOWN, MAX_STALE_COOKIES } from './sctp-limits.ts';
import { type SctpOptions, type SctpSettings, toSettings } from './sctp-options.ts';
import { SendQueue } from './send-queue.ts';
import { parseSetupChunk, type SetupChunk, writeSetupChunk } from './setup-chunk.ts';
import { type Agreement, type CookieState, StateCookies } from './state-cookie.ts';
import { type ReconfiguredAssociation, StreamReconfiguration } from './stream-reconfiguration.ts';

/** States of RFC 9260 §4; `new` is its CLOSED before anything happened, `closed` and `failed` are final. */
export type SctpState =
  | 'new'
  | 'cookie-wait'
  | 'cookie-echoed'
  | 'established'
  | 'shutdown-pending'
  | 'shutdown-sent'
  | 'shutdown-received'
  | 'shutdown-ack-sent'
  | 'closed'
  | 'failed';

/** Packets that were not taken, by reason. */
export interface DroppedPackets {
  malformed: number;
  checksum: number;
  ports: number;
  tag: number;
}

/** Numbers for statistics and tests. */
export interface SctpStatistics {
  readonly dropped: Readonly<DroppedPackets>;
  readonly srttMs: number | undefined;
  readonly rtoMs: number;
  readonly congestionWindowBytes: number;
  readonly peerWindowBytes: number;
  readonly bytesInFlight: number;
  /** Fragments, messages out of order and undelivered ones, with their overhead. */
  readonly heldBytes: number;
}

/** Below this the largest control chunks would not fit. */
const MIN_PACKET_BYTES = 576;
/** Packets with data that one call gives (RFC 9260 §6.1 D, Max.Burst). */
const MAX_BURST = 4;
/** The shutdown as a whole may take so many maximal timeouts (RFC 9260 §9.2, T5). */
const SHUTDOWN_GUARD_TIMEOUTS = 5;

const NEVER: number = Number.POSITIVE_INFINITY;

/** Everything that begins anew with a setup. */
interface Transfer {
  readonly agreement: Agreement;
  readonly sender: DataSender;
  readonly receiver: DataReceiver;
  readonly reconfiguration: StreamReconfiguration;
}

/**
 * One SCTP association over DTLS (RFC 9260, 8261) with partial reliability (RFC 3758), stream reset (RFC 6525), message
 * interleaving (RFC 8260) and zero checksum (RFC 9653). Each datagram of the layer below is one packet. Both sides may
 * `start`; one that does not answers the other. One path: addresses in INIT are ignored, HOST NAME and ASCONF too.
 */
export class SctpAssociation {
  readonly #settings: SctpSettings;
  readonly #cookies: StateCookies;
  readonly #builder: PacketBuilder;
  readonly #queue: SendQueue;
  readonly #timeout: RetransmissionTimeout;
  readonly #heartbeat: Heartbeat;
  readonly #sack = sackHeader();
  readonly #data = dataHeader();
  readonly #dropped: DroppedPackets = { malformed: 0, checksum: 0, ports: 0, tag: 0 };
  #events: SctpEvent[] = [];
  #state: SctpState = 'new';
  #localTag: number;
  #localInitialTsn: number;
  #peerTag = 0;
  #transfer: Transfer | undefined;
  #isPaused = false;
  /** Chunks to send with the next packets. */
  #control: Uint8Array[] = [];
  /** INIT, COOKIE ECHO, SHUTDOWN or SHUTDOWN ACK is sent again then (T1, T2). */
  #setupDeadlineMs = NEVER;
  #setupAttempts = 0;
  #cookieEcho: Uint8Array | undefined;
  #staleCookies = 0;
  #reconfigurationDeadlineMs = NEVER;
  #guardDeadlineMs = NEVER;
  #errors = 0;

  constructor(options: SctpOptions) {
    const settings = toSettings(options);
    this.#settings = settings;
    const packetBytes = (settings.mtu - settings.lowerLayerBytes) & ~3;
    if (packetBytes < MIN_PACKET_BYTES || packetBytes > 65_532) {
      throw sctpStateError('sctp/packet-size', `packets of ${packetBytes} bytes are not possible`);
    }
    this.#cookies = new StateCookies(settings.crypto);
    this.#builder = new PacketBuilder(settings.localPort, settings.remotePort, packetBytes);
    this.#queue = new SendQueue(settings.bufferedAmountLowThresholdBytes);
    this.#timeout = new RetransmissionTimeout(settings);
    this.#localTag = this.#randomTag();
    this.#localInitialTsn = settings.initialTsn ?? getU32(settings.crypto.randomBytes(4), 0);
    this.#heartbeat = new Heartbeat(settings.heartbeatIntervalMs, getU32(settings.crypto.randomBytes(4), 0));
  }

  get state(): SctpState {
    return this.#state;
  }

  /** What both sides agreed on, from `connected` on. */
  get agreement(): Agreement | undefined {
    return this.#transfer?.agreement;
  }

  get statistics(): SctpStatistics {
    const sender = this.#transfer?.sender;
    return {
      dropped: { ...this.#dropped },
      srttMs: this.#timeout.srttMs,
      rtoMs: this.#timeout.rtoMs,
      congestionWindowBytes: sender?.congestionWindowBytes ?? 0,
      peerWindowBytes: sender?.peerWindowBytes ?? 0,
      bytesInFlight: sender?.bytesInFlight ?? 0,
      heldBytes: this.#transfer?.receiver.heldBytes ?? 0,
    };
  }

  /** Bytes given to `sendMessage` that are not sent yet, of all streams. */
  get bufferedBytes(): number {
    return this.#queue.bufferedBytes;
  }

  /** As `bufferedBytes`, of one stream. */
  bufferedBytesOf(streamId: number): number {
    return this.#queue.bufferedBytesOf(streamId);
  }

  /** When `handleTimeout` wants to be called; undefined for never. */
  nextTimeoutMs(): number | undefined {
    if (this.#isOver) return undefined;
    const transfer = this.#transfer;
    let next = Math.min(this.#setupDeadlineMs, this.#guardDeadlineMs, this.#reconfigurationDeadlineMs);
    if (transfer !== undefined) {
      const { sender, receiver } = transfer;
      next = Math.min(next, sender.deadlineMs, receiver.deadlineMs, this.#heartbeat.deadlineMs);
    }
    return next === NEVER ? undefined : next;
  }

  /** Begins the setup. Once only; nothing happens when the peer was faster. */
  start(nowMs: number): SctpEvent[] {
    if (this.#state === 'established') return this.#finish();
    if (this.#state !== 'new') throw sctpStateError('sctp/wrong-state', `start in state ${this.#state}`);
    this.#state = 'cookie-wait';
    this.#sendInit(nowMs);
    return this.#finish();
  }

  /** Whether `sendMessage` would take a message of this size now, or why not. */
  checkSend(streamId: number, sizeBytes: number): SctpStateErrorCode | undefined {
    const code = this.#checkMessage(streamId, sizeBytes);
    if (code !== undefined) return code;
    const { maxSendBufferBytes, maxStreamSendBufferBytes } = this.#settings;
    const buffered = this.#queue.bufferedBytes;
    // One message is always taken, so that limits below the size of messages do not end everything.
    if (buffered > 0 && buffered + sizeBytes > maxSendBufferBytes) return 'sctp/send-buffer-full';
    const ofStream = this.#queue.bufferedBytesOf(streamId);
    return ofStream > 0 && ofStream + sizeBytes > maxStreamSendBufferBytes ? 'sctp/send-buffer-full' : undefined;
  }

  #checkMessage(streamId: number, sizeBytes: number): SctpStateErrorCode | undefined {
    const { maxSendMessageBytes, outboundStreams } = this.#settings;
    if (this.#isOver || this.#state.startsWith('shutdown')) return 'sctp/closed';
    if (sizeBytes === 0) return 'sctp/message-empty';
    if (sizeBytes > maxSendMessageBytes) return 'sctp/message-too-large-to-send';
    return streamId < (this.#transfer?.reconfiguration.outboundStreams ?? outboundStreams)
      ? undefined
      : 'sctp/no-such-stream';
  }

  /**
   * Queues a message and sends what may go now. The bytes are not copied: they stay unchanged until the peer has
   * acknowledged them. Messages before `connected` wait for it.
   * @throws StateError with the code that `checkSend` gives
   */
  sendMessage(streamId: number, ppid: number, bytes: Uint8Array, options: SendOptions, nowMs: number): SctpEvent[] {
    const code = this.checkSend(streamId, bytes.length);
    if (code !== undefined) throw sctpStateError(code, `a message of ${bytes.length} bytes on stream ${streamId}`);
    return this.#queueMessage(new OutgoingMessage(streamId, ppid, bytes, options, nowMs), nowMs);
  }

  /**
   * As `sendMessage`, reliable and in order, beyond the limits of the send buffer: for the few bytes of a protocol above.
   * What cannot be sent at all is dropped.
   */
  sendControlMessage(streamId: number, ppid: number, bytes: Uint8Array, nowMs: number): SctpEvent[] {
    if (this.#checkMessage(streamId, bytes.length) !== undefined) return this.#finish();
    return this.#queueMessage(new OutgoingMessage(streamId, ppid, bytes, {}, nowMs), nowMs);
  }

  #queueMessage(message: OutgoingMessage, nowMs: number): SctpEvent[] {
    this.#queue.add(message);
    this.#flush(nowMs);
    return this.#finish();
  }

  /** `buffered-amount-low` of a stream comes at this amount from now on. */
  setBufferedAmountLowThreshold(streamId: number, sizeBytes: number): void {
    this.#queue.setLowThreshold(streamId, sizeBytes);
  }

  /** Share of the link of a stream beside others: 128, 256 (the default), 512 or 1024 (RFC 8831 §6.4), or any above 0. */
  setPriority(streamId: number, weight: number): void {
    this.#queue.setWeight(streamId, Math.max(1, weight));
  }

  /**
   * Resets outgoing streams after what waits on them is sent. `streams-reset` or `reset-refused` tells the end.
   * @throws StateError when not connected, or when the peer cannot reset streams
   */
  resetStreams(streamIds: readonly number[], nowMs: number): SctpEvent[] {
    this.#reconfiguration().reset(streamIds);
    this.#flush(nowMs);
    return this.#finish();
  }

  /** Asks for so many more outgoing streams. Throws as `resetStreams`. */
  addStreams(streams: number, nowMs: number): SctpEvent[] {
    this.#reconfiguration().addStreams(streams);
    this.#flush(nowMs);
    return this.#finish();
  }

  #reconfiguration(): StreamReconfiguration {
    if (this.#transfer === undefined || this.#isOver) {
      throw sctpStateError('sctp/wrong-state', `streams are not there in state ${this.#state}`);
    }
    if (!this.#transfer.agreement.hasReConfig) {
      throw sctpStateError('sctp/no-reconfiguration', 'the peer cannot reset streams');
    }
    return this.#transfer.reconfiguration;
  }

  /** Drops messages of a stream of which nothing was sent. */
  discardMessages(streamId: number): SctpEvent[] {
    this.#queue.discard(streamId);
    this.#reportLowStreams();
    return this.#finish();
  }

  /** Gives no messages until `resumeReceiving`: they are kept, and the window of the peer closes. */
  pauseReceiving(): void {
    this.#isPaused = true;
    if (this.#transfer !== undefined) this.#transfer.receiver.isPaused = true;
  }

  /** Gives the messages kept, and opens the window again. */
  resumeReceiving(nowMs: number): SctpEvent[] {
    this.#isPaused = false;
    if (this.#transfer === undefined || this.#isOver) return this.#finish();
    const { receiver } = this.#transfer;
    receiver.isPaused = false;
    this.#deliver();
    receiver.checkWindow();
    this.#flush(nowMs);
    return this.#finish();
  }

  /** Ends in good order: what is queued is sent first. `closed` follows. Any time, any number of times. */
  close(nowMs: number): SctpEvent[] {
    if (this.#state === 'established') {
      this.#state = 'shutdown-pending';
      this.#guardDeadlineMs = nowMs + SHUTDOWN_GUARD_TIMEOUTS * this.#settings.maxRtoMs;
      this.#flush(nowMs);
    } else if (this.#state === 'new' || this.#state === 'cookie-wait' || this.#state === 'cookie-echoed') this.#end();
    return this.#finish();
  }

  /** Ends at once, with an ABORT for the peer. `closed` follows. Any time, any number of times. */
  abort(reason = ''): SctpEvent[] {
    if (this.#isOver) return this.#finish();
    const value = new TextEncoder().encode(reason);
    this.#sendAbort({ code: ERROR_CAUSE.userAbort, value: value.subarray(0, MAX_ECHOED_BYTES) });
    this.#end();
    return this.#finish();
  }

  /** Input: one packet. Never throws for what is in it; keeps no view into it. */
  receive(packet: Uint8Array, nowMs: number): SctpEvent[] {
    if (this.#isOver) return this.#finish();
    if (this.#isForUs(packet)) {
      this.#readChunks(packet, nowMs);
      this.#transfer?.receiver.endPacket(nowMs);
      this.#deliver();
      this.#flush(nowMs);
    }
    return this.#finish();
  }

  /** Does what is due at `nowMs`; calling it early does nothing. */
  handleTimeout(nowMs: number): SctpEvent[] {
    if (this.#isOver) return this.#finish();
    if (nowMs >= this.#guardDeadlineMs) this.#fail('sctp/shutdown-timeout', 'the shutdown did not come to its end');
    if (nowMs >= this.#setupDeadlineMs) this.#handleSetupTimeout(nowMs);
    const transfer = this.#transfer;
    if (transfer !== undefined && !this.#isOver) this.#handleTransferTimeouts(transfer, nowMs);
    this.#flush(nowMs);
    return this.#finish();
  }

  get #isOver(): boolean {
    return this.#state === 'closed' || this.#state === 'failed';
  }

  #finish(): SctpEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #fail(code: SctpErrorCode, message: string, cause?: ErrorCause): void {
    if (this.#isOver) return;
    this.#sendAbort(cause ?? { code: ERROR_CAUSE.protocolViolation, value: new Uint8Array(0) });
    this.#failWith(sctpError(code, message));
  }

  #failWith(error: ProtocolError): void {
    this.#state = 'failed';
    this.#events.push({ type: 'failed', error });
  }

  #end(): void {
    this.#state = 'closed';
    this.#events.push({ type: 'closed' });
  }

  #randomTag(): number {
    return getU32(this.#settings.crypto.randomBytes(4), 0) || 1;
  }

  // ── Packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Length, ports, checksum and verification tag (RFC 9260 §8.5, RFC 9653 §5.3). */
  #isForUs(packet: Uint8Array): boolean {
    if (packet.length < PACKET_HEADER_BYTES + CHUNK_HEADER_BYTES) {
      this.#dropped.malformed++;
      return false;
    }
    const { sourcePort, destinationPort, verificationTag } = parsePacketHeader(packet);
    if (sourcePort !== this.#settings.remotePort || destinationPort !== this.#settings.localPort) {
      this.#dropped.ports++;
      return false;
    }
    const type = packet[PACKET_HEADER_BYTES]!;
    const mayLackChecksum = this.#settings.zeroChecksum && type !== CHUNK_TYPE.init && type !== CHUNK_TYPE.cookieEcho;
    if (!(mayLackChecksum && isChecksumZero(packet)) && !isChecksumRight(packet)) {
      this.#dropped.checksum++;
      return false;
    }
    if (this.#isTagRight(type, packet[PACKET_HEADER_BYTES + 1]!, verificationTag)) return true;
    this.#dropped.tag++;
    return false;
  }

  #isTagRight(type: number, flags: number, tag: number): boolean {
    switch (type) {
      case CHUNK_TYPE.init:
        return tag === 0;
      case CHUNK_TYPE.cookieEcho:
        // The cookie says which tag it is for.
        return true;
      case CHUNK_TYPE.abort:
      case CHUNK_TYPE.shutdownComplete:
        return (flags & FLAG_TAG_REFLECTED) !== 0
          ? this.#peerTag !== 0 && tag === this.#peerTag
          : tag === this.#localTag;
      default:
        return tag === this.#localTag;
    }
  }

  #readChunks(packet: Uint8Array, nowMs: number): void {
    let unknown = 0;
    for (let at = PACKET_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= packet.length && !this.#isOver; ) {
      const length = getU16(packet, at + 2);
      const end = at + length;
      if (length < CHUNK_HEADER_BYTES || end > packet.length) {
        this.#dropped.malformed++;
        return;
      }
      if (!this.#readChunk(packet, at, end, nowMs)) {
        const { isStop, isReported } = unknownTypeRule(packet[at]!);
        if (isReported && length <= MAX_ECHOED_BYTES && unknown++ < MAX_REPORTED_UNKNOWN && this.#peerTag !== 0) {
          this.#control.push(writeError({ code: ERROR_CAUSE.unrecognizedChunk, value: packet.slice(at, end) }));
        }
        if (isStop) return;
      }
      at += paddedSize(length);
    }
  }

  /** False for a type that is not known here. */
  #readChunk(packet: Uint8Array, at: number, end: number, nowMs: number): boolean {
    const type = packet[at]!;
    switch (type) {
      case CHUNK_TYPE.data:
      case CHUNK_TYPE.iData:
        this.#handleData(packet, at, end, type === CHUNK_TYPE.iData);
        return true;
      case CHUNK_TYPE.sack:
        this.#handleSack(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.init:
        // Alone in its packet; what follows is not looked at.
        if (at === PACKET_HEADER_BYTES) this.#handleInit(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.initAck:
        this.#handleInitAck(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.cookieEcho:
        if (at === PACKET_HEADER_BYTES) this.#handleCookieEcho(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.cookieAck:
        if (this.#state === 'cookie-echoed') this.#becomeEstablished(nowMs);
        return true;
      case CHUNK_TYPE.heartbeat:
        if (end - at <= MAX_ECHOED_BYTES && this.#transfer !== undefined) {
          this.#control.push(heartbeatAck(packet, at, end));
        }
        return true;
      case CHUNK_TYPE.heartbeatAck:
        this.#handleHeartbeatAck(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.forwardTsn:
      case CHUNK_TYPE.iForwardTsn:
        this.#handleForwardTsn(packet, at, end, type === CHUNK_TYPE.iForwardTsn);
        return true;
      case CHUNK_TYPE.reConfig:
        this.#handleReConfig(packet, at, end);
        return true;
      case CHUNK_TYPE.abort:
        this.#failWith(
          sctpError('sctp/aborted-by-peer', `the peer aborted ${describeAbort(parseCauses(packet, at, end))}`),
        );
        return true;
      case CHUNK_TYPE.error:
        this.#handleError(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.shutdown:
        this.#handleShutdown(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.shutdownAck:
        this.#handleShutdownAck(packet);
        return true;
      case CHUNK_TYPE.shutdownComplete:
        if (this.#state === 'shutdown-ack-sent') this.#end();
        return true;
      case CHUNK_TYPE.pad:
        return true;
      default:
        return false;
    }
  }

  /** A packet of its own, with a checksum. */
  #sendAlone(verificationTag: number, chunk: Uint8Array): void {
    this.#builder.begin(verificationTag);
    if (chunk.length > this.#builder.room) return;
    this.#builder.append(chunk);
    this.#events.push({ type: 'send', bytes: this.#builder.finish(false) });
  }

  #sendAbort(cause: ErrorCause): void {
    if (this.#peerTag !== 0) this.#sendAlone(this.#peerTag, writeAbort([cause]));
  }

  /** Sends control chunks, a SACK that is due, and data as far as the windows go. */
  #flush(nowMs: number): void {
    const transfer = this.#transfer;
    if (transfer === undefined || this.#isOver) return;
    const { sender, receiver, reconfiguration } = transfer;
    const builder = this.#builder;
    const isSending =
      this.#state === 'established' || this.#state === 'shutdown-pending' || this.#state === 'shutdown-received';
    for (let burst = 0; burst < MAX_BURST; ) {
      builder.begin(this.#peerTag);
      if (this.#control.length > 0) this.#fillControl();
      if (receiver.isSackDue) receiver.fillSack(builder);
      if (isSending && sender.fill(builder, nowMs)) burst++;
      if (isSending && burst < MAX_BURST) this.#fillReConfig(reconfiguration, nowMs);
      if (builder.isEmpty) break;
      this.#events.push({ type: 'send', bytes: builder.finish(transfer.agreement.isZeroChecksumTaken) });
    }
    this.#reportLowStreams();
    if (isSending) this.#goOnWithShutdown(nowMs);
  }

  #fillControl(): void {
    const builder = this.#builder;
    let sent = 0;
    for (const chunk of this.#control) {
      if (chunk.length > builder.room && !builder.isEmpty) break;
      // What does not fit into any packet is not sent at all.
      if (chunk.length <= builder.room) builder.append(chunk);
      sent++;
    }
    this.#control.splice(0, sent);
  }

  #fillReConfig(reconfiguration: StreamReconfiguration, nowMs: number): void {
    // Looked for only with room for the largest.
    if (this.#builder.room < this.#builder.capacity >> 1 && !this.#builder.isEmpty) return;
    const chunk = reconfiguration.nextChunk();
    if (chunk === undefined) return;
    this.#builder.append(chunk);
    this.#reconfigurationDeadlineMs = nowMs + this.#timeout.rtoMs;
  }

  #reportLowStreams(): void {
    const { lowStreams } = this.#queue;
    if (lowStreams.length === 0) return;
    for (const streamId of lowStreams) this.#events.push({ type: 'buffered-amount-low', streamId });
    lowStreams.length = 0;
  }

  #deliver(): void {
    const receiver = this.#transfer?.receiver;
    if (receiver === undefined) return;
    if (receiver.hasMessages) {
      for (const { streamId, ppid, isUnordered, bytes } of receiver.takeMessages()) {
        this.#events.push({ type: 'message', streamId, ppid, isUnordered, bytes });
      }
    }
    const answer = this.#transfer!.reconfiguration.handleDelivered();
    if (answer === undefined) return;
    this.#control.push(answer);
    this.#takeReconfigurationEvents();
  }

  // ── Setup ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #sendInit(nowMs: number, cookiePreservativeMs?: number): void {
    const { receiveWindowBytes } = this.#settings;
    const ours = { tag: this.#localTag, initialTsn: this.#localInitialTsn, windowBytes: receiveWindowBytes };
    const setup = ourSetup(this.#settings, ours);
    this.#sendAlone(
      0,
      writeSetupChunk('init', cookiePreservativeMs === undefined ? setup : { ...setup, cookiePreservativeMs }),
    );
    this.#setSetupTimer(nowMs);
  }

  #setSetupTimer(nowMs: number): void {
    const { initialRtoMs, maxRtoMs } = this.#settings;
    this.#setupDeadlineMs = nowMs + Math.min(maxRtoMs, initialRtoMs * 2 ** this.#setupAttempts);
  }

  #handleSetupTimeout(nowMs: number): void {
    const isShutdown = this.#state.startsWith('shutdown');
    this.#setupAttempts++;
    const { maxSetupRetransmissions, maxRetransmissions } = this.#settings;
    if (this.#setupAttempts > (isShutdown ? maxRetransmissions : maxSetupRetransmissions)) {
      if (isShutdown) this.#fail('sctp/shutdown-timeout', 'the peer did not answer the shutdown');
      else this.#fail('sctp/setup-timeout', `the peer did not get us further than ${this.#state}`);
      return;
    }
    if (this.#state === 'cookie-wait') this.#sendInit(nowMs);
    else if (this.#state === 'cookie-echoed') this.#sendCookieEcho(nowMs);
    else if (this.#state === 'shutdown-sent') this.#sendShutdown(nowMs);
    else if (this.#state === 'shutdown-ack-sent') this.#sendShutdownAck(nowMs);
    else this.#setupDeadlineMs = NEVER;
  }

  get #tags(): TagPair | undefined {
    return this.#state === 'new' ? undefined : { local: this.#localTag, peer: this.#peerTag };
  }

  /** RFC 9260 §5.1 B, §5.2.1, §5.2.2: answers without changing anything, since anybody can send an INIT. */
  #handleInit(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const setup = parseSetupChunk(packet, at, end);
    if (setup === undefined) {
      this.#dropped.malformed++;
      return;
    }
    if (this.#state === 'shutdown-ack-sent') {
      this.#sendShutdownAck(nowMs);
      return;
    }
    const isStanding = this.#transfer !== undefined && this.#state !== 'cookie-echoed';
    const tag = isStanding ? this.#randomTag() : this.#localTag;
    const initialTsn = isStanding ? getU32(this.#settings.crypto.randomBytes(4), 0) : this.#localInitialTsn;
    const { cookieLifetimeMs, receiveWindowBytes } = this.#settings;
    const cookie = this.#cookies.seal({
      createdAtMs: nowMs,
      lifetimeMs: cookieLifetimeMs + Math.min(cookieLifetimeMs, setup.cookiePreservativeMs ?? 0),
      localTag: tag,
      localInitialTsn: initialTsn,
      tieLocalTag: this.#peerTag === 0 ? 0 : this.#localTag,
      tiePeerTag: this.#peerTag,
      agreement: agreementWith(this.#settings, setup),
    });
    const ours = ourSetup(this.#settings, { tag, initialTsn, windowBytes: receiveWindowBytes });
    const { initiateTag, unrecognized } = setup;
    this.#sendAlone(initiateTag, writeSetupChunk('initAck', { ...ours, cookie, unrecognized }));
  }

  #handleInitAck(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    if (this.#state !== 'cookie-wait') return;
    const setup = parseSetupChunk(packet, at, end);
    if (setup?.cookie === undefined) {
      this.#peerTag = setup?.initiateTag ?? 0;
      const cause = { code: ERROR_CAUSE.invalidParameter, value: new Uint8Array(0) };
      this.#fail('sctp/bad-setup', 'INIT ACK is malformed or has no cookie', cause);
      return;
    }
    this.#peerTag = setup.initiateTag;
    this.#prepare(agreementWith(this.#settings, setup), this.#localInitialTsn);
    this.#state = 'cookie-echoed';
    this.#cookieEcho = cookieEchoOf(setup);
    this.#setupAttempts = 0;
    this.#sendCookieEcho(nowMs);
  }

  #sendCookieEcho(nowMs: number): void {
    if (this.#cookieEcho !== undefined) this.#sendAlone(this.#peerTag, this.#cookieEcho);
    this.#setSetupTimer(nowMs);
  }

  #handleCookieEcho(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const cookie = this.#cookies.open(packet.subarray(at + CHUNK_HEADER_BYTES, end));
    if (cookie === undefined || cookie.localTag !== getU32(packet, 4)) {
      this.#dropped.tag++;
      return;
    }
    const isSettingUp = this.#state === 'new' || this.#state === 'cookie-wait' || this.#state === 'cookie-echoed';
    const verdict = judgeCookie(cookie, this.#tags, !isSettingUp, nowMs);
    const { peerTag } = cookie.agreement;
    switch (verdict) {
      case 'discard':
        return;
      case 'stale': {
        const staleUs = Math.min(0xffff_ffff, (nowMs - cookie.createdAtMs - cookie.lifetimeMs) * 1000);
        this.#sendAlone(peerTag, writeError({ code: ERROR_CAUSE.staleCookie, value: numberValue(staleUs) }));
        return;
      }
      case 'restart':
        if (this.#state === 'shutdown-ack-sent') this.#sendShutdownAck(nowMs);
        else this.#restart(cookie, nowMs);
        break;
      case 'establish':
        this.#peerTag = peerTag;
        this.#localTag = cookie.localTag;
        this.#prepare(cookie.agreement, cookie.localInitialTsn);
        this.#becomeEstablished(nowMs);
        break;
      case 'acknowledge':
        break;
    }
    this.#control.unshift(Uint8Array.of(CHUNK_TYPE.cookieAck, 0, 0, CHUNK_HEADER_BYTES));
  }

  /** RFC 9260 §5.2.4.1: the peer has forgotten the association and everything in it. */
  #restart(cookie: CookieState, nowMs: number): void {
    this.#peerTag = cookie.agreement.peerTag;
    this.#localTag = cookie.localTag;
    this.#control = [];
    this.#queue.startOver();
    this.#prepare(cookie.agreement, cookie.localInitialTsn);
    this.#errors = 0;
    this.#guardDeadlineMs = NEVER;
    this.#setupDeadlineMs = NEVER;
    this.#reconfigurationDeadlineMs = NEVER;
    this.#state = 'established';
    this.#heartbeat.postpone(nowMs);
    const { outboundStreams, inboundStreams } = cookie.agreement;
    this.#events.push({ type: 'restarted', outboundStreams, inboundStreams });
  }

  #prepare(agreement: Agreement, localInitialTsn: number): void {
    const { isInterleaved, hasForwardTsn, peerInitialTsn, peerWindowBytes } = agreement;
    const { receiveWindowBytes, maxReceiveMessageBytes, delayedSackMs } = this.#settings;
    this.#queue.setInterleaved(isInterleaved);
    const sender = new DataSender(
      {
        initialTsn: localInitialTsn,
        isInterleaved,
        hasForwardTsn,
        packetBytes: this.#builder.capacity + PACKET_HEADER_BYTES,
        peerWindowBytes,
      },
      this.#queue,
      this.#timeout,
    );
    const receiver = new DataReceiver({
      initialTsn: peerInitialTsn,
      isInterleaved,
      windowBytes: receiveWindowBytes,
      maxMessageBytes: maxReceiveMessageBytes,
      delayedSackMs,
    });
    receiver.isPaused = this.#isPaused;
    const queue = this.#queue;
    const around: ReconfiguredAssociation = {
      isDrained: (id) => queue.isEmpty(id),
      pauseStream: (id) => queue.pause(id),
      restartStream: (id, isReset) => queue.restart(id, isReset),
      get lastAssignedTsn() {
        return sender.lastAssignedTsn;
      },
      isDelivered: (tsn) => receiver.hasAllUpTo(tsn) && !receiver.hasUndelivered,
      resetInbound: (ids) => receiver.reset(ids),
    };
    const reconfiguration = new StreamReconfiguration(around, {
      localTsn: localInitialTsn,
      peerTsn: peerInitialTsn,
      outboundStreams: agreement.outboundStreams,
      inboundStreams: agreement.inboundStreams,
    });
    this.#transfer = { agreement, sender, receiver, reconfiguration };
  }

  #becomeEstablished(nowMs: number): void {
    this.#state = 'established';
    this.#setupDeadlineMs = NEVER;
    this.#setupAttempts = 0;
    this.#cookieEcho = undefined;
    this.#heartbeat.postpone(nowMs);
    const { outboundStreams, inboundStreams } = this.#transfer!.agreement;
    this.#events.push({ type: 'connected', outboundStreams, inboundStreams });
  }

  #handleError(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    if (this.#state !== 'cookie-echoed') return;
    const stale = parseCauses(packet, at, end).find(({ code }) => code === ERROR_CAUSE.staleCookie);
    if (stale === undefined) return;
    // RFC 9260 §5.2.6: a new cookie, with a longer life.
    if (++this.#staleCookies > MAX_STALE_COOKIES) {
      this.#fail('sctp/stale-cookie', 'the peer found every cookie too old');
      return;
    }
    this.#state = 'cookie-wait';
    this.#transfer = undefined;
    this.#peerTag = 0;
    this.#setupAttempts = 0;
    this.#sendInit(nowMs, Math.ceil(2 * staleMsOf(stale)) + 1000);
  }

  // ── Data ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether chunks of data are taken (RFC 9260 §6). */
  get #isReceiving(): boolean {
    return this.#state === 'established' || this.#state === 'shutdown-pending' || this.#state === 'shutdown-sent';
  }

  #handleData(packet: Uint8Array, at: number, end: number, isInterleaved: boolean): void {
    const transfer = this.#transfer;
    if (transfer === undefined || !this.#isReceiving) return;
    const header = this.#data;
    if (isInterleaved !== transfer.agreement.isInterleaved) {
      this.#fail('sctp/protocol-violation', 'DATA and I-DATA are not what was agreed on');
      return;
    }
    if (!(isInterleaved ? readInterleavedData : readData)(packet, at, end, header)) {
      this.#fail('sctp/protocol-violation', 'a chunk of data is shorter than its header');
    } else if (header.payloadStart === header.payloadEnd) {
      const cause = { code: ERROR_CAUSE.noUserData, value: numberValue(header.tsn) };
      this.#fail('sctp/no-user-data', 'a chunk of data without data', cause);
    } else if (header.streamId >= transfer.reconfiguration.inboundStreams) {
      transfer.receiver.acknowledgeOnly(header.tsn);
      const value = invalidStreamValue(header.streamId);
      if (this.#control.length < MAX_REPORTED_UNKNOWN) {
        this.#control.push(writeError({ code: ERROR_CAUSE.invalidStream, value }));
      }
    } else {
      const code = transfer.receiver.receive(header, packet);
      if (code !== undefined) {
        this.#fail(code, 'the peer sent more than it may', {
          code: ERROR_CAUSE.outOfResource,
          value: new Uint8Array(0),
        });
      }
    }
  }

  #handleForwardTsn(packet: Uint8Array, at: number, end: number, isInterleaved: boolean): void {
    const transfer = this.#transfer;
    if (transfer === undefined || !this.#isReceiving) return;
    const forward = parseForwardTsn(packet, at, end);
    if (forward === undefined || isInterleaved !== transfer.agreement.isInterleaved) {
      this.#fail('sctp/protocol-violation', 'FORWARD-TSN is malformed or not of the kind agreed on');
      return;
    }
    transfer.receiver.forward(forward);
  }

  #handleSack(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const sender = this.#transfer?.sender;
    if (sender === undefined || this.#state === 'cookie-echoed') return;
    if (!readSack(packet, at, end, this.#sack)) {
      this.#dropped.malformed++;
      return;
    }
    const kind = sender.handleSack(this.#sack, packet, nowMs);
    if (kind === 'invalid') this.#fail('sctp/protocol-violation', 'a TSN was acknowledged that was never sent');
    else if (kind === 'new' || (kind === 'empty' && this.#sack.receiveWindowBytes === 0)) this.#hear(nowMs);
  }

  /** The path works: something of ours was acknowledged, or a closed window told (RFC 9260 §6.1 A, §8.1). */
  #hear(nowMs: number): void {
    this.#errors = 0;
    this.#heartbeat.postpone(nowMs);
  }

  #handleHeartbeatAck(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const rttMs = this.#heartbeat.handleAck(packet, at, end, nowMs);
    if (rttMs === undefined) return;
    this.#errors = 0;
    this.#timeout.measure(rttMs);
  }

  #handleReConfig(packet: Uint8Array, at: number, end: number): void {
    const transfer = this.#transfer;
    if (transfer === undefined || !this.#isReceiving) return;
    const parameters = parseReConfig(packet, at, end);
    if (parameters === undefined) {
      this.#dropped.malformed++;
      return;
    }
    // Messages before the reset come before the event that tells of it.
    this.#deliver();
    const answer = transfer.reconfiguration.handle(parameters);
    if (answer !== undefined) this.#control.push(answer);
    if (!transfer.reconfiguration.isWaiting) this.#reconfigurationDeadlineMs = NEVER;
    this.#takeReconfigurationEvents();
  }

  #takeReconfigurationEvents(): void {
    const { events } = this.#transfer!.reconfiguration;
    for (const event of events) this.#events.push(event);
    events.length = 0;
  }

  #handleTransferTimeouts({ sender, receiver, reconfiguration }: Transfer, nowMs: number): void {
    if (nowMs >= sender.deadlineMs) {
      this.#countError();
      sender.handleTimeout(nowMs);
    }
    if (nowMs >= receiver.deadlineMs) receiver.handleTimeout();
    if (nowMs >= this.#reconfigurationDeadlineMs) {
      const chunk = reconfiguration.repeat();
      this.#reconfigurationDeadlineMs = NEVER;
      if (chunk !== undefined) {
        this.#countError();
        this.#timeout.backOff();
        this.#control.push(chunk);
        this.#reconfigurationDeadlineMs = nowMs + this.#timeout.rtoMs;
      }
    }
    if (nowMs >= this.#heartbeat.deadlineMs && this.#state === 'established') {
      if (this.#heartbeat.isUnanswered) {
        this.#countError();
        this.#timeout.backOff();
      }
      this.#control.push(this.#heartbeat.probe(nowMs, this.#timeout.rtoMs));
    }
  }

  #countError(): void {
    this.#errors++;
    if (this.#errors <= this.#settings.maxRetransmissions) return;
    this.#fail('sctp/path-failed', `${this.#errors} timeouts in a row`);
  }

  // ── Shutdown ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** RFC 9260 §9.2: when everything is acknowledged, the next step. */
  #goOnWithShutdown(nowMs: number): void {
    if (this.#state === 'established') return;
    const { sender } = this.#transfer!;
    if (this.#queue.bufferedBytes > 0 || !sender.isAllAcknowledged) return;
    this.#setupAttempts = 0;
    if (this.#state === 'shutdown-pending') {
      this.#state = 'shutdown-sent';
      this.#sendShutdown(nowMs);
    } else if (this.#state === 'shutdown-received') {
      this.#state = 'shutdown-ack-sent';
      this.#sendShutdownAck(nowMs);
    }
  }

  #sendShutdown(nowMs: number): void {
    const chunk = Uint8Array.of(CHUNK_TYPE.shutdown, 0, 0, 8, 0, 0, 0, 0);
    setU32(chunk, 4, this.#transfer!.receiver.cumulativeTsn);
    this.#sendAlone(this.#peerTag, chunk);
    this.#setSetupTimer(nowMs);
  }

  #sendShutdownAck(nowMs: number): void {
    this.#sendAlone(this.#peerTag, Uint8Array.of(CHUNK_TYPE.shutdownAck, 0, 0, CHUNK_HEADER_BYTES));
    this.#setSetupTimer(nowMs);
  }

  #handleShutdown(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const transfer = this.#transfer;
    if (transfer === undefined || end - at < 8) return;
    if (this.#state === 'shutdown-sent') {
      // Both at once.
      this.#state = 'shutdown-ack-sent';
      this.#setupAttempts = 0;
      this.#sendShutdownAck(nowMs);
      return;
    }
    if (this.#state === 'shutdown-ack-sent') {
      this.#sendShutdownAck(nowMs);
      return;
    }
    if (this.#state === 'established' || this.#state === 'shutdown-pending') {
      this.#state = 'shutdown-received';
      this.#guardDeadlineMs = nowMs + SHUTDOWN_GUARD_TIMEOUTS * this.#settings.maxRtoMs;
    }
    if (this.#state !== 'shutdown-received') return;
    // It acknowledges like a SACK without gaps.
    const sack = this.#sack;
    sack.cumulativeTsn = getU32(packet, at + 4);
    sack.receiveWindowBytes = transfer.sender.peerWindowBytes;
    sack.gapBlocks = 0;
    sack.gapBlocksAt = end;
    if (transfer.sender.handleSack(sack, packet, nowMs) === 'new') this.#hear(nowMs);
  }

  #handleShutdownAck(packet: Uint8Array): void {
    if (this.#state === 'shutdown-sent' || this.#state === 'shutdown-ack-sent') {
      this.#sendAlone(this.#peerTag, Uint8Array.of(CHUNK_TYPE.shutdownComplete, 0, 0, CHUNK_HEADER_BYTES));
      this.#end();
    } else if (this.#state === 'cookie-wait' || this.#state === 'cookie-echoed') {
      // Of an earlier association (RFC 9260 §8.5.1 E).
      const chunk = Uint8Array.of(CHUNK_TYPE.shutdownComplete, FLAG_TAG_REFLECTED, 0, CHUNK_HEADER_BYTES);
      this.#sendAlone(getU32(packet, 4), chunk);
    }
  }
}

function cookieEchoOf(setup: SetupChunk): Uint8Array {
  const cookie = setup.cookie!;
  const chunk = new Uint8Array(CHUNK_HEADER_BYTES + cookie.length);
  chunk[0] = CHUNK_TYPE.cookieEcho;
  setU16(chunk, 2, chunk.length);
  chunk.set(cookie, CHUNK_HEADER_BYTES);
  return chunk;
}
