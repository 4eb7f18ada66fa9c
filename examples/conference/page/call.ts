/** Being in a room: what is sent, what is received. One object from joining to the loss of the connection. */
import { Device } from 'mediasoup-client';
import type {
  Consumer,
  ConsumerOptions,
  DataProducer,
  Producer,
  RtpCapabilities,
  Transport,
  TransportOptions,
} from 'mediasoup-client/types';
import type { Notifications, PeerInfo, ProducerInfo, Source } from '../protocol.ts';
import { type LostError, type Notification, Signalling } from './signalling.ts';

/** What happens in the room. */
export interface CallListener {
  peerJoined(peer: PeerInfo): void;
  peerLeft(peerId: string): void;
  received(track: RemoteTrack): void;
  /** It was paused or resumed, or other layers of it are sent now. */
  changed(track: RemoteTrack): void;
  removed(track: RemoteTrack): void;
  /** @param speaker a peer's id, or who it is else */
  activeSpeaker(speaker: { readonly peerId: string } | 'own' | 'nobody'): void;
  message(peerId: string, text: string): void;
  /** Something went wrong that costs one track and not the call. */
  trouble(error: unknown): void;
}

/** A microphone, camera or screen of somebody else. */
export interface RemoteTrack {
  readonly peerId: string;
  readonly source: Source;
  readonly consumer: Consumer;
  paused: boolean;
  /** What is sent of it now; spatial layers are sizes, temporal ones frame rates. */
  layers: Notifications['layersChanged']['layers'];
}

type Layers = RemoteTrack['layers'];

/** Sizes of a camera's picture that are sent side by side: each receiver gets the best it has room for. */
const CAMERA_ENCODINGS = [
  { scaleResolutionDownBy: 4, maxBitrate: 120_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 2, maxBitrate: 350_000, scalabilityMode: 'L1T3' },
  { scaleResolutionDownBy: 1, maxBitrate: 1_000_000, scalabilityMode: 'L1T3' },
];
/** From this width on Chromium sends three sizes, and two below; asked for more it leaves out the largest. */
const THREE_SIZES_WIDTH = 960;
const SCREEN_ENCODINGS = [{ maxBitrate: 1_500_000 }];

interface CallParts {
  readonly signalling: Signalling;
  readonly listener: CallListener;
  readonly sending: Transport;
  readonly receiving: Transport;
  /** Ours. */
  readonly peerId: string;
}

export class Call {
  readonly #signalling: Signalling;
  readonly #listener: CallListener;
  readonly #sending: Transport;
  readonly #receiving: Transport;
  readonly #producers = new Map<Source, Producer>();
  readonly #peerId: string;
  /** By producer. Undefined while it is being asked for. */
  readonly #remote = new Map<string, { readonly info: ProducerInfo; track?: RemoteTrack }>();
  /** What the server told of consumers this page has not finished making. */
  readonly #earlyLayers = new Map<string, Layers>();
  #chat: DataProducer | undefined;

  private constructor({ signalling, listener, sending, receiving, peerId }: CallParts) {
    this.#signalling = signalling;
    this.#listener = listener;
    this.#sending = sending;
    this.#receiving = receiving;
    this.#peerId = peerId;
  }

