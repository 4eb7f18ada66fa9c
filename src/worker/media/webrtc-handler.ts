import { nodeSctpCrypto } from '../../io/sctp-crypto.ts';
import type { DtlsCertificate } from '../../protocol/dtls/dtls-certificate.ts';
import type { CertificateFingerprint } from '../../protocol/dtls/fingerprint.ts';
import { fingerprintText } from '../../protocol/dtls/fingerprint.ts';
import { type NetworkPath, UdpPath } from '../../server/webrtc/network-path.ts';
import type { PortMember } from '../../server/webrtc/port-member.ts';
import type { Router } from '../../sfu/router.ts';
import type { DroppedPackets } from '../../sfu/transports/dropped-packets.ts';
import { type PacketLink, QueueLink, SingleLink } from '../../sfu/transports/packet-link.ts';
import { toSctpOptions } from '../../sfu/transports/sctp-port.ts';
import { type TransportTuple, toTransportTuple } from '../../sfu/transports/transport-tuple.ts';
import { type DtlsFingerprint, WebRtcTransport } from '../../sfu/transports/webrtc-transport.ts';
import { toBase64 } from '../../wire/base64.ts';
import { RequestError } from '../channel/request-errors.ts';
import type { IncomingRequest } from '../channel/response-channel.ts';
import type { MediaEntity } from '../media-handlers.ts';
import type { IcePorts } from './ice-ports.ts';
import { readDtlsParameters } from './media-parameters.ts';
import type { RequestData } from './request-data.ts';
import { sctpOf } from './sctp-sizes.ts';
import { unknownMethod } from './stream-handlers.ts';
import type { OwnRequest } from './transport-handler.ts';

const ALGORITHMS = ['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512'] as const;
const DEFAULT_CONSENT_SECONDS = 30;

/** Ports shared by WebRTC transports of any router. */
export class WebRtcServerHandler implements MediaEntity {
  readonly ports: IcePorts;
  readonly #id: string;
  readonly #transports = new Map<string, { readonly fragments: () => readonly string[]; readonly close: () => void }>();
  #isClosed = false;

  constructor(id: string, ports: IcePorts) {
    this.#id = id;
    this.ports = ports;
  }

  /** @param close of the transport, when the server ends */
  add(transportId: string, fragments: () => readonly string[], close: () => void): void {
    this.#transports.set(transportId, { fragments, close });
  }

  remove(transportId: string): void {
    this.#transports.delete(transportId);
  }

