import {
  ChannelRoom,
  DataChannel,
  type DataChannelInit,
  type DataChannelKind,
  type DataChannelState,
  toInit,
  toUserMessage,
} from './data-channel.ts';
import {
  type ChannelReliability,
  DATA_CHANNEL_PPID,
  type DataChannelOpen,
  parseDataChannelMessage,
  writeDataChannelMessage,
} from './data-channel-message.ts';
import type { SctpAssociation } from './sctp-association.ts';
import { type SctpStateErrorCode, sctpStateError } from './sctp-error.ts';
import type { SctpEvent, SctpMessageEvent } from './sctp-event.ts';
import { MAX_STREAMS } from './sctp-limits.ts';

/** What the data channels of an association tell, with what the association itself tells. */
export type DataChannelEvent =
  | Extract<SctpEvent, { readonly type: 'send' | 'connected' | 'restarted' | 'closed' | 'failed' }>
  /** Opened by the peer, or acknowledged by it. */
  | { readonly type: 'channel-open'; readonly channel: DataChannelInit; readonly isRemote: boolean }
  /** The bytes are the receiver's of the event. */
  | {
      readonly type: 'channel-message';
      readonly channelId: number;
      readonly kind: DataChannelKind;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'channel-buffered-amount-low'; readonly channelId: number }
  /** Both directions are reset, or the association is over: the id is free. */
  | { readonly type: 'channel-closed'; readonly channelId: number };

/** Settings of `DataChannels`. */
export interface DataChannelsOptions {
  /** Not started; the channels are its only user. */
  readonly association: SctpAssociation;
  /** Role in the DTLS handshake: a client opens even streams, a server odd ones (RFC 8832 §6). */
  readonly role: 'client' | 'server';
  /** Channels at one time; 1024. */
  readonly maxChannels?: number;
  /** Longest message joined of pieces; 262,144. */
  readonly maxReceiveMessageBytes?: number;
}

/** A channel to open. Reliable and ordered by default. */
export interface OpenChannelOptions extends Partial<ChannelReliability> {
  readonly label?: string;
  readonly protocol?: string;
  /** 256 by default. */
  readonly priority?: number;
  /** The stream, for a channel both sides have agreed on elsewhere: no DATA_CHANNEL_OPEN is sent. */
  readonly negotiatedId?: number;
}

/** Data that could not be given to a channel. */
export interface DroppedChannelData {
  /** Messages on streams without a channel. */
  strays: number;
  /** Messages of PPIDs that are not of data channels, and malformed ones of DCEP. */
  unknown: number;
}

const DEFAULT_PRIORITY = 256;
const MAX_TEXT_BYTES = 65_535;

/** Labels and protocols of all channels the peer has opened, characters; one that is more is refused. */
export const MAX_PEER_TEXT_CHARACTERS = 524_288;
/** Messages in pieces that may be incomplete at a time, in largest ones: those of one channel end with it. */
export const MAX_INCOMPLETE_MESSAGES = 4;

/**
 * Data channels over an association (RFC 8831, RFC 8832), which it drives: its shape is that of the association. The
 * peer's streams are taken with either parity, as browsers do, unless they are in use.
 */
export class DataChannels {
  readonly #association: SctpAssociation;
  readonly #firstId: number;
  readonly #maxChannels: number;
  readonly #maxMessageBytes: number;
  readonly #channels = new Map<number, DataChannel>();
  /** What the peer makes us keep. */
  readonly #pieceRoom: ChannelRoom;
  readonly #textRoom: ChannelRoom = new ChannelRoom(MAX_PEER_TEXT_CHARACTERS);
  /** Of which channels the texts count. */
  readonly #peerOpened = new Set<DataChannel>();
  readonly #dropped: DroppedChannelData = { strays: 0, unknown: 0 };
  /** Resets of outgoing streams under way, by stream: those of a channel before may be among them. */
  readonly #resets = new Map<number, number>();
  #events: DataChannelEvent[] = [];

  constructor(options: DataChannelsOptions) {
    this.#association = options.association;
    this.#firstId = options.role === 'client' ? 0 : 1;
    this.#maxChannels = options.maxChannels ?? 1024;
    this.#maxMessageBytes = options.maxReceiveMessageBytes ?? 262_144;
    this.#pieceRoom = new ChannelRoom(MAX_INCOMPLETE_MESSAGES * this.#maxMessageBytes);
  }

  get association(): SctpAssociation {
    return this.#association;
  }

