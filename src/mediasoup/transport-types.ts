import type { DroppedPackets } from '../sfu/transports/dropped-packets.ts';
import type { AppData } from './app-data.ts';
import type { SctpNegotiatedCapabilities, SctpParameters, SctpState } from './sctp-parameters.ts';

export type TransportProtocol = 'udp' | 'tcp';

export interface TransportPortRange {
  min: number;
  max: number;
}

export interface TransportSocketFlags {
  ipv6Only?: boolean;
  udpReusePort?: boolean;
}

/** Where a transport listens. */
export interface TransportListenInfo {
  protocol: TransportProtocol;
  ip: string;
  /** Address or host name told to clients in place of `ip`. */
  announcedAddress?: string;
  /** @deprecated Use `announcedAddress`. */
  announcedIp?: string;
  /** Tell `ip`, too, when there is an announced address. */
  exposeInternalIp?: boolean;
  /** Chosen when missing: in `portRange`, else in the range of the worker. */
  port?: number;
  portRange?: TransportPortRange;
  flags?: TransportSocketFlags;
  /** Bytes; the system's own by default. */
  sendBufferSize?: number;
  recvBufferSize?: number;
}

/** @deprecated Use `TransportListenInfo`. */
export interface TransportListenIp {
  ip: string;
  announcedIp?: string;
}

/** Two ends of a path. */
export interface TransportTuple {
  localAddress: string;
  /** @deprecated Use `localAddress`. */
  localIp: string;
  localPort: number;
  remoteIp?: string;
  remotePort?: number;
  protocol: TransportProtocol;
}

export type SrtpCryptoSuite =
  | 'AEAD_AES_256_GCM'
  | 'AEAD_AES_128_GCM'
  | 'AES_CM_128_HMAC_SHA1_80'
  | 'AES_CM_128_HMAC_SHA1_32';

export interface SrtpParameters {
  cryptoSuite: SrtpCryptoSuite;
  /** Master key and salt. */
  keyBase64: string;
}

export interface IceParameters {
  usernameFragment: string;
  password: string;
  iceLite?: boolean;
}

export interface IceCandidate {
  foundation: string;
  priority: number;
  /** @deprecated Use `address`. */
  ip: string;
  address: string;
  protocol: TransportProtocol;
  port: number;
  type: 'host';
  tcpType?: 'passive';
}

export type IceState = 'new' | 'connected' | 'completed' | 'disconnected' | 'closed';
export type DtlsRole = 'auto' | 'client' | 'server';
export type DtlsState = 'new' | 'connecting' | 'connected' | 'failed' | 'closed';
export type FingerprintAlgorithm = 'sha-1' | 'sha-224' | 'sha-256' | 'sha-384' | 'sha-512';

export interface DtlsFingerprint {
  algorithm: FingerprintAlgorithm;
  value: string;
}

export interface DtlsParameters {
  role?: DtlsRole;
  fingerprints: DtlsFingerprint[];
}

export type TransportType = 'webrtc' | 'plain' | 'pipe' | 'direct';
export type TransportTraceEventType = 'probation' | 'bwe';

export interface TransportTraceEventData {
  type: TransportTraceEventType;
  /** Milliseconds. */
  timestamp: number;
  direction: 'in' | 'out';
  info: Record<string, unknown>;
}

/** SCTP of WebRTC, plain and pipe transports. Sizes in bytes. */
export interface SctpOptions {
  /** false; true between routers. */
  enableSctp?: boolean;
  /** 262144. */
  maxSendMessageSize?: number;
  /** 262144. */
  maxReceiveMessageSize?: number;
  /** 2000000. */
  sctpSendBufferSize?: number;
  /** 2000000. */
  sctpPerStreamSendQueueLimit?: number;
  /** 5242880. */
  sctpMaxReceiverWindowBufferSize?: number;
  /** 1024. */
  sctpDefaultStreamBufferedAmountLowThreshold?: number;
  /** @deprecated Numbers of streams are agreed on by SCTP itself. */
  numSctpStreams?: { OS: number; MIS: number };
  /** @deprecated Stands for both `maxSendMessageSize` and `maxReceiveMessageSize`. */
  maxSctpMessageSize?: number;
}

export interface WebRtcTransportOptions<A extends AppData = AppData> extends SctpOptions {
  /** A `WebRtcServer` of the same worker; in place of `listenInfos`. */
  webRtcServer?: { readonly id: string };
  listenInfos?: TransportListenInfo[];
  /** @deprecated Use `listenInfos`. */
  listenIps?: (TransportListenIp | string)[];
  /** @deprecated Of `listenIps`. */
  port?: number;
  /** true */
  enableUdp?: boolean;
  /** false; true with `webRtcServer`. */
  enableTcp?: boolean;
  preferUdp?: boolean;
  preferTcp?: boolean;
  /** 600000 bit/s. */
  initialAvailableOutgoingBitrate?: number;
  /** 30 seconds; 0 turns it off. */
  iceConsentTimeout?: number;
  appData?: A;
}

