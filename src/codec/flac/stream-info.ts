import { BitReader } from '../../wire/bit-reader.ts';

const MAGIC = 0x664c6143; // "fLaC"
const STREAMINFO_BYTES = 34;
const BLOCK_HEADER_BYTES = 4;

/** STREAMINFO (RFC 9639 §8.2). */
export interface FlacStreamInfo {
  /** Samples of each channel in the shortest and longest block. */
  readonly minBlockSize: number;
  readonly maxBlockSize: number;
  readonly sampleRate: number;
  /** 1–8. */
  readonly channels: number;
  /** 4–32. */
  readonly bitsPerSample: number;
  /** Samples of each channel in the whole stream; 0 unknown. */
  readonly totalSamples: number;
}

/**
 * Parses `fLaC` and the STREAMINFO block behind it, or the 34 bytes of STREAMINFO alone. `undefined` when they are cut
 * off or the sample rate is 0. Never throws.
 */
export function parseFlacStreamInfo(bytes: Uint8Array): FlacStreamInfo | undefined {
  const bits = new BitReader(bytes.subarray(0, 4 + BLOCK_HEADER_BYTES + STREAMINFO_BYTES));
  if (bytes.length !== STREAMINFO_BYTES) {
    if (bits.bits(32) !== MAGIC) return undefined;
    bits.skip(1); // last-metadata-block flag
    if (bits.bits(7) !== 0 || bits.bits(24) !== STREAMINFO_BYTES) return undefined;
  }
  const minBlockSize = bits.bits(16);
  const maxBlockSize = bits.bits(16);
  bits.skip(48); // frame sizes
  const sampleRate = bits.bits(20);
  const channels = bits.bits(3) + 1;
  const bitsPerSample = bits.bits(5) + 1;
  const totalSamples = bits.bits(4) * 2 ** 32 + bits.bits(32);
  bits.skip(128); // MD5 of the samples
  if (bits.overrun || sampleRate === 0) return undefined;
  return { minBlockSize, maxBlockSize, sampleRate, channels, bitsPerSample, totalSamples };
}
