/** OBU types of AV1 (AV1 specification §6.2.2). */
export const OBU_TYPE = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  metadata: 5,
  frame: 6,
  redundantFrameHeader: 7,
  tileList: 8,
  padding: 15,
} as const;

/** OBUs one temporal unit may have; what follows is left out. */
export const MAX_OBUS = 65_536;

/** Bytes of the longest leb128 number (AV1 specification §4.10.5). */
const MAX_LEB128_BYTES = 8;

/** One open bitstream unit; both views lie in the bytes that were walked. */
export interface Obu {
  readonly type: number;
  readonly temporalId: number;
  readonly spatialId: number;
  /** The whole OBU with its header and size. */
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
}

/** Reads a leb128 number at `at`; `undefined` when it is cut off, longer than 8 bytes or above 2^32 - 1. */
export function readLeb128(
  bytes: Uint8Array,
  at: number,
): { readonly value: number; readonly sizeBytes: number } | undefined {
  let value = 0;
  for (let i = 0; i < MAX_LEB128_BYTES; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return value > 0xffff_ffff ? undefined : { value, sizeBytes: i + 1 };
  }
  return undefined;
}

/** A number from 0 to 2^32 - 1 as the shortest leb128. */
export function writeLeb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

/** The OBU at `at`; one without a size field reaches to the end. `undefined` when it is cut off or not an OBU. */
function readObu(bytes: Uint8Array, at: number): Obu | undefined {
  const header = bytes[at];
  if (header === undefined || (header & 0x80) !== 0) return undefined;
  const hasExtension = (header & 4) !== 0;
  const extension = hasExtension ? bytes[at + 1] : 0;
  if (extension === undefined) return undefined;
  let start = at + (hasExtension ? 2 : 1);
  let end = bytes.length;
  if ((header & 2) !== 0) {
    const size = readLeb128(bytes, start);
    if (size === undefined) return undefined;
    start += size.sizeBytes;
    if (size.value > bytes.length - start) return undefined;
    end = start + size.value;
  }
  return {
    type: (header >>> 3) & 0xf,
    temporalId: extension >>> 5,
    spatialId: (extension >>> 3) & 3,
    bytes: bytes.subarray(at, end),
    payload: bytes.subarray(start, end),
  };
}

/** Calls `visit` with each OBU of a low-overhead byte stream (§5.3) until it returns `false` or an OBU is broken. */
export function visitObus(bytes: Uint8Array, visit: (obu: Obu) => boolean | undefined): void {
  let at = 0;
  for (let count = 0; at < bytes.length && count < MAX_OBUS; count++) {
    const obu = readObu(bytes, at);
    if (obu === undefined || visit(obu) === false) return;
    at += obu.bytes.length;
  }
}

/** The OBUs of a low-overhead byte stream, up to the first broken one; at most `MAX_OBUS`. */
export function splitObus(bytes: Uint8Array): Obu[] {
  const obus: Obu[] = [];
  visitObus(bytes, (obu) => {
    obus.push(obu);
    return true;
  });
  return obus;
}

/** One OBU with a size field, in a new buffer, from a payload. */
export function writeObu(type: number, payload: Uint8Array): Uint8Array {
  const size = writeLeb128(payload.length);
  const bytes = new Uint8Array(1 + size.length + payload.length);
  bytes[0] = (type << 3) | 2;
  bytes.set(size, 1);
  bytes.set(payload, 1 + size.length);
  return bytes;
}

/**
 * A temporal unit without its temporal delimiters, as FLV and MP4 want it: a view of `bytes` when they stand only in
 * front (or nowhere), otherwise a new buffer. Bytes from the first broken OBU on are kept as they are.
 */
export function stripTemporalDelimiters(bytes: Uint8Array): Uint8Array {
  let leading = 0;
  let isInFront = true;
  let hasInner = false;
  visitObus(bytes, (obu) => {
    if (obu.type !== OBU_TYPE.temporalDelimiter) isInFront = false;
    else if (isInFront) leading += obu.bytes.length;
    else hasInner = true;
    return !hasInner;
  });
  if (!hasInner) return bytes.subarray(leading);
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let at = 0;
  visitObus(bytes, (obu) => {
    if (obu.type !== OBU_TYPE.temporalDelimiter) {
      out.set(obu.bytes, length);
      length += obu.bytes.length;
    }
    at += obu.bytes.length;
    return true;
  });
  out.set(bytes.subarray(at), length);
  return out.subarray(0, length + bytes.length - at);
}
