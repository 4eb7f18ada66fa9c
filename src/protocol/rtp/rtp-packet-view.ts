import { getU32, setU32 } from '../../wire/big-endian.ts';
import { RTP_FIXED_HEADER_BYTES } from './rtp-packet.ts';

const EXTENSION_FLAG = 0x10;
const PADDING_FLAG = 0x20;
const MARKER_FLAG = 0x80;
const ONE_BYTE_PROFILE = 0xbede;
const TWO_BYTE_PROFILE = 0x1000;
const TWO_BYTE_PROFILE_MASK = 0xfff0;
const LAST_ONE_BYTE_ID = 14;

/**
 * An RTP packet (RFC 3550 §5.1) where it lies, for the path every packet takes: made once, set on one packet after the
 * other, reading and writing header fields in place. `parseRtpPacket` gives the same as an object.
 */
export class RtpPacketView {
  /** The buffer with the packet; whoever called `look` owns it. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the packet begins in `bytes`. */
  start = 0;
  /** Where it ends, padding included. */
  end = 0;
  /** Where the payload begins. */
  payloadStart = 0;
  /** Where the payload ends and padding begins. */
  payloadEnd = 0;
  /** Where the elements of the header extension begin; equal to `extensionEnd` when there are none. */
  extensionStart = 0;
  extensionEnd = 0;
  /** Bytes in front of an element's data: 1 or 2, 0 when the extension has neither form of RFC 8285. */
  elementHeaderBytes: 0 | 1 | 2 = 0;
  /** Length of the element that `findElement` found last, bytes. */
  elementBytes = 0;
  #elementId = 0;

  /**
   * Looks at the packet at `[start, end)` of `bytes`.
   * @returns false when it is none, or a length inside does not fit; the view is then of no use
   */
  look(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    if (end - start < RTP_FIXED_HEADER_BYTES || end > bytes.length || bytes[start]! >>> 6 !== 2) return false;
    const flags = bytes[start]!;
    let at = start + RTP_FIXED_HEADER_BYTES + 4 * (flags & 0x0f);
    this.elementHeaderBytes = 0;
    this.extensionStart = at;
    this.extensionEnd = at;
    if ((flags & EXTENSION_FLAG) !== 0) {
      if (at + 4 > end) return false;
      const profile = (bytes[at]! << 8) | bytes[at + 1]!;
      this.extensionStart = at + 4;
      at += 4 + 4 * ((bytes[at + 2]! << 8) | bytes[at + 3]!);
      this.extensionEnd = at;
      if (profile === ONE_BYTE_PROFILE) this.elementHeaderBytes = 1;
      else if ((profile & TWO_BYTE_PROFILE_MASK) === TWO_BYTE_PROFILE) this.elementHeaderBytes = 2;
    }
    if (at > end) return false;
    const paddingBytes = (flags & PADDING_FLAG) === 0 ? 0 : bytes[end - 1]!;
    // The count of padding counts itself, so it can't be 0.
    if ((flags & PADDING_FLAG) !== 0 && (paddingBytes === 0 || paddingBytes > end - at)) return false;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.payloadStart = at;
    this.payloadEnd = end - paddingBytes;
    return true;
  }

  get marker(): boolean {
    return (this.bytes[this.start + 1]! & MARKER_FLAG) !== 0;
  }

  set marker(value: boolean) {
    const at = this.start + 1;
    this.bytes[at] = value ? this.bytes[at]! | MARKER_FLAG : this.bytes[at]! & ~MARKER_FLAG;
  }

  /** 7 bits. */
  get payloadType(): number {
    return this.bytes[this.start + 1]! & 0x7f;
  }

  set payloadType(value: number) {
    const at = this.start + 1;
    this.bytes[at] = (this.bytes[at]! & MARKER_FLAG) | (value & 0x7f);
  }

  /** 16 bits. */
  get sequenceNumber(): number {
    return (this.bytes[this.start + 2]! << 8) | this.bytes[this.start + 3]!;
  }

  set sequenceNumber(value: number) {
    this.bytes[this.start + 2] = value >>> 8;
    this.bytes[this.start + 3] = value;
  }

  /** 32 bits. */
  get timestamp(): number {
    return getU32(this.bytes, this.start + 4);
  }

  set timestamp(value: number) {
    setU32(this.bytes, this.start + 4, value);
  }

  /** 32 bits. */
  get ssrc(): number {
    return getU32(this.bytes, this.start + 8);
  }

  set ssrc(value: number) {
    setU32(this.bytes, this.start + 8, value);
  }

  get payloadBytes(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /**
   * Where the data of the first element with this id begins (RFC 8285 §4.2, §4.3), and its length in `elementBytes`;
   * −1 when there is none. Ids 1–14 in the one-byte form, 1–255 in the other.
   */
  findElement(id: number): number {
    for (let at = this.#elementFrom(this.extensionStart); at >= 0; ) {
      const dataAt = at + this.elementHeaderBytes;
      if (this.#elementId === id) return dataAt;
      at = this.#elementFrom(dataAt + this.elementBytes);
    }
    return -1;
  }

  /**
   * Overwrites the element with this id by the low bytes of `value`, big-endian.
   * @returns false when there is none of exactly `sizeBytes`, 1–4
   */
  writeElement(id: number, value: number, sizeBytes: number): boolean {
    const at = this.findElement(id);
    if (at < 0 || this.elementBytes !== sizeBytes) return false;
    for (let i = 0; i < sizeBytes; i++) this.bytes[at + i] = value >>> (8 * (sizeBytes - 1 - i));
    return true;
  }

  /** Gives every element with an id from `ids` the id there; those that have none there become padding. */
  renumberElements(ids: ReadonlyMap<number, number>): void {
    const { bytes, elementHeaderBytes } = this;
    for (let at = this.#elementFrom(this.extensionStart); at >= 0; ) {
      const end = at + elementHeaderBytes + this.elementBytes;
      const id = ids.get(this.#elementId);
      if (id === undefined) bytes.fill(0, at, end);
      else bytes[at] = elementHeaderBytes === 1 ? (id << 4) | (bytes[at]! & 0x0f) : id;
      at = this.#elementFrom(end);
    }
  }

  /** Where the next element begins from `from` on, its id in `#elementId` and its length in `elementBytes`; −1 at the end. */
  #elementFrom(from: number): number {
    const { bytes, elementHeaderBytes, extensionEnd } = this;
    let at = from;
    while (at < extensionEnd && bytes[at] === 0) at++;
    if (elementHeaderBytes === 0 || at >= extensionEnd) return -1;
    const first = bytes[at]!;
    const isOneByte = elementHeaderBytes === 1;
    this.#elementId = isOneByte ? first >>> 4 : first;
    // Id 0 with a length is as much the end as id 15 (RFC 8285 §4.2).
    if (isOneByte && (this.#elementId === 0 || this.#elementId > LAST_ONE_BYTE_ID)) return -1;
    if (at + elementHeaderBytes > extensionEnd) return -1;
    this.elementBytes = isOneByte ? (first & 0x0f) + 1 : bytes[at + 1]!;
    return at + elementHeaderBytes + this.elementBytes > extensionEnd ? -1 : at;
  }
}
