import { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import { StateError } from '../../wire/errors.ts';
import type { Consumer, ConsumerOptions } from '../consumers/consumer.ts';
import { createConsumer } from '../consumers/create-consumer.ts';
import { DataConsumer, type DataConsumerOptions } from '../data/data-consumer.ts';
import { DataProducer, type DataProducerOptions } from '../data/data-producer.ts';
import { Producer, type ProducerOptions } from '../producer.ts';
import type { Router, RouterTransport } from '../router.ts';
import { EarliestTimer, type RouterEnvironment, type SfuErrorCode } from '../router-environment.ts';
import { RateCounter } from '../streams/rate-counter.ts';
import type { DataPort } from './data-port.ts';
import { type DroppedPackets, noDrops, sumOfDrops } from './dropped-packets.ts';
import type { PacketLink } from './packet-link.ts';
import { PacketSender } from './packet-sender.ts';
import { ReceivingPath } from './receiving-path.ts';
import { RtcpReceiver } from './rtcp-receiver.ts';
import { RtcpReporter } from './rtcp-reporter.ts';
import { SendingPath } from './sending-path.ts';
import { TransportStreams } from './transport-streams.ts';

/** Largest message of a transport that carries none, as dumps show it. */
const DEFAULT_MESSAGE_BYTES = 262_144;

/** What control tells of any transport. */
export interface TransportOptions {
  readonly id: string;
  /** Where the estimate of what can be sent begins, bits a second. */
  readonly initialAvailableOutgoingBitrate?: number;
}

/** Told when consumers end because their producer did. */
export interface TransportListener {
  onConsumerClosed(id: string): void;
  onDataConsumerClosed(id: string): void;
}

/** A way to a peer, with the media and data that go over it. */
export abstract class Transport implements RouterTransport {
  readonly id: string;
  readonly router: Router;
  readonly sender: PacketSender;
  readonly streams: TransportStreams = new TransportStreams();
  readonly dataProducers: Map<string, DataProducer> = new Map();
  readonly dataConsumers: Map<string, DataConsumer> = new Map();
  listener: TransportListener | undefined;
  protected readonly environment: RouterEnvironment;
  protected readonly dropped: DroppedPackets = noDrops();
  protected readonly received: RateCounter = new RateCounter();
  protected readonly receivedRtp: RateCounter = new RateCounter();
  protected readonly receivedRtx: RateCounter = new RateCounter();
  protected readonly reporter: RtcpReporter;
  readonly sendingPath: SendingPath;
  readonly receivingPath: ReceivingPath;
  readonly #rtcp: RtcpReceiver;
  readonly #view = new RtpPacketView();
  readonly #timer: EarliestTimer;
  #reportMs: number | undefined;
  #isClosed = false;

  constructor(options: TransportOptions, router: Router) {
    const { environment } = router;
    this.id = options.id;
    this.router = router;
    this.environment = environment;
    this.sender = new PacketSender(Math.floor(environment.random() * 0x10000));
    this.reporter = new RtcpReporter(this.streams, this.sender, environment);
    this.sendingPath = new SendingPath({
      transportId: options.id,
      sender: this.sender,
      streams: this.streams,
      environment,
      startBps: options.initialAvailableOutgoingBitrate,
      plan: () => this.#plan(),
    });
    this.receivingPath = new ReceivingPath(this.streams, this.reporter);
    this.#rtcp = new RtcpReceiver(this.streams, environment, this.sendingPath, this.dropped);
    this.#timer = new EarliestTimer(environment.clock, () => this.#handleTimeout());
    router.addTransport(this);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What carries messages; undefined when the transport carries none. */
  protected abstract get dataPort(): DataPort | undefined;
  /** What was dropped under it. */
  protected abstract droppedBelow(): Partial<DroppedPackets>;
  protected abstract dumpOwn(): object;
  protected abstract statsOwn(): object;
  protected abstract closeOwn(): void;

  /** Where packets go from now on; undefined: nowhere. */
  protected setLink(link: PacketLink | undefined): void {
    this.sender.setLink(link);
    const isOpen = link !== undefined;
    for (const consumer of this.streams.consumers.values()) consumer.setConnected(isOpen);
    if (!isOpen) return;
    const nowMs = this.environment.clock.nowMs();
    this.sendingPath.start(nowMs);
    this.#reportMs ??= this.reporter.nextReportMs(nowMs);
    this.#plan();
  }

  /** Takes a packet of RTP that came in clear, at `[start, end)`; it may be written into. */
  receiveRtp(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isClosed) return;
    const nowMs = this.environment.clock.nowMs();
    this.received.add(end - start, nowMs);
    const view = this.#view;
    if (!view.look(bytes, start, end)) {
      this.dropped.malformed++;
      return;
    }
    this.receivingPath.onPacket(view, nowMs);
    const producer = this.streams.listener.find(view, this.streams.extensionIds);
    const sizeBytes = end - start;
    const verdict = producer?.receive(view, nowMs) ?? 'unknown';
    if (verdict === 'repaired' || verdict === 'repair-discarded') this.receivedRtx.add(sizeBytes, nowMs);
    else if (producer !== undefined) this.receivedRtp.add(sizeBytes, nowMs);
    else this.dropped.unclaimedPackets++;
    if (producer !== undefined) this.#timer.plan(producer.nextTimeoutMs());
    this.#timer.plan(this.receivingPath.nextTimeoutMs());
  }

  /** Takes a compound of RTCP that came in clear. */
  receiveRtcp(compound: Uint8Array): void {
    if (this.#isClosed) return;
    const nowMs = this.environment.clock.nowMs();
    this.received.add(compound.length, nowMs);
    this.#rtcp.receive(compound, nowMs);
    this.#plan();
  }

  /** @throws StateError */
  produce(options: ProducerOptions): Producer {
    const producer = new Producer(options, this.environment, this.reporter);
    if (this.streams.producers.has(producer.id)) throw taken(`producer ${producer.id}`);
    this.router.addProducer(producer);
    try {
      this.streams.addProducer(producer);
    } catch (error) {
      this.router.removeProducer(producer);
      throw error;
    }
    this.receivingPath.producersChanged();
    return producer;
  }

  /** @throws StateError */
  consume(producerId: string, options: ConsumerOptions): Consumer {
    if (this.streams.consumers.has(options.id)) throw taken(`consumer ${options.id}`);
    const consumer = createConsumer(options, {
      producer: this.router.producer(producerId),
      sender: this.sender,
      environment: this.environment,
      onBitrateWish: () => this.sendingPath.distribute(),
      onBegin: (begun, output) => this.reporter.sendSenderReport(begun, output),
    });
    this.streams.addConsumer(consumer);
    this.router.addConsumer(consumer, this);
    this.sendingPath.consumersChanged();
    if (consumer.isActive) consumer.requestKeyFrame();
    return consumer;
  }

  closeProducer(id: string): void {
    const producer = this.producer(id);
    this.streams.removeProducer(producer);
    this.router.removeProducer(producer);
    this.receivingPath.producersChanged();
  }

  closeConsumer(id: string): void {
    const consumer = this.consumer(id);
    this.router.removeConsumer(consumer);
    this.streams.removeConsumer(consumer);
    this.sendingPath.consumersChanged();
  }

  producerClosed(consumer: Consumer): void {
    this.closeConsumer(consumer.id);
    this.environment.notify(consumer.id, 'producerclose');
    this.listener?.onConsumerClosed(consumer.id);
  }

  /** @throws StateError `sfu/not-found` */
  producer(id: string): Producer {
    return found(this.streams.producers.get(id), `producer ${id}`);
  }

  /** @throws StateError `sfu/not-found` */
  consumer(id: string): Consumer {
    return found(this.streams.consumers.get(id), `consumer ${id}`);
  }

  /** @throws StateError */
  produceData(options: DataProducerOptions): DataProducer {
    const port = this.#dataPort(options.type);
    if (this.dataProducers.has(options.id)) throw taken(`data producer ${options.id}`);
    const producer = new DataProducer(options, port.maxReceivedBytes);
    this.router.addDataProducer(producer);
    try {
      port.addProducer(producer);
    } catch (error) {
      this.router.removeDataProducer(producer);
      throw error;
    }
    this.dataProducers.set(producer.id, producer);
    return producer;
  }

  /** @throws StateError */
  consumeData(dataProducerId: string, options: DataConsumerOptions): DataConsumer {
    const port = this.#dataPort(options.type);
    if (this.dataConsumers.has(options.id)) throw taken(`data consumer ${options.id}`);
    const producer = this.router.dataProducer(dataProducerId);
    const consumer = new DataConsumer(options, producer, port, this.environment);
    port.addConsumer(consumer);
    this.dataConsumers.set(consumer.id, consumer);
    this.router.addDataConsumer(consumer, this);
    return consumer;
  }

  closeDataProducer(id: string): void {
    const producer = found(this.dataProducers.get(id), `data producer ${id}`);
    this.dataProducers.delete(id);
    this.dataPort?.removeProducer(producer);
    this.router.removeDataProducer(producer);
  }

  closeDataConsumer(id: string): void {
    const consumer = found(this.dataConsumers.get(id), `data consumer ${id}`);
    this.dataConsumers.delete(id);
    this.dataPort?.removeConsumer(consumer);
    this.router.removeDataConsumer(consumer);
  }

  dataProducerClosed(consumer: DataConsumer): void {
    this.closeDataConsumer(consumer.id);
    this.environment.notify(consumer.id, 'dataproducerclose');
    this.listener?.onDataConsumerClosed(consumer.id);
  }

  /** Bits a second the peer may send at most; 0: no limit. */
  setMaxIncomingBitrate(maxBps: number): void {
    this.receivingPath.setMaxBitrate(maxBps);
    this.#plan();
  }

  dump(): object {
    const { id, streams, dataPort } = this;
    return {
      id,
      // Shown before mediasoup 3.20.
      direct: false,
      ...streams.dump(),
      dataProducerIds: [...this.dataProducers.keys()],
      dataConsumerIds: [...this.dataConsumers.keys()],
      maxSendMessageSize: DEFAULT_MESSAGE_BYTES,
      maxReceiveMessageSize: DEFAULT_MESSAGE_BYTES,
      ...dataPort?.dump(),
      traceEventTypes: this.sendingPath.traceTypes,
      dropped: this.#allDropped(),
      ...this.dumpOwn(),
    };
  }

  #allDropped(): DroppedPackets {
    const unclaimedMessages = this.dataPort?.unclaimedMessages ?? 0;
    const above = { ...this.dropped, unclaimedMessages, unsendable: this.sender.dropped };
    return sumOfDrops(above, this.droppedBelow());
  }

  stats(): object[] {
    const nowMs = this.environment.clock.nowMs();
    const { received, receivedRtp, receivedRtx, sender, dataPort } = this;
    const state = dataPort?.state;
    return [
      {
        ...this.statsOwn(),
        transportId: this.id,
        timestamp: Math.floor(nowMs),
        ...(state === undefined ? {} : { sctpState: state }),
        bytesReceived: received.bytes,
        recvBitrate: received.bitrateBps(nowMs),
        bytesSent: sender.all.bytes,
        sendBitrate: sender.all.bitrateBps(nowMs),
        rtpBytesReceived: receivedRtp.bytes,
        rtpRecvBitrate: receivedRtp.bitrateBps(nowMs),
        rtpBytesSent: sender.media.bytes,
        rtpSendBitrate: sender.media.bitrateBps(nowMs),
        rtxBytesReceived: receivedRtx.bytes,
        rtxRecvBitrate: receivedRtx.bitrateBps(nowMs),
        rtxBytesSent: sender.rtx.bytes,
        rtxSendBitrate: sender.rtx.bitrateBps(nowMs),
        probationBytesSent: sender.probation.bytes,
        probationSendBitrate: sender.probation.bitrateBps(nowMs),
        ...this.sendingPath.stats(),
        ...this.receivingPath.stats(),
      },
    ];
  }

  /** Ends it with all that is on it. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    for (const id of this.streams.consumers.keys()) this.closeConsumer(id);
    for (const id of this.streams.producers.keys()) this.closeProducer(id);
    for (const id of this.dataConsumers.keys()) this.closeDataConsumer(id);
    for (const id of this.dataProducers.keys()) this.closeDataProducer(id);
    this.#isClosed = true;
    this.#timer.close();
    this.sender.setLink(undefined);
    this.router.removeTransport(this);
    this.closeOwn();
  }

  #dataPort(type: 'sctp' | 'direct'): DataPort {
    const { dataPort } = this;
    if (dataPort?.type !== type) throw new StateError('sfu/bad-request' satisfies SfuErrorCode, `no ${type} data here`);
    return dataPort;
  }

  #plan(): void {
    for (const producer of this.streams.producers.values()) this.#timer.plan(producer.nextTimeoutMs());
    this.#timer.plan(this.#reportMs);
    this.#timer.plan(this.sendingPath.nextTimeoutMs());
    this.#timer.plan(this.receivingPath.nextTimeoutMs());
  }

  #handleTimeout(): void {
    if (this.#isClosed) return;
    const nowMs = this.environment.clock.nowMs();
    for (const producer of this.streams.producers.values()) producer.handleTimeout(nowMs);
    this.sendingPath.handleTimeout(nowMs);
    this.receivingPath.handleTimeout(nowMs);
    if (this.#reportMs !== undefined && nowMs >= this.#reportMs) {
      this.#reportMs = this.reporter.nextReportMs(nowMs);
      this.reporter.sendReports(nowMs);
    }
    this.#plan();
  }
}

function taken(what: string): StateError {
  return new StateError('sfu/taken' satisfies SfuErrorCode, `there is already a ${what}`);
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new StateError('sfu/not-found' satisfies SfuErrorCode, `there is no ${what}`);
  return value;
}
