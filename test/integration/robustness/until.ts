import { AssertionError } from 'node:assert';

const POLL_MS = 5;

/** Resolves as soon as `condition` holds; fails with `what` when it does not within `withinMs`. */
export async function until(what: string, condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new AssertionError({ message: `not within ${withinMs} ms: ${what}` });
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}
