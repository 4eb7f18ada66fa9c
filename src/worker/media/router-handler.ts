import type { DatagramSocket } from '../../io/datagram-socket.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { nodeSctpCrypto } from '../../io/sctp-crypto.ts';
import { srtpProvider } from '../../io/srtp-crypto.ts';
import type { DtlsCertificate } from '../../protocol/dtls/dtls-certificate.ts';
import {
  ActiveSpeakerObserver,
  type ActiveSpeakerObserverOptions,
} from '../../sfu/observers/active-speaker-observer.ts';
import { AudioLevelObserver, type AudioLevelObserverOptions } from '../../sfu/observers/audio-level-observer.ts';
import type { SoundObserver } from '../../sfu/observers/sound-observer.ts';
import { Router } from '../../sfu/router.ts';
import { RouterRtpObserver } from '../../sfu/router-rtp-observer.ts';
import { DatagramTransport } from '../../sfu/transports/datagram-transport.ts';
import { DirectTransport } from '../../sfu/transports/direct-transport.ts';
import type { Transport } from '../../sfu/transports/transport.ts';
import { NotFoundError } from '../channel/request-errors.ts';
import type { IncomingRequest } from '../channel/response-channel.ts';
import type { MediaContext, MediaEntity } from '../media-handlers.ts';
import { IcePorts } from './ice-ports.ts';
import { type ListenInfo, MAX_PORT, openUdp, readListenInfo, toTransportSocket } from './listen-sockets.ts';
import { mediaEnvironment } from './media-environment.ts';
import { readSrtpParameters } from './media-parameters.ts';
import { answered, RequestData } from './request-data.ts';
import { MAX_SIZE_BYTES, sctpOf } from './sctp-sizes.ts';
import { unknownMethod } from './stream-handlers.ts';
import { type OwnRequest, TransportHandler } from './transport-handler.ts';
import { openWebRtc, type WebRtcServerHandler } from './webrtc-handler.ts';

/** What a DTLS-less transport is protected with unless control says otherwise. */
const DEFAULT_CRYPTO_SUITE = 'AES_CM_128_HMAC_SHA1_80';
const PIPE_CRYPTO_SUITE = 'AEAD_AES_256_GCM';

/** What routers of a worker share. */
export interface SharedMedia {
  readonly certificate: () => DtlsCertificate;
  /** @throws NotFoundError */
  readonly webRtcServer: (id: string) => WebRtcServerHandler;
  readonly nextPacketId: () => number;
}

/** A router, and the sockets of its transports. */
export class RouterHandler implements MediaEntity {
  readonly #context: MediaContext;
  readonly #router: Router;
  readonly #shared: SharedMedia;
  readonly #transports = new Map<string, TransportHandler>();
  readonly #observers = new Map<string, RouterRtpObserver>();
  #isClosed = false;

  constructor(id: string, context: MediaContext, shared: SharedMedia) {
    this.#context = context;
    this.#shared = shared;
    this.#router = new Router(id, mediaEnvironment(context, shared.nextPacketId));
  }

