import { LAYERED_RATE_WINDOW_MS, RATE_WINDOW_MS, RateCounter } from './rate-counter.ts';

/** Most spatial and most temporal layers of one stream; descriptors of VP9 and AV1 can name no more. */
export const MAX_LAYERS = 8;

/** What a stream's layers need of one another. */
export type LayerDependency =
  /** A spatial layer needs all those below it. */
  | 'lower-layers'
  /** A spatial layer needs those below it at key frames only (K-SVC), or never (simulcast in one stream). */
  | 'independent';

/** Counts a stream by its layers. Layers beyond those that were announced count in the highest. */
export class LayeredRateCounter {
  readonly #spatialLayers: number;
  readonly #temporalLayers: number;
  readonly #all: RateCounter;
  /** Spatial layer by spatial layer; empty when there is but one layer. */
  readonly #layers: readonly RateCounter[];

  constructor(spatialLayers: number, temporalLayers: number) {
    this.#spatialLayers = atLeastOne(spatialLayers);
    this.#temporalLayers = atLeastOne(temporalLayers);
    const count = this.#spatialLayers * this.#temporalLayers;
    const windowMs = count > 1 ? LAYERED_RATE_WINDOW_MS : RATE_WINDOW_MS;
    this.#all = new RateCounter(windowMs);
    this.#layers = count > 1 ? Array.from({ length: count }, () => new RateCounter(windowMs)) : [];
  }

  /** Packets since the beginning. */
  get packets(): number {
    return this.#all.packets;
  }

  /** Bytes since the beginning. */
  get bytes(): number {
    return this.#all.bytes;
  }

  add(sizeBytes: number, nowMs: number, spatialLayer = 0, temporalLayer = 0): void {
    this.#all.add(sizeBytes, nowMs);
    this.#at(spatialLayer, temporalLayer)?.add(sizeBytes, nowMs);
  }

  /** Bits a second of all layers together. */
  bitrateBps(nowMs: number): number {
    return this.#all.bitrateBps(nowMs);
  }

  /** Bits a second of this one layer. */
  layerBps(nowMs: number, spatialLayer: number, temporalLayer: number): number {
    if (this.#layers.length === 0) return this.bitrateBps(nowMs);
    return this.#at(spatialLayer, temporalLayer)!.bitrateBps(nowMs);
  }

  /**
   * Bits a second it takes to send a spatial and temporal layer with all it depends on; 0 when the layer itself is not
   * sent at present.
   */
  requiredBps(
    nowMs: number,
    spatialLayer: number,
    temporalLayer: number,
    dependency: LayerDependency = 'lower-layers',
  ): number {
    if (this.#layers.length === 0) return this.bitrateBps(nowMs);
    if (this.layerBps(nowMs, spatialLayer, temporalLayer) === 0) return 0;
    let sumBps = 0;
    for (let s = dependency === 'independent' ? spatialLayer : 0; s <= spatialLayer; s++) {
      for (let t = 0; t <= temporalLayer; t++) sumBps += this.layerBps(nowMs, s, t);
    }
    return sumBps;
  }

  /** `requiredBps` of every layer, by `<spatial>.<temporal>`. */
  byLayer(nowMs: number): Record<string, number> {
    const bitrates: Record<string, number> = {};
    if (this.#layers.length === 0) return bitrates;
    for (let s = 0; s < this.#spatialLayers; s++) {
      for (let t = 0; t < this.#temporalLayers; t++) bitrates[`${s}.${t}`] = this.requiredBps(nowMs, s, t);
    }
    return bitrates;
  }

  #at(spatialLayer: number, temporalLayer: number): RateCounter | undefined {
    const s = Math.min(spatialLayer, this.#spatialLayers - 1);
    const t = Math.min(temporalLayer, this.#temporalLayers - 1);
    return this.#layers[s * this.#temporalLayers + t];
  }
}

function atLeastOne(layers: number): number {
  return Math.min(MAX_LAYERS, Math.max(1, Math.floor(layers)));
}