  get dropped(): Readonly<DroppedChannelData> {
    return this.#dropped;
  }

  /** Where a channel stands; `closed` for one that does not exist. */
  stateOf(channelId: number): DataChannelState {
    return this.#channels.get(channelId)?.state ?? 'closed';
  }

  /** See `SctpAssociation.start`. */
  start(nowMs: number): DataChannelEvent[] {
    this.#take(this.#association.start(nowMs), nowMs);
    return this.#finish();
  }

  /** Input: one packet. Never throws for what is in it; keeps no view into it. */
  receive(packet: Uint8Array, nowMs: number): DataChannelEvent[] {
    this.#take(this.#association.receive(packet, nowMs), nowMs);
    return this.#finish();
  }

  nextTimeoutMs(): number | undefined {
    return this.#association.nextTimeoutMs();
  }

  handleTimeout(nowMs: number): DataChannelEvent[] {
    this.#take(this.#association.handleTimeout(nowMs), nowMs);
    return this.#finish();
  }

  /**
   * Opens a channel; before `connected` too. `channel-open` follows. Messages may be sent at once: they stay behind the
   * opening until the peer has acknowledged it.
   * @throws StateError when no id is free, the negotiated one is in use, or the parameters contradict each other
   */
  open(
    options: OpenChannelOptions,
    nowMs: number,
  ): { readonly channelId: number; readonly events: DataChannelEvent[] } {
    const channel = new DataChannel(this.#initOf(options), this.#maxMessageBytes, this.#pieceRoom);
    const { init } = channel;
    this.#channels.set(init.id, channel);
    this.#association.setPriority(init.id, init.priority);
    if (!init.isNegotiated) {
      this.#sendControl(
        init.id,
        writeDataChannelMessage({ type: 'open', reliability: reliabilityOf(init), ...init }),
        nowMs,
      );
    } else if (this.#association.state === 'established') this.#becomeOpen(channel, false);
    return { channelId: init.id, events: this.#finish() };
  }

  #initOf(options: OpenChannelOptions): DataChannelInit {
    const { ordered = true, label = '', protocol = '', priority = DEFAULT_PRIORITY, negotiatedId } = options;
    const { maxRetransmits, maxLifetimeMs } = options;
    const encoder = new TextEncoder();
    const isLong = encoder.encode(label).length > MAX_TEXT_BYTES || encoder.encode(protocol).length > MAX_TEXT_BYTES;
    if ((maxRetransmits !== undefined && maxLifetimeMs !== undefined) || isLong) {
      throw sctpStateError('sctp/channel-parameters', 'both limits are set, or label or protocol is over 65,535 bytes');
    }
    const id = negotiatedId ?? this.#freeId();
    if (id < 0 || id >= MAX_STREAMS || this.#channels.has(id)) {
      throw sctpStateError('sctp/channel-in-use', `stream ${id} is in use or does not exist`);
    }
    if (this.#channels.size >= this.#maxChannels) throw sctpStateError('sctp/no-free-channel', 'too many channels');
    return {
      id,
      label,
      protocol,
      priority,
      isNegotiated: negotiatedId !== undefined,
      ordered,
      ...(maxRetransmits === undefined ? {} : { maxRetransmits }),
      ...(maxLifetimeMs === undefined ? {} : { maxLifetimeMs }),
    };
  }

  #freeId(): number {
    const end = this.#association.agreement?.outboundStreams ?? MAX_STREAMS;
    for (let id = this.#firstId; id < end; id += 2) if (!this.#channels.has(id)) return id;
    throw sctpStateError('sctp/no-free-channel', 'every stream is in use');
  }

  /** Whether `send` would take a message of this size now, or why not. */
  checkSend(channelId: number, sizeBytes: number): SctpStateErrorCode | undefined {
    const state = this.stateOf(channelId);
    if (state !== 'open' && state !== 'connecting') return 'sctp/no-such-channel';
    return this.#association.checkSend(channelId, Math.max(1, sizeBytes));
  }

  /**
   * Sends a message, which may be empty. The bytes are not copied: they stay unchanged until the peer has acknowledged
   * them.
   * @throws StateError with the code that `checkSend` gives
   */
  send(channelId: number, kind: DataChannelKind, bytes: Uint8Array, nowMs: number): DataChannelEvent[] {
    const channel = this.#channels.get(channelId);
    const code = this.checkSend(channelId, bytes.length);
    if (channel === undefined || code !== undefined) {
      throw sctpStateError(
        code ?? 'sctp/no-such-channel',
        `a message of ${bytes.length} bytes on channel ${channelId}`,
      );
    }
    const { ppid, bytes: payload } = toUserMessage(kind, bytes);
    const reliability = reliabilityOf(channel.init);
    // RFC 8832 §6: nothing overtakes the opening.
    const options = channel.state === 'open' ? reliability : { ...reliability, ordered: true };
    this.#take(this.#association.sendMessage(channelId, ppid, payload, options, nowMs), nowMs);
    return this.#finish();
  }

  /** Bytes of a channel that are not sent yet. */
  bufferedBytesOf(channelId: number): number {
    return this.#association.bufferedBytesOf(channelId);
  }

  /** Closes a channel after what it has queued is sent; `channel-closed` follows. Any number of times. */
  close(channelId: number, nowMs: number): DataChannelEvent[] {
    const channel = this.#channels.get(channelId);
    if (channel !== undefined && channel.state !== 'closing') this.#beginClose(channel, nowMs);
    return this.#finish();
  }

  /** See `SctpAssociation.close`: all channels end with the association, when everything is sent. */
  shutdown(nowMs: number): DataChannelEvent[] {
    this.#take(this.#association.close(nowMs), nowMs);
    return this.#finish();
  }

  /** See `SctpAssociation.abort`. */
  abort(reason?: string): DataChannelEvent[] {
    this.#take(this.#association.abort(reason), 0);
    return this.#finish();
  }

  #finish(): DataChannelEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #take(events: readonly SctpEvent[], nowMs: number): void {
    for (const event of events) {
      switch (event.type) {
        case 'message':
          this.#handleMessage(event, nowMs);
          break;
        case 'streams-reset':
          this.#handleReset(event.direction, event.streamIds, nowMs);
          break;
        case 'reset-refused':
          // Nothing more can be done for the stream: as good as reset.
          this.#handleReset('outgoing', event.streamIds, nowMs);
          break;
        case 'buffered-amount-low':
          if (this.#channels.has(event.streamId)) {
            this.#events.push({ type: 'channel-buffered-amount-low', channelId: event.streamId });
          }
          break;
        case 'streams-added':
          break;
        case 'connected':
          this.#events.push(event);
          this.#handleConnected(nowMs);
          break;
        case 'restarted':
        case 'closed':
        case 'failed':
          // A peer that began anew knows of no channel.
          this.#resets.clear();
          for (const channel of this.#channels.values()) this.#becomeClosed(channel);
          this.#events.push(event);
          break;
        case 'send':
          this.#events.push(event);
          break;
      }
    }
  }

  #handleConnected(nowMs: number): void {
    for (const channel of this.#channels.values()) {
      if (channel.state === 'closing') {
        if (this.#canReset) this.#resetStream(channel.id, nowMs);
        else this.#becomeClosed(channel);
      } else if (channel.init.isNegotiated) this.#becomeOpen(channel, false);
    }
  }

  #becomeOpen(channel: DataChannel, isRemote: boolean): void {
    if (channel.state !== 'connecting') return;
    channel.state = 'open';
    this.#events.push({ type: 'channel-open', channel: channel.init, isRemote });
  }

  #becomeClosed(channel: DataChannel): void {
    channel.state = 'closed';
    this.#channels.delete(channel.id);
    channel.forget();
    const { label, protocol } = channel.init;
    if (this.#peerOpened.delete(channel)) this.#textRoom.giveBack(label.length + protocol.length);
    this.#take(this.#association.discardMessages(channel.id), 0);
    this.#events.push({ type: 'channel-closed', channelId: channel.id });
  }

  #sendControl(streamId: number, bytes: Uint8Array, nowMs: number): void {
    this.#take(this.#association.sendControlMessage(streamId, DATA_CHANNEL_PPID.control, bytes, nowMs), nowMs);
  }

