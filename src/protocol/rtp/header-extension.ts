import { StateError } from '../../wire/errors.ts';
import type { RtpErrorCode } from './rtp-error.ts';

/** "Defined by profile" of one-byte elements (RFC 8285 §4.2). */
export const ONE_BYTE_EXTENSION_PROFILE = 0xbede;

/** "Defined by profile" of two-byte elements with its four application bits 0 (RFC 8285 §4.3). */
export const TWO_BYTE_EXTENSION_PROFILE = 0x1000;

const TWO_BYTE_PROFILE_MASK = 0xfff0;
/** In one-byte form: stop reading here. */
const RESERVED_ONE_BYTE_ID = 15;
const MAX_ONE_BYTE_ID = 14;
const MAX_ONE_BYTE_DATA = 16;
const MAX_TWO_BYTE_ID = 255;
const MAX_TWO_BYTE_DATA = 255;

/** One element of a header extension. */
export interface ExtensionElement {
  /** 1–14 in one-byte form, 1–255 in two-byte form. */
  readonly id: number;
  /** 1–16 bytes in one-byte form, 0–255 in two-byte form. */
  readonly data: Uint8Array;
}

/** A header extension as `RtpPacketFields` take it. */
export interface HeaderExtension {
  readonly extensionProfile: number;
  readonly extension: Uint8Array;
}

/**
 * The data of the first element with this id, a view of the extension; `undefined` when there is none, or the extension
 * has neither of the two forms. Never throws.
 *
 *     one byte:  id(4) length−1(4) data        id 0: one byte of padding, id 15: the end
 *     two bytes: id(8) length(8) data          id 0: one byte of padding
 */
export function findExtensionElement(
  packet: { readonly extensionProfile: number; readonly extension: Uint8Array | undefined },
  id: number,
): Uint8Array | undefined {
  const { extension } = packet;
  const form = extension === undefined ? undefined : formOf(packet.extensionProfile);
  if (extension === undefined || form === undefined) return undefined;
  for (let at = elementFrom(extension, 0, form); at >= 0; ) {
    const end = elementEnd(extension, at, form);
    if (end < 0) return undefined;
    if (elementId(extension, at, form) === id) return extension.subarray(at + form, end);
    at = elementFrom(extension, end, form);
  }
  return undefined;
}

/** All elements in order, as views of the extension; those before a cut-off one are kept. Never throws. */
export function readExtensionElements(packet: {
  readonly extensionProfile: number;
  readonly extension: Uint8Array | undefined;
}): ExtensionElement[] {
  const elements: ExtensionElement[] = [];
  const { extension } = packet;
  const form = extension === undefined ? undefined : formOf(packet.extensionProfile);
  if (extension === undefined || form === undefined) return elements;
  for (let at = elementFrom(extension, 0, form); at >= 0; ) {
    const end = elementEnd(extension, at, form);
    if (end < 0) break;
    elements.push({ id: elementId(extension, at, form), data: extension.subarray(at + form, end) });
    at = elementFrom(extension, end, form);
  }
  return elements;
}

/**
 * Writes elements in one-byte form when every one fits it, otherwise in two-byte form.
 * @throws StateError `rtp/bad-extension` for an id or size no form has
 */
export function writeExtensionElements(elements: readonly ExtensionElement[]): HeaderExtension {
  const form: ElementForm = elements.every(fitsOneByte) ? ONE_BYTE : TWO_BYTE;
  let sizeBytes = 0;
  for (const { id, data } of elements) {
    if (id < 1 || id > MAX_TWO_BYTE_ID || data.length > MAX_TWO_BYTE_DATA) {
      throw new StateError('rtp/bad-extension' satisfies RtpErrorCode, `an element ${id} of ${data.length} bytes`);
    }
    sizeBytes += form + data.length;
  }
  const extension = new Uint8Array(4 * Math.ceil(sizeBytes / 4));
  let at = 0;
  for (const { id, data } of elements) {
    if (form === ONE_BYTE) {
      extension[at] = (id << 4) | (data.length - 1);
    } else {
      extension[at] = id;
      extension[at + 1] = data.length;
    }
    extension.set(data, at + form);
    at += form + data.length;
  }
  return {
    extensionProfile: form === ONE_BYTE ? ONE_BYTE_EXTENSION_PROFILE : TWO_BYTE_EXTENSION_PROFILE,
    extension,
  };
}

/** Bytes in front of an element's data. */
type ElementForm = typeof ONE_BYTE | typeof TWO_BYTE;
const ONE_BYTE = 1;
const TWO_BYTE = 2;

function formOf(profile: number): ElementForm | undefined {
  if (profile === ONE_BYTE_EXTENSION_PROFILE) return ONE_BYTE;
  return (profile & TWO_BYTE_PROFILE_MASK) === TWO_BYTE_EXTENSION_PROFILE ? TWO_BYTE : undefined;
}

/** Where the next element begins, behind padding; −1 when there is none. */
function elementFrom(bytes: Uint8Array, from: number, form: ElementForm): number {
  let at = from;
  while (at < bytes.length && bytes[at] === 0) at++;
  if (at >= bytes.length) return -1;
  if (form === TWO_BYTE) return at;
  const id = bytes[at]! >>> 4;
  // Id 0 with a length is as much the end as id 15 (RFC 8285 §4.2).
  return id === 0 || id === RESERVED_ONE_BYTE_ID ? -1 : at;
}

function elementId(bytes: Uint8Array, at: number, form: ElementForm): number {
  return form === ONE_BYTE ? bytes[at]! >>> 4 : bytes[at]!;
}

/** Where the element at `at` ends; −1 when it is cut off. */
function elementEnd(bytes: Uint8Array, at: number, form: ElementForm): number {
  const length = form === ONE_BYTE ? (bytes[at]! & 0x0f) + 1 : bytes[at + 1];
  if (length === undefined) return -1;
  const end = at + form + length;
  return end > bytes.length ? -1 : end;
}

function fitsOneByte({ id, data }: ExtensionElement): boolean {
  return id >= 1 && id <= MAX_ONE_BYTE_ID && data.length >= 1 && data.length <= MAX_ONE_BYTE_DATA;
}
