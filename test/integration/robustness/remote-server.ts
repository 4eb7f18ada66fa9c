import { AssertionError } from 'node:assert';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type TestConfiguration, testConfiguration } from './local-server.ts';
import type { ServerMessage, ServerReport } from './server-report.ts';

const PROGRAM = new URL('./server-process.ts', import.meta.url);
const POLL_MS = 50;

/** For `fork`: Node with these flags, in a network namespace or in ours. */
export function nodeIn(
  namespace: string | undefined,
  flags: readonly string[],
): { execPath: string; execArgv: string[] } {
  if (namespace === undefined) return { execPath: process.execPath, execArgv: [...flags] };
  return { execPath: 'ip', execArgv: ['netns', 'exec', namespace, process.execPath, ...flags] };
}

/** A server in another process, with its own memory. */
export class RemoteServer {
  readonly rtmpPort: number;
  readonly httpPort: number;
  readonly rtspPort: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ports: Pick<RemoteServer, 'rtmpPort' | 'httpPort' | 'rtspPort'>) {
    this.#child = child;
    this.rtmpPort = ports.rtmpPort;
    this.httpPort = ports.httpPort;
    this.rtspPort = ports.rtspPort;
  }

  /** @param namespace a network namespace to run in */
  static async start(given: TestConfiguration, namespace?: string): Promise<RemoteServer> {
    const child = fork(PROGRAM, [JSON.stringify(testConfiguration(given))], {
      ...nodeIn(namespace, ['--expose-gc', '--no-warnings']),
    });
    const message = await nextMessage(child);
    if (message.type !== 'ready') throw new AssertionError({ message: 'the server did not start' });
    return new RemoteServer(child, message);
  }

  /** What the server says of itself, after a full collection. */
  report(): Promise<ServerReport> {
    return this.#ask('report');
  }

  /** The same without a collection, which would hold up everything else. */
  glance(): Promise<ServerReport> {
    return this.#ask('glance');
  }

  async #ask(question: 'report' | 'glance'): Promise<ServerReport> {
    this.#child.send(question);
    const message = await nextMessage(this.#child);
    if (message.type !== 'report') throw new AssertionError({ message: 'the server answered something else' });
    return message.report;
  }

  /** The first report that fulfils `condition`; fails when none does within `withinMs`. */
  async reportWhen(
    what: string,
    condition: (report: ServerReport) => boolean,
    withinMs = 10_000,
  ): Promise<ServerReport> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const report = await this.report();
      if (condition(report)) return report;
      if (performance.now() > deadline) {
        throw new AssertionError({ message: `not within ${withinMs} ms: ${what}; ${JSON.stringify(report)}` });
      }
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

async function nextMessage(child: ChildProcess): Promise<ServerMessage> {
  const aborter = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: aborter.signal }).then(([message]) => message as ServerMessage),
      once(child, 'exit', { signal: aborter.signal }).then(([code]): never => {
        throw new AssertionError({ message: `the server process ended by itself with ${String(code)}` });
      }),
    ]);
  } finally {
    aborter.abort();
  }
}
