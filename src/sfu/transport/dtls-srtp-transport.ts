import type { DtlsCertificate } from '../../protocol/dtls/dtls-certificate.ts';
import type { DtlsCrypto } from '../../protocol/dtls/dtls-crypto.ts';
import { type DtlsEvent, DtlsSession } from '../../protocol/dtls/dtls-session.ts';
import type { CertificateFingerprint } from '../../protocol/dtls/fingerprint.ts';
import { type DataChannelEvent, DataChannels } from '../../protocol/sctp/data-channels.ts';
import { SctpAssociation } from '../../protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../protocol/sctp/sctp-event.ts';
import type { SctpOptions } from '../../protocol/sctp/sctp-options.ts';
import type { SrtpCrypto } from '../../protocol/srtp/srtp-cipher.ts';
import { SRTP_PROFILES, type SrtpProfile, type SrtpProfileName } from '../../protocol/srtp/srtp-profile.ts';
import { SrtpReceiver } from '../../protocol/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';
import { type ProtocolError, StateError } from '../../wire/errors.ts';

/** Codes of the `StateError`s of transports. */
export type TransportErrorCode =
  /** `start` was called before. */
  | 'transport/started'
  /** There is no association of SCTP (yet, any more, or at all), or data channels have it. */
  | 'transport/no-sctp'
  /** There are no data channels (yet, any more, or at all). */
  | 'transport/no-data-channels';

/** How far the keys are agreed on. `failed` and `closed` are final. */
export type DtlsTransportState = 'new' | 'connecting' | 'connected' | 'failed' | 'closed';

/** What SCTP tells besides packets. */
export type SctpNews = Exclude<SctpEvent, { readonly type: 'send' }>;

/** What data channels tell besides packets. */
export type DataChannelNews = Exclude<DataChannelEvent, { readonly type: 'send' }>;

/**
 * From the first flight of a handshake to its second, milliseconds. RFC 6347 §4.2.4.1 has a second; but ICE has just shown
 * a round trip, and the first flight is often too early for the peer's side of ICE.
 */
const INITIAL_RETRANSMISSION_MS = 150;

export type DtlsSrtpEvent =
  /** One datagram for the peer. */
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | { readonly type: 'dtls-state'; readonly state: DtlsTransportState; readonly error?: ProtocolError }
  | { readonly type: 'sctp'; readonly event: SctpNews }
  | { readonly type: 'data-channels'; readonly event: DataChannelNews };

export interface DtlsSrtpOptions {
  readonly certificate: DtlsCertificate;
  readonly dtlsCrypto: DtlsCrypto;
  readonly srtpCrypto: SrtpCrypto;
  /** In order of preference; all there are by default. */
  readonly srtpProfiles?: readonly SrtpProfileName[];
  /** An association is wanted. */
  readonly sctp?: SctpOptions;
  /** With `sctp`: data channels have the association; without it is the caller's. */
  readonly dataChannels?: boolean;
  /** Longest datagram of a handshake, bytes of UDP payload; 1200. */
  readonly mtu?: number;
}

/**
 * What one peer of WebRTC sends over a path that ICE has found: DTLS (RFC 5763, 5764) for the keys of SRTP and for SCTP
 * (RFC 8261). Sans-IO. DTLS that comes before `start` is dropped; the peer sends it again.
 */
export class DtlsSrtpTransport {
  readonly #options: DtlsSrtpOptions;
  #dtls: DtlsSession | undefined;
  #role: 'client' | 'server' = 'server';
  #state: DtlsTransportState = 'new';
  #sctp: SctpAssociation | undefined;
  #channels: DataChannels | undefined;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #profile: SrtpProfile | undefined;
  #remoteCertificate: Uint8Array | undefined;

  constructor(options: DtlsSrtpOptions) {
    this.#options = options;
  }

  get state(): DtlsTransportState {
    return this.#state;
  }

  /** The certificate the peer has shown, DER; undefined before `connected`. */
  get remoteCertificate(): Uint8Array | undefined {
    return this.#remoteCertificate;
  }

  /** What media is protected with; undefined before `connected`, and when the peer wants no media. */
  get srtpProfile(): SrtpProfile | undefined {
    return this.#profile;
  }

  /** Protects what is sent; undefined before `connected`. */
  get srtpSender(): SrtpSender | undefined {
    return this.#sender;
  }

  /** Checks what is received; undefined before `connected`. */
  get srtpReceiver(): SrtpReceiver | undefined {
    return this.#receiver;
  }

