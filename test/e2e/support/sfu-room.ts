/** A page of Chromium with mediasoup-client, a worker of ours, and networks between them. */
import type { types } from '../../../src/mediasoup/index.ts';
import * as mediasoup from '../../../src/mediasoup/index.ts';
import { seedOf } from '../../peers/byte-pattern.ts';
import { ChromiumPage } from '../../peers/chromium.ts';
import { FAKE_MEDIA_FLAGS } from '../../peers/chromium-webrtc.ts';
import type { RoomCamera, RoomChannel, RoomPair, RoomSource, RoomView } from '../../peers/mediasoup-room-page.ts';
import { type RelayOptions, UdpRelay } from '../../peers/udp-relay.ts';
import { bundlePage, loadPage, servePage } from './bundled-page.ts';

const MEDIA_CODECS: types.RouterRtpCodecCapability[] = [
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 101 },
];

/** The seed of a pattern of bytes, −1 for what is none, and their number. */
export type HeardMessage = readonly [number, number];

/** A browser with the script of a room, for one test after the other. */
export class RoomBrowser {
  readonly chromium: ChromiumPage;
  readonly #script: string;
  /** Who answers the page. */
  room: Room | undefined;

  private constructor(chromium: ChromiumPage, script: string) {
    this.chromium = chromium;
    this.#script = script;
  }

  static async open(): Promise<RoomBrowser> {
    const bundled = bundlePage('mediasoup-room-page.ts', 'roomBundle');
    const [chromium, script] = await Promise.all([ChromiumPage.open(FAKE_MEDIA_FLAGS), bundled]);
    const browser = new RoomBrowser(chromium, script);
    await servePage(chromium.page, (method, data) => browser.room!.answer(method, data));
    return browser;
  }

  /** A new page. */
  async load(room: Room): Promise<void> {
    this.room = room;
    await loadPage(this.chromium.page, this.#script);
  }

  call<T>(method: string, ...args: unknown[]): Promise<T> {
    const text = args.map((arg) => JSON.stringify(arg)).join();
    return this.chromium.page.evaluate<T>(`room.${method}(${text})`);
  }

  close(): Promise<void> {
    return this.chromium.close();
  }
}

/** A router, and a page whose transports have networks of their own. */
export class Room {
  readonly router: types.Router;
  readonly direct: types.DirectTransport;
  readonly transports = new Map<string, types.WebRtcTransport>();
  readonly relays = new Map<string, UdpRelay>();
  readonly consumers = new Map<string, types.Consumer>();
  /** By label. */
  readonly dataProducers = new Map<string, types.DataProducer>();
  producer: types.Producer | undefined;
  /** What the page has sent, by label. */
  readonly #messages = new Map<string, Uint8Array[]>();
  readonly #browser: RoomBrowser;
  readonly #worker: types.Worker;
  readonly #networks: Readonly<Record<string, RelayOptions>>;

  private constructor(
    browser: RoomBrowser,
    worker: types.Worker,
    router: types.Router,
    direct: types.DirectTransport,
    networks: Readonly<Record<string, RelayOptions>>,
  ) {
    this.#browser = browser;
    this.#worker = worker;
    this.router = router;
    this.direct = direct;
    this.#networks = networks;
  }

  /** @param networks by the name of the transport; none is a good one */
  static async open(browser: RoomBrowser, networks: Readonly<Record<string, RelayOptions>> = {}): Promise<Room> {
    const worker = await mediasoup.createWorker();
    const router = await worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    const direct = await router.createDirectTransport({ maxMessageSize: 2_000_000 });
    const room = new Room(browser, worker, router, direct, networks);
    await browser.load(room);
    return room;
  }

  /** Opens a transport of the page. */
  async join(name: string, direction: 'send' | 'receive'): Promise<void> {
    await this.#browser.call('open', name, direction);
  }

  publish(name: string, camera: RoomCamera): Promise<void> {
    return this.#browser.call('publish', name, camera);
  }

  watch(name: string): Promise<void> {
    return this.#browser.call('watch', name);
  }

  seen(name: string): Promise<RoomView> {
    return this.#browser.call('seen', name);
  }

  sent(name: string): Promise<RoomSource> {
    return this.#browser.call('sent', name);
  }

