import type { Channel } from './channel.ts';
import type { DataProducerImpl } from './data-producer.ts';
import { NotFoundError } from './errors.ts';
import { Logger } from './logger.ts';
import type { PipeToRouterOptions, PipeToRouterResult } from './pipe-to-router-types.ts';
import type { PipeTransportImpl } from './pipe-transport.ts';
import type { ProducerImpl } from './producer.ts';
import type { PipeTransportOptions } from './transport-types.ts';

/** What piping needs of a router. */
export interface PipeEnd {
  readonly id: string;
  /** Tells the worker it is in. */
  readonly channel: Channel;
  producer(id: string): ProducerImpl | undefined;
  dataProducer(id: string): DataProducerImpl | undefined;
  createPipeTransport(options: PipeTransportOptions): Promise<PipeTransportImpl>;
}

/** Two connected transports, by the id of the router each is in. */
type PipeTransportPair = ReadonlyMap<string, PipeTransportImpl>;

const logger = new Logger('Router');

/** Longest time to wait for SCTP between two routers, milliseconds. */
const MAX_CONNECT_MS = 1000;

/** The pipes of one router to others: one pair of transports to each, made when it is first needed. */
export class RouterPipes {
  readonly #end: PipeEnd;
  readonly #pairs = new Map<string, Promise<PipeTransportPair>>();

  constructor(end: PipeEnd) {
    this.#end = end;
  }

