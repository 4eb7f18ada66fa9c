import { DecodingOrderBuffer } from './decoding-order-buffer.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { H264Assembler } from './h264-depacketizer.ts';
import { H264_PACKET, isH264NalUnit, NAL_TYPE_MASK } from './h264-packet-type.ts';
import { UnitBuffer } from './unit-buffer.ts';

/**
 * H.264 in interleaved mode (RFC 6184 §5.5, §5.7, §7.2, packetization mode 2): STAP-B, MTAP16, MTAP24 and FU-B bring
 * NAL units with their decoding order numbers. They are held until `sprop-interleaving-depth` others are, then go on
 * in decoding order.
 */
export class H264Deinterleaver implements Depacketizer {
  readonly #order: DecodingOrderBuffer;
  readonly #fragments: UnitBuffer = new UnitBuffer();
  #fragmentOrder: number | undefined;
  #malformed = 0;

  constructor(depth: number, parameterSets: readonly Uint8Array[]) {
    this.#order = new DecodingOrderBuffer(depth, new H264Assembler(parameterSets));
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

  #take(packet: RtpPayload): boolean {
    const { payload, timestamp } = packet;
    switch (payload[0]! & NAL_TYPE_MASK) {
      case H264_PACKET.stapB:
        return this.#takeAggregate(payload, timestamp, 0);
      case H264_PACKET.mtap16:
        return this.#takeAggregate(payload, timestamp, 2);
      case H264_PACKET.mtap24:
        return this.#takeAggregate(payload, timestamp, 3);
      case H264_PACKET.fuA:
        return this.#takeFragment(payload, timestamp, 2);
      case H264_PACKET.fuB:
        if (payload.length < 5) return false;
        this.#fragmentOrder = (payload[2]! << 8) | payload[3]!;
        this.#fragments.clear();
        return this.#takeFragment(payload, timestamp, 4);
      default:
        return false;
    }
  }

  /**
   * STAP-B, or MTAP with `offsetBytes` of time offset.
   *
   *     STAP-B: type=25 DON(16) {size(16) NAL unit};  MTAP: type=26/27 DON base(16) {size(16) DON-base(8) time(16/24) NAL unit}
   */
  #takeAggregate(payload: Uint8Array, timestamp: number, offsetBytes: number): boolean {
    if (payload.length < 3) return false;
    const base = (payload[1]! << 8) | payload[2]!;
    let at = 3;
    for (let i = 0; at + 2 <= payload.length; i++) {
      // The size is that of the NAL unit alone (§5.7.2).
      const size = (payload[at]! << 8) | payload[at + 1]!;
      at += 2;
      let order = base + i;
      let offset = 0;
      if (offsetBytes > 0) {
        order = base + (payload[at++] ?? 0);
        for (let j = 0; j < offsetBytes; j++) offset = offset * 256 + (payload[at++] ?? 0);
      }
      const end = at + size;
      if (size === 0 || end > payload.length) return false;
      this.#hold(order & 0xffff, (timestamp + offset) >>> 0, new Uint8Array(payload.subarray(at, end)));
      at = end;
    }
    return at === payload.length && at > 3;
  }

  #takeFragment(payload: Uint8Array, timestamp: number, start: number): boolean {
    const header = payload[1] ?? 0;
    const order = this.#fragmentOrder;
    // The rest of a NAL unit whose beginning was lost.
    if (order === undefined) return this.#order.isAfterLoss;
    if (this.#fragments.length === 0) {
      if (!this.#fragments.u8((payload[0]! & ~NAL_TYPE_MASK) | (header & NAL_TYPE_MASK))) return false;
    }
    if (!this.#fragments.append(payload, start)) return false;
    if ((header & 0x40) === 0) return true;
    this.#fragmentOrder = undefined;
    this.#hold(order, timestamp, this.#fragments.take());
    return true;
  }

  #hold(decodingOrder: number, timestamp: number, bytes: Uint8Array): void {
    if (isH264NalUnit(bytes[0]!)) this.#order.hold(decodingOrder, timestamp, bytes);
  }
}
