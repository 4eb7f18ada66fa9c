import type { SctpStreamParameters } from '../../sfu/data/data-producer.ts';
import type { Transport } from '../../sfu/transports/transport.ts';
import type { IncomingRequest } from '../channel/response-channel.ts';
import type { MediaContext, RequestHandler } from '../media-handlers.ts';
import {
  MAX_SUBCHANNEL,
  readConsumableEncodings,
  readLayers,
  readMediaKind,
  readRtpMapping,
  readRtpParameters,
  readSctpStreamParameters,
  readStreamsType,
} from './media-parameters.ts';
import { answered, RequestData } from './request-data.ts';
import {
  consumerHandler,
  dataConsumerHandler,
  dataProducerHandler,
  producerHandler,
  unknownMethod,
} from './stream-handlers.ts';

/** Requests only one kind of transport has; undefined for those it does not know. */
export type OwnRequest = (method: string, data: RequestData) => { readonly answer: unknown } | undefined;

/** Requests to a transport, and the registry of what is on it. */
export class TransportHandler implements RequestHandler {
  readonly #transport: Transport;
  readonly #context: MediaContext;
  readonly #own: OwnRequest;
  readonly #registered = new Set<string>();

  constructor(transport: Transport, context: MediaContext, own: OwnRequest) {
    this.#transport = transport;
    this.#context = context;
    this.#own = own;
    transport.listener = {
      onConsumerClosed: (id) => this.#unregister(id),
      onDataConsumerClosed: (id) => this.#unregister(id),
    };
  }

  request(request: IncomingRequest): unknown {
    return answered(() => this.#answer(request));
  }

  command({ method, payload }: IncomingRequest): void {
    if (method === 'transport.sendRtcp' && payload !== undefined) this.#transport.receiveRtcp(payload);
  }

  /** Ends the transport with all that is on it. */
  close(): void {
    this.#transport.close();
    for (const id of this.#registered) this.#context.registry.unregister(id);
    this.#registered.clear();
  }

  #answer({ method, internal, data }: IncomingRequest): unknown {
    const transport = this.#transport;
    const fields = new RequestData(data);
    const ids = new RequestData(internal);
    switch (method) {
      case 'transport.dump':
        return transport.dump();
      case 'transport.getStats':
        return transport.stats();
      case 'transport.setMaxIncomingBitrate':
        return transport.setMaxIncomingBitrate(fields.number('bitrate') ?? 0);
      case 'transport.setMaxOutgoingBitrate':
        return this.#limit({ maxBps: fields.number('bitrate') ?? 0 });
      case 'transport.setMinOutgoingBitrate':
        return this.#limit({ minBps: fields.number('bitrate') ?? 0 });
      case 'transport.enableTraceEvent':
        return transport.sendingPath.enableTrace(fields.texts('types'));
      case 'transport.produce':
        return this.#produce(ids.text('producerId'), fields);
      case 'transport.consume':
        return this.#consume(ids.text('consumerId'), ids.text('producerId'), fields);
      case 'transport.produceData':
        return this.#produceData(ids.text('dataProducerId'), fields);
      case 'transport.consumeData':
        return this.#consumeData(ids.text('dataConsumerId'), ids.text('dataProducerId'), fields);
      case 'transport.closeProducer':
        return this.#closeOne(ids.text('producerId'), (id) => transport.closeProducer(id));
      case 'transport.closeConsumer':
        return this.#closeOne(ids.text('consumerId'), (id) => transport.closeConsumer(id));
      case 'transport.closeDataProducer':
        return this.#closeOne(ids.text('dataProducerId'), (id) => transport.closeDataProducer(id));
      case 'transport.closeDataConsumer':
        return this.#closeOne(ids.text('dataConsumerId'), (id) => transport.closeDataConsumer(id));
      default: {
        const own = this.#own(method, fields);
        if (own === undefined) throw unknownMethod(method);
        return own.answer;
      }
    }
  }

  #limit(limits: { readonly minBps?: number; readonly maxBps?: number }): void {
    const { sendingPath } = this.#transport;
    const minBps = limits.minBps ?? sendingPath.minBitrate;
    const maxBps = limits.maxBps ?? sendingPath.maxBitrate;
    if (maxBps !== 0 && minBps > maxBps) throw new TypeError('the minimum bitrate is above the maximum');
    sendingPath.setLimits(limits);
  }

