import net from 'node:net';
import { nodeHandshakeCrypto } from '../../src/io/node-crypto.ts';
import { writeMessage } from '../../src/protocol/rtmp/chunk-writer.ts';
import type { RtmpServerEvent } from '../../src/protocol/rtmp/server-events.ts';
import { RtmpServerSession } from '../../src/protocol/rtmp/server-session.ts';

/** What a script may do with a connection. */
export interface ScriptedConnection {
  readonly socket: net.Socket;
  readonly session: RtmpServerSession;
  /** Sends what a command of the session gives. */
  readonly perform: (events: readonly RtmpServerEvent[]) => void;
  /** Sends one media message to a player. */
  readonly sendMedia: (typeId: 8 | 9 | 18, timestamp: number, payload: Uint8Array) => void;
}

/** Called with everything a client does; without an answer of its own, connect, publish and play are accepted. */
export type Script = (event: RtmpServerEvent, connection: ScriptedConnection) => boolean | undefined;

/** An RTMP server on a free port that behaves as a test wants it. */
export class ScriptedRtmpServer {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly script: { current: Script };

  private constructor(server: net.Server, script: Script) {
    this.#server = server;
    this.script = { current: script };
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(script: Script): Promise<ScriptedRtmpServer> {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return new ScriptedRtmpServer(server, script);
  }

  get url(): string {
    return `rtmp://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    const session = new RtmpServerSession({
      crypto: nodeHandshakeCrypto,
      nowMs: 0,
      outChunkSize: 60_000,
      serverVersion: 'test',
    });
    const perform = (events: readonly RtmpServerEvent[]): void => {
      for (const event of events) {
        if (event.type === 'send') socket.write(event.bytes);
        else if (this.script.current(event, connection) !== true) accept(event, connection);
      }
    };
    const connection: ScriptedConnection = {
      socket,
      session,
      perform,
      sendMedia: (typeId, timestamp, payload) => {
        const chunkStreamId = typeId === 9 ? 6 : 7;
        socket.write(writeMessage({ chunkStreamId, timestamp, typeId, messageStreamId: 1, parts: [payload] }, 60_000));
      },
    };
    socket.on('data', (bytes: Uint8Array) => perform(session.receive(bytes, 0)));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

function accept(event: RtmpServerEvent, { session, perform }: ScriptedConnection): void {
  if (event.type === 'connect') perform(session.acceptConnect());
  else if (event.type === 'publish') perform(session.acceptPublish(event.messageStreamId));
  else if (event.type === 'play') perform(session.acceptPlay(event.messageStreamId));
}
