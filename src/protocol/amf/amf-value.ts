/**
 * The values AMF0 and AMF3 can carry, as one neutral set: plain TypeScript values where they fit, small tagged classes
 * where they do not. Keyed values live in a `Map`, so that names such as `__proto__` are only names and the order of
 * the properties on the wire is kept.
 */

/** Any AMF value. Arrays are AMF0 strict arrays or dense AMF3 arrays; `Uint8Array` is an AMF3 byte array. */
export type AmfValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | readonly AmfValue[]
  | Uint8Array
  | AmfObject
  | AmfEcmaArray
  | AmfTypedObject
  | AmfDate
  | AmfXml
  | AmfVector
  | AmfDictionary
  | AmfUnsupported;

/** Names with values, as given to the constructors below. */
export type AmfEntries = Iterable<readonly [string, AmfValue]>;

/** Anonymous object: AMF0 marker 3, or an AMF3 object without a class name. */
export class AmfObject {
  readonly kind = 'object' as const;
  readonly properties: Map<string, AmfValue>;

  constructor(entries: AmfEntries = []) {
    this.properties = new Map(entries);
  }

  get(name: string): AmfValue {
    return this.properties.get(name);
  }
}

/** Associative array: AMF0 marker 8, or an AMF3 array with named elements (dense elements get the names "0", "1", …). */
export class AmfEcmaArray {
  readonly kind = 'ecma-array' as const;
  readonly properties: Map<string, AmfValue>;

  constructor(entries: AmfEntries = []) {
    this.properties = new Map(entries);
  }

  get(name: string): AmfValue {
    return this.properties.get(name);
  }
}

/** Object of a named class: AMF0 marker 0x10, or an AMF3 object with a class name. */
export class AmfTypedObject {
  readonly kind = 'typed-object' as const;
  readonly className: string;
  readonly properties: Map<string, AmfValue>;

  constructor(className: string, entries: AmfEntries = []) {
    this.className = className;
    this.properties = new Map(entries);
  }

  get(name: string): AmfValue {
    return this.properties.get(name);
  }
}

/** A date: milliseconds since 1970-01-01 UTC, and AMF0's time-zone field in minutes (reserved: normally 0). */
export class AmfDate {
  readonly kind = 'date' as const;
  readonly unixMs: number;
  readonly timezoneMinutes: number;

  constructor(unixMs: number, timezoneMinutes = 0) {
    this.unixMs = unixMs;
    this.timezoneMinutes = timezoneMinutes;
  }
}

/** XML as text. `isE4x` tells AMF3's newer XML type (0x0B) from the XMLDocument type of AMF0 and AMF3 (0x07). */
export class AmfXml {
  readonly kind = 'xml' as const;
  readonly text: string;
  readonly isE4x: boolean;

  constructor(text: string, isE4x = false) {
    this.text = text;
    this.isE4x = isE4x;
  }
}

/** AMF3 vector (markers 0x0D–0x10). `typeName` is only written for vectors of objects. */
export class AmfVector {
  readonly kind = 'vector' as const;
  readonly elementType: 'int' | 'uint' | 'double' | 'object';
  readonly items: readonly AmfValue[];
  readonly isFixed: boolean;
  readonly typeName: string;

  constructor(
    elementType: AmfVector['elementType'],
    items: readonly AmfValue[],
    options: { readonly isFixed?: boolean; readonly typeName?: string } = {},
  ) {
    this.elementType = elementType;
    this.items = items;
    this.isFixed = options.isFixed ?? false;
    this.typeName = options.typeName ?? '';
  }
}

/** AMF3 dictionary (marker 0x11): keys may be any value. */
export class AmfDictionary {
  readonly kind = 'dictionary' as const;
  readonly entries: readonly (readonly [AmfValue, AmfValue])[];
  readonly hasWeakKeys: boolean;

  constructor(entries: readonly (readonly [AmfValue, AmfValue])[], hasWeakKeys = false) {
    this.entries = entries;
    this.hasWeakKeys = hasWeakKeys;
  }
}

/** A value the sender could not express (AMF0 0x0D), or one of the reserved types movie clip (4) and record set (0x0E). */
export class AmfUnsupported {
  readonly kind = 'unsupported' as const;
}

/** Values that hold named properties. */
export type AmfPropertyBag = AmfObject | AmfEcmaArray | AmfTypedObject;

/** Whether `value` holds named properties (object, ECMA array or typed object). */
export function isAmfPropertyBag(value: AmfValue): value is AmfPropertyBag {
  return value instanceof AmfObject || value instanceof AmfEcmaArray || value instanceof AmfTypedObject;
}

/** An anonymous AMF object from a literal, for replies we write ourselves. */
export function toAmfObject(record: Readonly<Record<string, AmfValue>>): AmfObject {
  return new AmfObject(Object.entries(record));
}
