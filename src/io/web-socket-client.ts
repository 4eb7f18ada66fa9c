import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocket } from 'ws';
import { connectError, connectTimeout, describeConnectFailure } from './connect-error.ts';
import { type HttpClientOptions, statusError } from './http-client.ts';

/** Largest message taken from a server, bytes. */
const MAX_SERVER_MESSAGE_BYTES: number = 16 * 1024 * 1024;
/** Close codes of a connection that ended as it should (RFC 6455 §7.4.1): normal, and none given. */
const GOOD_CLOSE_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/**
 * The messages of a WebSocket, joined, piece by piece. The connection closes when the caller stops.
 * @throws ResourceError with a `ConnectErrorCode`
 */
export async function openWebSocketBody(
  options: HttpClientOptions,
): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  const { url, signal } = options;
  const { socket, stream } = await open(options);
  let closeCode = 1005;
  socket.once('close', (code) => {
    closeCode = code;
  });
  const onAbort = (): void => socket.terminate();
  signal.addEventListener('abort', onAbort, { once: true });
  return (async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of stream) yield chunk as Uint8Array;
      if (!signal.aborted && !GOOD_CLOSE_CODES.has(closeCode)) {
        throw connectError('connect/lost', `${url.href} broke off (close code ${closeCode})`);
      }
    } catch (cause) {
      if (signal.aborted) return;
      throw describeConnectFailure(url.host, cause as Error);
    } finally {
      signal.removeEventListener('abort', onAbort);
      stream.destroy();
      socket.terminate();
    }
  })();
}

function open(options: HttpClientOptions): Promise<{ readonly socket: WebSocket; readonly stream: Duplex }> {
  const { url, insecure, signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      rejectUnauthorized: !insecure,
      maxPayload: MAX_SERVER_MESSAGE_BYTES,
    });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      reject(error);
      socket.terminate();
    };
    const timer = setTimeout(() => fail(connectTimeout(url.host, timeoutMs)), timeoutMs);
    const onAbort = (): void => fail(connectError('connect/cancelled', 'cancelled'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    socket.once('open', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // At once: the first message may have come with the answer.
      resolve({ socket, stream: createWebSocketStream(socket, { readableHighWaterMark: 1024 * 1024 }) });
    });
    socket.once('unexpected-response', (_request, response) => {
      void statusError(url, response.statusCode ?? 0, response).then(fail);
    });
    // `terminate` before the connection stands says so too; the first word counts.
    socket.on('error', (error) => fail(describeConnectFailure(url.host, error)));
  });
}
