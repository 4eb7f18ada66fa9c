import { describe, expect, it } from 'vitest';
import { hardScenarios, limitedScenarios, rembScenarios, scenarios } from './bwe-scenarios.ts';
import { phasesOf, simulate } from './bwe-simulation.ts';

const SEEDS = [1, 2];

describe('bandwidth estimation on simulated links', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (_, scenario) => {
    for (const seed of SEEDS) {
      const seeded = { ...scenario, seed };
      for (const phase of phasesOf(seeded, simulate(seeded))) {
        expect(phase.convergedMs).toBeLessThanOrEqual(3000);
        expect(phase.utilisation).toBeGreaterThanOrEqual(0.85);
        // The bottleneck carries no more than it can; a little more than all is the queue of the start, sent later.
        expect(phase.utilisation).toBeLessThanOrEqual(1.02);
        expect(phase.p95QueueMs).toBeLessThanOrEqual(100);
      }
    }
  });

  it.each(limitedScenarios.map((scenario) => [scenario.name, scenario] as const))(
    'neither collapses nor explodes: %s',
    (_, scenario) => {
      const { samples } = simulate(scenario);
      // Where a probe was lost by chance it is the next one that tells, five seconds later.
      const settledMs = scenario.forward?.lossRate === 0 ? 3000 : 6000;
      const settled = samples.filter(({ atMs }) => atMs >= settledMs).map(({ estimateBps }) => estimateBps);
      const wishBps = scenario.estimator!.desiredBps!;
      expect(Math.min(...settled)).toBeGreaterThanOrEqual(0.85 * Math.min(2 * scenario.sourceBps!, scenario.linkBps));
      expect(Math.min(...settled)).toBeGreaterThanOrEqual(0.85 * Math.min(wishBps, scenario.linkBps));
      expect(Math.max(...settled)).toBeLessThanOrEqual(1.1 * scenario.linkBps);
      expect(Math.max(...samples.map(({ queueMs }) => queueMs))).toBeLessThanOrEqual(100);
    },
  );

  it.each(rembScenarios.map((scenario) => [scenario.name, scenario] as const))('follows REMB: %s', (_, scenario) => {
    for (const phase of phasesOf(scenario, simulate(scenario))) {
      expect(phase.convergedMs).toBeLessThanOrEqual(phase.fromMs === 0 ? 8000 : 3000);
      expect(phase.utilisation).toBeGreaterThanOrEqual(0.85);
      expect(phase.p95QueueMs).toBeLessThanOrEqual(150);
    }
  });

  it.each(hardScenarios.map((scenario) => [scenario.name, scenario] as const))('survives: %s', (_, scenario) => {
    const result = simulate(scenario);
    const [phase] = phasesOf(scenario, result);
    expect(phase!.utilisation).toBeGreaterThan(0.1);
    expect(result.samples.at(-1)!.targetBps).toBeGreaterThan(30_000);
  });

  it('gives the same numbers for the same seed', () => {
    const scenario = scenarios[0]!;
    expect(simulate(scenario).samples).toEqual(simulate(scenario).samples);
  });
});
