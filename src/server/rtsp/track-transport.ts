import { isRecord, type NumberRange, type RtspTransport } from '../../protocol/rtsp/transport-header.ts';
import { ResourceError } from '../../wire/errors.ts';
import type { ChannelPair } from './interleaved-delivery.ts';
import type { MulticastGroup } from './multicast-group.ts';
import type { RtspConnection } from './rtsp-connection.ts';
import type { UdpPorts } from './udp-ports.ts';
import type { UdpReceiver, UdpRoute } from './udp-route.ts';

/** A transport stream in datagrams, without RTP: two names for the same, which set-top boxes and live555 know. */
const RAW_PROFILES: ReadonlySet<string> = new Set(['RAW/RAW', 'MP2T/H2221']);

/** How one track of a session is carried, and how the answer to SETUP says it. */
export type TrackTransport = (
  | { readonly kind: 'interleaved'; readonly channels: ChannelPair }
  | { readonly kind: 'udp'; readonly route: UdpRoute }
  | { readonly kind: 'multicast'; readonly group: MulticastGroup }
) & {
  readonly answer: RtspTransport;
  /** Lets go of ports and channels. Idempotent. */
  close(): void;
};

/** What SETUP may choose from. */
export interface TransportMeans {
  readonly connection: RtspConnection;
  /** Undefined when datagrams are switched off. */
  readonly udp: UdpPorts | undefined;
  /** The group of the media session; undefined when it has none. */
  readonly multicastGroup: () => Promise<MulticastGroup | undefined>;
  /** Kind of the session's other tracks, which this one has to be of, too. */
  readonly kind: TrackTransport['kind'] | undefined;
  readonly isRecording: boolean;
  /** Packets are SRTP. */
  readonly isProtected: boolean;
  /** Its one track is an MPEG transport stream. */
  readonly isTransportStream: boolean;
  readonly track: number;
  readonly ssrc: number | undefined;
  readonly receiver: UdpReceiver;
}

/**
 * Opens the first alternative that can be had (RFC 2326 §12.39), or gives back the status code of a refusal: 461 when none
 * is supported, 503 when the server is out of ports.
 */
export async function openTransport(
  alternatives: readonly RtspTransport[],
  means: TransportMeans,
): Promise<TrackTransport | number> {
  let refusal = 461;
  for (const asked of alternatives) {
    if (!isCarried(asked.profile, means)) continue;
    if (isRecord(asked) && !means.isRecording) continue;
    const kind = kindOf(asked, means);
    if (kind === undefined || (means.kind !== undefined && kind !== means.kind)) continue;
    try {
      const transport = await open(kind, asked, means);
      if (transport !== undefined) return transport;
    } catch (error) {
      if (!(error instanceof ResourceError)) throw error;
      means.connection.log.warn({ err: error }, 'no ports for a client');
      refusal = 503;
    }
  }
  return refusal;
}

/** Whether its packets are bare payload. */
export function isWithoutRtp(transport: TrackTransport): boolean {
  return RAW_PROFILES.has(transport.answer.profile);
}

function isCarried(profile: string, means: TransportMeans): boolean {
  const { isProtected, isRecording, isTransportStream } = means;
  if (RAW_PROFILES.has(profile)) return isTransportStream && !isRecording && !isProtected;
  const wanted = isProtected ? 'RTP/SAVP' : 'RTP/AVP';
  // A publisher that would take feedback (RFC 4585) is content with reports.
  return profile === wanted || (isRecording && profile === `${wanted}F`);
}

function kindOf(asked: RtspTransport, means: TransportMeans): TrackTransport['kind'] | undefined {
  const kind = namedKind(asked, means);
  return kind === 'udp' || !RAW_PROFILES.has(asked.profile) ? kind : undefined;
}

