/** A simulated datagram link in virtual time: loss, delay, reordering and duplication from a seed. */
import { Random } from './fuzz/mutator.ts';

export interface LinkOptions {
  readonly seed: number;
  /** Of 1000 datagrams, how many are lost; default 0. */
  readonly lossPerMille?: number;
  /** Of 1000 datagrams, how many arrive twice; default 0. */
  readonly duplicatesPerMille?: number;
  /** Of 1000 datagrams, how many are held back by up to `detourMs`; default 0. */
  readonly detoursPerMille?: number;
  readonly detourMs?: number;
  /** What every datagram takes, milliseconds; default 20. */
  readonly delayMs?: number;
}

export interface Arrival<T> {
  readonly atMs: number;
  readonly datagram: T;
}

/** What arrives of datagrams sent at given times, in the order of arrival. */
export function overLossyLink<T>(sent: readonly Arrival<T>[], options: LinkOptions): Arrival<T>[] {
  const random = new Random(options.seed);
  const happens = (perMille: number | undefined): boolean => random.below(1000) < (perMille ?? 0);
  const delayMs = options.delayMs ?? 20;
  const arrivals: Arrival<T>[] = [];
  for (const { atMs, datagram } of sent) {
    if (happens(options.lossPerMille)) continue;
    const detourMs = happens(options.detoursPerMille) ? random.below((options.detourMs ?? 0) + 1) : 0;
    arrivals.push({ atMs: atMs + delayMs + detourMs, datagram });
    if (happens(options.duplicatesPerMille)) arrivals.push({ atMs: atMs + delayMs + random.below(30), datagram });
  }
  return arrivals.sort((a, b) => a.atMs - b.atMs);
}
