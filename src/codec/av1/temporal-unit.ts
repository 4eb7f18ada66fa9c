import { OBU_TYPE, visitObus } from './obu.ts';
import { parseAv1SequenceHeader } from './sequence-header.ts';

const SHOW_EXISTING_FRAME = 0x80;
const FRAME_TYPE_AND_SHOW = 0x70;
const SHOWN_KEY_FRAME = 0x10;

/**
 * Whether a decoder may start at a temporal unit: its first frame is a KEY_FRAME that is shown (AV1 specification
 * §7.6.2), or the picture of a reduced still-picture sequence, whose header has no frame type. A key frame that is
 * kept back, or an old one shown again, is not counted: a decoder that starts there lacks what it refers to.
 */
export function isAv1KeyFrame(temporalUnit: Uint8Array): boolean {
  let isKeyFrame = false;
  let isReduced = false;
  visitObus(temporalUnit, (obu) => {
    switch (obu.type) {
      case OBU_TYPE.sequenceHeader:
        isReduced = parseAv1SequenceHeader(obu.payload)?.reducedStillPictureHeader === true;
        return true;
      case OBU_TYPE.frame:
      case OBU_TYPE.frameHeader: {
        // show_existing_frame(1) frame_type(2) show_frame(1); frame type 0 is KEY_FRAME.
        const first = obu.payload[0] ?? SHOW_EXISTING_FRAME;
        isKeyFrame =
          isReduced || ((first & SHOW_EXISTING_FRAME) === 0 && (first & FRAME_TYPE_AND_SHOW) === SHOWN_KEY_FRAME);
        return false;
      }
      default:
        return true;
    }
  });
  return isKeyFrame;
}
