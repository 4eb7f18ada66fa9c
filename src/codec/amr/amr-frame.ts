/** AMR frame types that carry no speech bits at all: the time of a frame passes without them. */
const NO_BITS = 0;

/** Speech bits by frame type (3GPP TS 26.101 Table 1a); undefined where reserved. */
const NARROWBAND_BITS: readonly (number | undefined)[] = [
  95,
  103,
  118,
  134,
  148,
  159,
  204,
  244,
  39,
  43,
  38,
  37,
  undefined,
  undefined,
  undefined,
  NO_BITS,
];

/** The same of AMR-WB (3GPP TS 26.201 Table 1a). */
const WIDEBAND_BITS: readonly (number | undefined)[] = [
  132,
  177,
  253,
  285,
  317,
  365,
  397,
  461,
  477,
  40,
  undefined,
  undefined,
  undefined,
  undefined,
  NO_BITS,
  NO_BITS,
];

/** Frame types below this are speech, the one itself and those above comfort noise or nothing. */
const FIRST_SILENCE = { amr: 8, 'amr-wb': 9 } as const;

/** AMR comes in two bands; both have frames of 20 ms. */
export type AmrCodec = 'amr' | 'amr-wb';

/** Samples a second. */
export function amrSampleRate(codec: AmrCodec): number {
  return codec === 'amr' ? 8000 : 16_000;
}

/** Speech bits of a frame of this type (0–15); `undefined` for reserved types. */
export function amrSpeechBits(codec: AmrCodec, frameType: number): number | undefined {
  return (codec === 'amr' ? NARROWBAND_BITS : WIDEBAND_BITS)[frameType];
}

/** Whether a frame of this type (0–15) is speech, neither comfort noise nor nothing. */
export function isAmrSpeech(codec: AmrCodec, frameType: number): boolean {
  return frameType < FIRST_SILENCE[codec];
}

/** Frame type in the header byte of the storage format (RFC 4867 §5.3): `0 FT(4) Q 0 0`. */
export function amrFrameType(header: number): number {
  return (header >>> 3) & 15;
}

/** Bytes of the storage-format frame that begins with this header byte, which is counted; `undefined` for reserved types. */
export function amrFrameBytes(codec: AmrCodec, header: number): number | undefined {
  const bits = amrSpeechBits(codec, amrFrameType(header));
  return bits === undefined ? undefined : 1 + ((bits + 7) >>> 3);
}
