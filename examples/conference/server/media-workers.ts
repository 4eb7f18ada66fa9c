/** The media workers: one process for each core, each with one UDP and TCP port for all of its rooms. */
import * as mediasoup from 'millrace/mediasoup';
import { Refusal } from './refusal.ts';

export interface MediaWorkersOptions {
  readonly count: number;
  /** Addresses to take media on; `announcedAddress` is what browsers are told in place of it. */
  readonly ips: readonly { readonly ip: string; readonly announcedAddress?: string | undefined }[];
  /** Of the first worker; the others take the ports after it. Without, any that is free. */
  readonly firstPort?: number | undefined;
  readonly log: (line: string) => void;
}

export interface MediaWorker {
  readonly worker: mediasoup.types.Worker;
  readonly webRtcServer: mediasoup.types.WebRtcServer;
  readonly routers: Set<mediasoup.types.Router>;
}

/** How long after a death the next worker starts, milliseconds; doubled each time that one cannot be started. */
const RESTART_MS = 200;
const LONGEST_RESTART_MS = 10_000;

const MEDIA_CODECS: mediasoup.types.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  {
    kind: 'video',
    mimeType: 'video/H264',
    clockRate: 90_000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  },
];

/** Starts workers, replaces those that die, and gives each new room to the one with the fewest. */
export class MediaWorkers {
  readonly #options: MediaWorkersOptions;
  readonly #workers = new Map<number, MediaWorker>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #closed = false;

  private constructor(options: MediaWorkersOptions) {
    this.#options = options;
  }

  static async start(options: MediaWorkersOptions): Promise<MediaWorkers> {
    const workers = new MediaWorkers(options);
    try {
      await Promise.all(Array.from({ length: options.count }, (_, index) => workers.#start(index)));
    } catch (error) {
      workers.close();
      throw error;
    }
    return workers;
  }

  /** @throws Refusal `no-worker` while all of them are being replaced */
  async createRouter(): Promise<{ router: mediasoup.types.Router; webRtcServer: mediasoup.types.WebRtcServer }> {
    const [idlest] = [...this.#workers.values()].sort((a, b) => a.routers.size - b.routers.size);
    if (idlest === undefined) throw new Refusal('no-worker', 'The server is starting its media workers anew.');
    const router = await idlest.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    idlest.routers.add(router);
    router.observer.on('close', () => idlest.routers.delete(router));
    return { router, webRtcServer: idlest.webRtcServer };
  }

  close(): void {
    this.#closed = true;
    for (const restart of this.#restarts) clearTimeout(restart);
    for (const { worker } of this.#workers.values()) worker.close();
    this.#workers.clear();
  }

  async #start(index: number): Promise<void> {
    const { ips, firstPort, log } = this.#options;
    const worker = await mediasoup.createWorker({ logLevel: 'warn' });
    let webRtcServer: mediasoup.types.WebRtcServer;
    try {
      const place = firstPort === undefined ? {} : { port: firstPort + index };
      webRtcServer = await worker.createWebRtcServer({
        listenInfos: ips.flatMap(({ ip, announcedAddress }) =>
          (['udp', 'tcp'] as const).map((protocol) => ({
            protocol,
            ip,
            ...place,
            ...(announcedAddress !== undefined && { announcedAddress }),
          })),
        ),
      });
    } catch (error) {
      worker.close();
      throw error;
    }
    if (this.#closed) return worker.close();
    this.#workers.set(index, { worker, webRtcServer, routers: new Set() });
    worker.on('died', (error) => {
      log(`media worker ${index + 1} died: ${error.message}`);
      this.#workers.delete(index);
      this.#restart(index, RESTART_MS);
    });
    log(`media worker ${index + 1} is running (process ${worker.pid})`);
  }

  #restart(index: number, delayMs: number): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#start(index).catch((error: unknown) => {
        this.#options.log(`media worker ${index + 1} cannot be started: ${String(error)}`);
        this.#restart(index, Math.min(2 * delayMs, LONGEST_RESTART_MS));
      });
    }, delayMs);
    this.#restarts.add(timer);
  }
}
