import { expect } from 'vitest';
import { type RandomSessionsResult, runRandomSessions } from './random-sessions.ts';
import { RemoteServer } from './remote-server.ts';
import type { ServerReport } from './server-report.ts';

/** Streams are forgotten 3 s after their last use, and a connection that does not take its end 10 s after it. */
const SETTLE_MS = 20_000;

export interface SessionsLeakOptions {
  /** Sessions before the first look at memory: caches and compiled code come with them. */
  readonly warmUp: number;
  readonly count: number;
  readonly concurrency: number;
  readonly seed: number;
}

/** What was left of a server after many sessions, beside what it was before them. */
export interface SessionsLeak {
  readonly sessions: RandomSessionsResult;
  readonly before: ServerReport;
  readonly after: ServerReport;
}

/** Runs random sessions against a server of its own and waits until it has nothing left of them. */
export async function findSessionsLeak(options: SessionsLeakOptions): Promise<SessionsLeak> {
  const { warmUp, count, concurrency, seed } = options;
  const server = await RemoteServer.start({
    latency: 'low',
    rtmp: { handshake_timeout: 2 },
    http: { header_timeout: 2 },
    publish: { grace: 0.5, takeover: 'takeover' },
  });
  try {
    const { rtmpPort, httpPort } = server;
    const atStart = await server.report();
    const isSettled = (report: ServerReport): boolean =>
      report.connections === 0 && Object.keys(report.streams).length === 0 && report.timers <= atStart.timers;
    await runRandomSessions({ rtmpPort, httpPort, count: warmUp, concurrency, seed: seed + 1 });
    const before = await server.reportWhen('nothing is left of the warm-up', isSettled, SETTLE_MS);
    const sessions = await runRandomSessions({ rtmpPort, httpPort, count, concurrency, seed });
    const after = await server.reportWhen('nothing is left', isSettled, SETTLE_MS);
    return { sessions, before, after };
  } finally {
    await server.close();
  }
}

/** Fails when sessions did not get as far as they should have, or left something. */
export function expectNoLeak({ sessions, before, after }: SessionsLeak, allowedGrowthBytes: number): void {
  expect(sessions.published).toBeGreaterThan(sessions.total / 20);
  expect(sessions.watched).toBeGreaterThan(sessions.total / 20);
  expect(after.rtmp.failed['rtmp/internal']).toBeUndefined();
  expect(after.rtmp.connections).toBe(0);
  expect(after.viewers.failed).toBe(0);
  expect(after.heapBytes - before.heapBytes).toBeLessThan(allowedGrowthBytes);
  expect(after.bufferBytes - before.bufferBytes).toBeLessThan(allowedGrowthBytes);
}
