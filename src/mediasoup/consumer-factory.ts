import type { InternalIds } from '../worker/channel/messages.ts';
import { type AppData, checkAppData } from './app-data.ts';
import type { Channel } from './channel.ts';
import { clone } from './clone.ts';
import { ConsumerImpl } from './consumer.ts';
import { NotFoundError } from './errors.ts';
import { withoutNulls } from './given-options.ts';
import { getConsumerRtpParameters, getPipeConsumerRtpParameters } from './ortc/consumer-rtp-parameters.ts';
import type { ProducerImpl } from './producer.ts';
import { randomId } from './random.ts';
import type { RouterOfTransport } from './router-of-transport.ts';
import type { RtpParameters } from './rtp-parameters.ts';
import type {
  ConsumerLayers,
  ConsumerOptions,
  ConsumerScore,
  ConsumerType,
  PipeConsumerOptions,
} from './rtp-stream-types.ts';

/** MIDs are numbered from 0 and begin anew here. */
const MID_LIMIT = 100_000_000;
const PIPE_SCORE: ConsumerScore = { score: 10, producerScore: 10, producerScores: [] };

/** What the worker says about a new consumer. */
interface ConsumerAnswer {
  readonly paused: boolean;
  readonly producerPaused: boolean;
  readonly score?: ConsumerScore;
  readonly preferredLayers?: ConsumerLayers;
}

/** Makes the consumers of one transport. */
export class ConsumerFactory {
  readonly #channel: Channel;
  readonly #internal: InternalIds;
  readonly #router: RouterOfTransport;
  #nextMid = 0;

  constructor(channel: Channel, internal: InternalIds, router: RouterOfTransport) {
    this.#channel = channel;
    this.#internal = internal;
    this.#router = router;
  }

  /** @throws TypeError, UnsupportedError, NotFoundError */
  async consume<C extends AppData>(given: ConsumerOptions<C>): Promise<ConsumerImpl<C>> {
    const options = withoutNulls(given);
    const { rtpCapabilities, paused = false, mid, preferredLayers, ignoreDtx = false, pipe = false } = options;
    checkAppData(options.appData);
    if (mid !== undefined && (typeof mid !== 'string' || mid === '')) {
      throw new TypeError('if given, mid must be non empty string');
    }
    const producer = this.#producerOf(options.producerId);
    const enableRtx = options.enableRtx ?? producer.kind === 'video';
    const rtpParameters = getConsumerRtpParameters({
      consumableRtpParameters: producer.consumableRtpParameters,
      remoteRtpCapabilities: clone(rtpCapabilities),
      pipe,
      enableRtx,
    });
    if (!pipe) rtpParameters.mid = mid ?? this.#takeMid();
    const type = pipe ? 'pipe' : producer.type;
    return this.#create(producer, {
      appData: options.appData,
      rtpParameters,
      type,
      paused,
      preferredLayers,
      ignoreDtx,
      isForPipe: false,
    });
  }

  /** @throws TypeError, NotFoundError */
  async consumeForPipe<C extends AppData>(
    options: PipeConsumerOptions<C>,
    enableRtx: boolean,
  ): Promise<ConsumerImpl<C>> {
    checkAppData(options.appData);
    const producer = this.#producerOf(options.producerId);
    const { consumableRtpParameters } = producer;
    return this.#create(producer, {
      appData: options.appData,
      rtpParameters: getPipeConsumerRtpParameters({ consumableRtpParameters, enableRtx }),
      type: 'pipe',
      paused: false,
      preferredLayers: undefined,
      ignoreDtx: false,
      isForPipe: true,
    });
  }

  async #create<C extends AppData>(
    producer: ProducerImpl,
    wanted: {
      readonly appData: C | undefined;
      readonly rtpParameters: RtpParameters;
      readonly type: ConsumerType;
      readonly paused: boolean;
      readonly preferredLayers: ConsumerLayers | undefined;
      readonly ignoreDtx: boolean;
      readonly isForPipe: boolean;
    },
  ): Promise<ConsumerImpl<C>> {
    const id = randomId();
    const { rtpParameters, type, paused, preferredLayers, ignoreDtx, isForPipe } = wanted;
    const internal = { ...this.#internal, consumerId: id, producerId: producer.id };
    const answer = (await this.#channel.request('transport.consume', internal, {
      kind: producer.kind,
      rtpParameters,
      type,
      consumableRtpEncodings: producer.consumableRtpParameters.encodings,
      paused,
      ...(preferredLayers === undefined ? {} : { preferredLayers }),
      ignoreDtx,
    })) as ConsumerAnswer;
    return new ConsumerImpl<C>({
      channel: this.#channel,
      internal,
      id,
      appData: wanted.appData,
      producerId: producer.id,
      kind: producer.kind,
      type,
      rtpParameters,
      paused: answer.paused,
      producerPaused: answer.producerPaused,
      // A pipe transport does not measure.
      score: isForPipe ? PIPE_SCORE : (answer.score ?? PIPE_SCORE),
      preferredLayers: answer.preferredLayers,
    });
  }

  #producerOf(producerId: unknown): ProducerImpl {
    if (typeof producerId !== 'string' || producerId === '') throw new TypeError('missing producerId');
    const producer = this.#router.producer(producerId);
    if (producer === undefined) throw new NotFoundError(`Producer with id "${producerId}" not found`);
    return producer;
  }

  #takeMid(): string {
    const mid = this.#nextMid;
    this.#nextMid = mid + 1 < MID_LIMIT ? mid + 1 : 0;
    return String(mid);
  }
}
