import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayeredRateCounter } from '../streams/layered-rate-counter.ts';
import { LAYERED_RATE_WINDOW_MS } from '../streams/rate-counter.ts';
import { allowedSteps, CONSERVATIVE_MS, type LayerHistory, NO_LAYER_HISTORY, toHistory } from './layer-choice.ts';
import { type LayerLadder, type LayerStep, layerBitrates, toPreferredLayers } from './layer-ladder.ts';
import { GOOD_SCORE, MIN_ACTIVE_MS, type SimulcastStream, simulcastLadder } from './simulcast-ladder.ts';
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
    ['no bad one above a good one: 0.0 0.1 2.0 2.1', [LOW, { ...MIDDLE, score: GOOD_SCORE - 1 }, HIGH], BEST],
    ['a bad one that is sent: 0.0 0.1 1.0 1.1', [LOW, { ...MIDDLE, score: GOOD_SCORE - 1 }], BEST, 1],
    [
      'a good one above a bad one: 0.0 0.1 1.0 1.1',
      [
        { ...LOW, score: 1 },
        { ...MIDDLE, score: GOOD_SCORE },
      ],
      BEST,
    ],
    ['bad ones when all are: 0.0 0.1 1.0 1.1', [LOW, MIDDLE].map((one) => ({ ...one, score: 1 })), BEST],
    ['no temporal layer that is not sent: 0.0', [streamOf([50, 0])], BEST],
    ['nothing of nothing: ', [], BEST],
  ])('has %s', (title, streams, preferred, current) => {
    const names = title.slice(title.lastIndexOf(':') + 1).trim();
    expect(namesOf(simulcastLadder(streams, preferred, current))).toEqual(names === '' ? [] : names.split(' '));
  });

  it('tells what each step takes', () => {
    expect(simulcastLadder([LOW, MIDDLE], BEST).map(({ bitrateBps }) => bitrateBps)).toEqual([50, 100, 200, 400]);
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

/** Takes the best step there is bandwidth for, as one who has it alone. */
function choose(ladder: LayerLadder, availableBps: number, before: LayerHistory, nowMs: number) {
  let step: LayerStep | undefined;
  for (const one of allowedSteps(ladder, before, nowMs)) if (one.bitrateBps <= availableBps) step = one;
  return { step, history: toHistory(ladder, step, before, nowMs) };
}

describe('the choice of layers', () => {
  const ladder = simulcastLadder([LOW, MIDDLE, HIGH], BEST);
  const at = (spatialLayer: number, loweredMs?: number): LayerHistory => ({
    target: { spatialLayer, temporalLayer: 1 },
    loweredMs,
  });

  it('does not go up for ten seconds after bandwidth forced it down', () => {
    const down = choose(ladder, 150, at(2), 1000);
    expect([down.step?.spatialLayer, down.history.loweredMs]).toEqual([0, 1000]);
    const soon = choose(ladder, 9000, down.history, 1000 + CONSERVATIVE_MS - 1);
    expect([soon.step?.spatialLayer, soon.step?.temporalLayer, soon.history.loweredMs]).toEqual([0, 1, 1000]);
    expect(choose(ladder, 9000, soon.history, 1000 + CONSERVATIVE_MS).step?.spatialLayer).toBe(2);
  });

  it.each<[string, LayerLadder, number, LayerHistory, number | undefined]>([
    ['a layer that is gone', simulcastLadder([LOW], BEST), 9000, at(1), undefined],
    ['a lower wish', simulcastLadder([LOW, MIDDLE], { spatialLayer: 0, temporalLayer: 1 }), 9000, at(1), undefined],
    ['fewer pictures', ladder, 60, at(0), undefined],
    ['a pause for want of anything', [], 9000, at(1), undefined],
    ['a pause for want of bandwidth', ladder, 0, at(1), 5],
    ['a lower layer', ladder, 300, at(2), 5],
  ])('after %s', (_, steps, availableBps, history, loweredMs) => {
    expect(choose(steps, availableBps, history, 5).history.loweredMs).toBe(loweredMs);
  });

  it('goes up at once when its layer is gone, and after a pause', () => {
    const above = simulcastLadder([undefined, MIDDLE], BEST);
    expect(choose(above, 9000, at(0, 0), 1).step?.spatialLayer).toBe(1);
    expect(choose(ladder, 9000, { target: undefined, loweredMs: 0 }, 1).step?.spatialLayer).toBe(2);
  });

  it('is of what comes, and of what is preferred or the next above', () => {
    const rates = fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 });
    const stream = fc.option(
      fc.record({ score: fc.nat(10), activeMs: fc.nat(5000), canSwitch: fc.boolean(), bitratesBps: rates }),
      { nil: undefined },
    );
    const layer = fc.nat(3);
    const layers = fc.record({ spatialLayer: layer, temporalLayer: layer });
    fc.assert(
      fc.property(
        fc.array(stream, { maxLength: 4 }),
        layers,
        fc.option(fc.record({ target: layers, loweredMs: fc.nat() })),
        fc.nat(20_000),
        (streams, preferred, before, nowMs) => {
          const history = before ?? NO_LAYER_HISTORY;
          const steps = simulcastLadder(streams, preferred, history.target?.spatialLayer);
          for (const { temporalLayer } of steps) expect(temporalLayer).toBeLessThanOrEqual(preferred.temporalLayer);
          const above = new Set(steps.map((one) => one.spatialLayer).filter((s) => s > preferred.spatialLayer));
          expect(above.size === 0 || new Set(steps.map((one) => one.spatialLayer)).size === 1).toBe(true);
          const allowed = allowedSteps(steps, history, nowMs);
          expect(allowed.length > 0).toBe(steps.length > 0);
          for (const { spatialLayer } of allowed) expect(streams[spatialLayer]!.score).toBeGreaterThan(0);
        },
      ),
    );
  });
});