  /** @throws RefusedError, LostError */
  static async join(room: string, name: string, listener: CallListener): Promise<Call> {
    const signalling = await Signalling.open(room);
    try {
      const { peerId, routerRtpCapabilities, peers, activeSpeakerId } = await signalling.ask('join', { name });
      const device = await Device.factory();
      await device.load({ routerRtpCapabilities: asClients<RtpCapabilities>(routerRtpCapabilities) });
      await signalling.ask('setCapabilities', { rtpCapabilities: device.recvRtpCapabilities });
      const sendInfo = await signalling.ask('openTransport', { direction: 'send' });
      const sending = device.createSendTransport(asClients<TransportOptions>(sendInfo));
      const receiveInfo = await signalling.ask('openTransport', { direction: 'receive' });
      const receiving = device.createRecvTransport(asClients<TransportOptions>(receiveInfo));
      const call = new Call({ signalling, listener, sending, receiving, peerId });
      call.#connect(sending);
      call.#connect(receiving);
      for (const peer of peers) call.#peerJoined(peer);
      call.#setSpeaker(activeSpeakerId);
      signalling.listen((notification) => call.#notified(notification));
      call.#chat = await sending.produceData({ label: 'chat' });
      return call;
    } catch (error) {
      signalling.close();
      throw error;
    }
  }

  /** Settles when the connection is gone. */
  get ended(): Promise<LostError> {
    return this.#signalling.ended;
  }

  get tracks(): RemoteTrack[] {
    return [...this.#remote.values()].flatMap(({ track }) => track ?? []);
  }

  producer(source: Source): Producer | undefined {
    return this.#producers.get(source);
  }

  /** The track stays the caller's. */
  async send(source: Source, track: MediaStreamTrack, paused = false): Promise<void> {
    const producer = await this.#sending.produce({
      track,
      stopTracks: false,
      appData: { source, paused },
      ...(source === 'camera' && { encodings: cameraEncodings(track) }),
      ...(source === 'screen' && { encodings: SCREEN_ENCODINGS }),
      ...(source === 'microphone' && { codecOptions: { opusDtx: true, opusFec: true } }),
    });
    if (paused) producer.pause();
    this.#producers.set(source, producer);
  }

