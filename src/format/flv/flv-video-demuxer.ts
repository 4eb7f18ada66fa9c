import type { Track, VideoCodec } from '../../codec/track.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import {
  CODEC_ID_AVC,
  CODEC_ID_HEVC_LEGACY,
  FRAME_TYPE_COMMAND,
  FRAME_TYPE_GENERATED_KEY,
  FRAME_TYPE_KEY,
  hasCompositionTime,
  LEGACY_CODED_FRAME,
  LEGACY_END_OF_SEQUENCE,
  LEGACY_SEQUENCE_HEADER,
  OPAQUE_VIDEO_BY_ID,
  VIDEO_CODEC_BY_FOURCC,
  VideoPacketType,
} from './flv-codecs.tables.ts';
import type { FlvDemuxEvent } from './flv-demux-event.ts';
import { readModEx, splitTracks, type TrackPart } from './flv-enhanced-header.ts';
import { FlvTrackTable } from './flv-track-table.ts';

const LEGACY_HEADER_SIZE_BYTES = 5;

/** Time and kind of the frames in one tag. */
interface TagFacts {
  readonly dtsUs: number;
  readonly isKeyFrame: boolean;
}

/** Video tags (FLV v10.1 §E.4.3, Enhanced RTMP v2 "Enhancing Video") to tracks and frames. */
export class FlvVideoDemuxer {
  readonly #tracks: FlvTrackTable = new FlvTrackTable('video');

  /** Appends to `events` what the tag body tells. Payloads are views into `body`. */
  demux(timestampMs: number, body: Uint8Array, events: FlvDemuxEvent[]): void {
    const first = body[0];
    if (first === undefined) {
      events.push({ type: 'ignored', reason: 'empty-message' });
      return;
    }
    const frameType = (first >>> 4) & 7;
    const tag: TagFacts = {
      dtsUs: timestampMs * 1000,
      isKeyFrame: frameType === FRAME_TYPE_KEY || frameType === FRAME_TYPE_GENERATED_KEY,
    };
    if (first >= 0x80) {
      this.#enhanced(frameType, first & 0x0f, tag, body, events);
      return;
    }
    if (frameType === FRAME_TYPE_COMMAND) {
      events.push({ type: 'ignored', reason: 'video-command' });
      return;
    }
    const codecId = first & 0x0f;
    if (codecId === CODEC_ID_AVC) this.#legacy('h264', tag, body, events);
    else if (codecId === CODEC_ID_HEVC_LEGACY) this.#legacy('h265', tag, body, events);
    else this.#opaque(codecId, tag, body, events);
  }

  /**
   * ```
   * | FrameType (4) | CodecID (4) | AVCPacketType (8) | CompositionTime (24, signed) | data |
   * ```
   */
  #legacy(codec: 'h264' | 'h265', tag: TagFacts, body: Uint8Array, events: FlvDemuxEvent[]): void {
    const packetType = body[1];
    // An end of sequence comes without composition time from some encoders.
    if (packetType === LEGACY_END_OF_SEQUENCE) {
      this.#endOfSequence(0, events);
      return;
    }
    if (packetType === undefined || body.length < LEGACY_HEADER_SIZE_BYTES) {
      events.push({ type: 'malformed', reason: 'truncated-header' });
      return;
    }
    const data = body.subarray(LEGACY_HEADER_SIZE_BYTES);
    if (packetType === LEGACY_CODED_FRAME) {
      const compositionTimeMs = (((body[2]! << 16) | (body[3]! << 8) | body[4]!) << 8) >> 8;
      this.#frame(codec, 0, tag, compositionTimeMs, data, events);
    } else if (packetType === LEGACY_SEQUENCE_HEADER) {
      events.push(this.#tracks.configure(0, codec, data));
    } else {
      events.push({ type: 'ignored', reason: 'unknown-packet-type' });
    }
  }

