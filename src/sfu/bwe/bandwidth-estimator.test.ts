import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BandwidthEstimator, DEFAULT_MIN_BPS, DEFAULT_START_BPS } from './bandwidth-estimator.ts';

/** Sends at a rate over a link of another and gives feedback every 50 ms, two round trips of 50 ms behind. */
class Peer {
  readonly estimator: BandwidthEstimator;
  sequenceNumber = 65_500;
  nowUs = 0;
  #freeUs = 0;

  constructor(estimator: BandwidthEstimator) {
    this.estimator = estimator;
  }

  run(milliseconds: number, sendBps: () => number, linkBps: number, hasFeedback = true): void {
    const untilUs = this.nowUs + milliseconds * 1000;
    while (this.nowUs < untilUs) {
      const baseSequenceNumber = this.sequenceNumber;
      const arrivalsUs: number[] = [];
      const batchUs = this.nowUs + 50_000;
      while (this.nowUs < batchUs) {
        this.estimator.onPacketSent(this.sequenceNumber, 1000, this.nowUs);
        this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
        this.#freeUs = Math.max(this.#freeUs, this.nowUs) + 8e9 / linkBps;
        arrivalsUs.push(Math.round(this.#freeUs));
        this.nowUs += 8e9 / sendBps();
      }
      this.nowUs = Math.round(this.nowUs);
      if (hasFeedback) this.estimator.onFeedback({ baseSequenceNumber, arrivalsUs }, this.nowUs);
      this.estimator.handleTimeout(this.nowUs / 1000);
    }
  }
}

describe('BandwidthEstimator', () => {
  it('starts where mediasoup does and asks for the first probe once', () => {
    const estimator = new BandwidthEstimator();
    expect(estimator.targetBps).toBe(DEFAULT_START_BPS);
    expect(estimator.takeProbes()).toEqual([]);
    estimator.start(0);
    expect(estimator.takeProbes().map(({ targetBps }) => targetBps)).toEqual([3 * DEFAULT_START_BPS]);
    expect(estimator.takeProbes()).toEqual([]);
    expect(estimator.nextTimeoutMs()).toBe(100);
  });

  it('grows to what the link carries without probes and across the wrap of the numbers', () => {
    const peer = new Peer(new BandwidthEstimator({ startBps: 1e6 }));
    peer.run(20_000, () => peer.estimator.targetBps, 1.5e6);
    expect(peer.estimator.estimateBps).toBeGreaterThan(1.25e6);
    expect(peer.estimator.estimateBps).toBeLessThan(1.6e6);
    expect(peer.estimator.trace().standingQueueMs).toBeLessThan(50);
  });

  it('falls while feedback stays out, to the minimum and no further', () => {
    const peer = new Peer(new BandwidthEstimator({ startBps: 1e6 }));
    peer.run(2000, () => 1e6, 5e6);
    const before = peer.estimator.targetBps;
    peer.run(1000, () => 1e6, 5e6, false);
    expect(peer.estimator.targetBps).toBe(before);
    peer.run(5000, () => 1e6, 5e6, false);
    expect(peer.estimator.targetBps).toBeLessThan(before * 0.6);
    peer.run(60_000, () => 1e6, 5e6, false);
    expect(peer.estimator.targetBps).toBe(DEFAULT_MIN_BPS);
  });

  it('does not fall when nothing is sent', () => {
    const peer = new Peer(new BandwidthEstimator({ startBps: 1e6 }));
    peer.run(2000, () => 1e6, 5e6);
    const before = peer.estimator.targetBps;
    for (let ms = 3000; ms < 60_000; ms += 100) peer.estimator.handleTimeout(ms);
    expect(peer.estimator.targetBps).toBe(before);
  });

  it.each([
    ['the maximum', { maxBps: 500e3 }, 500e3],
    ['the minimum', { minBps: 800e3 }, 800e3],
    ['a minimum over the maximum', { minBps: 800e3, maxBps: 100e3 }, 800e3],
    ['a wish', { desiredBps: 100e3 }, DEFAULT_START_BPS],
  ])('keeps to %s', (_, wanted, expected) => {
    const estimator = new BandwidthEstimator();
    estimator.setDesiredBitrate(wanted);
    expect(estimator.targetBps).toBe(expected);
    expect(new BandwidthEstimator(wanted).targetBps).toBe(expected);
  });

  it('is led by REMB and receiver reports without transport-wide feedback', () => {
    const estimator = new BandwidthEstimator();
    estimator.onRemb(2e6, 0);
    expect(estimator.targetBps).toBe(2e6);
    expect(estimator.trace().type).toBe('remb');
    estimator.onReceiverReport(0.2, 50, 1000);
    expect(estimator.targetBps).toBe(1.8e6);
    estimator.onRemb(1e6, 2000);
    expect(estimator.targetBps).toBe(1e6);
    estimator.handleTimeout(20_000);
    expect(estimator.trace().type).toBe('loss');
  });

  it('is bound by REMB beside transport-wide feedback, until it is too old', () => {
    const peer = new Peer(new BandwidthEstimator({ startBps: 1e6 }));
    peer.run(1000, () => 1e6, 5e6);
    peer.estimator.onRemb(300e3, peer.nowUs);
    expect(peer.estimator.targetBps).toBe(300e3);
    expect(peer.estimator.trace().type).toBe('transport-cc');
    peer.run(11_000, () => 1e6, 5e6);
    expect(peer.estimator.targetBps).toBeGreaterThan(1e6);
  });

  it('does not lend its ear to receiver reports beside transport-wide feedback', () => {
    const peer = new Peer(new BandwidthEstimator({ startBps: 1e6 }));
    peer.run(1000, () => 1e6, 5e6);
    const before = peer.estimator.targetBps;
    for (let i = 0; i < 20; i++) peer.estimator.onReceiverReport(1, 50, peer.nowUs + i * 1e6);
    expect(peer.estimator.targetBps).toBe(before);
  });

  it('probes when the wish is raised', () => {
    const peer = new Peer(new BandwidthEstimator({ startBps: 1e6, desiredBps: 500e3 }));
    peer.estimator.start(0);
    peer.estimator.takeProbes();
    peer.run(3000, () => 1e6, 5e6);
    peer.estimator.takeProbes();
    peer.estimator.setDesiredBitrate({ desiredBps: 4e6 });
    peer.run(100, () => 1e6, 5e6);
    expect(peer.estimator.takeProbes().length).toBeGreaterThan(0);
  });

  it('tells of the state when the available bitrate has changed', () => {
    const estimator = new BandwidthEstimator({ desiredBps: 5e6, maxBps: 2e6 });
    expect(estimator.takeTrace()).toMatchObject({
      type: 'loss',
      availableBps: 600e3,
      desiredBps: 5e6,
      effectiveDesiredBps: 2e6,
      minBps: 30e3,
      maxBps: 2e6,
      startBps: 600e3,
    });
    expect(estimator.takeTrace()).toBeUndefined();
    estimator.onRemb(1e6, 0);
    expect(estimator.takeTrace()?.availableBps).toBe(1e6);
  });

  it('takes anything from the peer: bounded, finite, no error', () => {
    const time = fc.oneof(fc.constant(undefined), fc.double(), fc.integer({ min: -1e9, max: 1e9 }));
    const step = fc.record({
      baseSequenceNumber: fc.integer({ min: 0, max: 65_535 }),
      arrivalsUs: fc.array(time, { maxLength: 100 }),
      remb: fc.double(),
      loss: fc.double(),
      elapsedUs: fc.integer({ min: -1e6, max: 3e7 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const estimator = new BandwidthEstimator({ maxBps: 50e6 });
        estimator.start(0);
        let nowUs = 0;
        let sequenceNumber = 65_500;
        for (const { baseSequenceNumber, arrivalsUs, remb, loss, elapsedUs } of steps) {
          for (let i = 0; i < 20; i++) estimator.onPacketSent(sequenceNumber++ & 0xffff, 1000, nowUs + i * 1000, i % 3);
          nowUs += elapsedUs;
          estimator.onFeedback({ baseSequenceNumber, arrivalsUs }, nowUs);
          estimator.onFeedback({ baseSequenceNumber: (sequenceNumber - 20) & 0xffff, arrivalsUs }, nowUs);
          estimator.onRemb(remb, nowUs);
          estimator.onReceiverReport(loss, remb, nowUs);
          estimator.handleTimeout(nowUs / 1000);
          estimator.takeProbes();
          expect(estimator.targetBps).toBeGreaterThanOrEqual(DEFAULT_MIN_BPS);
          expect(estimator.targetBps).toBeLessThanOrEqual(50e6);
          expect(Number.isNaN(estimator.targetBps)).toBe(false);
          expect(estimator.outstandingBytes).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 200 },
    );
  });
});
