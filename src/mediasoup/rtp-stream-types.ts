import type { AppData } from './app-data.ts';
import type {
  MediaKind,
  RtpCapabilities,
  RtpCodecsEncodingsMapping,
  RtpEncodingParameters,
  RtpParameters,
} from './rtp-parameters.ts';

export type ProducerType = 'simple' | 'simulcast' | 'svc';
export type ConsumerType = ProducerType | 'pipe';

export interface ProducerOptions<A extends AppData = AppData> {
  /** Only for pipes: the id the producer has elsewhere. */
  id?: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
  /** false */
  paused?: boolean;
  /** 0 milliseconds: how long not to ask for a key frame again. */
  keyFrameRequestDelay?: number;
  /** false: packets get an id, by which they are known in every router they are piped to, in a header extension. */
  enableMediasoupPacketIdHeaderExtension?: boolean;
  appData?: A;
}

export interface ConsumerLayers {
  spatialLayer: number;
  /** The highest by default. */
  temporalLayer?: number;
}

export interface ConsumerOptions<A extends AppData = AppData> {
  producerId: string;
  rtpCapabilities: RtpCapabilities;
  /** false */
  paused?: boolean;
  /** '0', '1', … within the transport by default. */
  mid?: string;
  preferredLayers?: ConsumerLayers;
  /** true for video, false for audio. */
  enableRtx?: boolean;
  /** false: the packets of Opus in silence are sent, too. */
  ignoreDtx?: boolean;
  /** false */
  pipe?: boolean;
  appData?: A;
}

export interface PipeConsumerOptions<A extends AppData = AppData> {
  producerId: string;
  appData?: A;
}

export interface ProducerScore {
  encodingIdx: number;
  ssrc: number;
  rid?: string;
  /** 0–10. */
  score: number;
}

export interface ConsumerScore {
  score: number;
  producerScore: number;
  producerScores: number[];
}

export interface ProducerVideoOrientation {
  camera: boolean;
  flip: boolean;
  /** 0, 90, 180 or 270 degrees clockwise. */
  rotation: number;
}

export type ProducerTraceEventType = 'rtp' | 'keyframe' | 'nack' | 'pli' | 'fir' | 'sr';
export type ConsumerTraceEventType = 'rtp' | 'keyframe' | 'nack' | 'pli' | 'fir';

export interface RtpTraceEventData<T extends string> {
  type: T;
  /** Milliseconds. */
  timestamp: number;
  direction: 'in' | 'out';
  info: Record<string, unknown>;
}

export type ProducerTraceEventData = RtpTraceEventData<ProducerTraceEventType>;
export type ConsumerTraceEventData = RtpTraceEventData<ConsumerTraceEventType>;

export interface BaseRtpStreamStats {
  timestamp: number;
  ssrc: number;
  rtxSsrc?: number;
  rid?: string;
  kind: MediaKind;
  mimeType: string;
  packetsLost: number;
  fractionLost: number;
  jitter: number;
  packetsDiscarded: number;
  packetsRetransmitted: number;
  packetsRepaired: number;
  nackCount: number;
  nackPacketCount: number;
  pliCount: number;
  firCount: number;
  roundTripTime?: number;
  rtxPacketsDiscarded?: number;
  score: number;
  packetCount: number;
  byteCount: number;
  bitrate: number;
}

export interface ProducerStat extends BaseRtpStreamStats {
  type: 'inbound-rtp';
  /** Bits per second by `<spatial>.<temporal>`. */
  bitrateByLayer: Record<string, number>;
}

export interface OutboundRtpStat extends BaseRtpStreamStats {
  type: 'outbound-rtp';
}

export type ConsumerStat = ProducerStat | OutboundRtpStat;

export interface RtpStreamDump {
  params: {
    encodingIdx: number;
    ssrc: number;
    payloadType: number;
    mimeType: string;
    clockRate: number;
    rid?: string;
    cname: string;
    rtxSsrc?: number;
    rtxPayloadType?: number;
    useNack: boolean;
    usePli: boolean;
    useFir: boolean;
    useInBandFec: boolean;
    useDtx: boolean;
    spatialLayers: number;
    temporalLayers: number;
  };
  score: number;
  rtxStream?: {
    params: {
      ssrc: number;
      payloadType: number;
      mimeType: string;
      clockRate: number;
      rrid?: string;
      cname: string;
    };
  };
}

export interface ProducerDump {
  id: string;
  kind: MediaKind;
  type: ProducerType;
  rtpParameters: RtpParameters;
  rtpMapping: RtpCodecsEncodingsMapping;
  rtpStreams: RtpStreamDump[];
  traceEventTypes: ProducerTraceEventType[];
  paused: boolean;
}

export interface ConsumerDump {
  id: string;
  producerId: string;
  kind: MediaKind;
  type: ConsumerType;
  rtpParameters: RtpParameters;
  consumableRtpEncodings: RtpEncodingParameters[];
  supportedCodecPayloadTypes: number[];
  traceEventTypes: ConsumerTraceEventType[];
  paused: boolean;
  producerPaused: boolean;
  priority: number;
  rtpStream?: RtpStreamDump;
  rtpStreams?: RtpStreamDump[];
  preferredSpatialLayer?: number;
  targetSpatialLayer?: number;
  currentSpatialLayer?: number;
  preferredTemporalLayer?: number;
  targetTemporalLayer?: number;
  currentTemporalLayer?: number;
}
