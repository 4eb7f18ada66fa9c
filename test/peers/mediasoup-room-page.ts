/**
 * A page with as many transports of `mediasoup-client` as a test wants, each with a name that the test's server knows too.
 * It is bundled and sent to a browser; there are no types of browsers here, so what is used of them is written here.
 */
import { Device } from 'mediasoup-client';
import type {
  Consumer,
  DataConsumer,
  DataProducer,
  Producer,
  Transport,
  TransportOptions,
} from 'mediasoup-client/types';
import { bytePattern, seedOf } from './byte-pattern.ts';
import { ask, type ServerScope } from './mediasoup-server-calls.ts';

/** What a page sends: a picture of noise, which takes the bits it may take. */
export interface RoomCamera {
  /** Pixels, and frames a second. */
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** With more than one, simulcast. */
  readonly encodings: readonly {
    readonly scaleResolutionDownBy?: number;
    readonly maxBitrate: number;
    readonly scalabilityMode?: string;
  }[];
}

/** What a page has seen of the video of one transport. */
export interface RoomView {
  /** Undefined before the first packet, as all of these. */
  readonly framesDecoded?: number;
  readonly framesDropped: number;
  readonly freezeCount: number;
  readonly totalFreezesDuration: number;
  /** Of the last picture, pixels. */
  readonly frameWidth: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly bytesReceived: number;
  readonly retransmittedPacketsReceived: number;
  readonly nackCount: number;
  readonly pliCount: number;
}

/** What a page has sent of its video. */
export interface RoomSource {
  readonly framesEncoded: number;
  readonly bytesSent: number;
  readonly retransmittedPacketsSent: number;
  readonly nackCount: number;
}

/** A pair of candidates of ICE. */
export interface RoomPair {
  readonly id: string;
  readonly responsesReceived: number;
}

/** How messages of a page go. */
export interface RoomChannel {
  readonly ordered: boolean;
  readonly maxRetransmits?: number;
}

/** Of the page's global scope. */
interface PageScope extends ServerScope {
  document: { createElement(name: string): PageElement; body: { append(element: unknown): void } };
  ImageData: new (pixels: Uint8ClampedArray, width: number, height: number) => unknown;
  MediaStream: new (tracks: readonly unknown[]) => unknown;
  setInterval(run: () => void, delayMs: number): number;
  clearInterval(timer: number): void;
  crypto: { getRandomValues(bytes: Uint8Array): void };
  room: object;
}

/** A canvas or a player. */
interface PageElement {
  width: number;
  height: number;
  getContext(name: string): {
    putImageData(image: unknown, x: number, y: number): void;
    drawImage(...of: unknown[]): void;
  };
  captureStream(frameRate: number): { getVideoTracks(): PageTrack[] };
}

type PageTrack = Parameters<typeof Object.assign>[0] & { readonly kind: string; stop(): void };

const scope = globalThis as unknown as PageScope;
const transports = new Map<string, Transport>();
const producers = new Map<string, Producer>();
const consumers = new Map<string, Consumer>();
const channels = new Map<string, DataProducer>();
const received = new Map<string, Uint8Array[]>();
const closing: (() => void)[] = [];
let device: Device;

/** Noise in blocks of eight pixels has so many. */
const BLOCK = 8;

/** A transport by a name. */
async function open(name: string, direction: 'send' | 'receive'): Promise<void> {
  if (device === undefined) {
    device = await Device.factory();
    await device.load({ routerRtpCapabilities: await scope.callServer('capabilities') });
  }
  const options = await scope.callServer<TransportOptions>('open', name);
  const transport = direction === 'send' ? device.createSendTransport(options) : device.createRecvTransport(options);
  closing.push(() => transport.close());
  transports.set(name, transport);
  transport.on('connect', ({ dtlsParameters }, done, failed) => {
    void ask<void>(scope, 'connect', { name, dtlsParameters }, done, failed);
  });
  transport.on('produce', ({ kind, rtpParameters }, done, failed) => {
    void ask(scope, 'produce', { name, kind, rtpParameters }, done, failed);
  });
  transport.on('producedata', ({ sctpStreamParameters, label, protocol }, done, failed) => {
    void ask(scope, 'produceData', { name, sctpStreamParameters, label, protocol }, done, failed);
  });
}

