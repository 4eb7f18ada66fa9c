import pino from 'pino';
import { contextId } from '../../io/node-crypto.ts';

export type Logger = pino.Logger;

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** One JSON object a line, or a line for people. */
  readonly format: 'json' | 'pretty';
}

/** The server's logger, writing to standard error. */
export function createLogger(options: LogOptions): Logger {
  const settings: pino.LoggerOptions = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (options.format === 'json') return pino(settings, pino.destination({ dest: 2, sync: true }));
  return pino(settings, { write: (line: string) => process.stderr.write(prettyLine(line)) });
}

/** A logger for one session: every line carries the session's context id and what else names it. */
export function sessionLogger(log: Logger, names: Readonly<Record<string, unknown>>): Logger {
  return log.child({ cid: contextId(), ...names });
}

const HIDDEN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'cid']);

/** `12:00:00.000 info [cid] message  name=value …` */
function prettyLine(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const time = toText(entry['time']).slice(11, 23);
  const level = pino.levels.labels[Number(entry['level'])] ?? '?';
  const cid = entry['cid'] === undefined ? '' : ` [${toText(entry['cid'])}]`;
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN_FIELDS.has(name))
    .map(([name, value]) => ` ${name}=${toText(value)}`);
  return `${time} ${level.padEnd(5)}${cid} ${toText(entry['msg'])} ${fields.join('')}\n`;
}

/** Control characters come from peers' names and would act on the terminal. */
function toText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.replace(/\p{Cc}/gu, '?');
}
