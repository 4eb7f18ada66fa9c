/** Makes new inputs out of stored ones: what a coverage-blind fuzzer can do, done repeatably from a seed. */

/** Longest input made; parsers see larger numbers only in length fields. */
export const MAX_INPUT_BYTES = 65_536;

/** Values at which lengths and counters break, as they are written in 1, 2, 3 or 4 bytes. */
const edgeValues = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 4095, 4096, 32_767, 32_768, 65_535, 65_536,
  0xff_ffff, 0x100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
] as const;

/** Repeatable random numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer of 0 to `limit` − 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

type Mutation = (bytes: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array;

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A stretch of `bytes` with a length that is more often short than long. */
function sliceOf(bytes: Uint8Array, random: Random): Uint8Array {
  const start = random.below(bytes.length + 1);
  const longest = random.below(bytes.length - start + 1);
  return bytes.subarray(start, start + random.below(longest + 1));
}

const mutations: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
  },
  function setByte(bytes, random) {
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
    return bytes;
  },
  function setLength(bytes, random) {
    const size = random.pick([1, 2, 3, 4]);
    if (bytes.length < size) return bytes;
    const at = random.below(bytes.length - size + 1);
    const value = random.pick([...edgeValues, bytes.length, bytes.length - at, bytes.length - at - size]);
    const isLittleEndian = random.below(4) === 0;
    for (let index = 0; index < size; index++) {
      const shift = 8 * (isLittleEndian ? index : size - 1 - index);
      bytes[at + index] = Math.floor(value / 2 ** shift) & 0xff;
    }
    return bytes;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function removeStretch(bytes, random) {
    const stretch = sliceOf(bytes, random);
    const start = stretch.byteOffset - bytes.byteOffset;
    return joined(bytes.subarray(0, start), bytes.subarray(start + stretch.length));
  },
  function repeatStretch(bytes, random) {
    const stretch = sliceOf(bytes, random);
    const end = stretch.byteOffset - bytes.byteOffset + stretch.length;
    const copies = Array.from({ length: 1 + random.below(4) }, () => stretch);
    return joined(bytes.subarray(0, end), ...copies, bytes.subarray(end));
  },
  function insertFromCorpus(bytes, random, corpus) {
    const at = random.below(bytes.length + 1);
    return joined(bytes.subarray(0, at), sliceOf(random.pick(corpus), random), bytes.subarray(at));
  },
  function overwriteFromCorpus(bytes, random, corpus) {
    const piece = sliceOf(random.pick(corpus), random);
    const at = random.below(bytes.length + 1);
    return joined(bytes.subarray(0, at), piece, bytes.subarray(at + piece.length));
  },
  function splice(bytes, random, corpus) {
    const other = random.pick(corpus);
    return joined(bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1)));
  },
];

/** A new input: one of `corpus` (not empty) after one to eight mutations. The corpus itself stays untouched. */
export function mutate(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Uint8Array = random.pick(corpus).slice();
  for (let left = 1 + random.below(8); left > 0; left--) {
    bytes = random.pick(mutations)(bytes, random, corpus).slice(0, MAX_INPUT_BYTES);
  }
  return bytes;
}
