import { nodeAuthenticationCrypto } from '../../io/authentication-crypto.ts';
import { connectError, connectTimeout } from '../../io/connect-error.ts';
import { formatListenAddress } from '../../io/listen-address.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import { connectTcp } from '../../io/tcp-client.ts';
import type { TcpSocket } from '../../io/tcp-listener.ts';
import { ClientAuthenticator } from '../../protocol/rtsp/client-authentication.ts';
import { ClientExchange } from '../../protocol/rtsp/client-exchange.ts';
import type { RtspResponse } from '../../protocol/rtsp/rtsp-message.ts';
import { RtspMessageReader } from '../../protocol/rtsp/rtsp-message-reader.ts';
import type { RtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { toHexadecimal } from '../../wire/hexadecimal.ts';
import { type RegisterTransport, writeRegisterTransport } from '../rtsp/registration/register-transport.ts';

export interface RegisterStreamOptions {
  readonly method: 'REGISTER' | 'DEREGISTER';
  /** The server that is to pull; its path counts for nothing. */
  readonly server: RtspUrl;
  /** What it is to pull, as it is written. */
  readonly url: string;
  readonly transport: Pick<RegisterTransport, 'preferred' | 'suffix'>;
  /** Take any certificate of the server. */
  readonly insecure: boolean;
  /** For the connection, and for the answer, milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks a server to pull a stream, or to let it be, by REGISTER or DEREGISTER.
 * @returns the answer, whatever it says
 * @throws ResourceError with a `ConnectErrorCode`
 */
export async function registerStream(options: RegisterStreamOptions): Promise<RtspResponse> {
  const { server, insecure, timeoutMs, signal } = options;
  const { host, port } = server;
  const socket = await connectTcp({ host, port, secure: server.scheme === 'rtsps', insecure, timeoutMs, signal });
  try {
    return await ask(socket, options);
  } finally {
    socket.destroy();
  }
}

function ask(socket: TcpSocket, options: RegisterStreamOptions): Promise<RtspResponse> {
  const { method, server, url, transport, timeoutMs, signal } = options;
  const where = formatListenAddress(server);
  const exchange = new ClientExchange({
    userAgent: 'Millrace',
    responseTimeoutMs: timeoutMs,
    authenticator: authenticatorFor(server),
  });
  exchange.add({
    method,
    url,
    headers: [['Transport', writeRegisterTransport({ ...transport, reusesConnection: false })]],
  });
  const reader = new RtspMessageReader();
  return new Promise((resolve, reject) => {
    const cancelTimeout = nodeClock.after(timeoutMs, () => reject(connectTimeout(where, timeoutMs)));
    const take = (bytes: Uint8Array): void => {
      for (const message of reader.receive(bytes)) {
        if (message.type === 'failed') reject(connectError('connect/bad-answer', `${where} does not speak RTSP`));
        if (message.type !== 'response') continue;
        const result = exchange.receive(message, nodeClock.nowMs());
        if (result.type === 'repeated') socket.write(result.bytes);
        else if (result.type === 'answered') resolve(result.response);
      }
    };
    socket.on('data', take);
    socket.on('error', (cause) => reject(connectError('connect/lost', `${where} broke the connection`, cause)));
    socket.on('close', () => {
      cancelTimeout();
      reject(connectError('connect/lost', `${where} closed the connection without an answer`));
    });
    signal.addEventListener('abort', () => reject(connectError('connect/cancelled', 'cancelled')), { once: true });
    socket.write(exchange.next(nodeClock.nowMs())!);
  });
}

function authenticatorFor({ username, password }: RtspUrl): ClientAuthenticator | undefined {
  if (username === undefined) return undefined;
  const cnonce = toHexadecimal(nodeHandshakeCrypto.randomBytes(16));
  return new ClientAuthenticator({ username, password: password ?? '', crypto: nodeAuthenticationCrypto, cnonce });
}
