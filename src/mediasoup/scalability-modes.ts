/** Layers of one encoding (W3C WebRTC-SVC §6). */
export interface ScalabilityMode {
  spatialLayers: number;
  temporalLayers: number;
  /** Spatial layers depend on each other only in key frames. */
  ksvc: boolean;
}

const pattern = /^[LS]([1-9]\d?)T([1-9]\d?)(_KEY)?/;

/** Reads `L3T2_KEY` and its like; one layer of each kind when the text is missing or says something else. */
export function parseScalabilityMode(scalabilityMode?: string): ScalabilityMode {
  const match = pattern.exec(scalabilityMode ?? '');
  return match === null
    ? { spatialLayers: 1, temporalLayers: 1, ksvc: false }
    : { spatialLayers: Number(match[1]), temporalLayers: Number(match[2]), ksvc: match[3] !== undefined };
}
