import { ByteReader } from '../../wire/byte-reader.ts';
import type { ProtocolError } from '../../wire/errors.ts';
import { AmfBudget, type AmfLimits, type AmfParseResult } from './amf-limits.ts';
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  AmfTypedObject,
  type AmfValue,
  AmfVector,
  AmfXml,
} from './amf-value.ts';
import { AMF3 } from './amf3-markers.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

interface Traits {
  readonly className: string;
  readonly isDynamic: boolean;
  readonly isExternalizable: boolean;
  readonly names: readonly string[];
}

/** Externalizable classes of Flex whose body is known to be exactly one AMF3 value. */
const SINGLE_VALUE_EXTERNALIZABLE: ReadonlySet<string> = new Set([
  'flex.messaging.io.ArrayCollection',
  'flex.messaging.io.ArrayList',
  'flex.messaging.io.ObjectProxy',
]);

/**
 * Reads AMF3 values one after another (Action Message Format AMF 3, Adobe 2013), keeping the string, object and trait
 * tables between them. Never throws: see `Amf0Reader`. The difference between sealed and dynamic properties is not
 * kept. Externalizable objects have no length on the wire, so only those of known classes can be read.
 */
export class Amf3Reader {
  readonly #in: ByteReader;
  readonly #budget: AmfBudget;
  readonly #strings: string[] = [];
  readonly #objects: AmfValue[] = [];
  readonly #traits: Traits[] = [];

  constructor(bytes: Uint8Array, offset = 0, limits: AmfLimits | AmfBudget = {}) {
    this.#in = new ByteReader(bytes, offset);
    this.#budget = limits instanceof AmfBudget ? limits : new AmfBudget(limits);
  }

  /** Next position to read, from 0. */
  get offset(): number {
    return this.#in.offset;
  }

  get remaining(): number {
    return this.#in.remaining;
  }

  /** Why reading stopped; `undefined` while all is well. */
  get error(): ProtocolError | undefined {
    return this.#budget.error;
  }

  /** The next value. `undefined` is also a value: check `error`. `depth` is how deep it lies in an enclosing AMF0 value. */
  read(depth = 0): AmfValue {
    if (!this.#budget.enter(depth)) return undefined;
    const at = this.#in.offset;
    const value = this.#body(this.#in.u8(), depth);
    return this.#in.overrun ? this.#budget.fail('amf/truncated', `AMF3 value at ${at} is cut short`) : value;
  }

  #body(marker: number, depth: number): AmfValue {
    switch (marker) {
      case AMF3.undefined:
        return undefined;
      case AMF3.null:
        return null;
      case AMF3.false:
        return false;
      case AMF3.true:
        return true;
      case AMF3.integer:
        return (this.#u29() << 3) >> 3;
      case AMF3.double:
        return this.#in.f64();
      case AMF3.string:
        return this.#string();
      case AMF3.xmlDocument:
      case AMF3.xml:
        return this.#complex((size) => this.#remember(new AmfXml(this.#text(size), marker === AMF3.xml)));
      case AMF3.date:
        return this.#complex(() => this.#remember(new AmfDate(this.#in.f64())));
      case AMF3.array:
        return this.#complex((count) => this.#array(count, depth));
      case AMF3.object:
        return this.#complex((flags) => this.#object(flags, depth));
      case AMF3.byteArray:
        // Not slice(): on a Buffer that is a view.
        return this.#complex((size) => this.#remember(new Uint8Array(this.#in.view(size))));
      case AMF3.vectorInt:
      case AMF3.vectorUint:
      case AMF3.vectorDouble:
      case AMF3.vectorObject:
        return this.#complex((count) => this.#vector(marker, count, depth));
      case AMF3.dictionary:
        return this.#complex((count) => this.#dictionary(count, depth));
      default:
        return this.#budget.fail('amf/bad-marker', `AMF3 marker ${marker} does not exist`);
    }
  }

  /** Unsigned 29-bit integer: 7 bits a byte, the fourth byte whole (§1.3.1). */
  #u29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#in.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#in.u8();
  }

  #text(sizeBytes: number): string {
    if (sizeBytes > this.#budget.maxStringBytes) {
      this.#budget.fail('amf/string-too-long', `AMF3 string of ${sizeBytes} bytes`);
      return '';
    }
    return utf8.decode(this.#in.view(sizeBytes));
  }

  #string(): string {
    const head = this.#u29();
    if ((head & 1) === 0) {
      const index = head >> 1;
      if (index < this.#strings.length) return this.#strings[index]!;
      this.#budget.fail('amf/bad-reference', `AMF3 string reference ${index} points at nothing`);
      return '';
    }
    const text = this.#text(head >> 1);
    // The empty string never enters the table (§1.3.2).
    if (text !== '') this.#strings.push(text);
    return text;
  }

  /** Either a reference to an earlier value, or what `readBody` makes of the number in front. */
  #complex(readBody: (head: number) => AmfValue): AmfValue {
    const head = this.#u29();
    if (this.#in.overrun) return undefined;
    if ((head & 1) === 1) return readBody(head >> 1);
    const index = head >> 1;
    if (index < this.#objects.length) return this.#objects[index];
    return this.#budget.fail('amf/bad-reference', `AMF3 reference ${index} points at nothing`);
  }

  #remember<T extends AmfValue>(value: T): T {
    this.#objects.push(value);
    return value;
  }

