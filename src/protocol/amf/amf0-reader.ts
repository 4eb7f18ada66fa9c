import { ByteReader } from '../../wire/byte-reader.ts';
import type { ProtocolError } from '../../wire/errors.ts';
import { AmfBudget, type AmfLimits, type AmfParseResult } from './amf-limits.ts';
import {
  AmfDate,
  AmfEcmaArray,
  AmfObject,
  AmfTypedObject,
  AmfUnsupported,
  type AmfValue,
  AmfXml,
} from './amf-value.ts';
import { AMF0 } from './amf0-markers.ts';
import { Amf3Reader } from './amf3-reader.ts';

// The BOM is part of the text: decoding must not eat it, or a value would not survive being read and written.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Lowest byte a property name may start with when guessing whether an unterminated ECMA array goes on. */
const FIRST_PRINTABLE = 0x20;

/**
 * Reads AMF0 values one after another (Action Message Format AMF 0, Adobe 2007). Never throws: after the first fault
 * `error` is set and every read gives `undefined`. Values own their bytes; nothing points into the input.
 *
 * More tolerant than the specification where real senders need it: objects and ECMA arrays may end with the input
 * instead of an end marker; an ECMA array's count is a hint; movie clip and record set give `AmfUnsupported`.
 */
export class Amf0Reader {
  readonly #in: ByteReader;
  readonly #budget: AmfBudget;
  readonly #references: AmfValue[] = [];

  constructor(bytes: Uint8Array, offset = 0, limits: AmfLimits = {}) {
    this.#in = new ByteReader(bytes, offset);
    this.#budget = new AmfBudget(limits);
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

  /** The next value. `undefined` is also a value: check `error`. */
  read(): AmfValue {
    return this.#value(0);
  }

  #value(depth: number): AmfValue {
    if (!this.#budget.enter(depth)) return undefined;
    const at = this.#in.offset;
    const value = this.#body(this.#in.u8(), depth);
    return this.#in.overrun ? this.#budget.fail('amf/truncated', `AMF0 value at ${at} is cut short`) : value;
  }

  #body(marker: number, depth: number): AmfValue {
    const input = this.#in;
    switch (marker) {
      case AMF0.number:
        return input.f64();
      case AMF0.boolean:
        return input.u8() !== 0;
      case AMF0.string:
        return this.#text(input.u16());
      case AMF0.object: {
        const object = new AmfObject();
        this.#references.push(object);
        this.#properties(object.properties, depth);
        return object;
      }
      case AMF0.movieClip:
      case AMF0.unsupported:
      case AMF0.recordSet:
        return new AmfUnsupported();
      case AMF0.null:
        return null;
      case AMF0.undefined:
        return undefined;
      case AMF0.reference: {
        const index = input.u16();
        if (index < this.#references.length) return this.#references[index];
        return this.#budget.fail('amf/bad-reference', `AMF0 reference ${index} points at nothing`);
      }
      case AMF0.ecmaArray: {
        const array = new AmfEcmaArray();
        this.#references.push(array);
        this.#properties(array.properties, depth, input.u32());
        return array;
      }
      case AMF0.strictArray:
        return this.#strictArray(depth);
      case AMF0.date: {
        const unixMs = input.f64();
        return new AmfDate(unixMs, input.i16());
      }
      case AMF0.longString:
        return this.#text(input.u32());
      case AMF0.xmlDocument:
        return new AmfXml(this.#text(input.u32()));
      case AMF0.typedObject: {
        const object = new AmfTypedObject(this.#text(input.u16()));
        this.#references.push(object);
        this.#properties(object.properties, depth);
        return object;
      }
      case AMF0.avmPlus: {
        // Each switch starts with empty AMF3 tables (AMF 3 §4.1).
        const amf3 = new Amf3Reader(input.bytes, input.offset, this.#budget);
        const value = amf3.read(depth);
        input.offset = amf3.offset;
        return value;
      }
      default:
        return this.#budget.fail('amf/bad-marker', `AMF0 marker ${marker} does not exist`);
    }
  }

  #text(sizeBytes: number): string {
    if (sizeBytes > this.#budget.maxStringBytes) {
      this.#budget.fail('amf/string-too-long', `AMF0 string of ${sizeBytes} bytes`);
      return '';
    }
    return utf8.decode(this.#in.view(sizeBytes));
  }

  #strictArray(depth: number): AmfValue {
    const count = this.#in.u32();
    // Every element takes at least its marker, so a count beyond the input is a lie not worth starting on.
    if (count > this.#in.remaining) {
      return this.#budget.fail('amf/truncated', `AMF0 array of ${count} in ${this.#in.remaining} bytes`);
    }
    const items: AmfValue[] = [];
    this.#references.push(items);
    for (let i = 0; i < count && this.error === undefined; i++) items.push(this.#value(depth + 1));
    return items;
  }

  /** Names and values up to the end marker; for an ECMA array, `count` helps to see an end that is not marked. */
  #properties(into: Map<string, AmfValue>, depth: number, count?: number): void {
    const input = this.#in;
    for (let read = 0; input.remaining > 0 && this.error === undefined && !input.overrun; read++) {
      if (count !== undefined && read >= count && !this.#isPropertyOrEndAhead()) return;
      const name = this.#text(input.u16());
      if (name === '' && input.remaining > 0 && input.bytes[input.offset] === AMF0.objectEnd) {
        input.skip(1);
        return;
      }
      const value = this.#value(depth + 1);
      if (this.error === undefined) into.set(name, value);
    }
  }

  /**
   * After as many entries as an ECMA array announced: is what follows another entry or the end marker (many senders
   * announce 0), or is it already the next value of the message (some senders leave the end marker out)?
   */
  #isPropertyOrEndAhead(): boolean {
    const { bytes, offset, remaining } = this.#in;
    if (remaining < 3) return false;
    const nameSize = (bytes[offset]! << 8) | bytes[offset + 1]!;
    if (nameSize === 0) return bytes[offset + 2] === AMF0.objectEnd;
    if (nameSize + 3 > remaining || bytes[offset + 2]! < FIRST_PRINTABLE) return false;
    const marker = bytes[offset + 2 + nameSize]!;
    return marker <= AMF0.avmPlus && marker !== AMF0.objectEnd;
  }
}

/** All AMF0 values of `bytes` from `offset` on. Never throws; values read before a fault are kept. */
export function parseAmf0(bytes: Uint8Array, offset = 0, limits: AmfLimits = {}): AmfParseResult {
  const reader = new Amf0Reader(bytes, offset, limits);
  const values: AmfValue[] = [];
  while (reader.remaining > 0) {
    const value = reader.read();
    if (reader.error !== undefined) break;
    values.push(value);
  }
  return { values, error: reader.error };
}
