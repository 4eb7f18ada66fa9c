import { type Ac3SyncInfo, parseAc3SyncInfo } from '../../../codec/ac3/sync-info.ts';
import { AC3_FRAME_TYPE, AC3_HEADER_BYTES, EAC3_PART } from './ac3-packetizer.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { UnitBuffer } from './unit-buffer.ts';

const NOTHING: readonly DepacketizedUnit[] = [];

/** `strmtyp` of syncframes that add channels to the one before (ETSI TS 102 366 §E.1.3.1.1). */
const DEPENDENT = 1;

/**
 * Frames of AC-3 (RFC 4184) or E-AC-3 (RFC 4598). Whatever the headers of packets say, a frame is only given when the
 * sizes in its syncframes come out even. Dependent syncframes of E-AC-3 stay with the one they belong to.
 */
export class Ac3Depacketizer implements Depacketizer {
  readonly #isEnhanced: boolean;
  readonly #clockRate: number;
  readonly #parts: UnitBuffer = new UnitBuffer();
  /** Parts that are still to come; 0 when no frame is open. */
  #partsLeft = 0;
  #partsTimestamp = 0;
  /** E-AC-3 does not mark the first part of a frame, so the packet before must be known. */
  #isLost = true;
  /** Parts with this time are skipped. */
  #skipTimestamp: number | undefined;
  dropped = 0;

  constructor(isEnhanced: boolean, clockRate: number) {
    this.#isEnhanced = isEnhanced;
    this.#clockRate = clockRate;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp, marker } = packet;
    if (packet.afterLoss) {
      this.#dropParts();
      this.#isLost = true;
      this.#skipTimestamp = undefined;
    }
    if (payload.length === 0) return NOTHING;
    if (payload.length <= AC3_HEADER_BYTES) {
      this.#dropParts();
      this.dropped++;
      return NOTHING;
    }
    const type = payload[0]! & (this.#isEnhanced ? 1 : 3);
    if (this.#partsLeft > 0 && timestamp !== this.#partsTimestamp) this.#dropParts();
    if (type !== AC3_FRAME_TYPE.whole) return this.#part(packet, type);
    this.#dropParts();
    this.#isLost = false;
    this.#skipTimestamp = undefined;
    return this.#frames(payload, AC3_HEADER_BYTES, timestamp) ?? this.#drop(marker);
  }

  #part(packet: RtpPayload, type: number): readonly DepacketizedUnit[] {
    const { payload, timestamp, marker } = packet;
    if (timestamp !== this.#skipTimestamp) this.#skipTimestamp = undefined;
    if (this.#partsLeft === 0 && this.#skipTimestamp === undefined) {
      const isStart = this.#isEnhanced ? type === EAC3_PART && !this.#isLost : type !== AC3_FRAME_TYPE.rest;
      if (isStart && payload[1]! > 0) {
        this.#partsLeft = payload[1]!;
        this.#partsTimestamp = timestamp;
      } else {
        this.#skipTimestamp = timestamp;
        this.dropped++;
      }
    } else if (this.#partsLeft > 0 && !this.#isEnhanced && type !== AC3_FRAME_TYPE.rest) {
      // Two beginnings at one time: whatever it is, it is not one frame.
      this.#dropParts();
      this.#skipTimestamp = timestamp;
    }
    this.#isLost = false;
    if (this.#partsLeft === 0) {
      if (marker) this.#skipTimestamp = undefined;
      return NOTHING;
    }
    if (!this.#parts.append(payload, AC3_HEADER_BYTES)) {
      this.#dropParts();
      this.#skipTimestamp = timestamp;
      return NOTHING;
    }
    this.#partsLeft--;
    if (this.#partsLeft > 0) {
      if (marker) this.#dropParts();
      return NOTHING;
    }
    const units = this.#frames(this.#parts.bytes, 0, timestamp);
    this.#parts.clear();
    return units ?? this.#drop(marker);
  }

  /** The frames from `offset` on, each with its time; `undefined` when they don't come out even. */
  #frames(bytes: Uint8Array, offset: number, timestamp: number): readonly DepacketizedUnit[] | undefined {
    const units: DepacketizedUnit[] = [];
    let time = timestamp;
    let at = offset;
    while (at < bytes.length) {
      const info = this.#infoAt(bytes, at);
      if (info === undefined) return undefined;
      let end = at + info.frameBytes;
      for (let next = this.#infoAt(bytes, end); next?.streamType === DEPENDENT; next = this.#infoAt(bytes, end)) {
        end += next.frameBytes;
      }
      if (end > bytes.length) return undefined;
      units.push({ timestamp: Math.round(time) >>> 0, payload: bytes.slice(at, end), isKeyFrame: true });
      time = (time + (info.samples * this.#clockRate) / info.sampleRate) % 2 ** 32;
      at = end;
    }
    return units;
  }

  #infoAt(bytes: Uint8Array, at: number): Ac3SyncInfo | undefined {
    const info = at < bytes.length ? parseAc3SyncInfo(bytes.subarray(at)) : undefined;
    // Both syntaxes may stand under the name of the newer one.
    return info?.codec === 'eac3' && !this.#isEnhanced ? undefined : info;
  }

  #drop(marker: boolean): readonly DepacketizedUnit[] {
    this.dropped++;
    if (marker) this.#skipTimestamp = undefined;
    return NOTHING;
  }

  #dropParts(): void {
    if (this.#partsLeft === 0) return;
    this.#partsLeft = 0;
    this.#parts.clear();
    this.dropped++;
  }
}
