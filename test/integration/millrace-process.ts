import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The script that runs the program. */
export const LAUNCHER: string = fileURLToPath(new URL('./millrace-launcher.ts', import.meta.url));
/** Old Nodes warn that they strip types. */
export const NODE_OPTIONS: readonly string[] = ['--disable-warning=ExperimentalWarning'];
/** Longest a process may live, milliseconds. */
const LIFETIME_MS = 18_000;

/** How a process ended and what it said. */
export interface Outcome {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program `millrace` as a process of its own. */
export class MillraceProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  /** Settles when it has ended. */
  readonly outcome: Promise<Outcome>;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [...NODE_OPTIONS, LAUNCHER, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), LIFETIME_MS);
    this.outcome = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (exitCode) => {
        clearTimeout(limit);
        resolve({ exitCode, stdout, stderr });
      });
    });
  }

  /** What Ctrl-C does. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  /** Ends it without asking; for a test that failed on the way. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Runs `millrace` to its end. */
export function runMillrace(...args: readonly string[]): Promise<Outcome> {
  return new MillraceProcess(args).outcome;
}
