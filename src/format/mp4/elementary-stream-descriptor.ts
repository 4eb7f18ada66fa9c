import type { AudioCodec, VideoCodec } from '../../codec/track.ts';
import { ByteReader } from '../../wire/byte-reader.ts';

const ES_DESCRIPTOR = 3;
const DECODER_CONFIG = 4;
const DECODER_SPECIFIC_INFO = 5;
const MAX_DESCRIPTORS = 64;

/** What the `esds` box of a track says (ISO/IEC 14496-1 §7.2.6.5–7.2.6.7). */
export interface ElementaryStreamDescriptor {
  readonly objectTypeIndication: number;
  /** DecoderSpecificInfo: AudioSpecificConfig, visual object sequence …; empty when there is none. A view. */
  readonly decoderSpecificInfo: Uint8Array;
}

/** Codecs by objectTypeIndication, as the MP4 registration authority lists them. */
const CODEC_BY_OBJECT_TYPE: ReadonlyMap<number, VideoCodec | AudioCodec> = new Map<number, VideoCodec | AudioCodec>([
  [0x20, 'mp4v'],
  [0x21, 'h264'],
  [0x23, 'h265'],
  [0x40, 'aac'],
  [0x60, 'mpeg-video'],
  [0x61, 'mpeg-video'],
  [0x62, 'mpeg-video'],
  [0x63, 'mpeg-video'],
  [0x64, 'mpeg-video'],
  [0x65, 'mpeg-video'],
  [0x66, 'aac'],
  [0x67, 'aac'],
  [0x68, 'aac'],
  [0x69, 'mp3'],
  [0x6a, 'mpeg-video'],
  [0x6b, 'mp3'],
  [0x6c, 'jpeg'],
  [0xa5, 'ac3'],
  [0xa6, 'eac3'],
]);

/** The codec of an objectTypeIndication; undefined for those Millrace does not carry. */
export function codecOfObjectType(objectTypeIndication: number): VideoCodec | AudioCodec | undefined {
  return CODEC_BY_OBJECT_TYPE.get(objectTypeIndication);
}

/**
 * Parses the body of an `esds` box, FullBox header included; undefined when it holds no decoder configuration.
 *
 *     version+flags(32) { tag(8) length(7 bits a byte, high bit: more follows) content … }
 */
export function parseElementaryStreamDescriptor(body: Uint8Array): ElementaryStreamDescriptor | undefined {
  const reader = new ByteReader(body, 4);
  let objectTypeIndication: number | undefined;
  for (let count = 0; count < MAX_DESCRIPTORS && reader.remaining >= 2; count++) {
    const tag = reader.u8();
    const size = readLength(reader);
    if (tag === ES_DESCRIPTOR) skipStreamFields(reader);
    else if (tag === DECODER_CONFIG) {
      objectTypeIndication = reader.u8();
      reader.skip(12); // streamType, bufferSizeDB, maxBitrate, avgBitrate
    } else if (tag === DECODER_SPECIFIC_INFO && objectTypeIndication !== undefined) {
      // A length over the end is a writer's fault of which the bytes need not suffer.
      return { objectTypeIndication, decoderSpecificInfo: reader.view(Math.min(size, reader.remaining)) };
    } else if (objectTypeIndication === undefined) reader.skip(size);
    else break;
  }
  if (objectTypeIndication === undefined || reader.overrun) return undefined;
  return { objectTypeIndication, decoderSpecificInfo: new Uint8Array(0) };
}

function readLength(reader: ByteReader): number {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = reader.u8();
    length = (length << 7) | (byte & 0x7f);
    if ((byte & 0x80) === 0) break;
  }
  return length;
}

/**
 *     ES_ID(16) streamDependence(1) URL(1) OCRstream(1) priority(5) [dependsOn(16)] [length(8) URL] [OCR_ES_ID(16)]
 */
function skipStreamFields(reader: ByteReader): void {
  reader.skip(2);
  const flags = reader.u8();
  if ((flags & 0x80) !== 0) reader.skip(2);
  if ((flags & 0x40) !== 0) reader.skip(reader.u8());
  if ((flags & 0x20) !== 0) reader.skip(2);
}
