/** The least a taker can be sent is sent too when there is but this part of it to spend: better a little too much than nothing. */
const LEAST_PART = 0.75;

/** One who gets a share of what can be sent. */
export interface BitrateTaker {
  /** Beside others, 1–255. */
  readonly priority: number;
  /** Whether `takeLayer` decides what is sent; else the lowest layer is, whether there is room for it or not. */
  readonly hasLayers: boolean;
  /** What each of its layers takes with all below it, bits a second, the lowest first. */
  layerBitrates(nowMs: number): readonly number[];
  /** Sends the layer with this index in what `layerBitrates` gave, −1: nothing. */
  takeLayer(index: number, nowMs: number): void;
}

/** What a taker has so far. */
interface Share {
  readonly taker: BitrateTaker;
  readonly bitrates: readonly number[];
  index: number;
  isDone: boolean;
}

/**
 * Gives out what can be sent: the lowest layer to each by priority, then round by round as many layers more as a taker's
 * priority is, while there is something left.
 * @returns what all of them would take if they could, bits a second
 */
export function distributeBitrate(takers: readonly BitrateTaker[], availableBps: number, nowMs: number): number {
  const shares = takers
    .map((taker): Share => ({ taker, bitrates: taker.layerBitrates(nowMs), index: -1, isDone: false }))
    .sort((a, b) => b.taker.priority - a.taker.priority);
  let leftBps = availableBps;
  // Everybody is to see something before anybody sees more.
  for (const share of shares) leftBps -= takeLowest(share, leftBps);
  let hasChanged = true;
  while (hasChanged) {
    hasChanged = false;
    for (const share of shares) {
      for (let step = 0; step < share.taker.priority && !share.isDone; step++) {
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

/** @returns what it takes of `leftBps` */
function takeLowest(share: Share, leftBps: number): number {
  const { taker, bitrates } = share;
  const least = bitrates.indexOf(Math.min(...bitrates));
  if (least < 0 || (taker.hasLayers && bitrates[least]! * LEAST_PART > leftBps)) {
    share.isDone = true;
    return 0;
  }
  share.index = least;
  return Math.min(bitrates[least]!, leftBps);
}
