/**
 * What an application of mediasoup has in its page: `mediasoup-client` with a sending and a receiving transport. It is
 * bundled and sent to a browser; there are no types of browsers here, so what is used of them is written here.
 */
import { Device } from 'mediasoup-client';
import type { Consumer, DataConsumer, Producer, Transport, TransportOptions } from 'mediasoup-client/types';
import { ask, type ServerScope } from './mediasoup-server-calls.ts';

/** What a page has seen of what it consumes. */
export interface PageReport {
  readonly framesDecoded: number;
  readonly keyFramesDecoded: number;
  /** Of the last picture, pixels. */
  readonly frameWidth: number;
  readonly frameHeight: number;
  /** Of the decoder: `video/VP9`, say. */
  readonly videoCodec: string;
  /** How far the brightest and the darkest spot of the picture on the screen are apart, 0–255; of a black picture 0. */
  readonly contrast: number;
  readonly audioPackets: number;
  readonly audioEnergy: number;
  readonly messages: readonly string[];
}

/** What a page has sent of its camera, by encoding. */
export interface PageSent {
  readonly rid: string;
  readonly frameWidth: number;
  readonly framesEncoded: number;
  readonly scalabilityMode: string;
}

/** One encoding of a camera. */
export interface PageEncoding {
  readonly scaleResolutionDownBy?: number;
  readonly maxBitrate?: number;
  readonly scalabilityMode?: string;
}

/** What a page sends of its camera. */
export interface PageCamera {
  /** Pixels, and frames a second. */
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** `video/VP9`, say; left out, the first that the router has. */
  readonly codec?: string;
  /** With more than one, simulcast. */
  readonly encodings?: readonly PageEncoding[];
}

/** Of the page's global scope. */
interface PageScope extends ServerScope {
  navigator: { mediaDevices: { getUserMedia(constraints: object): Promise<{ getTracks(): PageTrack[] }> } };
  document: { createElement(name: string): PageElement; body: { append(element: unknown): void } };
  MediaStream: new (tracks: readonly unknown[]) => unknown;
  mediasoupPage: {
    publish(camera: PageCamera): Promise<void>;
    watch(): Promise<void>;
    run(camera: PageCamera): Promise<void>;
    report(): Promise<PageReport>;
    sent(): Promise<readonly PageSent[]>;
    close(): void;
  };
}

