/** An application written for mediasoup: Chromium with mediasoup-client, and our worker between its two transports. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { types } from '../../src/mediasoup/index.ts';
import * as mediasoup from '../../src/mediasoup/index.ts';
import { ChromiumPage } from '../peers/chromium.ts';
import { FAKE_MEDIA_FLAGS } from '../peers/chromium-webrtc.ts';
import type { PageCamera, PageReport } from '../peers/mediasoup-page.ts';

/** A page that may use a camera: of the loopback, and nobody answers for it but the test. */
const PAGE_URL = 'http://localhost/';
const PAGE_ENTRY = fileURLToPath(new URL('../peers/mediasoup-page.ts', import.meta.url));

const MEDIA_CODECS: types.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
];

let browser: ChromiumPage;
let script: string;
/** Of the test that runs; the page asks it. */
let application: Application;

beforeAll(async () => {
  [browser, script] = await Promise.all([ChromiumPage.open(FAKE_MEDIA_FLAGS), bundle()]);
  await browser.page.route(PAGE_URL, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await browser.page.exposeFunction('callServer', (method: string, data: never) => application.methods[method]!(data));
});

afterAll(() => browser.close());

async function bundle(): Promise<string> {
  const lib = { entry: PAGE_ENTRY, formats: ['iife' as const], name: 'mediasoupPageBundle' };
  const result = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, lib },
  });
  const [output] = [result].flat();
  if (output === undefined || !('output' in output)) throw new RangeError('no bundle');
  return output.output[0].code;
}

/** The server of the application. */
class Application {
  readonly transports = new Map<string, types.WebRtcTransport>();
  readonly producers: types.Producer[] = [];
  readonly consumers = new Map<string, types.Consumer>();
  readonly messages: string[] = [];
  /** Tells the page something, once it consumes data. */
  say: () => void = () => undefined;
  readonly #router: types.Router;
  readonly #direct: types.DirectTransport;
  readonly #protocol: 'udp' | 'tcp';

  constructor(router: types.Router, direct: types.DirectTransport, protocol: 'udp' | 'tcp') {
    this.#router = router;
    this.#direct = direct;
    this.#protocol = protocol;
  }

  /** What the page calls, with what it sends. */
  readonly methods: Readonly<Record<string, (data: never) => unknown>> = {
    capabilities: () => this.#router.rtpCapabilities,
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
    const transport = await this.#router.createWebRtcTransport({
      listenInfos: [{ protocol: this.#protocol, ip: '127.0.0.1' }],
      enableTcp: true,
      enableSctp: true,
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

/** Opens the page of an application, and waits until it receives. */
async function run(context: TestContext, protocol: 'udp' | 'tcp', camera: PageCamera): Promise<void> {
  const { page } = browser;
  const worker = await mediasoup.createWorker();
  context.onTestFinished(() => worker.close());
  const router = await worker.createRouter({ mediaCodecs: MEDIA_CODECS });
  application = new Application(router, await router.createDirectTransport(), protocol);
  await page.goto(PAGE_URL);
  await page.addScriptTag({ content: script });
  context.onTestFinished(() => page.evaluate('mediasoupPage.close()'));
  await page.evaluate(`mediasoupPage.run(${JSON.stringify(camera)})`);
}

function report(): Promise<PageReport> {
  return browser.page.evaluate<PageReport>('mediasoupPage.report()');
}

const PATIENCE = { timeout: 10_000 };

describe('mediasoup-client in Chromium', () => {
  it.for(['udp', 'tcp'] as const)(
    'sees and hears over %s what it sends, and messages go both ways',
    async (protocol, context) => {
      await run(context, protocol, { width: 320, height: 240, frameRate: 30 });
      const receiving = application.transports.get('receive');
      // What is sent to a consumer that is not connected yet is lost.
      await expect.poll(() => receiving?.sctpState, PATIENCE).toBe('connected');
      application.say();

      await expect.poll(async () => (await report()).framesDecoded, PATIENCE).toBeGreaterThan(10);
      await expect.poll(async () => (await report()).audioPackets, PATIENCE).toBeGreaterThan(10);
      await expect.poll(async () => (await report()).audioEnergy, PATIENCE).toBeGreaterThan(0);
      await expect.poll(async () => (await report()).messages, PATIENCE).toEqual(['from the server']);
      await expect.poll(() => application.messages, PATIENCE).toEqual(['from the page']);
      for (const transport of application.transports.values()) {
        expect(transport.iceSelectedTuple?.protocol).toBe(protocol);
        expect(transport.sctpState).toBe('connected');
      }
    },
  );

  it('sends a camera in two sizes, and sees the one the server prefers', async (context) => {
    const encodings = [
      { scaleResolutionDownBy: 2, maxBitrate: 100_000 },
      { scaleResolutionDownBy: 1, maxBitrate: 300_000 },
    ];
    await run(context, 'udp', { width: 640, height: 360, frameRate: 15, encodings });
    const consumer = [...application.consumers.values()].find(({ kind }) => kind === 'video')!;
    expect(consumer.type).toBe('simulcast');

    for (const [spatialLayer, width] of [
      [1, 640],
      [0, 320],
    ] as const) {
      await consumer.setPreferredLayers({ spatialLayer });
      await expect.poll(async () => (await report()).frameWidth, PATIENCE).toBe(width);
      expect(consumer.currentLayers?.spatialLayer).toBe(spatialLayer);
      const { framesDecoded } = await report();
      await expect.poll(async () => (await report()).framesDecoded, PATIENCE).toBeGreaterThan(framesDecoded + 5);
    }
  });
});
