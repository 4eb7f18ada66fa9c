import { ByteWriter } from '../../wire/byte-writer.ts';
import { checkAmfWrite } from './amf-limits.ts';
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  type AmfPropertyBag,
  AmfTypedObject,
  AmfUnsupported,
  type AmfValue,
  AmfVector,
} from './amf-value.ts';
import { AMF0 } from './amf0-markers.ts';
import { Amf3Writer } from './amf3-writer.ts';

const utf8 = new TextEncoder();

/** Longest text with a 16-bit length in front. */
const SHORT_STRING_BYTES = 0xffff;
/** References have 16 bits. */
const MAX_REFERENCE = 0xffff;

/**
 * Writes AMF0 values one after another (Action Message Format AMF 0, Adobe 2007). An object or array met a second time
 * is written as a reference, so shared and circular values stay small. Values only AMF3 knows (byte arrays, vectors,
 * dictionaries) are written in AMF3 behind the avm+ marker.
 */
export class Amf0Writer {
  readonly #out = new ByteWriter();
  readonly #seen = new Map<AmfValue, number>();

  /** Appends one value. Throws `StateError` when it nests too deep or the message grows too large. */
  write(value: AmfValue): this {
    this.#value(value, 0);
    return this;
  }

  /** A view of what was written. The writer must not be used after. */
  finish(): Uint8Array {
    return this.#out.finish();
  }

  #value(value: AmfValue, depth: number): void {
    checkAmfWrite(depth, this.#out.length);
    const out = this.#out;
    if (value === undefined) out.u8(AMF0.undefined);
    else if (value === null) out.u8(AMF0.null);
    else if (typeof value === 'number') out.u8(AMF0.number).f64(value);
    else if (typeof value === 'boolean') out.u8(AMF0.boolean).u8(value ? 1 : 0);
    else if (typeof value === 'string') this.#string(value);
    else if (value instanceof AmfDate) {
      out.u8(AMF0.date).f64(value.unixMs).u16(value.timezoneMinutes);
    } else if (value instanceof AmfUnsupported) out.u8(AMF0.unsupported);
    else if (value instanceof Uint8Array || value instanceof AmfVector || value instanceof AmfDictionary) {
      out.u8(AMF0.avmPlus);
      new Amf3Writer(out, depth).write(value);
    } else if (
      value instanceof AmfObject ||
      value instanceof AmfEcmaArray ||
      value instanceof AmfTypedObject ||
      Array.isArray(value)
    ) {
      this.#complex(value as AmfPropertyBag | readonly AmfValue[], depth);
    } else this.#sizedText(AMF0.xmlDocument, (value as { readonly text: string }).text);
  }

  #string(text: string): void {
    const bytes = utf8.encode(text);
    if (bytes.length > SHORT_STRING_BYTES) this.#out.u8(AMF0.longString).u32(bytes.length).raw(bytes);
    else this.#out.u8(AMF0.string).u16(bytes.length).raw(bytes);
  }

  #sizedText(marker: number, text: string): void {
    const bytes = utf8.encode(text);
    this.#out.u8(marker).u32(bytes.length).raw(bytes);
  }

  /** A name in front of a value, or a class name: at most 65,535 bytes, longer ones are cut. */
  #name(name: string): void {
    const bytes = utf8.encode(name).subarray(0, SHORT_STRING_BYTES);
    this.#out.u16(bytes.length).raw(bytes);
  }

  #complex(value: AmfPropertyBag | readonly AmfValue[], depth: number): void {
    const out = this.#out;
    const seenAt = this.#seen.get(value);
    if (seenAt !== undefined) {
      // Beyond 65,536 objects AMF0 cannot point any more; writing the value again could go on for ever.
      if (seenAt > MAX_REFERENCE) out.u8(AMF0.unsupported);
      else out.u8(AMF0.reference).u16(seenAt);
      return;
    }
    this.#seen.set(value, this.#seen.size);
    if (value instanceof AmfObject || value instanceof AmfEcmaArray || value instanceof AmfTypedObject) {
      if (value.kind === 'object') out.u8(AMF0.object);
      else if (value.kind === 'ecma-array') out.u8(AMF0.ecmaArray).u32(value.properties.size);
      else {
        out.u8(AMF0.typedObject);
        this.#name(value.className);
      }
      for (const [name, property] of value.properties) {
        this.#name(name);
        this.#value(property, depth + 1);
      }
      out.u16(0).u8(AMF0.objectEnd);
    } else {
      out.u8(AMF0.strictArray).u32(value.length);
      for (const item of value) this.#value(item, depth + 1);
    }
  }
}

/** The AMF0 bytes of `values`, one after another, in a buffer of their own. */
export function writeAmf0Values(values: readonly AmfValue[]): Uint8Array {
  const writer = new Amf0Writer();
  for (const value of values) writer.write(value);
  return writer.finish();
}
