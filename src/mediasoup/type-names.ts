/** Names that mediasoup's types have for what is said in place here: applications import them. */

import type { ActiveSpeakerObserverImpl } from './active-speaker-observer.ts';
import type { AppData } from './app-data.ts';
import type { AudioLevelObserverImpl } from './audio-level-observer.ts';
import type { ConsumerImpl } from './consumer.ts';
import type { DataConsumerImpl } from './data-consumer.ts';
import type { DataProducerImpl } from './data-producer.ts';
import type { DirectTransportImpl } from './direct-transport.ts';
import type { EnhancedEventEmitter } from './enhanced-events.ts';
import type { LogEventListeners } from './logger.ts';
import type { PipeTransportImpl } from './pipe-transport.ts';
import type { PlainTransportImpl } from './plain-transport.ts';
import type { ProducerImpl } from './producer.ts';
import type { RouterImpl } from './router.ts';
import type { RtpObserverEvents, RtpObserverImpl, RtpObserverObserverEvents } from './rtp-observer.ts';
import type { RouterRtpCodecCapability, RtpCapabilities, RtpHeaderExtension } from './rtp-parameters.ts';
import type { ConsumerDump, OutboundRtpStat, ProducerStat, RtpStreamDump } from './rtp-stream-types.ts';
import type { ScalabilityMode } from './scalability-modes.ts';
import type { TransportImpl } from './transport.ts';
import type { BaseTransportDump, IceCandidate, TransportListenInfo } from './transport-types.ts';
import type { WebRtcServerDump, WebRtcServerImpl } from './web-rtc-server.ts';
import type { WebRtcTransportImpl } from './web-rtc-transport.ts';
import type { WorkerImpl, WorkerOptions } from './worker.ts';

/** The fields of one or those of the other. */
export type Either<T, U> = (T & { [K in keyof U]?: never }) | (U & { [K in keyof T]?: never });

/** The module, as far as mediasoup's own interface tells of it. */
export interface Index {
  version: string;
  observer: Observer;
  workerBin: string;
  setLogEventListeners(listeners?: LogEventListeners): void;
  createWorker<A extends AppData = AppData>(options?: WorkerOptions<A>): Promise<WorkerImpl<A>>;
  getSupportedRtpCapabilities(): RouterRtpCapabilities;
  parseScalabilityMode(scalabilityMode?: string): ScalabilityMode;
}

export type WorkerSettings<A extends AppData = AppData> = WorkerOptions<A>;
export type WebRtcServerListenInfo = TransportListenInfo;
/** What a router is made with, and what `getSupportedRtpCapabilities()` gives. */
export type RouterRtpCapabilities = Omit<RtpCapabilities, 'codecs'> & { codecs?: RouterRtpCodecCapability[] };
export type RtpHeaderExtensionUri = RtpHeaderExtension['uri'];
export type PipeTransportPair = Record<string, PipeTransportImpl>;

/** Events of the module's observer. */
export interface ObserverEvents {
  newworker: [WorkerImpl];
}
export type Observer = EnhancedEventEmitter<ObserverEvents>;
export type WorkerObserver = WorkerImpl['observer'];
export type WebRtcServerObserver = WebRtcServerImpl['observer'];
export type RouterObserver = RouterImpl['observer'];
export type TransportObserver = TransportImpl['observer'];
export type WebRtcTransportObserver = WebRtcTransportImpl['observer'];
export type PlainTransportObserver = PlainTransportImpl['observer'];
export type PipeTransportObserver = PipeTransportImpl['observer'];
export type DirectTransportObserver = DirectTransportImpl['observer'];
export type ProducerObserver = ProducerImpl['observer'];
export type ConsumerObserver = ConsumerImpl['observer'];
export type DataProducerObserver = DataProducerImpl['observer'];
export type DataConsumerObserver = DataConsumerImpl['observer'];
export type RtpObserverObserver = RtpObserverImpl['observer'];
export type ActiveSpeakerObserverObserver = ActiveSpeakerObserverImpl['observer'];
export type AudioLevelObserverObserver = AudioLevelObserverImpl['observer'];
export type ActiveSpeakerObserverEvents = RtpObserverEvents;
export type ActiveSpeakerObserverObserverEvents = RtpObserverObserverEvents;
export type AudioLevelObserverEvents = RtpObserverEvents;
export type AudioLevelObserverObserverEvents = RtpObserverObserverEvents;

export type IceRole = 'controlled' | 'controlling';
export type IceCandidateType = IceCandidate['type'];
export type IceCandidateTcpType = NonNullable<IceCandidate['tcpType']>;
export type IpPort = WebRtcServerDump['udpSockets'][number];
export type IceUserNameFragment = WebRtcServerDump['localIceUsernameFragments'][number];
export type RecvRtpHeaderExtensions = BaseTransportDump['recvRtpHeaderExtensions'];
export type RtpListenerDump = BaseTransportDump['rtpListener'];
export type SctpListenerDump = NonNullable<BaseTransportDump['sctpListener']>;

export type BitrateByLayer = ProducerStat['bitrateByLayer'];
export type RtpStreamRecvStats = ProducerStat;
export type RtpStreamSendStats = OutboundRtpStat;
export type RtpStreamParametersDump = RtpStreamDump['params'];
export type RtxStreamDump = NonNullable<RtpStreamDump['rtxStream']>;
export type RtxStreamParameters = RtxStreamDump['params'];
export type BaseConsumerDump = ConsumerDump;
export type SimpleConsumerDump = ConsumerDump & { rtpStream: RtpStreamDump };
export type SimulcastConsumerDump = SimpleConsumerDump &
  Required<
    Pick<
      ConsumerDump,
      | 'preferredSpatialLayer'
      | 'targetSpatialLayer'
      | 'currentSpatialLayer'
      | 'preferredTemporalLayer'
      | 'targetTemporalLayer'
      | 'currentTemporalLayer'
    >
  >;
export type SvcConsumerDump = SimulcastConsumerDump;
export type PipeConsumerDump = ConsumerDump & { rtpStreams: RtpStreamDump[] };

/** Before mediasoup 3.20. */
export interface NumSctpStreams {
  OS: number;
  MIS: number;
}
/** Before mediasoup 3.20. */
export interface SctpCapabilities {
  numStreams: NumSctpStreams;
}
/** Before mediasoup 3.21. */
export type { InvalidStateError } from './errors.ts';
