import type { BitReader } from '../../wire/bit-reader.ts';

/** Reference picture sets an SPS may list (ITU-T H.265 §7.4.3.2.1). */
export const MAX_SHORT_TERM_REF_PIC_SETS = 64;

/** Pictures one set may name: the largest decoded picture buffer (§A.4.2). */
export const MAX_REF_PICS = 16;

/** POC differences to earlier (`negative`) and later (`positive`) pictures, nearest first. */
export interface ShortTermRefPicSet {
  readonly negative: readonly number[];
  readonly positive: readonly number[];
}

function readPredicted(bits: BitReader, reference: ShortTermRefPicSet): ShortTermRefPicSet {
  const isNegative = bits.flag();
  const deltaRps = (bits.ue() + 1) * (isNegative ? -1 : 1);
  const { negative, positive } = reference;
  const count = negative.length + positive.length;
  const uses: boolean[] = [];
  // used_by_curr_pic_flag, and use_delta_flag only where it is 0.
  for (let j = 0; j <= count; j++) uses.push(bits.flag() || bits.flag());
  // The same differences seen from another picture, in the order equations 7-61 and 7-62 give.
  const shifted = [
    ...negative.map((delta, j) => ({ delta: delta + deltaRps, isUsed: uses[j]! })),
    ...positive.map((delta, j) => ({ delta: delta + deltaRps, isUsed: uses[negative.length + j]! })),
    { delta: deltaRps, isUsed: uses[count]! },
  ].filter(({ isUsed }) => isUsed);
  return {
    negative: shifted
      .filter(({ delta }) => delta < 0)
      .map(({ delta }) => delta)
      .sort((a, b) => b - a),
    positive: shifted
      .filter(({ delta }) => delta > 0)
      .map(({ delta }) => delta)
      .sort((a, b) => a - b),
  };
}

function readDeltas(bits: BitReader, count: number, sign: 1 | -1): number[] {
  const deltas: number[] = [];
  let delta = 0;
  for (let i = 0; i < count; i++) {
    delta += sign * (bits.ue() + 1);
    deltas.push(delta);
    bits.skip(1); // used_by_curr_pic_flag
  }
  return deltas;
}

/** Reads the short-term reference picture sets of an SPS (§7.3.7); `undefined` when a count is out of bounds. */
export function readShortTermRefPicSets(bits: BitReader): ShortTermRefPicSet[] | undefined {
  const count = bits.ue();
  if (count > MAX_SHORT_TERM_REF_PIC_SETS) return undefined;
  const sets: ShortTermRefPicSet[] = [];
  for (let i = 0; i < count; i++) {
    const previous = sets.at(-1);
    let set: ShortTermRefPicSet;
    if (previous !== undefined && bits.flag()) {
      set = readPredicted(bits, previous);
    } else {
      const negatives = bits.ue();
      const positives = bits.ue();
      if (negatives > MAX_REF_PICS || positives > MAX_REF_PICS) return undefined;
      set = { negative: readDeltas(bits, negatives, -1), positive: readDeltas(bits, positives, 1) };
    }
    if (bits.overrun || set.negative.length + set.positive.length > MAX_REF_PICS) return undefined;
    sets.push(set);
  }
  return sets;
}
