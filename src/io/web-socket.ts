import { WebSocketServer } from 'ws';
import { cutAfter, LINGER_MS } from './end-soon.ts';
import type { HttpRequest, UpgradeSocket } from './http-listener.ts';

/** Largest message taken from a viewer, bytes. Viewers have nothing to say. */
const MAX_VIEWER_MESSAGE_BYTES = 4096;

/** The server's end of a WebSocket that sends binary messages. */
export interface BinaryWebSocket {
  /** Sends one binary message. `bytes` is shared and must not change. */
  send(bytes: Uint8Array): void;
  /** Bytes given to `send` that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Ends it with status 1000 and a few words; the peer has `LINGER_MS` to take what was sent before. */
  close(reason: string): void;
  /** Ends it at once. */
  destroy(): void;
  onDrain(listener: () => void): void;
  /** Told once, however it ended. */
  onClose(listener: () => void): void;
}

/** Turns HTTP upgrades into WebSockets (RFC 6455). */
export class WebSocketAcceptor {
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_VIEWER_MESSAGE_BYTES,
    clientTracking: false,
    autoPong: false,
  });

  /** Answers the upgrade and calls `accepted`, or answers with an error and closes the socket. */
  accept(
    request: HttpRequest,
    socket: UpgradeSocket,
    head: Buffer,
    accepted: (webSocket: BinaryWebSocket) => void,
  ): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      // What goes wrong on the socket ends in `close`; unheard, the event would be thrown.
      webSocket.on('error', () => webSocket.terminate());
      // One answer at a time (RFC 6455 §5.5.3 allows it): who sends pings and reads nothing must not pile up answers.
      webSocket.on('ping', (data) => {
        if (webSocket.readyState === webSocket.OPEN && webSocket.bufferedAmount === 0) webSocket.pong(data);
      });
      accepted({
        send: (bytes) => webSocket.send(bytes, { binary: true, compress: false }),
        get bufferedBytes() {
          return webSocket.bufferedAmount;
        },
        close: (reason) => {
          webSocket.close(1000, reason);
          cutAfter(
            { destroy: () => webSocket.terminate(), once: (event, listener) => webSocket.once(event, listener) },
            LINGER_MS,
          );
        },
        destroy: () => webSocket.terminate(),
        onDrain: (listener) => socket.on('drain', listener),
        onClose: (listener) => webSocket.once('close', listener),
      });
    });
  }
}
