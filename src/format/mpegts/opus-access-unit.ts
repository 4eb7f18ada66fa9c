import type { ByteReader } from '../../wire/byte-reader.ts';

/** Offsets into the identification header of Opus (RFC 7845 §5.1). */
const HEAD_CHANNELS = 9;
const HEAD_MAPPING_FAMILY = 18;
const MAX_VORBIS_CHANNELS = 8;

/**
 * channel_config_code of the Opus audio descriptor: the channel count for mapping families 0 and 1 (Vorbis order);
 * `undefined` for others. Without an `OpusHead` it is stereo, as WebRTC and Enhanced RTMP publishers without one send.
 */
export function opusChannelConfigCode(head: Uint8Array): number | undefined {
  if (head.length <= HEAD_MAPPING_FAMILY) return 2;
  const channels = head[HEAD_CHANNELS]!;
  const family = head[HEAD_MAPPING_FAMILY]!;
  if (channels === 0 || channels > MAX_VORBIS_CHANNELS || family > 1) return undefined;
  return family === 0 && channels > 2 ? undefined : channels;
}

/**
 * The control header in front of an Opus packet, with no trimming ("Opus in MPEG-TS" §4):
 *
 * ```
 * | 0x3ff (11) | start trim (1) | end trim (1) | extension (1) | 00 | size: 255 … then the rest (8 each) |
 * ```
 */
export function writeOpusControlHeader(packetSizeBytes: number): Uint8Array {
  const full = Math.floor(packetSizeBytes / 255);
  const header = new Uint8Array(3 + full);
  header[0] = 0x7f;
  header[1] = 0xe0;
  header.fill(0xff, 2, 2 + full);
  header[2 + full] = packetSizeBytes % 255;
  return header;
}

/**
 * The next packet behind its control header, a view; `undefined` when there is no whole one. Trimming is read over:
 * it concerns the ends of files.
 */
export function readOpusPacket(reader: ByteReader): Uint8Array | undefined {
  const prefix = reader.u16();
  if (prefix >>> 5 !== 0x3ff) return undefined;
  let size = 0;
  let byte: number;
  do {
    byte = reader.u8();
    size += byte;
  } while (byte === 255);
  if ((prefix & 0x10) !== 0) reader.skip(2);
  if ((prefix & 0x08) !== 0) reader.skip(2);
  if ((prefix & 0x04) !== 0) reader.skip(reader.u8());
  const packet = reader.view(size);
  return reader.overrun || packet.length === 0 ? undefined : packet;
}
