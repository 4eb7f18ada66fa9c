import { getU16 } from '../../wire/big-endian.ts';
import type { AssociationContext } from './association-context.ts';
import { type AssociationHandshake, COOKIE_ACK } from './association-handshake.ts';
import type { AssociationShutdown } from './association-shutdown.ts';
import { CHUNK_TYPE, unknownTypeRule } from './chunk-type.ts';
import { dataHeader, readData, readInterleavedData } from './data-chunk.ts';
import { describeAbort, ERROR_CAUSE, invalidStreamValue, numberValue, parseCauses, writeError } from './error-cause.ts';
import { parseForwardTsn } from './forward-tsn-chunk.ts';
import { heartbeatAck } from './heartbeat.ts';
import { CHUNK_HEADER_BYTES, PACKET_HEADER_BYTES, paddedSize } from './packet-builder.ts';
import { parseReConfig } from './re-config-chunk.ts';
import { readSack, sackHeader } from './sack-chunk.ts';
import { sctpError } from './sctp-error.ts';
import { MAX_ECHOED_BYTES, MAX_REPORTED_UNKNOWN } from './sctp-limits.ts';

/** Reads the chunks of the peer's packets and does what each asks for. */
export class PacketInput {
  readonly #context: AssociationContext;
  readonly #handshake: AssociationHandshake;
  readonly #shutdown: AssociationShutdown;
  readonly #sack = sackHeader();
  readonly #data = dataHeader();

  constructor(context: AssociationContext, handshake: AssociationHandshake, shutdown: AssociationShutdown) {
    this.#context = context;
    this.#handshake = handshake;
    this.#shutdown = shutdown;
  }

  /** Reads a packet that the filter has accepted. */
  read(packet: Uint8Array, nowMs: number): void {
    const context = this.#context;
    let unknown = 0;
    for (let at = PACKET_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= packet.length && !context.isOver; ) {
      const length = getU16(packet, at + 2);
      const end = at + length;
      if (length < CHUNK_HEADER_BYTES || end > packet.length) {
        context.dropped.malformed++;
        return;
      }
      if (!this.#readChunk(packet, at, end, nowMs)) {
        const { isStop, isReported } = unknownTypeRule(packet[at]!);
        if (isReported && length <= MAX_ECHOED_BYTES && unknown++ < MAX_REPORTED_UNKNOWN && context.peerTag !== 0) {
          context.control.push(writeError({ code: ERROR_CAUSE.unrecognizedChunk, value: packet.slice(at, end) }));
        }
        if (isStop) return;
      }
      at += paddedSize(length);
    }
  }