  request({ method, internal, data }: IncomingRequest): unknown {
    const fields = new RequestData(data);
    const ids = new RequestData(internal);
    switch (method) {
      case 'router.dump':
        return this.#router.dump();
      case 'router.createWebRtcTransport':
        return this.#createWebRtc(ids.text('transportId'), fields);
      case 'router.createPlainTransport':
        return this.#createDatagram('plain', ids.text('transportId'), fields);
      case 'router.createPipeTransport':
        return this.#createDatagram('pipe', ids.text('transportId'), fields);
      case 'router.createDirectTransport':
        return this.#createDirect(ids.text('transportId'), fields);
      case 'router.createAudioLevelObserver':
        return this.#createObserver(
          ids.text('rtpObserverId'),
          new AudioLevelObserver(audioLevelOptions(fields), this.#nowMs()),
        );
      case 'router.createActiveSpeakerObserver':
        return this.#createObserver(
          ids.text('rtpObserverId'),
          new ActiveSpeakerObserver(activeSpeakerOptions(fields), this.#nowMs()),
        );
      case 'router.closeRtpObserver':
        return this.#closeObserver(ids.text('rtpObserverId'));
      case 'router.closeTransport':
        return this.#closeTransport(ids.text('transportId'));
      default:
        throw unknownMethod(method);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const id of this.#transports.keys()) this.#closeTransport(id);
    for (const id of this.#observers.keys()) this.#closeObserver(id);
    this.#router.close();
  }

  async #createDatagram(kind: 'plain' | 'pipe', id: string, fields: RequestData): Promise<object> {
    this.#checkFree(id);
    const info = readListenInfo(fields.object('listenInfo'));
    const hasRtcpPort = kind === 'plain' && !fields.flag('rtcpMux', true);
    const rtcpInfo = fields.has('rtcpListenInfo')
      ? readListenInfo(fields.object('rtcpListenInfo'))
      : { ...info, port: info.port === 0 ? 0 : info.port + 1 };
    const socket = await this.#openUdp(info);
    let rtcpSocket: DatagramSocket | undefined;
    try {
      if (hasRtcpPort) rtcpSocket = await this.#openUdp(rtcpInfo);
      this.#checkFree(id);
      const sctp = sctpOf(fields);
      const suite =
        kind === 'pipe' ? PIPE_CRYPTO_SUITE : (fields.optionalText('srtpCryptoSuite') ?? DEFAULT_CRYPTO_SUITE);
      const transport = new DatagramTransport(
        {
          id,
          kind,
          socket: toTransportSocket(socket, info),
          comedia: kind === 'plain' && fields.flag('comedia', false),
          enableRtx: fields.flag('enableRtx', false),
          srtp: { crypto: srtpProvider().crypto, randomBytes: (size) => nodeHandshakeCrypto.randomBytes(size) },
          sctpCrypto: nodeSctpCrypto,
          ...(rtcpSocket === undefined ? {} : { rtcpSocket: toTransportSocket(rtcpSocket, rtcpInfo) }),
          ...(fields.flag('enableSrtp', false) ? { srtpCryptoSuite: suite } : {}),
          ...(sctp === undefined ? {} : { sctp }),
        },
        this.#router,
      );
      listen(socket, transport, false);
      if (rtcpSocket !== undefined) listen(rtcpSocket, transport, true);
      return this.#add(transport, (method, options) => connectDatagram(transport, method, options));
    } catch (error) {
      await Promise.all([socket.close(), rtcpSocket?.close()]);
      throw error;
    }
  }

  async #createWebRtc(id: string, fields: RequestData): Promise<object> {
    this.#checkFree(id);
    const serverId = fields.optionalText('webRtcServerId');
    const server = serverId === undefined ? undefined : this.#shared.webRtcServer(serverId);
    const { rtcMinPort: min, rtcMaxPort: max } = this.#context.settings;
    const infos = fields.list('listenInfos').map(readListenInfo);
    const ports = server?.ports ?? (await IcePorts.open(infos, { min, max }));
    try {
      this.#checkFree(id);
      const certificate = this.#shared.certificate();
      const onClosed = (): void => {
        if (server === undefined) ports.close();
        else server.remove(id);
      };
      const { transport, own, fragments } = openWebRtc({
        id,
        fields,
        ports,
        certificate,
        router: this.#router,
        onClosed,
      });
      const dump = this.#add(transport, own);
      server?.add(id, fragments, () => this.#closeTransport(id));
      return dump;
    } catch (error) {
      if (server === undefined) ports.close();
      throw error;
    }
  }

  #createDirect(id: string, fields: RequestData): object {
    this.#checkFree(id);
    const maxSendMessageSize = fields.optionalInteger('maxSendMessageSize', MAX_SIZE_BYTES);
    const maxReceiveMessageSize = fields.optionalInteger('maxReceiveMessageSize', MAX_SIZE_BYTES);
    const transport = new DirectTransport(
      {
        id,
        ...(maxSendMessageSize === undefined ? {} : { maxSendMessageSize }),
        ...(maxReceiveMessageSize === undefined ? {} : { maxReceiveMessageSize }),
      },
      this.#router,
    );
    return this.#add(transport, (method) => (method === 'transport.connect' ? { answer: {} } : undefined));
  }

