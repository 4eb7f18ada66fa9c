import { StateError } from '../../../wire/errors.ts';
import { ONE_BYTE_EXTENSION_PROFILE, TWO_BYTE_EXTENSION_PROFILE } from '../header-extension.ts';
import type { RtpErrorCode } from '../rtp-error.ts';
import { RTP_FIXED_HEADER_BYTES } from '../rtp-packet.ts';
import type { RtpPacketView } from '../rtp-packet-view.ts';

/** Most elements of its own one writer adds. */
export const MAX_OWN_ELEMENTS = 16;

const EXTENSION_FLAG = 0x10;
const PADDING_FLAG = 0x20;
const EXTENSION_HEADER_BYTES = 4;
const LAST_ONE_BYTE_ID = 14;
const LAST_TWO_BYTE_ID = 255;
const MAX_ONE_BYTE_DATA = 16;
const MAX_TWO_BYTE_DATA = 255;

/** An element every packet of a consumer gets, with what it holds until somebody writes into it. */
export interface OwnElement {
  /** 1–14, or 1–255 where the two-byte form is allowed. */
  readonly id: number;
  /** Copied. */
  readonly data: Uint8Array;
}

/** What a header extension is made of. */
export interface HeaderExtensionWriterOptions {
  /** Outgoing id of each element of incoming packets that is to be kept, by its incoming id. */
  readonly ids: ReadonlyMap<number, number>;
  /** Elements of the writer's own, in this order; they win over kept ones with the same outgoing id. */
  readonly own: readonly OwnElement[];
  /**
   * Whether elements that do not fit the one-byte form may put a packet into the two-byte form, as `extmap-allow-mixed`
   * in SDP says (RFC 8285 §6); false leaves them out. Default false.
   */
  readonly allowTwoByte?: boolean;
}

/** Elements in front of the kept ones, as bytes. */
interface OwnBlock {
  readonly bytes: Uint8Array;
  /** Where the data of each element begins in `bytes`. */
  readonly dataStarts: readonly number[];
}

/**
 * Writes the headers of forwarded packets: fixed header and contributing sources of the incoming packet, then a header
 * extension of own elements and of chosen ones of the incoming packet under new ids. The caller copies the payload behind
 * it; padding is not repeated. One writer for each consumer.
 */
export class HeaderExtensionWriter {
  /** Outgoing ids by incoming id; 0: left out. */
  readonly #ids: Uint8Array = new Uint8Array(LAST_TWO_BYTE_ID + 1);
  readonly #oneByte: OwnBlock | undefined;
  readonly #twoByte: OwnBlock | undefined;
  readonly #dataOffsets: number[];
  #replacedId = 0;
  #replacement: Uint8Array = new Uint8Array(0);
  #replacementStart = 0;
  #replacementBytes = 0;

  /** @throws StateError `rtp/bad-extension` for an element of its own that the form can't carry, or too many */
  constructor({ ids, own, allowTwoByte = false }: HeaderExtensionWriterOptions) {
    const lastId = allowTwoByte ? LAST_TWO_BYTE_ID : LAST_ONE_BYTE_ID;
    const maxData = allowTwoByte ? MAX_TWO_BYTE_DATA : MAX_ONE_BYTE_DATA;
    if (own.length > MAX_OWN_ELEMENTS) throw refusal(`${own.length} elements`);
    for (const { id, data } of own) {
      if (id < 1 || id > lastId || data.length < 1 || data.length > maxData) {
        throw refusal(`an element ${id} of ${data.length} bytes`);
      }
    }
    for (const [from, to] of ids) {
      const isKept = to >= 1 && to <= lastId && from >= 1 && from <= LAST_TWO_BYTE_ID;
      if (isKept && !own.some(({ id }) => id === to)) this.#ids[from] = to;
    }
    const fitsOneByte = own.every(({ id, data }) => id <= LAST_ONE_BYTE_ID && data.length <= MAX_ONE_BYTE_DATA);
    this.#oneByte = fitsOneByte ? ownBlock(own, 1) : undefined;
    this.#twoByte = allowTwoByte ? ownBlock(own, 2) : undefined;
    this.#dataOffsets = own.map(() => 0);
  }

  /** Where the data of the own element with this index begins in the buffer written last. */
  ownDataOffset(index: number): number {
    return this.#dataOffsets[index] ?? -1;
  }

  /**
   * Gives the kept element with this incoming id other data in the next packet: a dependency descriptor whose decode
   * targets were rewritten. It is left out when it is longer than its form allows.
   * @param bytes read by the next `write`
   */
  replaceNext(incomingId: number, bytes: Uint8Array, start: number, sizeBytes: number): void {
    this.#replacedId = incomingId;
    this.#replacement = bytes;
    this.#replacementStart = start;
    this.#replacementBytes = sizeBytes;
  }

