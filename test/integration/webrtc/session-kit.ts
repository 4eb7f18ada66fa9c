/** A session of a port and a client of ours, joined over the loopback. */
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import type { IceCandidate } from '../../../src/protocol/ice/candidate.ts';
import type { PortSession, PortSessionOptions } from '../../../src/server/webrtc/port-member.ts';
import { type ClientTransport, WebRtcClient } from '../../../src/server/webrtc/webrtc-client.ts';
import { WebRtcPort } from '../../../src/server/webrtc/webrtc-port.ts';
import type { DataChannelNews } from '../../../src/sfu/transport/dtls-srtp-transport.ts';
import { certificateOf } from './dtls-kit.ts';

export const LOOPBACK = '127.0.0.1';

/** What one side was told. */
export class SideLog {
  readonly iceStates: string[] = [];
  readonly dtlsStates: string[] = [];
  readonly channels: DataChannelNews[] = [];
  /** Packets in clear, as text. */
  readonly rtp: string[] = [];
  readonly rtcp: string[] = [];
  readonly handlers = {
    onIceState: (state: string): unknown => this.iceStates.push(state),
    onDtlsState: (state: string): unknown => this.dtlsStates.push(state),
    onDataChannels: (event: DataChannelNews): unknown => this.channels.push(event),
    onRtp: (bytes: Uint8Array, end: number): unknown =>
      this.rtp.push(Buffer.from(bytes.subarray(0, end)).toString('hex')),
    onRtcp: (bytes: Uint8Array, end: number): unknown =>
      this.rtcp.push(Buffer.from(bytes.subarray(0, end)).toString('hex')),
  } as const;

  /** Messages of data channels, as text. */
  get messages(): string[] {
    return this.channels.flatMap((event) =>
      event.type === 'channel-message' ? new TextDecoder().decode(event.bytes) : [],
    );
  }
}

export interface PairOptions {
  readonly transport: ClientTransport;
  /** Of the session of the port. */
  readonly role: 'client' | 'server';
  readonly consentTimeoutMs?: number;
  /** What the client is told of the port's certificate, SHA-256; the truth by default. */
  readonly portFingerprint?: Uint8Array;
  /** Where the client is told the port is; the port itself by default. */
  readonly candidates?: readonly IceCandidate[];
}

/** Both sides, told of each other. */
export interface Pair {
  readonly member: PortSession;
  readonly client: WebRtcClient;
  readonly atPort: SideLog;
  readonly atClient: SideLog;
}

export function openPort(host: string = LOOPBACK): Promise<WebRtcPort> {
  return WebRtcPort.listen({ udp: { host, port: 0 }, tcp: { host, port: 0 } });
}

const above = { sctp: { crypto: nodeSctpCrypto }, dataChannels: true } as const;
const certificates = { port: certificateOf('ecdsa-p256', 'port'), client: certificateOf('ecdsa-p256', 'client') };

export function openMember(port: WebRtcPort, options: Partial<PortSessionOptions> = {}): PortSession {
  return port.open({ certificate: certificates.port, ...above, ...options })!;
}

/** Opens both sides and tells each of the other. */
export async function openPair(port: WebRtcPort, options: PairOptions): Promise<Pair> {
  const [atPort, atClient] = [new SideLog(), new SideLog()];
  const { transport, role, consentTimeoutMs, candidates = port.candidates } = options;
  const member = openMember(port, {
    handlers: atPort.handlers as NonNullable<PortSessionOptions['handlers']>,
    ...(consentTimeoutMs === undefined ? {} : { consentTimeoutMs }),
  });
  const client = await WebRtcClient.open({
    certificate: certificates.client,
    ...above,
    role: 'controlled',
    addresses: [port.candidates[0]?.address ?? LOOPBACK],
    transports: [transport],
    handlers: atClient.handlers as never,
  });
  member.session.connect(role, [certificates.client.fingerprint('sha-256')]);
  client.setRemoteIce(member.iceParameters);
  for (const candidate of candidates) client.addRemoteCandidate(candidate);
  client.endOfRemoteCandidates();
  const { portFingerprint } = options;
  const told =
    portFingerprint === undefined
      ? certificates.port.fingerprint('sha-256')
      : { algorithm: 'sha-256', value: portFingerprint };
  client.session.connect(role === 'client' ? 'server' : 'client', [told]);
  return { member, client, atPort, atClient };
}

/** An RTP or RTCP packet with room for what SRTP adds. */
export function packetWithRoom(packet: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(packet.length + 32);
  bytes.set(packet);
  return bytes;
}
