import type { Clock } from '../../media/clock.ts';
import type { CertificateFingerprint } from '../../protocol/dtls/fingerprint.ts';
import type { IceCandidate } from '../../protocol/ice/candidate.ts';
import type { IceState } from '../../protocol/ice/ice-agent.ts';
import type { IceLiteEvent, IceLiteState } from '../../protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../protocol/ice/ice-tuple.ts';
import { type PacketKind, packetKindOf } from '../../protocol/ice/packet-kind.ts';
import type { DataChannelEvent, DataChannels } from '../../protocol/sctp/data-channels.ts';
import type { SctpAssociation } from '../../protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../protocol/sctp/sctp-event.ts';
import type {
  DataChannelNews,
  DtlsSrtpEvent,
  DtlsSrtpTransport,
  DtlsTransportState,
  SctpNews,
} from '../../sfu/transport/dtls-srtp-transport.ts';
import type { ProtocolError } from '../../wire/errors.ts';

/** What agents of ICE of either kind tell. */
export type IceSideEvent<T extends IceTuple> =
  | IceLiteEvent<T>
  | { readonly type: 'state'; readonly state: IceState }
  | { readonly type: 'candidate'; readonly candidate: IceCandidate }
  | { readonly type: 'gathered' }
  | { readonly type: 'connect'; readonly tuple: T };

/** An agent of ICE of either kind: `IceLiteAgent` or `IceAgent`. */
export interface IceSide<T extends IceTuple> {
  isKnown(tuple: T): boolean;
  receive(bytes: Uint8Array, tuple: T, nowMs: number): readonly IceSideEvent<T>[];
  nextTimeoutMs(): number | undefined;
  handleTimeout(nowMs: number): readonly IceSideEvent<T>[];
  close(): readonly IceSideEvent<T>[];
}

/** What only whoever owns the sockets can follow. */
export type IceNetworkEvent<T extends IceTuple> = Exclude<
  IceSideEvent<T>,
  { readonly type: 'state' } | { readonly type: 'selected-tuple' }
>;

/** Whom a session tells. Views of packets are good during the call. Handlers must not throw. */
export interface WebRtcSessionHandlers<T extends IceTuple> {
  /** Sends, and keeps the routes of a shared port. */
  readonly onNetwork: (event: IceNetworkEvent<T>) => void;
  readonly onIceState?: (state: IceState | IceLiteState) => void;
  readonly onSelectedTuple?: (tuple: T | undefined) => void;
  readonly onDtlsState?: (state: DtlsTransportState, error: ProtocolError | undefined) => void;
  /** A genuine RTP packet in clear at `[0, end)` of `bytes`, which may be written into. */
  readonly onRtp?: (bytes: Uint8Array, end: number) => void;
  /** The same for compound RTCP. */
  readonly onRtcp?: (bytes: Uint8Array, end: number) => void;
  readonly onSctp?: (event: SctpNews) => void;
  readonly onDataChannels?: (event: DataChannelNews) => void;
}

export interface WebRtcSessionOptions<T extends IceTuple> {
  readonly ice: IceSide<T>;
  readonly secure: DtlsSrtpTransport;
  readonly clock: Clock;
  readonly handlers: WebRtcSessionHandlers<T>;
}

/** DTLS datagrams kept that came before ICE had found their path genuine. */
export const MAX_EARLY_DATAGRAMS = 8;
/** Longest of them, bytes: no flight of a handshake has longer ones. */
export const MAX_EARLY_DATAGRAM_BYTES = 1500;

/** Packets that came for a session and were not taken, or did not leave, by why. */
export interface DroppedPackets {
  /** From an address that has shown no consent. */
  strange: number;
  /** Of no protocol known. */
  unknown: number;
  /** Media whose tag or number was no good, or before there were keys. */
  media: number;
  /** Not sent: there was no room. */
  unsent: number;
}

/**
 * One peer of WebRTC with its timers: ICE finds the path, DTLS agrees on keys, SRTP and SCTP use them. Packets other than
 * those of ICE are taken from paths only that ICE has found genuine.
 */
