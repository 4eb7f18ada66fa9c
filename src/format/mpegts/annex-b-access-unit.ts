import { parseAvcDecoderConfiguration } from '../../codec/h264/avc-decoder-configuration.ts';
import { H264_NAL, h264NalType } from '../../codec/h264/nal-unit-type.ts';
import { parseHevcDecoderConfiguration } from '../../codec/h265/hevc-decoder-configuration.ts';
import { H265_NAL, h265NalType } from '../../codec/h265/nal-unit-type.ts';
import { joinAnnexB, splitAnnexB, visitNalUnits } from '../../codec/nal-unit.ts';
import type { Track } from '../../codec/track.ts';
import { nalLengthSize } from '../../codec/track-details.ts';

const START_CODE: Uint8Array = Uint8Array.of(0, 0, 0, 1);
const NO_BYTES: Uint8Array = new Uint8Array(0);
/** primary_pic_type 7: any slice type may follow (H.264 §7.3.2.4). */
const H264_DELIMITER: Uint8Array = Uint8Array.of(0x09, 0xf0);
/** pic_type 2: I, P and B slices may follow (H.265 §7.3.2.5). */
const H265_DELIMITER: Uint8Array = Uint8Array.of(0x46, 0x01, 0x50);

/** Where the pieces that stand before all other NAL units go in the list of parts. */
const DELIMITER_AT = 1;
const PARAMETER_SETS_AT = 2;

/**
 * Turns access units of one H.264 or H.265 track into the form MPEG-TS wants (ISO/IEC 13818-1 §2.14, §2.17): start
 * codes, an access unit delimiter in front, and parameter sets in every unit a decoder may start at.
 */
export class AnnexBAccessUnitWriter {
  readonly #isH265: boolean;
  readonly #lengthSize: number;
  readonly #parameterSets: Uint8Array;

  constructor(track: Track) {
    this.#isH265 = track.codec === 'h265';
    this.#lengthSize = nalLengthSize(track);
    this.#parameterSets = joinAnnexB(parameterSetsOf(track));
  }

  /**
   * The access unit in pieces: shared constants and views into `payload`, in the order to write them. What the payload
   * has of delimiter and parameter sets is kept, and what it lacks is put in.
   */
  write(payload: Uint8Array, isKeyFrame: boolean): readonly Uint8Array[] {
    const delimiterType = this.#isH265 ? H265_NAL.accessUnitDelimiter : H264_NAL.accessUnitDelimiter;
    const spsType = this.#isH265 ? H265_NAL.sps : H264_NAL.sps;
    const parts: Uint8Array[] = [START_CODE, this.#isH265 ? H265_DELIMITER : H264_DELIMITER, NO_BYTES];
    let hasSps = false;
    visitNalUnits(payload, this.#lengthSize, (nalUnit) => {
      const type = this.#isH265 ? h265NalType(nalUnit) : h264NalType(nalUnit);
      if (type === delimiterType) {
        parts[DELIMITER_AT] = nalUnit;
        return true;
      }
      if (type === spsType) hasSps = true;
      parts.push(START_CODE, nalUnit);
      return true;
    });
    if (isKeyFrame && !hasSps) parts[PARAMETER_SETS_AT] = this.#parameterSets;
    return parts;
  }
}

/** The parameter sets in a track's configuration, in the order decoders want them; none when it cannot be read. */
function parameterSetsOf(track: Track): readonly Uint8Array[] {
  if (track.codec === 'h264') {
    const record = parseAvcDecoderConfiguration(track.config);
    if (record === undefined) return splitAnnexB(track.config);
    return [...record.sequenceParameterSets, ...(record.high?.spsExtensions ?? []), ...record.pictureParameterSets];
  }
  const record = parseHevcDecoderConfiguration(track.config);
  if (record === undefined) return splitAnnexB(track.config);
  const nalUnits = record.arrays.flatMap((array) => array.nalUnits);
  return [H265_NAL.vps, H265_NAL.sps, H265_NAL.pps].flatMap((type) =>
    nalUnits.filter((nalUnit) => h265NalType(nalUnit) === type),
  );
}