  openChannel(name: string, label: string, options: RoomChannel): Promise<void> {
    return this.#browser.call('openChannel', name, label, options);
  }

  sendBytes(label: string, sizeBytes: number, seed: number): Promise<void> {
    return this.#browser.call('sendBytes', label, sizeBytes, seed);
  }

  restartIce(name: string): Promise<void> {
    return this.#browser.call('restartIce', name);
  }

  /** Lets the page hear a data producer of ours. */
  async listen(name: string, label: string, options: RoomChannel): Promise<types.DataProducer> {
    const producer = await this.direct.produceData({ label });
    this.dataProducers.set(label, producer);
    await this.#browser.call('listen', name, label, options);
    return producer;
  }

  /** What the page heard. */
  heard(label: string): Promise<readonly HeardMessage[]> {
    return this.#browser.call('heard', label);
  }

  /** What the page sent, as it came here. */
  heardUp(label: string): readonly HeardMessage[] {
    return this.#messages.get(label)!.map((bytes) => [seedOf(bytes), bytes.length]);
  }

  /** The pair of candidates the page uses. */
  pair(name: string): Promise<RoomPair> {
    return this.#browser.call('pair', name);
  }

  async close(): Promise<void> {
    await this.#browser.call('close');
    this.#worker.close();
    for (const relay of this.relays.values()) relay.close();
  }

  /** What the page asks. */
  answer(method: string, data: never): unknown {
    return this.#methods[method]!(data);
  }

  readonly #methods: Readonly<Record<string, (data: never) => unknown>> = {
    capabilities: () => this.router.rtpCapabilities,
    open: (name: string) => this.#open(name),
    connect: ({ name, dtlsParameters }: { name: string; dtlsParameters: types.DtlsParameters }) =>
      this.transports.get(name)!.connect({ dtlsParameters }),
    produce: async ({ name, ...options }: types.ProducerOptions & { name: string }) => {
      this.producer = await this.transports.get(name)!.produce(options);
      return { id: this.producer.id };
    },
    consume: ({ name, rtpCapabilities }: { name: string; rtpCapabilities: types.RtpCapabilities }) =>
      this.#consume(name, rtpCapabilities),
    resume: (name: string) => this.consumers.get(name)!.resume(),
    restartIce: (name: string) => this.transports.get(name)!.restartIce(),
    produceData: async ({ name, ...options }: types.DataProducerOptions & { name: string }) => {
      const producer = await this.transports.get(name)!.produceData(options);
      const consumer = await this.direct.consumeData({ dataProducerId: producer.id });
      const messages: Uint8Array[] = [];
      this.#messages.set(producer.label, messages);
      consumer.on('message', (message) => messages.push(message));
      return { id: producer.id };
    },
    consumeData: ({ name, label, ...options }: { name: string; label: string } & RoomChannel) =>
      this.#consumeData(name, label, options),
  };

  async #open(name: string): Promise<object> {
    const transport = await this.router.createWebRtcTransport({
      listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }],
      enableSctp: true,
      maxSendMessageSize: 2_000_000,
      maxReceiveMessageSize: 2_000_000,
    });
    this.transports.set(name, transport);
    const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
    const relay = await UdpRelay.open(iceCandidates[0]!.port);
    relay.become(this.#networks[name] ?? {});
    this.relays.set(name, relay);
    const candidates = iceCandidates.map((candidate) => ({ ...candidate, port: relay.port }));
    return { id, iceParameters, iceCandidates: candidates, dtlsParameters, sctpParameters };
  }

  async #consume(name: string, rtpCapabilities: types.RtpCapabilities): Promise<object> {
    const producerId = this.producer!.id;
    const consumer = await this.transports.get(name)!.consume({ producerId, rtpCapabilities, paused: true });
    this.consumers.set(name, consumer);
    const { id, kind, rtpParameters } = consumer;
    return { id, producerId, kind, rtpParameters };
  }

  async #consumeData(name: string, label: string, options: RoomChannel): Promise<object> {
    const dataProducerId = this.dataProducers.get(label)!.id;
    const consumer = await this.transports.get(name)!.consumeData({ dataProducerId, ...options });
    const { id, sctpStreamParameters, protocol } = consumer;
    return { id, dataProducerId, sctpStreamParameters, label, protocol };
  }
}
