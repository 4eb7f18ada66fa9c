import { getU32 } from '../../wire/big-endian.ts';
import type { ProtocolError } from '../../wire/errors.ts';
import { ERROR_CAUSE, type ErrorCause, writeAbort } from './error-cause.ts';
import { Heartbeat } from './heartbeat.ts';
import { PACKET_HEADER_BYTES, PacketBuilder } from './packet-builder.ts';
import { type DroppedPackets, PacketFilter, type TagPair } from './packet-filter.ts';
import { RetransmissionTimeout } from './retransmission-timeout.ts';
import { type SctpErrorCode, sctpError, sctpStateError } from './sctp-error.ts';
import type { SctpEvent } from './sctp-event.ts';
import type { SctpSettings } from './sctp-options.ts';
import { SendQueue } from './send-queue.ts';
import type { Agreement } from './state-cookie.ts';
import { createTransfer, type Transfer } from './transfer.ts';

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

/** Below this the largest control chunks would not fit. */
const MIN_PACKET_BYTES = 576;
const MAX_PACKET_BYTES = 65_532;

/** What the parts of an association share: its state, its tags, and the way out. */
export class AssociationContext {
  readonly settings: SctpSettings;
  readonly filter: PacketFilter;
  readonly builder: PacketBuilder;
  readonly queue: SendQueue;
  readonly timeout: RetransmissionTimeout;
  readonly heartbeat: Heartbeat;
  /** Chunks to send with the next packets. */
  readonly control: Uint8Array[] = [];
  state: SctpState = 'new';
  localTag: number;
  localInitialTsn: number;
  /** 0 while it is not known. */
  peerTag = 0;
  transfer: Transfer | undefined;
  /** Nobody takes messages for now. */
  isPaused = false;
  /** When INIT, COOKIE ECHO, SHUTDOWN or SHUTDOWN ACK is sent again (T1, T2); Infinity for never. */
  resendDeadlineMs: number = Number.POSITIVE_INFINITY;
  /** How often it was. */
  resends = 0;
  /** When the shutdown has to be over (T5). */
  guardDeadlineMs: number = Number.POSITIVE_INFINITY;
  /** When the request to reconfigure is sent again. */
  reconfigurationDeadlineMs: number = Number.POSITIVE_INFINITY;
  /** Timeouts in a row. */
  errors = 0;
  #events: SctpEvent[] = [];

  constructor(settings: SctpSettings) {
    const packetBytes = (settings.mtu - settings.lowerLayerBytes) & ~3;
    if (packetBytes < MIN_PACKET_BYTES || packetBytes > MAX_PACKET_BYTES) {
      throw sctpStateError('sctp/packet-size', `packets of ${packetBytes} bytes are not possible`);
    }
    this.settings = settings;
    this.filter = new PacketFilter(settings);
    this.builder = new PacketBuilder(settings.localPort, settings.remotePort, packetBytes);
    this.queue = new SendQueue(settings.bufferedAmountLowThresholdBytes);
    this.timeout = new RetransmissionTimeout(settings);
    this.localTag = this.randomTag();
    this.localInitialTsn = settings.initialTsn ?? this.randomNumber();
    this.heartbeat = new Heartbeat(settings.heartbeatIntervalMs, this.randomNumber());
  }

  get dropped(): DroppedPackets {
    return this.filter.dropped;
  }

  get tags(): TagPair {
    return { local: this.localTag, peer: this.peerTag };
  }

  get isOver(): boolean {
    return this.state === 'closed' || this.state === 'failed';
  }

  get isSettingUp(): boolean {
    return this.state === 'new' || this.state === 'cookie-wait' || this.state === 'cookie-echoed';
  }

  /** Whether chunks of data are taken (RFC 9260 §6). */
  get isReceiving(): boolean {
    return this.state === 'established' || this.state === 'shutdown-pending' || this.state === 'shutdown-sent';
  }

  /** Whether chunks of data are sent. */
  get isSending(): boolean {
    return this.state === 'established' || this.state === 'shutdown-pending' || this.state === 'shutdown-received';
  }

  randomNumber(): number {
    return getU32(this.settings.crypto.randomBytes(4), 0);
  }

  randomTag(): number {
    return this.randomNumber() || 1;
  }

  emit(event: SctpEvent): void {
    this.#events.push(event);
  }

  /** Everything since the last call. */
  takeEvents(): SctpEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Sends a packet of one chunk, with a checksum. */
  sendAlone(verificationTag: number, chunk: Uint8Array): void {
    this.builder.begin(verificationTag);
    if (chunk.length > this.builder.room) return;
    this.builder.append(chunk);
    this.emit({ type: 'send', bytes: this.builder.finish(false) });
  }

  sendAbort(cause: ErrorCause): void {
    if (this.peerTag !== 0) this.sendAlone(this.peerTag, writeAbort([cause]));
  }

  /** Ends the association with an ABORT to the peer. */
  fail(code: SctpErrorCode, message: string, cause?: ErrorCause): void {
    if (this.isOver) return;
    this.sendAbort(cause ?? { code: ERROR_CAUSE.protocolViolation, value: new Uint8Array(0) });
    this.failWith(sctpError(code, message));
  }

  /** Ends the association without a word. */
  failWith(error: ProtocolError): void {
    this.state = 'failed';
    this.emit({ type: 'failed', error });
  }

  /** Ends the association as both wished. */
  end(): void {
    this.state = 'closed';
    this.emit({ type: 'closed' });
  }

  /** Makes a transfer of what was agreed on. */
  prepare(agreement: Agreement): void {
    const { settings, localInitialTsn, queue, timeout } = this;
    const packetBytes = this.builder.capacity + PACKET_HEADER_BYTES;
    this.transfer = createTransfer({ settings, agreement, localInitialTsn, packetBytes, queue, timeout });
    this.transfer.receiver.isPaused = this.isPaused;
  }

  /** Starts T1 or T2, for longer each time it expires. */
  startResendTimer(nowMs: number): void {
    const { initialRtoMs, maxRtoMs } = this.settings;
    this.resendDeadlineMs = nowMs + Math.min(maxRtoMs, initialRtoMs * 2 ** this.resends);
  }

  /** Counts a timeout; too many in a row end the association (RFC 9260 §8.1). */
  countError(): void {
    this.errors++;
    if (this.errors <= this.settings.maxRetransmissions) return;
    this.fail('sctp/path-failed', `${this.errors} timeouts in a row`);
  }

  /** The path works: something of ours was acknowledged, or a closed window told (RFC 9260 §6.1 A, §8.1). */
  hear(nowMs: number): void {
    this.errors = 0;
    this.heartbeat.postpone(nowMs);
  }

  /** Tells of streams whose amount has fallen. */
  reportLowStreams(): void {
    const { lowStreams } = this.queue;
    if (lowStreams.length === 0) return;
    for (const streamId of lowStreams) this.emit({ type: 'buffered-amount-low', streamId });
    lowStreams.length = 0;
  }
}
