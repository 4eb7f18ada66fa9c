import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayeredRateCounter } from '../streams/layered-rate-counter.ts';
import { LAYERED_RATE_WINDOW_MS } from '../streams/rate-counter.ts';
import {
  allowedSteps,
  CONSERVATIVE_MS,
  chooseLayers,
  type LayerHistory,
  NO_LAYER_HISTORY,
  nextStepIndex,
  usableBps,
} from './layer-choice.ts';
import { desiredBps, type LayerLadder, layerBitrates, toPreferredLayers } from './layer-ladder.ts';
import { MIN_ACTIVE_MS, type SimulcastStream, simulcastLadder } from './simulcast-ladder.ts';
import { svcLadder } from './svc-ladder.ts';

const BEST = { spatialLayer: 9, temporalLayer: 9 };

function streamOf(bitratesBps: readonly number[], fields: Partial<SimulcastStream> = {}): SimulcastStream {
  return { score: 10, activeMs: 60_000, canSwitch: true, bitratesBps, ...fields };
}

function namesOf(ladder: LayerLadder): string[] {
  return ladder.map(({ spatialLayer, temporalLayer }) => `${spatialLayer}.${temporalLayer}`);
}

const [LOW, MIDDLE, HIGH] = [streamOf([50, 100]), streamOf([200, 400]), streamOf([800, 1600])];

describe('simulcastLadder', () => {
  it.each<[string, readonly (SimulcastStream | undefined)[], Parameters<typeof simulcastLadder>[1], number?]>([
    ['all there is, the least first: 0.0 0.1 1.0 1.1 2.0 2.1', [LOW, MIDDLE, HIGH], BEST],
    ['none above the preferred layer: 0.0 0.1 1.0 1.1', [LOW, MIDDLE, HIGH], { spatialLayer: 1, temporalLayer: 9 }],
    ['no temporal layer above the preferred: 0.0 1.0 2.0', [LOW, MIDDLE, HIGH], { spatialLayer: 9, temporalLayer: 0 }],
    ['not those that do not come: 0.0 0.1', [LOW, { ...MIDDLE, score: 0 }, undefined], BEST],
    ['the lowest above when there is no other: 1.0', [undefined, MIDDLE, HIGH], { spatialLayer: 0, temporalLayer: 0 }],
    ['not those whose time is not known: 1.0 1.1', [{ ...LOW, canSwitch: false }, MIDDLE], BEST],
    ['the current one, whose time need not be known: 0.0 0.1', [{ ...LOW, canSwitch: false }], BEST, 0],
    ['no new one beside an older: 0.0 0.1', [LOW, { ...MIDDLE, activeMs: MIN_ACTIVE_MS - 1 }], BEST],
    ['the current one, however new: 0.0 0.1 1.0 1.1', [LOW, { ...MIDDLE, activeMs: 1 }], BEST, 1],
    ['new ones when all are: 0.0 0.1 1.0 1.1', [LOW, MIDDLE].map((one) => ({ ...one, activeMs: 1 })), BEST],
    ['no temporal layer that is not sent: 0.0', [streamOf([50, 0])], BEST],
    ['nothing of nothing: ', [], BEST],
  ])('has %s', (title, streams, preferred, current) => {
    const names = title.slice(title.lastIndexOf(':') + 1).trim();
    expect(namesOf(simulcastLadder(streams, preferred, current))).toEqual(names === '' ? [] : names.split(' '));
  });

  it('tells what each step takes', () => {
    expect(simulcastLadder([LOW, MIDDLE], BEST).map(({ bitrateBps }) => bitrateBps)).toEqual([50, 100, 200, 400]);
    expect(desiredBps(simulcastLadder([LOW, MIDDLE], BEST))).toBe(400);
    expect(desiredBps([])).toBe(0);
  });
});

