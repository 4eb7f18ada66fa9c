import type { IncomingRequest } from './channel/response-channel.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import type { WorkerLogger } from './worker-logger.ts';
import type { WorkerSettings } from './worker-settings.ts';

/**
 * Answers what is asked of one entity (router, transport, producer …). `request.method` keeps its prefix:
 * `transport.produce`. Throws, or rejects, with TypeError for wrong data, UnsupportedError, NotFoundError for entities named in
 * `data` that do not exist, any other Error else.
 */
export interface RequestHandler {
  /** @returns the data of the answer, or a promise of it; `undefined` for none */
  request(request: IncomingRequest): unknown;
  /** What is not answered: `producer.send`, `transport.sendRtcp`, `dataProducer.send`, with their payload. */
  command?(command: IncomingRequest): void;
}

/** An entity the worker itself creates and closes: a router or a WebRTC server. `close` is idempotent. */
export interface MediaEntity extends RequestHandler {
  close(): void;
}

/** What the media side gets from its worker. */
export interface MediaContext {
  readonly settings: WorkerSettings;
  /**
   * Where every entity below a router registers itself under its id while it lives (transports, producers, consumers, data
   * producers, data consumers, RTP observers). The worker registers routers and WebRTC servers.
   */
  readonly registry: HandlerRegistry;
  readonly logger: WorkerLogger;
  /** Tells the control side: `('<transport id>', 'icestatechange', { iceState })`. `payload` must not be changed any more. */
  notify(targetId: string, event: string, data?: unknown, payload?: Uint8Array): void;
}

/** The media side of a worker: what makes routers and WebRTC servers. */
export interface MediaHandlers {
  createRouter(routerId: string): MediaEntity | Promise<MediaEntity>;
  /** `data` is what `worker.createWebRtcServer` was sent with: `{ webRtcServerId, listenInfos }`. */
  createWebRtcServer(webRtcServerId: string, data: unknown): MediaEntity | Promise<MediaEntity>;
  /** After routers and servers were closed, once. */
  close(): void;
}

/** Makes the media side of one worker. */
export type MediaHandlersFactory = (context: MediaContext) => MediaHandlers;
