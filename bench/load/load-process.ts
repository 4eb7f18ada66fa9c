import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.ts';
import { LOAD_CPU, spawnPinned, stopProcess } from './pinned-process.ts';
import { readTree } from './process-tree.ts';
import type { LoadCommand, LoadReport } from './protocol.ts';

/** One of the two load programs, running in its own process. `R` is what it reports of a window. */
export class LoadProcess<R> {
  readonly #child: ChildProcess;
  readonly #reports: LoadReport<R>[] = [];
  #waiting: (() => void) | undefined;
  #exited = false;

  constructor(program: 'viewers' | 'publishers', settings: object) {
    const file = fileURLToPath(new URL(`./${program}.ts`, import.meta.url));
    this.#child = spawnPinned(LOAD_CPU, [process.execPath, '--no-warnings', file, JSON.stringify(settings)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: LoadReport<R>) => {
      this.#reports.push(message);
      this.#waiting?.();
    });
    this.#child.on('error', () => this.#end());
    this.#child.on('exit', () => this.#end());
  }

  #end(): void {
    this.#exited = true;
    this.#waiting?.();
  }

  /** CPU seconds of the process so far. */
  cpuSeconds(): number {
    return this.#child.pid === undefined ? 0 : readTree(this.#child.pid).cpuSeconds;
  }

  async #next(): Promise<LoadReport<R>> {
    for (;;) {
      const message = this.#reports.shift();
      if (message?.type === 'failed') {
        throw new BenchError('bench/not-joined', `${message.joined} got through, then: ${message.reason}`);
      }
      if (message !== undefined) return message;
      if (this.#exited) throw new BenchError('bench/load-process', 'a load process ended by itself');
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  /** Resolves when every viewer has its first key frame, or every publisher may publish. */
  async ready(): Promise<void> {
    while ((await this.#next()).type !== 'ready');
  }

  /** Begins the measured window. */
  async begin(): Promise<void> {
    this.#tell('begin');
    while ((await this.#next()).type !== 'began');
  }

  /** Ends the measured window. */
  async end(): Promise<R> {
    this.#tell('end');
    for (;;) {
      const message = await this.#next();
      if (message.type === 'result') return message.result;
    }
  }

  #tell(command: LoadCommand): void {
    if (this.#child.connected) this.#child.send(command);
  }

  async stop(): Promise<void> {
    this.#tell('quit');
    await stopProcess(this.#child);
  }
}