  #opaque(codecId: number, tag: TagFacts, body: Uint8Array, events: FlvDemuxEvent[]): void {
    const codec = OPAQUE_VIDEO_BY_ID.get(codecId);
    if (codec === undefined) {
      events.push({ type: 'ignored', reason: 'unknown-video-codec' });
      return;
    }
    this.#frame(codec, 0, tag, 0, body, events);
  }

  /**
   * ```
   * | 1 | FrameType (3) | PacketType (4) | ModEx … | multitrack (8)? | FourCC | tracks … |
   * ```
   */
  #enhanced(frameType: number, packetType: number, tag: TagFacts, body: Uint8Array, events: FlvDemuxEvent[]): void {
    const reader = new ByteReader(body, 1);
    const modEx = readModEx(reader, packetType, VideoPacketType.modEx);
    if (modEx === undefined) {
      events.push({ type: 'malformed', reason: 'truncated-mod-ex' });
      return;
    }
    let type = modEx.packetType;
    if (frameType === FRAME_TYPE_COMMAND && type !== VideoPacketType.metadata) {
      events.push({ type: 'ignored', reason: 'video-command' });
      return;
    }
    let multitrackType: number | undefined;
    if (type === VideoPacketType.multitrack) {
      const byte = reader.u8();
      multitrackType = byte >>> 4;
      type = byte & 0x0f;
      if (type === VideoPacketType.multitrack) {
        events.push({ type: 'malformed', reason: 'nested-multitrack' });
        return;
      }
    }
    const split = splitTracks(reader, multitrackType);
    const facts = modEx.offsetUs === 0 ? tag : { ...tag, dtsUs: tag.dtsUs + modEx.offsetUs };
    for (const part of split.parts) this.#part(type, part, facts, events);
    if (split.ignored !== undefined) events.push({ type: 'ignored', reason: split.ignored });
    if (split.malformed !== undefined) events.push({ type: 'malformed', reason: split.malformed });
  }

  #part(packetType: number, part: TrackPart, tag: TagFacts, events: FlvDemuxEvent[]): void {
    const codec = VIDEO_CODEC_BY_FOURCC.get(part.fourCc);
    if (codec === undefined) {
      events.push({ type: 'ignored', reason: 'unknown-video-codec' });
      return;
    }
    const { trackId, bytes } = part;
    switch (packetType) {
      case VideoPacketType.codedFrames: {
        if (!hasCompositionTime(codec)) {
          this.#frame(codec, trackId, tag, 0, bytes, events);
          return;
        }
        if (bytes.length < 3) {
          events.push({ type: 'malformed', reason: 'truncated-header' });
          return;
        }
        const compositionTimeMs = (((bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!) << 8) >> 8;
        this.#frame(codec, trackId, tag, compositionTimeMs, bytes.subarray(3), events);
        return;
      }
      case VideoPacketType.codedFramesX:
        this.#frame(codec, trackId, tag, 0, bytes, events);
        return;
      case VideoPacketType.sequenceStart:
        events.push(this.#tracks.configure(trackId, codec, bytes));
        return;
      case VideoPacketType.mpeg2TsSequenceStart: {
        const config = codec === 'av1' ? configOfVideoDescriptor(bytes) : undefined;
        if (config === undefined) events.push({ type: 'malformed', reason: 'bad-config' });
        else events.push(this.#tracks.configure(trackId, codec, config));
        return;
      }
      case VideoPacketType.sequenceEnd:
        this.#endOfSequence(trackId, events);
        return;
      case VideoPacketType.metadata: {
        const event = this.#tracks.describe(trackId, bytes);
        if (event !== undefined) events.push(event);
        return;
      }
      default:
        events.push({ type: 'ignored', reason: 'unknown-packet-type' });
    }
  }

  #frame(
    codec: VideoCodec,
    trackId: number,
    tag: TagFacts,
    compositionTimeMs: number,
    payload: Uint8Array,
    events: FlvDemuxEvent[],
  ): void {
    if (payload.length === 0) {
      events.push({ type: 'ignored', reason: 'empty-message' });
      return;
    }
    const { dtsUs, isKeyFrame } = tag;
    const track: Track | undefined = this.#tracks.forFrame(trackId, codec, payload, isKeyFrame, events);
    if (track === undefined) return;
    events.push({
      type: 'frame',
      frame: { track, dtsUs, ptsUs: dtsUs + compositionTimeMs * 1000, isKeyFrame, payload },
    });
  }

  #endOfSequence(trackId: number, events: FlvDemuxEvent[]): void {
    const track = this.#tracks.get(trackId);
    if (track === undefined) events.push({ type: 'ignored', reason: 'frame-before-config' });
    else events.push({ type: 'end-of-sequence', track });
  }
}

/**
 * av1C (AV1-ISOBMFF §2.3.3) from the AV1 video descriptor of MPEG-2 TS, which has the same four bytes behind its tag
 * 0x80 and length, except that two HDR bits stand where av1C has reserved ones.
 */
function configOfVideoDescriptor(descriptor: Uint8Array): Uint8Array | undefined {
  if (descriptor.length < 6 || descriptor[0] !== 0x80 || descriptor[1]! < 4) return undefined;
  return Uint8Array.of(descriptor[2]!, descriptor[3]!, descriptor[4]!, descriptor[5]! & 0x1f);
}
