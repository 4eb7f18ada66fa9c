/**
 * NAL units of H.264 and H.265 in their two carriages: behind a length (ISO/IEC 14496-15, what FLV, RTMP and MP4 hold)
 * and behind start codes (Annex B of either recommendation, what MPEG-TS holds).
 */

/** NAL units one payload may have; what follows is left out. The highest level of H.264 has 139,264 macroblocks. */
export const MAX_NAL_UNITS = 65_536;

/** Bytes of a parameter set that are looked at. Real ones have 20–200 bytes, with every scaling list about 1,500. */
export const MAX_PARAMETER_SET_BYTES = 16_384;

const START_CODE_BYTES = 4;

function readLength(bytes: Uint8Array, at: number, lengthSize: number): number {
  let value = 0;
  for (let i = 0; i < lengthSize; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

/** Length of the start code (3 or 4) that `bytes` begins with, or 0. */
function startCodeLength(bytes: Uint8Array): number {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) return 0;
  if (bytes[2] === 1) return 3;
  return bytes[2] === 0 && bytes[3] === 1 ? 4 : 0;
}

/** Whether the lengths lead from the first byte exactly to the last, with a NAL unit that is not empty in front. */
function isWholeLengthPrefixed(bytes: Uint8Array, lengthSize: number): boolean {
  let at = 0;
  while (at + lengthSize <= bytes.length) {
    const size = readLength(bytes, at, lengthSize);
    if (at === 0 && size === 0) return false;
    at += lengthSize + size;
  }
  return at === bytes.length;
}

/**
 * Whether a payload that should hold length-prefixed NAL units holds an Annex B stream instead, as some encoders send
 * it. `00 00 01 xx` is also a valid length of 256–511, so a payload whose lengths add up is never taken for Annex B.
 */
export function isMisplacedAnnexB(payload: Uint8Array, lengthSize: number): boolean {
  const startCode = startCodeLength(payload);
  if (startCode === 0) return false;
  const header = payload[startCode];
  if (header === undefined || (header & 0x80) !== 0) return false;
  return !isWholeLengthPrefixed(payload, lengthSize);
}

/**
 * Calls `visit` with a view of each NAL unit of a payload, length-prefixed or misplaced Annex B, until it returns
 * `false`. Empty NAL units are passed over; a NAL unit that is cut off ends the walk without being visited.
 */
export function visitNalUnits(
  payload: Uint8Array,
  lengthSize: number,
  visit: (nalUnit: Uint8Array) => boolean | undefined,
): void {
  if (isMisplacedAnnexB(payload, lengthSize)) visitAnnexB(payload, visit);
  else visitLengthPrefixed(payload, lengthSize, visit);
}

function visitLengthPrefixed(
  payload: Uint8Array,
  lengthSize: number,
  visit: (nalUnit: Uint8Array) => boolean | undefined,
): void {
  const size = payload.length;
  let at = 0;
  let count = 0;
  while (at + lengthSize <= size) {
    const length = readLength(payload, at, lengthSize);
    at += lengthSize;
    if (length > size - at) return;
    if (length > 0) {
      if (count++ === MAX_NAL_UNITS || visit(payload.subarray(at, at + length)) === false) return;
    }
    at += length;
  }
}

/** Where the next `00 00 01` at or after `from` begins, or the length of `bytes`. */
export function findStartCode(bytes: Uint8Array, from: number): number {
  const size = bytes.length;
  let at = from + 2;
  while (at < size) {
    const byte = bytes[at]!;
    if (byte === 0) {
      at += 1;
      continue;
    }
    if (byte === 1 && bytes[at - 1] === 0 && bytes[at - 2] === 0) return at - 2;
    // A byte that is not zero is in no start code that ends in the next two, so only every third has to be looked at.
    at += 3;
  }
  return size;
}

function visitAnnexB(bytes: Uint8Array, visit: (nalUnit: Uint8Array) => boolean | undefined): void {
  let count = 0;
  let at = findStartCode(bytes, 0);
  while (at < bytes.length) {
    const start = at + 3;
    at = findStartCode(bytes, start);
    let end = at;
    // A NAL unit never ends in a zero byte: these are trailing_zero_8bits or belong to a 4-byte start code.
    while (end > start && bytes[end - 1] === 0) end--;
    if (end > start && (count++ === MAX_NAL_UNITS || visit(bytes.subarray(start, end)) === false)) return;
  }
}

/**
 * Views of the NAL units of a length-prefixed payload (ISO/IEC 14496-15 §4.3). Empty ones are left out; a cut-off
 * last one too. At most `MAX_NAL_UNITS`.
 */
export function splitLengthPrefixed(payload: Uint8Array, lengthSize: number): Uint8Array[] {
  const nalUnits: Uint8Array[] = [];
  visitLengthPrefixed(payload, lengthSize, (nalUnit) => {
    nalUnits.push(nalUnit);
    return true;
  });
  return nalUnits;
}

/**
 * Views of the NAL units of an Annex B stream. Bytes before the first start code are left out, zero bytes after a NAL
 * unit too. At most `MAX_NAL_UNITS`.
 */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const nalUnits: Uint8Array[] = [];
  visitAnnexB(bytes, (nalUnit) => {
    nalUnits.push(nalUnit);
    return true;
  });
  return nalUnits;
}