/** A player, or a canvas. */
interface PageElement {
  getContext(
    name: '2d',
    options: object,
  ): {
    drawImage(element: PageElement, x: number, y: number, width: number, height: number): void;
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

interface PageTrack {
  readonly kind: string;
  stop(): void;
}

/** Pictures are looked at in so few pixels a side. */
const LOOKED_AT = 16;

const scope = globalThis as unknown as PageScope;
const messages: string[] = [];
const producers: Producer[] = [];
const consumers: Consumer[] = [];
const players: PageElement[] = [];
const closing: (() => void)[] = [];
let canvas: PageElement | undefined;
let loaded: Promise<Device> | undefined;

async function load(): Promise<Device> {
  const device = await Device.factory();
  await device.load({ routerRtpCapabilities: await scope.callServer('capabilities') });
  return device;
}

function joined(transport: Transport, name: 'send' | 'receive'): Transport {
  closing.push(() => transport.close());
  transport.on('connect', ({ dtlsParameters }, done, failed) => {
    void ask<void>(scope, 'connect', { name, dtlsParameters }, done, failed);
  });
  transport.on('produce', ({ kind, rtpParameters }, done, failed) => {
    void ask(scope, 'produce', { kind, rtpParameters }, done, failed);
  });
  transport.on('producedata', ({ sctpStreamParameters, label, protocol }, done, failed) => {
    void ask(scope, 'produceData', { sctpStreamParameters, label, protocol }, done, failed);
  });
  return transport;
}

function play(track: { readonly kind: string }): void {
  const element = scope.document.createElement(track.kind);
  Object.assign(element, { muted: track.kind === 'video', autoplay: true, srcObject: new scope.MediaStream([track]) });
  scope.document.body.append(element);
  if (track.kind === 'video') players.push(element);
}

/** Sends camera and microphone. */
async function publish({ encodings, codec, ...video }: PageCamera): Promise<Transport> {
  loaded ??= load();
  const device = await loaded;
  const tracks = (await scope.navigator.mediaDevices.getUserMedia({ audio: true, video })).getTracks();
  closing.push(...tracks.map((track) => () => track.stop()));
  const sending = joined(device.createSendTransport(await scope.callServer<TransportOptions>('open', 'send')), 'send');
  const wanted = device.sendRtpCapabilities.codecs?.find(({ mimeType }) => mimeType === codec);
  if (codec !== undefined && wanted === undefined) throw new RangeError(`no ${codec} here`);
  for (const track of tracks) {
    const options = track.kind === 'video' ? { codec: wanted, encodings: encodings?.map((one) => ({ ...one })) } : {};
    producers.push(await sending.produce({ track: track as never, ...options } as never));
  }
  return sending;
}

/** Takes everything there is. */
async function watch(): Promise<Transport> {
  loaded ??= load();
  const device = await loaded;
  const options = await scope.callServer<TransportOptions>('open', 'receive');
  const receiving = joined(device.createRecvTransport(options), 'receive');
  const offers = await scope.callServer<Parameters<Transport['consume']>[0][]>('consume', device.recvRtpCapabilities);
  for (const offer of offers) {
    const consumer = await receiving.consume(offer);
    consumers.push(consumer);
    play(consumer.track);
    await scope.callServer('resume', consumer.id);
  }
  return receiving;
}

/** Sends camera, microphone and a message, and takes everything there is. */
async function run(camera: PageCamera): Promise<void> {
  const channel = await (await publish(camera)).produceData({ label: 'chat' });
  channel.on('open', () => channel.send('from the page'));
  if (channel.readyState === 'open') channel.send('from the page');

  const receiving = await watch();
  const data = await scope.callServer<Parameters<Transport['consumeData']>[0]>('consumeData');
  const dataConsumer: DataConsumer = await receiving.consumeData(data);
  dataConsumer.on('message', (message: unknown) => messages.push(String(message)));
  if (dataConsumer.readyState !== 'open') await new Promise<void>((resolve) => dataConsumer.on('open', resolve));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function statistics(of: Producer | Consumer): Promise<Map<string, Record<string, unknown>>> {
  return (await of.getStats()) as unknown as Map<string, Record<string, unknown>>;
}

function contrastOf(player: PageElement | undefined): number {
  if (player === undefined) return 0;
  canvas ??= scope.document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(player, 0, 0, LOOKED_AT, LOOKED_AT);
  const { data } = context.getImageData(0, 0, LOOKED_AT, LOOKED_AT);
  // Green is most of what is bright.
  const green = data.filter((_, index) => index % 4 === 1);
  return Math.max(...green) - Math.min(...green);
}

async function report(): Promise<PageReport> {
  const totals = { framesDecoded: 0, keyFramesDecoded: 0, frameWidth: 0, frameHeight: 0 };
  const sound = { audioPackets: 0, audioEnergy: 0 };
  let videoCodec = '';
  for (const consumer of consumers) {
    const stats = await statistics(consumer);
    for (const entry of stats.values()) {
      if (entry['type'] !== 'inbound-rtp') continue;
      const number = (name: string): number => Number(entry[name] ?? 0);
      for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += number(name);
      if (entry['kind'] === 'video') videoCodec = textOf(stats.get(textOf(entry['codecId']))?.['mimeType']);
      if (entry['kind'] === 'audio') sound.audioPackets += number('packetsReceived');
      sound.audioEnergy += number('totalAudioEnergy');
    }
  }
  return { ...totals, ...sound, videoCodec, contrast: contrastOf(players[0]), messages };
}

async function sent(): Promise<readonly PageSent[]> {
  const all: PageSent[] = [];
  for (const producer of producers) {
    for (const entry of (await statistics(producer)).values()) {
      if (entry['type'] !== 'outbound-rtp' || entry['kind'] !== 'video') continue;
      all.push({
        rid: textOf(entry['rid']),
        frameWidth: Number(entry['frameWidth'] ?? 0),
        framesEncoded: Number(entry['framesEncoded'] ?? 0),
        scalabilityMode: textOf(entry['scalabilityMode']),
      });
    }
  }
  return all;
}

function close(): void {
  for (const end of closing.splice(0)) end();
}

scope.mediasoupPage = {
  publish: async (camera) => void (await publish(camera)),
  watch: async () => void (await watch()),
  run,
  report,
  sent,
  close,
};
