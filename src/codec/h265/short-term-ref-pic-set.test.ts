import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitReader } from '../../wire/bit-reader.ts';
import { BitWriter } from '../bit-writer.ts';
import { MAX_REF_PICS, readShortTermRefPicSets, type ShortTermRefPicSet } from './short-term-ref-pic-set.ts';

function ue(bits: BitWriter, value: number): void {
  const length = 32 - Math.clz32(value + 1);
  bits.bits(length - 1, 0).bits(length, value + 1);
}

/** The derivation of ITU-T H.265 equations 7-61 and 7-62, step by step in their own order. */
function derive(reference: ShortTermRefPicSet, deltaRps: number, uses: readonly boolean[]): ShortTermRefPicSet {
  const { negative: s0, positive: s1 } = reference;
  const negative: number[] = [];
  const positive: number[] = [];
  for (let j = s1.length - 1; j >= 0; j--) {
    const delta = s1[j]! + deltaRps;
    if (delta < 0 && uses[s0.length + j] === true) negative.push(delta);
  }
  if (deltaRps < 0 && uses[s0.length + s1.length] === true) negative.push(deltaRps);
  for (let j = 0; j < s0.length; j++) {
    const delta = s0[j]! + deltaRps;
    if (delta < 0 && uses[j] === true) negative.push(delta);
  }
  for (let j = s0.length - 1; j >= 0; j--) {
    const delta = s0[j]! + deltaRps;
    if (delta > 0 && uses[j] === true) positive.push(delta);
  }
  if (deltaRps > 0 && uses[s0.length + s1.length] === true) positive.push(deltaRps);
  for (let j = 0; j < s1.length; j++) {
    const delta = s1[j]! + deltaRps;
    if (delta > 0 && uses[s0.length + j] === true) positive.push(delta);
  }
  return { negative, positive };
}

const steps = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 });

describe('readShortTermRefPicSets', () => {
  it('derives predicted sets as the equations of the standard do', () => {
    fc.assert(
      fc.property(
        steps,
        steps,
        fc.integer({ min: -8, max: 8 }).filter((delta) => delta !== 0),
        fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
        (negativeSteps, positiveSteps, deltaRps, uses) => {
          const bits = new BitWriter();
          ue(bits, 2);
          ue(bits, negativeSteps.length);
          ue(bits, positiveSteps.length);
          for (const step of [...negativeSteps, ...positiveSteps]) {
            ue(bits, step - 1);
            bits.flag(true);
          }
          bits.flag(true).flag(deltaRps < 0);
          ue(bits, Math.abs(deltaRps) - 1);
          const count = negativeSteps.length + positiveSteps.length;
          // Unused pictures that are kept take two bits, those that are dropped too.
          for (let j = 0; j <= count; j++) bits.bits(2, uses[j] === true ? 1 : 0);
          bits.alignToByte();
          const sum = (list: readonly number[], sign: number): number[] =>
            list.map((_step, i) => sign * list.slice(0, i + 1).reduce((a, b) => a + b, 0));
          const first = { negative: sum(negativeSteps, -1), positive: sum(positiveSteps, 1) };
          const expected = [first, derive(first, deltaRps, uses)].map((set) => ({
            negative: set.negative.map((delta) => delta + 0),
            positive: set.positive,
          }));
          expect(readShortTermRefPicSets(new BitReader(bits.finish()))).toEqual(expected);
        },
      ),
    );
  });

  it('refuses predicted sets that grow above the picture buffer', () => {
    const bits = new BitWriter();
    ue(bits, 40);
    ue(bits, 0);
    ue(bits, 0);
    for (let i = 1; i < 40; i++) {
      bits.flag(true).flag(true);
      ue(bits, 0);
      for (let j = 0; j < i; j++) bits.flag(true);
    }
    for (let i = 0; i < 100; i++) bits.bits(32, 0xffff_ffff);
    expect(MAX_REF_PICS).toBe(16);
    expect(readShortTermRefPicSets(new BitReader(bits.finish()))).toBeUndefined();
  });
});
