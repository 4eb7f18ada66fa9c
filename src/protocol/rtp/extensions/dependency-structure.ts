import type { BitCursor } from './bit-cursor.ts';

/** Most decode targets a structure has, by the width of its field. */
export const MAX_DECODE_TARGETS = 32;

/** Most templates a structure has, by the width of their ids. */
export const MAX_DEPENDENCY_TEMPLATES = 64;

/** Most frames one frame may name as referred to. A frame of AV1 has 7 references; more than these are refused. */
export const MAX_FRAME_DIFFERENCES = 16;

/** Highest spatial layer, by the two bits AV1 has for it. */
export const MAX_SPATIAL_ID = 3;

/** Highest temporal layer, by the three bits AV1 has for it. */
export const MAX_TEMPORAL_ID = 7;

/** What a frame is to a decode target (AV1 RTP specification, table A.1). */
export const DECODE_TARGET_INDICATION = {
  /** No part of it. */
  notPresent: 0,
  /** A part that nothing else needs. */
  discardable: 1,
  /** A part from which on the target can be decoded, when its chain is whole. */
  switch: 2,
  required: 3,
} as const;

/** What most frames of a layer have in common (appendix A.4). */
export interface DependencyTemplate {
  readonly spatialId: number;
  readonly temporalId: number;
  /** A `DECODE_TARGET_INDICATION` for each decode target. */
  readonly indications: readonly number[];
  /** How many frames before it, in decoding order, those are that it refers to; 1–16. */
  readonly frameDiffs: readonly number[];
  /** For each chain, how many frames before it the chain's frame before is; 0: none is needed. */
  readonly chainDiffs: readonly number[];
}

/** A part of a stream that can be decoded by itself: all layers up to these. */
export interface DecodeTarget {
  readonly spatialId: number;
  readonly temporalId: number;
  /** Index of the chain that protects it; −1 when the structure has no chains. */
  readonly chain: number;
}

/** How the frames of a coded video sequence depend on each other (AV1 RTP specification, appendix A.4). */
export interface DependencyStructure {
  /** Id of the first template; the others follow, modulo 64. */
  readonly templateIdOffset: number;
  readonly chainCount: number;
  readonly templates: readonly DependencyTemplate[];
  /** In the order of bits in masks: the first is the lowest. */
  readonly decodeTargets: readonly DecodeTarget[];
  /** Largest pictures, for each spatial layer; empty when not told. */
  readonly resolutions: readonly { readonly width: number; readonly height: number }[];
}

/** Bits of all decode targets of a structure. */
export function allDecodeTargets({ decodeTargets }: DependencyStructure): number {
  return 2 ** decodeTargets.length - 1;
}

/** The template with this id; `undefined` when the structure has none. */
export function templateOf(structure: DependencyStructure, templateId: number): DependencyTemplate | undefined {
  return structure.templates[(templateId - structure.templateIdOffset) & (MAX_DEPENDENCY_TEMPLATES - 1)];
}

interface Layer {
  readonly spatialId: number;
  readonly temporalId: number;
}

/**
 * Reads a template dependency structure (appendix A.4.1).
 * @returns `undefined` when it is cut off or beyond a limit
 */
export function readDependencyStructure(bits: BitCursor): DependencyStructure | undefined {
  const templateIdOffset = bits.bits(6);
  const targetCount = bits.bits(5) + 1;
  const layers = readLayers(bits);
  if (layers === undefined) return undefined;
  const indications = layers.map(() => Array.from({ length: targetCount }, () => bits.bits(2)));
  const frameDiffs: (readonly number[])[] = [];
  for (let i = 0; i < layers.length; i++) {
    const diffs: number[] = [];
    while (bits.flag()) {
      if (diffs.length === MAX_FRAME_DIFFERENCES) return undefined;
      diffs.push(bits.bits(4) + 1);
    }
    frameDiffs.push(diffs);
  }
  const chainCount = bits.nonSymmetric(targetCount + 1);
  const chains = Array.from({ length: targetCount }, () => (chainCount === 0 ? -1 : bits.nonSymmetric(chainCount)));
  const chainDiffs = layers.map(() => Array.from({ length: chainCount }, () => bits.bits(4)));
  const spatialLayers = layers[layers.length - 1]!.spatialId + 1;
  const hasResolutions = bits.flag();
  const resolutions = Array.from({ length: hasResolutions ? spatialLayers : 0 }, () => ({
    width: bits.bits(16) + 1,
    height: bits.bits(16) + 1,
  }));
  if (bits.overrun) return undefined;
  const templates = layers.map((layer, i) => ({
    ...layer,
    indications: indications[i]!,
    frameDiffs: frameDiffs[i]!,
    chainDiffs: chainDiffs[i]!,
  }));
  const decodeTargets = chains.map((chain, target) => ({ ...highestLayer(templates, target), chain }));
  return { templateIdOffset, chainCount, templates, decodeTargets, resolutions };
}

/** Layers of the templates, in their order. */
function readLayers(bits: BitCursor): readonly Layer[] | undefined {
  const layers: Layer[] = [];
  let spatialId = 0;
  let temporalId = 0;
  for (;;) {
    if (layers.length === MAX_DEPENDENCY_TEMPLATES || bits.overrun) return undefined;
    layers.push({ spatialId, temporalId });
    const next = bits.bits(2);
    if (next === 3) return layers;
    if (next === 1) temporalId++;
    if (next === 2) {
      spatialId++;
      temporalId = 0;
    }
    if (spatialId > MAX_SPATIAL_ID || temporalId > MAX_TEMPORAL_ID) return undefined;
  }
}

/** A target ends at the highest layers of the templates that are a part of it. */
function highestLayer(templates: readonly DependencyTemplate[], target: number): Layer {
  let spatialId = 0;
  let temporalId = 0;
  for (const template of templates) {
    if (template.indications[target] === DECODE_TARGET_INDICATION.notPresent) continue;
    spatialId = Math.max(spatialId, template.spatialId);
    temporalId = Math.max(temporalId, template.temporalId);
  }
  return { spatialId, temporalId };
}
