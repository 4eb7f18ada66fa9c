import type { LayerLadder, LayerStep, Layers } from './layer-ladder.ts';

/** After the spatial layer had to be lowered for want of bandwidth, it is not raised for so long, milliseconds. */
export const CONSERVATIVE_MS = 10_000;

/** What a consumer remembers from one choice to the next. */
export interface LayerHistory {
  /** What was chosen last. */
  readonly target: Layers | undefined;
  /** When bandwidth last lowered the spatial layer. */
  readonly loweredMs: number | undefined;
}

/** Of a consumer for which nothing was chosen yet. */
export const NO_LAYER_HISTORY: LayerHistory = { target: undefined, loweredMs: undefined };

/** The steps that may be taken now: none above the current spatial layer while it was lowered lately. */
export function allowedSteps(ladder: LayerLadder, { target, loweredMs }: LayerHistory, nowMs: number): LayerLadder {
  if (target === undefined || loweredMs === undefined || nowMs - loweredMs >= CONSERVATIVE_MS) return ladder;
  const low = ladder.filter(({ spatialLayer }) => spatialLayer <= target.spatialLayer);
  // When the current layer is gone, what is above it is no luxury.
  return low.length > 0 ? low : ladder;
}

/** What is to be remembered when `step` was taken; `undefined`: none. */
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