function noise({ width, height, frameRate }: RoomCamera): PageTrack {
  const canvas = scope.document.createElement('canvas');
  const small = scope.document.createElement('canvas');
  Object.assign(canvas, { width, height });
  Object.assign(small, { width: width / BLOCK, height: height / BLOCK });
  const pixels = new Uint8ClampedArray((4 * width * height) / BLOCK ** 2);
  const [context, smallContext] = [canvas.getContext('2d'), small.getContext('2d')];
  const timer = scope.setInterval(() => {
    for (let i = 0; i < pixels.length; i++) pixels[i] = i % 4 === 3 ? 255 : Math.random() * 256;
    smallContext.putImageData(new scope.ImageData(pixels, small.width, small.height), 0, 0);
    context.drawImage(small, 0, 0, width, height);
  }, 1000 / frameRate);
  closing.push(() => scope.clearInterval(timer));
  return canvas.captureStream(frameRate).getVideoTracks()[0]!;
}

/** Sends a camera by the transport of a name. */
async function publish(name: string, camera: RoomCamera): Promise<void> {
  const options = {
    track: noise(camera) as never,
    encodings: camera.encodings.map((encoding) => ({ ...encoding })),
    codecOptions: { videoGoogleStartBitrate: 1000 },
  };
  producers.set(name, await transports.get(name)!.produce(options));
}

/** Plays what there is at the transport of a name. */
async function watch(name: string): Promise<void> {
  const offer = await scope.callServer<Parameters<Transport['consume']>[0]>('consume', {
    name,
    rtpCapabilities: device.recvRtpCapabilities,
  });
  const consumer = await transports.get(name)!.consume(offer);
  consumers.set(name, consumer);
  const element = scope.document.createElement('video');
  const srcObject = new scope.MediaStream([consumer.track]);
  Object.assign(element, { muted: true, autoplay: true, srcObject });
  scope.document.body.append(element);
  await scope.callServer('resume', name);
}

async function statistics(of: Producer | Consumer, type: string): Promise<Record<string, number>> {
  const totals: Record<string, number> = {};
  const stats = (await of.getStats()) as Map<string, Record<string, unknown>>;
  for (const entry of stats.values()) {
    if (entry['type'] !== type) continue;
    for (const [key, value] of Object.entries(entry)) {
      if (typeof value === 'number') totals[key] = (totals[key] ?? 0) + value;
    }
  }
  return totals;
}

/** The pair of candidates that is used. */
async function pair(name: string): Promise<object | undefined> {
  const stats = (await transports.get(name)!.getStats()) as Map<
    string,
    { type: string; selectedCandidatePairId: string }
  >;
  const transport = [...stats.values()].find(({ type }) => type === 'transport');
  return transport && stats.get(transport.selectedCandidatePairId);
}

const seen = (name: string): Promise<object> => statistics(consumers.get(name)!, 'inbound-rtp');
const sent = (name: string): Promise<object> => statistics(producers.get(name)!, 'outbound-rtp');

/** New credentials for the transport of a name. */
async function restartIce(name: string): Promise<void> {
  await transports.get(name)!.restartIce({ iceParameters: await scope.callServer('restartIce', name) });
}

/** A channel for messages to the server. */
async function openChannel(name: string, channel: string, options: RoomChannel): Promise<void> {
  const producer = await transports.get(name)!.produceData({ ...options, label: channel });
  channels.set(channel, producer);
  if (producer.readyState !== 'open') await new Promise<void>((resolve) => producer.on('open', resolve));
}

/** Sends so many bytes of a pattern. */
function sendBytes(channel: string, sizeBytes: number, seed: number): void {
  channels.get(channel)!.send(bytePattern(sizeBytes, seed) as never);
}

/** Takes what is sent by the server's data producer of a label. */
async function listen(name: string, label: string, channel: RoomChannel): Promise<void> {
  const offer = await scope.callServer<Parameters<Transport['consumeData']>[0]>('consumeData', {
    name,
    label,
    ...channel,
  });
  const consumer: DataConsumer = await transports.get(name)!.consumeData(offer);
  received.set(label, []);
  consumer.binaryType = 'arraybuffer';
  consumer.on('message', (message: unknown) => {
    received.get(label)!.push(new Uint8Array(message as ArrayBuffer));
  });
  if (consumer.readyState !== 'open') await new Promise<void>((resolve) => consumer.on('open', resolve));
}

/** What came by a label: seed and size of each, in order. */
function heard(label: string): number[][] {
  return received.get(label)!.map((bytes) => [seedOf(bytes), bytes.length]);
}

function close(): void {
  for (const end of closing.splice(0)) end();
}

scope.room = { open, publish, watch, seen, sent, pair, restartIce, openChannel, sendBytes, listen, heard, close };
