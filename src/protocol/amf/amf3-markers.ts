/** Type markers of AMF3 (Action Message Format AMF 3, §3.1). */
export const AMF3 = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
  vectorInt: 0x0d,
  vectorUint: 0x0e,
  vectorDouble: 0x0f,
  vectorObject: 0x10,
  dictionary: 0x11,
} as const;

/** Integers are 29 bits, signed: from -(2^28) to 2^28 - 1; others travel as doubles. */
export const AMF3_INTEGER_LIMIT = 0x1000_0000;
