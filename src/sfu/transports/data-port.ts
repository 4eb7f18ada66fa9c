import type { DataConsumer, DataOutlet } from '../data/data-consumer.ts';
import type { DataProducer } from '../data/data-producer.ts';

/** What carries the messages of a transport. */
export interface DataPort extends DataOutlet {
  readonly type: 'sctp' | 'direct';
  /** Of SCTP, with the names of the API. */
  readonly state: string | undefined;
  /** Longest message that is taken from producers, bytes. */
  readonly maxReceivedBytes: number;
  /** Messages dropped because no data producer has their stream. */
  readonly unclaimedMessages: number;
  /** @throws StateError when its stream is taken */
  addProducer(producer: DataProducer): void;
  removeProducer(producer: DataProducer): void;
  /** @throws StateError when its stream is taken */
  addConsumer(consumer: DataConsumer): void;
  removeConsumer(consumer: DataConsumer): void;
  dump(): object;
}
