import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';

/** A real program with its arguments, as plain data: drivers make these, `PeerProcess.start` runs them. */
export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The program and all its children are killed after this long. */
  readonly timeoutMs: number;
}

/** Arguments without blanks in them, written as one would type them. */
export function words(text: string): string[] {
  return text.split(' ');
}

/** How a program ended. */
export interface PeerExit {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was killed because it ran longer than its `timeoutMs`. */
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that prints more than this is killed: 64 MB. */
const MAX_OUTPUT_BYTES = 64_000_000;
/** How much of the output goes into the message of a failed expectation, characters. */
const SHOWN_OUTPUT_LENGTH = 3000;

const running = new Set<PeerProcess>();
process.once('exit', () => {
  for (const peer of running) peer.kill('SIGKILL');
});

/** A running program in a process group of its own. */
export class PeerProcess {
  readonly command: PeerCommand;
  /** Resolves when the program has ended and its output is complete. Never rejects. */
  readonly exit: Promise<PeerExit>;
  readonly #child: ChildProcess;
  readonly #outputListeners = new Set<() => void>();
  #stdout: Buffer[] = [];
  #stderr: Buffer[] = [];
  #outputBytes = 0;
  #isOver = false;

  private constructor(command: PeerCommand) {
    this.command = command;
    const child = spawn(command.program, command.args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...command.env },
    });
    this.#child = child;
    running.add(this);
    child.stdout.on('data', (chunk: Buffer) => this.#collect(this.#stdout, chunk));
    child.stderr.on('data', (chunk: Buffer) => this.#collect(this.#stderr, chunk));
    this.exit = new Promise((resolve) => {
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        this.kill('SIGKILL');
      }, command.timeoutMs);
      const settle = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (this.#isOver) return;
        this.#isOver = true;
        clearTimeout(timer);
        running.delete(this);
        // Children it may have left behind go with it.
        this.kill('SIGKILL');
        resolve({ code, signal, timedOut, stdout: this.stdout, stderr: this.stderr });
        for (const listener of this.#outputListeners) listener();
      };
      child.once('error', (error) => {
        this.#stderr.push(Buffer.from(`${error.message}\n`));
        settle(null, null);
      });
      child.once('close', settle);
    });
  }

  static start(command: PeerCommand): PeerProcess {
    return new PeerProcess(command);
  }

  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Signals the whole process group; does nothing when it has gone. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Kills it and waits until it has gone. Idempotent. */
  async stop(): Promise<void> {
    this.kill('SIGKILL');
    await this.exit;
  }

  /** Waits until the output (stdout, then stderr) matches; fails when the program ends before. */
  whenOutput(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (match === null && !this.#isOver) return;
        this.#outputListeners.delete(look);
        if (match !== null) resolve(match);
        else
          reject(
            new assert.AssertionError({ message: `${this.#title} ended without saying ${pattern}\n${this.#tail}` }),
          );
      };
      this.#outputListeners.add(look);
      look();
    });
  }

  /** Waits for the end, which must be exit code 0 within its time. */
  async succeeded(): Promise<PeerExit> {
    const exit = await this.exit;
    assert.ok(
      !exit.timedOut,
      `${this.#title} did not end by itself within ${this.command.timeoutMs} ms\n${this.#tail}`,
    );
    assert.equal(exit.code, 0, `${this.#title} ended with code ${exit.code} (${exit.signal})\n${this.#tail}`);
    return exit;
  }

  /** Waits for the end, which must come by itself, within its time, and be an exit code other than 0. */
  async failed(): Promise<PeerExit> {
    const exit = await this.exit;
    assert.ok(
      !exit.timedOut,
      `${this.#title} did not end by itself within ${this.command.timeoutMs} ms\n${this.#tail}`,
    );
    assert.ok(exit.code !== 0 && exit.code !== null, `${this.#title} ended with code ${exit.code}\n${this.#tail}`);
    return exit;
  }

  #collect(into: Buffer[], chunk: Buffer): void {
    this.#outputBytes += chunk.length;
    if (this.#outputBytes > MAX_OUTPUT_BYTES) {
      this.kill('SIGKILL');
      return;
    }
    into.push(chunk);
    for (const listener of this.#outputListeners) listener();
  }

  get #title(): string {
    return [this.command.program, ...this.command.args].join(' ');
  }

  get #tail(): string {
    return `${this.stdout.slice(-SHOWN_OUTPUT_LENGTH)}\n${this.stderr.slice(-SHOWN_OUTPUT_LENGTH)}`;
  }
}
