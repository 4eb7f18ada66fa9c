import type { Track } from '../../../codec/track.ts';
import { parseVp9FrameHeader } from '../../../codec/vp9/frame-header.ts';
import { vp9ConfigurationFromKeyFrame } from '../../../codec/vp9/profile-level.ts';
import { parseVpCodecConfiguration, writeVpCodecConfiguration } from '../../../codec/vp9/vp-codec-configuration.ts';
import { ConfigChange } from './config-change.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed } from './mapping-parameters.ts';
import type { Packetizer } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { UnitBuffer } from './unit-buffer.ts';
import { type AssembledUnit, type UnitAssembler, UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';
import { VP9, vp9DescriptorBytes, vp9SpatialId } from './vp9-descriptor.ts';
import { Vp9Packetizer } from './vp9-packetizer.ts';

const ENCODING_NAME = 'VP9';

/** Frames a superframe index can name (VP9 bitstream specification §B.2). */
const MAX_FRAMES_IN_SUPERFRAME = 8;

/**
 * Pictures of VP9. The frames of a picture's spatial layers, which are sent one after the other, become a superframe
 * with an index, as files have them (VP9 bitstream specification annex B).
 */
class Vp9Assembler implements UnitAssembler {
  readonly isEndable: boolean = true;
  readonly #picture: UnitBuffer = new UnitBuffer();
  readonly #config: ConfigChange = new ConfigChange();
  /** Where the frames of the picture begin. */
  readonly #starts: number[] = [];
  #isFrameOpen = false;

  isStart(payload: Uint8Array): boolean {
    return (payload[0]! & VP9.start) !== 0 && vp9SpatialId(payload) === 0;
  }

  add(payload: Uint8Array): boolean {
    const at = vp9DescriptorBytes(payload);
    const flags = payload[0]!;
    const isFrameStart = (flags & VP9.start) !== 0;
    if (at === 0 || isFrameStart === this.#isFrameOpen) return false;
    if (isFrameStart) {
      if (this.#starts.length === MAX_FRAMES_IN_SUPERFRAME) return false;
      this.#starts.push(this.#picture.length);
    }
    this.#isFrameOpen = (flags & VP9.end) === 0;
    return this.#picture.append(payload, at);
  }

  finish(): AssembledUnit | undefined {
    const header = parseVp9FrameHeader(this.#picture.bytes);
    const isWhole = !this.#isFrameOpen && header !== undefined && this.#addIndex();
    const payload = this.#picture.take();
    this.reset();
    if (!isWhole) return undefined;
    const { isKeyFrame, keyFrame, profile } = header;
    const config =
      keyFrame && this.#config.next(writeVpCodecConfiguration(vp9ConfigurationFromKeyFrame(profile, keyFrame)));
    return { payload, isKeyFrame, ...(config && { config }) };
  }

  /** Appends the index when there are several frames: marker, sizes of 32 bits (little-endian), marker. */
  #addIndex(): boolean {
    const count = this.#starts.length;
    if (count < 2) return true;
    const marker = 0xc0 | (3 << 3) | (count - 1);
    const end = this.#picture.length;
    let isWhole = this.#picture.u8(marker);
    for (let i = 0; i < count && isWhole; i++) {
      const size = (this.#starts[i + 1] ?? end) - this.#starts[i]!;
      for (let shift = 0; shift < 32; shift += 8) isWhole = this.#picture.u8((size >>> shift) & 0xff);
    }
    return isWhole && this.#picture.u8(marker);
  }

  reset(): void {
    this.#picture.clear();
    this.#starts.length = 0;
    this.#isFrameOpen = false;
  }
}

/** VP9 (RFC 9628). SDP may tell the profile; the configuration comes with the first key frame. */
export const VP9_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    if (track.codec !== 'vp9') return undefined;
    const parameters = new Map<string, string>();
    const record = parseVpCodecConfiguration(track.config);
    if (record !== undefined) parameters.set('profile-id', String(record.profile));
    return { payloadType: dynamicPayloadType, encodingName: ENCODING_NAME, clockRate: VIDEO_CLOCK_RATE, parameters };
  },

  makePacketizer(): Packetizer {
    return new Vp9Packetizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME)) return undefined;
    return videoTrack(trackId, 'vp9', new Uint8Array(0));
  },

  makeDepacketizer(): Depacketizer {
    return new UnitDepacketizer(new Vp9Assembler());
  },
};
