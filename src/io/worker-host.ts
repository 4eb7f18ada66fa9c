import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { BytePipe } from '../protocol/netstring/byte-pipe.ts';
import { ConfigError } from '../wire/errors.ts';
import { pipeOfStreams } from './worker-pipes.ts';

/** Codes of the `ConfigError`s of a worker's files. */
export type WorkerFileErrorCode = 'worker/unreadable-file';

/** The process a media worker runs in. */
export interface WorkerHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the command line, without program and script. */
  readonly args: readonly string[];
  readonly pid: number;
  resourceUsage(): NodeJS.ResourceUsage;
  /** File descriptors 3 to 6: messages in and out, payloads in and out. Called once. */
  openPipes(): { readonly messages: BytePipe; readonly payloads: BytePipe };
  /** SIGTERM came. Other signals that would end a process without need are ignored from here on. */
  onTerminate(terminate: () => void): void;
  /** A line on stderr. */
  complain(text: string): void;
  /** Ends the process after what was sent has left. */
  exit(code: number): void;
}

/** Signals a worker does not mind: those meant for its parent, which closes it when it wants to. */
const ignoredSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGHUP', 'SIGPIPE', 'SIGALRM', 'SIGUSR1', 'SIGUSR2'];

/** Longest time for the last messages to leave, milliseconds. */
const FLUSH_MS = 200;

const outgoing: Socket[] = [];
let isExiting = false;

/** This process. */
export const nodeWorkerHost: WorkerHost = {
  environment: process.env,
  args: process.argv.slice(2),
  pid: process.pid,
  resourceUsage: () => process.resourceUsage(),
  openPipes() {
    const open = (readFd: number, writeFd: number): BytePipe => {
      const writable = new Socket({ fd: writeFd, readable: false, writable: true });
      outgoing.push(writable);
      return pipeOfStreams(new Socket({ fd: readFd, readable: true, writable: false }), writable);
    };
    return { messages: open(3, 4), payloads: open(5, 6) };
  },
  onTerminate(terminate) {
    for (const signal of ignoredSignals) process.on(signal, () => undefined);
    process.on('SIGTERM', terminate);
  },
  complain: (text) => void process.stderr.write(`millrace worker: ${text}\n`),
  exit(code) {
    if (isExiting) return;
    isExiting = true;
    process.exitCode = code;
    setTimeout(() => process.exit(code), FLUSH_MS).unref();
    const waiting = outgoing.filter((socket) => socket.writable);
    let left = waiting.length;
    if (left === 0) process.exit(code);
    for (const socket of waiting) {
      socket.end(() => {
        left--;
        if (left === 0) process.exit(code);
      });
    }
  },
};

/** @throws ConfigError when the file cannot be read */
export function readSettingsFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code: WorkerFileErrorCode = 'worker/unreadable-file';
    throw new ConfigError(code, `cannot read ${path}`, { path, cause });
  }
}
