import type { Scenario } from './bwe-simulation.ts';

const steady = (bps: number) => (): number => bps;

/** Piecewise constant: each pair says from when on which rate holds. */
function steps(...pairs: readonly (readonly [fromMs: number, bps: number])[]): (nowMs: number) => number {
  return (nowMs) => {
    let bps = pairs[0]![1];
    for (const [fromMs, stepBps] of pairs) if (nowMs >= fromMs) bps = stepBps;
    return bps;
  };
}

/** A link of one rate for 20 s. */
function constant(name: string, bps: number, more: Partial<Scenario> = {}): Scenario {
  return { name, durationMs: 20_000, bandwidthBps: steady(bps), changesMs: [0], ...more };
}

/** The links of the table. */
export const scenarios: readonly Scenario[] = [
  constant('300 kb/s', 300e3),
  constant('500 kb/s', 500e3),
  constant('1 Mb/s', 1e6),
  constant('2.5 Mb/s', 2.5e6),
  constant('5 Mb/s', 5e6),
  constant('10 Mb/s', 10e6),
  constant('10 Mb/s, start at 300 kb/s', 10e6, { estimator: { startBps: 300e3 } }),
  constant('2.5 Mb/s, feedback each 100 ms', 2.5e6, { feedbackMs: 100 }),
  constant('2.5 Mb/s, RTT 200 ms', 2.5e6, { rttMs: 200 }),
  constant('10 Mb/s, RTT 200 ms', 10e6, { rttMs: 200 }),
  constant('300 kb/s, RTT 200 ms', 300e3, { rttMs: 200 }),
  ...[0.01, 0.02, 0.05, 0.1].map((lossRate) =>
    constant(`2.5 Mb/s, loss ${lossRate * 100} %`, 2.5e6, { forward: { lossRate } }),
  ),
  constant('500 kb/s, loss 10 %', 500e3, { forward: { lossRate: 0.1 } }),
  constant('10 Mb/s, loss 10 %', 10e6, { forward: { lossRate: 0.1 } }),
  constant('2.5 Mb/s, loss 5 % in bursts of 5', 2.5e6, { forward: { burst: { lossRate: 0.05, meanLength: 5 } } }),
  constant('2.5 Mb/s, loss 10 % both ways, RTT 200 ms', 2.5e6, {
    rttMs: 200,
    forward: { lossRate: 0.1 },
    back: { lossRate: 0.1 },
  }),
  constant('2.5 Mb/s, jitter 10 ms', 2.5e6, { forward: { jitterMs: 10 } }),
  constant('2.5 Mb/s, jitter 30 ms', 2.5e6, { forward: { jitterMs: 30 } }),
  constant('2.5 Mb/s, 2 % reordered by up to 20 ms', 2.5e6, { forward: { reorderRate: 0.02 } }),
  constant('2.5 Mb/s, queue of 12 kB', 2.5e6, { forward: { queueBytes: 12_000 } }),
  {
    name: '3 → 1 → 3 Mb/s',
    durationMs: 45_000,
    bandwidthBps: steps([0, 3e6], [15_000, 1e6], [30_000, 3e6]),
    changesMs: [0, 15_000, 30_000],
  },
  {
    name: '3 Mb/s → 500 kb/s → 3 Mb/s',
    durationMs: 45_000,
    bandwidthBps: steps([0, 3e6], [15_000, 500e3], [30_000, 3e6]),
    changesMs: [0, 15_000, 30_000],
  },
  {
    name: '10 → 2 → 10 Mb/s, RTT 200 ms',
    durationMs: 45_000,
    rttMs: 200,
    bandwidthBps: steps([0, 10e6], [15_000, 2e6], [30_000, 10e6]),
    changesMs: [0, 15_000, 30_000],
  },
  {
    name: '3 → 1 → 3 Mb/s, loss 5 %',
    durationMs: 45_000,
    bandwidthBps: steps([0, 3e6], [15_000, 1e6], [30_000, 3e6]),
    changesMs: [0, 15_000, 30_000],
    forward: { lossRate: 0.05 },
  },
  {
    name: '1 → 2 → 4 → 8 Mb/s',
    durationMs: 40_000,
    bandwidthBps: steps([0, 1e6], [10_000, 2e6], [20_000, 4e6], [30_000, 8e6]),
    changesMs: [0, 10_000, 20_000, 30_000],
  },
  {
    name: '4 Mb/s, cross traffic of 2 Mb/s at 15–30 s',
    durationMs: 45_000,
    bandwidthBps: steady(4e6),
    crossBps: steps([0, 0], [15_000, 2e6], [30_000, 0]),
    changesMs: [0, 15_000, 30_000],
  },
  constant('2.5 Mb/s, feedback each 250 ms', 2.5e6, { feedbackMs: 250 }),
  constant('2.5 Mb/s, 30 % of the feedback lost', 2.5e6, { back: { lossRate: 0.3 } }),
  constant('2.5 Mb/s, feedback doubled and reordered', 2.5e6, { back: { duplicateRate: 0.3, reorderRate: 0.3 } }),
  {
    name: '2.5 Mb/s, nothing passes at 10–14 s',
    durationMs: 30_000,
    bandwidthBps: steps([0, 2.5e6], [10_000, 1], [14_000, 2.5e6]),
    changesMs: [0, 10_000, 14_000],
  },
];

