/** An application written for mediasoup: pages of Chromium with mediasoup-client, and our worker between them. */
import type { Page } from 'playwright-core';
import type { TestContext } from 'vitest';
import type { types } from '../../../src/mediasoup/index.ts';
import * as mediasoup from '../../../src/mediasoup/index.ts';
import { ChromiumPage } from '../../peers/chromium.ts';
import { FAKE_MEDIA_FLAGS } from '../../peers/chromium-webrtc.ts';
import type { PageCamera, PageReport, PageSent } from '../../peers/mediasoup-page.ts';
import { bundlePage, loadPage, servePage } from './bundled-page.ts';

/** Codecs of video that Chromium sends and takes, the first one unless a page wants another. */
const VIDEO_CODECS: Readonly<Record<string, Record<string, unknown>>> = {
  'video/VP8': {},
  'video/H264': { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  'video/VP9': { 'profile-id': 0 },
  'video/AV1': {},
};

const MEDIA_CODECS: types.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  ...Object.entries(VIDEO_CODECS).map(([mimeType, parameters]) => {
    return { kind: 'video' as const, mimeType, clockRate: 90_000, parameters };
  }),
];

/** How long a page on a busy machine may take for what a test waits for. */
export const PATIENCE = { timeout: 30_000 };

/** The server of the application. */
export class Application {
  readonly transports = new Map<string, types.WebRtcTransport>();
  readonly producers: types.Producer[] = [];
  readonly consumers = new Map<string, types.Consumer>();
  readonly messages: string[] = [];
  /** Tells the page something, once it consumes data. */
  say: () => void = () => undefined;
  readonly router: types.Router;
  readonly #direct: types.DirectTransport;
  readonly #protocol: 'udp' | 'tcp';

  constructor(router: types.Router, direct: types.DirectTransport, protocol: 'udp' | 'tcp') {
    this.router = router;
    this.#direct = direct;
    this.#protocol = protocol;
  }

  /** What its viewers get of the camera. */
  get videoConsumer(): types.Consumer {
    return [...this.consumers.values()].find(({ kind }) => kind === 'video')!;
  }

  /** What pages call, with what they send. */
  readonly methods: Readonly<Record<string, (data: never) => unknown>> = {
    capabilities: () => this.router.rtpCapabilities,
    open: (name: string) => this.#open(name),
    connect: ({ name, dtlsParameters }: { name: string; dtlsParameters: types.DtlsParameters }) =>
      this.transports.get(name)!.connect({ dtlsParameters }),
    produce: (options: types.ProducerOptions) => this.#produce(options),
    produceData: (options: types.DataProducerOptions) => this.#produceData(options),
    consume: (rtpCapabilities: types.RtpCapabilities) =>
      Promise.all(this.producers.map(({ id }) => this.#consume(id, rtpCapabilities))),
    resume: (id: string) => this.consumers.get(id)!.resume(),
    consumeData: () => this.#consumeData(),
  };

  async #open(name: string): Promise<object> {
    const transport = await this.router.createWebRtcTransport({
      listenInfos: [{ protocol: this.#protocol, ip: '127.0.0.1' }],
      enableTcp: true,
      enableSctp: true,
      initialAvailableOutgoingBitrate: 2_000_000,
    });
    this.transports.set(name, transport);
    const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
    return { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters };
  }

  async #produce(options: types.ProducerOptions): Promise<{ id: string }> {
    const producer = await this.transports.get('send')!.produce(options);
    this.producers.push(producer);
    return { id: producer.id };
  }

  async #produceData(options: types.DataProducerOptions): Promise<{ id: string }> {
    const { id } = await this.transports.get('send')!.produceData(options);
    const consumer = await this.#direct.consumeData({ dataProducerId: id });
    consumer.on('message', (message) => this.messages.push(message.toString()));
    return { id };
  }

  async #consume(producerId: string, rtpCapabilities: types.RtpCapabilities): Promise<object> {
    const options = { producerId, rtpCapabilities, paused: true };
    const consumer = await this.transports.get('receive')!.consume(options);
    this.consumers.set(consumer.id, consumer);
    const { id, kind, rtpParameters } = consumer;
    return { id, producerId, kind, rtpParameters };
  }

  async #consumeData(): Promise<object> {
    const producer = await this.#direct.produceData({ label: 'news' });
    const consumer = await this.transports.get('receive')!.consumeData({ dataProducerId: producer.id, ordered: true });
    const { id, dataProducerId, sctpStreamParameters, label, protocol } = consumer;
    this.say = () => producer.send('from the server');
    return { id, dataProducerId, sctpStreamParameters, label, protocol };
  }
}

/** The page of an application in a browser. */
export class ApplicationPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Sends camera and microphone. */
  publish(camera: PageCamera): Promise<void> {
    return this.#page.evaluate(`mediasoupPage.publish(${JSON.stringify(camera)})`);
  }

  /** Takes what there is. */
  watch(): Promise<void> {
    return this.#page.evaluate('mediasoupPage.watch()');
  }

  /** Sends and takes, and sends messages too. */
  run(camera: PageCamera): Promise<void> {
    return this.#page.evaluate(`mediasoupPage.run(${JSON.stringify(camera)})`);
  }

  report(): Promise<PageReport> {
    return this.#page.evaluate<PageReport>('mediasoupPage.report()');
  }

  sent(): Promise<readonly PageSent[]> {
    return this.#page.evaluate<readonly PageSent[]>('mediasoupPage.sent()');
  }
}

/** An application at work. */
export interface Scene {
  readonly application: Application;
  /** Pages in processes of their own; the first one sends. */
  readonly sender: ApplicationPage;
  readonly viewer: ApplicationPage;
}

/** A browser with two pages, for one test after the other. */
export class ApplicationBrowser {
  readonly #chromium: ChromiumPage;
  readonly #pages: readonly Page[];
  readonly #script: string;
  readonly #worker: types.Worker;
  /** Of the test that runs; its pages ask it. */
  #application: Application | undefined;

  private constructor(chromium: ChromiumPage, viewer: Page, script: string, worker: types.Worker) {
    this.#chromium = chromium;
    this.#pages = [chromium.page, viewer];
    this.#script = script;
    this.#worker = worker;
  }

  static async open(): Promise<ApplicationBrowser> {
    const [chromium, script, worker] = await Promise.all([
      ChromiumPage.open(FAKE_MEDIA_FLAGS),
      bundlePage('mediasoup-page.ts', 'mediasoupPageBundle'),
      mediasoup.createWorker(),
    ]);
    const context = await chromium.page.context().browser()!.newContext();
    const self = new ApplicationBrowser(chromium, await context.newPage(), script, worker);
    for (const page of self.#pages) {
      await servePage(page, (method, data) => self.#application!.methods[method]!(data));
    }
    return self;
  }

  /** A router of its own and new pages, until the test ends. */
  async scene(context: TestContext, protocol: 'udp' | 'tcp' = 'udp'): Promise<Scene> {
    const router = await this.#worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    context.onTestFinished(() => router.close());
    const application = new Application(router, await router.createDirectTransport(), protocol);
    this.#application = application;
    for (const page of this.#pages) {
      await loadPage(page, this.#script);
      context.onTestFinished(() => page.evaluate('mediasoupPage.close()'));
    }
    const [sender, viewer] = this.#pages.map((page) => new ApplicationPage(page));
    return { application, sender: sender!, viewer: viewer! };
  }

  async close(): Promise<void> {
    await this.#chromium.close();
    this.#worker.close();
  }
}
