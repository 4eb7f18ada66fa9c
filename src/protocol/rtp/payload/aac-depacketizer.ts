import { parseAdtsHeader } from '../../../codec/aac/adts.ts';
import { BitReader } from '../../../wire/bit-reader.ts';
import { type AuHeaderForm, hasAuHeaders } from './aac-header-form.ts';
import { type DepacketizedUnit, type Depacketizer, MAX_UNIT_SIZE, type RtpPayload } from './depacketizer.ts';
import { UnitBuffer } from './unit-buffer.ts';

/** Most access units taken out of one packet. */
export const MAX_UNITS_IN_PACKET = 256;

/** Most access units that wait for their turn when they come out of order; each came in one packet. */
export const MAX_INTERLEAVED_UNITS = 120;

const NOTHING: readonly DepacketizedUnit[] = [];

/** One AU-header: size in bytes, and RTP clock units behind the packet's time. */
interface AuHeader {
  readonly size: number;
  readonly delta: number;
}

/** The AU-headers of a packet and where the access units begin. */
interface AuSection {
  readonly headers: readonly AuHeader[];
  readonly dataOffset: number;
}

/**
 * AAC in MPEG4-GENERIC (RFC 3640 §3.2). A packet has several access units, each with its own time, or a part of one:
 *
 *     AU-headers-length(16)  AU-header … to a whole byte  [auxiliary-data-size, data … to a whole byte]  access units
 *     AU-header: AU-size  AU-Index or AU-Index-delta  [CTS-flag CTS-delta] [DTS-flag DTS-delta] [RAP-flag] [Stream-state]
 *
 * Parts are taken only from their first one on, which is known by the packet before it. Interleaved access units wait
 * until a packet tells that no earlier ones follow (§3.2.3.2).
 */
export class AacDepacketizer implements Depacketizer {
  readonly #form: AuHeaderForm;
  readonly #hasHeaders: boolean;
  readonly #unitDuration: number;
  readonly #parts: UnitBuffer = new UnitBuffer();
  /** AU-size of the access unit that comes in parts; 0 when none is open. */
  #partsSize = 0;
  #partsTimestamp = 0;
  /** Where the next part belongs is not known: packets before it are missing. */
  #isLost = true;
  /** Parts with this time are skipped. */
  #skipTimestamp: number | undefined;
  #isInterleaved: boolean;
  #waiting: DepacketizedUnit[] = [];
  dropped = 0;

