import { OBU_TYPE, splitObus } from '../../../codec/av1/obu.ts';
import {
  AV1_AGGREGATION,
  ELEMENT_COUNT_SHIFT,
  leb128Bytes,
  MAX_COUNTED_ELEMENTS,
  OBU_HAS_EXTENSION,
  OBU_HAS_SIZE,
} from './av1-aggregation-header.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';

const AGGREGATION_HEADER_BYTES = 1;

/** Temporal delimiters are not sent, tile lists must not be (§5). */
function isSendable(type: number): boolean {
  return type !== OBU_TYPE.temporalDelimiter && type !== OBU_TYPE.tileList;
}

/**
 * AV1 (RTP Payload Format for AV1 §4.3–4.5): each packet is filled with the OBUs of one temporal unit, without their
 * size fields. An OBU that does not fit goes on in the next packet.
 */
export class Av1Packetizer implements Packetizer {
  readonly #sequenceHeader: Uint8Array | undefined;
  /** First bytes of the OBUs to send, without the size flag. */
  readonly #heads: number[] = [];
  /** Second header bytes, -1 for OBUs without. */
  readonly #extensions: number[] = [];
  readonly #payloads: Uint8Array[] = [];
  /** Sizes of the elements of the packet being planned. */
  readonly #elements: number[] = [];

  /** `sequenceHeader` (payload of the OBU) goes into key frames without one: SDP does not tell it. */
  constructor(sequenceHeader: Uint8Array | undefined) {
    this.#sequenceHeader = sequenceHeader;
  }

  write(payload: Uint8Array, isKeyFrame: boolean, out: PayloadWriter): void {
    const hasSequenceHeader = this.#readObus(payload, isKeyFrame);
    let flags = isKeyFrame && hasSequenceHeader ? AV1_AGGREGATION.newSequence : 0;
    let index = 0;
    let offset = 0;
    while (index < this.#heads.length) {
      this.#plan(index, offset, out.maxPayloadSize - AGGREGATION_HEADER_BYTES);
      const elements = this.#elements.length;
      const last = index + elements - 1;
      const lastOffset = elements === 1 ? offset : 0;
      const isCut = lastOffset + this.#elements[elements - 1]! < this.#size(last);
      const hasCount = elements <= MAX_COUNTED_ELEMENTS;
      out.open();
      out.u8(
        flags |
          (offset > 0 ? AV1_AGGREGATION.continues : 0) |
          (isCut ? AV1_AGGREGATION.toBeContinued : 0) |
          (hasCount ? elements << ELEMENT_COUNT_SHIFT : 0),
      );
      for (let i = 0; i < elements; i++) {
        const size = this.#elements[i]!;
        if (!hasCount || i < elements - 1) writeLeb128(size, out);
        this.#writeElement(index + i, i === 0 ? offset : 0, size, out);
      }
      flags = 0;
      offset = isCut ? lastOffset + this.#elements[elements - 1]! : 0;
      index = isCut ? last : last + 1;
      out.close(index === this.#heads.length);
    }
    this.#clear();
  }

  #readObus(payload: Uint8Array, isKeyFrame: boolean): boolean {
    let hasSequenceHeader = false;
    for (const obu of splitObus(payload)) {
      if (!isSendable(obu.type)) continue;
      if (obu.type === OBU_TYPE.sequenceHeader) hasSequenceHeader = true;
      const head = obu.bytes[0]!;
      this.#push(head & ~OBU_HAS_SIZE, (head & OBU_HAS_EXTENSION) === 0 ? -1 : obu.bytes[1]!, obu.payload);
    }
    if (hasSequenceHeader || !isKeyFrame || this.#sequenceHeader === undefined) return hasSequenceHeader;
    this.#heads.unshift(OBU_TYPE.sequenceHeader << 3);
    this.#extensions.unshift(-1);
    this.#payloads.unshift(this.#sequenceHeader);
    return true;
  }

  #push(head: number, extension: number, payload: Uint8Array): void {
    this.#heads.push(head);
    this.#extensions.push(extension);
    this.#payloads.push(payload);
  }

  #clear(): void {
    this.#heads.length = 0;
    this.#extensions.length = 0;
    this.#payloads.length = 0;
  }

  /** Bytes of an OBU as it is sent. */
  #size(index: number): number {
    return this.#payloads[index]!.length + (this.#extensions[index]! < 0 ? 1 : 2);
  }

  /** Chooses the elements of the packet that begins at `offset` of the OBU at `from`. */
  #plan(from: number, offset: number, capacity: number): void {
    const elements = this.#elements;
    elements.length = 0;
    let room = capacity;
    let rest = this.#size(from) - offset;
    for (let index = from; ; rest = this.#size(index)) {
      const withLength = leb128Bytes(rest) + rest;
      if (withLength <= room) {
        elements.push(rest);
        room -= withLength;
        if (++index === this.#heads.length) return;
        continue;
      }
      // The last of at most three elements needs no length.
      const fit = elements.length < MAX_COUNTED_ELEMENTS ? room : room - leb128Bytes(room);
      if (fit > 0 || elements.length === 0) elements.push(Math.max(1, Math.min(rest, fit)));
      return;
    }
  }

  #writeElement(index: number, offset: number, size: number, out: PayloadWriter): void {
    const extension = this.#extensions[index]!;
    const headerBytes = extension < 0 ? 1 : 2;
    const end = offset + size;
    if (offset === 0) out.u8(this.#heads[index]!);
    if (offset <= 1 && end > 1 && headerBytes === 2) out.u8(extension);
    const start = Math.max(offset - headerBytes, 0);
    if (end > headerBytes) out.raw(this.#payloads[index]!, start, end - headerBytes);
  }
}

function writeLeb128(value: number, out: PayloadWriter): void {
  let rest = value;
  while (rest > 0x7f) {
    out.u8((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.u8(rest);
}
