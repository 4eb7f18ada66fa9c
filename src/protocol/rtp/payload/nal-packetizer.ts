import { NalUnitList } from './nal-unit-list.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** Bytes of the length in front of each NAL unit of an aggregate. */
const LENGTH_BYTES = 2;

const START_FLAG = 0x80;
const END_FLAG = 0x40;

/** What the codecs made of NAL units differ in. */
export interface NalPacketForm {
  /** Bytes of the header of a NAL unit, and of an aggregate. */
  readonly headerBytes: number;
  /** Bytes in front of a fragment. */
  readonly fragmentHeaderBytes: number;
  /** Whether a NAL unit can be sent at all, by first byte and size. */
  readonly isSendable: (head: number, sizeBytes: number) => boolean;
  /** Whether it is a sequence parameter set, by first byte. */
  isSps(head: number): boolean;
  isAccessUnitDelimiter(head: number): boolean;
  /** Writes the header of an aggregate of the NAL units from `from` up to `end`. */
  writeAggregateHeader(list: NalUnitList, from: number, end: number, out: PayloadWriter): void;
  /** Writes what stands in front of a fragment of the NAL unit at `start`. @param flags start and end, the two highest bits */
  writeFragmentHeader(bytes: Uint8Array, start: number, flags: number, out: PayloadWriter): void;
}

/** NAL units in decoding order: one a packet, several small ones together, or long ones in fragments. */
export class NalPacketizer implements Packetizer {
  readonly #form: NalPacketForm;
  readonly #lengthSize: number;
  readonly #inBand: readonly Uint8Array[];
  readonly #nalUnits: NalUnitList;

  /**
   * @param lengthSize bytes of the length before each NAL unit of a payload
   * @param inBand parameter sets put into key frames that have none of their own
   */
  constructor(form: NalPacketForm, lengthSize: number, inBand: readonly Uint8Array[]) {
    this.#form = form;
    this.#lengthSize = lengthSize;
    this.#inBand = inBand;
    this.#nalUnits = new NalUnitList(form.isSendable);
  }

  write(payload: Uint8Array, isKeyFrame: boolean, out: PayloadWriter): void {
    const list = this.#nalUnits;
    list.pushPayload(payload, this.#lengthSize);
    if (isKeyFrame && this.#inBand.length > 0) this.#insertParameterSets();
    const count = list.count;
    for (let i = 0; i < count; ) {
      const end = this.#aggregateEnd(i, out.maxPayloadSize);
      if (end > i + 1) this.#writeAggregate(i, end, out, end === count);
      else this.#writeNalUnit(i, out, end === count);
      i = end;
    }
    list.clear();
  }

  #insertParameterSets(): void {
    const list = this.#nalUnits;
    for (let i = 0; i < list.count; i++) if (this.#form.isSps(list.head(i))) return;
    // A delimiter stays what an access unit begins with (H.264 §7.4.1.2.3, H.265 §7.4.2.4.4).
    let at = list.count > 0 && this.#form.isAccessUnitDelimiter(list.head(0)) ? 1 : 0;
    for (const set of this.#inBand) list.insert(at++, set);
  }

  /** The index after the last NAL unit that goes into one packet with the one at `from`. */
  #aggregateEnd(from: number, maxPayloadSize: number): number {
    const list = this.#nalUnits;
    let end = from + 1;
    let size = this.#form.headerBytes + LENGTH_BYTES + list.size(from);
    for (; end < list.count; end++) {
      size += LENGTH_BYTES + list.size(end);
      if (size > maxPayloadSize) break;
    }
    return end;
  }

  /** `{size(16) NAL unit}` behind the header. */
  #writeAggregate(from: number, end: number, out: PayloadWriter, marker: boolean): void {
    const list = this.#nalUnits;
    out.open();
    this.#form.writeAggregateHeader(list, from, end, out);
    for (let i = from; i < end; i++) {
      out.u16(list.size(i));
      out.raw(list.sources[i]!, list.starts[i], list.ends[i]);
    }
    out.close(marker);
  }

  /** As it is, or in fragments of the bytes behind its header when it is too long. */
  #writeNalUnit(index: number, out: PayloadWriter, marker: boolean): void {
    const { headerBytes, fragmentHeaderBytes } = this.#form;
    const bytes = this.#nalUnits.sources[index]!;
    const start = this.#nalUnits.starts[index]!;
    const end = this.#nalUnits.ends[index]!;
    if (end - start <= out.maxPayloadSize) {
      out.open();
      out.raw(bytes, start, end);
      out.close(marker);
      return;
    }
    const step = Math.max(1, out.maxPayloadSize - fragmentHeaderBytes);
    let flags = START_FLAG;
    for (let at = start + headerBytes; at < end; at += step) {
      const isLast = at + step >= end;
      if (isLast) flags |= END_FLAG;
      out.open();
      this.#form.writeFragmentHeader(bytes, start, flags, out);
      out.raw(bytes, at, isLast ? end : at + step);
      out.close(marker && isLast);
      flags = 0;
    }
  }
}
