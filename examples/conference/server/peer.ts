/** One person in a room: two transports, what they send, and what they receive. */
import { randomUUID } from 'node:crypto';
import type { types } from 'millrace/mediasoup';
import type { Answers, Notifications, PeerInfo, ProducerInfo, Source, TransportInfo } from '../protocol.ts';
import { LIMITS } from './limits.ts';
import { Refusal } from './refusal.ts';
import type { DataOf, Method, PeerRequest } from './requests.ts';
import type { Room } from './room.ts';

type Direction = DataOf<'openTransport'>['direction'];

/** How a peer is reached. */
export interface PeerConnection {
  tell<E extends keyof Notifications>(event: E, data: Notifications[E]): void;
  /** The room is no more; the page should join again. */
  roomClosed(): void;
}

/** What a transport may use before anything is known of the network, bits a second. */
const INITIAL_BPS = 1_000_000;

export class Peer {
  readonly id: string = randomUUID();
  readonly name: string;
  readonly #room: Room;
  readonly #connection: PeerConnection;
  readonly #transports = new Map<Direction, types.WebRtcTransport>();
  readonly #producers = new Map<Source, types.Producer>();
  readonly #consumers = new Map<string, types.Consumer>();
  /** By data producer: one is enough of each. */
  readonly #dataConsumers = new Set<string>();
  #chat: types.DataProducer | undefined;
  #rtpCapabilities: types.RtpCapabilities | undefined;
  #closed = false;

  constructor(name: string, room: Room, connection: PeerConnection) {
    this.name = name;
    this.#room = room;
    this.#connection = connection;
  }

