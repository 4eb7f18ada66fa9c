import { CHUNK_TYPE } from '../../protocol/sctp/chunk-type.ts';
import {
  CHUNK_HEADER_BYTES,
  isChecksumRight,
  PACKET_HEADER_BYTES,
  parsePacketHeader,
} from '../../protocol/sctp/packet-builder.ts';
import type { SctpAssociation } from '../../protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../protocol/sctp/sctp-event.ts';
import { MAX_STREAMS } from '../../protocol/sctp/sctp-limits.ts';
import type { SctpOptions } from '../../protocol/sctp/sctp-options.ts';
import { StateError } from '../../wire/errors.ts';
import type { DataConsumer } from '../data/data-consumer.ts';
import type { DataProducer, OutgoingMessage } from '../data/data-producer.ts';
import {
  isAddressed,
  MAX_PIPED_OVERHEAD_BYTES,
  PIPED_MESSAGE_PPID,
  parsePipedMessage,
  writePipedMessage,
} from '../data/piped-message.ts';
import type { RouterEnvironment, SfuErrorCode } from '../router-environment.ts';
import type { DataPort } from './data-port.ts';

/** How SCTP stands, with the names of the API. */
export type SctpPortState = 'new' | 'connecting' | 'connected' | 'failed' | 'closed';

/** Sizes control has set, bytes; with the names of the API. */
export interface SctpPortOptions {
  readonly maxSendMessageSize?: number;
  readonly maxReceiveMessageSize?: number;
  readonly sendBufferSize?: number;
  readonly perStreamSendQueueLimit?: number;
  readonly maxReceiverWindowBufferSize?: number;
  readonly defaultStreamBufferedAmountLowThreshold?: number;
  /** Told to clients of before mediasoup 3.20, which ask for these; as many as there are by default. */
  readonly outboundStreams?: number;
  readonly inboundStreams?: number;
  /** Told to the peer that its streams are data channels. */
  readonly isDataChannel: boolean;
  /** Messages go to another router, with their subchannels. */
  readonly isPipe?: boolean;
}

/** The association, once there is one, and a way to call it that sends what comes of it. */
export interface SctpAccess {
  readonly association: SctpAssociation | undefined;
  withSctp(command: (association: SctpAssociation, nowMs: number) => readonly SctpEvent[]): void;
}

const SCTP_PORT = 5000;
const DEFAULT_LOW_THRESHOLD_BYTES = 1024;
const DEFAULT_MESSAGE_BYTES = 262_144;
const NOT_NEGOTIATED = { negotiatedMaxOutboundStreams: 0, negotiatedMaxInboundStreams: 0 };

/** Whether somebody begins an association with us by this packet (RFC 9260 §3.3.2), as far as it can be told. */
export function isSctpInit(packet: Uint8Array): boolean {
  if (packet.length < PACKET_HEADER_BYTES + CHUNK_HEADER_BYTES) return false;
  const { sourcePort, destinationPort, verificationTag } = parsePacketHeader(packet);
  const isOurs = sourcePort === SCTP_PORT && destinationPort === SCTP_PORT && verificationTag === 0;
  return isOurs && packet[PACKET_HEADER_BYTES] === CHUNK_TYPE.init && isChecksumRight(packet);
}

/** Settings of an association of these sizes. */
export function toSctpOptions(options: SctpPortOptions, crypto: SctpOptions['crypto']): SctpOptions {
  const { maxSendMessageSize, maxReceiveMessageSize, sendBufferSize } = options;
  const { perStreamSendQueueLimit, maxReceiverWindowBufferSize, defaultStreamBufferedAmountLowThreshold } = options;
  const overheadBytes = options.isPipe === true ? MAX_PIPED_OVERHEAD_BYTES : 0;
  return {
    crypto,
    maxSendMessageBytes: (maxSendMessageSize ?? DEFAULT_MESSAGE_BYTES) + overheadBytes,
    maxReceiveMessageBytes: (maxReceiveMessageSize ?? DEFAULT_MESSAGE_BYTES) + overheadBytes,
    maxSendBufferBytes: sendBufferSize ?? 2_000_000,
    maxStreamSendBufferBytes: perStreamSendQueueLimit ?? 2_000_000,
    receiveWindowBytes: maxReceiverWindowBufferSize ?? 5_242_880,
    bufferedAmountLowThresholdBytes: defaultStreamBufferedAmountLowThreshold ?? DEFAULT_LOW_THRESHOLD_BYTES,
  };
}

