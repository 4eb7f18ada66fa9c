import { H264_NAL, h264NalType } from '../../codec/h264/nal-unit-type.ts';
import { H264PictureOrder } from '../../codec/h264/picture-order-count.ts';
import { type H264Pps, parseH264Pps } from '../../codec/h264/picture-parameter-set.ts';
import { type H264Sps, parseH264Sps } from '../../codec/h264/sequence-parameter-set.ts';
import { H265_NAL, h265NalType } from '../../codec/h265/nal-unit-type.ts';
import { H265PictureOrder } from '../../codec/h265/picture-order-count.ts';
import { type H265Pps, parseH265Pps } from '../../codec/h265/picture-parameter-set.ts';
import { type H265Sps, parseH265Sps } from '../../codec/h265/sequence-parameter-set.ts';

/** Where a picture stands in the order of showing. */
export interface PicturePosition {
  /** Counts from 0 at this picture: what comes after is shown after everything before. */
  readonly startsSequence: boolean;
  /** PicOrderCnt; undefined when it can't be told. */
  readonly pictureOrderCount: number | undefined;
}

/** The order of showing of the pictures of one raw stream; the newest parameter sets are taken for those in force. */
export class PictureOrder {
  readonly #codec: 'h264' | 'h265';
  readonly #h264 = new H264PictureOrder();
  readonly #h265 = new H265PictureOrder();
  #h264Sps: H264Sps | undefined;
  #h264Pps: H264Pps | undefined;
  #h265Sps: H265Sps | undefined;
  #h265Pps: H265Pps | undefined;

  constructor(codec: 'h264' | 'h265') {
    this.#codec = codec;
  }

  /** @param parameterSets those of the access unit the slice is in */
  next(firstSlice: Uint8Array, parameterSets: readonly Uint8Array[]): PicturePosition {
    return this.#codec === 'h264'
      ? this.#nextH264(firstSlice, parameterSets)
      : this.#nextH265(firstSlice, parameterSets);
  }

  #nextH264(slice: Uint8Array, parameterSets: readonly Uint8Array[]): PicturePosition {
    for (const nalUnit of parameterSets) {
      if (h264NalType(nalUnit) === H264_NAL.sps) this.#h264Sps = parseH264Sps(nalUnit) ?? this.#h264Sps;
      if (h264NalType(nalUnit) === H264_NAL.pps) this.#h264Pps = parseH264Pps(nalUnit) ?? this.#h264Pps;
    }
    const startsSequence = h264NalType(slice) === H264_NAL.idrSlice;
    const pictureOrderCount = this.#h264Sps && this.#h264.next(slice, this.#h264Sps, this.#h264Pps);
    return { startsSequence, pictureOrderCount };
  }

  #nextH265(slice: Uint8Array, parameterSets: readonly Uint8Array[]): PicturePosition {
    for (const nalUnit of parameterSets) {
      if (h265NalType(nalUnit) === H265_NAL.sps) this.#h265Sps = parseH265Sps(nalUnit) ?? this.#h265Sps;
      if (h265NalType(nalUnit) === H265_NAL.pps) this.#h265Pps = parseH265Pps(nalUnit) ?? this.#h265Pps;
    }
    const type = h265NalType(slice);
    const startsSequence = type === H265_NAL.idrWRadl || type === H265_NAL.idrNLp;
    const pictureOrderCount = this.#h265Sps && this.#h265.next(slice, this.#h265Sps, this.#h265Pps);
    return { startsSequence, pictureOrderCount };
  }
}
