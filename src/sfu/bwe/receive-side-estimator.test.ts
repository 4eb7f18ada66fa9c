import { describe, expect, it } from 'vitest';
import { ReceiveSideEstimator, SEND_TIME_WRAP_US } from './receive-side-estimator.ts';

/** 24 bits of 2^-18 s. */
function toAbsSendTime(us: number): number {
  return Math.round((us / 1e6) * 2 ** 18) & 0xff_ffff;
}

/** Packets at a rate through a link of another; @returns the REMBs */
function run(
  estimator: ReceiveSideEstimator,
  sendBps: number,
  linkBps: number,
  fromMs: number,
  untilMs: number,
): number[] {
  const rembs: number[] = [];
  let freeUs = 0;
  const gapUs = (1200 * 8e6) / sendBps;
  for (let sentUs = fromMs * 1000; sentUs < untilMs * 1000; sentUs += gapUs) {
    freeUs = Math.max(freeUs, sentUs) + (1200 * 8e6) / linkBps;
    const arrivalUs = Math.round(freeUs + 7_000_000);
    estimator.onPacket(toAbsSendTime(sentUs), arrivalUs, 1200);
    const remb = estimator.takeRemb(arrivalUs / 1000);
    if (remb !== undefined) rembs.push(remb);
  }
  return rembs;
}

describe('ReceiveSideEstimator', () => {
  it('grows with what comes, to one and a half of it', () => {
    const estimator = new ReceiveSideEstimator();
    const rembs = run(estimator, 1e6, 5e6, 0, 30_000);
    expect(rembs.length).toBeGreaterThanOrEqual(29);
    expect(rembs.length).toBeLessThanOrEqual(32);
    expect(rembs.at(-1)! / 1.51e6).toBeCloseTo(1, 1);
  });

  it('falls to under what the link carries when the sender sends more, and tells at once', () => {
    const estimator = new ReceiveSideEstimator({ startBps: 3e6 });
    run(estimator, 2.9e6, 5e6, 0, 3000);
    const rembs = run(estimator, 2.9e6, 2e6, 3000, 4500);
    expect(rembs.length).toBeGreaterThanOrEqual(2);
    expect(rembs.at(-1)!).toBeLessThan(2e6);
    expect(rembs.at(-1)!).toBeGreaterThan(0.4e6);
  });

  it('sees nothing in the wrap of the send time', () => {
    const estimator = new ReceiveSideEstimator({ startBps: 1e6 });
    const fromMs = SEND_TIME_WRAP_US / 1000 - 3000;
    const rembs = run(estimator, 1e6, 5e6, fromMs, fromMs + 6000);
    expect(Math.min(...rembs)).toBeGreaterThanOrEqual(1e6);
  });

  it('keeps to its bounds', () => {
    const estimator = new ReceiveSideEstimator({ startBps: 1e6, maxBps: 800e3 });
    expect(run(estimator, 1e6, 5e6, 0, 2000).at(-1)).toBe(800e3);
    estimator.setBounds(30e3, 400e3);
    expect(run(estimator, 1e6, 5e6, 2000, 4000).at(-1)).toBe(400e3);
  });

  it('is silent before and after the stream', () => {
    const estimator = new ReceiveSideEstimator();
    expect(estimator.nextTimeoutMs()).toBeUndefined();
    expect(estimator.takeRemb(1e9)).toBeUndefined();
    run(estimator, 1e6, 5e6, 0, 2000);
    expect(estimator.takeRemb(60_000)).toBeUndefined();
    expect(estimator.nextTimeoutMs()).toBeUndefined();
  });

  it('survives send times and arrivals of any kind', () => {
    const estimator = new ReceiveSideEstimator();
    for (let i = 0; i < 5000; i++)
      estimator.onPacket(Math.imul(i, 0x9e37_79b1) >>> 0, (i * 7919) % 10_000_000, i % 1500);
    expect(estimator.estimateBps).toBeGreaterThanOrEqual(30_000);
  });
});
