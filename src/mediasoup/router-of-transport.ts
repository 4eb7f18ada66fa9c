import type { DataProducerImpl } from './data-producer.ts';
import type { ProducerImpl } from './producer.ts';
import type { NormalizedRtpCapabilities } from './rtp-parameters.ts';

/** What a transport needs of its router. */
export interface RouterOfTransport {
  rtpCapabilities(): NormalizedRtpCapabilities;
  producer(id: string): ProducerImpl | undefined;
  dataProducer(id: string): DataProducerImpl | undefined;
  opened(producer: ProducerImpl | DataProducerImpl): void;
  gone(producer: ProducerImpl | DataProducerImpl): void;
}