  /**
   * Begins the handshake: a client sends at once, so the path should be there.
   * @throws StateError `transport/started`
   */
  start(role: 'client' | 'server', fingerprints: readonly CertificateFingerprint[], nowMs: number): DtlsSrtpEvent[] {
    if (this.#state === 'closed') return [];
    if (this.#dtls !== undefined) {
      throw new StateError('transport/started' satisfies TransportErrorCode, 'DTLS was started before');
    }
    const { certificate, dtlsCrypto, mtu } = this.#options;
    const profiles = this.#options.srtpProfiles ?? (Object.keys(SRTP_PROFILES) as SrtpProfileName[]);
    this.#dtls = new DtlsSession({
      role,
      certificate,
      crypto: dtlsCrypto,
      expectedFingerprints: fingerprints,
      initialRetransmissionMs: INITIAL_RETRANSMISSION_MS,
      srtpProfiles: profiles.map((name) => SRTP_PROFILES[name].dtlsId),
      ...(mtu === undefined ? {} : { mtu }),
    });
    const events: DtlsSrtpEvent[] = [];
    this.#role = role;
    this.#enter('connecting', events);
    this.#take(this.#dtls.start(nowMs), nowMs, events);
    return events;
  }

  /** A datagram that looks like DTLS (RFC 7983). */
  receiveDtls(bytes: Uint8Array, nowMs: number): DtlsSrtpEvent[] {
    const events: DtlsSrtpEvent[] = [];
    if (this.#dtls !== undefined) this.#take(this.#dtls.receive(bytes, nowMs), nowMs, events);
    return events;
  }

  /** Checks and decrypts RTP in place. @returns where the packet ends, 0 when it is to be dropped */
  unprotectRtp(bytes: Uint8Array, start: number, end: number): number {
    return this.#receiver?.unprotectRtp(bytes, start, end) ?? 0;
  }

  /** Checks and decrypts RTCP in place. @returns where the compound ends, 0 when it is to be dropped */
  unprotectRtcp(bytes: Uint8Array, start: number, end: number): number {
    return this.#receiver?.unprotectRtcp(bytes, start, end) ?? 0;
  }

  /**
   * Calls SCTP and gives what comes of it.
   * @throws StateError `transport/no-sctp`, and what the command throws
   */
  withSctp(nowMs: number, command: (association: SctpAssociation) => readonly SctpEvent[]): DtlsSrtpEvent[] {
    if (this.#sctp === undefined || this.#channels !== undefined) {
      throw new StateError('transport/no-sctp' satisfies TransportErrorCode, 'there is no SCTP association');
    }
    const events: DtlsSrtpEvent[] = [];
    this.#takeSctp(command(this.#sctp), nowMs, events);
    return events;
  }

  /**
   * Calls the data channels and gives what comes of it.
   * @throws StateError `transport/no-data-channels`, and what the command throws
   */
  withDataChannels(nowMs: number, command: (channels: DataChannels) => readonly DataChannelEvent[]): DtlsSrtpEvent[] {
    if (this.#channels === undefined) {
      throw new StateError('transport/no-data-channels' satisfies TransportErrorCode, 'there are no data channels');
    }
    const events: DtlsSrtpEvent[] = [];
    this.#takeChannels(command(this.#channels), nowMs, events);
    return events;
  }

  /** SCTP as it stands; undefined before `connected` and when it was not wanted. Change it by `withSctp`. */
  get sctp(): SctpAssociation | undefined {
    return this.#sctp;
  }

  /** The data channels as they stand; undefined when there are none. Change them by `withDataChannels`. */
  get dataChannels(): DataChannels | undefined {
    return this.#channels;
  }

  nextTimeoutMs(): number | undefined {
    const dtlsMs = this.#dtls?.nextTimeoutMs();
    const sctpMs = this.#sctp?.nextTimeoutMs();
    return dtlsMs === undefined || sctpMs === undefined ? (dtlsMs ?? sctpMs) : Math.min(dtlsMs, sctpMs);
  }

  handleTimeout(nowMs: number): DtlsSrtpEvent[] {
    const events: DtlsSrtpEvent[] = [];
    if (this.#dtls !== undefined) this.#take(this.#dtls.handleTimeout(nowMs), nowMs, events);
    if (this.#channels !== undefined) this.#takeChannels(this.#channels.handleTimeout(nowMs), nowMs, events);
    else if (this.#sctp !== undefined) this.#takeSctp(this.#sctp.handleTimeout(nowMs), nowMs, events);
    return events;
  }

  /** Tells the peer and forgets the keys. Idempotent. */
  close(nowMs: number): DtlsSrtpEvent[] {
    if (this.#state === 'closed') return [];
    const events: DtlsSrtpEvent[] = [];
    this.#abortSctp(nowMs, events);
    if (this.#dtls !== undefined) this.#take(this.#dtls.close(), nowMs, events);
    this.#enter('closed', events);
    return events;
  }

  #take(news: readonly DtlsEvent[], nowMs: number, events: DtlsSrtpEvent[]): void {
    for (const event of news) {
      switch (event.type) {
        case 'send':
          events.push(event);
          break;
        case 'connected':
          this.#connect(event, nowMs, events);
          break;
        case 'data':
          if (this.#channels !== undefined)
            this.#takeChannels(this.#channels.receive(event.bytes, nowMs), nowMs, events);
          else if (this.#sctp !== undefined) this.#takeSctp(this.#sctp.receive(event.bytes, nowMs), nowMs, events);
          break;
        case 'closed':
          this.#abortSctp(nowMs, events);
          this.#enter('closed', events);
          break;
        case 'failed':
          this.#abortSctp(nowMs, events);
          this.#enter('failed', events, event.error);
          break;
        default:
          event satisfies never;
      }
    }
  }

  #connect(event: Extract<DtlsEvent, { type: 'connected' }>, nowMs: number, events: DtlsSrtpEvent[]): void {
    this.#remoteCertificate = event.remoteCertificate;
    const profile = Object.values(SRTP_PROFILES).find(({ dtlsId }) => dtlsId === event.srtpProfile);
    if (profile !== undefined && event.keys !== undefined) {
      const { clientKey, clientSalt, serverKey, serverSalt } = event.keys;
      const client = { profile: profile.name, masterKey: clientKey, masterSalt: clientSalt };
      const server = { profile: profile.name, masterKey: serverKey, masterSalt: serverSalt };
      const isClient = this.#role === 'client';
      this.#profile = profile;
      this.#sender = new SrtpSender(isClient ? client : server, this.#options.srtpCrypto);
      this.#receiver = new SrtpReceiver(isClient ? server : client, this.#options.srtpCrypto);
    }
    this.#enter('connected', events);
    if (this.#options.sctp === undefined) return;
    this.#sctp = new SctpAssociation(this.#options.sctp);
    if (this.#options.dataChannels !== true) {
      this.#takeSctp(this.#sctp.start(nowMs), nowMs, events);
      return;
    }
    const { maxReceiveMessageBytes } = this.#options.sctp;
    this.#channels = new DataChannels({
      association: this.#sctp,
      role: this.#role,
      ...(maxReceiveMessageBytes === undefined ? {} : { maxReceiveMessageBytes }),
    });
    this.#takeChannels(this.#channels.start(nowMs), nowMs, events);
  }

  /** Nothing is below it any more, or will not be for long: its users are told. */
  #abortSctp(nowMs: number, events: DtlsSrtpEvent[]): void {
    if (this.#channels !== undefined) this.#takeChannels(this.#channels.abort(), nowMs, events);
    else if (this.#sctp !== undefined) this.#takeSctp(this.#sctp.abort(), nowMs, events);
  }

  #takeSctp(news: readonly SctpEvent[], nowMs: number, events: DtlsSrtpEvent[]): void {
    for (const event of news) {
      if (event.type === 'send') this.#sendSctp(event.bytes, nowMs, events);
      else events.push({ type: 'sctp', event });
    }
  }

  #takeChannels(news: readonly DataChannelEvent[], nowMs: number, events: DtlsSrtpEvent[]): void {
    for (const event of news) {
      if (event.type === 'send') this.#sendSctp(event.bytes, nowMs, events);
      else events.push({ type: 'data-channels', event });
    }
  }

  #sendSctp(packet: Uint8Array, nowMs: number, events: DtlsSrtpEvent[]): void {
    if (this.#state === 'connected') this.#take(this.#dtls!.send(packet), nowMs, events);
  }

  #enter(state: DtlsTransportState, events: DtlsSrtpEvent[], error?: ProtocolError): void {
    if (this.#state === state || this.#state === 'closed' || this.#state === 'failed') return;
    this.#state = state;
    if (state === 'closed' || state === 'failed') {
      this.#sender = undefined;
      this.#receiver = undefined;
      this.#sctp = undefined;
      this.#channels = undefined;
    }
    events.push({ type: 'dtls-state', state, ...(error === undefined ? {} : { error }) });
  }
}
