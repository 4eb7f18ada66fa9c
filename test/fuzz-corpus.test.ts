import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpusFolder, fuzzTargetNames, loadFuzzTarget, runBounded, runTarget } from './fuzz/bounded-run.ts';
import { MAX_INPUT_BYTES, mutate, Random } from './fuzz/mutator.ts';

const RUN_LIMIT_MS = 1000;
const MIN_CORPUS_FILES = 12;

const names = fuzzTargetNames();
const corpora = existsSync(corpusFolder('.')) ? readdirSync(corpusFolder('.')) : [];

/** The stored inputs of a target; files directly in test/corpus/ belong to none. */
function corpusFiles(name: string): readonly string[] {
  return corpora.includes(name) ? readdirSync(corpusFolder(name)).sort() : [];
}

describe('fuzz corpora', () => {
  it('each belong to a target', () => {
    expect(corpora.filter((name) => !names.includes(name))).toEqual([]);
  });

  describe.each(names)('%s', (name) => {
    it('has a target of its own name and a dozen inputs', async () => {
      const target = await loadFuzzTarget(name);
      expect(target.name).toBe(name);
      expect(corpusFiles(name).length).toBeGreaterThanOrEqual(MIN_CORPUS_FILES);
    });

    it.each(corpusFiles(name))('survives %s', async (file) => {
      const target = await loadFuzzTarget(name);
      const input = new Uint8Array(readFileSync(join(corpusFolder(name), file)));
      expect(await runTarget(target, input, RUN_LIMIT_MS)).toBeUndefined();
    });
  });
});

describe('runBounded', () => {
  it('says nothing about work that ends well', () => {
    expect(runBounded(() => undefined, RUN_LIMIT_MS)).toBeUndefined();
  });

  it('reports what the work throws', () => {
    const work = (): void => {
      throw new RangeError('out of range');
    };
    expect(runBounded(work, RUN_LIMIT_MS)).toContain('RangeError: out of range');
  });

  it('ends an endless loop', () => {
    const work = (): void => {
      let turns = 0;
      while (turns >= 0) turns = (turns + 1) % 1000;
    };
    expect(runBounded(work, 50)).toBe('still running after 50 ms');
  });
});

describe('mutate', () => {
  const corpus = [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), new Uint8Array(), new Uint8Array(MAX_INPUT_BYTES)];

  it('makes the same inputs from the same seed and others from another', () => {
    const inputs = (seed: number): readonly string[] => {
      const random = new Random(seed);
      return Array.from({ length: 50 }, () => mutate(corpus.slice(0, 2), random).join());
    };
    expect(inputs(1)).toEqual(inputs(1));
    expect(inputs(1)).not.toEqual(inputs(2));
  });

  it('leaves the corpus alone and stays within its longest input', () => {
    const random = new Random(3);
    const before = corpus.map((bytes) => bytes.slice());
    for (let run = 0; run < 100; run++) expect(mutate(corpus, random).length).toBeLessThanOrEqual(MAX_INPUT_BYTES);
    expect(corpus).toEqual(before);
  });
});
