/**
 * What an application of mediasoup has in its page: `mediasoup-client` with a sending and a receiving transport. It is
 * bundled and sent to a browser; there are no types of browsers here, so what is used of them is written here.
 */
import { Device } from 'mediasoup-client';
import type { Consumer, DataConsumer, Transport, TransportOptions } from 'mediasoup-client/types';

/** What a page has seen of what it consumes. */
export interface PageReport {
  readonly framesDecoded: number;
  /** Of the last picture, pixels. */
  readonly frameWidth: number;
  readonly audioPackets: number;
  readonly audioEnergy: number;
  readonly messages: readonly string[];
}

/** What a page sends of its camera. */
export interface PageCamera {
  /** Pixels, and frames a second. */
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** With more than one, simulcast. */
  readonly encodings?: { scaleResolutionDownBy: number; maxBitrate: number }[];
}

/** Of the page's global scope. */
interface PageScope {
  /** Asks the application's server. */
  callServer<T>(method: string, data?: unknown): Promise<T>;
  navigator: { mediaDevices: { getUserMedia(constraints: object): Promise<{ getTracks(): PageTrack[] }> } };
  document: { createElement(name: string): Record<string, unknown>; body: { append(element: unknown): void } };
  MediaStream: new (tracks: readonly unknown[]) => unknown;
  mediasoupPage: { run(camera: PageCamera): Promise<void>; report(): Promise<PageReport>; close(): void };
}

interface PageTrack {
  readonly kind: string;
  stop(): void;
}

const scope = globalThis as unknown as PageScope;
const messages: string[] = [];
const consumers: Consumer[] = [];
const closing: (() => void)[] = [];

/** Asks the server for what the library asks the application for. */
async function ask<T>(
  method: string,
  data: object,
  done: (answer: T) => void,
  failed: (error: Error) => void,
): Promise<void> {
  let answer: T;
  try {
    answer = await scope.callServer<T>(method, data);
  } catch (error) {
    failed(error as Error);
    return;
  }
  done(answer);
}

function joined(transport: Transport, name: 'send' | 'receive'): Transport {
  closing.push(() => transport.close());
  transport.on('connect', ({ dtlsParameters }, done, failed) => {
    void ask<void>('connect', { name, dtlsParameters }, done, failed);
  });
  transport.on('produce', ({ kind, rtpParameters }, done, failed) => {
    void ask('produce', { kind, rtpParameters }, done, failed);
  });
  transport.on('producedata', ({ sctpStreamParameters, label, protocol }, done, failed) => {
    void ask('produceData', { sctpStreamParameters, label, protocol }, done, failed);
  });
  return transport;
}

function play(track: { readonly kind: string }): void {
  const element = scope.document.createElement(track.kind);
  Object.assign(element, { muted: track.kind === 'video', autoplay: true, srcObject: new scope.MediaStream([track]) });
  scope.document.body.append(element);
}

/** Sends camera, microphone and a message, and takes everything there is. */
async function run({ encodings, ...video }: PageCamera): Promise<void> {
  const device = await Device.factory();
  await device.load({ routerRtpCapabilities: await scope.callServer('capabilities') });
  const tracks = (await scope.navigator.mediaDevices.getUserMedia({ audio: true, video })).getTracks();
  closing.push(...tracks.map((track) => () => track.stop()));
  const sending = joined(device.createSendTransport(await scope.callServer<TransportOptions>('open', 'send')), 'send');
  for (const track of tracks) await sending.produce({ track, ...(track.kind === 'video' && { encodings }) });
  const channel = await sending.produceData({ label: 'chat' });
  channel.on('open', () => channel.send('from the page'));
  if (channel.readyState === 'open') channel.send('from the page');

  const options = await scope.callServer<TransportOptions>('open', 'receive');
  const receiving = joined(device.createRecvTransport(options), 'receive');
  const offers = await scope.callServer<Parameters<Transport['consume']>[0][]>('consume', device.recvRtpCapabilities);
  for (const offer of offers) {
    const consumer = await receiving.consume(offer);
    consumers.push(consumer);
    play(consumer.track);
    await scope.callServer('resume', consumer.id);
  }
  const data = await scope.callServer<Parameters<Transport['consumeData']>[0]>('consumeData');
  const dataConsumer: DataConsumer = await receiving.consumeData(data);
  dataConsumer.on('message', (message: unknown) => messages.push(String(message)));
  if (dataConsumer.readyState !== 'open') await new Promise<void>((resolve) => dataConsumer.on('open', resolve));
}

async function report(): Promise<PageReport> {
  const totals = { framesDecoded: 0, frameWidth: 0, audioPackets: 0, audioEnergy: 0 };
  for (const consumer of consumers) {
    const stats = (await consumer.getStats()) as Map<string, Record<string, unknown>>;
    for (const entry of stats.values()) {
      if (entry['type'] !== 'inbound-rtp') continue;
      totals.framesDecoded += Number(entry['framesDecoded'] ?? 0);
      totals.frameWidth += Number(entry['frameWidth'] ?? 0);
      if (entry['kind'] === 'audio') totals.audioPackets += Number(entry['packetsReceived'] ?? 0);
      totals.audioEnergy += Number(entry['totalAudioEnergy'] ?? 0);
    }
  }
  return { ...totals, messages };
}

function close(): void {
  for (const end of closing.splice(0)) end();
}

scope.mediasoupPage = { run, report, close };
