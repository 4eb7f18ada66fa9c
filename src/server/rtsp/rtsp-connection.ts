import type { RtspResponse } from '../../protocol/rtsp/rtsp-message.ts';
import type { Endpoint } from '../delegate/server-delegate.ts';
import type { Logger } from '../log/logger.ts';
import type { ChannelPair, InterleavedDelivery, InterleavedOutput } from './interleaved-delivery.ts';

/** Channels of `$` frames are numbered so. */
const CHANNELS = 256;

/** A session that ends with a connection. */
export interface BoundSession {
  connectionEnded(): void;
}

/** Takes what the peer answers to requests of ours, and the frames that follow from them. */
export interface PeerInput {
  takeResponse(response: RtspResponse): void;
  /** `payload` is lent. */
  takeFrame(channel: number, payload: Uint8Array): void;
}

/** What a connection is made of. */
export interface RtspConnectionOptions {
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly isSecure: boolean;
  /** Its requests come through something else than RTSP's own port: datagrams may not get through. */
  readonly isTunnelled: boolean;
  readonly output: InterleavedOutput;
  readonly log: Logger;
}

/** One RTSP connection: what goes over its channels, and which sessions end with it. */
export class RtspConnection {
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly isSecure: boolean;
  isTunnelled: boolean;
  readonly output: InterleavedOutput;
  readonly log: Logger;
  /** Aborted when the connection is gone. */
  readonly gone: AbortController = new AbortController();
  /** Requests refused for want of a right password. */
  failedLogins = 0;
  /** Who asks the peer for something over this connection. */
  peerInput: PeerInput | undefined;
  readonly #receivers = new Map<number, (bytes: Uint8Array) => void>();
  readonly #deliveries = new Set<InterleavedDelivery>();
  readonly #sessions = new Set<BoundSession>();

  constructor(options: RtspConnectionOptions) {
    this.id = options.id;
    this.remote = options.remote;
    this.local = options.local;
    this.isSecure = options.isSecure;
    this.isTunnelled = options.isTunnelled;
    this.output = options.output;
    this.log = options.log;
  }

  /**
   * Takes two channels for a track: those asked for, or where one of them is in use, the next free ones.
   * @returns undefined when there are none
   */
  takeChannels(
    asked: ChannelPair | undefined,
    receiveRtp: (bytes: Uint8Array) => void,
    receiveRtcp: (bytes: Uint8Array) => void,
  ): ChannelPair | undefined {
    const pair = asked !== undefined && this.#areFree(asked) ? asked : this.#freePair();
    if (pair === undefined) return undefined;
    this.#receivers.set(pair.rtp, receiveRtp);
    this.#receivers.set(pair.rtcp, receiveRtcp);
    return pair;
  }

  freeChannels(pair: ChannelPair): void {
    this.#receivers.delete(pair.rtp);
    this.#receivers.delete(pair.rtcp);
  }

  /** A `$` frame came; those on channels nobody has are left to `peerInput`. */
  receive(channel: number, bytes: Uint8Array): void {
    const receiver = this.#receivers.get(channel);
    if (receiver === undefined) this.peerInput?.takeFrame(channel, bytes);
    else receiver(bytes);
  }

  /** The delivery is told when the connection has taken everything. */
  addDelivery(delivery: InterleavedDelivery): void {
    this.#deliveries.add(delivery);
  }

  removeDelivery(delivery: InterleavedDelivery): void {
    this.#deliveries.delete(delivery);
  }

  drained(): void {
    for (const delivery of this.#deliveries) delivery.drained();
  }

  /** The session ends with this connection. */
  bind(session: BoundSession): void {
    this.#sessions.add(session);
  }

  unbind(session: BoundSession): void {
    this.#sessions.delete(session);
  }

  /** The connection is gone. */
  ended(): void {
    this.gone.abort();
    for (const session of this.#sessions) session.connectionEnded();
    this.#sessions.clear();
    this.#deliveries.clear();
    this.#receivers.clear();
  }

  #areFree(pair: ChannelPair): boolean {
    return !this.#receivers.has(pair.rtp) && !this.#receivers.has(pair.rtcp);
  }

  #freePair(): ChannelPair | undefined {
    for (let rtp = 0; rtp < CHANNELS; rtp += 2) {
      const pair = { rtp, rtcp: rtp + 1 };
      if (this.#areFree(pair)) return pair;
    }
    return undefined;
  }
}
