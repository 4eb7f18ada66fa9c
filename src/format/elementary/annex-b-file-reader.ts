import { H264_NAL, h264NalType } from '../../codec/h264/nal-unit-type.ts';
import { H265_NAL, h265NalType } from '../../codec/h265/nal-unit-type.ts';
import { findStartCode, MAX_NAL_UNITS } from '../../codec/nal-unit.ts';
import { ProtocolError } from '../../wire/errors.ts';
import { FileWindow } from '../file-window.ts';
import type { RandomAccess } from '../media-file.ts';

/** Largest access unit read, bytes. */
export const MAX_ACCESS_UNIT_BYTES: number = 16 * 1024 * 1024;

/** Bytes a NAL unit is first looked for in. */
const FIRST_LOOK_BYTES = 65_536;

/** The NAL units of one picture, in order. */
export interface AccessUnit {
  /** In buffers of their own. */
  readonly nalUnits: readonly Uint8Array[];
  /** The first coded slice; undefined for one of parameter sets and the like only. */
  readonly firstSlice: Uint8Array | undefined;
}

/** Access units of a raw H.264 or H.265 file, one after another. */
export class AnnexBFileReader {
  readonly #window: FileWindow;
  readonly #isH265: boolean;
  /** Behind the start code of the next NAL unit, or undefined before the first. */
  #at: number | undefined;
  #pending: Uint8Array | undefined;

  constructor(file: RandomAccess, codec: 'h264' | 'h265') {
    this.#window = new FileWindow(file);
    this.#isH265 = codec === 'h265';
  }

  /** @throws ProtocolError when an access unit is larger than `MAX_ACCESS_UNIT_BYTES` */
  async next(): Promise<AccessUnit | undefined> {
    const nalUnits: Uint8Array[] = [];
    let firstSlice: Uint8Array | undefined;
    let sizeBytes = 0;
    for (;;) {
      const nalUnit = this.#pending ?? (await this.#nextNalUnit());
      this.#pending = undefined;
      if (nalUnit === undefined) break;
      if (firstSlice !== undefined && this.#startsAccessUnit(nalUnit)) {
        this.#pending = nalUnit;
        break;
      }
      sizeBytes += nalUnit.length;
      if (sizeBytes > MAX_ACCESS_UNIT_BYTES || nalUnits.length === MAX_NAL_UNITS) throw tooLarge();
      nalUnits.push(nalUnit);
      if (firstSlice === undefined && this.#isSlice(nalUnit)) firstSlice = nalUnit;
    }
    return nalUnits.length === 0 ? undefined : { nalUnits, firstSlice };
  }

  #isSlice(nalUnit: Uint8Array): boolean {
    if (this.#isH265) return h265NalType(nalUnit) <= H265_NAL.lastVcl;
    const type = h264NalType(nalUnit);
    return type === H264_NAL.slice || type === H264_NAL.partitionA || type === H264_NAL.idrSlice;
  }

  /** Behind the slices of a picture: whether this NAL unit belongs to the next one (H.264 §7.4.1.2.3, H.265 §7.4.2.4.4). */
  #startsAccessUnit(nalUnit: Uint8Array): boolean {
    if (this.#isH265) {
      const type = h265NalType(nalUnit);
      // first_slice_segment_in_pic_flag is the first bit behind the header.
      if (type <= H265_NAL.lastVcl) return ((nalUnit[2] ?? 0) & 0x80) !== 0;
      return (type >= H265_NAL.vps && type <= H265_NAL.accessUnitDelimiter) || type === H265_NAL.prefixSei;
    }
    // first_mb_in_slice 0 is a single 1 bit. Pictures whose slices come in any order are not told apart by it.
    if (this.#isSlice(nalUnit)) return ((nalUnit[1] ?? 0) & 0x80) !== 0;
    const type = h264NalType(nalUnit);
    return (type >= H264_NAL.sei && type <= H264_NAL.accessUnitDelimiter) || (type >= 14 && type <= 18);
  }

  async #nextNalUnit(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#at ??= await this.#afterStartCode(0);
      const start = this.#at;
      if (start >= this.#window.sizeBytes) return undefined;
      let lookBytes = FIRST_LOOK_BYTES;
      for (;;) {
        const bytes = await this.#window.atLeast(start, lookBytes);
        let end = findStartCode(bytes, 0);
        const isLast = end === bytes.length;
        if (isLast && start + bytes.length < this.#window.sizeBytes) {
          if (lookBytes > MAX_ACCESS_UNIT_BYTES) throw tooLarge();
          lookBytes *= 2;
          continue;
        }
        this.#at = isLast ? this.#window.sizeBytes : start + end + 3;
        // Zero bytes behind a NAL unit belong to the next start code or are padding.
        while (end > 0 && bytes[end - 1] === 0) end--;
        if (end === 0) break;
        return bytes.slice(0, end);
      }
    }
  }

  async #afterStartCode(from: number): Promise<number> {
    let at = from;
    for (;;) {
      const bytes = await this.#window.atLeast(at, FIRST_LOOK_BYTES);
      const found = findStartCode(bytes, 0);
      if (found < bytes.length) return at + found + 3;
      if (at + bytes.length >= this.#window.sizeBytes) return this.#window.sizeBytes;
      at += Math.max(1, bytes.length - 2);
    }
  }
}

function tooLarge(): ProtocolError {
  return new ProtocolError(
    'annex-b/access-unit-too-large',
    `an access unit of more than ${MAX_ACCESS_UNIT_BYTES} bytes`,
  );
}
