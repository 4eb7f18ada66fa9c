import { AssociationContext, type SctpState } from './association-context.ts';
import { AssociationHandshake } from './association-handshake.ts';
import { AssociationShutdown } from './association-shutdown.ts';
import { ERROR_CAUSE } from './error-cause.ts';
import { OutgoingMessage, type SendOptions } from './outgoing-message.ts';
import type { DroppedPackets } from './packet-filter.ts';
import { PacketInput } from './packet-input.ts';
import { type SctpStateErrorCode, sctpStateError } from './sctp-error.ts';
import type { SctpEvent } from './sctp-event.ts';
import { MAX_ECHOED_BYTES, MAX_QUEUED_MESSAGES } from './sctp-limits.ts';
import { type SctpOptions, toSettings } from './sctp-options.ts';
import type { Agreement } from './state-cookie.ts';
import type { StreamReconfiguration } from './stream-reconfiguration.ts';
import type { Transfer } from './transfer.ts';

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

/** Packets with data that one call gives (RFC 9260 §6.1 D, Max.Burst). */
const MAX_BURST = 4;

/**
 * One SCTP association over DTLS (RFC 9260, 8261) with partial reliability (RFC 3758), stream reset (RFC 6525), message
 * interleaving (RFC 8260) and zero checksum (RFC 9653). Each datagram of the layer below is one packet. Both sides may
 * `start`; one that does not answers the other. One path: addresses in INIT are ignored, HOST NAME and ASCONF too.
 */
export class SctpAssociation {
  readonly #context: AssociationContext;
  readonly #handshake: AssociationHandshake;
  readonly #shutdown: AssociationShutdown;
  readonly #input: PacketInput;

  constructor(options: SctpOptions) {
    this.#context = new AssociationContext(toSettings(options));
    this.#handshake = new AssociationHandshake(this.#context);
    this.#shutdown = new AssociationShutdown(this.#context);
    this.#input = new PacketInput(this.#context, this.#handshake, this.#shutdown);
  }

  get state(): SctpState {
    return this.#context.state;
  }

  /** What both sides agreed on, from `connected` on. */
  get agreement(): Agreement | undefined {
    return this.#context.transfer?.agreement;
  }

