import { nodeHandshakeCrypto } from '../../io/node-crypto.ts';
import type { Clock } from '../../media/clock.ts';
import { toHexadecimal } from '../../wire/hexadecimal.ts';
import type { Logger } from '../log/logger.ts';
import { sessionLogger } from '../log/logger.ts';
import { ClientSession, type ClientSessionServices } from './client-session.ts';
import type { MediaSession } from './media-session.ts';
import type { RtspConnection } from './rtsp-connection.ts';

/** How often sessions are asked for reports that are due and for clients that are gone, milliseconds. */
const HOUSEKEEPING_MS = 500;

/** Random bytes of a session id: nobody controls a session by guessing (RFC 2326 §3.4 asks for eight characters). */
const ID_BYTES = 8;

/** Most sessions made over one connection at a time: as many as have interleaved channels. */
export const MAX_SESSIONS_PER_CONNECTION = 128;

export interface ClientSessionsOptions {
  readonly services: ClientSessionServices;
  readonly clock: Clock;
  readonly log: Logger;
  /** Most sessions at a time. */
  readonly maxSessions: number;
}

/** All RTSP sessions of a server by their ids, apart from the connections they are controlled by. */
export class ClientSessions {
  readonly #options: ClientSessionsOptions;
  readonly #sessions = new Map<string, ClientSession>();
  /** Sessions there are by the connection they were made over. */
  readonly #byConnection = new WeakMap<RtspConnection, number>();
  readonly #stopHousekeeping: () => void;
  #made = 0;

  constructor(options: ClientSessionsOptions) {
    this.#options = options;
    this.#stopHousekeeping = options.clock.every(HOUSEKEEPING_MS, () => {
      const nowMs = options.clock.nowMs();
      for (const session of this.#sessions.values()) session.housekeep(nowMs);
    });
  }

  /** Sessions now. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Sessions made so far. */
  get made(): number {
    return this.#made;
  }

  /** Whether there is room for one more session of this connection. */
  mayMake(connection: RtspConnection): boolean {
    const own = this.#byConnection.get(connection) ?? 0;
    return this.#sessions.size < this.#options.maxSessions && own < MAX_SESSIONS_PER_CONNECTION;
  }

  get(id: string): ClientSession | undefined {
    return this.#sessions.get(id);
  }

  /** A session for a client of this connection. */
  make(options: {
    readonly connection: RtspConnection;
    readonly targetKey: string;
    readonly mediaSession: MediaSession;
    readonly username: string | undefined;
    readonly isRecording: boolean;
  }): ClientSession {
    const { connection, mediaSession, username } = options;
    const id = this.#newId();
    const session = new ClientSession({
      ...options,
      id,
      services: this.#options.services,
      log: sessionLogger(this.#options.log, {
        protocol: connection.isSecure ? 'rtsps' : 'rtsp',
        remote: `${connection.remote.address}:${connection.remote.port}`,
        stream: mediaSession.name,
        ...(username === undefined ? {} : { user: username }),
      }),
      onGone: () => {
        this.#sessions.delete(id);
        this.#count(connection, -1);
      },
    });
    this.#sessions.set(id, session);
    this.#count(connection, 1);
    this.#made++;
    return session;
  }

  /** Ends every session. */
  close(): void {
    this.#stopHousekeeping();
    for (const session of this.#sessions.values()) session.close();
  }

  #count(connection: RtspConnection, change: number): void {
    this.#byConnection.set(connection, (this.#byConnection.get(connection) ?? 0) + change);
  }

  #newId(): string {
    for (;;) {
      const id = toHexadecimal(nodeHandshakeCrypto.randomBytes(ID_BYTES));
      if (!this.#sessions.has(id)) return id;
    }
  }
}
