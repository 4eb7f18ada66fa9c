import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DROPPED_RUNS, type SequenceBits, SequenceRewriter } from './sequence-rewriter.ts';

/** What is done to a rewriter: `d9` drops, `s9` syncs, `9` rewrites. */
type Step = `${'d' | 's' | ''}${number}`;

function run(rewriter: SequenceRewriter, steps: readonly Step[]): number[] {
  const outputs: number[] = [];
  for (const step of steps) {
    if (step.startsWith('d')) rewriter.drop(Number(step.slice(1)));
    else if (step.startsWith('s')) rewriter.sync(Number(step.slice(1)));
    else outputs.push(rewriter.rewrite(Number(step)));
  }
  return outputs;
}

describe('SequenceRewriter', () => {
  it.each<[string, readonly Step[], readonly number[]]>([
    ['closes up where one was dropped', ['7', '8', 'd9', '10', '12'], [0, 1, 2, 4]],
    ['goes on after a sync', ['7', '8', 's500', '500', '501'], [0, 1, 2, 3]],
    ['gives a late one its place', ['7', '10', '9', '8'], [0, 3, 2, 1]],
    ['gives a late one its place around drops', ['7', 'd8', '10', 'd11', '12', '9'], [0, 2, 3, 1]],
    ['has no place for what was dropped', ['7', 'd8', '9', '8'], [0, 1, -1]],
    ['has no place for what is before a sync', ['7', 's500', '499', '500', '499'], [0, -1, 1, -1]],
    ['leaves the gap of one that is dropped late', ['7', '9', 'd8', '10'], [0, 2, 3]],
    ['gives one number when asked twice', ['7', '8', '8', '7'], [0, 1, 1, 0]],
    ['drops the first one after a sync', ['7', 's500', 'd500', '501'], [0, 1]],
    ['drops one twice as once', ['7', 'd8', 'd8', '9'], [0, 1]],
    ['starts with the first it is given', ['d7', '8', '9'], [0, 1]],
    ['goes on after the highest when a late one came last', ['7', '9', '8', 's50', '50'], [0, 2, 1, 3]],
    ['wraps its input', ['65535', '0', 'd1', '2', '65534'], [0, 1, 2, -1]],
    ['wraps its input backwards', ['65535', '1', '0'], [0, 2, 1]],
  ])('%s', (_, steps, outputs) => {
    expect(run(new SequenceRewriter(), steps)).toEqual(outputs);
  });

  it.each([0, 1, 32_767, 32_768, 65_534, 65_535])('counts across the wrap of its output from %i on', (firstOutput) => {
    const rewriter = new SequenceRewriter({ firstOutput });
    for (let i = 0; i < 140_000; i++) {
      if (i % 3 === 1) rewriter.drop((40_000 + i) & 0xffff);
      else expect(rewriter.rewrite((40_000 + i) & 0xffff)).toBe((firstOutput + i - Math.floor((i + 1) / 3)) & 0xffff);
    }
  });

  it('keeps to its bound when every other number is dropped, and refuses what it forgot', () => {
    const rewriter = new SequenceRewriter();
    for (let i = 0; i < 10_000; i += 2) {
      rewriter.rewrite(i);
      rewriter.drop(i + 1);
    }
    expect(rewriter.rewrite(9998 - 2 * MAX_DROPPED_RUNS + 2)).toBe((9998 - 2 * MAX_DROPPED_RUNS + 2) / 2);
    expect(rewriter.rewrite(9998 - 2 * MAX_DROPPED_RUNS - 2)).toBe(-1);
  });

  it.each<SequenceBits>([16, 15, 8, 7])('does as a naive model does, %i bits', (bits) => {
    const quarter = 2 ** (bits - 2);
    const op = fc.record({
      kind: fc.constantFrom('next', 'next', 'next', 'drop', 'late', 'sync'),
      by: fc.integer({ min: 1, max: Math.min(40, quarter - 1) }),
    });
    fc.assert(
      fc.property(fc.nat(2 ** bits - 1), fc.array(op, { maxLength: 200 }), (first, ops) => {
        const rewriter = new SequenceRewriter({ bits, firstOutput: first });
        const model = new NaiveModel(first, 5);
        const mask = 2 ** bits - 1;
        rewriter.sync(5);
        for (const { kind, by } of ops) {
          const input = kind === 'late' ? Math.max(model.start, model.newest - by) : model.newest + by;
          if (kind === 'drop') {
            rewriter.drop(input & mask);
            model.drop(input);
          } else if (kind === 'sync') {
            rewriter.sync((input + 3 * by) & mask);
            model.sync(input + 3 * by);
          } else {
            const expected = model.rewrite(input);
            expect(rewriter.rewrite(input & mask)).toBe(expected < 0 ? -1 : expected & mask);
          }
        }
        expect(rewriter.newestOutput).toBe(model.newestOutput & mask);
      }),
    );
  });
});

/** Counts what was dropped one by one, with numbers that never wrap. */
class NaiveModel {
  start: number;
  newest: number;
  newestOutput: number;
  #startOutput: number;
  readonly #dropped = new Set<number>();

  constructor(firstOutput: number, start: number) {
    this.newestOutput = firstOutput - 1;
    this.#startOutput = firstOutput;
    this.start = start;
    this.newest = start - 1;
  }

  sync(input: number): void {
    this.start = input;
    this.newest = input - 1;
    this.#startOutput = this.newestOutput + 1;
    this.#dropped.clear();
  }

  drop(input: number): void {
    if (input <= this.newest) return;
    this.newest = input;
    this.#dropped.add(input);
  }

  rewrite(input: number): number {
    if (input < this.start || this.#dropped.has(input)) return -1;
    this.newest = Math.max(this.newest, input);
    let output = this.#startOutput;
    for (let n = this.start; n < input; n++) if (!this.#dropped.has(n)) output++;
    this.newestOutput = Math.max(this.newestOutput, output);
    return output;
  }
}
