import { isRtcp, parseRtcp } from '../../protocol/rtp/rtcp-packet.ts';
import { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import { SctpAssociation } from '../../protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../protocol/sctp/sctp-event.ts';
import type { SctpOptions } from '../../protocol/sctp/sctp-options.ts';
import { StateError } from '../../wire/errors.ts';
import type { PacketAddress, PacketQueue } from '../ports/packet-port.ts';
import type { Router } from '../router.ts';
import { EarliestTimer, type SfuErrorCode } from '../router-environment.ts';
import type { DataPort } from './data-port.ts';
import type { DroppedPackets } from './dropped-packets.ts';
import { QueueLink } from './packet-link.ts';
import { isSctpInit, SctpPort, type SctpPortOptions, toSctpOptions } from './sctp-port.ts';
import { SignalledSrtp, type SrtpParameters, type SrtpSupport } from './srtp-parameters.ts';
import { Transport, type TransportOptions } from './transport.ts';
import { type TransportTuple, toTransportTuple } from './transport-tuple.ts';

/** A socket of datagrams as transports use it. */
export interface TransportSocket {
  /** What peers are told. */
  readonly address: string;
  readonly port: number;
  readonly queue: PacketQueue;
  /** Packets that did not leave: neither queue nor kernel had room, or the kernel refused. */
  readonly unsent: number;
  /** @throws when it is no address, or of a family the socket can't reach */
  target(address: string, port: number): PacketAddress;
  close(): void;
}

/** What control tells of a transport with sockets of its own. */
export interface DatagramTransportOptions extends TransportOptions {
  /** A pipe joins two routers; a plain transport leads to whatever speaks RTP. */
  readonly kind: 'plain' | 'pipe';
  readonly socket: TransportSocket;
  /** For RTCP on a port of its own. */
  readonly rtcpSocket?: TransportSocket;
  /** The peer's address is where its first packet comes from. */
  readonly comedia?: boolean;
  /** Whether streams of a pipe have RTX. */
  readonly enableRtx?: boolean;
  /** SRTP with this suite. */
  readonly srtpCryptoSuite?: string;
  readonly srtp: SrtpSupport;
  /** SCTP is wanted. */
  readonly sctp?: SctpPortOptions;
  readonly sctpCrypto: SctpOptions['crypto'];
}

/** What control tells of the peer. */
export interface DatagramConnectOptions {
  readonly ip?: string;
  readonly port?: number;
  readonly rtcpPort?: number;
  readonly srtpParameters?: SrtpParameters;
}

/** Takes nothing: where RTCP goes while nobody has said where its port is. */
const NOWHERE: PacketQueue = {
  bytes: new Uint8Array(0),
  waiting: 0,
  reserve: () => -1,
  put: () => undefined,
  flush: () => undefined,
};

/**
 * RTP, SRTP and SCTP over sockets of its own: plain transports and pipes. Only the peer is listened to. With comedia that
 * is whoever sends first what can be read, and with SRTP what has the right keys; nobody takes its place afterwards.
 */
export class DatagramTransport extends Transport {
  readonly #options: DatagramTransportOptions;
  readonly #srtp: SignalledSrtp | undefined;
  readonly #sctpPort: SctpPort | undefined;
  #association: SctpAssociation | undefined;
  readonly #sctpTimer: EarliestTimer;
  #remote: PacketAddress | undefined;
  #rtcpRemote: PacketAddress | undefined;
  #isConnectCalled = false;

  constructor(options: DatagramTransportOptions, router: Router) {
    // What may refuse its settings comes before the router knows of the transport.
    const { kind, srtpCryptoSuite, sctpCrypto } = options;
    const sctp = options.sctp === undefined ? undefined : { ...options.sctp, isPipe: kind === 'pipe' };
    const srtp = srtpCryptoSuite === undefined ? undefined : new SignalledSrtp(srtpCryptoSuite, options.srtp);
    const association = sctp === undefined ? undefined : new SctpAssociation(toSctpOptions(sctp, sctpCrypto));
    super(options, router);
    this.#options = options;
    this.#srtp = srtp;
    this.#association = association;
    this.#sctpTimer = new EarliestTimer(this.environment.clock, () => {
      const nowMs = this.environment.clock.nowMs();
      this.#follow(this.#association?.handleTimeout(nowMs) ?? []);
    });
    if (sctp !== undefined) {
      const access = {
        association,
        withSctp: (command: (association: SctpAssociation, nowMs: number) => readonly SctpEvent[]): void => {
          if (this.#association === undefined) return;
          this.#follow(command(this.#association, this.environment.clock.nowMs()));
        },
      };
      this.#sctpPort = new SctpPort(sctp, access, options.id, this.environment);
    }
  }

  get tuple(): TransportTuple {
    return toTransportTuple(this.#options.socket, this.#remote);
  }

  get rtcpTuple(): TransportTuple | undefined {
    const { rtcpSocket } = this.#options;
    return rtcpSocket === undefined ? undefined : toTransportTuple(rtcpSocket, this.#rtcpRemote);
  }

  get srtpParameters(): SrtpParameters | undefined {
    return this.#srtp?.localParameters;
  }

  /**
   * Where the peer is, and its keys.
   * @throws StateError `sfu/bad-request` when something is missing or wrong, `sfu/wrong-state` when it was called before
   */
  connect({ ip, port, rtcpPort, srtpParameters }: DatagramConnectOptions): void {
    const { comedia = false, socket, rtcpSocket } = this.#options;
    if (this.#isConnectCalled) {
      throw new StateError('sfu/wrong-state' satisfies SfuErrorCode, 'connect() was called before');
    }
    if ((this.#srtp === undefined) !== (srtpParameters === undefined)) {
      throw badRequest(this.#srtp === undefined ? 'the transport has no SRTP' : 'missing srtpParameters');
    }
    if (!comedia && (ip === undefined || port === undefined)) throw badRequest('missing ip or port');
    if (!comedia && rtcpSocket !== undefined && rtcpPort === undefined) throw badRequest('missing rtcpPort');
    if (!comedia && rtcpSocket === undefined && rtcpPort !== undefined) throw badRequest('rtcpPort with rtcpMux');
    let remote: PacketAddress | undefined;
    let rtcpRemote: PacketAddress | undefined;
    if (!comedia) {
      remote = targetOf(socket, ip!, port!);
      if (rtcpSocket !== undefined) rtcpRemote = targetOf(rtcpSocket, ip!, rtcpPort!);
    }
    if (srtpParameters !== undefined) this.#srtp!.setRemote(srtpParameters);
    this.#isConnectCalled = true;
    if (comedia) return;
    this.#remote = remote;
    this.#rtcpRemote = rtcpRemote;
    this.#open();
    this.#startSctp();
  }

  /** Takes a datagram of one of its sockets; it may be written into. */
  receiveDatagram(bytes: Uint8Array, start: number, end: number, source: PacketAddress, isRtcpSocket: boolean): void {
    if (this.isClosed || start >= end || source.port === 0) return;
    const peer = isRtcpSocket ? this.#rtcpRemote : this.#remote;
    const mayBePeer = peer === undefined ? this.#options.comedia === true : isSame(source, peer);
    const reason = mayBePeer ? this.#take(bytes, start, end, source, isRtcpSocket) : 'foreign';
    if (reason !== undefined) this.dropped[reason]++;
  }

  /** @returns why it is dropped */
  #take(
    bytes: Uint8Array,
    start: number,
    end: number,
    source: PacketAddress,
    isRtcpSocket: boolean,
  ): keyof DroppedPackets | undefined {
    if (isRtcp(bytes, start, end)) return this.#takeRtcp(bytes, start, end, source, isRtcpSocket);
    if (isRtcpSocket) return 'malformed';
    if (bytes[start]! >>> 6 !== 2) return this.#takeSctp(bytes.subarray(start, end), source);
    const clearEnd = this.#srtp === undefined ? end : (this.#srtp.receiver?.unprotectRtp(bytes, start, end) ?? 0);
    if (clearEnd === 0) return 'unauthentic';
    if (this.#remote === undefined) {
      if (!new RtpPacketView().look(bytes, start, clearEnd)) return 'malformed';
      this.#becomePeer(source);
    }
    this.receiveRtp(bytes, start, clearEnd);
    return undefined;
  }

  #takeRtcp(
    bytes: Uint8Array,
    start: number,
    end: number,
    source: PacketAddress,
    isRtcpSocket: boolean,
  ): keyof DroppedPackets | undefined {
    const hasRtcpSocket = this.#options.rtcpSocket !== undefined;
    if (hasRtcpSocket !== isRtcpSocket) return 'malformed';
    const clearEnd = this.#srtp === undefined ? end : (this.#srtp.receiver?.unprotectRtcp(bytes, start, end) ?? 0);
    if (clearEnd === 0) return 'unauthentic';
    const compound = bytes.subarray(start, clearEnd);
    if ((hasRtcpSocket ? this.#rtcpRemote : this.#remote) === undefined) {
      if (parseRtcp(compound, { reducedSize: true }).packets.length === 0) return 'malformed';
      if (hasRtcpSocket) this.#becomeRtcpPeer(source);
      else this.#becomePeer(source);
    }
    this.receiveRtcp(compound);
    return undefined;
  }

  #takeSctp(datagram: Uint8Array, source: PacketAddress): keyof DroppedPackets | undefined {
    if (this.#association === undefined) return 'malformed';
    if (this.#remote === undefined) {
      // SCTP has no keys here: where media has, nobody becomes the peer by it.
      if (this.#srtp !== undefined || !isSctpInit(datagram)) return 'foreign';
      this.#becomePeer(source);
    }
    const nowMs = this.environment.clock.nowMs();
    this.received.add(datagram.length, nowMs);
    this.#follow(this.#association.receive(datagram, nowMs));
    return undefined;
  }

  protected get dataPort(): DataPort | undefined {
    return this.#sctpPort;
  }

  protected droppedBelow(): Partial<DroppedPackets> {
    const { socket, rtcpSocket } = this.#options;
    return { overflowed: socket.unsent + (rtcpSocket?.unsent ?? 0) };
  }

  protected dumpOwn(): object {
    const { kind, comedia = false, enableRtx = false } = this.#options;
    const { srtpParameters, rtcpTuple } = this;
    return {
      ...(kind === 'pipe' ? { rtx: enableRtx } : { rtcpMux: rtcpTuple === undefined, comedia }),
      tuple: this.tuple,
      ...(rtcpTuple === undefined ? {} : { rtcpTuple }),
      ...(srtpParameters === undefined ? {} : { srtpParameters }),
    };
  }

  protected statsOwn(): object {
    const { kind, comedia = false } = this.#options;
    if (kind === 'pipe') return { type: 'pipe-transport', tuple: this.tuple };
    const { rtcpTuple } = this;
    const rtcp = rtcpTuple === undefined ? {} : { rtcpTuple };
    return { type: 'plain-rtp-transport', rtcpMux: rtcpTuple === undefined, comedia, tuple: this.tuple, ...rtcp };
  }

  protected closeOwn(): void {
    this.#follow(this.#association?.abort() ?? []);
    this.#association = undefined;
    this.#sctpTimer.close();
    const { socket, rtcpSocket } = this.#options;
    socket.queue.flush();
    socket.close();
    rtcpSocket?.queue.flush();
    rtcpSocket?.close();
  }

  /** With comedia: who sent the first good packet. */
  #becomePeer(source: PacketAddress): void {
    this.#remote = source;
    this.environment.notify(this.id, 'tuple', { tuple: this.tuple });
    this.#open();
    this.#startSctp();
  }

  #becomeRtcpPeer(source: PacketAddress): void {
    this.#rtcpRemote = source;
    this.environment.notify(this.id, 'rtcptuple', { rtcpTuple: this.rtcpTuple });
    this.#open();
  }

  #open(): void {
    const { socket, rtcpSocket } = this.#options;
    if (this.#remote === undefined) return;
    const rtp = { queue: socket.queue, to: this.#remote };
    const rtcp =
      rtcpSocket === undefined
        ? rtp
        : { queue: this.#rtcpRemote === undefined ? NOWHERE : rtcpSocket.queue, to: this.#rtcpRemote ?? this.#remote };
    this.setLink(new QueueLink(rtp, rtcp, this.#srtp?.sender));
  }

  #startSctp(): void {
    if (this.#association === undefined || this.#sctpPort?.state !== 'new') return;
    this.#sctpPort.connecting();
    this.#follow(this.#association.start(this.environment.clock.nowMs()));
  }

  #follow(events: readonly SctpEvent[]): void {
    const { queue } = this.#options.socket;
    for (const event of events) {
      if (event.type !== 'send') {
        this.#sctpPort?.onEvent(event);
        continue;
      }
      const { length } = event.bytes;
      const at = this.#remote === undefined ? -1 : queue.reserve(length);
      if (at < 0) continue;
      queue.bytes.set(event.bytes, at);
      queue.put(length, this.#remote!);
      this.sender.all.add(length, this.environment.clock.nowMs());
    }
    this.#sctpTimer.plan(this.#association?.nextTimeoutMs());
  }
}

function isSame(one: PacketAddress, other: PacketAddress): boolean {
  return one.port === other.port && one.address === other.address;
}

function targetOf(socket: TransportSocket, address: string, port: number): PacketAddress {
  try {
    return socket.target(address, port);
  } catch (error) {
    throw badRequest(`can't send to ${address}:${port}`, error);
  }
}

function badRequest(message: string, cause?: unknown): StateError {
  return new StateError('sfu/bad-request' satisfies SfuErrorCode, message, { cause });
}