/** Views of the NAL units of a payload that should be length-prefixed but may be misplaced Annex B. */
export function splitNalUnits(payload: Uint8Array, lengthSize: number): Uint8Array[] {
  return isMisplacedAnnexB(payload, lengthSize) ? splitAnnexB(payload) : splitLengthPrefixed(payload, lengthSize);
}

function sumOfLengths(nalUnits: readonly Uint8Array[]): number {
  let sum = 0;
  for (const nalUnit of nalUnits) sum += nalUnit.length;
  return sum;
}

/**
 * NAL units behind lengths of `lengthSize` bytes, in one new buffer of exactly the size needed. A NAL unit too long
 * for such a length is left out (with 4 bytes none is).
 */
export function joinLengthPrefixed(nalUnits: readonly Uint8Array[], lengthSize: number): Uint8Array {
  const fitting = lengthSize >= 4 ? nalUnits : nalUnits.filter((nalUnit) => nalUnit.length < 256 ** lengthSize);
  const bytes = new Uint8Array(sumOfLengths(fitting) + fitting.length * lengthSize);
  let at = 0;
  for (const nalUnit of fitting) {
    for (let i = lengthSize - 1; i >= 0; i--) bytes[at++] = nalUnit.length >>> (8 * i);
    bytes.set(nalUnit, at);
    at += nalUnit.length;
  }
  return bytes;
}

/** NAL units behind 4-byte start codes, in one new buffer of exactly the size needed. */
export function joinAnnexB(nalUnits: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(sumOfLengths(nalUnits) + nalUnits.length * START_CODE_BYTES);
  let at = 0;
  for (const nalUnit of nalUnits) {
    bytes[at + 3] = 1;
    at += START_CODE_BYTES;
    bytes.set(nalUnit, at);
    at += nalUnit.length;
  }
  return bytes;
}

/** A length-prefixed payload (or misplaced Annex B) as Annex B with 4-byte start codes, in a new buffer. */
export function toAnnexB(payload: Uint8Array, lengthSize: number): Uint8Array {
  return joinAnnexB(splitNalUnits(payload, lengthSize));
}

/** An Annex B stream as length-prefixed NAL units, in a new buffer. */
export function toLengthPrefixed(bytes: Uint8Array, lengthSize: number): Uint8Array {
  return joinLengthPrefixed(splitAnnexB(bytes), lengthSize);
}

/**
 * The raw byte sequence payload of a NAL unit, header included: each `03` after two zero bytes taken out (H.264
 * §7.4.1, H.265 §7.4.2). Looks at no more than `maxBytes` bytes. The result is a view of `nalUnit` when nothing had
 * to be taken out, otherwise a new buffer.
 */
export function removeEmulationPrevention(nalUnit: Uint8Array, maxBytes: number = MAX_PARAMETER_SET_BYTES): Uint8Array {
  const size = Math.min(nalUnit.length, maxBytes);
  let out: Uint8Array | undefined;
  let length = 0;
  let zeros = 0;
  for (let i = 0; i < size; i++) {
    const byte = nalUnit[i]!;
    if (zeros >= 2 && byte === 3) {
      if (out === undefined) {
        out = new Uint8Array(size - 1);
        out.set(nalUnit.subarray(0, i));
      }
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    if (out !== undefined) out[length] = byte;
    length++;
  }
  return out === undefined ? nalUnit.subarray(0, size) : out.subarray(0, length);
}
