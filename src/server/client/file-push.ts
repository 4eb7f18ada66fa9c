import { FLV_SCRIPT } from '../../format/flv/flv-codecs.tables.ts';
import type { FlvTag } from '../../format/flv/flv-reader.ts';
import { splitScriptData } from '../../format/flv/flv-script-data.ts';
import { connectError } from '../../io/connect-error.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { sleep } from '../../io/sleep.ts';
import { writeAmf0Values } from '../../protocol/amf/amf0-writer.ts';
import type { RtmpUrl } from '../../protocol/rtmp/stream-url.ts';
import { ResourceError } from '../../wire/errors.ts';
import { flvFileTags } from '../file-source/paced-flv.ts';
import { Pacer } from '../file-source/pacer.ts';
import { shownRtmpUrl } from './media-address.ts';
import { type ClientOptions, FAREWELL_MS, MAX_RTMP_REDIRECTS, RtmpClient, redirectTarget } from './rtmp-client.ts';
import { TagInspector, type TagKind } from './tag-inspector.ts';

/** Waits before the first and later attempts to connect again, milliseconds; the last one stays. */
const RETRY_DELAYS_MS = [500, 1_000, 2_000, 4_000, 8_000] as const;
/** A connection that held this long starts the counts of retries and moves anew, milliseconds. */
const STEADY_MS = 30_000;
/** Asks a server to keep a data message for players to come. */
const SET_DATA_FRAME: Uint8Array = writeAmf0Values(['@setDataFrame']);

export interface FilePushOptions extends ClientOptions {
  /** An FLV file; or the name of `tags`, for messages. */
  readonly path: string;
  /** Tags of a live stream, which come when they are due, instead of those of the file. */
  readonly tags?: AsyncIterable<FlvTag>;
  readonly url: RtmpUrl;
  /** Begin again at the end of the file, until the signal aborts. */
  readonly loop: boolean;
  /** As fast as the server takes it, instead of by the timestamps. */
  readonly fast: boolean;
  /** How often in a row to connect again when the connection is lost or not to be had. */
  readonly retries: number;
}

/** How far a `FilePush` is. */
export interface FilePushProgress {
  readonly state: 'connecting' | 'publishing' | 'waiting to retry';
  /** Media time sent, milliseconds. */
  readonly timeMs: number;
  readonly sentBytes: number;
  /** Audio and video frames. */
  readonly frames: number;
  readonly videoFrames: number;
  readonly bufferedBytes: number;
}

/**
 * Publishes an FLV file to an RTMP server: bodies as they are in the file, metadata to be kept by the server. Follows
 * redirects and requests to reconnect; after a new connection it goes on at the next key frame, where the file stands.
 */
export class FilePush {
  readonly #options: FilePushOptions;
  readonly #inspector = new TagInspector();
  readonly #pacer = new Pacer();
  #client: RtmpClient | undefined;
  /** Where to connect; a server may have sent us on. */
  #url: RtmpUrl;
  #connectedMs = 0;
  #failures = 0;
  #moves = 0;
  #state: FilePushProgress['state'] = 'connecting';
  #timeMs = 0;
  #sentBytes = 0;
  #frames = 0;
  #videoFrames = 0;

  constructor(options: FilePushOptions) {
    this.#options = options;
    this.#url = options.url;
  }

  get progress(): FilePushProgress {
    return {
      state: this.#state,
      timeMs: this.#timeMs,
      sentBytes: this.#sentBytes,
      frames: this.#frames,
      videoFrames: this.#videoFrames,
      bufferedBytes: this.#client?.bufferedBytes ?? 0,
    };
  }

  /**
   * Resolves when the file is published or the signal aborted it, the stream unpublished and the connection closed.
   * @throws ResourceError when the file can't be read or the server can't be used; ProtocolError when the file is no FLV
   */
  async run(): Promise<void> {
    const { signal } = this.#options;
    try {
      await this.#publish();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#client?.close();
    }
  }

