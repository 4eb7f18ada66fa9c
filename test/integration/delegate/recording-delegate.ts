import type { RtspResponse } from '../../../src/protocol/rtsp/rtsp-message.ts';
import type { RtspDelegate } from '../../../src/server/delegate/rtsp-delegate-server.ts';
import type { ServerDelegate } from '../../../src/server/delegate/server-delegate.ts';

/** What a test wants to do in callbacks. */
export interface DelegateHooks<Request> {
  readonly onConnect?: (connectionId: number) => void | Promise<void>;
  readonly onRequest?: (connectionId: number, request: Request) => void | Promise<void>;
  readonly onClose?: (connectionId: number) => void | Promise<void>;
  readonly onDrain?: (connectionId: number) => void;
  readonly onInterleaved?: (connectionId: number, channel: number, payload: Uint8Array) => void;
  readonly onResponse?: (connectionId: number, response: RtspResponse) => void | Promise<void>;
}

/** A request as the log has it. */
interface Loggable {
  readonly method: string;
  readonly url: string;
}

/**
 * A delegate that notes every call and holds the server to the order of calls: `onConnect` first, `onClose` last, never
 * one inside another of the same connection.
 */
export class RecordingDelegate<Request extends Loggable>
  implements ServerDelegate<Request>, Omit<RtspDelegate, 'onRequest'>
{
  /** `connect 1`, `GET / 1`, `$0 5 1`, `close 1` and so on, the connection's number last. */
  readonly log: string[] = [];
  /** What was against the order. */
  readonly violations: string[] = [];
  readonly #hooks: DelegateHooks<Request>;
  readonly #known = new Set<number>();
  readonly #closed = new Set<number>();
  readonly #inside = new Map<number, string>();

  constructor(hooks: DelegateHooks<Request> = {}) {
    this.#hooks = hooks;
  }

  /** Calls that begin with `text`. */
  count(text: string): number {
    return this.log.filter((line) => line.startsWith(text)).length;
  }

  onConnect(connectionId: number): void | Promise<void> {
    if (this.#known.has(connectionId)) this.violations.push(`number ${connectionId} twice`);
    this.#known.add(connectionId);
    return this.#run(connectionId, 'connect', () => this.#hooks.onConnect?.(connectionId));
  }

  onRequest(connectionId: number, request: Request): void | Promise<void> {
    const { method, url } = request;
    return this.#run(connectionId, `${method} ${url}`, () => this.#hooks.onRequest?.(connectionId, request));
  }

  onInterleaved(connectionId: number, channel: number, payload: Uint8Array): void {
    const text = String.fromCharCode(...payload.subarray(0, 16));
    void this.#run(connectionId, `$${channel} ${text}`, () =>
      this.#hooks.onInterleaved?.(connectionId, channel, payload),
    );
  }

  onResponse(connectionId: number, response: RtspResponse): void | Promise<void> {
    const text = `response ${response.statusCode} ${response.headers.get('CSeq')}`;
    return this.#run(connectionId, text, () => this.#hooks.onResponse?.(connectionId, response));
  }

  onDrain(connectionId: number): void {
    void this.#run(connectionId, 'drain', () => this.#hooks.onDrain?.(connectionId));
  }

  onClose(connectionId: number): void | Promise<void> {
    const result = this.#run(connectionId, 'close', () => this.#hooks.onClose?.(connectionId));
    this.#closed.add(connectionId);
    return result;
  }

  #run(connectionId: number, what: string, hook: () => void | Promise<void>): void | Promise<void> {
    const around = this.#inside.get(connectionId);
    if (around !== undefined) this.violations.push(`${what} inside ${around} of ${connectionId}`);
    if (!this.#known.has(connectionId)) this.violations.push(`${what} before onConnect of ${connectionId}`);
    if (this.#closed.has(connectionId)) this.violations.push(`${what} after onClose of ${connectionId}`);
    this.log.push(`${what} ${connectionId}`);
    this.#inside.set(connectionId, what);
    try {
      return hook();
    } finally {
      this.#inside.delete(connectionId);
    }
  }
}
