import { getU32, setU32 } from '../../wire/big-endian.ts';
import type { AssociationContext } from './association-context.ts';
import { CHUNK_TYPE, FLAG_TAG_REFLECTED } from './chunk-type.ts';
import { CHUNK_HEADER_BYTES, PACKET_HEADER_BYTES } from './packet-builder.ts';
import { sackHeader } from './sack-chunk.ts';

/** The shutdown as a whole may take so many maximal timeouts (RFC 9260 §9.2, T5). */
const GUARD_TIMEOUTS = 5;

const SHUTDOWN_BYTES = 8;

/** Ends the association in good order: first what is queued, then three messages (RFC 9260 §9.2). */
export class AssociationShutdown {
  readonly #context: AssociationContext;
  readonly #sack = sackHeader();

  constructor(context: AssociationContext) {
    this.#context = context;
  }

  /** Our user wishes the end. */
  begin(nowMs: number): void {
    this.#context.state = 'shutdown-pending';
    this.#startGuard(nowMs);
  }

  #startGuard(nowMs: number): void {
    this.#context.guardDeadlineMs = nowMs + GUARD_TIMEOUTS * this.#context.settings.maxRtoMs;
  }

  /** Goes on when everything is sent and acknowledged. */
  goOn(nowMs: number): void {
    const context = this.#context;
    if (context.state !== 'shutdown-pending' && context.state !== 'shutdown-received') return;
    if (context.queue.bufferedBytes > 0 || !context.transfer!.sender.isAllAcknowledged) return;
    context.resends = 0;
    if (context.state === 'shutdown-pending') {
      context.state = 'shutdown-sent';
      this.#sendShutdown(nowMs);
    } else {
      context.state = 'shutdown-ack-sent';
      this.sendAck(nowMs);
    }
  }

  /** T2 expired. */
  resend(nowMs: number): void {
    const context = this.#context;
    context.resends++;
    if (context.resends > context.settings.maxRetransmissions) {
      context.fail('sctp/shutdown-timeout', 'the peer did not answer the shutdown');
    } else if (context.state === 'shutdown-sent') this.#sendShutdown(nowMs);
    else if (context.state === 'shutdown-ack-sent') this.sendAck(nowMs);
    else context.resendDeadlineMs = Number.POSITIVE_INFINITY;
  }

  #sendShutdown(nowMs: number): void {
    const context = this.#context;
    const chunk = Uint8Array.of(CHUNK_TYPE.shutdown, 0, 0, SHUTDOWN_BYTES, 0, 0, 0, 0);
    setU32(chunk, 4, context.transfer!.receiver.cumulativeTsn);
    context.sendAlone(context.peerTag, chunk);
    context.startResendTimer(nowMs);
  }

  sendAck(nowMs: number): void {
    const context = this.#context;
    context.sendAlone(context.peerTag, Uint8Array.of(CHUNK_TYPE.shutdownAck, 0, 0, CHUNK_HEADER_BYTES));
    context.startResendTimer(nowMs);
  }

  handleShutdown(packet: Uint8Array, at: number, end: number, nowMs: number): void {
    const context = this.#context;
    const { transfer } = context;
    if (transfer === undefined || end - at < SHUTDOWN_BYTES) return;
    if (context.state === 'shutdown-sent' || context.state === 'shutdown-ack-sent') {
      // Both at once.
      if (context.state === 'shutdown-sent') context.resends = 0;
      context.state = 'shutdown-ack-sent';
      this.sendAck(nowMs);
      return;
    }
    if (context.state === 'established' || context.state === 'shutdown-pending') {
      context.state = 'shutdown-received';
      this.#startGuard(nowMs);
    }
    if (context.state !== 'shutdown-received') return;
    // It acknowledges like a SACK without gaps.
    const sack = this.#sack;
    sack.cumulativeTsn = getU32(packet, at + 4);
    sack.receiveWindowBytes = transfer.sender.peerWindowBytes;
    sack.gapBlocks = 0;
    sack.gapBlocksAt = end;
    if (transfer.sender.handleSack(sack, packet, nowMs) === 'new') context.hear(nowMs);
  }

  handleAck(packet: Uint8Array): void {
    const context = this.#context;
    if (context.state === 'shutdown-sent' || context.state === 'shutdown-ack-sent') {
      context.sendAlone(context.peerTag, Uint8Array.of(CHUNK_TYPE.shutdownComplete, 0, 0, CHUNK_HEADER_BYTES));
      context.end();
    } else if (context.state === 'cookie-wait' || context.state === 'cookie-echoed') {
      // Of an earlier association (§8.5.1 E).
      const chunk = Uint8Array.of(CHUNK_TYPE.shutdownComplete, FLAG_TAG_REFLECTED, 0, CHUNK_HEADER_BYTES);
      context.sendAlone(getU32(packet, 4), chunk);
    }
  }

  /** After the end: the peer asks for the SHUTDOWN COMPLETE that it has not got (§8.4, rule 5). */
  answerLate(packet: Uint8Array): void {
    const context = this.#context;
    if (packet[PACKET_HEADER_BYTES] !== CHUNK_TYPE.shutdownAck) return;
    context.sendAlone(context.peerTag, Uint8Array.of(CHUNK_TYPE.shutdownComplete, 0, 0, CHUNK_HEADER_BYTES));
  }

  handleComplete(): void {
    if (this.#context.state === 'shutdown-ack-sent') this.#context.end();
  }
}
