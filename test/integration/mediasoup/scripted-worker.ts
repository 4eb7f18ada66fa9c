import { Channel } from '../../../src/mediasoup/channel.ts';
import { generateRouterRtpCapabilities } from '../../../src/mediasoup/ortc.ts';
import { RouterImpl } from '../../../src/mediasoup/router.ts';
import type { RouterRtpCodecCapability } from '../../../src/mediasoup/types.ts';
import { memoryChannel } from '../../../src/worker/channel/memory-pipe.ts';
import { type IncomingRequest, ResponseChannel } from '../../../src/worker/channel/response-channel.ts';

/** One turn of the event loop, and the next: notifications come in a later one than they are sent in. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise((resolve) => setImmediate(resolve));
}

export const mediaCodecs: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
];

const sctpParameters = {
  port: 5000,
  OS: 65535,
  MIS: 65535,
  maxMessageSize: 262144,
  maxSendMessageSize: 262144,
  maxReceiveMessageSize: 262144,
  sendBufferSize: 2000000,
  perStreamSendQueueLimit: 2000000,
  maxReceiverWindowBufferSize: 5242880,
  isDataChannel: true,
};

/** A worker whose answers are made up: it keeps what it was asked, and says what tests want. */
export class ScriptedWorker {
  readonly requests: IncomingRequest[] = [];
  readonly commands: IncomingRequest[] = [];
  /** Overrides by method. */
  readonly answers = new Map<string, (request: IncomingRequest) => unknown>();
  readonly channel: Channel;
  readonly #channel: ResponseChannel;
  #nextPort = 40000;

  constructor() {
    const pipes = memoryChannel();
    this.#channel = new ResponseChannel({
      pipes: pipes.worker,
      onRequest: (request) => this.#answer(request),
      onCommand: (command) => this.commands.push(command),
      onEnd: () => undefined,
    });
    this.channel = new Channel(pipes.control, () => 1);
  }

  router(id = 'router'): RouterImpl {
    return new RouterImpl({
      channel: this.channel,
      internal: { routerId: id },
      id,
      appData: undefined,
      rtpCapabilities: generateRouterRtpCapabilities(mediaCodecs),
    });
  }

  /** Data of the last request by this name. */
  last(method: string): Record<string, unknown> {
    return this.requests.findLast((request) => request.method === method)?.data as Record<string, unknown>;
  }

  /** Names of the requests, in order. */
  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  /** Sends a notification and waits until it has been heard. */
  async notify(id: string, event: string, data?: unknown, payload?: Uint8Array): Promise<void> {
    this.#channel.notify(id, event, data, payload);
    await turns();
  }

  #answer(request: IncomingRequest): unknown {
    this.requests.push(request);
    const made = this.answers.get(request.method);
    return made === undefined ? this.#standard(request) : made(request);
  }

  #standard({ method, internal, data }: IncomingRequest): unknown {
    const settings = (data ?? {}) as Record<string, unknown>;
    const base = {
      id: internal['transportId'],
      ...(settings['enableSctp'] === true ? { sctpParameters, sctpState: 'new' } : {}),
    };
    const srtp = { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: Buffer.alloc(44).toString('base64') };
    switch (method) {
      case 'router.createWebRtcTransport':
        return {
          ...base,
          iceRole: 'controlled',
          iceParameters: { usernameFragment: 'u', password: 'p', iceLite: true },
          iceCandidates: [
            { foundation: 'udpcandidate', priority: 1, address: '127.0.0.1', protocol: 'udp', port: 1, type: 'host' },
          ],
          iceState: 'new',
          dtlsParameters: { role: 'auto', fingerprints: [{ algorithm: 'sha-256', value: 'AA' }] },
          dtlsState: 'new',
        };
      case 'router.createPlainTransport':
      case 'router.createPipeTransport':
        return {
          ...base,
          rtx: settings['enableRtx'],
          rtcpMux: settings['rtcpMux'],
          comedia: settings['comedia'],
          // Piping waits for it.
          ...(method === 'router.createPipeTransport' && settings['enableSctp'] === true
            ? { sctpState: 'connected' }
            : {}),
          tuple: { localAddress: '127.0.0.1', localPort: this.#nextPort++, protocol: 'udp' },
          ...(settings['enableSrtp'] === true ? { srtpParameters: srtp } : {}),
        };
      case 'router.createDirectTransport':
        return base;
      case 'transport.connect':
        return { dtlsLocalRole: 'server' };
      case 'transport.restartIce':
        return { iceParameters: { usernameFragment: 'u2', password: 'p2', iceLite: true } };
      case 'transport.produce': {
        const { encodings } = settings['rtpParameters'] as { encodings: unknown[] };
        return { type: encodings.length > 1 ? 'simulcast' : 'simple' };
      }
      case 'transport.consume':
        return { paused: settings['paused'], producerPaused: false };
      case 'consumer.setPreferredLayers':
        return { preferredLayers: settings };
      case 'consumer.setPriority':
        return settings;
      case 'dataConsumer.setSubchannels':
        return settings;
      case 'dataConsumer.addSubchannel':
        return { subchannels: [1, settings['subchannel']] };
      case 'dataConsumer.removeSubchannel':
        return { subchannels: [] };
      case 'dataConsumer.getBufferedAmount':
      case 'dataConsumer.send':
        return { bufferedAmount: 77 };
      default:
        return undefined;
    }
  }
}

/** Writes down every event of an emitter. */
export function record(diary: string[], name: string, emitter: object, events: readonly string[]): void {
  const target = emitter as { on(event: string, listener: () => void): void };
  for (const event of events) target.on(event, () => diary.push(`${name} ${event}`));
}
