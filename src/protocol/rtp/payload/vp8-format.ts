import type { Track } from '../../../codec/track.ts';
import { parseVp8FrameHeader } from '../../../codec/vp8/frame-header.ts';
import { vp8ConfigurationFromFrame } from '../../../codec/vp8/vp8-configuration.ts';
import { writeVpCodecConfiguration } from '../../../codec/vp9/vp-codec-configuration.ts';
import { ConfigChange } from './config-change.ts';
import type { Depacketizer } from './depacketizer.ts';
import { isNamed } from './mapping-parameters.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';
import type { PayloadFormat, RtpMapping } from './payload-format.ts';
import { UnitBuffer } from './unit-buffer.ts';
import { type AssembledUnit, type UnitAssembler, UnitDepacketizer } from './unit-depacketizer.ts';
import { VIDEO_CLOCK_RATE, videoTrack } from './video-track.ts';
import { nextPictureId, pictureIdBytes, pictureIdField } from './vp-picture-id.ts';

const ENCODING_NAME = 'VP8';
const DESCRIPTOR_BYTES = 4;
const EXTENDED = 0x80;
const START = 0x10;
const PARTITION = 0x07;
const HAS_PICTURE_ID = 0x80;
const HAS_TL0PICIDX = 0x40;
const HAS_TID_OR_KEYIDX = 0x30;

/**
 * VP8 (RFC 7741 §4.2), each packet with a picture id of 15 bits. Where partitions begin is not told: a receiver needs
 * the beginning of the frame only.
 *
 *     X(1)=1 R(1) N(1) S(1) R(1) PID(3)=0  I(1)=1 L(1) T(1) K(1) R(4)  M(1)=1 picture id(15)
 */
export class Vp8Packetizer implements Packetizer {
  #pictureId: number;

  /** `pictureId` of the first frame, 0–32767. */
  constructor(pictureId = 0) {
    this.#pictureId = pictureId;
  }

  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const step = Math.max(1, out.maxPayloadSize - DESCRIPTOR_BYTES);
    const pictureId = pictureIdField(this.#pictureId);
    for (let at = 0; at < payload.length; at += step) {
      const end = Math.min(at + step, payload.length);
      out.open();
      out.u8(at === 0 ? EXTENDED | START : EXTENDED);
      out.u8(HAS_PICTURE_ID);
      out.u16(pictureId);
      out.raw(payload, at, end);
      out.close(end === payload.length);
    }
    this.#pictureId = nextPictureId(this.#pictureId);
  }
}

/** Bytes of the payload descriptor (§4.2), or 0 when it is cut off. */
function descriptorBytes(payload: Uint8Array): number {
  if ((payload[0]! & EXTENDED) === 0) return 1;
  const extensions = payload[1] ?? 0;
  let at = 2;
  if ((extensions & HAS_PICTURE_ID) !== 0) at += pictureIdBytes(payload[at] ?? 0);
  if ((extensions & HAS_TL0PICIDX) !== 0) at++;
  if ((extensions & HAS_TID_OR_KEYIDX) !== 0) at++;
  return at <= payload.length ? at : 0;
}

class Vp8Assembler implements UnitAssembler {
  readonly isEndable: boolean = true;
  readonly #frame: UnitBuffer = new UnitBuffer();
  readonly #config: ConfigChange = new ConfigChange();

  isStart(payload: Uint8Array): boolean {
    return (payload[0]! & (START | PARTITION)) === START;
  }

  add(payload: Uint8Array): boolean {
    const at = descriptorBytes(payload);
    if (at === 0 || this.isStart(payload) !== (this.#frame.length === 0)) return false;
    return this.#frame.append(payload, at);
  }

  finish(): AssembledUnit | undefined {
    const header = parseVp8FrameHeader(this.#frame.bytes);
    const payload = this.#frame.take();
    if (header === undefined) return undefined;
    const { isKeyFrame } = header;
    if (!isKeyFrame) return { payload, isKeyFrame };
    const config = this.#config.next(writeVpCodecConfiguration(vp8ConfigurationFromFrame(header)));
    return { payload, isKeyFrame, ...(config && { config }) };
  }

  reset(): void {
    this.#frame.clear();
  }
}

/** VP8 (RFC 7741). SDP says nothing about the stream; the configuration comes with the first key frame. */
export const VP8_FORMAT: PayloadFormat = {
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined {
    if (track.codec !== 'vp8') return undefined;
    return {
      payloadType: dynamicPayloadType,
      encodingName: ENCODING_NAME,
      clockRate: VIDEO_CLOCK_RATE,
      parameters: new Map(),
    };
  },

  makePacketizer(): Packetizer {
    return new Vp8Packetizer();
  },

  toTrack(mapping: RtpMapping, trackId: number): Track | undefined {
    if (!isNamed(mapping, ENCODING_NAME)) return undefined;
    return videoTrack(trackId, 'vp8', new Uint8Array(0));
  },

  makeDepacketizer(): Depacketizer {
    return new UnitDepacketizer(new Vp8Assembler());
  },
};
