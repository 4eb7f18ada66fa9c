import { cutSoon, endSoon, LINGER_MS } from '../../io/end-soon.ts';
import { GatheredReads } from '../../io/gathered-reads.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { contextId, nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { releaseBytes } from '../../io/release-bytes.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import type { StreamName } from '../../media/stream-name.ts';
import type { AmfValue } from '../../protocol/amf/amf-value.ts';
import type { ConnectRequest } from '../../protocol/rtmp/connect-request.ts';
import { CAPS_EX } from '../../protocol/rtmp/enhanced-rtmp.ts';
import type { PlayEvent, PublishEvent, RtmpServerEvent } from '../../protocol/rtmp/server-events.ts';
import { RtmpServerSession } from '../../protocol/rtmp/server-session.ts';
import { parseStreamUrl, type StreamUrl, withoutMediaExtension } from '../../protocol/rtmp/stream-url.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Logger } from '../log/logger.ts';
import { RtmpPlay } from './rtmp-play.ts';
import { RtmpPublish } from './rtmp-publish.ts';

/** How much longer reads from a publisher may lie apart while nobody watches. */
const UNWATCHED_PAUSE_FACTOR = 3;

export interface RtmpConnectionOptions {
  readonly socket: TcpSocket;
  readonly secure: boolean;
  readonly hub: StreamHub;
  readonly log: Logger;
  readonly configuration: Configuration['rtmp'];
  readonly version: string;
  /** TCP_NODELAY while playing. */
  readonly noDelay: boolean;
  /** Longest time between two reads from a publisher, milliseconds; 0 reads at once. */
  readonly mergeReadMs: number;
  readonly resolveVhost: (asked: string) => string;
  /** The session ended by the peer's fault or a limit (a `RtmpErrorCode` or `rtmp/unread-replies`), or by ours (`rtmp/internal`). */
  readonly onFailed: (code: string) => void;
  /** A publication ended in which `count` messages made no sense, for `reason`. */
  readonly onMalformed: (reason: string, count: number) => void;
  readonly onClosed: () => void;
}

const NO_EVENTS: readonly RtmpServerEvent[] = [];

/** Most bytes of answers that may wait for a client that does not read them; a client's whole session takes some hundreds. */
export const MAX_UNREAD_REPLY_BYTES = 1_048_576;

/** Of what a client says of itself, so much goes into the log. */
const MAX_LOGGED_TEXT_LENGTH = 256;

/** One RTMP client: its socket, its session, and what it publishes and plays, each by message stream. */
export class RtmpConnection {
  readonly #options: RtmpConnectionOptions;
  readonly #socket: TcpSocket;
  readonly #session: RtmpServerSession;
  readonly #log: Logger;
  readonly #id = contextId();
  readonly #remote: string;
  readonly #publishes = new Map<number, RtmpPublish>();
  readonly #plays = new Map<number, RtmpPlay>();
  /** What the session said in one call, and how far it is handled. */
  #events: readonly RtmpServerEvent[] = NO_EVENTS;
  #handled = 0;
  /** Where viewers are served by ticks anyway, a publisher's frames may gather. */
  readonly #reads: GatheredReads | undefined;
  /** Bytes of answers written since the socket was last empty. */
  #unreadReplyBytes = 0;
  #multitrack = false;
  #closed = false;

