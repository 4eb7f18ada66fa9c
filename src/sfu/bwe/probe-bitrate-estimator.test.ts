import { describe, expect, it } from 'vitest';
import type { PacketResult } from './packet-result.ts';
import {
  MAX_OPEN_PROBES,
  type PathKnowledge,
  ProbeBitrateEstimator,
  type ProbeResult,
} from './probe-bitrate-estimator.ts';
import { toProbeCluster } from './probe-cluster.ts';

interface Train {
  readonly sendBps: number;
  readonly linkBps: number;
  readonly sizes: readonly number[];
  readonly lost?: readonly number[];
  readonly clusterId?: number;
}

/** Packets sent at a rate through a link of another. */
function train({ sendBps, linkBps, sizes, lost = [], clusterId = 0 }: Train): PacketResult[] {
  let sentUs = 1_000_000;
  let freeUs = 0;
  return sizes.map((sizeBytes, sequenceNumber) => {
    const startUs = Math.max(freeUs, sentUs);
    freeUs = startUs + (sizeBytes * 8e6) / linkBps;
    const arrivalUs = lost.includes(sequenceNumber) ? undefined : freeUs + 25_000;
    const fixed = { probeClusterId: clusterId, isRecovered: false, isLate: false };
    const result = { ...fixed, sequenceNumber, sizeBytes, sentUs, arrivalUs };
    sentUs += (sizeBytes * 8e6) / sendBps;
    return result;
  });
}

const unknown: PathKnowledge = { baseDelayUs: undefined, inherentLoss: 0 };
const known: PathKnowledge = { baseDelayUs: 25_000, inherentLoss: 0 };

function measure(options: Train, path: PathKnowledge): ProbeResult[] {
  const estimator = new ProbeBitrateEstimator();
  estimator.open(toProbeCluster(options.clusterId ?? 0, options.sendBps));
  return estimator.update(train(options), path);
}

const even = Array.from({ length: 20 }, () => 1000);

describe('ProbeBitrateEstimator', () => {
  it.each([
    ['passes a link that is fast enough', 2e6, 10e6, even, 2e6, false],
    ['measures a link that is not', 4e6, 2e6, even, 1.9e6, true],
    ['is not misled by a large first packet', 2e6, 100e6, [1200, 200, 200, 200, 200, 1200, 1200, 1200], 2e6, false],
    ['nor by a small one', 2e6, 100e6, [200, 1200, 1200, 1200, 1200, 1200], 2e6, false],
  ])('%s', (_, sendBps, linkBps, sizes, expectedBps, isLinkFull) => {
    const [result] = measure({ sendBps, linkBps, sizes }, known);
    expect(result!.isLinkFull).toBe(isLinkFull);
    expect(result!.bitrateBps / expectedBps).toBeGreaterThan(0.95);
    expect(result!.bitrateBps / expectedBps).toBeLessThan(1.05);
  });

  it('counts packets lost within as carried', () => {
    const [result] = measure({ sendBps: 4e6, linkBps: 2e6, sizes: even, lost: [3, 15] }, known);
    expect(result!.bitrateBps / 1.9e6).toBeCloseTo(1, 1);
  });

  it('does not count what is lost beyond the nature of the path as carried', () => {
    const options = { sendBps: 4e6, linkBps: 40e6, sizes: even, lost: [1, 4, 7, 10, 13, 16, 18] };
    const [dropped] = measure(options, known);
    expect(dropped!.isLinkFull).toBe(true);
    expect(dropped!.bitrateBps / (0.65 * 0.95 * 4e6)).toBeCloseTo(1, 1);
    const [lost] = measure(options, { baseDelayUs: 25_000, inherentLoss: 0.3 });
    expect(lost!.isLinkFull).toBe(false);
  });

  it.each([
    ['most of it is lost', { sendBps: 2e6, linkBps: 9e6, sizes: even, lost: Array.from(even.keys()).slice(5) }],
    ['it is not complete', { sendBps: 20e6, linkBps: 90e6, sizes: even }],
    ['nobody opened it', { sendBps: 2e6, linkBps: 9e6, sizes: even, clusterId: 0 }],
  ])('says nothing when %s', (name, options) => {
    const estimator = new ProbeBitrateEstimator();
    if (name !== 'nobody opened it') estimator.open(toProbeCluster(0, options.sendBps));
    expect(estimator.update(train(options), unknown)).toEqual([]);
  });

  it('gathers a probe over several feedbacks and tells of it once', () => {
    const estimator = new ProbeBitrateEstimator();
    estimator.open(toProbeCluster(0, 4e6));
    const packets = train({ sendBps: 4e6, linkBps: 2e6, sizes: even });
    expect(estimator.update(packets.slice(0, 4), unknown)).toEqual([]);
    expect(estimator.update(packets.slice(4), unknown)).toHaveLength(1);
    expect(estimator.update(packets, unknown)).toEqual([]);
  });

  it('refuses packets that were held up and came at once, or all at one time', () => {
    const packets = train({ sendBps: 2e6, linkBps: 9e6, sizes: even });
    for (const gapUs of [0, 10]) {
      const estimator = new ProbeBitrateEstimator();
      estimator.open(toProbeCluster(0, 2e6));
      const held = packets.map((packet, i) => ({ ...packet, arrivalUs: 5e6 + i * gapUs }));
      expect(estimator.update(held, known)).toEqual([]);
    }
  });

  it('keeps a bounded number of probes open', () => {
    const estimator = new ProbeBitrateEstimator();
    for (let id = 0; id <= MAX_OPEN_PROBES; id++) estimator.open(toProbeCluster(id, 2e6));
    const options = { sendBps: 2e6, linkBps: 9e6, sizes: even };
    expect(estimator.update(train({ ...options, clusterId: 0 }), unknown)).toEqual([]);
    expect(estimator.update(train({ ...options, clusterId: 1 }), unknown)).toHaveLength(1);
  });
});
