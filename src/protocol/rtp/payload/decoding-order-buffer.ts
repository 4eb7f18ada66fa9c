import { type DepacketizedUnit, MAX_UNIT_SIZE } from './depacketizer.ts';
import { type UnitAssembler, UnitDepacketizer } from './unit-depacketizer.ts';

/** Most NAL units held back, whatever the sender's parameters ask for. */
export const MAX_INTERLEAVING_DEPTH = 1024;

/** NAL units after a loss in which a gap of decoding order numbers is taken for what was lost. */
const LOSS_HORIZON = 2 * MAX_INTERLEAVING_DEPTH;

interface HeldNalUnit {
  readonly decodingOrder: number;
  readonly timestamp: number;
  readonly bytes: Uint8Array;
}

/** How far `b` comes after `a` in decoding order, negative before (RFC 6184 §5.5, RFC 7798 §4.5). */
function decodingDistance(a: number, b: number): number {
  return ((b - a) << 16) >> 16;
}

/**
 * Puts NAL units with decoding order numbers, sent in another order, back into decoding order, and access units
 * together from them. Access units end where the time changes: the marker says nothing about decoding order.
 *
 * Between NAL units that a sender gave numbers with gaps everything is taken for lost for some time after a loss.
 */
export class DecodingOrderBuffer {
  readonly #depth: number;
  readonly #units: UnitDepacketizer;
  /** In decoding order. */
  #held: HeldNalUnit[] = [];
  #heldBytes = 0;
  #lossHorizon = 0;
  #lastOrder: number | undefined;
  #out: DepacketizedUnit[] = [];

  /**
   * @param depth NAL units that may be sent before one that is to be decoded earlier
   * @param assembler takes single NAL units as packets
   */
  constructor(depth: number, assembler: UnitAssembler) {
    this.#depth = Math.min(depth, MAX_INTERLEAVING_DEPTH);
    this.#units = new UnitDepacketizer(assembler);
  }

  /** Access units dropped. */
  get dropped(): number {
    return this.#units.dropped;
  }

  /** Whether a loss is so near that what is missing may be blamed on it. */
  get isAfterLoss(): boolean {
    return this.#lossHorizon > 0;
  }

  /** NAL units are missing before the next one that is held. */
  lose(): void {
    this.#lossHorizon = LOSS_HORIZON;
  }

  /** Takes a NAL unit, whose bytes are given away. */
  hold(decodingOrder: number, timestamp: number, bytes: Uint8Array): void {
    const held = this.#held;
    let at = held.length;
    while (at > 0 && decodingDistance(held[at - 1]!.decodingOrder, decodingOrder) < 0) at--;
    held.splice(at, 0, { decodingOrder, timestamp, bytes });
    this.#heldBytes += bytes.length;
    while (held.length > this.#depth || this.#heldBytes > MAX_UNIT_SIZE) this.#release();
  }

  #release(): void {
    const next = this.#held.shift();
    if (next === undefined) return;
    this.#heldBytes -= next.bytes.length;
    let afterLoss = false;
    if (this.#lossHorizon > 0) {
      this.#lossHorizon--;
      afterLoss = this.#lastOrder === undefined || decodingDistance(this.#lastOrder, next.decodingOrder) !== 1;
    }
    this.#lastOrder = next.decodingOrder;
    const { bytes: payload, timestamp } = next;
    this.#out.push(...this.#units.receive({ payload, timestamp, marker: false, afterLoss }));
  }

  /** The access units that are whole since the last call. */
  takeUnits(): readonly DepacketizedUnit[] {
    const units = this.#out;
    this.#out = [];
    return units;
  }
}
