import { describe, expect, it } from 'vitest';
import { ProbeController, type ProbeState } from './probe-controller.ts';

const quiet: ProbeState = {
  estimateBps: 1e6,
  desiredBps: 10e6,
  maxBps: 20e6,
  isApplicationLimited: false,
  isPathQuiet: true,
  lastDecreaseUs: Number.NEGATIVE_INFINITY,
  rttUs: 50_000,
  isCapacityKnown: true,
};

const seconds = (value: number): number => value * 1e6;

/** One whose first probe at time 0 has shown that the link is full. */
function begun(): ProbeController {
  const probes = new ProbeController();
  const [first] = probes.start(1e6, quiet, 0);
  probes.onResult({ clusterId: first!.id, bitrateBps: 1e6, isLinkFull: true }, true, quiet, 100_000);
  return probes;
}

function ratesOf(probes: readonly { readonly targetBps: number }[]): number[] {
  return probes.map(({ targetBps }) => targetBps);
}

describe('ProbeController', () => {
  it('begins at three times the start rate and goes on as long as probes come through', () => {
    const probes = new ProbeController();
    expect(ratesOf(probes.start(1e6, quiet, 0))).toEqual([3e6]);
    const passed = { clusterId: 0, bitrateBps: 3e6, isLinkFull: false };
    expect(ratesOf(probes.onResult(passed, true, { ...quiet, estimateBps: 3e6 }, 1000))).toEqual([6e6]);
    const full = { clusterId: 1, bitrateBps: 4e6, isLinkFull: true };
    expect(probes.onResult(full, true, { ...quiet, estimateBps: 4e6 }, 2000)).toEqual([]);
  });

  it('sends nothing before the start', () => {
    expect(new ProbeController().update(quiet, seconds(10))).toEqual([]);
  });

  it('repeats a doubtful probe a little higher, and knows it again', () => {
    const probes = new ProbeController();
    const [first] = probes.start(1e6, quiet, 0);
    const result = { clusterId: first!.id, bitrateBps: 1.5e6, isLinkFull: false };
    const [second] = probes.onResult(result, false, quiet, 1000);
    expect(second!.targetBps).toBeCloseTo(1.95e6, 0);
    expect(probes.isConfirmation(second!.id)).toBe(true);
    expect(probes.isConfirmation(first!.id)).toBe(false);
  });

  it.each<[string, Partial<ProbeState>, number, readonly number[]]>([
    ['while the source wants more, after a second', {}, 1.1, [1.5e6]],
    ['not earlier', {}, 0.9, []],
    ['sooner while the link was never full', { isCapacityKnown: false }, 0.5, [1.5e6]],
    ['not beside a queue', { isPathQuiet: false }, 1.1, []],
    ['not just after the rate fell', { lastDecreaseUs: seconds(0.8) }, 1.1, []],
    ['not when the source has what it wants', { desiredBps: 0.9e6 }, 1.1, []],
    ['not over the maximum', { maxBps: 1e6 }, 1.1, []],
    ['up to the maximum', { maxBps: 1.2e6 }, 1.1, [1.2e6]],
    ['twice the estimate each five seconds while the source rests', { isApplicationLimited: true }, 5.1, [2e6]],
    ['no more often', { isApplicationLimited: true }, 4.9, []],
  ])('probes %s', (_, state, atSeconds, expected) => {
    const probes = begun();
    expect(ratesOf(probes.update({ ...quiet, ...state }, seconds(atSeconds)))).toEqual(expected);
  });

  it('tries the rate of before a drop again, once', () => {
    const probes = begun();
    probes.update({ ...quiet, estimateBps: 5e6, isPathQuiet: false }, seconds(1));
    const dropped = { ...quiet, estimateBps: 1e6, lastDecreaseUs: seconds(2) };
    expect(probes.update({ ...dropped, isPathQuiet: false }, seconds(2))).toEqual([]);
    expect(ratesOf(probes.update(dropped, seconds(3.1)))).toEqual([4.25e6]);
    expect(probes.update(dropped, seconds(3.2))).toEqual([]);
  });

  it('probes on request as soon as the path is quiet', () => {
    const probes = begun();
    probes.request();
    expect(probes.update({ ...quiet, isPathQuiet: false }, seconds(0.5))).toEqual([]);
    expect(ratesOf(probes.update(quiet, seconds(0.6)))).toEqual([2e6]);
    expect(probes.update(quiet, seconds(0.7))).toEqual([]);
  });

  it('sends a probe without a result once more, not for ever', () => {
    const probes = new ProbeController();
    probes.start(1e6, quiet, 0);
    const state = { ...quiet, isApplicationLimited: true };
    const sent: number[] = [];
    for (let at = 0; at < 4; at += 0.1) if (probes.update(state, seconds(at)).length > 0) sent.push(at);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toBeGreaterThan(0.3);
    expect(sent[0]).toBeLessThan(0.5);
  });

  it('does not probe on and on at its limit', () => {
    const probes = new ProbeController();
    probes.start(1e6, { ...quiet, desiredBps: 1.5e6 }, 0);
    const passed = { clusterId: 0, bitrateBps: 2.8e6, isLinkFull: false };
    expect(probes.onResult(passed, true, { ...quiet, desiredBps: 1.5e6, estimateBps: 2.8e6 }, 1000)).toEqual([]);
  });
});
