import { AssertionError } from 'node:assert';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { FanOutAnswer, FanOutCommand, FanOutPorts, Latency } from './fan-out-protocol.ts';
import { nodeIn, RemoteServer } from './remote-server.ts';
import type { ServerReport } from './server-report.ts';

const PROGRAM = new URL('./fan-out-load.ts', import.meta.url);
const SETTLE_MS = 60_000;
const SETTLE_WINDOW_MS = 500;

/** A load process, one command at a time. */
class FanOutLoad {
  readonly #child: ChildProcess;

  constructor(ports: FanOutPorts, namespace: string | undefined) {
    this.#child = fork(PROGRAM, [JSON.stringify(ports)], nodeIn(namespace, ['--no-warnings']));
  }

  async do(command: FanOutCommand): Promise<Latency | undefined> {
    this.#child.send(command);
    const [answer] = (await once(this.#child, 'message')) as [FanOutAnswer];
    if (answer.type === 'failed') throw new AssertionError({ message: `${command.type}: ${answer.reason}` });
    return answer.type === 'latency' ? answer.latency : undefined;
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

export interface FanOutTrialOptions {
  readonly latency: 'normal' | 'low' | 'realtime';
  /** Viewers that read, and as many that do not. */
  readonly viewers: number;
  /** Length of one measured window, milliseconds. */
  readonly windowMs: number;
  /** Pairs of windows, without and with stalled viewers, in each of the two lives. Their number is fixed: stopping at the first good one would flatter. */
  readonly roundCount: number;
  /** Network namespace for the server and both load processes. */
  readonly namespace?: string;
}

/** Latency of the viewers that read, in two windows one after the other. */
interface Round {
  readonly without: Latency;
  readonly with: Latency;
}

/** What a trial found out. */
export interface FanOutTrial {
  /** Latency with stalled viewers divided by that without. */
  readonly p50Ratio: number;
  readonly p99Ratio: number;
  readonly rounds: readonly Round[];
  readonly before: ServerReport;
  readonly after: ServerReport;
  /** Resident memory after each life: two, or three when the second left more than is allowed. */
  readonly rssBytes: readonly number[];
}

/** The most memory may be of what it was. */
const ALLOWED_MEMORY_RATIO = 1.1;

/**
 * Watches a stream with viewers that read, again and again without and with as many that do not, and lets all leave; then
 * the same once more. Memory after the second life is compared with that after the first, which was as long: its log
 * held as much, so code that was compiled and arenas that the allocator keeps are the same in both, and a leak is not.
 * Heap and buffers are counted exactly. Resident memory also depends on where things come to lie and on when the
 * collector ran, so once in a while it grows without a leak: when it did, there is a third life, in which a leak grows
 * again as much.
 */
export async function tryFanOut(options: FanOutTrialOptions): Promise<FanOutTrial> {
  const { viewers, windowMs, roundCount } = options;
  const server = await RemoteServer.start(
    {
      latency: options.latency,
      // Stalled viewers shall stay; the log keeps the burst they ask for.
      play: { stall_timeout: 3600, log_seconds: 3600, log_max_size: 64 * 1024 * 1024 },
      publish: { grace: 0 },
    },
    options.namespace,
  );
  const healthy = new FanOutLoad(server, options.namespace);
  const stalled = new FanOutLoad(server, options.namespace);
  const isEmpty = ({ connections, streams }: ServerReport): boolean =>
    connections === 0 && Object.keys(streams).length === 0;
  const stallAll = async (): Promise<void> => {
    await stalled.do({ type: 'stall', count: viewers });
    await server.reportWhen(
      'all stalled viewers are full',
      (report) => report.waitingConnections >= viewers,
      SETTLE_MS,
    );
  };
  const window = async (): Promise<Latency> => {
    // What the coming or going of half the connections costs is over before the window begins.
    await healthy.do({ type: 'measure', durationMs: SETTLE_WINDOW_MS });
    return (await healthy.do({ type: 'measure', durationMs: windowMs }))!;
  };
  /** One life of the stream: it is published and watched, disturbed in every round, and left by all. */
  const live = async (): Promise<{ rounds: Round[]; left: ServerReport }> => {
    await healthy.do({ type: 'publish' });
    await healthy.do({ type: 'watch', count: viewers });
    const rounds: Round[] = [];
    while (rounds.length < roundCount) {
      const without = await window();
      await stallAll();
      rounds.push({ without, with: await window() });
      await stalled.do({ type: 'leave' });
      await server.reportWhen('stalled viewers are gone', ({ waitingConnections }) => waitingConnections === 0);
    }
    await healthy.do({ type: 'leave' });
    return { rounds, left: await server.reportWhen('nothing is left', isEmpty, SETTLE_MS) };
  };
  try {
    const { rounds: firstRounds, left: before } = await live();
    const { rounds: secondRounds, left: after } = await live();
    const rounds = [...firstRounds, ...secondRounds];
    const rssBytes = [before.rssBytes, after.rssBytes];
    if (leastGrowth(rssBytes) >= ALLOWED_MEMORY_RATIO - 1) rssBytes.push((await live()).left.rssBytes);
    return {
      p50Ratio: ratioOf(rounds, (latency) => latency.p50Ms),
      p99Ratio: ratioOf(rounds, (latency) => latency.p99Ms),
      rounds,
      before,
      after,
      rssBytes,
    };
  } finally {
    await Promise.all([healthy.close(), stalled.close()]);
    await server.close();
  }
}

/** The largest ratio each percentile may have; one left out is not compared. */
export interface AllowedRatios {
  readonly p50?: number;
  readonly p99?: number;
}

/** Fails when stalled viewers disturbed the others more than allowed or when memory did not come back. */
export function expectUndisturbed(trial: FanOutTrial, allowed: AllowedRatios): void {
  const shown = JSON.stringify(trial.rounds);
  expect(trial.rounds.map((round) => round.without.gaps + round.with.gaps)).toEqual(trial.rounds.map(() => 0));
  const { before, after } = trial;
  expect(after.viewers).toMatchObject({ stalled: 0, overflowed: 0, failed: 0 });
  expect(after.heapBytes / before.heapBytes).toBeLessThan(ALLOWED_MEMORY_RATIO);
  expect(after.bufferBytes / before.bufferBytes).toBeLessThan(ALLOWED_MEMORY_RATIO);
  expect(leastGrowth(trial.rssBytes), `RSS ${trial.rssBytes.join(', ')}`).toBeLessThan(ALLOWED_MEMORY_RATIO - 1);
  // The latencies last: what else went wrong would explain them.
  if (allowed.p50 !== undefined) expect(trial.p50Ratio, `p50 of ${shown}`).toBeLessThan(allowed.p50);
  if (allowed.p99 !== undefined) expect(trial.p99Ratio, `p99 of ${shown}`).toBeLessThan(allowed.p99);
}

/** What memory grew by in the life in which it grew least, as a part of what it was after the first. */
function leastGrowth(bytes: readonly number[]): number {
  return Math.min(...bytes.slice(1).map((now, i) => (now - bytes[i]!) / bytes[0]!));
}

/** Median of the windows with stalled viewers over that of the windows without: one noisy window moves neither. */
function ratioOf(rounds: FanOutTrial['rounds'], pick: (latency: Latency) => number): number {
  return median(rounds.map((round) => pick(round.with))) / median(rounds.map((round) => pick(round.without)));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
