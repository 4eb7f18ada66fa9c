import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.ts';
import { spawnPinned, stopProcess } from './pinned-process.ts';
import type { Answer } from './webrtc-protocol.ts';

/** How a program of the WebRTC or SFU benchmark is started. */
export interface WebRtcProcessOptions {
  readonly program: 'webrtc-server' | 'webrtc-clients' | 'sfu-server' | 'sfu-clients';
  readonly cpu: number;
  /** Its first argument. */
  readonly settings: object;
  /** Nothing of `node:ffi` is used there. */
  readonly isPortable: boolean;
  /** What its environment has besides, as `name=value`. */
  readonly environment?: readonly string[];
}

/** The server or the clients in a process of their own. `C` is what it can be asked, one question at a time. */
export class WebRtcProcess<C extends object> {
  readonly #child: ChildProcess;
  readonly #program: string;

  constructor({ program, cpu, settings, isPortable, environment: more = [] }: WebRtcProcessOptions) {
    this.#program = program;
    const file = fileURLToPath(new URL(`./${program}.ts`, import.meta.url));
    const environment = ['env', ...more, ...(isPortable ? ['MILLRACE_FFI=off'] : [])];
    const command = [...environment, process.execPath, '--no-warnings', file, JSON.stringify(settings)];
    this.#child = spawnPinned(cpu, command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  /** @throws BenchError `bench/load-process` when the process is gone or could not do it */
  async ask<R>(command: C): Promise<R> {
    const answer = await new Promise<Answer>((resolve) => {
      const onExit = (): void => resolve({ error: 'it ended by itself' });
      this.#child.once('exit', onExit);
      this.#child.once('error', onExit);
      this.#child.once('message', (message: Answer) => {
        this.#child.off('exit', onExit);
        this.#child.off('error', onExit);
        resolve(message);
      });
      if (this.#child.exitCode === null && this.#child.connected) this.#child.send(command);
      else onExit();
    });
    if ('error' in answer) throw new BenchError('bench/load-process', `${this.#program}: ${answer.error}`);
    return answer.value as R;
  }

  stop(): Promise<void> {
    return stopProcess(this.#child);
  }
}
