/** A peer of WebRTC in a process of its own: native libraries keep processes alive, or end them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { OfferOptions, WebRtcPeer, WebRtcPeerReport } from './webrtc-peer.ts';

/** A call of a method of `WebRtcPeer`. */
export interface PeerRequest {
  readonly id: number;
  readonly method: 'offer' | 'answer' | 'accept' | 'restart' | 'report' | 'hangUp';
  readonly argument: unknown;
}

export interface PeerResponse {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** How long any call may take, milliseconds. */
const CALL_TIMEOUT_MS = 15_000;

/** The side of the tests. */
export class ChildPeer implements WebRtcPeer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (response: PeerResponse) => void>();
  #nextId = 1;
  #stderr = '';

  /** @param script which calls `servePeer` */
  constructor(script: URL) {
    this.#child = fork(fileURLToPath(script), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr!.on('data', (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString()).slice(-4000);
    });
    this.#child.on('message', (response: PeerResponse) => this.#settle(response));
    this.#child.on('exit', (code, signal) => {
      const error = `the peer ended with ${code ?? signal}: ${this.#stderr}`;
      for (const id of this.#waiting.keys()) this.#settle({ id, error });
    });
  }

  offer(options: OfferOptions): Promise<string> {
    return this.#call('offer', options) as Promise<string>;
  }

  answer(sdp: string): Promise<string> {
    return this.#call('answer', sdp) as Promise<string>;
  }

  async accept(answer: string): Promise<void> {
    await this.#call('accept', answer);
  }

  restart(): Promise<string> {
    return this.#call('restart', undefined) as Promise<string>;
  }

  report(): Promise<WebRtcPeerReport> {
    return this.#call('report', undefined) as Promise<WebRtcPeerReport>;
  }

  async hangUp(): Promise<void> {
    await this.#call('hangUp', undefined);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  #call(method: PeerRequest['method'], argument: unknown): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle({ id, error: `no answer to ${method}: ${this.#stderr}` });
      }, CALL_TIMEOUT_MS);
      this.#waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error === undefined) resolve(result);
        else reject(new EvalError(error));
      });
      this.#child.send({ id, method, argument } satisfies PeerRequest, (error) => {
        if (error !== null) this.#settle({ id, error: error.message });
      });
    });
  }

  #settle(response: PeerResponse): void {
    const settle = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    settle?.(response);
  }
}

/** The side of the peer: answers calls with the methods of `peer`. */
export function servePeer(peer: Omit<WebRtcPeer, 'close'>): void {
  const call = ({ method, argument }: PeerRequest): Promise<unknown> => {
    switch (method) {
      case 'offer':
        return peer.offer(argument as OfferOptions);
      case 'answer':
        return peer.answer(argument as string);
      case 'accept':
        return peer.accept(argument as string);
      case 'restart':
        return peer.restart();
      case 'report':
        return peer.report();
      case 'hangUp':
        return peer.hangUp();
    }
  };
  process.on('message', (request: PeerRequest) => {
    call(request).then(
      (result) => process.send!({ id: request.id, result } satisfies PeerResponse),
      (error: Error) => process.send!({ id: request.id, error: error.stack ?? error.message } satisfies PeerResponse),
    );
  });
  // Nobody is left to speak with.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}
