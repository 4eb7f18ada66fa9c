import { isRtcp } from '../../protocol/rtp/rtcp-packet.ts';
import { SctpAssociation } from '../../protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../protocol/sctp/sctp-event.ts';
import type { SctpOptions } from '../../protocol/sctp/sctp-options.ts';
import { StateError } from '../../wire/errors.ts';
import type { PacketAddress, PacketQueue } from '../ports/packet-port.ts';
import type { Router } from '../router.ts';
import { EarliestTimer, type SfuErrorCode } from '../router-environment.ts';
import type { DataPort } from './data-port.ts';
import { QueueLink } from './packet-link.ts';
import { SctpPort, type SctpPortOptions, toSctpOptions } from './sctp-port.ts';
import { SignalledSrtp, type SrtpParameters, type SrtpSupport } from './srtp-parameters.ts';
import { Transport, type TransportOptions } from './transport.ts';
import { type TransportTuple, toTransportTuple } from './transport-tuple.ts';

/** A socket of datagrams as transports use it. */
export interface TransportSocket {
  /** What peers are told. */
  readonly address: string;
  readonly port: number;
  readonly queue: PacketQueue;
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

/** RTP, SRTP and SCTP over sockets of its own: plain transports and pipes. */
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
    super(options, router);
    this.#options = options;
    if (options.srtpCryptoSuite !== undefined) this.#srtp = new SignalledSrtp(options.srtpCryptoSuite, options.srtp);
    this.#sctpTimer = new EarliestTimer(this.environment.clock, () => {
      const nowMs = this.environment.clock.nowMs();
      this.#takeSctp(this.#association?.handleTimeout(nowMs) ?? []);
    });
    if (options.sctp !== undefined) {
      this.#association = new SctpAssociation(toSctpOptions(options.sctp, options.sctpCrypto));
      const access = {
        association: this.#association,
        withSctp: (command: (association: SctpAssociation, nowMs: number) => readonly SctpEvent[]): void => {
          if (this.#association === undefined) return;
          this.#takeSctp(command(this.#association, this.environment.clock.nowMs()));
        },
      };
      this.#sctpPort = new SctpPort(options.sctp, access, options.id, this.environment);
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
   * @throws StateError `sfu/bad-request` when something is missing or connected before
   */
  connect({ ip, port, rtcpPort, srtpParameters }: DatagramConnectOptions): void {
    const { comedia = false, socket, rtcpSocket } = this.#options;
    if (this.#isConnectCalled) throw badRequest('connect() was called before');
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
    if (this.isClosed || source.port === 0) return;
    const datagram = bytes.subarray(start, end);
    const isCompound = isRtcp(datagram);
    const isRtp = !isCompound && bytes[start]! >>> 6 === 2;
    if (!this.#isFromPeer(source, isRtcpSocket, isCompound || isRtp)) {
      this.dropped++;
      return;
    }
    if (!isCompound && !isRtp) {
      this.#receiveSctp(datagram);
      return;
    }
    if (this.#srtp === undefined) {
      if (isCompound) this.receiveRtcp(datagram);
      else this.receiveRtp(bytes, start, end);
      return;
    }
    const { receiver } = this.#srtp;
    const clearEnd = isCompound
      ? receiver?.unprotectRtcp(bytes, start, end)
      : receiver?.unprotectRtp(bytes, start, end);
    if (clearEnd === undefined || clearEnd === 0) this.dropped++;
    else if (isCompound) this.receiveRtcp(bytes.subarray(start, clearEnd));
    else this.receiveRtp(bytes, start, clearEnd);
  }

  protected get dataPort(): DataPort | undefined {
    return this.#sctpPort;
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
    this.#takeSctp(this.#association?.abort() ?? []);
    this.#association = undefined;
    this.#sctpTimer.close();
    this.#options.socket.queue.flush();
    this.#options.socket.close();
    this.#options.rtcpSocket?.close();
  }

  /** Whether a datagram is the peer's; with comedia the first one says who that is. */
  #isFromPeer(source: PacketAddress, isRtcpSocket: boolean, isMedia: boolean): boolean {
    const { comedia = false, socket, rtcpSocket, id } = this.#options;
    if (comedia && isMedia && (this.#srtp === undefined || this.#isConnectCalled)) {
      if (isRtcpSocket && this.#rtcpRemote === undefined) {
        this.#rtcpRemote = targetOf(rtcpSocket!, source.address, source.port);
        this.environment.notify(id, 'rtcptuple', { rtcpTuple: this.rtcpTuple });
        this.#open();
      } else if (!isRtcpSocket && this.#remote === undefined) {
        this.#remote = targetOf(socket, source.address, source.port);
        this.environment.notify(id, 'tuple', { tuple: this.tuple });
        this.#open();
        this.#startSctp();
      }
    }
    const peer = isRtcpSocket ? this.#rtcpRemote : this.#remote;
    return peer !== undefined && source.port === peer.port && source.address === peer.address;
  }

  #open(): void {
    const { socket, rtcpSocket } = this.#options;
    if (this.#remote === undefined) return;
    const rtp = { queue: socket.queue, to: this.#remote };
    const rtcp =
      rtcpSocket === undefined || this.#rtcpRemote === undefined
        ? rtp
        : { queue: rtcpSocket.queue, to: this.#rtcpRemote };
    this.setLink(new QueueLink(rtp, rtcp, this.#srtp?.sender));
  }

  #startSctp(): void {
    if (this.#association === undefined || this.#sctpPort?.state !== 'new') return;
    this.#sctpPort.connecting();
    this.#takeSctp(this.#association.start(this.environment.clock.nowMs()));
  }

  #receiveSctp(datagram: Uint8Array): void {
    if (this.#association === undefined) this.dropped++;
    else this.#takeSctp(this.#association.receive(datagram, this.environment.clock.nowMs()));
  }

  #takeSctp(events: readonly SctpEvent[]): void {
    const { queue } = this.#options.socket;
    for (const event of events) {
      if (event.type !== 'send') {
        this.#sctpPort?.onEvent(event);
        continue;
      }
      const at = this.#remote === undefined ? -1 : queue.reserve(event.bytes.length);
      if (at < 0) continue;
      queue.bytes.set(event.bytes, at);
      queue.put(event.bytes.length, this.#remote!);
    }
    this.#sctpTimer.plan(this.#association?.nextTimeoutMs());
  }
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
