import { ByteReader } from '../../wire/byte-reader.ts';
import { type Box, childBoxes } from './box.ts';

/** What the fixed part of an audio sample entry says, and the boxes behind it. */
export interface SoundSampleEntry {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitsPerSample: number;
  /** QuickTime's version 2 only: Core Audio's format flags, and bits of a sample. */
  readonly linear?: { readonly flags: number; readonly bits: number };
  readonly boxes: readonly Box[];
}

const VERSION_1_BYTES = 16;
const MAX_CHANNELS = 64;
const MAX_SAMPLE_RATE = 1_536_000;

/**
 * Parses the body of an audio sample entry (ISO/IEC 14496-12 §12.2.3; QuickTime File Format, "Sound Sample Descriptions"
 * version 0, 1 and 2). Undefined when it is cut short or has impossible numbers.
 *
 *     reserved(48) data_reference_index(16) version(16) revision(16) vendor(32)
 *     channels(16) bits(16) compression(16) packet_size(16) rate(16.16)
 *     version 1: samples/packet(32) bytes/packet(32) bytes/frame(32) bytes/sample(32)
 *     version 2: size(32) rate(64, float) channels(32) 7f000000(32) bits(32) flags(32) bytes/packet(32) frames/packet(32)
 *
 * @param isQuickTimeVersion the `stsd` has version 0: in version 1 of ISO the entry of version 1 is as long as that of 0
 * @param timescale stands in for a rate of 0, which is what rates above 65,535 Hz are written as
 */
export function parseSoundSampleEntry(
  body: Uint8Array,
  isQuickTimeVersion: boolean,
  timescale: number,
): SoundSampleEntry | undefined {
  const reader = new ByteReader(body, 8);
  const version = reader.u16();
  reader.skip(6);
  let channels = reader.u16();
  const bitsPerSample = reader.u16();
  reader.skip(4);
  let sampleRate = reader.u32() / 65_536;
  let linear: SoundSampleEntry['linear'];
  if (version === 1 && isQuickTimeVersion) reader.skip(VERSION_1_BYTES);
  else if (version === 2) {
    reader.skip(4);
    sampleRate = reader.f64();
    channels = reader.u32();
    reader.skip(4);
    const bits = reader.u32();
    linear = { bits, flags: reader.u32() };
    reader.skip(8);
  }
  if (reader.overrun || channels > MAX_CHANNELS) return undefined;
  if (sampleRate === 0) sampleRate = timescale;
  if (!(sampleRate >= 1 && sampleRate <= MAX_SAMPLE_RATE)) return undefined;
  const boxes = childBoxes(body, reader.offset);
  return { sampleRate: Math.round(sampleRate), channels, bitsPerSample, ...(linear && { linear }), boxes };
}
