import { endSoon, LINGER_MS } from '../../io/end-soon.ts';
import type { HttpRequest, HttpResponse, UpgradeSocket } from '../../io/http-listener.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { WebSocketAcceptor } from '../../io/web-socket.ts';
import type { StreamViewer } from '../../media/audience.ts';
import type { ContainerWriter } from '../../media/container-writer.ts';
import { AdtsContainerWriter, Mp3ContainerWriter } from '../../media/renditions/audio-rendition.ts';
import { FlvContainerWriter } from '../../media/renditions/flv-rendition.ts';
import { TsContainerWriter } from '../../media/renditions/ts-rendition.ts';
import { SETTLE_MS, type Stream } from '../../media/stream.ts';
import type { TrackSelection } from '../../media/stream-header.ts';
import type { StreamHub } from '../../media/stream-hub.ts';
import { streamKey } from '../../media/stream-name.ts';
import { RAW_FRAMING, type ViewerCloseReason, type ViewerSink } from '../../media/viewer.ts';
import { answerText, type HttpService } from '../http/http-server.ts';
import type { Logger } from '../log/logger.ts';
import { sessionLogger } from '../log/logger.ts';
import { CHUNKED_FRAMING } from './http-framing.ts';
import { type HttpContainer, parseStreamRequest, type StreamRequest } from './stream-request.ts';

const CONTENT_TYPES: Readonly<Record<HttpContainer, string>> = {
  flv: 'video/x-flv',
  ts: 'video/mp2t',
  aac: 'audio/aac',
  mp3: 'audio/mpeg',
};

export interface HttpStreamServiceOptions {
  readonly hub: StreamHub;
  readonly log: Logger;
  /** Longest `?wait=`, seconds. */
  readonly maxWaitSeconds: number;
  /** The virtual host a name asked for stands for. */
  readonly resolveVhost: (asked: string | undefined) => string;
}

/** Live streams over HTTP and WebSocket: `/app/stream.flv`, `.ts`, `.aac`, `.mp3`. */
export class HttpStreamService implements HttpService {
  readonly #hub: StreamHub;
  readonly #log: Logger;
  readonly #maxWaitSeconds: number;
  readonly #resolveVhost: (asked: string | undefined) => string;
  readonly #webSockets = new WebSocketAcceptor();

  constructor(options: HttpStreamServiceOptions) {
    this.#hub = options.hub;
    this.#log = options.log;
    this.#maxWaitSeconds = options.maxWaitSeconds;
    this.#resolveVhost = options.resolveVhost;
  }

  handle(request: HttpRequest, response: HttpResponse, url: URL): boolean {
    const asked = parseStreamRequest(url, this.#resolveVhost);
    if (asked === undefined) return false;
    if (typeof asked === 'string') {
      answerText(response, 400, asked);
      return true;
    }
    this.#withStream(
      asked,
      // Not the response: behind another one on the same connection it would not hear of the end.
      request,
      (stream) => this.#serve(request, response, asked, stream),
      (status, text) => answerText(response, status, text),
    );
    return true;
  }

  handleUpgrade(request: HttpRequest, socket: UpgradeSocket, head: Buffer, url: URL): boolean {
    const asked = parseStreamRequest(url, this.#resolveVhost);
    if (asked === undefined) return false;
    const refuse = (status: number, text: string): void => {
      const body = `${text}\n`;
      socket.write(
        `HTTP/1.1 ${status} ${status === 404 ? 'Not Found' : 'Bad Request'}\r\nConnection: close\r\n` +
          `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      endSoon(socket);
    };
    if (typeof asked === 'string') {
      refuse(400, asked);
      return true;
    }
    this.#withStream(asked, socket, (stream) => this.#serveWebSocket(request, socket, head, asked, stream), refuse);
    return true;
  }

  #withStream(
    asked: StreamRequest,
    client: HttpRequest | UpgradeSocket,
    serve: (stream: Stream) => void,
    refuse: (status: number, text: string) => void,
  ): void {
    const serveOrRefuse = (stream: Stream): void => {
      const problem = cannotCarry(stream, asked.container);
      if (problem === undefined) serve(stream);
      else refuse(404, problem);
    };
    const stream = this.#hub.get(asked.name);
    if (stream !== undefined && (stream.state === 'live' || stream.state === 'grace')) {
      serveOrRefuse(stream);
      return;
    }
    const waitMs = Math.max(Math.min(asked.waitSeconds, this.#maxWaitSeconds) * 1000, this.#hub.want(asked.name));
    if (waitMs === 0) {
      refuse(404, `nothing is published as "${streamKey(asked.name)}"`);
      return;
    }
    const waited = this.#hub.getOrCreate(asked.name);
    const left = new AbortController();
    const onClose = (): void => left.abort();
    client.once('close', onClose);
    void waited.whenLive(waitMs, left.signal).then((outcome) => {
      client.off('close', onClose);
      if (client.destroyed) return;
      switch (outcome) {
        case 'live':
          return serveOrRefuse(waited);
        case 'abandoned':
          return refuse(404, `"${waited.key}" can't be had from its source`);
        case 'closed':
          return refuse(404, `"${waited.key}" has been closed`);
        default:
          return refuse(404, `nothing was published as "${waited.key}" within ${waitMs / 1000} s`);
      }
    });
  }

