import { type LayerBitrates, type LayerLadder, type LayerStep, type Layers, temporalSteps } from './layer-ladder.ts';

/** The one stream of a producer with layers (SVC, K-SVC) as a consumer sees it. */
export interface SvcStream {
  /** 0–10; 0 when nothing comes. */
  readonly score: number;
  /** `layerBitrates` of the stream; where spatial layers are independent (K-SVC), with that dependency. */
  readonly bitratesBps: LayerBitrates;
}

/**
 * What can be sent of a stream with layers. No spatial layer is above the preferred one, unless there is no other: then the
 * lowest above it. No temporal layer is.
 */
export function svcLadder(stream: SvcStream | undefined, preferred: Layers): LayerLadder {
  const ladder: LayerStep[] = [];
  if (stream === undefined || stream.score === 0) return ladder;
  for (const [spatialLayer, bitratesBps] of stream.bitratesBps.entries()) {
    if (spatialLayer > preferred.spatialLayer && ladder.length > 0) break;
    ladder.push(...temporalSteps(spatialLayer, bitratesBps, preferred));
  }
  return ladder;
}
