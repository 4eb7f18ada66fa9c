import {
  av1ConfigurationFromTemporalUnit,
  writeAv1CodecConfiguration,
} from '../../../codec/av1/av1-codec-configuration.ts';
import { OBU_TYPE, readLeb128 } from '../../../codec/av1/obu.ts';
import { isAv1KeyFrame } from '../../../codec/av1/temporal-unit.ts';
import { AV1_AGGREGATION, ELEMENT_COUNT_SHIFT, OBU_HAS_EXTENSION, OBU_HAS_SIZE } from './av1-aggregation-header.ts';
import { ConfigChange } from './config-change.ts';
import { UnitBuffer } from './unit-buffer.ts';
import type { AssembledUnit, UnitAssembler } from './unit-depacketizer.ts';

function obuType(head: number): number {
  return (head >>> 3) & 0xf;
}

/** Temporal units of AV1: OBUs get their size fields back, temporal delimiters and tile lists go (§4.4, §5). */
export class Av1Assembler implements UnitAssembler {
  readonly isEndable: boolean = true;
  readonly #unit: UnitBuffer = new UnitBuffer();
  /** The OBU that goes on in the next packet. */
  readonly #fragments: UnitBuffer = new UnitBuffer();
  readonly #config: ConfigChange = new ConfigChange();
  #isFragmentOpen = false;
  #hasSequenceHeader = false;

  /**
   * Hidden frames may come before any frame, so that only what begins a coded video sequence surely begins a temporal
   * unit too, and a temporal delimiter, which some senders leave in.
   */
  isStart(payload: Uint8Array): boolean {
    const flags = payload[0]!;
    if ((flags & AV1_AGGREGATION.continues) !== 0) return false;
    if ((flags & AV1_AGGREGATION.newSequence) !== 0) return true;
    const count = (flags >>> ELEMENT_COUNT_SHIFT) & 3;
    const at = count === 1 ? 1 : 1 + (readLeb128(payload, 1)?.sizeBytes ?? 0);
    const type = obuType(payload[at] ?? 0);
    return type === OBU_TYPE.sequenceHeader || type === OBU_TYPE.temporalDelimiter;
  }

  add(payload: Uint8Array): boolean {
    const flags = payload[0]!;
    const count = (flags >>> ELEMENT_COUNT_SHIFT) & 3;
    let isContinued = (flags & AV1_AGGREGATION.continues) !== 0;
    if (isContinued !== this.#isFragmentOpen) return false;
    let at = 1;
    let elements = 0;
    while (at < payload.length) {
      elements++;
      let end = payload.length;
      if (count === 0 || elements < count) {
        const size = readLeb128(payload, at);
        if (size === undefined) return false;
        at += size.sizeBytes;
        end = at + size.value;
        if (end > payload.length) return false;
      }
      const isCut = end === payload.length && (flags & AV1_AGGREGATION.toBeContinued) !== 0;
      if (!this.#addElement(payload, at, end, isContinued, isCut)) return false;
      isContinued = false;
      at = end;
    }
    return elements > 0 && (count === 0 || elements === count);
  }

  #addElement(payload: Uint8Array, start: number, end: number, isContinued: boolean, isCut: boolean): boolean {
    if (!isContinued && !isCut) return this.#addObu(payload, start, end);
    this.#isFragmentOpen = isCut;
    if (!this.#fragments.append(payload, start, end)) return false;
    if (isCut) return true;
    const isWhole = this.#addObu(this.#fragments.bytes, 0, this.#fragments.length);
    this.#fragments.clear();
    return isWhole;
  }

  /** Appends the OBU in `bytes[start..end]`, which may have a size field all the same. */
  #addObu(bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end) return true;
    const head = bytes[start]!;
    if ((head & 0x80) !== 0) return false;
    const type = obuType(head);
    if (type === OBU_TYPE.temporalDelimiter || type === OBU_TYPE.tileList) return true;
    const hasExtension = (head & OBU_HAS_EXTENSION) !== 0;
    let at = start + (hasExtension ? 2 : 1);
    if (at > end) return false;
    if ((head & OBU_HAS_SIZE) !== 0) {
      const size = readLeb128(bytes, at);
      if (size === undefined || at + size.sizeBytes + size.value !== end) return false;
      at += size.sizeBytes;
    }
    if (type === OBU_TYPE.sequenceHeader) this.#hasSequenceHeader = true;
    const unit = this.#unit;
    if (!unit.u8(head | OBU_HAS_SIZE) || (hasExtension && !unit.u8(bytes[start + 1]!))) return false;
    return appendLeb128(unit, end - at) && unit.append(bytes, at, end);
  }

  finish(): AssembledUnit | undefined | null {
    if (this.#isFragmentOpen || this.#unit.length === 0) {
      const isCut = this.#isFragmentOpen;
      this.reset();
      return isCut ? undefined : null;
    }
    const payload = this.#unit.take();
    const record = this.#hasSequenceHeader ? av1ConfigurationFromTemporalUnit(payload) : undefined;
    const config = this.#config.next(record && writeAv1CodecConfiguration(record));
    this.reset();
    return { payload, isKeyFrame: isAv1KeyFrame(payload), ...(config && { config }) };
  }

  reset(): void {
    this.#unit.clear();
    this.#fragments.clear();
    this.#isFragmentOpen = false;
    this.#hasSequenceHeader = false;
  }
}

function appendLeb128(unit: UnitBuffer, value: number): boolean {
  let rest = value;
  while (rest > 0x7f) {
    if (!unit.u8((rest & 0x7f) | 0x80)) return false;
    rest >>>= 7;
  }
  return unit.u8(rest);
}
