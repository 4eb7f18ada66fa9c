/** The types of the mediasoup-compatible API (subpath `millrace/mediasoup/types`). */

import type { ActiveSpeakerObserverImpl } from './active-speaker-observer.ts';
import type { AppData } from './app-data.ts';
import type { AudioLevelObserverImpl } from './audio-level-observer.ts';
import type { ConsumerImpl } from './consumer.ts';
import type { DataConsumerImpl } from './data-consumer.ts';
import type { DataProducerImpl } from './data-producer.ts';
import type { DirectTransportImpl } from './direct-transport.ts';
import type { PipeTransportImpl } from './pipe-transport.ts';
import type { PlainTransportImpl } from './plain-transport.ts';
import type { ProducerImpl } from './producer.ts';
import type { RouterImpl } from './router.ts';
import type { RtpObserverImpl } from './rtp-observer.ts';
import type { TransportEvents, TransportImpl, TransportObserverEvents } from './transport.ts';
import type { WebRtcServerImpl } from './web-rtc-server.ts';
import type { WebRtcTransportImpl } from './web-rtc-transport.ts';
import type { WorkerImpl } from './worker.ts';

export type { WorkerLogLevel, WorkerLogTag } from '../worker/worker-settings.ts';
export type { ActiveSpeakerObserverOptions } from './active-speaker-observer.ts';
export type { AppData } from './app-data.ts';
export type { AudioLevelObserverOptions } from './audio-level-observer.ts';
export type { ConsumerEvents, ConsumerObserverEvents } from './consumer.ts';
export type { DataConsumerEvents, DataConsumerObserverEvents } from './data-consumer.ts';
export type { DataProducerEvents, DataProducerObserverEvents } from './data-producer.ts';
export type * from './data-types.ts';
export type { EnhancedEventEmitter } from './enhanced-events.ts';
export type { NotFoundError, UnsupportedError, WorkerClosedError } from './errors.ts';
export type { LogEventListeners } from './logger.ts';
export type * from './pipe-to-router-types.ts';
export type { ProducerEvents, ProducerObserverEvents } from './producer.ts';
export type { RouterDump, RouterEvents, RouterObserverEvents, RouterOptions } from './router.ts';
export type {
  ActiveSpeakerObserverDominantSpeaker,
  AudioLevelObserverVolume,
  RtpObserverEvents,
  RtpObserverObserverEvents,
  RtpObserverType,
} from './rtp-observer.ts';
export type * from './rtp-parameters.ts';
export type * from './rtp-stream-types.ts';
export type { ScalabilityMode } from './scalability-modes.ts';
export type * from './sctp-parameters.ts';
export type { TransportEvents, TransportObserverEvents } from './transport.ts';
export type * from './transport-types.ts';
export type * from './type-names.ts';
export type { WebRtcServerDump, WebRtcServerEvents, WebRtcServerObserverEvents } from './web-rtc-server.ts';
export type {
  WorkerDump,
  WorkerEvents,
  WorkerObserverEvents,
  WorkerOptions,
  WorkerResourceUsage,
  WorkerUpdateableSettings,
} from './worker.ts';

export type Worker<A extends AppData = AppData> = WorkerImpl<A>;
export type WebRtcServer<A extends AppData = AppData> = WebRtcServerImpl<A>;
export type Router<A extends AppData = AppData> = RouterImpl<A>;
export type Transport<A extends AppData = AppData> = TransportImpl<A>;
export type WebRtcTransport<A extends AppData = AppData> = WebRtcTransportImpl<A>;
export type PlainTransport<A extends AppData = AppData> = PlainTransportImpl<A>;
export type PipeTransport<A extends AppData = AppData> = PipeTransportImpl<A>;
export type DirectTransport<A extends AppData = AppData> = DirectTransportImpl<A>;
export type Producer<A extends AppData = AppData> = ProducerImpl<A>;
export type Consumer<A extends AppData = AppData> = ConsumerImpl<A>;
export type DataProducer<A extends AppData = AppData> = DataProducerImpl<A>;
export type DataConsumer<A extends AppData = AppData> = DataConsumerImpl<A>;
export type RtpObserver<A extends AppData = AppData> = RtpObserverImpl<A>;
export type AudioLevelObserver<A extends AppData = AppData> = AudioLevelObserverImpl<A>;
export type ActiveSpeakerObserver<A extends AppData = AppData> = ActiveSpeakerObserverImpl<A>;

export type WebRtcTransportEvents = TransportEvents;
export type WebRtcTransportObserverEvents = TransportObserverEvents;
export type PlainTransportEvents = TransportEvents;
export type PlainTransportObserverEvents = TransportObserverEvents;
export type PipeTransportEvents = TransportEvents;
export type PipeTransportObserverEvents = TransportObserverEvents;
export type DirectTransportEvents = TransportEvents;
export type DirectTransportObserverEvents = TransportObserverEvents;
