import { nodeClock } from '../../io/node-clock.ts';
import { sleep } from '../../io/sleep.ts';
import { FlvIngest } from '../../media/flv-ingest.ts';
import type { Publication } from '../../media/publication.ts';
import type { Stream } from '../../media/stream.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { ResourceError } from '../../wire/errors.ts';
import { openFlvSource } from '../client/flv-source.ts';
import type { MediaAddress } from '../client/media-address.ts';
import type { ClientOptions } from '../client/rtmp-client.ts';
import { flvFileTags } from '../file-source/paced-flv.ts';
import { Pacer } from '../file-source/pacer.ts';
import { createLogger } from '../log/logger.ts';
import { DatagramPacer } from '../rtsp/datagram-pacer.ts';
import type { LiveSessions } from '../rtsp/live-sessions.ts';
import { RELAYED, relayHub, relayPorts } from './relay-hub.ts';
import { RetryCount } from './retry-count.ts';
import { named } from './rtsp-flv-source.ts';
import { RtspPull } from './rtsp-pull.ts';
import { RtspPush } from './rtsp-push.ts';
import { liveSessionsOf } from './rtsp-pushes.ts';

/** So much of a file is read to see what tracks it has, milliseconds. */
const LOOK_MS = 1_000;
/** How long a file may wait for its server, milliseconds: as long as it takes. */
const PATIENCE_MS: number = 24 * 60 * 60 * 1000;
/** How often it is looked whether the server takes the stream, milliseconds. */
const POLL_MS = 20;
/** Tags of a file between two looks whether the server has taken what was sent. */
const FAST_TAGS = 16;

/** What is pushed. */
export type PushSource =
  | { readonly type: 'file'; readonly path: string; readonly loop: boolean; readonly fast: boolean }
  | { readonly type: 'flv'; readonly address: Exclude<MediaAddress, { readonly type: 'file' }> }
  | { readonly type: 'rtsp'; readonly url: RtspUrl };

export interface SourcePushOptions extends ClientOptions {
  readonly source: PushSource;
  readonly url: RtspUrl;
  readonly transport: 'auto' | 'udp' | 'tcp';
  /** How often in a row to connect again when the connection is lost or not to be had. */
  readonly retries: number;
}

/** How far a `SourcePush` is. */
export interface SourcePushProgress {
  readonly state: 'waiting for media' | 'connecting' | 'pushing';
  /** Media time, milliseconds. */
  readonly timeMs: number;
  readonly sentBytes: number;
  readonly frames: number;
  readonly videoFrames: number;
  readonly bufferedBytes: number;
}

/**
 * Publishes a file, or what another server has, to an RTSP server, through a hub of its own. A file waits for the server,
 * also when the connection is lost on the way; it then goes on at the newest key frame.
 */
export class SourcePush {
  readonly #options: SourcePushOptions;
  readonly #hub: StreamHub;
  readonly #stream: Stream;
  readonly #live: LiveSessions;
  readonly #pacer = new DatagramPacer(nodeClock);
  readonly #ports = relayPorts();
  readonly #log = createLogger({ level: 'silent', format: 'json' });
  /** The push is over, or the source has to end for another reason. */
  readonly #over = new AbortController();
  readonly #stop: AbortSignal;
  #push: RtspPush | undefined;
  #failure: Error | undefined;

  constructor(options: SourcePushOptions) {
    this.#options = options;
    const isFile = options.source.type === 'file';
    this.#hub = relayHub({ silenceMs: isFile ? PATIENCE_MS : options.timeoutMs, graceMs: 0 });
    this.#stream = this.#hub.getOrCreate(RELAYED);
    this.#live = liveSessionsOf(this.#hub);
    this.#stop = AbortSignal.any([options.signal, this.#over.signal]);
  }

  get progress(): SourcePushProgress {
    const { log, header, stats } = this.#stream;
    const push = this.#push;
    const waiting = push === undefined ? 'waiting for media' : 'connecting';
    const counts = header.tracks.map((track) => ({ kind: track.kind, frames: stats.of(track).frames }));
    const sum = (kinds: readonly string[]): number =>
      counts.reduce((frames, one) => frames + (kinds.includes(one.kind) ? one.frames : 0), 0);
    return {
      state: push?.isRecording === true ? 'pushing' : waiting,
      timeMs: Math.round((log.at(log.head - 1)?.dtsUs ?? 0) / 1000),
      sentBytes: push?.sentBytes ?? 0,
      frames: sum(['audio', 'video']),
      videoFrames: sum(['video']),
      bufferedBytes: push?.bufferedBytes ?? 0,
    };
  }