  constructor(options: RtmpConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#remote = `${options.socket.remoteAddress}:${options.socket.remotePort}`;
    this.#log = options.log.child({
      cid: this.#id,
      protocol: options.secure ? 'rtmps' : 'rtmp',
      remote: this.#remote,
    });
    const { configuration } = options;
    this.#session = new RtmpServerSession({
      crypto: nodeHandshakeCrypto,
      nowMs: nodeClock.nowMs(),
      outChunkSize: configuration.chunk_size,
      windowAckSize: configuration.out_ack_size,
      inAckSize: configuration.in_ack_size,
      maxMessageSizeBytes: configuration.max_message_size,
      handshakeTimeoutMs: configuration.handshake_timeout * 1000,
      connectTimeoutMs: configuration.handshake_timeout * 1000,
      setupTimeoutMs: configuration.handshake_timeout * 1000,
      ...(configuration.ping === 0 ? {} : { pingIntervalMs: configuration.ping * 1000 }),
      pingTimeoutMs: configuration.ping_timeout * 1000,
      serverVersion: options.version,
      // Node makes a new buffer for every read and keeps none; nothing here keeps a view of it beyond the call.
      ownsInput: true,
    });
    const { socket } = options;
    this.#reads = GatheredReads.on(socket, options.mergeReadMs);
    // Commands go back and forth in small packets, each of which would wait for the peer's delayed acknowledgement.
    socket.setNoDelay(true);
    socket.on('data', (read: Buffer) => {
      // As a plain Uint8Array, whose `slice` copies and whose `subarray` is cheaper.
      const bytes = new Uint8Array(read.buffer, read.byteOffset, read.length);
      this.#run(() => this.#session.receive(bytes, nodeClock.nowMs()));
      if (this.#publishes.size > 0) this.#reads?.pauseAfter(read.length, this.#longestPauseMs());
      releaseBytes(bytes);
    });
    socket.on('drain', () => {
      for (const play of this.#plays.values()) play.drained();
    });
    // 'close' follows and does the work; an error without a listener would be thrown.
    socket.on('error', (error) => this.#log.debug({ err: error }, 'socket error'));
    socket.on('end', () => endSoon(socket));
    socket.on('close', () => this.#ended());
    this.#log.debug('connection opened');
  }

  /** Runs what the session has to do by now. */
  checkTimeouts(nowMs: number): void {
    const dueMs = this.#session.nextTimeoutMs();
    if (dueMs !== undefined && dueMs <= nowMs) this.#run(() => this.#session.handleTimeout(nowMs));
  }

  /** Before a shutdown: clients that know Enhanced RTMP's reconnect request may move on without losing the stream. */
  askToReconnect(): void {
    const capsEx = this.#session.connectRequest?.capabilities?.capsEx ?? 0;
    if ((capsEx & CAPS_EX.reconnect) !== 0) {
      this.#run(() => this.#session.requestReconnect(undefined, 'The server is shutting down.'));
    }
  }

  /** The server ends the connection: publishers and players are told what RTMP has words for. Idempotent. */
  close(): void {
    this.#endMediaStreams();
    endSoon(this.#socket);
  }

  /** What nobody watches need not be read as often. */
  #longestPauseMs(): number {
    const { mergeReadMs } = this.#options;
    for (const publish of this.#publishes.values()) if (publish.isWatched) return mergeReadMs;
    return mergeReadMs * UNWATCHED_PAUSE_FACTOR;
  }

  #run(step: () => RtmpServerEvent[]): void {
    // Once the goodbye is said, what still comes changes nothing.
    if (this.#closed || this.#socket.writableEnded) return;
    // Answers to one read leave in one packet.
    this.#socket.cork();
    try {
      this.#perform(step());
    } catch (error) {
      // A mistake of ours that some input brought out: it may cost this session, not the others.
      this.#log.error({ err: error }, 'session ended by a fault in the server');
      this.#options.onFailed('rtmp/internal');
      this.#socket.destroy();
    } finally {
      this.#socket.uncork();
    }
  }

  /**
   * Whether the client has left this message stream already, in the same read, further on: its session is ahead of the
   * event being handled and wants no answer for it any more.
   */
  #hasLeft(messageStreamId: number): boolean {
    for (let i = this.#handled + 1; i < this.#events.length; i++) {
      const event = this.#events[i]!;
      if ((event.type === 'stop' || event.type === 'unpublish') && event.messageStreamId === messageStreamId)
        return true;
    }
    return false;
  }

  #handle(event: RtmpServerEvent): void {
    switch (event.type) {
      case 'send':
        this.#reply(event.bytes);
        break;
      case 'message':
        this.#publishes.get(event.messageStreamId)?.push(event.typeId, event.timestamp, event.payload);
        break;
      case 'connect':
        this.#handleConnect(event.request);
        break;
      case 'publish':
        if (!this.#hasLeft(event.messageStreamId)) this.#handlePublish(event);
        break;
      case 'play':
        if (!this.#hasLeft(event.messageStreamId)) this.#handlePlay(event);
        break;
      case 'unpublish':
        this.#publishes.get(event.messageStreamId)?.end('unpublished');
        this.#publishes.delete(event.messageStreamId);
        break;
      case 'stop':
        this.#plays.get(event.messageStreamId)?.leave();
        this.#plays.delete(event.messageStreamId);
        break;
      case 'pause':
        if (this.#hasLeft(event.messageStreamId)) break;
        this.#perform(this.#session.acceptPause(event.messageStreamId, event.paused));
        this.#plays.get(event.messageStreamId)?.setPaused(event.paused);
        break;
      case 'receive-audio':
        this.#plays.get(event.messageStreamId)?.select({ audio: event.enabled });
        break;
      case 'receive-video':
        this.#plays.get(event.messageStreamId)?.select({ video: event.enabled });
        break;
      case 'end':
        this.#log.info({ reason: event.reason }, 'session ended');
        endSoon(this.#socket);
        break;
      case 'failed':
        this.#fail(event.error.code, event.error.message);
        break;
      default:
      // How the handshake went, seeking and buffer lengths change nothing for a live stream.
    }
  }

  /** Media stop when a client does not read; answers are as many as it asks for, and would pile up. */
  #reply(bytes: Uint8Array): void {
    if (this.#socket.writableLength === 0) this.#unreadReplyBytes = 0;
    this.#unreadReplyBytes += bytes.length;
    this.#socket.write(bytes);
    if (this.#unreadReplyBytes <= MAX_UNREAD_REPLY_BYTES) return;
    this.#options.onFailed('rtmp/unread-replies');
    this.#log.info({ code: 'rtmp/unread-replies' }, 'session ended: the client does not read what it is answered');
    this.#socket.destroy();
  }

  #handleConnect(request: ConnectRequest): void {
    this.#multitrack = ((request.capabilities?.capsEx ?? 0) & CAPS_EX.multitrack) !== 0;
    const url = parseStreamUrl(request.tcUrl, '');
    if (url === undefined) {
      this.#perform(this.#session.rejectConnect('tcUrl must be rtmp://host/app'));
      return;
    }
    const { redirect: redirects } = this.#options.configuration;
    const redirect = Object.hasOwn(redirects, url.app) ? redirects[url.app] : undefined;
    if (redirect !== undefined) {
      this.#perform(this.#session.redirectConnect(redirect));
      return;
    }
    this.#log.info(
      {
        app: url.app,
        vhost: this.#options.resolveVhost(url.vhost),
        flashVer: loggedText(request.flashVer),
        pageUrl: loggedText(withoutQuery(request.pageUrl)),
        swfUrl: loggedText(withoutQuery(request.swfUrl)),
        upstream: loggedText(request.args?.get('srs_id')),
      },
      'connected',
    );
    this.#perform(this.#session.acceptConnect());
  }

  #handlePublish(event: PublishEvent): void {
    const { messageStreamId, publisherKind } = event;
    const stream = this.#options.hub.getOrCreate(this.#streamName(event.url));
    const publish = RtmpPublish.begin({
      stream,
      info: { id: this.#id, protocol: 'rtmp', remote: this.#remote },
      log: this.#log,
      onRevoked: () => this.close(),
      onMalformed: this.#options.onMalformed,
    });
    if (publish instanceof Error) {
      this.#log.info({ stream: stream.key, reason: publish.message }, 'publish refused');
      this.#perform(this.#session.rejectPublish(messageStreamId, 'NetStream.Publish.BadName', publish.message));
      endSoon(this.#socket);
      return;
    }
    this.#publishes.set(messageStreamId, publish);
    this.#log.info({ stream: stream.key, encoder: publisherKind }, 'publishing');
    this.#perform(this.#session.acceptPublish(messageStreamId));
  }

  #handlePlay(event: PlayEvent): void {
    const { messageStreamId, duration } = event;
    const { hub } = this.#options;
    const stream = hub.getOrCreate(this.#streamName(event.url));
    const isComing = stream.state === 'idle' && hub.want(stream.name) > 0;
    if (!this.#options.configuration.idle_streams && stream.state === 'idle' && !isComing) {
      this.#perform(
        this.#session.rejectPlay(messageStreamId, 'NetStream.Play.StreamNotFound', 'nothing is published by this name'),
      );
      return;
    }
    // A player that plays something else on the same message stream leaves what it had.
    this.#plays.get(messageStreamId)?.leave();
    this.#perform(this.#session.acceptPlay(messageStreamId));
    const play = new RtmpPlay({
      stream,
      messageStreamId,
      chunkSize: this.#options.configuration.chunk_size,
      multitrack: this.#multitrack,
      durationMs: duration,
      socket: this.#socket,
      log: this.#log,
      onEnded: (reason) => {
        this.#plays.delete(messageStreamId);
        if (reason === 'stalled' || reason === 'socket-buffer' || reason === 'failed') {
          this.#socket.destroy();
          return;
        }
        if (this.#hasLeft(messageStreamId)) return;
        this.#perform(this.#session.endPlay(messageStreamId, reason === 'duration' ? 'stopped' : 'unpublished'));
        // A player that waited for this stream alone has nothing left to wait for, but perhaps much to read.
        if (this.#plays.size === 0 && this.#publishes.size === 0 && reason !== 'duration') {
          endSoon(this.#socket, LINGER_MS);
        }
      },
    });
    this.#plays.set(messageStreamId, play);
    this.#socket.setNoDelay(this.#options.noDelay);
    this.#log.info({ stream: stream.key, publisher: stream.publisher?.id }, 'playing');
    // After the cork: a socket that holds bytes back looks like a slow one.
    nodeClock.soon(() => play.start());
  }

  /** Does what the session says, now or in answer to something it said before. */
  #perform(events: readonly RtmpServerEvent[]): void {
    const outer = this.#events;
    const outerHandled = this.#handled;
    this.#events = events;
    for (let i = 0; i < events.length && !this.#closed && !this.#socket.destroyed; i++) {
      this.#handled = i;
      this.#handle(events[i]!);
    }
    this.#events = outer;
    this.#handled = outerHandled;
  }

  #streamName(url: StreamUrl): StreamName {
    return { vhost: this.#options.resolveVhost(url.vhost), app: url.app, stream: withoutMediaExtension(url.stream) };
  }

  #fail(code: string, message: string): void {
    this.#options.onFailed(code);
    this.#log.info({ code, reason: message }, 'session ended by an error');
    cutSoon(this.#socket);
  }

  #endMediaStreams(): void {
    for (const publish of this.#publishes.values()) publish.end('lost');
    this.#publishes.clear();
    for (const play of this.#plays.values()) play.leave();
    this.#plays.clear();
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endMediaStreams();
    this.#log.debug(
      { receivedBytes: this.#socket.bytesRead, sentBytes: this.#socket.bytesWritten },
      'connection closed',
    );
    this.#options.onClosed();
  }
}

/** Only text: AMF values may share their parts so that a kilobyte becomes gigabytes when they are written out. */
function loggedText(value: AmfValue): string | undefined {
  return typeof value === 'string' ? value.slice(0, MAX_LOGGED_TEXT_LENGTH) : undefined;
}

/** URLs of pages and players may carry tokens behind the `?`, which have no business in a log. */
function withoutQuery(url: string | undefined): string | undefined {
  return url?.split('?', 1)[0];
}
