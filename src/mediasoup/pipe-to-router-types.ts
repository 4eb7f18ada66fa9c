import type { ConsumerImpl } from './consumer.ts';
import type { DataConsumerImpl } from './data-consumer.ts';
import type { DataProducerImpl } from './data-producer.ts';
import type { ProducerImpl } from './producer.ts';
import type { SctpOptions, TransportListenInfo, TransportListenIp } from './transport-types.ts';

export interface PipeToRouterOptions extends SctpOptions {
  /** This or `dataProducerId`. */
  producerId?: string;
  dataProducerId?: string;
  /** Where to; a router. */
  router: object;
  /** true: the producer has its id there, too, which only another worker allows. */
  keepId?: boolean;
  /** 127.0.0.1. Of the first call between two routers; so are the following. */
  listenInfo?: TransportListenInfo;
  /** @deprecated Use `listenInfo`. */
  listenIp?: TransportListenIp | string;
  /** false */
  enableRtx?: boolean;
  /** false */
  enableSrtp?: boolean;
}

export interface PipeToRouterResult {
  pipeConsumer?: ConsumerImpl;
  pipeProducer?: ProducerImpl;
  pipeDataConsumer?: DataConsumerImpl;
  pipeDataProducer?: DataProducerImpl;
}
