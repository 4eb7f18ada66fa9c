import { type LayerLadder, type LayerStep, type Layers, temporalSteps } from './layer-ladder.ts';

/** A stream that has come for less is not switched to while there is an older one, milliseconds: many come and go. */
export const MIN_ACTIVE_MS = 2000;

/** A stream with a lower score is not switched to while there is a lower layer with this one: it may be about to stop. */
export const GOOD_SCORE = 5;

/** One stream of a simulcast producer as a consumer sees it: a spatial layer. */
export interface SimulcastStream {
  /** 0–10; 0 when nothing comes. */
  readonly score: number;
  /** For how long it has come without a pause, milliseconds. */
  readonly activeMs: number;
  /** Whether its timestamps can be tied to those of the stream that is sent now. */
  readonly canSwitch: boolean;
  /** By temporal layer, each with those below it; 0 for what is not sent. */
  readonly bitratesBps: readonly number[];
}

/**
 * What can be sent of a simulcast producer. No spatial layer is above the preferred one, unless there is no other: then the
 * lowest above it. No temporal layer is.
 * @param streams by spatial layer; `undefined` for those that have not come yet
 * @param currentSpatialLayer what is sent now, which needs no switch
 */
export function simulcastLadder(
  streams: readonly (SimulcastStream | undefined)[],
  preferred: Layers,
  currentSpatialLayer?: number,
): LayerLadder {
  const isThere = (s: number): boolean => isCandidate(streams[s], s === currentSpatialLayer);
  const isSteady = (s: number): boolean =>
    isThere(s) && (s === currentSpatialLayer || streams[s]!.activeMs >= MIN_ACTIVE_MS);
  const spatialLayers = [...streams.keys()];
  const steady = spatialLayers.filter(isSteady);
  // New ones alone are better than nothing.
  const candidates = steady.length > 0 ? steady : spatialLayers.filter(isThere);
  const ladder: LayerStep[] = [];
  let hasGood = false;
  for (const spatialLayer of candidates) {
    if (spatialLayer > preferred.spatialLayer && ladder.length > 0) break;
    const isGood = streams[spatialLayer]!.score >= GOOD_SCORE;
    if (hasGood && !isGood && spatialLayer !== currentSpatialLayer) continue;
    hasGood ||= isGood;
    ladder.push(...temporalSteps(spatialLayer, streams[spatialLayer]!.bitratesBps, preferred));
  }
  return ladder;
}

function isCandidate(stream: SimulcastStream | undefined, isCurrent: boolean): boolean {
  return stream !== undefined && stream.score > 0 && (stream.canSwitch || isCurrent);
}