  #produce(id: string, fields: RequestData): unknown {
    this.#checkFree(id);
    const keyFrameRequestDelay = fields.number('keyFrameRequestDelay');
    const producer = this.#transport.produce({
      id,
      kind: readMediaKind(fields),
      rtpParameters: readRtpParameters(fields),
      rtpMapping: readRtpMapping(fields),
      paused: fields.flag('paused', false),
      enableMediasoupPacketIdHeaderExtension: fields.flag('enableMediasoupPacketIdHeaderExtension', false),
      ...(keyFrameRequestDelay === undefined ? {} : { keyFrameRequestDelay }),
    });
    this.#register(id, producerHandler(producer, this.#transport));
    return { type: producer.type };
  }

  #consume(id: string, producerId: string, fields: RequestData): unknown {
    this.#checkFree(id);
    const preferredLayers = fields.optionalObject<object>('preferredLayers');
    const consumer = this.#transport.consume(producerId, {
      id,
      kind: readMediaKind(fields),
      type: readStreamsType(fields),
      rtpParameters: readRtpParameters(fields),
      consumableRtpEncodings: readConsumableEncodings(fields),
      paused: fields.flag('paused', false),
      ignoreDtx: fields.flag('ignoreDtx', false),
      ...(preferredLayers === undefined ? {} : { preferredLayers: readLayers(new RequestData(preferredLayers)) }),
    });
    this.#register(id, consumerHandler(consumer));
    const { paused, isProducerPaused: producerPaused, score, preferredLayers: preferred } = consumer;
    return { paused, producerPaused, score, ...(preferred === undefined ? {} : { preferredLayers: preferred }) };
  }

  #produceData(id: string, fields: RequestData): unknown {
    this.#checkFree(id);
    const producer = this.#transport.produceData({ id, ...dataOptions(fields) });
    this.#register(id, dataProducerHandler(producer));
    return producer.dump();
  }

  #consumeData(id: string, dataProducerId: string, fields: RequestData): unknown {
    this.#checkFree(id);
    const subchannels = fields.integers('subchannels', MAX_SUBCHANNEL);
    const consumer = this.#transport.consumeData(dataProducerId, { id, ...dataOptions(fields), subchannels });
    this.#register(id, dataConsumerHandler(consumer));
    return consumer.dump();
  }

  #closeOne(id: string, close: (id: string) => void): void {
    close(id);
    this.#unregister(id);
  }

  #checkFree(id: string): void {
    if (this.#context.registry.has(id)) throw new TypeError(`an entity with id "${id}" exists already`);
  }

  #register(id: string, handler: RequestHandler): void {
    const request = (incoming: IncomingRequest): unknown => answered(() => handler.request(incoming));
    this.#context.registry.register(id, { ...handler, request });
    this.#registered.add(id);
  }

  #unregister(id: string): void {
    this.#context.registry.unregister(id);
    this.#registered.delete(id);
  }
}

function dataOptions(fields: RequestData): {
  readonly type: 'sctp' | 'direct';
  readonly label: string;
  readonly protocol: string;
  readonly paused: boolean;
  readonly sctpStreamParameters?: SctpStreamParameters;
} {
  const type = fields.text('type');
  if (type !== 'sctp' && type !== 'direct') throw new TypeError(`invalid type ${type}`);
  const sctpStreamParameters = readSctpStreamParameters(fields);
  return {
    type,
    label: fields.optionalText('label') ?? '',
    protocol: fields.optionalText('protocol') ?? '',
    paused: fields.flag('paused', false),
    ...(sctpStreamParameters === undefined ? {} : { sctpStreamParameters }),
  };
}
