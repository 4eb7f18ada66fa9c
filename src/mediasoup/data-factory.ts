import type { InternalIds } from '../worker/channel/messages.ts';
import { type AppData, checkAppData } from './app-data.ts';
import type { Channel } from './channel.ts';
import { clone } from './clone.ts';
import { DataConsumerImpl } from './data-consumer.ts';
import { DataProducerImpl } from './data-producer.ts';
import {
  type DataConsumerDump,
  type DataConsumerOptions,
  type DataProducerOptions,
  MAX_SUBCHANNEL,
} from './data-types.ts';
import { NotFoundError } from './errors.ts';
import { withoutNulls } from './given-options.ts';
import { validateAndNormalizeSctpStreamParameters } from './ortc/validate-parameters.ts';
import { randomId } from './random.ts';
import type { RouterOfTransport } from './router-of-transport.ts';
import type { SctpParameters, SctpStreamParameters } from './sctp-parameters.ts';

/** Streams of an association that data channels may use: 65535 stands for none (RFC 8831 §6.2). */
const SCTP_STREAMS = 65_535;

/** Makes the data producers and data consumers of one transport, and gives SCTP streams to the latter. */
export class DataFactory {
  /** Of the transport; none without SCTP. */
  readonly sctpParameters: SctpParameters | undefined;
  readonly #channel: Channel;
  readonly #internal: InternalIds;
  readonly #router: RouterOfTransport;
  readonly #usedStreams = new Set<number>();
  #nextStream = 0;

  constructor(
    channel: Channel,
    internal: InternalIds,
    router: RouterOfTransport,
    sctpParameters: SctpParameters | undefined,
  ) {
    this.#channel = channel;
    this.#internal = internal;
    this.#router = router;
    this.sctpParameters = sctpParameters;
  }

  /** @throws TypeError */
  async produceData<P extends AppData>(given: DataProducerOptions<P>, isDirect: boolean): Promise<DataProducerImpl<P>> {
    const options = withoutNulls(given);
    const { id = randomId(), label = '', protocol = '', paused = false, appData } = options;
    if (typeof id !== 'string' || id === '') throw new TypeError('if given, id must be a non empty string');
    if (this.#router.dataProducer(id) !== undefined) {
      throw new TypeError(`a DataProducer with same id "${id}" already exists`);
    }
    checkAppData(appData);
    const sctpStreamParameters = isDirect ? undefined : clone(options.sctpStreamParameters);
    if (!isDirect) validateAndNormalizeSctpStreamParameters(sctpStreamParameters!);
    const internal = { ...this.#internal, dataProducerId: id };
    const type = isDirect ? 'direct' : 'sctp';
    await this.#channel.request('transport.produceData', internal, {
      type,
      ...(sctpStreamParameters === undefined ? {} : { sctpStreamParameters }),
      label,
      protocol,
      paused,
    });
    return new DataProducerImpl<P>({
      channel: this.#channel,
      internal,
      id,
      appData,
      type,
      sctpStreamParameters,
      label,
      protocol,
      paused,
    });
  }

  /** @throws TypeError, NotFoundError */
  async consumeData<C extends AppData>(given: DataConsumerOptions<C>, isDirect: boolean): Promise<DataConsumerImpl<C>> {
    const options = withoutNulls(given);
    const { dataProducerId, paused = false, subchannels = [], appData } = options;
    if (typeof dataProducerId !== 'string' || dataProducerId === '') throw new TypeError('missing dataProducerId');
    checkAppData(appData);
    const producer = this.#router.dataProducer(dataProducerId);
    if (producer === undefined) throw new NotFoundError(`DataProducer with id "${dataProducerId}" not found`);
    const { label, protocol } = producer;
    const sctpStreamParameters = isDirect ? undefined : this.#streamFor(options, producer.sctpStreamParameters);
    const type = isDirect ? 'direct' : 'sctp';
    const id = randomId();
    const internal = { ...this.#internal, dataConsumerId: id, dataProducerId };
    try {
      const data = { type, sctpStreamParameters, label, protocol, paused, subchannels: subchannelsOf(subchannels) };
      const answer = (await this.#channel.request('transport.consumeData', internal, data)) as
        | Partial<DataConsumerDump>
        | undefined;
      return new DataConsumerImpl<C>({
        channel: this.#channel,
        internal,
        id,
        appData,
        dataProducerId,
        type,
        sctpStreamParameters,
        label,
        protocol,
        paused: answer?.paused ?? paused,
        dataProducerPaused: answer?.dataProducerPaused ?? producer.paused,
        subchannels: answer?.subchannels ?? data.subchannels,
      });
    } catch (error) {
      this.#usedStreams.delete(sctpStreamParameters?.streamId ?? -1);
      throw error;
    }
  }

  /** Its stream may be used again. */
  release(dataConsumer: DataConsumerImpl): void {
    this.#usedStreams.delete(dataConsumer.sctpStreamParameters?.streamId ?? -1);
  }

  #streamFor(options: DataConsumerOptions, given: SctpStreamParameters | undefined): SctpStreamParameters {
    const { ordered, maxPacketLifeTime, maxRetransmits } = options;
    const params: SctpStreamParameters = { ...given, streamId: this.#freeStream() };
    if (ordered !== undefined) params.ordered = ordered;
    if (maxPacketLifeTime !== undefined || maxRetransmits !== undefined) {
      // One limit takes the place of the other.
      delete params.maxPacketLifeTime;
      delete params.maxRetransmits;
      if (maxPacketLifeTime !== undefined) params.maxPacketLifeTime = maxPacketLifeTime;
      if (maxRetransmits !== undefined) params.maxRetransmits = maxRetransmits;
      if (ordered === undefined) params.ordered = false;
    } else if (ordered === true) {
      delete params.maxPacketLifeTime;
      delete params.maxRetransmits;
    }
    validateAndNormalizeSctpStreamParameters(params);
    this.#usedStreams.add(params.streamId);
    this.#nextStream = (params.streamId + 1) % SCTP_STREAMS;
    return params;
  }

  #freeStream(): number {
    if (this.sctpParameters === undefined) throw new TypeError('SCTP is not enabled on this transport');
    for (let count = 0; count < SCTP_STREAMS; count++) {
      const streamId = (this.#nextStream + count) % SCTP_STREAMS;
      if (!this.#usedStreams.has(streamId)) return streamId;
    }
    throw new TypeError('no SCTP stream id available');
  }
}

/** Each once, without those that are none. @throws TypeError when it is no list */
function subchannelsOf(subchannels: unknown): number[] {
  if (!Array.isArray(subchannels)) throw new TypeError('subchannels must be an array');
  const isRight = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SUBCHANNEL;
  return [...new Set(subchannels.filter(isRight))];
}