/** Beyond what is asked: shown to know, not held to the limits. */
export const hardScenarios: readonly Scenario[] = [
  constant('2.5 Mb/s, loss 20 %', 2.5e6, { forward: { lossRate: 0.2 } }),
  constant('2.5 Mb/s, loss 30 %', 2.5e6, { forward: { lossRate: 0.3 } }),
  constant('2.5 Mb/s, queue of 6 kB', 2.5e6, { forward: { queueBytes: 6000 } }),
  constant('2.5 Mb/s, queue of 3 kB', 2.5e6, { forward: { queueBytes: 3000 } }),
  {
    name: '3 → 1 → 3 Mb/s, source follows after 500 ms',
    durationMs: 45_000,
    bandwidthBps: steps([0, 3e6], [15_000, 1e6], [30_000, 3e6]),
    changesMs: [0, 15_000, 30_000],
    sourceLagMs: 500,
  },
  {
    name: '2 ± 1 Mb/s, a wave of 19 s',
    durationMs: 40_000,
    bandwidthBps: (nowMs) => 2e6 + 1e6 * Math.sin(nowMs / 3000),
    changesMs: [0],
  },
];

/** Receivers that tell only REMB, so that nothing is learned from probes: slower to rise. */
export const rembScenarios: readonly Scenario[] = [300e3, 1e6, 2.5e6, 5e6].map((bps) => ({
  name: `${bps / 1e6} → ${bps / 2e6} Mb/s`,
  durationMs: 40_000,
  feedback: 'remb',
  bandwidthBps: steps([0, bps], [20_000, bps / 2]),
  changesMs: [0, 20_000],
}));

/** Sources that send little: the estimate is what matters. */
export const limitedScenarios: readonly (Scenario & { readonly linkBps: number })[] = [
  { linkBps: 5e6, sourceBps: 200e3, desiredBps: 5e6 },
  { linkBps: 5e6, sourceBps: 200e3, desiredBps: 5e6, lossRate: 0.1 },
  { linkBps: 5e6, sourceBps: 200e3, desiredBps: 1e6 },
  { linkBps: 1e6, sourceBps: 50e3, desiredBps: 1e6 },
  { linkBps: 400e3, sourceBps: 200e3, desiredBps: 5e6 },
].map(({ linkBps, sourceBps, desiredBps, lossRate = 0 }) => ({
  name: `${linkBps / 1e6} Mb/s, loss ${lossRate * 100} %, source ${sourceBps / 1e3} kb/s, wish ${desiredBps / 1e6} Mb/s`,
  forward: { lossRate },
  durationMs: 40_000,
  bandwidthBps: steady(linkBps),
  changesMs: [0],
  sourceBps,
  estimator: { desiredBps },
  linkBps,
}));