/** Messages over SCTP, on streams whose ids were signalled. */
export class SctpPort implements DataPort {
  readonly type = 'sctp';
  readonly #options: SctpPortOptions;
  readonly #access: SctpAccess;
  readonly #environment: RouterEnvironment;
  readonly #transportId: string;
  readonly #producers = new Map<number, DataProducer>();
  readonly #consumers = new Map<number, DataConsumer>();
  #state: SctpPortState = 'new';
  #negotiated: object | undefined;
  /** Those too that a pipe can't unwrap. */
  unclaimedMessages = 0;

  constructor(options: SctpPortOptions, access: SctpAccess, transportId: string, environment: RouterEnvironment) {
    this.#options = options;
    this.#access = access;
    this.#transportId = transportId;
    this.#environment = environment;
  }

  get isPipe(): boolean {
    return this.#options.isPipe === true;
  }

  get maxReceivedBytes(): number {
    return this.#options.maxReceiveMessageSize ?? DEFAULT_MESSAGE_BYTES;
  }

  get state(): SctpPortState {
    return this.#state;
  }

  addProducer(producer: DataProducer): void {
    const streamId = streamIdOf(producer.options.sctpStreamParameters?.streamId);
    if (this.#producers.has(streamId)) throw taken(streamId);
    this.#producers.set(streamId, producer);
  }

  removeProducer(producer: DataProducer): void {
    this.#forget(this.#producers, producer, producer.options.sctpStreamParameters?.streamId);
  }

  addConsumer(consumer: DataConsumer): void {
    const streamId = streamIdOf(consumer.options.sctpStreamParameters?.streamId);
    if (this.#consumers.has(streamId)) throw taken(streamId);
    this.#consumers.set(streamId, consumer);
    // Whoever had the stream before may have set another.
    this.setBufferedAmountLowThreshold(consumer);
  }

  removeConsumer(consumer: DataConsumer): void {
    this.#forget(this.#consumers, consumer, consumer.options.sctpStreamParameters?.streamId);
  }

  sendMessage(consumer: DataConsumer, message: OutgoingMessage): 'sent' | 'full' | 'closed' {
    const stream = consumer.options.sctpStreamParameters;
    const { association } = this.#access;
    if (stream === undefined || association === undefined || this.#state !== 'connected') return 'closed';
    if (message.bytes.length > (this.#options.maxSendMessageSize ?? DEFAULT_MESSAGE_BYTES)) return 'closed';
    const isWrapped = this.isPipe && isAddressed(message);
    const ppid = isWrapped ? PIPED_MESSAGE_PPID : message.ppid;
    const bytes = isWrapped ? writePipedMessage(message) : message.bytes;
    const refusal = association.checkSend(stream.streamId, bytes.length);
    if (refusal !== undefined) return refusal === 'sctp/send-buffer-full' ? 'full' : 'closed';
    const { streamId, ordered = true, maxPacketLifeTime, maxRetransmits } = stream;
    const options = {
      ordered,
      ...(maxPacketLifeTime === undefined ? {} : { maxLifetimeMs: maxPacketLifeTime }),
      ...(maxRetransmits === undefined ? {} : { maxRetransmits }),
    };
    this.#access.withSctp((one, nowMs) => one.sendMessage(streamId, ppid, bytes, options, nowMs));
    return 'sent';
  }

  bufferedAmount({ options }: DataConsumer): number {
    const streamId = options.sctpStreamParameters?.streamId;
    return streamId === undefined ? 0 : (this.#access.association?.bufferedBytesOf(streamId) ?? 0);
  }

  get bufferedAmountLowThreshold(): number {
    return this.#options.defaultStreamBufferedAmountLowThreshold ?? DEFAULT_LOW_THRESHOLD_BYTES;
  }

  setBufferedAmountLowThreshold({ options, lowThreshold }: DataConsumer): void {
    const streamId = options.sctpStreamParameters?.streamId;
    if (streamId !== undefined) this.#access.association?.setBufferedAmountLowThreshold(streamId, lowThreshold);
  }

  /** Keys are agreed on: the association begins. */
  connecting(): void {
    this.#enter('connecting');
  }

  /** What the association tells, packets apart. */
  onEvent(event: Exclude<SctpEvent, { readonly type: 'send' }>): void {
    switch (event.type) {
      case 'connected':
        this.#negotiated = {
          negotiatedMaxOutboundStreams: event.outboundStreams,
          negotiatedMaxInboundStreams: event.inboundStreams,
        };
        // There was no association perhaps when they were set.
        for (const consumer of this.#consumers.values()) this.setBufferedAmountLowThreshold(consumer);
        this.#enter('connected');
        break;
      case 'message':
        this.#receive(event.streamId, event.ppid, event.bytes);
        break;
      case 'buffered-amount-low':
        this.#consumers.get(event.streamId)?.bufferedAmountLow();
        break;
      case 'closed':
        this.#enter('closed');
        break;
      case 'failed':
        this.#enter('failed');
        break;
      default:
        // A peer that begins anew or resets streams changes nothing: streams are signalled.
        break;
    }
  }

  dump(): object {
    const { isDataChannel, maxReceiveMessageSize = DEFAULT_MESSAGE_BYTES } = this.#options;
    const { maxSendMessageSize = DEFAULT_MESSAGE_BYTES } = this.#options;
    const { sendBufferSize = 2_000_000, perStreamSendQueueLimit = 2_000_000 } = this.#options;
    const { maxReceiverWindowBufferSize = 5_242_880 } = this.#options;
    const streamIdTable = [...this.#producers].map(([key, { id }]) => ({ key, value: id }));
    return {
      maxSendMessageSize,
      maxReceiveMessageSize,
      sctpParameters: {
        port: SCTP_PORT,
        OS: this.#options.outboundStreams ?? MAX_STREAMS,
        MIS: this.#options.inboundStreams ?? MAX_STREAMS,
        maxMessageSize: maxReceiveMessageSize,
        maxSendMessageSize,
        maxReceiveMessageSize,
        sendBufferSize,
        perStreamSendQueueLimit,
        maxReceiverWindowBufferSize,
        isDataChannel,
      },
      sctpState: this.#state,
      sctpNegotiatedCapabilities: this.#negotiated ?? NOT_NEGOTIATED,
      sctpListener: { streamIdTable },
    };
  }

  #receive(streamId: number, ppid: number, bytes: Uint8Array): void {
    const producer = this.#producers.get(streamId);
    const isWrapped = this.isPipe && ppid === PIPED_MESSAGE_PPID;
    const message = isWrapped ? parsePipedMessage(bytes) : { ppid, bytes, subchannels: [] };
    if (producer === undefined || message === undefined) this.unclaimedMessages++;
    else producer.receive(message);
  }

  #forget<T>(table: Map<number, T>, owner: T, streamId: number | undefined): void {
    if (streamId === undefined || table.get(streamId) !== owner) return;
    table.delete(streamId);
    if (this.#state !== 'connected' || this.#producers.has(streamId) || this.#consumers.has(streamId)) return;
    try {
      this.#access.withSctp((association, nowMs) => association.resetStreams([streamId], nowMs));
    } catch (error) {
      // A peer that can't reset streams keeps it.
      if (!(error instanceof StateError)) throw error;
    }
  }

  #enter(state: SctpPortState): void {
    if (this.#state === state || this.#state === 'closed' || this.#state === 'failed') return;
    this.#state = state;
    const capabilities = this.#negotiated === undefined ? {} : { sctpNegotiatedCapabilities: this.#negotiated };
    this.#environment.notify(this.#transportId, 'sctpstatechange', { sctpState: state, ...capabilities });
  }
}

function streamIdOf(streamId: number | undefined): number {
  if (streamId !== undefined && streamId >= 0 && streamId < MAX_STREAMS) return streamId;
  throw new StateError('sfu/bad-request' satisfies SfuErrorCode, 'a stream of SCTP without an id');
}

function taken(streamId: number): StateError {
  return new StateError('sfu/taken' satisfies SfuErrorCode, `stream ${streamId} of SCTP is another's`);
}