function namedKind(asked: RtspTransport, means: TransportMeans): TrackTransport['kind'] | undefined {
  if (asked.lowerTransport === 'TCP') return asked.delivery === 'multicast' ? undefined : 'interleaved';
  if (asked.lowerTransport !== undefined && asked.lowerTransport !== 'UDP') return undefined;
  // Some clients leave out what they want of a tunnel; nothing else gets through it.
  if (means.connection.isTunnelled) return 'interleaved';
  // RFC 2326 has multicast as the default; clients that name ports of theirs mean unicast.
  const isMulticast =
    asked.delivery === 'multicast' || (asked.delivery === undefined && asked.clientPort === undefined);
  return isMulticast ? 'multicast' : 'udp';
}

async function open(
  kind: TrackTransport['kind'],
  asked: RtspTransport,
  means: TransportMeans,
): Promise<TrackTransport | undefined> {
  switch (kind) {
    case 'interleaved':
      return openInterleaved(asked, means);
    case 'udp':
      return openUdp(asked, means);
    case 'multicast':
      return means.isRecording ? undefined : openMulticast(means);
  }
}

function openInterleaved(asked: RtspTransport, means: TransportMeans): TrackTransport | undefined {
  const { connection, receiver } = means;
  const channels = connection.takeChannels(
    pairOf(asked.interleaved, 255),
    (bytes) => receiver.receiveRtp(bytes),
    (bytes) => receiver.receiveRtcp(bytes),
  );
  if (channels === undefined) return undefined;
  return {
    kind: 'interleaved',
    channels,
    answer: {
      profile: asked.profile,
      lowerTransport: 'TCP',
      delivery: 'unicast',
      interleaved: { first: channels.rtp, last: channels.rtcp },
      ...common(asked, means),
    },
    close: once(() => connection.freeChannels(channels)),
  };
}

async function openUdp(asked: RtspTransport, means: TransportMeans): Promise<TrackTransport | undefined> {
  const { connection, udp, receiver } = means;
  const ports = pairOf(asked.clientPort, 65_535);
  if (udp === undefined || ports === undefined || ports.rtp === 0) return undefined;
  const route = await udp.open(
    { address: connection.remote.address, rtpPort: ports.rtp, rtcpPort: ports.rtcp },
    receiver,
    means.isRecording,
  );
  return {
    kind: 'udp',
    route,
    answer: {
      profile: asked.profile,
      lowerTransport: asked.lowerTransport,
      delivery: 'unicast',
      // Media never go elsewhere, whatever destination was asked for.
      ...(asked.destination === undefined ? {} : { destination: connection.remote.address }),
      source: connection.local.address,
      clientPort: { first: ports.rtp, last: ports.rtcp },
      serverPort: { first: route.serverRtpPort, last: route.serverRtcpPort },
      ...common(asked, means),
    },
    close: once(() => route.close()),
  };
}

async function openMulticast(means: TransportMeans): Promise<TrackTransport | undefined> {
  const group = await means.multicastGroup();
  if (group === undefined) return undefined;
  const port = group.portOf(means.track);
  return {
    kind: 'multicast',
    group,
    answer: {
      profile: means.isProtected ? 'RTP/SAVP' : 'RTP/AVP',
      delivery: 'multicast',
      destination: group.address,
      port: { first: port, last: port + 1 },
      ttl: group.timeToLive,
      ssrc: means.ssrc,
    },
    close: () => undefined,
  };
}

function common(asked: RtspTransport, means: TransportMeans): Pick<RtspTransport, 'ssrc' | 'mode'> {
  const ssrc = RAW_PROFILES.has(asked.profile) ? undefined : means.ssrc;
  return { ssrc, ...(asked.mode === undefined ? {} : { mode: [means.isRecording ? 'RECORD' : 'PLAY'] }) };
}

/** Where only RTP's port or channel is named, RTCP has the next one. */
function pairOf(range: NumberRange | undefined, max: number): ChannelPair | undefined {
  if (range === undefined) return undefined;
  const { first, last = first + 1 } = range;
  return last > max || last === first ? undefined : { rtp: first, rtcp: last };
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
