import { describe, expect, it } from 'vitest';
import { RembProber } from './remb-prober.ts';

/** Times of probes within a minute, seconds, when each comes to `result` of what was there before. */
function times(result: number, desiredBps = 2e6): number[] {
  const prober = new RembProber();
  const probed: number[] = [];
  for (let ms = 0; ms < 60_000; ms += 100) {
    if (prober.update(1e6, desiredBps, ms * 1000).length === 0) continue;
    probed.push(ms / 1000);
    prober.onRemb(result * 1e6);
  }
  return probed;
}

describe('RembProber', () => {
  it('pads for a second beside the media', () => {
    const prober = new RembProber();
    expect(prober.update(1e6, 2e6, 0)).toEqual([]);
    const probes = prober.update(1e6, 2e6, 3e6);
    expect(probes.reduce((sum, { minBytes }) => sum + minBytes, 0)).toBe(50_000);
    for (const { targetBps } of probes) expect(targetBps).toBe(400_000);
    expect(new Set(probes.map(({ id }) => id)).size).toBe(probes.length);
  });

  it('does so again and again while that helps, ever less often when it does harm', () => {
    expect(times(1.2)).toHaveLength(23);
    expect(times(1)).toHaveLength(23);
    expect(times(0.9)).toEqual([2.5, 5, 10, 20, 40]);
  });

  it('does nothing when there is enough', () => {
    expect(times(1.2, 900_000)).toEqual([]);
  });
});
