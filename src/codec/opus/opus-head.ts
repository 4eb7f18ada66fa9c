import { ByteReader } from '../../wire/byte-reader.ts';

const MAGIC = [0x4f, 0x70, 0x75, 0x73, 0x48, 0x65, 0x61, 0x64]; // "OpusHead"
const HEADER_BYTES = 19;

/** How streams become channels, for mapping families other than 0 (RFC 7845 §5.1.1). */
export interface OpusChannelMapping {
  readonly streamCount: number;
  readonly coupledCount: number;
  /** One decoded channel for each output channel; 255 is silence. */
  readonly mapping: readonly number[];
}

/** Opus identification header (RFC 7845 §5.1). Numbers in it are little-endian. */
export interface OpusHead {
  /** 1–255. */
  readonly channels: number;
  /** Samples at 48 kHz to drop at the start. */
  readonly preSkip: number;
  /** Rate of the original in Hz, for information: decoding is at 48 kHz. 0 unknown. */
  readonly inputSampleRate: number;
  /** Gain in 1/256 dB, signed. */
  readonly outputGain: number;
  readonly mappingFamily: number;
  readonly mapping?: OpusChannelMapping;
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

/** Parses an `OpusHead`; `undefined` when it is cut off, has a major version above 0 or no channels. Never throws. */
export function parseOpusHead(bytes: Uint8Array): OpusHead | undefined {
  if (bytes.length < HEADER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  const reader = new ByteReader(bytes, MAGIC.length);
  const version = reader.u8();
  const channels = reader.u8();
  if ((version & 0xf0) !== 0 || channels === 0) return undefined;
  const preSkip = swap16(reader.u16());
  const inputSampleRate = swap16(reader.u16()) + swap16(reader.u16()) * 0x1_0000;
  const outputGain = (swap16(reader.u16()) << 16) >> 16;
  const mappingFamily = reader.u8();
  const head = { channels, preSkip, inputSampleRate, outputGain, mappingFamily };
  if (mappingFamily === 0) return channels <= 2 ? head : undefined;
  const streamCount = reader.u8();
  const coupledCount = reader.u8();
  const mapping = [...reader.view(channels)];
  if (reader.overrun || streamCount === 0 || coupledCount > streamCount) return undefined;
  return { ...head, mapping: { streamCount, coupledCount, mapping } };
}

/** Writes an `OpusHead` (version 1) into a new buffer. */
export function writeOpusHead(head: OpusHead): Uint8Array {
  const mapping = head.mapping;
  const bytes = new Uint8Array(HEADER_BYTES + (mapping === undefined ? 0 : 2 + mapping.mapping.length));
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes[8] = 1;
  bytes[9] = head.channels;
  view.setUint16(10, head.preSkip, true);
  view.setUint32(12, head.inputSampleRate, true);
  view.setInt16(16, head.outputGain, true);
  bytes[18] = head.mappingFamily;
  if (mapping !== undefined) {
    bytes[19] = mapping.streamCount;
    bytes[20] = mapping.coupledCount;
    bytes.set(mapping.mapping, 21);
  }
  return bytes;
}