  #nowMs(): number {
    return this.#router.environment.clock.nowMs();
  }

  #createObserver(id: string, sound: SoundObserver): void {
    this.#checkFree(id);
    const observer = new RouterRtpObserver(id, sound, this.#router.environment);
    this.#router.addObserver(observer);
    this.#observers.set(id, observer);
    this.#context.registry.register(id, {
      request: ({ method, data }) => answered(() => this.#askObserver(observer, method, new RequestData(data))),
    });
  }

  #askObserver(observer: RouterRtpObserver, method: string, fields: RequestData): unknown {
    switch (method) {
      case 'rtpObserver.pause':
        return observer.pause();
      case 'rtpObserver.resume':
        return observer.resume();
      case 'rtpObserver.addProducer':
        return observer.addProducer(this.#router.producer(fields.text('producerId')));
      case 'rtpObserver.removeProducer':
        return observer.removeProducer(this.#router.producer(fields.text('producerId')));
      default:
        throw unknownMethod(method);
    }
  }

  #closeObserver(id: string): void {
    const observer = this.#observers.get(id);
    if (observer === undefined) throw new NotFoundError(`there is no RTP observer with id "${id}"`);
    this.#observers.delete(id);
    this.#context.registry.unregister(id);
    this.#router.closeObserver(observer);
  }

  #add(transport: Transport, own: OwnRequest): object {
    const handler = new TransportHandler(transport, this.#context, own);
    this.#context.registry.register(transport.id, handler);
    this.#transports.set(transport.id, handler);
    return transport.dump();
  }

  #closeTransport(id: string): void {
    const handler = this.#transports.get(id);
    if (handler === undefined) throw new NotFoundError(`there is no transport with id "${id}"`);
    this.#transports.delete(id);
    this.#context.registry.unregister(id);
    handler.close();
  }

  #checkFree(id: string): void {
    if (this.#isClosed) throw new NotFoundError('the router is closed');
    if (this.#context.registry.has(id)) throw new TypeError(`an entity with id "${id}" exists already`);
  }

  #openUdp(info: ListenInfo): Promise<DatagramSocket> {
    const { rtcMinPort: min, rtcMaxPort: max } = this.#context.settings;
    return openUdp(info, { min, max });
  }
}

function audioLevelOptions(fields: RequestData): AudioLevelObserverOptions {
  const maxEntries = fields.number('maxEntries', { least: 1 });
  const threshold = fields.number('threshold', { least: -127, most: 0 });
  const interval = fields.number('interval');
  return {
    ...(maxEntries === undefined ? {} : { maxEntries }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(interval === undefined ? {} : { interval }),
  };
}

function activeSpeakerOptions(fields: RequestData): ActiveSpeakerObserverOptions {
  const interval = fields.number('interval');
  return interval === undefined ? {} : { interval };
}

function listen(socket: DatagramSocket, transport: DatagramTransport, isRtcpSocket: boolean): void {
  socket.onPacket = (bytes, start, end, source) => transport.receiveDatagram(bytes, start, end, source, isRtcpSocket);
}

function connectDatagram(
  transport: DatagramTransport,
  method: string,
  fields: RequestData,
): { readonly answer: unknown } | undefined {
  if (method !== 'transport.connect') return undefined;
  const portOf = (name: string): number | undefined => fields.optionalInteger(name, MAX_PORT, 1);
  const [ip, port, rtcpPort] = [fields.optionalText('ip'), portOf('port'), portOf('rtcpPort')];
  const srtpParameters = readSrtpParameters(fields);
  transport.connect({
    ...(ip === undefined ? {} : { ip }),
    ...(port === undefined ? {} : { port }),
    ...(rtcpPort === undefined ? {} : { rtcpPort }),
    ...(srtpParameters === undefined ? {} : { srtpParameters }),
  });
  const { tuple, rtcpTuple, srtpParameters: own } = transport;
  return {
    answer: {
      tuple,
      ...(rtcpTuple === undefined ? {} : { rtcpTuple }),
      ...(own === undefined ? {} : { srtpParameters: own }),
    },
  };
}
