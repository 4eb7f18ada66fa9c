import { nodeClock } from '../../io/node-clock.ts';
import type { Consumer, ConsumerLayers } from '../../sfu/consumers/consumer.ts';
import type { DataConsumer } from '../../sfu/data/data-consumer.ts';
import type { DataProducer } from '../../sfu/data/data-producer.ts';
import type { Producer } from '../../sfu/producer.ts';
import type { Transport } from '../../sfu/transports/transport.ts';
import { RequestError } from '../channel/request-errors.ts';
import type { RequestHandler } from '../media-handlers.ts';
import { MAX_SUBCHANNEL, readLayers } from './media-parameters.ts';
import { RequestData } from './request-data.ts';

/** Kinds of messages of SCTP are numbers of 32 bits (RFC 9260 §3.3.1). */
const MAX_PPID = 0xffff_ffff;

/** What a method is not answered with when an object does not have it. */
export function unknownMethod(method: string): RequestError {
  return new RequestError(`method '${method}' is not available`);
}

/** Requests to a producer. */
export function producerHandler(producer: Producer, transport: Transport): RequestHandler {
  return {
    request: ({ method, data }) => {
      switch (method) {
        case 'producer.dump':
          return producer.dump();
        case 'producer.getStats':
          return producer.stats(nodeClock.nowMs());
        case 'producer.pause':
          return producer.pause();
        case 'producer.resume':
          return producer.resume();
        case 'producer.enableTraceEvent':
          return producer.trace.enable(typesOf(data));
        default:
          throw unknownMethod(method);
      }
    },
    command: ({ method, payload }) => {
      if (method === 'producer.send' && payload !== undefined) transport.receiveRtp(payload, 0, payload.length);
    },
  };
}

/** Requests to a consumer. */
export function consumerHandler(consumer: Consumer): RequestHandler {
  return {
    request: ({ method, data }) => {
      switch (method) {
        case 'consumer.dump':
          return consumer.dump();
        case 'consumer.getStats':
          return consumer.stats(nodeClock.nowMs());
        case 'consumer.pause':
          return consumer.pause();
        case 'consumer.resume':
          return consumer.resume();
        case 'consumer.setPreferredLayers':
          return preferredLayersOf(consumer.setPreferredLayers(readLayers(new RequestData(data))));
        case 'consumer.setPriority':
          return { priority: consumer.setPriority(new RequestData(data).number('priority') ?? 1) };
        case 'consumer.requestKeyFrame':
          if (consumer.isActive) consumer.requestKeyFrame();
          return undefined;
        case 'consumer.enableTraceEvent':
          return consumer.trace.enable(typesOf(data));
        default:
          throw unknownMethod(method);
      }
    },
  };
}

/** Requests to a producer of data. */
export function dataProducerHandler(producer: DataProducer): RequestHandler {
  return {
    request: ({ method }) => {
      switch (method) {
        case 'dataProducer.dump':
          return producer.dump();
        case 'dataProducer.getStats':
          return producer.stats(nodeClock.nowMs());
        case 'dataProducer.pause':
          return producer.pause();
        case 'dataProducer.resume':
          return producer.resume();
        default:
          throw unknownMethod(method);
      }
    },
    command: ({ method, data, payload }) => {
      if (method !== 'dataProducer.send' || payload === undefined) return;
      const fields = new RequestData(data);
      const requiredSubchannel = fields.optionalInteger('requiredSubchannel', MAX_SUBCHANNEL);
      const ignoredSubchannel = fields.optionalInteger('ignoredSubchannel', MAX_SUBCHANNEL);
      producer.receive({
        ppid: fields.optionalInteger('ppid', MAX_PPID) ?? 0,
        bytes: payload,
        subchannels: fields.integers('subchannels', MAX_SUBCHANNEL),
        ...(requiredSubchannel === undefined ? {} : { requiredSubchannel }),
        ...(ignoredSubchannel === undefined ? {} : { ignoredSubchannel }),
      });
    },
  };
}

/** Requests to a consumer of data. */
export function dataConsumerHandler(consumer: DataConsumer): RequestHandler {
  return {
    request: ({ method, data, payload }) => {
      const fields = new RequestData(data);
      switch (method) {
        case 'dataConsumer.dump':
          return consumer.dump();
        case 'dataConsumer.getStats':
          return consumer.stats(nodeClock.nowMs());
        case 'dataConsumer.pause':
          return consumer.pause();
        case 'dataConsumer.resume':
          return consumer.resume();
        case 'dataConsumer.getBufferedAmount':
          return { bufferedAmount: consumer.bufferedAmount };
        case 'dataConsumer.setBufferedAmountLowThreshold':
          return consumer.setBufferedAmountLowThreshold(fields.number('threshold') ?? 0);
        case 'dataConsumer.setSubchannels':
          consumer.setSubchannels(fields.integers('subchannels', MAX_SUBCHANNEL));
          return { subchannels: consumer.subchannels };
        case 'dataConsumer.addSubchannel':
          consumer.setSubchannels([...consumer.subchannels, subchannelOf(fields)]);
          return { subchannels: consumer.subchannels };
        case 'dataConsumer.removeSubchannel': {
          const removed = subchannelOf(fields);
          consumer.setSubchannels(consumer.subchannels.filter((one) => one !== removed));
          return { subchannels: consumer.subchannels };
        }
        case 'dataConsumer.send':
          if (payload === undefined) throw new TypeError('missing payload');
          if (!consumer.send({ ppid: fields.optionalInteger('ppid', MAX_PPID) ?? 0, bytes: payload })) {
            throw new RequestError('the message could not be sent');
          }
          return { bufferedAmount: consumer.bufferedAmount };
        default:
          throw unknownMethod(method);
      }
    },
  };
}

function preferredLayersOf(preferredLayers: ConsumerLayers | undefined): object {
  return preferredLayers === undefined ? {} : { preferredLayers };
}

function typesOf(data: unknown): readonly string[] {
  return new RequestData(data).texts('types');
}

function subchannelOf(fields: RequestData): number {
  return fields.integer('subchannel', MAX_SUBCHANNEL);
}