  #serve(request: HttpRequest, response: HttpResponse, asked: StreamRequest, stream: Stream): void {
    const { socket } = response;
    if (socket === null) {
      // Sent behind a request that is still being answered: nothing is made of it before its turn has come.
      response.once('socket', () => this.#serve(request, response, asked, stream));
      return;
    }
    if (stream.state === 'idle' || stream.state === 'closed') {
      answerText(response, 404, `"${stream.key}" has ended`);
      return;
    }
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES[asked.container],
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.flushHeaders();
    // Node sends the header and the last chunk. What is between goes past it, already framed, the same bytes for all
    // viewers. HTTP/1.0 has no chunks: the body ends with the connection.
    const chunked = response.chunkedEncoding;
    const output = chunked ? socket : response;
    const log = sessionLogger(this.#log, {
      protocol: 'http',
      remote: `${socket.remoteAddress}:${socket.remotePort}`,
      stream: stream.key,
    });
    const sink: ViewerSink = {
      write: (bytes) => output.write(bytes),
      get bufferedBytes() {
        return output.writableLength;
      },
      close: (reason) => {
        stopListening();
        log.info({ reason, sentBytes: viewer.sentBytes, jumps: viewer.lagJumps }, 'viewer closed');
        if (reason === 'stalled' || reason === 'socket-buffer' || reason === 'failed') socket.destroy();
        else endResponse(request, response);
      },
    };
    const viewer = this.#view(stream, asked, sink, chunked);
    const onDrain = (): void => viewer.drained();
    const onClose = (): void => {
      stopListening();
      log.info({ sentBytes: viewer.sentBytes, jumps: viewer.lagJumps }, 'viewer left');
      viewer.leave();
    };
    const stopListening = (): void => {
      output.off('drain', onDrain);
      socket.off('close', onClose);
    };
    output.on('drain', onDrain);
    socket.on('close', onClose);
    log.info({ container: asked.container, publisher: stream.publisher?.id }, 'viewer joined');
    viewer.start();
  }

  #serveWebSocket(
    request: HttpRequest,
    socket: UpgradeSocket,
    head: Buffer,
    asked: StreamRequest,
    stream: Stream,
  ): void {
    this.#webSockets.accept(request, socket, head, (webSocket) => {
      const log = sessionLogger(this.#log, {
        protocol: 'websocket',
        remote: `${request.socket.remoteAddress}:${request.socket.remotePort}`,
        stream: stream.key,
      });
      let closed = false;
      const sink: ViewerSink = {
        write: (bytes) => webSocket.send(bytes),
        get bufferedBytes() {
          return webSocket.bufferedBytes;
        },
        close: (reason) => {
          closed = true;
          log.info({ reason, sentBytes: viewer.sentBytes, jumps: viewer.lagJumps }, 'viewer closed');
          if (reason === 'stalled' || reason === 'socket-buffer' || reason === 'failed') webSocket.destroy();
          else webSocket.close(closeText(reason));
        },
      };
      const viewer = this.#view(stream, asked, sink, false);
      webSocket.onDrain(() => viewer.drained());
      webSocket.onClose(() => {
        if (closed) return;
        log.info({ sentBytes: viewer.sentBytes, jumps: viewer.lagJumps }, 'viewer left');
        viewer.leave();
      });
      log.info({ container: asked.container, publisher: stream.publisher?.id }, 'viewer joined');
      viewer.start();
    });
  }

  #view(stream: Stream, asked: StreamRequest, sink: ViewerSink, chunked: boolean): StreamViewer {
    const { container, selection } = asked;
    return stream.view({
      rendition: `${container}:${selection.audio ? 'a' : ''}${selection.video ? 'v' : ''}${selection.multitrack ? 'm' : ''}`,
      makeWriter: () => makeWriter(container, selection),
      framing: chunked ? CHUNKED_FRAMING : RAW_FRAMING,
      sink,
      ...(asked.secondsAgo === undefined ? {} : { secondsAgo: asked.secondsAgo }),
    });
  }
}

/** Ends the body, and the connection too when the viewer does not take what was sent before. */
function endResponse(request: HttpRequest, response: HttpResponse): void {
  if (!response.destroyed) {
    const cancel = nodeClock.after(LINGER_MS, () => request.socket.destroy());
    response.once('close', cancel);
  }
  response.end();
}

function makeWriter(container: HttpContainer, selection: TrackSelection): ContainerWriter {
  switch (container) {
    case 'flv':
      return new FlvContainerWriter(selection);
    case 'ts':
      return new TsContainerWriter(selection);
    case 'aac':
      return new AdtsContainerWriter();
    case 'mp3':
      return new Mp3ContainerWriter();
  }
}

/** Why a stream can't be had in a container, or undefined. Before its tracks are known everything may still come. */
function cannotCarry(stream: Stream, container: HttpContainer): string | undefined {
  if (container === 'flv' || container === 'ts' || stream.header.tracks.length === 0) return undefined;
  const audio = stream.header.tracks.find((track) => track.kind === 'audio' && track.trackId === 0);
  if (audio?.codec === container) return undefined;
  // Publishers announce one track after the other.
  if (audio === undefined && stream.liveForMs < SETTLE_MS) return undefined;
  const has = audio === undefined ? 'has no audio' : `has ${audio.codec} audio`;
  return `"${stream.key}" ${has}, so there is no .${container} of it`;
}

function closeText(reason: ViewerCloseReason): string {
  return reason === 'stream-ended' ? 'the stream has ended' : reason;
}