  /**
   * Resolves when everything is published or the signal aborted it, and the connection is closed.
   * @throws ResourceError when the source or the server can't be used; ProtocolError when what comes is no FLV
   */
  async run(): Promise<void> {
    const { source, signal } = this.#options;
    try {
      if (source.type === 'rtsp') await this.#relay(source.url);
      else await this.#feed(source);
    } catch (error) {
      this.#failure ??= error as Error;
    } finally {
      // The stream is over by now: what is left goes out, and the session is ended.
      if (signal.aborted || this.#failure !== undefined) await this.#push?.close();
      else await this.#push?.finished;
      this.#hub.close();
      this.#live.close();
      this.#pacer.close();
    }
    if (this.#failure !== undefined && !signal.aborted) throw this.#failure;
  }

  async #relay(url: RtspUrl): Promise<void> {
    const { insecure, transport } = this.#options;
    const pull = new RtspPull({
      hub: this.#hub,
      log: this.#log,
      name: RELAYED,
      url,
      transport,
      insecure,
      ports: relayPorts(),
      mayRetry: () => false,
    });
    let hasBegun = false;
    const pulling = pull.finished.then((error) => {
      const isEnd = hasBegun && (error as { readonly code?: string } | undefined)?.code === 'pull/ended';
      if (error !== undefined && !isEnd) this.#failure ??= named(error, url);
      this.#over.abort();
    });
    try {
      hasBegun = (await this.#stream.whenLive(PATIENCE_MS, this.#stop)) === 'live';
      if (hasBegun) this.#start();
      await until(this.#stop);
    } finally {
      await pull.close();
      await pulling;
    }
  }

  async #feed(source: Exclude<PushSource, { readonly type: 'rtsp' }>): Promise<void> {
    const what = source.type === 'file' ? source.path : source.address.text;
    const publication = this.#stream.publish({ id: 'push', protocol: 'file', remote: what }, () => this.#over.abort());
    try {
      if (source.type === 'file') await this.#feedFile(publication, source);
      else await this.#feedLive(publication, source.address);
      if (!this.#hasMedia && !this.#stop.aborted) {
        throw new ResourceError('file/no-media', `${what} has no audio or video in it`);
      }
      await this.#recording(this.#push ?? this.#start());
      await this.#drained();
    } finally {
      publication.end('unpublished');
    }
  }

  async #feedFile(
    publication: Publication,
    { path, loop, fast }: Extract<PushSource, { readonly type: 'file' }>,
  ): Promise<void> {
    const ingest = new FlvIngest(publication);
    const pacer = new Pacer();
    let tags = 0;
    for await (const tag of flvFileTags({ path, loop })) {
      if (this.#push === undefined && this.#isKnown(tag.timestamp)) this.#start();
      if (this.#push !== undefined) {
        if (!this.#push.isRecording) {
          await this.#recording(this.#push);
          pacer.restart();
        }
        if (!fast) await pacer.due(tag.timestamp, this.#stop);
        else if (++tags % FAST_TAGS === 0) await this.#drained();
      }
      if (this.#stop.aborted) return;
      ingest.push(tag.typeId, tag.timestamp >>> 0, tag.body);
    }
  }

  async #feedLive(publication: Publication, address: MediaAddress): Promise<void> {
    let ingest = new FlvIngest(publication);
    for await (const event of await openFlvSource(address, { ...this.#options, signal: this.#stop })) {
      if (event.type === 'restarted') ingest = new FlvIngest(publication);
      else ingest.push(event.tag.typeId, event.tag.timestamp, event.tag.body);
      if (this.#push === undefined && this.#hasMedia) this.#start();
    }
  }

  get #hasMedia(): boolean {
    return this.#stream.log.head > this.#stream.log.first;
  }

  /** Whether all tracks of a file seem to be there. */
  #isKnown(timeMs: number): boolean {
    const kinds = new Set(this.#stream.header.tracks.map(({ kind }) => kind));
    return (kinds.has('video') && kinds.has('audio')) || (timeMs >= LOOK_MS && this.#hasMedia);
  }

  #start(): RtspPush {
    const { url, transport, insecure, retries } = this.#options;
    const count = new RetryCount(retries);
    const push: RtspPush = new RtspPush({
      log: this.#log,
      stream: this.#stream,
      live: this.#live,
      pacer: this.#pacer,
      url,
      transport,
      insecure,
      ports: this.#ports,
      mayRetry: () => count.mayRetry(push.sentBytes),
    });
    this.#push = push;
    void push.finished.then((error) => {
      if (error !== undefined) this.#failure ??= named(error, url);
      this.#over.abort();
    });
    return push;
  }

  /** Resolves when the server takes the stream, or there is nothing to wait for any more. */
  async #recording(push: RtspPush): Promise<void> {
    while (!push.isRecording && !this.#stop.aborted) await sleep(POLL_MS, this.#stop);
  }

  /** Resolves when the server has been sent what there is. */
  async #drained(): Promise<void> {
    do await sleep(1, this.#stop);
    while ((this.#push?.bufferedBytes ?? 0) > 0 && !this.#stop.aborted);
  }
}

function until(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