export class WebRtcSession<T extends IceTuple> {
  readonly secure: DtlsSrtpTransport;
  readonly dropped: DroppedPackets = { strange: 0, unknown: 0, media: 0, unsent: 0 };
  readonly #ice: IceSide<T>;
  readonly #clock: Clock;
  readonly #handlers: WebRtcSessionHandlers<T>;
  #stopTimer: (() => void) | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #selected: T | undefined;
  /** What `connect` was told, until there is a path to send a hello on. */
  #toStart:
    | { readonly role: 'client' | 'server'; readonly fingerprints: readonly CertificateFingerprint[] }
    | undefined;
  /** The peer may be sure of a path before we are, and begin its handshake. */
  #early: { readonly bytes: Uint8Array; readonly tuple: T }[] = [];
  #isClosed = false;

  constructor(options: WebRtcSessionOptions<T>) {
    this.#ice = options.ice;
    this.secure = options.secure;
    this.#clock = options.clock;
    this.#handlers = options.handlers;
  }

  /** Where it is sent to; undefined before ICE has found a path. */
  get selectedTuple(): T | undefined {
    return this.#selected;
  }

  /** The peer's certificate will have one of these; DTLS begins now, or when there is a path. */
  connect(role: 'client' | 'server', fingerprints: readonly CertificateFingerprint[]): void {
    if (this.#isClosed) return;
    if (role === 'server' || this.#selected !== undefined) {
      this.#takeSecure(this.secure.start(role, fingerprints, this.#clock.nowMs()));
    } else {
      this.#toStart = { role, fingerprints };
    }
    this.#plan();
  }

  /** A packet that came by a path; RTP and RTCP are decrypted in place. */
  receive(bytes: Uint8Array, tuple: T): void {
    if (this.#isClosed) return;
    const kind = packetKindOf(bytes);
    if (kind === 'stun') {
      this.#takeIce(this.#ice.receive(bytes, tuple, this.#clock.nowMs()));
      this.#plan();
    } else if (!this.#ice.isKnown(tuple)) {
      this.#keepEarly(kind, bytes, tuple);
    } else if (kind === 'dtls') {
      this.#takeSecure(this.secure.receiveDtls(bytes, this.#clock.nowMs()));
      this.#plan();
    } else if (kind === 'rtp') {
      const end = this.secure.unprotectRtp(bytes, 0, bytes.length);
      if (end === 0) this.dropped.media++;
      else this.#handlers.onRtp?.(bytes, end);
    } else if (kind === 'rtcp') {
      const end = this.secure.unprotectRtcp(bytes, 0, bytes.length);
      if (end === 0) this.dropped.media++;
      else this.#handlers.onRtcp?.(bytes, end);
    } else {
      this.dropped.unknown++;
    }
  }

  /** Follows what a command to its agent gave. */
  follow(events: readonly IceSideEvent<T>[]): void {
    this.#takeIce(events);
    this.#plan();
  }

  /**
   * Sends an RTP packet that stands at `[0, end)` of `bytes`; it is encrypted in place, and `SrtpSender.rtpOverheadBytes`
   * must follow it. @returns false when there are no keys or no path, or the packet was refused
   */
  sendRtp(bytes: Uint8Array, end: number): boolean {
    const protectedEnd = this.secure.srtpSender?.protectRtp(bytes, 0, end) ?? 0;
    return this.#sendMedia(bytes, protectedEnd);
  }

  /** The same for compound RTCP; `SrtpSender.rtcpOverheadBytes` must follow it. */
  sendRtcp(bytes: Uint8Array, end: number): boolean {
    const protectedEnd = this.secure.srtpSender?.protectRtcp(bytes, 0, end) ?? 0;
    return this.#sendMedia(bytes, protectedEnd);
  }

  #sendMedia(bytes: Uint8Array, end: number): boolean {
    if (end === 0 || this.#selected === undefined) return false;
    this.#handlers.onNetwork({ type: 'send', bytes: bytes.subarray(0, end), tuple: this.#selected });
    return true;
  }

  /**
   * Calls SCTP and sends what comes of it.
   * @throws StateError `transport/no-sctp`, and what the command throws
   */
  withSctp(command: (association: SctpAssociation, nowMs: number) => readonly SctpEvent[]): void {
    const nowMs = this.#clock.nowMs();
    this.#takeSecure(this.secure.withSctp(nowMs, (association) => command(association, nowMs)));
    this.#plan();
  }

  /**
   * Calls the data channels and sends what comes of it.
   * @throws StateError `transport/no-data-channels`, and what the command throws
   */
  withDataChannels(command: (channels: DataChannels, nowMs: number) => readonly DataChannelEvent[]): void {
    const nowMs = this.#clock.nowMs();
    this.#takeSecure(this.secure.withDataChannels(nowMs, (channels) => command(channels, nowMs)));
    this.#plan();
  }

  /** Tells the peer and ends every path. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#takeSecure(this.secure.close(this.#clock.nowMs()));
    this.#takeIce(this.#ice.close());
    this.#isClosed = true;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#early = [];
  }

  #takeIce(events: readonly IceSideEvent<T>[]): void {
    for (const event of events) {
      // A handler has closed it: what was still to be said is over.
      if (this.#isClosed) return;
      if (event.type === 'state') {
        this.#handlers.onIceState?.(event.state);
      } else if (event.type === 'selected-tuple') {
        this.#selected = event.tuple;
        this.#handlers.onSelectedTuple?.(event.tuple);
        this.#startWaiting();
        this.#receiveEarly();
      } else {
        this.#handlers.onNetwork(event);
      }
    }
  }

  #startWaiting(): void {
    const waiting = this.#toStart;
    if (waiting === undefined || this.#selected === undefined) return;
    this.#toStart = undefined;
    this.#takeSecure(this.secure.start(waiting.role, waiting.fingerprints, this.#clock.nowMs()));
  }

  #keepEarly(kind: PacketKind, bytes: Uint8Array, tuple: T): void {
    const isKept =
      kind === 'dtls' &&
      this.#selected === undefined &&
      this.#early.length < MAX_EARLY_DATAGRAMS &&
      bytes.length <= MAX_EARLY_DATAGRAM_BYTES;
    if (isKept) this.#early.push({ bytes: bytes.slice(), tuple });
    else this.dropped.strange++;
  }

  #receiveEarly(): void {
    if (this.#selected === undefined) return;
    for (const { bytes, tuple } of this.#early.splice(0)) {
      if (this.#ice.isKnown(tuple)) this.#takeSecure(this.secure.receiveDtls(bytes, this.#clock.nowMs()));
      else this.dropped.strange++;
    }
  }

  #takeSecure(events: readonly DtlsSrtpEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') {
        if (this.#selected !== undefined) {
          this.#handlers.onNetwork({ type: 'send', bytes: event.bytes, tuple: this.#selected });
        }
      } else if (event.type === 'dtls-state') {
        this.#handlers.onDtlsState?.(event.state, event.error);
      } else if (event.type === 'sctp') {
        this.#handlers.onSctp?.(event.event);
      } else {
        this.#handlers.onDataChannels?.(event.event);
      }
    }
  }

  /** Sets the timer anew when something is due earlier than it; later ones find out when it runs. */
  #plan(): void {
    if (this.#isClosed) return;
    const nextMs = Math.min(
      this.#ice.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
      this.secure.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
    );
    if (nextMs >= this.#timerMs || nextMs === Number.POSITIVE_INFINITY) return;
    this.#stopTimer?.();
    this.#timerMs = nextMs;
    this.#stopTimer = this.#clock.after(Math.max(0, nextMs - this.#clock.nowMs()), () => this.#handleTimeout());
  }

  #handleTimeout(): void {
    this.#stopTimer = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
    if (this.#isClosed) return;
    const nowMs = this.#clock.nowMs();
    this.#takeIce(this.#ice.handleTimeout(nowMs));
    this.#takeSecure(this.secure.handleTimeout(nowMs));
    this.#plan();
  }
}