describe('svcLadder', () => {
  const bitratesBps = [
    [50, 100],
    [0, 0],
    [300, 600],
  ];

  it.each([
    [BEST, 10, ['0.0', '0.1', '2.0', '2.1']],
    [{ spatialLayer: 1, temporalLayer: 1 }, 10, ['0.0', '0.1']],
    [{ spatialLayer: 2, temporalLayer: 0 }, 10, ['0.0', '2.0']],
    [BEST, 0, []],
  ])('with %o preferred and score %i has %o', (preferred, score, names) => {
    expect(namesOf(svcLadder({ score, bitratesBps }, preferred))).toEqual(names);
  });

  it('has the lowest above the preferred when there is no other', () => {
    const stream = { score: 10, bitratesBps: [[0], [200], [400]] };
    expect(namesOf(svcLadder(stream, { spatialLayer: 0, temporalLayer: 0 }))).toEqual(['1.0']);
    expect(svcLadder(undefined, BEST)).toEqual([]);
  });

  it('takes the bitrates that a stream counts', () => {
    const rate = new LayeredRateCounter(2, 2);
    const bytes = LAYERED_RATE_WINDOW_MS / 8;
    for (const s of [0, 1]) for (const t of [0, 1]) rate.add(bytes, 0, s, t);
    const layers = { spatialLayers: 2, temporalLayers: 2 };
    expect(layerBitrates(rate, 0, layers)).toEqual([
      [1000, 2000],
      [2000, 4000],
    ]);
    expect(layerBitrates(rate, 0, layers, 'independent')).toEqual([
      [1000, 2000],
      [1000, 2000],
    ]);
  });
});

describe('toPreferredLayers', () => {
  it.each([
    [undefined, 2, 2],
    [{ spatialLayer: 1 }, 1, 2],
    [{ spatialLayer: 1, temporalLayer: 0 }, 1, 0],
    [{ spatialLayer: 8, temporalLayer: 8 }, 2, 2],
    [{ spatialLayer: -1, temporalLayer: -1 }, 0, 0],
  ])('makes of %o layers %i and %i of three', (wanted, spatialLayer, temporalLayer) => {
    expect(toPreferredLayers(wanted, 3, 3)).toEqual({ spatialLayer, temporalLayer });
    expect(toPreferredLayers(wanted, 0, 0)).toEqual({ spatialLayer: 0, temporalLayer: 0 });
  });
});

