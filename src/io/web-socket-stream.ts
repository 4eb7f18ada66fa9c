import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { HttpRequest, UpgradeSocket } from './http-listener.ts';

/** Largest message taken, bytes. Messages are cut where their sender likes: what is in them is a stream. */
const MAX_MESSAGE_BYTES = 1_048_576;

/** What of an HTTP request an upgrade needs. */
export interface UpgradeRequest {
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Turns HTTP upgrades into WebSockets that carry a stream of bytes in binary messages, both ways (RFC 6455). */
export class WebSocketStreamAcceptor {
  readonly #server: WebSocketServer;

  /** @param protocol taken when the client offers it among others (`Sec-WebSocket-Protocol`); else its first */
  constructor(protocol: string) {
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      clientTracking: false,
      autoPong: false,
      handleProtocols: (offered) => (offered.has(protocol) ? protocol : ([...offered][0] ?? false)),
    });
  }

  /** Answers the upgrade and calls `accepted`, or answers with an error and closes the socket. */
  accept(request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array, accepted: (stream: Duplex) => void): void {
    // ws looks at nothing else of a request.
    const asked = request as unknown as HttpRequest;
    this.#server.handleUpgrade(asked, socket, Buffer.from(head), (webSocket) => {
      // One answer at a time, as of every WebSocket here.
      webSocket.on('ping', (data) => {
        if (webSocket.readyState === webSocket.OPEN && webSocket.bufferedAmount === 0) webSocket.pong(data);
      });
      accepted(createWebSocketStream(webSocket, { allowHalfOpen: false }));
    });
  }
}
