import { isH264Idr } from '../../../codec/h264/access-unit.ts';
import { isH265Irap } from '../../../codec/h265/access-unit.ts';
import { MAX_PARAMETER_SETS, ParameterSetCollector } from '../../../codec/parameter-set-collector.ts';
import { UnitBuffer } from './unit-buffer.ts';
import type { AssembledUnit } from './unit-depacketizer.ts';

const LENGTH_BYTES = 4;
const H264_LAST_SLICE = 5;
const H265_LAST_VCL = 31;

/** Puts the NAL units of an access unit behind 4-byte lengths, and finds its parameter sets on the way. */
export class AccessUnitAssembler {
  readonly #isH265: boolean;
  readonly #parameterSets: ParameterSetCollector;
  readonly #unit: UnitBuffer = new UnitBuffer();
  /** Where parameter sets begin and end in the unit. */
  readonly #setStarts: number[] = [];
  readonly #setEnds: number[] = [];
  /** Where the NAL unit that comes in fragments has its length; -1 when there is none. */
  #fragmentsAt = -1;
  #hasPicture = false;
  /** A record that came with an access unit without a picture, or with one that was lost behind it. */
  #newConfig: Uint8Array | undefined;

  /** `config` are the parameter sets known so far, in the order of the stream. */
  constructor(codec: 'h264' | 'h265', parameterSets: readonly Uint8Array[]) {
    this.#isH265 = codec === 'h265';
    this.#parameterSets = new ParameterSetCollector(codec);
    this.#parameterSets.add(parameterSets);
  }

  /** Whether a coded slice was added. */
  get hasPicture(): boolean {
    return this.#hasPicture;
  }

  /** Adds a whole NAL unit, `bytes[start..end]`; false when it comes in the middle of another or is too much. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#fragmentsAt >= 0) return false;
    if (end <= start) return true;
    const at = this.#unit.length;
    if (!this.#unit.u32(end - start) || !this.#unit.append(bytes, start, end)) return false;
    this.#look(at + LENGTH_BYTES, end - start);
    return true;
  }

  /** Begins a NAL unit that comes in fragments, with its header: one byte, or two. */
  openFragments(first: number, second?: number): boolean {
    if (this.#fragmentsAt >= 0) return false;
    this.#fragmentsAt = this.#unit.length;
    return this.#unit.u32(0) && this.#unit.u8(first) && (second === undefined || this.#unit.u8(second));
  }

  /** Adds `bytes[start..]` to the NAL unit in fragments; `isLast` ends it. */
  addFragment(bytes: Uint8Array, start: number, isLast: boolean): boolean {
    if (this.#fragmentsAt < 0 || !this.#unit.append(bytes, start)) return false;
    if (!isLast) return true;
    const at = this.#fragmentsAt;
    const size = this.#unit.length - at - LENGTH_BYTES;
    this.#unit.patchU32(at, size);
    this.#fragmentsAt = -1;
    this.#look(at + LENGTH_BYTES, size);
    return true;
  }

  #look(start: number, size: number): void {
    const head = this.#unit.bytes[start]!;
    const type = this.#isH265 ? (head >>> 1) & 0x3f : head & 0x1f;
    if (this.#isH265 ? type <= H265_LAST_VCL : type >= 1 && type <= H264_LAST_SLICE) this.#hasPicture = true;
    else if (this.#parameterSets.isParameterSet(type) && this.#setStarts.length < MAX_PARAMETER_SETS) {
      this.#setStarts.push(start);
      this.#setEnds.push(start + size);
    }
  }

  /** Ends the access unit; `undefined` when a NAL unit is not whole, `null` when it has no picture. */
  finish(): AssembledUnit | undefined | null {
    if (this.#fragmentsAt >= 0) {
      this.reset();
      return undefined;
    }
    const bytes = this.#unit.bytes;
    if (this.#setStarts.length > 0) {
      const sets = this.#setStarts.map((start, i) => bytes.subarray(start, this.#setEnds[i]));
      this.#newConfig = this.#parameterSets.add(sets) ?? this.#newConfig;
    }
    if (!this.#hasPicture) {
      this.reset();
      return null;
    }
    const isKeyFrame = this.#isH265 ? isH265Irap(bytes, LENGTH_BYTES) : isH264Idr(bytes, LENGTH_BYTES);
    const config = this.#newConfig;
    this.#newConfig = undefined;
    const payload = this.#unit.take();
    this.reset();
    return { payload, isKeyFrame, ...(config && { config }) };
  }

  reset(): void {
    this.#unit.clear();
    this.#setStarts.length = 0;
    this.#setEnds.length = 0;
    this.#fragmentsAt = -1;
    this.#hasPicture = false;
  }
}