export interface PlainTransportOptions<A extends AppData = AppData> extends SctpOptions {
  listenInfo?: TransportListenInfo;
  /** With `rtcpMux: false`; like `listenInfo` on another port by default. */
  rtcpListenInfo?: TransportListenInfo;
  /** @deprecated Use `listenInfo`. */
  listenIp?: TransportListenIp | string;
  /** @deprecated Of `listenIp`. */
  port?: number;
  /** true */
  rtcpMux?: boolean;
  /** false: the peer's address is told by `connect`, not learned from its packets. */
  comedia?: boolean;
  /** false */
  enableSrtp?: boolean;
  /** AES_CM_128_HMAC_SHA1_80 */
  srtpCryptoSuite?: SrtpCryptoSuite;
  appData?: A;
}

export interface PipeTransportOptions<A extends AppData = AppData> extends SctpOptions {
  listenInfo?: TransportListenInfo;
  /** @deprecated Use `listenInfo`. */
  listenIp?: TransportListenIp | string;
  /** @deprecated Of `listenIp`. */
  port?: number;
  /** false */
  enableRtx?: boolean;
  /** false */
  enableSrtp?: boolean;
  appData?: A;
}

export interface DirectTransportOptions<A extends AppData = AppData> {
  /** 262144 bytes. */
  maxSendMessageSize?: number;
  /** 262144 bytes. */
  maxReceiveMessageSize?: number;
  /** @deprecated Stands for both of the above. */
  maxMessageSize?: number;
  appData?: A;
}

export interface WebRtcServerOptions<A extends AppData = AppData> {
  listenInfos: TransportListenInfo[];
  appData?: A;
}

/** State of a transport in the worker; more fields by kind. */
export interface BaseTransportDump {
  id: string;
  producerIds: string[];
  consumerIds: string[];
  mapSsrcConsumerId: { key: number; value: string }[];
  mapRtxSsrcConsumerId: { key: number; value: string }[];
  recvRtpHeaderExtensions: {
    mid?: number;
    rid?: number;
    rrid?: number;
    absSendTime?: number;
    transportWideCc01?: number;
  };
  rtpListener: {
    ssrcTable: { key: number; value: string }[];
    midTable: { key: string; value: string }[];
    ridTable: { key: string; value: string }[];
  };
  maxSendMessageSize: number;
  maxReceiveMessageSize: number;
  dataProducerIds: string[];
  dataConsumerIds: string[];
  sctpParameters?: SctpParameters;
  sctpState?: SctpState;
  sctpNegotiatedCapabilities?: SctpNegotiatedCapabilities;
  sctpListener?: { streamIdTable: { key: number; value: string }[] };
  traceEventTypes: TransportTraceEventType[];
  /** Not in mediasoup. */
  dropped: DroppedPackets;
}

export interface WebRtcTransportDump extends BaseTransportDump {
  iceRole: 'controlled';
  iceParameters: IceParameters;
  iceCandidates: IceCandidate[];
  iceState: IceState;
  iceSelectedTuple?: TransportTuple;
  dtlsParameters: DtlsParameters;
  dtlsState: DtlsState;
  dtlsRemoteCert?: string;
}

export interface PlainTransportDump extends BaseTransportDump {
  rtcpMux: boolean;
  comedia: boolean;
  tuple: TransportTuple;
  rtcpTuple?: TransportTuple;
  srtpParameters?: SrtpParameters;
}

export interface PipeTransportDump extends BaseTransportDump {
  tuple: TransportTuple;
  rtx: boolean;
  srtpParameters?: SrtpParameters;
}

export type DirectTransportDump = BaseTransportDump;

/** Bytes in all and bits per second now, by what was carried. */
export interface BaseTransportStats {
  transportId: string;
  /** Milliseconds. */
  timestamp: number;
  sctpState?: SctpState;
  bytesReceived: number;
  recvBitrate: number;
  bytesSent: number;
  sendBitrate: number;
  rtpBytesReceived: number;
  rtpRecvBitrate: number;
  rtpBytesSent: number;
  rtpSendBitrate: number;
  rtxBytesReceived: number;
  rtxRecvBitrate: number;
  rtxBytesSent: number;
  rtxSendBitrate: number;
  probationBytesSent: number;
  probationSendBitrate: number;
  availableOutgoingBitrate?: number;
  availableIncomingBitrate?: number;
  maxIncomingBitrate?: number;
  maxOutgoingBitrate?: number;
  minOutgoingBitrate?: number;
  rtpPacketLossReceived?: number;
  rtpPacketLossSent?: number;
}

export interface WebRtcTransportStat extends BaseTransportStats {
  type: 'webrtc-transport';
  iceRole: 'controlled';
  iceState: IceState;
  iceSelectedTuple?: TransportTuple;
  dtlsState: DtlsState;
}

export interface PlainTransportStat extends BaseTransportStats {
  type: 'plain-rtp-transport';
  rtcpMux: boolean;
  comedia: boolean;
  tuple: TransportTuple;
  rtcpTuple?: TransportTuple;
}

export interface PipeTransportStat extends BaseTransportStats {
  type: 'pipe-transport';
  tuple: TransportTuple;
}

export interface DirectTransportStat extends BaseTransportStats {
  type: 'direct-transport';
}
