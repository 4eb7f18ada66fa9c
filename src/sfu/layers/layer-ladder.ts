import type { LayerDependency, LayeredRateCounter } from '../streams/layered-rate-counter.ts';

/** A spatial and a temporal layer, each from 0, with all that they depend on. */
export interface Layers {
  readonly spatialLayer: number;
  readonly temporalLayer: number;
}

/** Layers that can be sent, and what they take. */
export interface LayerStep extends Layers {
  /** Bits a second of all that is sent for them. */
  readonly bitrateBps: number;
}

/** What can be sent now within what is preferred, the least first: spatial before temporal layers decide. */
export type LayerLadder = readonly LayerStep[];

/** Layers as an application asks for them. */
export interface WantedLayers {
  readonly spatialLayer: number;
  /** Left out: the highest. */
  readonly temporalLayer?: number | undefined;
}

/** Bitrates by spatial and temporal layer: `[spatial][temporal]`, with what each depends on; 0 for what is not sent. */
export type LayerBitrates = readonly (readonly number[])[];

/** What there is of the wanted layers; the highest of all when none are wanted. */
export function toPreferredLayers(
  wanted: WantedLayers | undefined,
  spatialLayers: number,
  temporalLayers: number,
): Layers {
  const [maxSpatial, maxTemporal] = [Math.max(1, spatialLayers) - 1, Math.max(1, temporalLayers) - 1];
  return {
    spatialLayer: clamp(wanted?.spatialLayer ?? maxSpatial, maxSpatial),
    temporalLayer: clamp(wanted?.temporalLayer ?? maxTemporal, maxTemporal),
  };
}

/** The bitrates of a stream by layer, as `simulcastLadder` (one row) and `svcLadder` take them. */
export function layerBitrates(
  rate: LayeredRateCounter,
  nowMs: number,
  layers: { readonly spatialLayers: number; readonly temporalLayers: number },
  dependency: LayerDependency = 'lower-layers',
): LayerBitrates {
  const rows: number[][] = [];
  for (let s = 0; s < layers.spatialLayers; s++) {
    const row: number[] = [];
    for (let t = 0; t < layers.temporalLayers; t++) row.push(rate.requiredBps(nowMs, s, t, dependency));
    rows.push(row);
  }
  return rows;
}

/** The steps of one spatial layer, by the bitrates of its temporal layers; those that are not sent make none. */
export function temporalSteps(spatialLayer: number, bitratesBps: readonly number[], preferred: Layers): LayerStep[] {
  const steps: LayerStep[] = [];
  const end = Math.min(bitratesBps.length, preferred.temporalLayer + 1);
  for (let temporalLayer = 0; temporalLayer < end; temporalLayer++) {
    const bitrateBps = bitratesBps[temporalLayer]!;
    if (bitrateBps > 0) steps.push({ spatialLayer, temporalLayer, bitrateBps });
  }
  return steps;
}

function clamp(layer: number, highest: number): number {
  return Math.min(highest, Math.max(0, Math.floor(layer)));
}
