import { describe, expect, it } from 'vitest';
import { LossBasedController, MAX_INHERENT_LOSS, MAX_LOW_RATE_LOSS } from './loss-based-controller.ts';
import type { PacketResult } from './packet-result.ts';

/** Pseudo-random, 0–1, repeatable. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Path {
  readonly rateBps: (seconds: number, limitBps: number) => number;
  readonly isLost: (rateBps: number, chance: number) => boolean;
  readonly isQueueing?: boolean;
  readonly seconds?: number;
}

function run({ rateBps, isLost, isQueueing = false, seconds = 10 }: Path): {
  readonly controller: LossBasedController;
  readonly overflows: number;
} {
  const controller = new LossBasedController();
  const chance = noise(7);
  let overflows = 0;
  let nowUs = 0;
  let sequenceNumber = 0;
  while (nowUs < seconds * 1e6) {
    const results: PacketResult[] = [];
    const untilUs = nowUs + 50_000;
    while (nowUs < untilUs) {
      const bps = rateBps(nowUs / 1e6, controller.limitBps);
      nowUs += (1200 * 8e6) / bps;
      const arrivalUs = isLost(bps, chance()) ? undefined : nowUs;
      const fixed = { sizeBytes: 1200, probeClusterId: undefined, isRecovered: false, isLate: false };
      results.push({ ...fixed, sequenceNumber: sequenceNumber++, sentUs: nowUs, arrivalUs });
    }
    if (controller.update(results, { isQueueing, isApplicationLimited: false })) overflows++;
  }
  return { controller, overflows };
}

const steady = (): number => 2e6;
/** A rate that goes up and down, as probing and rate control make it. */
const varied = (seconds: number): number => (Math.floor(seconds) % 2 === 0 ? 2e6 : 1.2e6);

describe('LossBasedController', () => {
  it.each([0, 0.01, 0.02, 0.05, 0.1, 0.14])(
    'takes a loss of %f whatever the rate for the nature of the path',
    (rate) => {
      for (const rateBps of [steady, varied]) {
        const { controller } = run({ rateBps, isLost: (_, chance) => chance < rate });
        expect(controller.limitBps).toBe(Number.POSITIVE_INFINITY);
        expect(controller.inherentLoss).toBeGreaterThan(rate - 0.04);
        expect(controller.inherentLoss).toBeLessThan(rate + 0.04);
      }
    },
  );

  it.each([
    [1.5e6, varied],
    [1.2e6, varied],
    [1e6, steady],
  ])('finds the bandwidth of a policer of %i', (policedBps, rateBps) => {
    const { controller } = run({ rateBps, isLost: (bps, chance) => chance < 1 - policedBps / bps });
    expect(controller.limitBps / policedBps).toBeGreaterThan(0.7);
    expect(controller.limitBps / policedBps).toBeLessThan(1.3);
  });

  it('lifts the limit when nothing is lost any more', () => {
    const { controller } = run({
      rateBps: (seconds) => (seconds < 10 ? varied(seconds) : 1.1e6),
      isLost: (bps, chance) => chance < 1 - 1.2e6 / bps,
      seconds: 25,
    });
    expect(controller.limitBps).toBe(Number.POSITIVE_INFINITY);
    expect(controller.averageLoss).toBeLessThan(0.02);
  });

  it('sends less for a moment now and then to see whether loss depends on the rate, less and less often', () => {
    const limited: number[] = [];
    run({
      rateBps: (seconds, limitBps) => {
        if (limitBps < 2e6 && Math.floor(seconds) !== limited.at(-1)) limited.push(Math.floor(seconds));
        return Math.min(2e6, limitBps);
      },
      isLost: (_, chance) => chance < 0.1,
      seconds: 60,
    });
    expect(limited.length).toBeGreaterThan(2);
    expect(limited.length).toBeLessThan(16);
  });

  it('finds a policer by that at a rate that does not vary by itself', () => {
    const { controller } = run({
      rateBps: (_, limitBps) => Math.min(2e6, limitBps),
      isLost: (bps, chance) => chance < 1 - 1.7e6 / bps,
      seconds: 6,
    });
    expect(controller.bandwidthBps / 1.7e6).toBeGreaterThan(0.75);
    expect(controller.bandwidthBps / 1.7e6).toBeLessThan(1.1);
  });

  it('does not believe in more than some loss by nature', () => {
    const { controller } = run({ rateBps: steady, isLost: (_, chance) => chance < 0.4 });
    expect(controller.inherentLoss).toBeLessThanOrEqual(MAX_INHERENT_LOSS);
    expect(controller.limitBps).toBeLessThan(2e6);
  });

  it.each([0.3, 0.45])('at 120 kb/s takes even a loss of %f for the nature of the path', (rate) => {
    const { controller } = run({ rateBps: () => 120e3, isLost: (_, chance) => chance < rate, seconds: 20 });
    expect(controller.bandwidthBps).toBe(Number.POSITIVE_INFINITY);
    expect(controller.inherentLoss).toBeGreaterThan(rate - 0.1);
  });

  it('takes still more for want of bandwidth at any rate', () => {
    const { controller } = run({ rateBps: () => 200e3, isLost: (_, chance) => chance < 0.8, seconds: 20 });
    expect(controller.bandwidthBps).toBeLessThan(200e3);
    expect(controller.inherentLoss).toBeLessThanOrEqual(MAX_LOW_RATE_LOSS);
  });

  it('finds the bandwidth of a policer at low rates', () => {
    const rateBps = (seconds: number): number => (Math.floor(seconds) % 2 === 0 ? 200e3 : 120e3);
    const { controller } = run({ rateBps, isLost: (bps, chance) => chance < 1 - 130e3 / bps, seconds: 30 });
    expect(controller.bandwidthBps / 130e3).toBeGreaterThan(0.7);
    expect(controller.bandwidthBps / 130e3).toBeLessThan(1.3);
  });

  it('learns nothing from loss beside a queue, but tells of it', () => {
    const { controller, overflows } = run({ rateBps: steady, isLost: (_, chance) => chance < 0.2, isQueueing: true });
    expect(controller.limitBps).toBe(Number.POSITIVE_INFINITY);
    expect(controller.inherentLoss).toBe(0);
    expect(overflows).toBeGreaterThan(20);
  });

  it('takes no loss and little loss beside a queue for no overflow', () => {
    for (const rate of [0, 0.005]) {
      expect(run({ rateBps: steady, isLost: (_, chance) => chance < rate, isQueueing: true }).overflows).toBe(0);
    }
  });

  it('does not count a packet as lost that comes late', () => {
    const controller = new LossBasedController();
    const fixed = { sizeBytes: 1200, probeClusterId: undefined, isLate: false };
    for (let i = 0; i < 400; i++) {
      const packet = { ...fixed, sequenceNumber: i, sentUs: i * 5000 };
      controller.update(
        [
          { ...packet, arrivalUs: undefined, isRecovered: false },
          { ...packet, arrivalUs: i * 5000, isRecovered: true },
        ],
        { isQueueing: false, isApplicationLimited: false },
      );
    }
    expect(controller.averageLoss).toBe(0);
  });
});