  /** Gives the messages that are whole, then does the resets that waited for them. */
  deliver(): void {
    const context = this.#context;
    const { transfer } = context;
    if (transfer === undefined) return;
    if (transfer.receiver.hasMessages) {
      for (const { streamId, ppid, isUnordered, bytes } of transfer.receiver.takeMessages()) {
        context.emit({ type: 'message', streamId, ppid, isUnordered, bytes });
      }
    }
    const answer = transfer.reconfiguration.handleDelivered();
    if (answer === undefined) return;
    context.control.push(answer);
    this.#takeReconfigurationEvents();
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
      case CHUNK_TYPE.forwardTsn:
      case CHUNK_TYPE.iForwardTsn:
        this.#handleForwardTsn(packet, at, end, type === CHUNK_TYPE.iForwardTsn);
        return true;
      case CHUNK_TYPE.reConfig:
        this.#handleReConfig(packet, at, end);
        return true;
      case CHUNK_TYPE.heartbeat:
        this.#handleHeartbeat(packet, at, end);
        return true;
      case CHUNK_TYPE.heartbeatAck:
        this.#handleHeartbeatAck(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.pad:
        return true;
      default:
        return this.#readChunkOfSetup(packet, at, end, nowMs);
    }
  }

  /** Chunks that change the state of the association. */
  #readChunkOfSetup(packet: Uint8Array, at: number, end: number, nowMs: number): boolean {
    // INIT and COOKIE ECHO come first in their packets, which were let in for them.
    const isFirst = at === PACKET_HEADER_BYTES;
    switch (packet[at]) {
      case CHUNK_TYPE.init:
        if (!isFirst) return true;
        if (this.#context.state === 'shutdown-ack-sent') this.#shutdown.sendAck(nowMs);
        else this.#handshake.handleInit(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.initAck:
        this.#handshake.handleInitAck(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.cookieEcho:
        if (isFirst) this.#handleCookieEcho(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.cookieAck:
        if (this.#context.state === 'cookie-echoed') this.#handshake.becomeEstablished(nowMs);
        return true;
      case CHUNK_TYPE.error:
        this.#handshake.handleError(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.abort:
        this.#context.failWith(
          sctpError('sctp/aborted-by-peer', `the peer aborted ${describeAbort(parseCauses(packet, at, end))}`),
        );
        return true;
      case CHUNK_TYPE.shutdown:
        this.#shutdown.handleShutdown(packet, at, end, nowMs);
        return true;
      case CHUNK_TYPE.shutdownAck:
        this.#shutdown.handleAck(packet);
        return true;
      case CHUNK_TYPE.shutdownComplete:
        this.#shutdown.handleComplete();
        return true;
      default:
        return false;
    }
  }

  #handleCookieEcho(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const context = this.#context;
    if (this.#handshake.handleCookieEcho(packet, at, end, nowMs)) context.control.unshift(COOKIE_ACK);
  }

  #handleData(packet: Uint8Array, at: number, end: number, isInterleaved: boolean): void {
    const context = this.#context;
    const { transfer } = context;
    if (transfer === undefined || !context.isReceiving) return;
    const header = this.#data;
    if (isInterleaved !== transfer.agreement.isInterleaved) {
      context.fail('sctp/protocol-violation', 'DATA and I-DATA are not what was agreed on');
    } else if (!(isInterleaved ? readInterleavedData : readData)(packet, at, end, header)) {
      context.fail('sctp/protocol-violation', 'a chunk of data is shorter than its header');
    } else if (header.payloadStart === header.payloadEnd) {
      const cause = { code: ERROR_CAUSE.noUserData, value: numberValue(header.tsn) };
      context.fail('sctp/no-user-data', 'a chunk of data without data', cause);
    } else if (header.streamId >= transfer.reconfiguration.inboundStreams) {
      transfer.receiver.acknowledgeOnly(header.tsn);
      const value = invalidStreamValue(header.streamId);
      if (context.control.length < MAX_REPORTED_UNKNOWN) {
        context.control.push(writeError({ code: ERROR_CAUSE.invalidStream, value }));
      }
    } else {
      const code = transfer.receiver.receive(header, packet);
      if (code === undefined) return;
      context.fail(code, 'the peer sent more than it may', {
        code: ERROR_CAUSE.outOfResource,
        value: new Uint8Array(0),
      });
    }
  }

  #handleForwardTsn(packet: Uint8Array, at: number, end: number, isInterleaved: boolean): void {
    const context = this.#context;
    const { transfer } = context;
    if (transfer === undefined || !context.isReceiving) return;
    const forward = parseForwardTsn(packet, at, end);
    if (forward === undefined || isInterleaved !== transfer.agreement.isInterleaved) {
      context.fail('sctp/protocol-violation', 'FORWARD-TSN is malformed or not of the kind agreed on');
      return;
    }
    transfer.receiver.forward(forward);
  }

  #handleSack(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const context = this.#context;
    const sender = context.transfer?.sender;
    if (sender === undefined || context.state === 'cookie-echoed') return;
    if (!readSack(packet, at, end, this.#sack)) {
      context.dropped.malformed++;
      return;
    }
    const kind = sender.handleSack(this.#sack, packet, nowMs);
    if (kind === 'invalid') context.fail('sctp/protocol-violation', 'a TSN was acknowledged that was never sent');
    else if (kind === 'new' || (kind === 'empty' && this.#sack.receiveWindowBytes === 0)) context.hear(nowMs);
  }

  #handleHeartbeat(packet: Uint8Array, at: number, end: number): void {
    const context = this.#context;
    if (end - at > MAX_ECHOED_BYTES || context.transfer === undefined) return;
    context.control.push(heartbeatAck(packet, at, end));
  }

  #handleHeartbeatAck(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const context = this.#context;
    const rttMs = context.heartbeat.handleAck(packet, at, end, nowMs);
    if (rttMs === undefined) return;
    context.errors = 0;
    context.timeout.measure(rttMs);
  }

  #handleReConfig(packet: Uint8Array, at: number, end: number): void {
    const context = this.#context;
    const { transfer } = context;
    if (transfer === undefined || !context.isReceiving) return;
    const parameters = parseReConfig(packet, at, end);
    if (parameters === undefined) {
      context.dropped.malformed++;
      return;
    }
    // Messages before the reset come before the event that tells of it.
    this.deliver();
    const answer = transfer.reconfiguration.handle(parameters);
    if (answer !== undefined) context.control.push(answer);
    if (!transfer.reconfiguration.isWaiting) context.reconfigurationDeadlineMs = Number.POSITIVE_INFINITY;
    this.#takeReconfigurationEvents();
  }

  #takeReconfigurationEvents(): void {
    const context = this.#context;
    const { events } = context.transfer!.reconfiguration;
    for (const event of events) context.emit(event);
    events.length = 0;
  }
}