  #handleMessage(event: SctpMessageEvent, nowMs: number): void {
    const channel = this.#channels.get(event.streamId);
    if (event.ppid === DATA_CHANNEL_PPID.control) {
      this.#handleControl(event, channel, nowMs);
      return;
    }
    if (channel === undefined || channel.isIncomingReset) {
      this.#dropped.strays++;
      return;
    }
    // Data shows as well as an acknowledgement that the peer has the channel.
    this.#becomeOpen(channel, false);
    const message = channel.take(event.ppid, event.bytes);
    if (message === undefined) return;
    if (message === 'unknown') this.#dropped.unknown++;
    else if (message === 'too-large') this.#beginClose(channel, nowMs);
    else this.#events.push({ type: 'channel-message', channelId: channel.id, ...message });
  }

  #handleControl(event: SctpMessageEvent, channel: DataChannel | undefined, nowMs: number): void {
    const message = parseDataChannelMessage(event.bytes);
    const id = event.streamId;
    if (message?.type === 'ack') {
      if (channel === undefined) this.#dropped.strays++;
      else this.#becomeOpen(channel, false);
      return;
    }
    if (message === undefined) {
      this.#dropped.unknown++;
      this.#refuse(id, channel, nowMs);
      return;
    }
    // The peer has seen both directions reset, of which we have not heard yet.
    if (channel?.state === 'closing' && channel.isIncomingReset) {
      this.#becomeClosed(channel);
      this.#open(id, message, nowMs);
      return;
    }
    if (channel !== undefined || this.#channels.size >= this.#maxChannels || id >= MAX_STREAMS) {
      this.#refuse(id, channel, nowMs);
      return;
    }
    this.#open(id, message, nowMs);
  }

  #open(id: number, message: DataChannelOpen, nowMs: number): void {
    if (!this.#textRoom.take(message.label.length + message.protocol.length)) {
      this.#refuse(id, undefined, nowMs);
      return;
    }
    const opened = new DataChannel(toInit(id, message), this.#maxMessageBytes, this.#pieceRoom);
    this.#channels.set(id, opened);
    this.#peerOpened.add(opened);
    this.#association.setPriority(id, message.priority);
    this.#sendControl(id, writeDataChannelMessage({ type: 'ack' }), nowMs);
    this.#becomeOpen(opened, true);
  }

  /** RFC 8832 §6: what cannot be opened is closed, together with what it collided with. */
  #refuse(id: number, channel: DataChannel | undefined, nowMs: number): void {
    if (channel !== undefined) this.#beginClose(channel, nowMs);
    else if (this.#canReset && id < MAX_STREAMS) this.#resetStream(id, nowMs);
  }

  #resetStream(id: number, nowMs: number): void {
    this.#resets.set(id, (this.#resets.get(id) ?? 0) + 1);
    this.#take(this.#association.resetStreams([id], nowMs), nowMs);
  }

  /** True when no reset of the outgoing stream is under way any more. */
  #endReset(id: number): boolean {
    const left = (this.#resets.get(id) ?? 0) - 1;
    if (left > 0) this.#resets.set(id, left);
    else this.#resets.delete(id);
    return left <= 0;
  }

  get #canReset(): boolean {
    const { agreement, state } = this.#association;
    return state === 'established' && agreement?.hasReConfig === true;
  }

  get #isSettingUp(): boolean {
    const { state } = this.#association;
    return state === 'new' || state === 'cookie-wait' || state === 'cookie-echoed';
  }

  #beginClose(channel: DataChannel, nowMs: number): void {
    if (channel.state === 'closing') return;
    channel.state = 'closing';
    // What was sent before there was a connection is sent first then.
    if (this.#isSettingUp) return;
    if (this.#canReset) this.#resetStream(channel.id, nowMs);
    else this.#becomeClosed(channel);
  }

  #handleReset(direction: 'incoming' | 'outgoing', streamIds: readonly number[], nowMs: number): void {
    const ids = streamIds.length === 0 ? [...this.#channels.keys()] : streamIds;
    for (const id of ids) {
      const isReset = direction === 'incoming' || this.#endReset(id);
      const channel = this.#channels.get(id);
      if (channel === undefined || !isReset) continue;
      if (direction === 'incoming') {
        channel.isIncomingReset = true;
        // RFC 8831 §6.7: the other direction follows; nobody waits for what is queued.
        if (channel.state !== 'closing') {
          this.#take(this.#association.discardMessages(id), nowMs);
          this.#beginClose(channel, nowMs);
        }
      } else if (channel.state === 'closing') channel.isOutgoingReset = true;
      if (channel.isIncomingReset && channel.isOutgoingReset) this.#becomeClosed(channel);
    }
  }
}

function reliabilityOf(init: ChannelReliability): ChannelReliability {
  const { ordered, maxRetransmits, maxLifetimeMs } = init;
  return {
    ordered,
    ...(maxRetransmits === undefined ? {} : { maxRetransmits }),
    ...(maxLifetimeMs === undefined ? {} : { maxLifetimeMs }),
  };
}