  request({ method }: IncomingRequest): unknown {
    if (method !== 'webRtcServer.dump') throw unknownMethod(method);
    const { udpSockets, tcpServers, dropped } = this.ports;
    return {
      id: this.#id,
      udpSockets,
      tcpServers,
      webRtcTransportIds: [...this.#transports.keys()],
      localIceUsernameFragments: [...this.#transports].flatMap(([webRtcTransportId, { fragments }]) =>
        fragments().map((localIceUsernameFragment) => ({ localIceUsernameFragment, webRtcTransportId })),
      ),
      dropped,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { close } of this.#transports.values()) close();
    this.#transports.clear();
    this.ports.close();
  }
}

/** What a WebRTC transport is opened with. */
export interface WebRtcOpenOptions {
  readonly id: string;
  readonly fields: RequestData;
  readonly ports: IcePorts;
  readonly certificate: DtlsCertificate;
  readonly router: Router;
  readonly onClosed: () => void;
}

/** A WebRTC transport, and what only such a one is asked. */
export function openWebRtc(options: WebRtcOpenOptions): {
  readonly transport: WebRtcTransport;
  readonly own: OwnRequest;
  readonly fragments: () => readonly string[];
} {
  const { id, fields, ports, certificate, router, onClosed } = options;
  const isServer = fields.has('webRtcServerId');
  const iceCandidates = ports.candidates({
    enableUdp: fields.flag('enableUdp', true),
    enableTcp: fields.flag('enableTcp', true),
    // Ports of the transport's own are listed in the order they are preferred in.
    preferUdp: isServer && fields.flag('preferUdp', false),
    preferTcp: isServer && fields.flag('preferTcp', false),
  });
  if (iceCandidates.length === 0) throw new RequestError('no candidates: neither UDP nor TCP is left to listen on');
  const sctp = sctpOf(fields);
  const bitrate = fields.number('initialAvailableOutgoingBitrate');
  const consentTimeoutMs = 1000 * (fields.number('iceConsentTimeout') ?? DEFAULT_CONSENT_SECONDS);
  const transport = new WebRtcTransport(
    {
      id,
      iceCandidates,
      fingerprints: ALGORITHMS.map((algorithm) => toText(certificate.fingerprint(algorithm))),
      onClosed,
      ...(bitrate === undefined ? {} : { initialAvailableOutgoingBitrate: bitrate }),
      ...(sctp === undefined ? {} : { sctp }),
    },
    router,
  );
  const member: PortMember = ports.add({
    certificate,
    consentTimeoutMs,
    ...(sctp === undefined ? {} : { sctp: toSctpOptions(sctp, nodeSctpCrypto) }),
    handlers: {
      // What a lite agent is never in is left out.
      onIceState: (state) => {
        if (state !== 'checking' && state !== 'failed') transport.onIceState(state);
      },
      onSelectedTuple: (path) =>
        transport.onSelectedTuple(path === undefined ? undefined : tupleOf(path), linkOf(member)),
      onDtlsState: (state) =>
        transport.onDtlsState(state, linkOf(member), pemOf(member.session.secure.remoteCertificate)),
      onRtp: (bytes, end) => transport.receiveRtp(bytes, 0, end),
      onRtcp: (bytes, end) => transport.receiveRtcp(bytes.subarray(0, end)),
      onSctp: (event) => transport.onSctp(event),
    },
  });
  transport.setPeer({
    get iceParameters() {
      return member.iceParameters;
    },
    get sctp() {
      return member.session.secure.sctp;
    },
    get dropped() {
      return droppedOf(member, isServer ? undefined : ports);
    },
    connect: (role, fingerprints) => member.session.connect(role, fingerprints.map(toBytes)),
    restartIce: () => member.restartIce(),
    withSctp: (command) => member.session.withSctp(command),
    close: () => member.close(),
  });
  const own: OwnRequest = (method, data) => {
    if (method === 'transport.connect') {
      const dtlsLocalRole = transport.connect(readDtlsParameters(data));
      return { answer: { dtlsLocalRole } };
    }
    return method === 'transport.restartIce' ? { answer: { iceParameters: transport.restartIce() } } : undefined;
  };
  return { transport, own, fragments: () => member.usernameFragments };
}

function tupleOf({ protocol, localAddress, localPort, remoteAddress, remotePort }: NetworkPath): TransportTuple {
  return toTransportTuple(
    { address: localAddress, port: localPort, protocol },
    { address: remoteAddress, port: remotePort },
  );
}

/** @param ports when they are the session's alone */
function droppedOf({ session }: PortMember, ports: IcePorts | undefined): Partial<DroppedPackets> {
  const { strange, unknown, media, unsent } = session.dropped;
  const { foreign, overflowed } = ports?.dropped ?? { foreign: 0, overflowed: 0 };
  return { foreign: strange + foreign, malformed: unknown, unauthentic: media, overflowed: unsent + overflowed };
}

/** How to send now; undefined before there are keys and a path. */
function linkOf(member: PortMember): PacketLink | undefined {
  const { selectedTuple, secure } = member.session;
  if (selectedTuple === undefined || secure.srtpSender === undefined) return undefined;
  if (selectedTuple instanceof UdpPath) {
    const { queue, target } = selectedTuple;
    return new QueueLink({ queue, to: target }, undefined, secure.srtpSender);
  }
  const { dropped } = member.session;
  const write = (bytes: Uint8Array): void => {
    if (!selectedTuple.write(bytes)) dropped.unsent++;
  };
  return new SingleLink(write, secure.srtpSender);
}

function toText({ algorithm, value }: CertificateFingerprint): DtlsFingerprint {
  return { algorithm, value: fingerprintText(value) };
}

/** @throws TypeError when it is none */
function toBytes({ algorithm, value }: DtlsFingerprint): CertificateFingerprint {
  const bytes = value.split(':').map((byte) => (/^[0-9a-f]{2}$/i.test(byte) ? Number.parseInt(byte, 16) : Number.NaN));
  if (bytes.some(Number.isNaN)) throw new TypeError(`invalid fingerprint ${value}`);
  return { algorithm, value: Uint8Array.from(bytes) };
}

function pemOf(der: Uint8Array | undefined): string | undefined {
  if (der === undefined) return undefined;
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
