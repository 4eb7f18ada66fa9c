import type { SctpAssociation } from '../../protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../protocol/sctp/sctp-event.ts';
import { StateError } from '../../wire/errors.ts';
import type { Router } from '../router.ts';
import type { SfuErrorCode } from '../router-environment.ts';
import type { DataPort } from './data-port.ts';
import type { DroppedPackets } from './dropped-packets.ts';
import type { PacketLink } from './packet-link.ts';
import { SctpPort, type SctpPortOptions } from './sctp-port.ts';
import { Transport, type TransportOptions } from './transport.ts';
import type { TransportTuple } from './transport-tuple.ts';

/** A hash of a certificate, with the names of the API. */
export interface DtlsFingerprint {
  readonly algorithm: string;
  /** Hexadecimal, a colon between two bytes. */
  readonly value: string;
}

/** What one side tells the other about its side of DTLS. */
export interface DtlsParameters {
  readonly role?: 'auto' | 'client' | 'server';
  readonly fingerprints: readonly DtlsFingerprint[];
}

/** Credentials of ICE. */
export interface TransportIceParameters {
  readonly usernameFragment: string;
  readonly password: string;
  readonly iceLite?: boolean;
}

/** The session under a WebRTC transport: ICE, DTLS and SCTP over whatever sockets there are. */
export interface WebRtcPeer {
  readonly iceParameters: TransportIceParameters;
  readonly sctp: SctpAssociation | undefined;
  /** What it has dropped, and ports of its own have. */
  readonly dropped: Partial<DroppedPackets>;
  /** Begins DTLS; the peer's certificate will have one of these. */
  connect(role: 'client' | 'server', fingerprints: readonly DtlsFingerprint[]): void;
  restartIce(): TransportIceParameters;
  withSctp(command: (association: SctpAssociation, nowMs: number) => readonly SctpEvent[]): void;
  close(): void;
}

/** What control tells of a WebRTC transport, and what it is told. */
export interface WebRtcTransportOptions extends TransportOptions {
  readonly iceCandidates: readonly object[];
  /** Of our certificate. */
  readonly fingerprints: readonly DtlsFingerprint[];
  readonly sctp?: SctpPortOptions;
  /** Ends what it has besides its session. */
  readonly onClosed?: () => void;
}

/** States of ICE, with the names of the API. */
export type TransportIceState = 'new' | 'connected' | 'completed' | 'disconnected' | 'closed';
/** States of DTLS, with the names of the API. */
export type TransportDtlsState = 'new' | 'connecting' | 'connected' | 'failed' | 'closed';

/** A browser, or what speaks like one. */
export class WebRtcTransport extends Transport {
  readonly #options: WebRtcTransportOptions;
  #peer: WebRtcPeer | undefined;
  readonly #sctpPort: SctpPort | undefined;
  #iceState: TransportIceState = 'new';
  #tuple: TransportTuple | undefined;
  #dtlsState: TransportDtlsState = 'new';
  #dtlsRole: 'auto' | 'client' | 'server' = 'auto';
  #remoteCertificate: string | undefined;
  #link: PacketLink | undefined;