  /** @param unitDuration RTP clock units of one access unit */
  constructor(form: AuHeaderForm, unitDuration: number) {
    this.#form = form;
    this.#hasHeaders = hasAuHeaders(form);
    this.#unitDuration = form.constantDuration > 0 ? form.constantDuration : unitDuration;
    this.#isInterleaved = form.isInterleaved;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    if (packet.afterLoss) {
      this.#dropParts();
      this.#isLost = true;
      this.#skipTimestamp = undefined;
    }
    const { payload, timestamp } = packet;
    if (payload.length === 0) return NOTHING;
    const section = this.#hasHeaders ? this.#readSection(payload) : this.#withoutHeaders(payload);
    const first = section?.headers[0];
    if (section === undefined || first === undefined) {
      this.dropped++;
      return NOTHING;
    }
    const { headers, dataOffset } = section;
    if (headers.length === 1 && first.size > payload.length - dataOffset) return this.#part(packet, first, dataOffset);
    this.#dropParts();
    this.#isLost = false;
    this.#skipTimestamp = undefined;
    const units: DepacketizedUnit[] = [];
    let at = dataOffset;
    for (const { size, delta } of headers) {
      if (size === 0 || size > payload.length - at) {
        this.dropped++;
        break;
      }
      units.push(unitOf(payload.slice(at, at + size), (timestamp + delta) >>> 0));
      at += size;
    }
    return this.#isInterleaved ? this.#inOrder(units, timestamp) : units;
  }

  #readSection(payload: Uint8Array): AuSection | undefined {
    if (payload.length < 2) return undefined;
    const form = this.#form;
    const bitLength = (payload[0]! << 8) | payload[1]!;
    const headerBytes = (bitLength + 7) >>> 3;
    if (headerBytes > payload.length - 2) return undefined;
    const bits = new BitReader(payload.subarray(2, 2 + headerBytes));
    const headers: AuHeader[] = [];
    let index = 0;
    while (bits.position < bitLength && headers.length < MAX_UNITS_IN_PACKET) {
      const before = bits.position;
      const size = form.sizeLength > 0 ? bits.bits(form.sizeLength) : form.constantSize;
      if (headers.length === 0) bits.skip(form.indexLength);
      else index += 1 + this.#indexDelta(bits);
      let delta = index * this.#unitDuration;
      if (form.ctsDeltaLength > 0 && bits.flag()) delta = signed(bits.bits(form.ctsDeltaLength), form.ctsDeltaLength);
      if (form.dtsDeltaLength > 0 && bits.flag()) bits.skip(form.dtsDeltaLength);
      if (form.hasRandomAccess) bits.skip(1);
      bits.skip(form.streamStateLength);
      // Fields that don't fill the length say nothing; those of no bits would never end.
      if (bits.overrun || bits.position > bitLength || bits.position === before) break;
      headers.push({ size, delta });
    }
    return { headers, dataOffset: 2 + headerBytes + this.#auxiliaryBytes(payload, 2 + headerBytes) };
  }

  #indexDelta(bits: BitReader): number {
    const indexDelta = bits.bits(this.#form.indexDeltaLength);
    if (indexDelta > 0) this.#isInterleaved = true;
    return indexDelta;
  }

  /** Bytes of the auxiliary section (§3.2.2), which nobody uses. */
  #auxiliaryBytes(payload: Uint8Array, offset: number): number {
    const length = this.#form.auxiliaryDataSizeLength;
    if (length === 0) return 0;
    return Math.ceil((length + new BitReader(payload.subarray(offset)).bits(length)) / 8);
  }

  /** Access units of constant size, or a part of one. */
  #withoutHeaders(payload: Uint8Array): AuSection {
    const { constantSize } = this.#form;
    const count = Math.min(Math.max(1, Math.floor(payload.length / constantSize)), MAX_UNITS_IN_PACKET);
    const headers = Array.from({ length: count }, (_, i) => ({ size: constantSize, delta: i * this.#unitDuration }));
    return { headers, dataOffset: 0 };
  }

  #part(packet: RtpPayload, header: AuHeader, dataOffset: number): readonly DepacketizedUnit[] {
    const { payload, timestamp, marker } = packet;
    if (this.#partsSize > 0 && timestamp !== this.#partsTimestamp) this.#dropParts();
    if (this.#isLost) {
      this.#skipTimestamp = timestamp;
      this.dropped++;
    } else if (timestamp !== this.#skipTimestamp) {
      this.#skipTimestamp = undefined;
    }
    this.#isLost = false;
    if (this.#skipTimestamp !== undefined) {
      if (marker) this.#skipTimestamp = undefined;
      return NOTHING;
    }
    if (this.#partsSize === 0) {
      this.#partsSize = header.size;
      this.#partsTimestamp = timestamp;
    }
    const isUsable = header.size === this.#partsSize && this.#partsSize <= MAX_UNIT_SIZE;
    if (!isUsable || !this.#parts.append(payload, dataOffset) || this.#parts.length > this.#partsSize) {
      this.#dropParts();
      if (!marker) this.#skipTimestamp = timestamp;
      return NOTHING;
    }
    if (this.#parts.length < this.#partsSize) {
      if (marker) this.#dropParts();
      return NOTHING;
    }
    this.#partsSize = 0;
    const unit = unitOf(this.#parts.take(), timestamp);
    // What comes in parts is not interleaved (§3.2.3.2).
    return this.#isInterleaved ? [...this.#inOrder([], timestamp), unit] : [unit];
  }

  #dropParts(): void {
    if (this.#partsSize === 0) return;
    this.#partsSize = 0;
    this.#parts.clear();
    this.dropped++;
  }

  /** Adds `units` to those that wait, and gives those that no later packet can come before: all before `timestamp`. */
  #inOrder(units: readonly DepacketizedUnit[], timestamp: number): readonly DepacketizedUnit[] {
    const all = [...this.#waiting, ...units].sort((a, b) => (a.timestamp - b.timestamp) | 0);
    let count = 0;
    while (count < all.length && ((all[count]!.timestamp - timestamp) | 0) < 0) count++;
    count = Math.max(count, all.length - MAX_INTERLEAVED_UNITS);
    this.#waiting = all.slice(count);
    return all.slice(0, count);
  }
}

/** A unit of an access unit in a buffer of its own; some cameras leave the ADTS header on. */
function unitOf(accessUnit: Uint8Array, timestamp: number): DepacketizedUnit {
  let payload = accessUnit;
  let headerBytes = adtsHeaderBytes(payload);
  while (headerBytes > 0) {
    payload = payload.slice(headerBytes);
    headerBytes = adtsHeaderBytes(payload);
  }
  return { timestamp, payload, isKeyFrame: true };
}

/** Bytes of the ADTS header when all the bytes are one ADTS frame that has something in it, else 0. */
function adtsHeaderBytes(bytes: Uint8Array): number {
  const header = parseAdtsHeader(bytes);
  if (header?.frameBytes !== bytes.length || header.rawDataBlocks !== 1) return 0;
  return header.headerBytes < bytes.length ? header.headerBytes : 0;
}

function signed(value: number, bits: number): number {
  return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}
