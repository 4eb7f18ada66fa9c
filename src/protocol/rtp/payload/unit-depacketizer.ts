import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';

/** A finished unit; its time is that of its packets. */
export type AssembledUnit = Omit<DepacketizedUnit, 'timestamp'>;

/** What is special about a format whose units are packets of one timestamp each. */
export interface UnitAssembler {
  /**
   * Whether a unit surely begins with this packet. Asked only where the packets before it are not known: after a loss
   * and at the start. May depend on nothing but the packet.
   */
  isStart(payload: Uint8Array): boolean;
  /** Takes the next packet of the unit (views are not kept); false when it makes no sense, which spoils the unit. */
  add(payload: Uint8Array): boolean;
  /** Whether a marker bit may end the unit here; false where senders are known to set it too early. */
  readonly isEndable: boolean;
  /** Ends the unit, forgetting its packets. `undefined` when it is not one, `null` when it held nothing a unit is made of. */
  finish(): AssembledUnit | undefined | null;
  /** Forgets the packets of the unit. */
  reset(): void;
}

const NOTHING: readonly DepacketizedUnit[] = [];

/**
 * Finds the units in packets of formats that give all packets of a unit one timestamp and the last one the marker bit.
 * Units end at the marker or, for senders that don't set it, when the timestamp changes.
 *
 * A loss spoils the unit that was open, whose end may be missing, and the unit the next packet belongs to, unless that
 * packet is known to begin one.
 */
export class UnitDepacketizer implements Depacketizer {
  readonly #assembler: UnitAssembler;
  #timestamp = 0;
  #isOpen = false;
  #isSpoilt = false;
  /** The first packet ever is in no better place than one after a loss. */
  #afterLoss = true;
  dropped = 0;

  constructor(assembler: UnitAssembler) {
    this.#assembler = assembler;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    let units = NOTHING;
    if (packet.afterLoss) {
      if (this.#isOpen) this.#spoil();
      this.#afterLoss = true;
    }
    if (this.#isOpen && packet.timestamp !== this.#timestamp) units = this.#end(units);
    // Some senders probe the path with packets of padding alone.
    if (packet.payload.length > 0) this.#add(packet);
    if (this.#isOpen && packet.marker && (this.#isSpoilt || this.#assembler.isEndable)) units = this.#end(units);
    return units;
  }

  #add(packet: RtpPayload): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#timestamp = packet.timestamp;
      this.#isSpoilt = this.#afterLoss && !this.#assembler.isStart(packet.payload);
    }
    this.#afterLoss = false;
    if (!this.#isSpoilt && !this.#assembler.add(packet.payload)) this.#spoil();
  }

  #spoil(): void {
    this.#isSpoilt = true;
    this.#assembler.reset();
  }

  #end(units: readonly DepacketizedUnit[]): readonly DepacketizedUnit[] {
    this.#isOpen = false;
    const unit = this.#isSpoilt ? undefined : this.#assembler.finish();
    if (unit === undefined) this.dropped++;
    if (!unit) return units;
    return [...units, { timestamp: this.#timestamp, ...unit }];
  }
}
