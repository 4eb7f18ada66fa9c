import { bench, do_not_optimize, run } from 'mitata';
import { BenchError } from '../load/errors.ts';

/** What one call of a measured function works through. */
export interface Work {
  readonly bytes: number;
  readonly items: number;
  /** Singular: `chunk`, `frame`, `message`. */
  readonly item: string;
}

const works = new Map<string, Work>();

/**
 * Registers a benchmark whose result is told in MB/s and ns an item as well. `fn` gives what it made or found, bytes or
 * items; when that is less than `work.items` it did not do its work, and the benchmark is refused.
 */
export function benchWork(name: string, work: Work, fn: () => number): void {
  if (fn() < work.items) throw new BenchError('bench/no-work', `${name} did not work through its input`);
  works.set(name, work);
  bench(name, () => do_not_optimize(fn()));
}

/** Runs what was registered and prints mitata's table, then throughput. */
export async function runWorks(): Promise<void> {
  const { benchmarks } = await run({ colors: process.stdout.isTTY });
  process.stdout.write('\n');
  for (const { alias, runs } of benchmarks) {
    const work = works.get(alias);
    const nanoseconds = runs[0]?.stats?.avg;
    if (work === undefined || nanoseconds === undefined) continue;
    const rate = ((work.bytes / nanoseconds) * 1000).toFixed(0).padStart(7);
    const each = (nanoseconds / work.items).toFixed(0).padStart(7);
    process.stdout.write(`${alias.padEnd(44)} ${rate} MB/s ${each} ns per ${work.item}\n`);
  }
}
