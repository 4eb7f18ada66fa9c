/**
 * Options as applications give them. Those in JavaScript read them from files, requests and the environment: what is
 * left out is `null` there, and a port is text. mediasoup takes both.
 */

/** A copy in which what is `null` is left out. */
export function withoutNulls<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)) as T;
}

/** A number for one that is written out, as `'40000'` is; anything else as it is, to be checked by who takes it. */
export function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}
