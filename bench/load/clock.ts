/**
 * Microseconds of CLOCK_MONOTONIC. The clock is the same for every process of one machine, so a stamp made by the
 * publisher process can be compared with an arrival in the viewer process.
 */
export function monotonicUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1000);
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