  /** Whether `count` elements of at least `sizeBytes` each can be in what remains; notes the error when not. */
  #fits(count: number, sizeBytes: number): boolean {
    if (count * sizeBytes <= this.#in.remaining) return true;
    this.#budget.fail('amf/truncated', `AMF3 count ${count} in ${this.#in.remaining} bytes`);
    return false;
  }

  #array(count: number, depth: number): AmfValue {
    // What the array becomes is known only after its named part, but its place in the table comes before.
    const place = this.#objects.length;
    const named = new AmfEcmaArray();
    this.#objects.push(named);
    this.#named(named.properties, depth);
    if (this.error !== undefined || this.#in.overrun || !this.#fits(count, 1)) return undefined;
    if (named.properties.size > 0) {
      for (let i = 0; i < count && this.error === undefined; i++) named.properties.set(String(i), this.read(depth + 1));
      return named;
    }
    const items: AmfValue[] = [];
    this.#objects[place] = items;
    for (let i = 0; i < count && this.error === undefined; i++) items.push(this.read(depth + 1));
    return items;
  }

  /** Name–value pairs up to the empty name. */
  #named(into: Map<string, AmfValue>, depth: number): void {
    while (this.error === undefined && !this.#in.overrun) {
      const name = this.#string();
      if (name === '') return;
      into.set(name, this.read(depth + 1));
    }
  }

  #readTraits(flags: number): Traits | undefined {
    if ((flags & 1) === 0) {
      const traits = this.#traits[flags >> 1];
      if (traits !== undefined) return traits;
      return this.#budget.fail('amf/bad-reference', `AMF3 trait reference ${flags >> 1} points at nothing`);
    }
    const isExternalizable = (flags & 2) !== 0;
    const count = isExternalizable ? 0 : flags >> 3;
    const className = this.#string();
    if (!this.#fits(count, 1)) return undefined;
    const names: string[] = [];
    for (let i = 0; i < count && this.error === undefined; i++) {
      names.push(this.#string());
      // A sealed name may be a two-byte reference to a long string: names count against the budget like values.
      if (!this.#budget.enter(0)) return undefined;
    }
    const traits: Traits = { className, isDynamic: (flags & 4) !== 0, isExternalizable, names };
    this.#traits.push(traits);
    return traits;
  }

  #object(flags: number, depth: number): AmfValue {
    const traits = this.#readTraits(flags);
    if (traits === undefined || this.error !== undefined) return undefined;
    const object = traits.className === '' ? new AmfObject() : new AmfTypedObject(traits.className);
    this.#remember(object);
    if (traits.isExternalizable) {
      if (!SINGLE_VALUE_EXTERNALIZABLE.has(traits.className)) {
        return this.#budget.fail('amf/unsupported-externalizable', `AMF3 class ${traits.className} reads itself`);
      }
      object.properties.set('source', this.read(depth + 1));
      return object;
    }
    for (const name of traits.names) {
      if (this.error !== undefined) return undefined;
      object.properties.set(name, this.read(depth + 1));
    }
    if (traits.isDynamic) this.#named(object.properties, depth);
    return object;
  }

  #vector(marker: number, count: number, depth: number): AmfValue {
    const isFixed = this.#in.u8() !== 0;
    const typeName = marker === AMF3.vectorObject ? this.#string() : '';
    if (!this.#fits(count, marker === AMF3.vectorObject ? 1 : marker === AMF3.vectorDouble ? 8 : 4)) return undefined;
    const items: AmfValue[] = [];
    const elementType = VECTOR_ELEMENT_TYPES[marker - AMF3.vectorInt]!;
    const vector = this.#remember(new AmfVector(elementType, items, { isFixed, typeName }));
    for (let i = 0; i < count && this.error === undefined; i++) {
      if (elementType === 'object') items.push(this.read(depth + 1));
      else if (!this.#budget.enter(depth)) return undefined;
      else if (elementType === 'int') items.push(this.#in.i32());
      else if (elementType === 'uint') items.push(this.#in.u32());
      else items.push(this.#in.f64());
    }
    return vector;
  }

  #dictionary(count: number, depth: number): AmfValue {
    const hasWeakKeys = this.#in.u8() !== 0;
    if (!this.#fits(count, 2)) return undefined;
    const entries: [AmfValue, AmfValue][] = [];
    const dictionary = this.#remember(new AmfDictionary(entries, hasWeakKeys));
    for (let i = 0; i < count && this.error === undefined; i++) {
      const key = this.read(depth + 1);
      entries.push([key, this.read(depth + 1)]);
    }
    return dictionary;
  }
}

const VECTOR_ELEMENT_TYPES = ['int', 'uint', 'double', 'object'] as const;

/** All AMF3 values of `bytes` from `offset` on. Never throws; values read before a fault are kept. */
export function parseAmf3(bytes: Uint8Array, offset = 0, limits: AmfLimits = {}): AmfParseResult {
  const reader = new Amf3Reader(bytes, offset, limits);
  const values: AmfValue[] = [];
  while (reader.remaining > 0) {
    const value = reader.read();
    if (reader.error !== undefined) break;
    values.push(value);
  }
  return { values, error: reader.error };
}
