import type { FileWindow } from '../file-window.ts';
import {
  AudioPacketType,
  CODEC_ID_AVC,
  CODEC_ID_HEVC_LEGACY,
  FLV_AUDIO,
  FLV_VIDEO,
  FRAME_TYPE_GENERATED_KEY,
  FRAME_TYPE_KEY,
  LEGACY_CODED_FRAME,
  LEGACY_SEQUENCE_HEADER,
  SOUND_FORMAT_AAC,
  SOUND_FORMAT_ENHANCED,
  VideoPacketType,
} from './flv-codecs.tables.ts';
import { DEFAULT_MAX_TAG_SIZE_BYTES, MAX_DATA_OFFSET_BYTES } from './flv-reader.ts';
import { FLV_HEADER_SIZE_BYTES, FLV_PREVIOUS_TAG_SIZE_BYTES, FLV_TAG_HEADER_SIZE_BYTES, flvError } from './flv-tag.ts';

/** Bytes of a tag body that say what kind of tag it is. */
const LOOK_BYTES = 8;

/** A tag of a file, of which only the header was read. */
export interface FlvTagPlace {
  readonly offset: number;
  readonly typeId: number;
  /** Milliseconds, 32 bits without sign. */
  readonly timestamp: number;
  readonly bodyOffset: number;
  readonly bodyBytes: number;
  /** Where the next tag begins. */
  readonly end: number;
}

/** What the beginning of a tag body tells. */
export interface FlvTagFacts {
  /** A configuration of a decoder. */
  readonly isConfig: boolean;
  /** A picture a decoder can start with. */
  readonly isKeyFrame: boolean;
  /** From decode time to presentation time, as far as it can be read at a glance. */
  readonly compositionTimeMs: number;
}

/**
 * Where the first tag of a file begins.
 * @throws ProtocolError `flv/bad-signature`, `flv/bad-version`, `flv/bad-data-offset`
 */
export async function firstTagOffset(window: FileWindow): Promise<number> {
  const bytes = await window.view(0, FLV_HEADER_SIZE_BYTES);
  if (bytes.length < FLV_HEADER_SIZE_BYTES || bytes[0] !== 0x46 || bytes[1] !== 0x4c || bytes[2] !== 0x56) {
    throw flvError('flv/bad-signature', 'the file does not begin with "FLV"');
  }
  if (bytes[3] !== 1) throw flvError('flv/bad-version', `FLV version ${bytes[3]} is not known`);
  const offset = ((bytes[5]! << 24) | (bytes[6]! << 16) | (bytes[7]! << 8) | bytes[8]!) >>> 0;
  if (offset < FLV_HEADER_SIZE_BYTES || offset > MAX_DATA_OFFSET_BYTES) {
    throw flvError('flv/bad-data-offset', `the header says that tags begin at byte ${offset}`);
  }
  return offset + FLV_PREVIOUS_TAG_SIZE_BYTES;
}

/**
 * The tag at `offset` (FLV v10.1 §E.4.1); undefined at the end of the file, which a tag that is cut short counts as.
 * @throws ProtocolError `flv/bad-tag`, `flv/encrypted-tag`, `flv/tag-too-large`
 */
export async function readTagPlace(window: FileWindow, offset: number): Promise<FlvTagPlace | undefined> {
  const b = await window.view(offset, FLV_TAG_HEADER_SIZE_BYTES);
  if (b.length < FLV_TAG_HEADER_SIZE_BYTES) return undefined;
  const first = b[0]!;
  if ((first & 0xc0) !== 0) {
    throw flvError('flv/bad-tag', `a tag cannot begin with byte 0x${first.toString(16)}, as at ${offset}`);
  }
  if ((first & 0x20) !== 0) throw flvError('flv/encrypted-tag', 'the file is encrypted, which is not supported');
  const bodyBytes = (b[1]! << 16) | (b[2]! << 8) | b[3]!;
  if (bodyBytes > DEFAULT_MAX_TAG_SIZE_BYTES) {
    throw flvError('flv/tag-too-large', `a tag of ${bodyBytes} bytes is over the limit`);
  }
  const bodyOffset = offset + FLV_TAG_HEADER_SIZE_BYTES;
  if (bodyOffset + bodyBytes > window.sizeBytes) return undefined;
  return {
    offset,
    typeId: first,
    timestamp: ((b[7]! << 24) | (b[4]! << 16) | (b[5]! << 8) | b[6]!) >>> 0,
    bodyOffset,
    bodyBytes,
    end: bodyOffset + bodyBytes + FLV_PREVIOUS_TAG_SIZE_BYTES,
  };
}

/** Looks at the beginning of the body of an audio or video tag. */
export async function readTagFacts(window: FileWindow, tag: FlvTagPlace): Promise<FlvTagFacts> {
  const bytes = await window.view(tag.bodyOffset, Math.min(tag.bodyBytes, LOOK_BYTES));
  if (tag.typeId === FLV_VIDEO) return videoFacts(bytes);
  const isConfig = tag.typeId === FLV_AUDIO && isAudioConfig(bytes);
  return { isConfig, isKeyFrame: false, compositionTimeMs: 0 };
}

function videoFacts(bytes: Uint8Array): FlvTagFacts {
  const first = bytes[0] ?? 0;
  const frameType = (first >>> 4) & 7;
  const isKey = frameType === FRAME_TYPE_KEY || frameType === FRAME_TYPE_GENERATED_KEY;
  if (first >= 0x80) return enhancedFacts(bytes, isKey);
  const codecId = first & 0x0f;
  if (codecId !== CODEC_ID_AVC && codecId !== CODEC_ID_HEVC_LEGACY) {
    return { isConfig: false, isKeyFrame: isKey, compositionTimeMs: 0 };
  }
  const isCoded = bytes[1] === LEGACY_CODED_FRAME;
  return {
    isConfig: bytes[1] === LEGACY_SEQUENCE_HEADER,
    isKeyFrame: isKey && isCoded,
    compositionTimeMs: isCoded ? signed24(bytes, 2) : 0,
  };
}

function enhancedFacts(bytes: Uint8Array, isKey: boolean): FlvTagFacts {
  const packetType = bytes[0]! & 0x0f;
  const isMultitrack = packetType === VideoPacketType.multitrack;
  const inner = isMultitrack ? (bytes[1] ?? 0) & 0x0f : packetType;
  const isConfig = inner === VideoPacketType.sequenceStart || inner === VideoPacketType.mpeg2TsSequenceStart;
  const isCoded = inner === VideoPacketType.codedFrames || inner === VideoPacketType.codedFramesX;
  // What stands behind extensions would take more than a glance.
  const isKeyFrame = isKey && (isCoded || inner === VideoPacketType.modEx);
  // 'avc1' and 'hvc1' have a composition time, the others none.
  const hasTime = packetType === VideoPacketType.codedFrames && (bytes[1] === 0x68 || bytes[3] === 0x63);
  return { isConfig, isKeyFrame, compositionTimeMs: hasTime ? signed24(bytes, 5) : 0 };
}

function isAudioConfig(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  const soundFormat = first >>> 4;
  if (soundFormat === SOUND_FORMAT_AAC) return bytes[1] === LEGACY_SEQUENCE_HEADER;
  if (soundFormat !== SOUND_FORMAT_ENHANCED) return false;
  const packetType = first & 0x0f;
  const inner = packetType === AudioPacketType.multitrack ? (bytes[1] ?? 0) & 0x0f : packetType;
  return inner === AudioPacketType.sequenceStart;
}

function signed24(bytes: Uint8Array, at: number): number {
  return at + 3 > bytes.length ? 0 : (((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) << 8) >> 8;
}