  /**
   * Sends what `options` name from this router to that of `target`.
   * @throws TypeError, NotFoundError
   */
  async pipe(options: PipeToRouterOptions, target: RouterPipes): Promise<PipeToRouterResult> {
    const { producerId, dataProducerId, keepId = true } = options;
    const producer = producerId === undefined ? undefined : this.#end.producer(producerId);
    const dataProducer = dataProducerId === undefined ? undefined : this.#end.dataProducer(dataProducerId);
    if (producer === undefined && dataProducer === undefined) {
      throw new NotFoundError(`${producerId === undefined ? 'DataProducer' : 'Producer'} not found`);
    }
    if (keepId && target.#end.channel === this.#end.channel) {
      throw new TypeError('cannot keep the id of a producer in another Router of the same Worker');
    }
    const pair = await this.#pairTo(target, options);
    const local = pair.get(this.#end.id)!;
    const remote = pair.get(target.#end.id)!;
    return producer === undefined
      ? pipeDataProducer(dataProducer!, local, remote, keepId)
      : pipeProducer(producer, local, remote, keepId);
  }

  async #pairTo(target: RouterPipes, options: PipeToRouterOptions): Promise<PipeTransportPair> {
    const known = this.#pairs.get(target.#end.id);
    if (known !== undefined) return known;
    const forget = (): void => {
      this.#pairs.delete(target.#end.id);
      target.#pairs.delete(this.#end.id);
    };
    // Both routers know of it at once: each may be asked to pipe to the other while the pair is being made.
    const pair = createPair(this.#end, target.#end, options, forget);
    this.#pairs.set(target.#end.id, pair);
    target.#pairs.set(this.#end.id, pair);
    try {
      return await pair;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

async function createPair(
  first: PipeEnd,
  second: PipeEnd,
  options: PipeToRouterOptions,
  onClose: () => void,
): Promise<PipeTransportPair> {
  const { producerId: _, dataProducerId: __, router: ___, keepId: ____, enableSctp = true, ...given } = options;
  const isPlaceGiven = given.listenInfo !== undefined || given.listenIp !== undefined;
  const settings: PipeTransportOptions = {
    ...given,
    enableSctp,
    ...(isPlaceGiven ? {} : { listenInfo: { protocol: 'udp', ip: '127.0.0.1' } }),
  };
  const results = await Promise.allSettled([first.createPipeTransport(settings), second.createPipeTransport(settings)]);
  const transports = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = results.find((result) => result.status === 'rejected');
  try {
    if (failure !== undefined) throw failure.reason;
    const [a, b] = transports as [PipeTransportImpl, PipeTransportImpl];
    await Promise.all([a.connect(addressOf(b)), b.connect(addressOf(a))]);
    for (const [transport, other] of [
      [a, b],
      [b, a],
    ] as const) {
      transport.observer.on('close', () => {
        other.close();
        onClose();
      });
    }
    if (a.closed || b.closed) throw new NotFoundError('a Router was closed while it was being piped');
    return new Map([
      [first.id, a],
      [second.id, b],
    ]);
  } catch (error) {
    for (const transport of transports) transport.close();
    throw error;
  }
}

function addressOf(transport: PipeTransportImpl): Parameters<PipeTransportImpl['connect']>[0] {
  const { localAddress: ip, localPort: port } = transport.tuple;
  const { srtpParameters } = transport;
  return { ip, port, ...(srtpParameters === undefined ? {} : { srtpParameters }) };
}

async function pipeProducer(
  producer: ProducerImpl,
  local: PipeTransportImpl,
  remote: PipeTransportImpl,
  keepId: boolean,
): Promise<PipeToRouterResult> {
  const pipeConsumer = await local.consume({ producerId: producer.id });
  try {
    const pipeProducer = await remote.produce({
      ...(keepId ? { id: producer.id } : {}),
      kind: pipeConsumer.kind,
      rtpParameters: pipeConsumer.rtpParameters,
      paused: pipeConsumer.producerPaused,
      appData: producer.appData,
    });
    // Paused, resumed or closed while the other router was being asked.
    if (pipeConsumer.closed) pipeProducer.close();
    if (producer.closed || pipeProducer.closed) throw new NotFoundError('original Producer closed');
    if (producer.paused !== pipeProducer.paused) await (producer.paused ? pipeProducer.pause() : pipeProducer.resume());
    follow(pipeConsumer, pipeProducer);
    return { pipeConsumer, pipeProducer };
  } catch (error) {
    pipeConsumer.close();
    throw error;
  }
}

async function pipeDataProducer(
  dataProducer: DataProducerImpl,
  local: PipeTransportImpl,
  remote: PipeTransportImpl,
  keepId: boolean,
): Promise<PipeToRouterResult> {
  const pipeDataConsumer = await local.consumeData({ dataProducerId: dataProducer.id });
  // What is sent before is for nobody, and who has piped may send at once.
  await untilConnected(local);
  try {
    const { sctpStreamParameters } = pipeDataConsumer;
    const pipeDataProducer = await remote.produceData({
      ...(keepId ? { id: dataProducer.id } : {}),
      ...(sctpStreamParameters === undefined ? {} : { sctpStreamParameters }),
      label: pipeDataConsumer.label,
      protocol: pipeDataConsumer.protocol,
      paused: pipeDataConsumer.dataProducerPaused,
      appData: dataProducer.appData,
    });
    if (pipeDataConsumer.closed) pipeDataProducer.close();
    if (dataProducer.closed || pipeDataProducer.closed) throw new NotFoundError('original DataProducer closed');
    if (dataProducer.paused !== pipeDataProducer.paused) {
      await (dataProducer.paused ? pipeDataProducer.pause() : pipeDataProducer.resume());
    }
    follow(pipeDataConsumer, pipeDataProducer);
    return { pipeDataConsumer, pipeDataProducer };
  } catch (error) {
    pipeDataConsumer.close();
    throw error;
  }
}

/** Until SCTP has connected or cannot, but not for ever: a peer may be slow, and then messages are lost as elsewhere. */
async function untilConnected(transport: PipeTransportImpl): Promise<void> {
  const isBeginning = (): boolean => transport.sctpState === 'new' || transport.sctpState === 'connecting';
  if (!isBeginning()) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, MAX_CONNECT_MS);
    function done(): void {
      clearTimeout(timer);
      transport.off('sctpstatechange', look);
      transport.observer.off('close', done);
      resolve();
    }
    function look(): void {
      if (!isBeginning()) done();
    }
    transport.on('sctpstatechange', look);
    transport.observer.on('close', done);
  });
}

interface Followed {
  readonly observer: { on(event: 'close' | 'pause' | 'resume', listener: () => void): unknown };
  close(): void;
}

/** The far producer does what the near consumer does; closing goes both ways. */
function follow(consumer: Followed, producer: Followed & { pause(): Promise<void>; resume(): Promise<void> }): void {
  const report = (error: unknown): void => logger.debug(`a piped producer could not follow: ${String(error)}`);
  consumer.observer.on('close', () => producer.close());
  consumer.observer.on('pause', () => void producer.pause().catch(report));
  consumer.observer.on('resume', () => void producer.resume().catch(report));
  producer.observer.on('close', () => consumer.close());
}
