import type { LayerLadder, LayerStep, Layers } from './layer-ladder.ts';

/** After the spatial layer had to be lowered for want of bandwidth, it is not raised for so long, milliseconds. */
export const CONSERVATIVE_MS = 10_000;

/** With less loss than this there is more to be had than the estimate says … */
const LOW_LOSS = 0.02;
const LOW_LOSS_FACTOR = 1.08;
/** … and with more, less. */
const HIGH_LOSS = 0.1;
const HIGH_LOSS_WEIGHT = 0.5;

/** What a consumer remembers from one choice to the next. */
export interface LayerHistory {
  /** What was chosen last. */
  readonly target: Layers | undefined;
  /** When bandwidth last lowered the spatial layer. */
  readonly loweredMs: number | undefined;
}

/** Of a consumer for which nothing was chosen yet. */
export const NO_LAYER_HISTORY: LayerHistory = { target: undefined, loweredMs: undefined };

/** What is chosen: the layers are `step`, and the history is for the next choice. */
export interface LayerChoice {
  /** `undefined` when nothing can be sent: there is nothing, or too little bandwidth for the least. */
  readonly step: LayerStep | undefined;
  readonly history: LayerHistory;
}

/**
 * The best step there is bandwidth for.
 * @param availableBps bits a second for this consumer; without end where nothing limits it
 */
export function chooseLayers(
  ladder: LayerLadder,
  availableBps: number,
  history: LayerHistory,
  nowMs: number,
): LayerChoice {
  const allowed = allowedSteps(ladder, history, nowMs);
  let step: LayerStep | undefined;
  for (const candidate of allowed) if (candidate.bitrateBps <= availableBps) step = candidate;
  return { step, history: toHistory(ladder, step, history, nowMs) };
}

/** The steps that may be taken now: none above the current spatial layer while it was lowered lately. */
export function allowedSteps(ladder: LayerLadder, { target, loweredMs }: LayerHistory, nowMs: number): LayerLadder {
  if (target === undefined || loweredMs === undefined || nowMs - loweredMs >= CONSERVATIVE_MS) return ladder;
  const low = ladder.filter(({ spatialLayer }) => spatialLayer <= target.spatialLayer);
  // When the current layer is gone, what is above it is no luxury.
  return low.length > 0 ? low : ladder;
}

/**
 * Where the bandwidth of several consumers is shared out step by step: the next one up that fits.
 * @param ladder `allowedSteps` of it
 * @param index the step reached so far, −1 for none
 * @param budgetBps bits a second to spend on top of what the step reached so far takes
 * @returns its index, or −1
 */
export function nextStepIndex(ladder: LayerLadder, index: number, budgetBps: number): number {
  const spentBps = index < 0 ? 0 : ladder[index]!.bitrateBps;
  for (let next = index + 1; next < ladder.length; next++) {
    if (ladder[next]!.bitrateBps - spentBps <= budgetBps) return next;
  }
  return -1;
}

/** What is to be remembered when `step` was taken, by `chooseLayers` or in a sharing out. */
export function toHistory(
  ladder: LayerLadder,
  step: LayerStep | undefined,
  history: LayerHistory,
  nowMs: number,
): LayerHistory {
  const { target, loweredMs } = history;
  const spatialLayer = step?.spatialLayer ?? -1;
  // A layer that is not there any more, or not wanted, was not lost to bandwidth.
  const isLowered =
    target !== undefined &&
    spatialLayer < target.spatialLayer &&
    ladder.some((other) => other.spatialLayer > spatialLayer);
  const layers = step && { spatialLayer: step.spatialLayer, temporalLayer: step.temporalLayer };
  return { target: layers, loweredMs: isLowered ? nowMs : loweredMs };
}

/** What of an estimate can be spent, given the part of packets that get lost (0–1). */
export function usableBps(availableBps: number, lossFraction: number): number {
  if (lossFraction < LOW_LOSS) return availableBps * LOW_LOSS_FACTOR;
  return lossFraction > HIGH_LOSS ? availableBps * (1 - HIGH_LOSS_WEIGHT * lossFraction) : availableBps;
}
