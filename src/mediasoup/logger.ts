/** Who gets log lines of the control side and of workers, instead of the `DEBUG` environment variable alone. */
export interface LogEventListeners {
  ondebug?: (namespace: string, log: string) => void;
  onwarn?: (namespace: string, log: string) => void;
  onerror?: (namespace: string, log: string, error?: Error) => void;
}

const PREFIX = 'mediasoup';
let listeners: LogEventListeners = {};

/** Replaces the listeners; none without an argument. */
export function setLogEventListeners(given: LogEventListeners = {}): void {
  listeners = { ...given };
}

/** `DEBUG=mediasoup*` and its like: names with `*`, apart by commas, those with a leading `-` left out. */
function isPrinted(namespace: string): boolean {
  const patterns = (process.env['DEBUG'] ?? '').split(/[\s,]+/).filter((pattern) => pattern !== '');
  if (patterns.length === 0) return false;
  const matches = (pattern: string): boolean =>
    new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(namespace);
  if (patterns.some((pattern) => pattern.startsWith('-') && matches(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('-') && matches(pattern));
}

/** Log lines of one class: to the listeners, and to stderr where `DEBUG` asks for them. */
export class Logger {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  debug(log: string): void {
    const namespace = `${PREFIX}:${this.#name}`;
    print(namespace, log);
    listeners.ondebug?.(namespace, log);
  }

  warn(log: string): void {
    print(`${PREFIX}:WARN:${this.#name}`, log);
    listeners.onwarn?.(`${PREFIX}:${this.#name}`, log);
  }

  /** `cause` is what was caught, if anything. */
  error(log: string, cause?: unknown): void {
    print(`${PREFIX}:ERROR:${this.#name}`, cause === undefined ? log : `${log}: ${textOf(cause)}`);
    listeners.onerror?.(`${PREFIX}:${this.#name}`, log, cause instanceof Error ? cause : undefined);
  }
}

/** What was thrown, which may be anything. */
function textOf(cause: unknown): string {
  if (cause instanceof Error) return String(cause);
  try {
    return JSON.stringify(cause) ?? typeof cause;
  } catch {
    // It has itself inside, or a BigInt: a line of a log is not to fail over that.
    return typeof cause;
  }
}

function print(namespace: string, log: string): void {
  if (isPrinted(namespace)) process.stderr.write(`${namespace} ${log}\n`);
}
