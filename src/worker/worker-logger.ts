import type { LogLetter } from './channel/messages.ts';
import type { WorkerLogLevel, WorkerLogTag } from './worker-settings.ts';

const ranks: Readonly<Record<WorkerLogLevel, number>> = { none: 0, error: 1, warn: 2, debug: 3 };

/** Log lines of a worker: errors by level; warnings and debug lines by level, those with a tag only if it was asked for. */
export class WorkerLogger {
  readonly #write: (letter: LogLetter, text: string) => void;
  #rank = 0;
  #tags: ReadonlySet<WorkerLogTag> = new Set();

  constructor(write: (letter: LogLetter, text: string) => void) {
    this.#write = write;
  }

  configure(level: WorkerLogLevel, tags: readonly WorkerLogTag[]): void {
    this.#rank = ranks[level];
    this.#tags = new Set(tags);
  }

  error(text: string): void {
    if (this.#rank >= ranks.error) this.#write('E', text);
  }

  warn(tag: WorkerLogTag | undefined, text: string): void {
    if (this.isWanted('warn', tag)) this.#write('W', text);
  }

  debug(tag: WorkerLogTag | undefined, text: string): void {
    if (this.isWanted('debug', tag)) this.#write('D', text);
  }

  /** Whether a line of this level and tag is written, for those that are costly to make. */
  isWanted(level: 'warn' | 'debug', tag: WorkerLogTag | undefined): boolean {
    return this.#rank >= ranks[level] && (tag === undefined || this.#tags.has(tag));
  }
}
