import { setTimeout as delay } from 'node:timers/promises';

/** Waits `delayMs`. Resolves with false, early, when `signal` aborts. */
export async function sleep(delayMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(delayMs, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
