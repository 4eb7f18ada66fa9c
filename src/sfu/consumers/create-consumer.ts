import type { Consumer, ConsumerContext, ConsumerOptions } from './consumer.ts';
import { PipeConsumer } from './pipe-consumer.ts';
import { SimpleConsumer } from './simple-consumer.ts';
import { SimulcastConsumer } from './simulcast-consumer.ts';
import { SvcConsumer } from './svc-consumer.ts';

/** Makes the consumer of the type control names. @throws StateError `sfu/bad-request` */
export function createConsumer(options: ConsumerOptions, context: ConsumerContext): Consumer {
  switch (options.type) {
    case 'simple':
      return new SimpleConsumer(options, context);
    case 'pipe':
      return new PipeConsumer(options, context);
    case 'simulcast':
      return new SimulcastConsumer(options, context);
    case 'svc':
      return new SvcConsumer(options, context);
  }
}
