import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { BytePipe } from '../protocol/netstring/byte-pipe.ts';
import { pipeOfStreams } from './worker-pipes.ts';

export interface WorkerProcessOptions {
  /** Script for this program's own Node, or a program of its own. */
  readonly bin: string;
  readonly args: readonly string[];
  /** Added to this process's. */
  readonly environment: Readonly<Record<string, string>>;
  /** A line of its stdout or stderr, without its end. */
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
  /** It could not be started. `onExit` is not called then. */
  readonly onError: (error: Error) => void;
  readonly onExit: (code: number | null, signal: string | null) => void;
  /** It is gone and everything it wrote has been read. */
  readonly onClose: () => void;
}

/** A media worker in a process of its own. */
export interface WorkerProcess {
  /** 0 when it could not be started. */
  readonly pid: number;
  readonly messages: BytePipe;
  readonly payloads: BytePipe;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts a worker with pipes on file descriptors 3 to 6: messages to it and from it, payloads to it and from it. */
export function spawnWorkerProcess(options: WorkerProcessOptions): WorkerProcess {
  const { bin, args, environment } = options;
  // SIGUSR1 must not start the debugger of a worker: mediasoup's ignore it.
  const [program, leading] = /\.[cm]?[jt]s$/.test(bin) ? [process.execPath, ['--disable-sigusr1', bin]] : [bin, []];
  const child = spawn(program, [...leading, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let hasStarted = child.pid !== undefined;
  child.on('spawn', () => {
    hasStarted = true;
  });
  child.on('error', (error) => {
    // Also says that a signal could not be sent: that is no failed start.
    if (!hasStarted) options.onError(error);
  });
  child.on('exit', (code, signal) => options.onExit(code, signal));
  child.on('close', () => options.onClose());
  forwardLines(child.stdio[1] as Readable, (line) => options.onLine('stdout', line));
  forwardLines(child.stdio[2] as Readable, (line) => options.onLine('stderr', line));
  const [, , , messagesIn, messagesOut, payloadsIn, payloadsOut] = child.stdio as unknown as (Readable & Writable)[];
  return {
    pid: child.pid ?? 0,
    messages: pipeOfStreams(messagesOut!, messagesIn!),
    payloads: pipeOfStreams(payloadsOut!, payloadsIn!),
    kill: (signal) => void child.kill(signal),
  };
}

/** Longest line kept together, UTF-16 units. */
const MAX_LINE_CHARACTERS = 65_536;

function forwardLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line !== '') onLine(line);
    if (rest.length > MAX_LINE_CHARACTERS) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
