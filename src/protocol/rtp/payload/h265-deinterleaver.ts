import { DecodingOrderBuffer } from './decoding-order-buffer.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { H265Assembler, h265FragmentHead, isFirstH265Fragment } from './h265-depacketizer.ts';
import { H265_PACKET, h265TypeOf, isH265NalUnit, NAL_HEADER_BYTES } from './h265-packet-type.ts';
import { UnitBuffer } from './unit-buffer.ts';

const DON_BYTES = 2;
const FU_HEADER_BYTES = 3;

/**
 * H.265 whose packets have decoding order numbers (RFC 7798 §4.4, §4.5, §6: `sprop-max-don-diff` above 0). NAL units
 * are held until `sprop-depack-buf-nalus` others are, then go on in decoding order.
 */
export class H265Deinterleaver implements Depacketizer {
  readonly #order: DecodingOrderBuffer;
  readonly #fragments: UnitBuffer = new UnitBuffer();
  #fragmentOrder: number | undefined;
  #malformed = 0;

  constructor(depth: number, parameterSets: readonly Uint8Array[]) {
    this.#order = new DecodingOrderBuffer(depth, new H265Assembler(parameterSets));
  }

  get dropped(): number {
    return this.#order.dropped + this.#malformed;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    if (packet.payload.length === 0) return [];
    if (packet.afterLoss) this.#lose();
    if (!this.#take(packet)) {
      this.#malformed++;
      this.#lose();
    }
    return this.#order.takeUnits();
  }

  #lose(): void {
    this.#order.lose();
    this.#fragmentOrder = undefined;
    this.#fragments.clear();
  }

  #take({ payload, timestamp }: RtpPayload): boolean {
    switch (h265TypeOf(payload[0]!)) {
      case H265_PACKET.aggregation:
        return this.#takeAggregate(payload, timestamp);
      case H265_PACKET.fragmentation:
        return this.#takeFragment(payload, timestamp);
      case H265_PACKET.paci:
        return false;
      default:
        return this.#takeNalUnit(payload, timestamp);
    }
  }

  /** A NAL unit with its DONL between header and body (§4.4.1). */
  #takeNalUnit(payload: Uint8Array, timestamp: number): boolean {
    const start = NAL_HEADER_BYTES + DON_BYTES;
    if (payload.length < start) return false;
    const bytes = new Uint8Array(payload.length - DON_BYTES);
    bytes.set(payload.subarray(0, NAL_HEADER_BYTES));
    bytes.set(payload.subarray(start), NAL_HEADER_BYTES);
    this.#order.hold((payload[2]! << 8) | payload[3]!, timestamp, bytes);
    return true;
  }

  /**
   * §4.4.2: the first NAL unit has a number, each other the difference to the one before, less one.
   *
   *     header(16) DONL(16) size(16) NAL unit {DOND(8) size(16) NAL unit}
   */
  #takeAggregate(payload: Uint8Array, timestamp: number): boolean {
    let at = NAL_HEADER_BYTES;
    let order = 0;
    for (let i = 0; at < payload.length; i++) {
      const numberBytes = i === 0 ? DON_BYTES : 1;
      if (at + numberBytes + 2 > payload.length) return false;
      order = i === 0 ? (payload[at]! << 8) | payload[at + 1]! : (order + payload[at]! + 1) & 0xffff;
      at += numberBytes;
      const size = (payload[at]! << 8) | payload[at + 1]!;
      at += 2;
      if (size > payload.length - at || !isH265NalUnit(payload[at]!, size)) return false;
      this.#order.hold(order, timestamp, new Uint8Array(payload.subarray(at, at + size)));
      at += size;
    }
    return at > NAL_HEADER_BYTES;
  }

  /** §4.4.3: the first fragment has the DONL behind its header. */
  #takeFragment(payload: Uint8Array, timestamp: number): boolean {
    const isFirst = isFirstH265Fragment(payload);
    const start = FU_HEADER_BYTES + (isFirst ? DON_BYTES : 0);
    if (payload.length <= start) return false;
    if (isFirst) {
      const head = h265FragmentHead(payload);
      if (!isH265NalUnit(head, NAL_HEADER_BYTES)) return false;
      this.#fragments.clear();
      this.#fragments.u8(head);
      this.#fragments.u8(payload[1]!);
      this.#fragmentOrder = (payload[3]! << 8) | payload[4]!;
    }
    const order = this.#fragmentOrder;
    // The rest of a NAL unit whose beginning was lost.
    if (order === undefined) return this.#order.isAfterLoss;
    if (!this.#fragments.append(payload, start)) return false;
    if ((payload[2]! & 0x40) === 0) return true;
    this.#fragmentOrder = undefined;
    this.#order.hold(order, timestamp, this.#fragments.take());
    return true;
  }
}