  /** What others learn of it. */
  get info(): PeerInfo {
    const producers = [...this.#producers].map(([source, producer]) => infoOf(source, producer));
    return { peerId: this.id, name: this.name, producers, ...(this.#chat && { chatId: this.#chat.id }) };
  }

  tell<E extends keyof Notifications>(event: E, data: Notifications[E]): void {
    this.#connection.tell(event, data);
  }

  roomClosed(): void {
    this.#connection.roomClosed();
  }

  /** Leaves the room. What it sent closes, and with it what others received of it. */
  close(): void {
    this.#closed = true;
    for (const transport of this.#transports.values()) transport.close();
    this.#room.remove(this);
  }

  /**
   * Does what the page asks.
   * @throws Refusal, and what the library throws for wrong parameters
   */
  async handle(request: PeerRequest): Promise<Answers[Method]> {
    switch (request.method) {
      case 'setCapabilities':
        this.#rtpCapabilities = request.data.rtpCapabilities;
        return null;
      case 'openTransport':
        return this.#openTransport(request.data.direction);
      case 'connectTransport':
        await this.#transport(request.data.transportId).connect({ dtlsParameters: request.data.dtlsParameters });
        return null;
      case 'restartIce':
        return this.#transport(request.data.transportId).restartIce();
      case 'produce':
        return this.#produce(request.data);
      case 'setPaused':
        return this.#setPaused(request.data);
      case 'closeProducer':
        return this.#closeProducer(request.data.producerId);
      case 'consume':
        return this.#consume(request.data.producerId);
      case 'resumeConsumer':
        await this.#consumer(request.data.consumerId).resume();
        return null;
      case 'setPreferredLayers': {
        const { consumerId, spatialLayer, temporalLayer } = request.data;
        await this.#consumer(consumerId).setPreferredLayers({ spatialLayer, temporalLayer });
        return null;
      }
      case 'produceData':
        return this.#produceData(request.data);
      case 'consumeData':
        return this.#consumeData(request.data.dataProducerId);
    }
  }

  async #openTransport(direction: Direction): Promise<TransportInfo> {
    if (this.#transports.has(direction)) throw new Refusal('wrong-request', 'This transport is open already.');
    const transport = await this.#room.router.createWebRtcTransport({
      webRtcServer: this.#room.webRtcServer,
      preferUdp: true,
      initialAvailableOutgoingBitrate: INITIAL_BPS,
      enableSctp: true,
      maxReceiveMessageSize: LIMITS.chatBytes,
    });
    // Who left while it was being made has closed all others.
    if (this.#closed) transport.close();
    this.#transports.set(direction, transport);
    if (direction === 'send') await transport.setMaxIncomingBitrate(LIMITS.incomingBps);
    const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
    return { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters };
  }

  async #produce({ kind, source, paused, rtpParameters }: DataOf<'produce'>): Promise<Answers['produce']> {
    if ((source === 'microphone') !== (kind === 'audio')) {
      throw new Refusal('wrong-request', `A ${source} is not of the kind ${kind}.`);
    }
    if (this.#producers.has(source)) throw new Refusal('wrong-request', `Your ${source} is on already.`);
    const appData = { peerId: this.id };
    const producer = await this.#opened('send').produce({ kind, rtpParameters, paused, appData });
    this.#producers.set(source, producer);
    const { id } = producer;
    producer.observer.on('close', () => {
      this.#producers.delete(source);
      this.#room.tellOthers(this, 'producerClosed', { peerId: this.id, producerId: id });
    });
    if (kind === 'audio') await this.#room.observe(producer);
    this.#room.tellOthers(this, 'producerChanged', { peerId: this.id, producer: infoOf(source, producer) });
    return { id };
  }

  async #setPaused({ producerId, paused }: DataOf<'setPaused'>): Promise<null> {
    const [source, producer] = this.#producer(producerId);
    await (paused ? producer.pause() : producer.resume());
    this.#room.tellOthers(this, 'producerChanged', { peerId: this.id, producer: infoOf(source, producer) });
    return null;
  }

  #closeProducer(producerId: string): null {
    const [, producer] = this.#producer(producerId);
    producer.close();
    return null;
  }

  async #consume(producerId: string): Promise<Answers['consume']> {
    const rtpCapabilities = this.#rtpCapabilities;
    if (rtpCapabilities === undefined) throw new Refusal('wrong-request', 'What can you receive?');
    if ([...this.#consumers.values()].some((consumer) => consumer.producerId === producerId)) {
      throw new Refusal('wrong-request', 'You receive it already.');
    }
    if (!this.#room.router.canConsume({ producerId, rtpCapabilities })) {
      throw new Refusal('not-found', 'It has closed meanwhile, or your browser has none of its codecs.');
    }
    const consumer = await this.#opened('receive').consume({ producerId, rtpCapabilities, paused: true });
    this.#consumers.set(consumer.id, consumer);
    consumer.observer.on('close', () => this.#consumers.delete(consumer.id));
    consumer.on('layerschange', (layers) => {
      this.tell('layersChanged', { consumerId: consumer.id, layers: layers ?? null });
    });
    const { id, kind, rtpParameters } = consumer;
    return { id, producerId, kind, rtpParameters };
  }

  async #produceData({ sctpStreamParameters }: DataOf<'produceData'>): Promise<Answers['produceData']> {
    if (this.#chat !== undefined) throw new Refusal('wrong-request', 'You can write already.');
    const chat = await this.#opened('send').produceData({ sctpStreamParameters, label: 'chat' });
    this.#chat = chat;
    this.#room.tellOthers(this, 'chatOpened', { peerId: this.id, chatId: chat.id });
    return { id: chat.id };
  }

  async #consumeData(dataProducerId: string): Promise<Answers['consumeData']> {
    if (this.#dataConsumers.has(dataProducerId)) throw new Refusal('wrong-request', 'You receive it already.');
    if (![...this.#room.peers].some((peer) => peer.#chat?.id === dataProducerId)) {
      throw new Refusal('not-found', 'It has closed meanwhile.');
    }
    const consumer = await this.#opened('receive').consumeData({ dataProducerId });
    this.#dataConsumers.add(dataProducerId);
    consumer.observer.on('close', () => this.#dataConsumers.delete(dataProducerId));
    const { id, sctpStreamParameters, label, protocol } = consumer;
    if (sctpStreamParameters === undefined) throw new Refusal('wrong-request', 'Your transport carries no data.');
    return { id, dataProducerId, sctpStreamParameters, label, protocol };
  }

  #opened(direction: Direction): types.WebRtcTransport {
    const transport = this.#transports.get(direction);
    if (transport === undefined) throw new Refusal('wrong-request', `Open a transport to ${direction} first.`);
    return transport;
  }

  #transport(id: string): types.WebRtcTransport {
    for (const transport of this.#transports.values()) if (transport.id === id) return transport;
    throw new Refusal('not-found', 'No such transport.');
  }

  #producer(id: string): [Source, types.Producer] {
    for (const entry of this.#producers) if (entry[1].id === id) return entry;
    throw new Refusal('not-found', 'You send no such thing.');
  }

  #consumer(id: string): types.Consumer {
    const consumer = this.#consumers.get(id);
    if (consumer === undefined) throw new Refusal('not-found', 'You receive no such thing.');
    return consumer;
  }
}

function infoOf(source: Source, { id, kind, paused }: types.Producer): ProducerInfo {
  return { producerId: id, kind, source, paused };
}