  constructor(options: WebRtcTransportOptions, router: Router) {
    super(options, router);
    this.#options = options;
    if (options.sctp === undefined) return;
    const peer = (): WebRtcPeer | undefined => this.#peer;
    const access = {
      get association(): SctpAssociation | undefined {
        return peer()?.sctp;
      },
      withSctp: (command: (association: SctpAssociation, nowMs: number) => readonly SctpEvent[]): void => {
        if (this.#peer?.sctp !== undefined) this.#peer.withSctp(command);
      },
    };
    this.#sctpPort = new SctpPort(options.sctp, access, options.id, this.environment);
  }

  /** Its session; once, before anything else. */
  setPeer(peer: WebRtcPeer): void {
    this.#peer = peer;
  }

  /**
   * The peer's side of DTLS.
   * @returns which side is ours
   * @throws StateError `sfu/wrong-state` when it was called before, `sfu/bad-request` without fingerprints
   */
  connect({ role = 'auto', fingerprints }: DtlsParameters): 'client' | 'server' {
    if (this.#dtlsRole !== 'auto') {
      throw new StateError('sfu/wrong-state' satisfies SfuErrorCode, 'connect() was called before');
    }
    if (fingerprints.length === 0) throw new StateError('sfu/bad-request' satisfies SfuErrorCode, 'no fingerprints');
    // Where the peer has no wish, the controlled side begins.
    const ownRole = role === 'client' ? 'server' : 'client';
    // Refused, it may be called again.
    this.#peer?.connect(ownRole, fingerprints);
    this.#dtlsRole = ownRole;
    return ownRole;
  }

  /** New credentials; the old ones serve until the peer uses these. */
  restartIce(): TransportIceParameters | undefined {
    return this.#peer?.restartIce();
  }

  onIceState(state: TransportIceState): void {
    if (this.isClosed || state === this.#iceState) return;
    this.#iceState = state;
    this.environment.notify(this.id, 'icestatechange', { iceState: state });
    this.#updateLink();
  }

  /** @param link how to send by this path; undefined while there are no keys */
  onSelectedTuple(tuple: TransportTuple | undefined, link: PacketLink | undefined): void {
    if (this.isClosed) return;
    this.#tuple = tuple;
    this.#link = link;
    if (tuple !== undefined) this.environment.notify(this.id, 'iceselectedtuplechange', { iceSelectedTuple: tuple });
    this.#updateLink();
  }

  /**
   * @param link how to send now that there are keys
   * @param remoteCertificate PEM
   */
  onDtlsState(state: TransportDtlsState, link: PacketLink | undefined, remoteCertificate: string | undefined): void {
    if (this.isClosed || state === this.#dtlsState) return;
    this.#dtlsState = state;
    this.#link = link;
    if (state === 'connected') this.#remoteCertificate = remoteCertificate;
    const certificate =
      state === 'connected' && remoteCertificate !== undefined ? { dtlsRemoteCert: remoteCertificate } : {};
    this.environment.notify(this.id, 'dtlsstatechange', { dtlsState: state, ...certificate });
    if (state === 'connected') this.#sctpPort?.connecting();
    this.#updateLink();
  }

  onSctp(event: Exclude<SctpEvent, { readonly type: 'send' }>): void {
    if (!this.isClosed) this.#sctpPort?.onEvent(event);
  }

  protected get dataPort(): DataPort | undefined {
    return this.#sctpPort;
  }

  protected droppedBelow(): Partial<DroppedPackets> {
    return this.#peer?.dropped ?? {};
  }

  protected dumpOwn(): object {
    const { iceCandidates, fingerprints } = this.#options;
    return {
      iceRole: 'controlled',
      iceParameters: this.#peer?.iceParameters,
      iceCandidates,
      iceState: this.#iceState,
      ...(this.#tuple === undefined ? {} : { iceSelectedTuple: this.#tuple }),
      dtlsParameters: { role: this.#dtlsRole, fingerprints },
      dtlsState: this.#dtlsState,
      ...(this.#remoteCertificate === undefined ? {} : { dtlsRemoteCert: this.#remoteCertificate }),
    };
  }

  protected statsOwn(): object {
    const tuple = this.#tuple === undefined ? {} : { iceSelectedTuple: this.#tuple };
    return {
      type: 'webrtc-transport',
      iceRole: 'controlled',
      iceState: this.#iceState,
      ...tuple,
      dtlsState: this.#dtlsState,
    };
  }

  protected closeOwn(): void {
    this.#peer?.close();
    this.#options.onClosed?.();
  }

  #updateLink(): void {
    const hasPath = this.#iceState === 'connected' || this.#iceState === 'completed';
    this.setLink(hasPath && this.#dtlsState === 'connected' ? this.#link : undefined);
  }
}