  async stop(source: Source): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer === undefined) return;
    this.#producers.delete(source);
    producer.close();
    await this.#signalling.ask('closeProducer', { producerId: producer.id });
  }

  async setPaused(source: Source, paused: boolean): Promise<void> {
    const producer = this.#producers.get(source);
    if (producer === undefined) return;
    if (paused) producer.pause();
    else producer.resume();
    await this.#signalling.ask('setPaused', { producerId: producer.id, paused });
  }

  /** 0 is the smallest picture. */
  async prefer({ consumer }: RemoteTrack, spatialLayer: number): Promise<void> {
    const { temporal } = layersOf(consumer);
    await this.#signalling.ask('setPreferredLayers', {
      consumerId: consumer.id,
      spatialLayer,
      temporalLayer: temporal - 1,
    });
  }

  /** @returns false while there is no way to the server */
  write(text: string): boolean {
    if (this.#chat?.readyState !== 'open') return false;
    this.#chat.send(text);
    return true;
  }

  close(): void {
    this.#sending.close();
    this.#receiving.close();
    this.#signalling.close();
  }

  /** Answers what the library asks of the application. */
  #connect(transport: Transport): void {
    const signalling = this.#signalling;
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      void answer(signalling.ask('connectTransport', { transportId: transport.id, dtlsParameters }), done, failed);
    });
    transport.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
      const { source, paused } = appData as { source: Source; paused: boolean };
      void answer(signalling.ask('produce', { kind, source, paused, rtpParameters }), done, failed);
    });
    transport.on('producedata', ({ sctpStreamParameters }, done, failed) => {
      const { streamId = 0 } = sctpStreamParameters;
      const asked = signalling.ask('produceData', { sctpStreamParameters: { ...sctpStreamParameters, streamId } });
      void answer(asked, done, failed);
    });
    transport.on('connectionstatechange', (state) => {
      // Another network, or a sleep. What `failed` is beyond repair: joining anew is.
      if (state === 'disconnected') this.#attempt(this.#restartIce(transport));
      if (state === 'failed') signalling.close();
    });
  }

  async #restartIce(transport: Transport): Promise<void> {
    const iceParameters = await this.#signalling.ask('restartIce', { transportId: transport.id });
    await transport.restartIce({ iceParameters });
  }

  #notified(notification: Notification): void {
    const { event, data } = notification;
    switch (event) {
      case 'peerJoined':
        this.#peerJoined(data);
        break;
      case 'peerLeft':
        this.#listener.peerLeft(data.peerId);
        break;
      case 'producerChanged':
        this.#producerChanged(data.peerId, data.producer);
        break;
      case 'producerClosed':
        this.#producerClosed(data.producerId);
        break;
      case 'chatOpened':
        this.#attempt(this.#read(data.peerId, data.chatId));
        break;
      case 'layersChanged':
        this.#layersChanged(data.consumerId, data.layers);
        break;
      case 'activeSpeaker':
        this.#setSpeaker(data.peerId);
        break;
    }
  }

  #setSpeaker(peerId: string | null): void {
    if (peerId === null) this.#listener.activeSpeaker('nobody');
    else this.#listener.activeSpeaker(peerId === this.#peerId ? 'own' : { peerId });
  }

  #peerJoined(peer: PeerInfo): void {
    this.#listener.peerJoined(peer);
    for (const producer of peer.producers) this.#producerChanged(peer.peerId, producer);
    if (peer.chatId !== undefined) this.#attempt(this.#read(peer.peerId, peer.chatId));
  }

  #producerChanged(peerId: string, info: ProducerInfo): void {
    const known = this.#remote.get(info.producerId);
    this.#remote.set(info.producerId, { ...known, info });
    if (known === undefined) {
      this.#attempt(this.#receive(peerId, info));
    } else if (known.track !== undefined) {
      known.track.paused = info.paused;
      this.#listener.changed(known.track);
    }
  }

  async #receive(peerId: string, { producerId, source }: ProducerInfo): Promise<void> {
    const options = await this.#signalling.ask('consume', { producerId });
    const consumer = await this.#receiving.consume(asClients<ConsumerOptions>(options));
    const entry = this.#remote.get(producerId);
    // It closed while we asked for it.
    if (entry === undefined) return consumer.close();
    const layers = this.#earlyLayers.get(consumer.id) ?? null;
    this.#earlyLayers.delete(consumer.id);
    const track = { peerId, source, consumer, paused: entry.info.paused, layers };
    entry.track = track;
    this.#listener.received(track);
    await this.#signalling.ask('resumeConsumer', { consumerId: consumer.id });
  }

  #producerClosed(producerId: string): void {
    const track = this.#remote.get(producerId)?.track;
    this.#remote.delete(producerId);
    if (track === undefined) return;
    track.consumer.close();
    this.#listener.removed(track);
  }

  async #read(peerId: string, chatId: string): Promise<void> {
    const options = await this.#signalling.ask('consumeData', { dataProducerId: chatId });
    const consumer = await this.#receiving.consumeData(options);
    consumer.on('message', (text: unknown) => this.#listener.message(peerId, String(text)));
  }

  #layersChanged(consumerId: string, layers: Layers): void {
    const track = this.tracks.find(({ consumer }) => consumer.id === consumerId);
    if (track === undefined) {
      this.#earlyLayers.set(consumerId, layers);
      return;
    }
    track.layers = layers;
    this.#listener.changed(track);
  }

  #attempt(task: Promise<unknown>): void {
    task.catch((error: unknown) => this.#listener.trouble(error));
  }
}

/** Calls one of two back, as the library wants it. */
async function answer<T>(asked: Promise<T>, done: (value: T) => void, failed: (error: Error) => void): Promise<void> {
  let value: T;
  try {
    value = await asked;
  } catch (error) {
    failed(error as Error);
    return;
  }
  done(value);
}

function cameraEncodings(track: MediaStreamTrack): typeof CAMERA_ENCODINGS {
  const { width = 0 } = track.getSettings();
  return width >= THREE_SIZES_WIDTH ? CAMERA_ENCODINGS : CAMERA_ENCODINGS.slice(1);
}

/** The libraries of the server and of the page describe the same JSON, each with types of its own. */
function asClients<T>(info: object): T {
  return info as T;
}

/** How many layers a consumer may be sent. */
export function layersOf({ rtpParameters }: Consumer): { readonly spatial: number; readonly temporal: number } {
  const match = /^[LS](\d+)T(\d+)/.exec(rtpParameters.encodings?.[0]?.scalabilityMode ?? '');
  return { spatial: Number(match?.[1] ?? 1), temporal: Number(match?.[2] ?? 1) };
}
