import { MPEG_VIDEO_START_CODE } from '../../../codec/mpeg-video/headers.ts';
import { firstMpegVideoPicture } from '../../../codec/mpeg-video/key-frame.ts';
import { findStartCode } from '../../../codec/nal-unit.ts';
import type { Track } from '../../../codec/track.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed, NO_PARAMETERS } from './mapping-parameters.ts';
import { MpegVideoPacketizer } from './mpeg-video-packetizer.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { UnitBuffer } from './unit-buffer.ts';
import { type AssembledUnit, type UnitAssembler, UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';

const ENCODING_NAME = 'MPV';
/** RFC 3551 Table 5. */
const PAYLOAD_TYPE = 32;

const HEADER_BYTES = 4;
/** In the first byte of the header: an MPEG-2 extension of four bytes follows. */
const HAS_EXTENSION = 0x04;
/** In the first byte of the extension: more follow, the first of their bytes being their number of words. */
const HAS_MORE_EXTENSIONS = 0x40;
/** In the last byte of the extension: a composite display extension of a word follows. */
const HAS_COMPOSITE_DISPLAY = 0x01;

const PICTURE_CODING_EXTENSION = 8;
const FRAME_STRUCTURE = 3;

/** Bytes of the headers in front of the elementary stream (§3.4), or 0 when they are cut off. */
function headerBytes(payload: Uint8Array): number {
  let at = HEADER_BYTES;
  if ((payload[0]! & HAS_EXTENSION) !== 0) {
    at += 4;
    if (((payload[7] ?? 0) & HAS_COMPOSITE_DISPLAY) !== 0) at += 4;
    if (((payload[4] ?? 0) & HAS_MORE_EXTENSIONS) !== 0) at += 4 * Math.max(1, payload[at] ?? 0);
  }
  return at <= payload.length ? at : 0;
}

/** The start code value at `at`, or -1 when no start code is there. */
function startCodeAt(bytes: Uint8Array, at: number): number {
  return bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1 ? (bytes[at + 3] ?? -1) : -1;
}

/** Whether the picture header at `at` is that of a field: the second field of a frame looks like the first. */
function isField(bytes: Uint8Array, at: number): boolean {
  const next = findStartCode(bytes, at + 4);
  if (startCodeAt(bytes, next) !== MPEG_VIDEO_START_CODE.extension) return false;
  return (bytes[next + 4] ?? 0) >>> 4 === PICTURE_CODING_EXTENSION && ((bytes[next + 6] ?? 0) & 3) !== FRAME_STRUCTURE;
}

/**
 * Pictures of MPEG-1 and MPEG-2 video, with the headers in front of them. Pictures a sender puts under one time and
 * marker, as some do with those smaller than a packet, stay together: their own times are not known.
 */
class MpegVideoAssembler implements UnitAssembler {
  readonly isEndable: boolean = true;
  readonly #picture: UnitBuffer = new UnitBuffer();

  isStart(payload: Uint8Array): boolean {
    const at = headerBytes(payload);
    switch (at === 0 ? -1 : startCodeAt(payload, at)) {
      case MPEG_VIDEO_START_CODE.sequenceHeader:
      case MPEG_VIDEO_START_CODE.group:
        return true;
      case MPEG_VIDEO_START_CODE.picture:
        return !isField(payload, at);
      default:
        return false;
    }
  }

  add(payload: Uint8Array): boolean {
    const at = headerBytes(payload);
    return at > 0 && this.#picture.append(payload, at);
  }

  finish(): AssembledUnit | undefined {
    const payload = this.#picture.take();
    const picture = firstMpegVideoPicture(payload);
    return picture && { payload, isKeyFrame: picture.codingType === 'I' };
  }

  reset(): void {
    this.#picture.clear();
  }
}

/** MPEG-1 and MPEG-2 video elementary streams (RFC 2250 §3), payload type 32. SDP tells nothing about them. */
export const MPEG_VIDEO_FORMAT: PayloadFormat = {
  toMapping(track: Track): RtpMapping | undefined {
    if (track.codec !== 'mpeg-video') return undefined;
    return {
      payloadType: PAYLOAD_TYPE,
      encodingName: ENCODING_NAME,
      clockRate: VIDEO_CLOCK_RATE,
      parameters: NO_PARAMETERS,
    };
  },

  makePacketizer(): Packetizer {
    return new MpegVideoPacketizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    return isNamed(mapping, ENCODING_NAME) ? videoTrack(trackId, 'mpeg-video', new Uint8Array(0)) : undefined;
  },

  makeDepacketizer(): Depacketizer {
    return new UnitDepacketizer(new MpegVideoAssembler());
  },
};
