import { connect, type Socket } from 'node:net';
import { nodeHandshakeCrypto } from '../../../src/io/node-crypto.ts';
import type { RtmpClientEvent } from '../../../src/protocol/rtmp/client-events.ts';
import { RtmpClientSession } from '../../../src/protocol/rtmp/client-session.ts';
import { parseRtmpUrl } from '../../../src/protocol/rtmp/stream-url.ts';

export type MediaType = 8 | 9 | 18;

/** A client session on a real socket. */
export class RtmpPeer {
  readonly socket: Socket;
  readonly events: string[] = [];
  /** Media messages received. */
  messages = 0;
  /** Code of what ended the session, once it has ended. */
  endCode: string | undefined;
  closed = false;
  readonly #session: RtmpClientSession;

  constructor(options: { readonly mode: 'publish' | 'play'; readonly port: number; readonly path: string }) {
    const url = parseRtmpUrl(`rtmp://127.0.0.1:${options.port}/${options.path}`);
    if (url === undefined) throw new TypeError(`not a stream path: ${options.path}`);
    this.#session = new RtmpClientSession({ crypto: nodeHandshakeCrypto, mode: options.mode, url });
    this.socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
    this.socket.on('connect', () => {
      if (this.endCode === undefined) this.perform(this.#session.start(performance.now()));
    });
    this.socket.on('data', (bytes: Uint8Array) => this.perform(this.#session.receive(bytes, performance.now())));
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  /** What the session said so far includes an event of this type. */
  has(type: RtmpClientEvent['type']): boolean {
    return this.events.includes(type);
  }

  /** Sends one message of the stream being published. */
  send(typeId: MediaType, timestamp: number, body: Uint8Array): void {
    this.perform(this.#session.writeMedia(typeId, timestamp, [body]));
  }

  /** Ends the session by the book, then the connection. */
  leave(): void {
    this.perform(this.#session.close());
    this.socket.destroySoon();
  }

  /** Ends the connection as a crash does. */
  vanish(): void {
    this.socket.resetAndDestroy();
  }

  protected perform(events: readonly RtmpClientEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') {
        this.socket.write(event.bytes);
        continue;
      }
      if (event.type === 'message') {
        this.messages++;
        continue;
      }
      this.events.push(event.type);
      if (event.type === 'ended') this.endCode = event.code;
      if (event.type === 'failed') this.endCode = event.error.code;
    }
  }
}