describe('chooseLayers', () => {
  const ladder = simulcastLadder([LOW, MIDDLE, HIGH], BEST);
  const at = (spatialLayer: number, loweredMs?: number): LayerHistory => ({
    target: { spatialLayer, temporalLayer: 1 },
    loweredMs,
  });

  it.each([
    [49, undefined],
    [50, '0.0'],
    [199, '0.1'],
    [200, '1.0'],
    [1599, '2.0'],
    [Number.POSITIVE_INFINITY, '2.1'],
  ])('of %d bit/s makes %s', (availableBps, name) => {
    const { step } = chooseLayers(ladder, availableBps, NO_LAYER_HISTORY, 0);
    expect(step && `${step.spatialLayer}.${step.temporalLayer}`).toBe(name);
  });

  it('does not go up for ten seconds after bandwidth forced it down', () => {
    const down = chooseLayers(ladder, 150, at(2), 1000);
    expect([down.step?.spatialLayer, down.history.loweredMs]).toEqual([0, 1000]);
    const soon = chooseLayers(ladder, 9000, down.history, 1000 + CONSERVATIVE_MS - 1);
    expect([soon.step?.spatialLayer, soon.step?.temporalLayer, soon.history.loweredMs]).toEqual([0, 1, 1000]);
    expect(chooseLayers(ladder, 9000, soon.history, 1000 + CONSERVATIVE_MS).step?.spatialLayer).toBe(2);
  });

  it.each<[string, LayerLadder, number, LayerHistory, number | undefined]>([
    ['a layer that is gone', simulcastLadder([LOW], BEST), 9000, at(1), undefined],
    ['a lower wish', simulcastLadder([LOW, MIDDLE], { spatialLayer: 0, temporalLayer: 1 }), 9000, at(1), undefined],
    ['fewer pictures', ladder, 60, at(0), undefined],
    ['a pause for want of anything', [], 9000, at(1), undefined],
    ['a pause for want of bandwidth', ladder, 0, at(1), 5],
    ['a lower layer', ladder, 300, at(2), 5],
  ])('after %s', (_, steps, availableBps, history, loweredMs) => {
    expect(chooseLayers(steps, availableBps, history, 5).history.loweredMs).toBe(loweredMs);
  });

  it('goes up at once when its layer is gone, and after a pause', () => {
    const above = simulcastLadder([undefined, MIDDLE], BEST);
    expect(chooseLayers(above, 9000, at(0, 0), 1).step?.spatialLayer).toBe(1);
    expect(chooseLayers(ladder, 9000, { target: undefined, loweredMs: 0 }, 1).step?.spatialLayer).toBe(2);
  });

  it('is the best that fits, whatever there is', () => {
    const rates = fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 });
    const stream = fc.option(
      fc.record({ score: fc.nat(10), activeMs: fc.nat(5000), canSwitch: fc.boolean(), bitratesBps: rates }),
      { nil: undefined },
    );
    const layer = fc.nat(3);
    fc.assert(
      fc.property(
        fc.array(stream, { maxLength: 4 }),
        fc.record({ spatialLayer: layer, temporalLayer: layer }),
        fc.nat(2000),
        fc.option(fc.record({ target: fc.record({ spatialLayer: layer, temporalLayer: layer }), loweredMs: fc.nat() })),
        fc.nat(20_000),
        (streams, preferred, availableBps, before, nowMs) => {
          const history = before ?? NO_LAYER_HISTORY;
          const steps = simulcastLadder(streams, preferred, history.target?.spatialLayer);
          const { step } = chooseLayers(steps, availableBps, history, nowMs);
          for (const { temporalLayer } of steps) expect(temporalLayer).toBeLessThanOrEqual(preferred.temporalLayer);
          const above = new Set(steps.map((one) => one.spatialLayer).filter((s) => s > preferred.spatialLayer));
          expect(above.size === 0 || new Set(steps.map((one) => one.spatialLayer)).size === 1).toBe(true);
          if (step === undefined) return;
          expect(step.bitrateBps).toBeLessThanOrEqual(availableBps);
          expect(streams[step.spatialLayer]!.score).toBeGreaterThan(0);
          const allowed = allowedSteps(steps, history, nowMs);
          for (const other of allowed.slice(allowed.indexOf(step) + 1)) {
            expect(other.bitrateBps).toBeGreaterThan(availableBps);
          }
        },
      ),
    );
  });
});

describe('nextStepIndex', () => {
  const ladder = simulcastLadder([LOW, MIDDLE], BEST);
  it.each([
    [-1, 49, -1],
    [-1, 50, 0],
    [0, 50, 1],
    [0, 49, -1],
    [1, 100, 2],
    [3, 9000, -1],
  ])('from %i with %i bit/s is %i', (index, budgetBps, next) => {
    expect(nextStepIndex(ladder, index, budgetBps)).toBe(next);
  });

  it('passes over a step that takes more than one above it', () => {
    const odd = simulcastLadder([streamOf([50, 900]), streamOf([200])], BEST);
    expect(nextStepIndex(odd, 0, 200)).toBe(2);
  });
});

describe('usableBps', () => {
  it.each([
    [0, 1080],
    [0.019, 1080],
    [0.02, 1000],
    [0.1, 1000],
    [0.2, 900],
    [1, 500],
  ])('with %d lost of 1000 is %d', (loss, bps) => {
    expect(usableBps(1000, loss)).toBeCloseTo(bps, 6);
  });
});