  /**
   * Writes the header of the packet `view` looks at, all fields but the extension as they are and without padding.
   * @param out another buffer than the packet's, or a part of it that does not overlap
   * @returns where the payload goes; −1 when there may not be room for header, extension and payload
   */
  write(view: RtpPacketView, out: Uint8Array, at: number): number {
    let end = -1;
    if (this.#oneByte !== undefined) end = this.#writeForm(view, out, at, this.#oneByte, 1);
    if (end === -1 && this.#twoByte !== undefined) end = this.#writeForm(view, out, at, this.#twoByte, 2);
    this.#replacedId = 0;
    this.#replacementBytes = 0;
    return end < 0 ? -1 : end;
  }

  /** @returns where the payload goes; −1 when an element wants the other form, −2 when there is no room */
  #writeForm(view: RtpPacketView, out: Uint8Array, at: number, own: OwnBlock, form: 1 | 2): number {
    const { bytes, start, elementHeaderBytes, extensionStart, extensionEnd } = view;
    const ids = this.#ids;
    const headerBytes = RTP_FIXED_HEADER_BYTES + 4 * (bytes[start]! & 0x0f);
    // Each element grows by at most one byte, and takes two at least: half as much again, and 3 bytes of padding.
    const room =
      headerBytes + EXTENSION_HEADER_BYTES + own.bytes.length + 3 + ((extensionEnd - extensionStart) * 3) / 2;
    if (at + room + this.#replacementBytes + view.payloadBytes > out.length) return -2;
    for (let i = 0; i < headerBytes; i++) out[at + i] = bytes[start + i]!;
    const blockStart = at + headerBytes;
    const elementsStart = blockStart + EXTENSION_HEADER_BYTES;
    const ownBytes = own.bytes;
    for (let i = 0; i < ownBytes.length; i++) out[elementsStart + i] = ownBytes[i]!;
    let end = elementsStart + ownBytes.length;
    // Only the first of several elements has been given room.
    let replacedId = this.#replacedId;
    let from = extensionStart;
    while (elementHeaderBytes > 0 && from < extensionEnd) {
      const first = bytes[from]!;
      if (first === 0) {
        from++;
        continue;
      }
      const isOneByte = elementHeaderBytes === 1;
      const found = isOneByte ? first >>> 4 : first;
      // As `RtpPacketView.findElement` ends.
      if (isOneByte ? found === 0 || found > LAST_ONE_BYTE_ID : from + 1 >= extensionEnd) break;
      let dataBytes = isOneByte ? (first & 0x0f) + 1 : bytes[from + 1]!;
      let dataStart = from + elementHeaderBytes;
      from = dataStart + dataBytes;
      if (from > extensionEnd) break;
      const id = ids[found]!;
      if (id === 0) continue;
      let source = bytes;
      if (found === replacedId) {
        source = this.#replacement;
        dataStart = this.#replacementStart;
        dataBytes = this.#replacementBytes;
        if (dataBytes > MAX_TWO_BYTE_DATA || dataStart + dataBytes > source.length) continue;
        replacedId = 0;
      }
      if (form === 1) {
        if (id > LAST_ONE_BYTE_ID || dataBytes > MAX_ONE_BYTE_DATA || dataBytes === 0) {
          if (this.#twoByte === undefined) continue;
          return -1;
        }
        out[end++] = (id << 4) | (dataBytes - 1);
      } else {
        out[end++] = id;
        out[end++] = dataBytes;
      }
      for (let i = 0; i < dataBytes; i++) out[end++] = source[dataStart + i]!;
    }
    while (((end - elementsStart) & 3) !== 0) out[end++] = 0;
    const words = (end - elementsStart) >>> 2;
    const flags = bytes[start]! & ~PADDING_FLAG;
    if (words === 0) {
      out[at] = flags & ~EXTENSION_FLAG;
      return blockStart;
    }
    out[at] = flags | EXTENSION_FLAG;
    const profile = form === 1 ? ONE_BYTE_EXTENSION_PROFILE : TWO_BYTE_EXTENSION_PROFILE;
    out[blockStart] = profile >>> 8;
    out[blockStart + 1] = profile;
    out[blockStart + 2] = words >>> 8;
    out[blockStart + 3] = words;
    const { dataStarts } = own;
    for (let i = 0; i < dataStarts.length; i++) this.#dataOffsets[i] = elementsStart + dataStarts[i]!;
    return end;
  }
}

function ownBlock(own: readonly OwnElement[], form: 1 | 2): OwnBlock {
  const bytes: number[] = [];
  const dataStarts: number[] = [];
  for (const { id, data } of own) {
    if (form === 1) bytes.push((id << 4) | (data.length - 1));
    else bytes.push(id, data.length);
    dataStarts.push(bytes.length);
    bytes.push(...data);
  }
  return { bytes: Uint8Array.from(bytes), dataStarts };
}

function refusal(message: string): StateError {
  return new StateError('rtp/bad-extension' satisfies RtpErrorCode, message);
}