  async #publish(): Promise<void> {
    const { path, loop, signal, timeoutMs, tags } = this.#options;
    const fast = this.#options.fast || tags !== undefined;
    let needsEntry = false;
    for await (const tag of tags ?? flvFileTags({ path, loop })) {
      const kind = this.#inspector.inspect(tag);
      // Only now: a file that can't be read must not disturb a server.
      let client = this.#client ?? (await this.#connect());
      if (!fast && !(await this.#pacer.due(tag.timestamp, signal))) break;
      if (signal.aborted) break;
      try {
        if (client.reconnectUrl !== undefined && (client.isOver || kind === 'entry')) {
          client = await this.#move(client, client.reconnectUrl);
          needsEntry = true;
        }
        if (needsEntry && kind === 'entry') {
          this.#sendHead(client, tag);
          needsEntry = false;
        }
        if (!needsEntry) this.#send(client, tag, kind);
        await client.ready(timeoutMs);
      } catch (error) {
        await this.#connectAfter(error);
        needsEntry = true;
      }
    }
    // Who interrupts does not want to wait long.
    await this.#client?.finish(signal.aborted ? Math.min(timeoutMs, FAREWELL_MS) : timeoutMs);
    if (signal.aborted) return;
    if (this.#frames === 0) throw new ResourceError('file/no-media', `${path} has no audio or video in it`);
  }

  /** What a server that knows nothing yet needs before `tag`. */
  #sendHead(client: RtmpClient, tag: FlvTag): void {
    for (const one of this.#inspector.head()) {
      if (one !== tag) this.#write(client, { ...one, timestamp: tag.timestamp });
    }
  }

  #send(client: RtmpClient, tag: FlvTag, kind: TagKind): void {
    this.#write(client, tag);
    this.#timeMs = tag.timestamp;
    if (kind === 'other') return;
    this.#frames++;
    if (tag.typeId === 9) this.#videoFrames++;
  }

  #write(client: RtmpClient, tag: FlvTag): void {
    client.write({
      typeId: tag.typeId,
      timestamp: tag.timestamp >>> 0,
      parts: isPlainMetadata(tag) ? [SET_DATA_FRAME, tag.body] : [tag.body],
    });
    this.#sentBytes += tag.body.length;
  }

  async #connect(): Promise<RtmpClient> {
    try {
      return await this.#open(this.#url);
    } catch (error) {
      return this.#connectAfter(error);
    }
  }

  async #open(url: RtmpUrl): Promise<RtmpClient> {
    this.#state = 'connecting';
    this.#client = await RtmpClient.open({ ...this.#options, mode: 'publish', url });
    this.#connectedMs = nodeClock.nowMs();
    this.#state = 'publishing';
    this.#pacer.restart();
    return this.#client;
  }

  /** Connects again after `error`, or throws the newest error when there are no attempts left. */
  async #connectAfter(error: unknown): Promise<RtmpClient> {
    const { signal, retries } = this.#options;
    this.#countAnew();
    this.#client?.close();
    let newest = error;
    for (;;) {
      if (!(newest instanceof ResourceError) || this.#failures >= retries || signal.aborted) throw newest;
      this.#state = 'waiting to retry';
      const delayMs = RETRY_DELAYS_MS[Math.min(this.#failures, RETRY_DELAYS_MS.length - 1)]!;
      this.#failures++;
      if (!(await sleep(delayMs, signal))) throw newest;
      try {
        return await this.#open(this.#url);
      } catch (failure) {
        newest = failure;
      }
    }
  }

  /** The server asked us to go elsewhere. */
  async #move(client: RtmpClient, target: string): Promise<RtmpClient> {
    this.#countAnew();
    if (++this.#moves > MAX_RTMP_REDIRECTS) {
      throw connectError('connect/too-many-redirects', `${shownRtmpUrl(client.url)} asks to reconnect again and again`);
    }
    this.#url = redirectTarget(client.url, target);
    if (!client.isOver) await client.finish(this.#options.timeoutMs);
    return this.#open(this.#url);
  }

  #countAnew(): void {
    if (nodeClock.nowMs() - this.#connectedMs < STEADY_MS) return;
    this.#failures = 0;
    this.#moves = 0;
  }
}

/** onMetaData as files have it, which a server would only pass on to the players of the moment. */
function isPlainMetadata(tag: FlvTag): boolean {
  if (tag.typeId !== FLV_SCRIPT) return false;
  const script = splitScriptData(tag.body);
  return script?.name === 'onMetaData' && script.message.length === tag.body.length;
}
