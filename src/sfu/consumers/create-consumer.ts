import { StateError } from '../../wire/errors.ts';
import type { SfuErrorCode } from '../router-environment.ts';
import type { Consumer, ConsumerContext, ConsumerOptions } from './consumer.ts';
import { PipeConsumer } from './pipe-consumer.ts';
import { SimpleConsumer } from './simple-consumer.ts';

/** Makes the consumer of the type control names. @throws StateError `sfu/bad-request` */
export function createConsumer(options: ConsumerOptions, context: ConsumerContext): Consumer {
  switch (options.type) {
    case 'simple':
      return new SimpleConsumer(options, context);
    case 'pipe':
      return new PipeConsumer(options, context);
    default:
      throw new StateError('sfu/bad-request' satisfies SfuErrorCode, `consumers can't be of type ${options.type}`);
  }
}
