/** One who gets a share of what can be sent. */
export interface BitrateTaker {
  /** Beside others, 1–255. */
  readonly priority: number;
  /** What each of its layers takes with all below it, bits a second, the lowest first. */
  layerBitrates(nowMs: number): readonly number[];
  /** Sends the layer with this index in what `layerBitrates` gave, −1: nothing. */
  takeLayer(index: number, nowMs: number): void;
}

/**
 * Gives out what can be sent: the lowest layer to each by priority, then round by round as many layers more as a taker's
 * priority is, while there is something left.
 * @returns what all of them would take if they could, bits a second
 */
export function distributeBitrate(takers: readonly BitrateTaker[], availableBps: number, nowMs: number): number {
  const shares = takers
    .map((taker) => ({ taker, bitrates: taker.layerBitrates(nowMs), index: -1, isDone: false }))
    .sort((a, b) => b.taker.priority - a.taker.priority);
  let leftBps = availableBps;
  let hasChanged = true;
  for (let round = 0; hasChanged; round++) {
    hasChanged = false;
    for (const share of shares) {
      // Everybody is to see something before anybody sees more.
      const steps = round === 0 ? 1 : share.taker.priority;
      for (let step = 0; step < steps && !share.isDone; step++) {
        const takenBps = share.bitrates[share.index] ?? 0;
        // A step may take more than one above it.
        const next = share.bitrates.findIndex((bps, index) => index > share.index && bps - takenBps <= leftBps);
        if (next < 0) {
          share.isDone = true;
        } else {
          leftBps -= share.bitrates[next]! - takenBps;
          share.index = next;
          hasChanged = true;
        }
      }
    }
  }
  for (const { taker, index } of shares) taker.takeLayer(index, nowMs);
  return shares.reduce((sum, { bitrates }) => sum + (bitrates.at(-1) ?? 0), 0);
}
