import { parseVp9FrameHeader } from '../../../codec/vp9/frame-header.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';
import { nextPictureId, pictureIdField } from './vp-picture-id.ts';
import { VP9 } from './vp9-descriptor.ts';

const DESCRIPTOR_BYTES = 3;
const SCALABILITY_BYTES = 8;

/** N_S = 0 (one spatial layer), Y (its size follows), G (a group of pictures follows). */
const SCALABILITY_HEAD = 0x18;
/** TID = 0, U, R = 1: one reference. */
const GROUP_PICTURE = 0x14;

/**
 * VP9 in non-flexible mode (RFC 9628 §4.2) without layers: picture ids of 15 bits, and a scalability structure with the
 * picture size on the first packet of key frames. A superframe goes as one frame, with its index.
 *
 *     I(1)=1 P(1) L(1)=0 F(1)=0 B(1) E(1) V(1) Z(1)=0  M(1)=1 picture id(15)
 *     V: N_S(3)=0 Y(1)=1 G(1)=1 -(3)  width(16) height(16)  N_G(8)=1  TID(3)=0 U(1)=1 R(2)=1 -(2)  P_DIFF(8)=1
 */
export class Vp9Packetizer implements Packetizer {
  #pictureId: number;

  /** `pictureId` of the first picture, 0–32767. */
  constructor(pictureId = 0) {
    this.#pictureId = pictureId;
  }

  write(payload: Uint8Array, isKeyFrame: boolean, out: PayloadWriter): void {
    const size = isKeyFrame ? parseVp9FrameHeader(payload)?.keyFrame : undefined;
    const pictureId = pictureIdField(this.#pictureId);
    const prediction = isKeyFrame ? 0 : VP9.interPicturePredicted;
    let headerBytes = DESCRIPTOR_BYTES + (size === undefined ? 0 : SCALABILITY_BYTES);
    for (let at = 0; at < payload.length; ) {
      const isFirst = at === 0;
      const end = Math.min(at + Math.max(1, out.maxPayloadSize - headerBytes), payload.length);
      const isLast = end === payload.length;
      const hasScalability = isFirst && size !== undefined;
      out.open();
      out.u8(
        VP9.hasPictureId |
          prediction |
          (isFirst ? VP9.start : 0) |
          (isLast ? VP9.end : 0) |
          (hasScalability ? VP9.hasScalability : 0),
      );
      out.u16(pictureId);
      if (hasScalability) {
        out.u8(SCALABILITY_HEAD);
        out.u16(size.width);
        out.u16(size.height);
        out.u8(1);
        out.u8(GROUP_PICTURE);
        out.u8(1);
      }
      out.raw(payload, at, end);
      out.close(isLast);
      headerBytes = DESCRIPTOR_BYTES;
      at = end;
    }
    this.#pictureId = nextPictureId(this.#pictureId);
  }
}
