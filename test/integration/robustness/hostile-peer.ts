import { connect, type Socket } from 'node:net';

/** Between two bytes of a drip: a connect command of 78 takes longer than any test lets it. */
const DRIP_MS = 100;

/** What a hostile peer does: what it sends at once, and then byte by byte for as long as it is let. */
export interface HostileScript {
  readonly port: number;
  readonly send: Uint8Array;
  /** Sent again and again, one byte at a time. */
  readonly drip?: Uint8Array;
}

/** A peer that sends something wrong, reads what comes, and never closes the connection by itself. */
export class HostilePeer {
  readonly socket: Socket;
  connected = false;
  closed = false;
  /** Bytes received. */
  received = 0;
  #drip: NodeJS.Timeout | undefined;

  constructor(script: HostileScript) {
    this.socket = connect({ host: '127.0.0.1', port: script.port, allowHalfOpen: true });
    this.socket.on('connect', () => {
      this.connected = true;
      if (script.send.length > 0) this.socket.write(script.send);
      const { drip } = script;
      if (drip !== undefined) this.#startDrip(drip);
    });
    this.socket.on('data', (bytes: Uint8Array) => {
      this.received += bytes.length;
    });
    // A reset is one way for the server to let go.
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      clearInterval(this.#drip);
      this.closed = true;
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #startDrip(bytes: Uint8Array): void {
    let at = 0;
    this.#drip = setInterval(() => {
      if (this.socket.writableLength === 0) this.socket.write(bytes.subarray(at, at + 1));
      at = (at + 1) % bytes.length;
    }, DRIP_MS);
  }
}
