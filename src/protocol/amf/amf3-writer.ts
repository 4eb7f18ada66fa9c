import { ByteWriter } from '../../wire/byte-writer.ts';
import { checkAmfWrite } from './amf-limits.ts';
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  AmfTypedObject,
  AmfUnsupported,
  type AmfValue,
  AmfVector,
  AmfXml,
} from './amf-value.ts';
import { AMF3, AMF3_INTEGER_LIMIT } from './amf3-markers.ts';

const utf8 = new TextEncoder();

/**
 * Writes AMF3 values one after another (Action Message Format AMF 3, Adobe 2013), with references for strings and
 * complex values met before. All properties are written as dynamic ones.
 */
export class Amf3Writer {
  readonly #out: ByteWriter;
  readonly #strings = new Map<string, number>();
  readonly #objects = new Map<AmfValue, number>();
  /** How deep in an enclosing AMF0 value this writer works. */
  readonly #depth: number;

  constructor(out: ByteWriter = new ByteWriter(), depth = 0) {
    this.#out = out;
    this.#depth = depth;
  }

  /** Appends one value. Throws `StateError` when it nests too deep or the message grows too large. */
  write(value: AmfValue): this {
    this.#value(value, this.#depth);
    return this;
  }

  /** A view of what was written. The writer must not be used after. */
  finish(): Uint8Array {
    return this.#out.finish();
  }

  #value(value: AmfValue, depth: number): void {
    checkAmfWrite(depth, this.#out.length);
    const out = this.#out;
    if (value === undefined || value instanceof AmfUnsupported) out.u8(AMF3.undefined);
    else if (value === null) out.u8(AMF3.null);
    else if (value === true) out.u8(AMF3.true);
    else if (value === false) out.u8(AMF3.false);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') {
      out.u8(AMF3.string);
      this.#string(value);
    } else this.#complex(value, depth);
  }

  #number(value: number): void {
    const isInteger = (value | 0) === value && value >= -AMF3_INTEGER_LIMIT && value < AMF3_INTEGER_LIMIT;
    if (!isInteger || Object.is(value, -0)) this.#out.u8(AMF3.double).f64(value);
    else {
      this.#out.u8(AMF3.integer);
      this.#u29(value & 0x1fffffff);
    }
  }

  #u29(value: number): void {
    const out = this.#out;
    if (value < 0x80) out.u8(value);
    else if (value < 0x4000) out.u8((value >> 7) | 0x80).u8(value & 0x7f);
    else if (value < 0x200000) {
      out
        .u8((value >> 14) | 0x80)
        .u8(((value >> 7) & 0x7f) | 0x80)
        .u8(value & 0x7f);
    } else {
      out
        .u8((value >> 22) | 0x80)
        .u8(((value >> 15) & 0x7f) | 0x80)
        .u8(((value >> 8) & 0x7f) | 0x80)
        .u8(value & 0xff);
    }
  }

  #string(text: string): void {
    if (text === '') {
      this.#u29(1);
      return;
    }
    const seenAt = this.#strings.get(text);
    if (seenAt !== undefined) {
      this.#u29(seenAt << 1);
      return;
    }
    this.#strings.set(text, this.#strings.size);
    this.#text(text);
  }

  #text(text: string): void {
    const bytes = utf8.encode(text);
    this.#u29((bytes.length << 1) | 1);
    this.#out.raw(bytes);
  }

  #complex(
    value: Exclude<AmfValue, undefined | null | boolean | number | string | AmfUnsupported>,
    depth: number,
  ): void {
    const out = this.#out;
    out.u8(markerOf(value));
    const seenAt = this.#objects.get(value);
    if (seenAt !== undefined) {
      this.#u29(seenAt << 1);
      return;
    }
    this.#objects.set(value, this.#objects.size);
    if (value instanceof Uint8Array) {
      this.#u29((value.length << 1) | 1);
      out.raw(value);
    } else if (value instanceof AmfXml) this.#text(value.text);
    else if (value instanceof AmfDate) {
      this.#u29(1);
      out.f64(value.unixMs);
    } else if (value instanceof AmfVector) this.#vector(value, depth);
    else if (value instanceof AmfDictionary) {
      this.#u29((value.entries.length << 1) | 1);
      out.u8(value.hasWeakKeys ? 1 : 0);
      for (const [key, item] of value.entries) {
        this.#value(key, depth + 1);
        this.#value(item, depth + 1);
      }
    } else if (value instanceof AmfEcmaArray) {
      this.#u29(1);
      this.#named(value.properties, depth);
    } else if (value instanceof AmfObject || value instanceof AmfTypedObject) {
      // U29O-traits: inline, not externalizable, dynamic, no sealed names.
      this.#u29(0b1011);
      this.#string(value instanceof AmfTypedObject ? value.className : '');
      this.#named(value.properties, depth);
    } else {
      this.#u29((value.length << 1) | 1);
      this.#string('');
      for (const item of value) this.#value(item, depth + 1);
    }
  }

  #named(properties: ReadonlyMap<string, AmfValue>, depth: number): void {
    for (const [name, value] of properties) {
      // The empty name ends the list, so a property without a name cannot be written.
      if (name === '') continue;
      this.#string(name);
      this.#value(value, depth + 1);
    }
    this.#string('');
  }

  #vector(vector: AmfVector, depth: number): void {
    const out = this.#out;
    this.#u29((vector.items.length << 1) | 1);
    out.u8(vector.isFixed ? 1 : 0);
    if (vector.elementType === 'object') this.#string(vector.typeName);
    for (const item of vector.items) {
      if (vector.elementType === 'object') this.#value(item, depth + 1);
      else if (vector.elementType === 'double') out.f64(typeof item === 'number' ? item : 0);
      else out.u32(typeof item === 'number' ? item : 0);
    }
  }
}

const VECTOR_MARKERS = {
  int: AMF3.vectorInt,
  uint: AMF3.vectorUint,
  double: AMF3.vectorDouble,
  object: AMF3.vectorObject,
} as const;

function markerOf(value: Exclude<AmfValue, undefined | null | boolean | number | string | AmfUnsupported>): number {
  if (value instanceof Uint8Array) return AMF3.byteArray;
  if (value instanceof AmfXml) return value.isE4x ? AMF3.xml : AMF3.xmlDocument;
  if (value instanceof AmfDate) return AMF3.date;
  if (value instanceof AmfVector) return VECTOR_MARKERS[value.elementType];
  if (value instanceof AmfDictionary) return AMF3.dictionary;
  if (value instanceof AmfObject || value instanceof AmfTypedObject) return AMF3.object;
  return AMF3.array;
}

/** The AMF3 bytes of `values`, one after another, in a buffer of their own. */
export function writeAmf3Values(values: readonly AmfValue[]): Uint8Array {
  const writer = new Amf3Writer();
  for (const value of values) writer.write(value);
  return writer.finish();
}
