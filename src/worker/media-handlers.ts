import type { HandlerRegistry } from './handler-registry.ts';
import type { RequestHandler } from './request-handler.ts';
import type { WorkerLogger } from './worker-logger.ts';
import type { WorkerSettings } from './worker-settings.ts';

export type { RequestHandler } from './request-handler.ts';

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
