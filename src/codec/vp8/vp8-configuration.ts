import type { VpCodecConfiguration } from '../vp9/vp-codec-configuration.ts';
import type { Vp8FrameHeader } from './frame-header.ts';

/** H.273 "unspecified": VP8 says nothing about its colours but that they are BT.601-like (RFC 6386 §9.2). */
const UNSPECIFIED = 2;

/** The vpcC that describes a VP8 stream by a frame of it: always 8 bits, 4:2:0, and without levels. */
export function vp8ConfigurationFromFrame(header: Vp8FrameHeader): VpCodecConfiguration {
  return {
    profile: header.version,
    level: 0,
    bitDepth: 8,
    chromaSubsampling: 1,
    fullRange: false,
    colourPrimaries: UNSPECIFIED,
    transferCharacteristics: UNSPECIFIED,
    matrixCoefficients: UNSPECIFIED,
  };
}
