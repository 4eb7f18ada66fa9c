import { UsageError } from './command-line.ts';

/** Options all commands have that connect to a server, for `parseCommandLine`. */
export const CLIENT_OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  timeout: { type: 'string' },
  insecure: { type: 'boolean' },
} as const;

/** Their help lines. */
export const CLIENT_OPTIONS_HELP = `  --timeout <s>    longest time to connect, and without media; 10 by default
  --insecure       accept any TLS certificate
  --help           this text`;

const DEFAULT_TIMEOUT_MS = 10_000;
/** The longest time an option may say: a day. */
const MAX_SECONDS = 86_400;

/** What `--timeout` and `--insecure` say. @throws UsageError */
export function clientSettings(values: {
  readonly timeout?: string | undefined;
  readonly insecure?: boolean | undefined;
}): { readonly timeoutMs: number; readonly insecure: boolean } {
  return {
    timeoutMs: parseSeconds('--timeout', values.timeout) ?? DEFAULT_TIMEOUT_MS,
    insecure: values.insecure === true,
  };
}

/** Milliseconds from an option in seconds, fractions allowed; undefined when it was not given. @throws UsageError */
export function parseSeconds(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new UsageError(`${option} takes seconds from above 0 to ${MAX_SECONDS}, not "${text}"`);
  }
  return seconds * 1000;
}

/** A whole number of an option; undefined when it was not given. @throws UsageError */
export function parseCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`${option} takes a whole number, not "${text}"`);
  return Number(text);
}
