import net from 'node:net';
import tls from 'node:tls';
import { connectError, connectTimeout, describeConnectFailure } from './connect-error.ts';
import { formatListenAddress } from './listen-address.ts';
import type { TcpSocket } from './tcp-listener.ts';

export interface TcpClientOptions {
  /** Name or address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** With `secure`: take any certificate. */
  readonly insecure: boolean;
  /** Time for name, TCP and TLS together, milliseconds. */
  readonly timeoutMs: number;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * Connects by TCP or TLS; the socket is ready for use, does not wait to fill packets, and belongs to the caller.
 * @throws ResourceError with a `ConnectErrorCode`
 */
export function connectTcp(options: TcpClientOptions): Promise<TcpSocket> {
  const { host, port, signal } = options;
  const where = formatListenAddress({ host, port });
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(connectError('connect/cancelled', 'cancelled'));
      return;
    }
    const socket = openSocket(options);
    const timer = setTimeout(() => socket.destroy(connectTimeout(where, options.timeoutMs)), options.timeoutMs);
    const onAbort = (): void => {
      socket.destroy(connectError('connect/cancelled', 'cancelled'));
    };
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners('error');
      socket.removeAllListeners('close');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once(options.secure ? 'secureConnect' : 'connect', () => {
      settle();
      resolve(socket);
    });
    socket.once('error', (error) => {
      settle();
      // A second error of the same socket has no one to hear it.
      socket.on('error', () => socket.destroy());
      reject(describeConnectFailure(where, error));
    });
    // A TLS server that hangs up in the middle of the handshake may cause no error.
    socket.once('close', () => {
      settle();
      reject(connectError('connect/lost', `${where} closed the connection`));
    });
  });
}

function openSocket(options: TcpClientOptions): TcpSocket {
  const { host, port, secure, insecure } = options;
  if (!secure) return net.connect({ host, port, noDelay: true });
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  const socket = tls.connect({ host, port, rejectUnauthorized: !insecure, ...servername });
  socket.setNoDelay(true);
  return socket;
}
