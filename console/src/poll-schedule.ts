/** Time between two questions to a server that answers. */
export const POLL_INTERVAL_MS = 1000;
/** Longest time between two questions to a server that does not answer. */
export const MAX_POLL_INTERVAL_MS = 10_000;

/** How long to wait before the next question after so many failures in a row: 1, 1, 2, 4, 8, 10, 10, … seconds. */
export function pollDelayMs(failuresInRow: number): number {
  return Math.min(POLL_INTERVAL_MS * 2 ** Math.max(0, Math.min(failuresInRow, 30) - 1), MAX_POLL_INTERVAL_MS);
}