  get statistics(): SctpStatistics {
    const sender = this.#context.transfer?.sender;
    return {
      dropped: { ...this.#context.dropped },
      srttMs: this.#context.timeout.srttMs,
      rtoMs: this.#context.timeout.rtoMs,
      congestionWindowBytes: sender?.congestionWindowBytes ?? 0,
      peerWindowBytes: sender?.peerWindowBytes ?? 0,
      bytesInFlight: sender?.bytesInFlight ?? 0,
      heldBytes: this.#context.transfer?.receiver.heldBytes ?? 0,
    };
  }

  /** Bytes given to `sendMessage` that are not sent yet, of all streams. */
  get bufferedBytes(): number {
    return this.#context.queue.bufferedBytes;
  }

  /** As `bufferedBytes`, of one stream. */
  bufferedBytesOf(streamId: number): number {
    return this.#context.queue.bufferedBytesOf(streamId);
  }

  /** When `handleTimeout` wants to be called; undefined for never. */
  nextTimeoutMs(): number | undefined {
    if (this.#context.isOver) return undefined;
    const { transfer, state, heartbeat, resendDeadlineMs, guardDeadlineMs, reconfigurationDeadlineMs } = this.#context;
    let next = Math.min(resendDeadlineMs, guardDeadlineMs, reconfigurationDeadlineMs);
    if (transfer !== undefined) {
      next = Math.min(next, transfer.sender.deadlineMs, transfer.receiver.deadlineMs);
      if (state === 'established') next = Math.min(next, heartbeat.deadlineMs);
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** Begins the setup. Once only; nothing happens when the peer was faster. */
  start(nowMs: number): SctpEvent[] {
    const { state } = this.#context;
    if (state === 'established') return this.#context.takeEvents();
    if (state !== 'new') throw sctpStateError('sctp/wrong-state', `start in state ${state}`);
    this.#handshake.start(nowMs);
    return this.#context.takeEvents();
  }

  /** Whether `sendMessage` would take a message of this size now, or why not. */
  checkSend(streamId: number, sizeBytes: number): SctpStateErrorCode | undefined {
    const code = this.#checkMessage(streamId, sizeBytes);
    if (code !== undefined) return code;
    const { maxSendBufferBytes, maxStreamSendBufferBytes } = this.#context.settings;
    if (this.#context.queue.messageCount >= MAX_QUEUED_MESSAGES) return 'sctp/send-buffer-full';
    const buffered = this.#context.queue.bufferedBytes;
    // One message is always taken, so that limits below the size of messages do not end everything.
    if (buffered > 0 && buffered + sizeBytes > maxSendBufferBytes) return 'sctp/send-buffer-full';
    const ofStream = this.#context.queue.bufferedBytesOf(streamId);
    return ofStream > 0 && ofStream + sizeBytes > maxStreamSendBufferBytes ? 'sctp/send-buffer-full' : undefined;
  }

  #checkMessage(streamId: number, sizeBytes: number): SctpStateErrorCode | undefined {
    const { maxSendMessageBytes, outboundStreams } = this.#context.settings;
    if (this.#context.isOver || this.#context.state.startsWith('shutdown')) return 'sctp/closed';
    if (sizeBytes === 0) return 'sctp/message-empty';
    if (sizeBytes > maxSendMessageBytes) return 'sctp/message-too-large-to-send';
    return streamId < (this.#context.transfer?.reconfiguration.outboundStreams ?? outboundStreams)
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
    if (this.#checkMessage(streamId, bytes.length) !== undefined) return this.#context.takeEvents();
    return this.#queueMessage(new OutgoingMessage(streamId, ppid, bytes, {}, nowMs), nowMs);
  }

  #queueMessage(message: OutgoingMessage, nowMs: number): SctpEvent[] {
    this.#context.queue.add(message);
    this.#flush(nowMs);
    return this.#context.takeEvents();
  }

  /** `buffered-amount-low` of a stream comes at this amount from now on. */
  setBufferedAmountLowThreshold(streamId: number, sizeBytes: number): void {
    this.#context.queue.setLowThreshold(streamId, sizeBytes);
  }

  /** Share of the link of a stream beside others: 128, 256 (the default), 512 or 1024 (RFC 8831 §6.4), or any above 0. */
  setPriority(streamId: number, weight: number): void {
    this.#context.queue.setWeight(streamId, Math.max(1, weight));
  }

  /**
   * Resets outgoing streams after what waits on them is sent. `streams-reset` or `reset-refused` tells the end.
   * @throws StateError when not connected, or when the peer cannot reset streams
   */
  resetStreams(streamIds: readonly number[], nowMs: number): SctpEvent[] {
    this.#reconfiguration().reset(streamIds);
    this.#flush(nowMs);
    return this.#context.takeEvents();
  }

  /** Asks for so many more outgoing streams. Throws as `resetStreams`. */
  addStreams(streams: number, nowMs: number): SctpEvent[] {
    this.#reconfiguration().addStreams(streams);
    this.#flush(nowMs);
    return this.#context.takeEvents();
  }

  #reconfiguration(): StreamReconfiguration {
    const { transfer, state, isOver } = this.#context;
    if (transfer === undefined || isOver) {
      throw sctpStateError('sctp/wrong-state', `streams are not there in state ${state}`);
    }
    if (!transfer.agreement.hasReConfig) {
      throw sctpStateError('sctp/no-reconfiguration', 'the peer cannot reset streams');
    }
    return transfer.reconfiguration;
  }

  /** Drops messages of a stream of which nothing was sent. */
  discardMessages(streamId: number): SctpEvent[] {
    this.#context.queue.discard(streamId);
    this.#context.reportLowStreams();
    return this.#context.takeEvents();
  }

  /** Gives no messages until `resumeReceiving`: they are kept, and the window of the peer closes. */
  pauseReceiving(): void {
    const { transfer } = this.#context;
    this.#context.isPaused = true;
    if (transfer !== undefined) transfer.receiver.isPaused = true;
  }

  /** Gives the messages kept, and opens the window again. */
  resumeReceiving(nowMs: number): SctpEvent[] {
    const { transfer, isOver } = this.#context;
    this.#context.isPaused = false;
    if (transfer === undefined || isOver) return this.#context.takeEvents();
    transfer.receiver.isPaused = false;
    this.#input.deliver();
    transfer.receiver.checkWindow();
    this.#flush(nowMs);
    return this.#context.takeEvents();
  }

  /** Ends in good order: what is queued is sent first. `closed` follows. Any time, any number of times. */
  close(nowMs: number): SctpEvent[] {
    if (this.#context.isSettingUp) return this.abort();
    if (this.#context.state === 'established') {
      this.#shutdown.begin(nowMs);
      this.#flush(nowMs);
    }
    return this.#context.takeEvents();
  }

  /** Ends at once, with an ABORT for the peer. `closed` follows. Any time, any number of times. */
  abort(reason = ''): SctpEvent[] {
    if (this.#context.isOver) return this.#context.takeEvents();
    const value = new TextEncoder().encode(reason);
    this.#context.sendAbort({ code: ERROR_CAUSE.userAbort, value: value.subarray(0, MAX_ECHOED_BYTES) });
    this.#context.end();
    return this.#context.takeEvents();
  }

  /** Input: one packet. Never throws for what is in it; keeps no view into it. */
  receive(packet: Uint8Array, nowMs: number): SctpEvent[] {
    if (this.#context.state === 'failed') return this.#context.takeEvents();
    if (this.#context.filter.accepts(packet, this.#context.tags)) {
      if (this.#context.state === 'closed') this.#shutdown.answerLate(packet);
      else this.#take(packet, nowMs);
    }
    return this.#context.takeEvents();
  }

  #take(packet: Uint8Array, nowMs: number): void {
    this.#input.read(packet, nowMs);
    this.#context.transfer?.receiver.endPacket(nowMs);
    this.#input.deliver();
    this.#flush(nowMs);
  }

  /** Does what is due at `nowMs`; calling it early does nothing. */
  handleTimeout(nowMs: number): SctpEvent[] {
    const context = this.#context;
    if (context.isOver) return context.takeEvents();
    if (nowMs >= context.guardDeadlineMs) context.fail('sctp/shutdown-timeout', 'the shutdown did not come to its end');
    else if (nowMs >= context.resendDeadlineMs) {
      if (context.isSettingUp) this.#handshake.resend(nowMs);
      else this.#shutdown.resend(nowMs);
    }
    if (context.transfer !== undefined && !context.isOver) this.#handleTransferTimeouts(context.transfer, nowMs);
    this.#flush(nowMs);
    return context.takeEvents();
  }

  #handleTransferTimeouts({ sender, receiver, reconfiguration }: Transfer, nowMs: number): void {
    const context = this.#context;
    if (nowMs >= sender.deadlineMs && sender.handleTimeout(nowMs)) context.countError();
    if (nowMs >= receiver.deadlineMs) receiver.handleTimeout();
    if (nowMs >= context.reconfigurationDeadlineMs) {
      const chunk = reconfiguration.repeat();
      context.reconfigurationDeadlineMs = Number.POSITIVE_INFINITY;
      if (chunk !== undefined) {
        context.countError();
        context.timeout.backOff();
        context.control.push(chunk);
        context.reconfigurationDeadlineMs = nowMs + context.timeout.rtoMs;
      }
    }
    if (nowMs >= context.heartbeat.deadlineMs && context.state === 'established') {
      if (context.heartbeat.isUnanswered) {
        context.countError();
        context.timeout.backOff();
      }
      context.control.push(context.heartbeat.probe(nowMs, context.timeout.rtoMs));
    }
  }

  /** Sends control chunks, a SACK that is due, and data as far as the windows go. */
  #flush(nowMs: number): void {
    const context = this.#context;
    const { transfer, builder } = context;
    if (transfer === undefined || context.isOver) return;
    const { sender, receiver } = transfer;
    const { isSending } = context;
    for (let burst = 0; burst < MAX_BURST; ) {
      builder.begin(context.peerTag);
      if (context.control.length > 0) this.#fillControl();
      if (receiver.isSackDue) receiver.fillSack(builder);
      if (isSending && sender.fill(builder, nowMs)) burst++;
      if (isSending && burst < MAX_BURST) this.#fillReConfig(transfer.reconfiguration, nowMs);
      if (builder.isEmpty) break;
      context.emit({ type: 'send', bytes: builder.finish(transfer.agreement.isZeroChecksumTaken) });
    }
    context.reportLowStreams();
    if (isSending) this.#shutdown.goOn(nowMs);
  }

  #fillControl(): void {
    const { builder, control } = this.#context;
    let sent = 0;
    for (const chunk of control) {
      if (chunk.length > builder.room && !builder.isEmpty) break;
      // What does not fit into any packet is not sent at all.
      if (chunk.length <= builder.room) builder.append(chunk);
      sent++;
    }
    control.splice(0, sent);
  }

  #fillReConfig(reconfiguration: StreamReconfiguration, nowMs: number): void {
    const { builder, timeout } = this.#context;
    // Looked for only with room for the largest.
    if (builder.room < builder.capacity >> 1 && !builder.isEmpty) return;
    const chunk = reconfiguration.nextChunk();
    if (chunk === undefined) return;
    builder.append(chunk);
    this.#context.reconfigurationDeadlineMs = nowMs + timeout.rtoMs;
  }
}
