/** A media worker that says on stdout, when SIGUSR2 comes, how much it holds. Started by `createWorker({ workerBin })`. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a process holds after a collection. */
export interface ProcessReport {
  readonly heapBytes: number;
  /** Outside the heap: buffers. */
  readonly bufferBytes: number;
  /** Timers that are set. */
  readonly timers: number;
}

/** Before the line of a report. */
export const REPORT_PREFIX = 'report ';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What this process holds. @param timers that are set, where somebody counts them */
export async function reportOfProcess(timers: number): Promise<ProcessReport> {
  // What one collection frees lets the next one free more.
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heapBytes: heapUsed, bufferBytes: arrayBuffers, timers };
}

if (process.env['MEDIASOUP_VERSION'] !== undefined && process.argv[1] === import.meta.filename) {
  const timers = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  globalThis.setTimeout = Object.assign((task: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]) => {
    const timer = set(() => {
      timers.delete(timer);
      task(...args);
    }, delayMs);
    timers.add(timer);
    return timer;
  }, set);
  globalThis.clearTimeout = (timer) => {
    timers.delete(timer);
    clear(timer);
  };
  process.on('SIGUSR2', () => {
    void reportOfProcess(timers.size).then((report) => console.log(REPORT_PREFIX + JSON.stringify(report)));
  });
  await import('../../../src/worker/main.ts');
}
