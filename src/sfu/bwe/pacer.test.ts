import { describe, expect, it } from 'vitest';
import { Pacer, type PacerOptions } from './pacer.ts';
import { toProbeCluster } from './probe-cluster.ts';

interface Sent {
  readonly packet: string;
  readonly atMs: number;
  readonly clusterId: number | undefined;
}

class Harness {
  readonly sent: Sent[] = [];
  readonly dropped: string[] = [];
  paddingBytes = 0;
  canPad = true;
  readonly pacer: Pacer<string>;

  constructor(targetBps: number, options?: PacerOptions) {
    this.pacer = new Pacer<string>(
      {
        send: (packet, clusterId, nowUs) => this.sent.push({ packet, atMs: nowUs / 1000, clusterId }),
        sendPadding: (sizeBytes, clusterId, nowUs) => {
          if (!this.canPad) return 0;
          this.paddingBytes += sizeBytes;
          this.sent.push({ packet: 'padding', atMs: nowUs / 1000, clusterId });
          return sizeBytes;
        },
        drop: (packet) => this.dropped.push(packet),
      },
      targetBps,
      options,
    );
  }

  /** Serves timeouts up to `untilMs`. @returns how many there were */
  run(untilMs: number): number {
    for (let timeouts = 0; ; timeouts++) {
      const nextMs = this.pacer.nextTimeoutMs();
      if (nextMs === undefined || nextMs > untilMs || timeouts > 10_000) return timeouts;
      this.pacer.handleTimeout(nextMs);
    }
  }
}

describe('Pacer', () => {
  it('spreads video over time at 2.5 times the target', () => {
    const harness = new Harness(1e6);
    for (let i = 0; i < 50; i++) harness.pacer.enqueue('video', 'video', 1250, 0);
    harness.run(1000);
    expect(harness.sent).toHaveLength(50);
    expect(harness.sent.at(-1)!.atMs).toBeGreaterThan(185);
    expect(harness.sent.at(-1)!.atMs).toBeLessThan(205);
    expect(harness.pacer.nextTimeoutMs()).toBeUndefined();
  });

  it('sends audio at once, retransmissions before video, each in order', () => {
    const harness = new Harness(100e3);
    harness.pacer.enqueue('v0', 'video', 1200, 0);
    harness.run(0);
    harness.pacer.enqueue('v1', 'video', 1200, 0);
    harness.pacer.enqueue('r1', 'retransmission', 1200, 0);
    harness.pacer.enqueue('v2', 'video', 1200, 0);
    harness.pacer.enqueue('r2', 'retransmission', 1200, 0);
    harness.pacer.enqueue('a1', 'audio', 100, 1000);
    harness.run(2000);
    expect(harness.sent.map(({ packet }) => packet)).toEqual(['v0', 'a1', 'r1', 'r2', 'v1', 'v2']);
  });

  it('lets media wait for what audio took', () => {
    const harness = new Harness(100e3);
    harness.pacer.enqueue('a', 'audio', 1000, 0);
    harness.pacer.enqueue('v', 'video', 1000, 0);
    harness.run(1000);
    expect(harness.sent[1]!.atMs).toBeGreaterThanOrEqual(30);
  });

  it('refuses what comes when too many bytes wait', () => {
    const harness = new Harness(1e6, { maxQueueBytes: 2500 });
    const taken = [1000, 1000, 1000, 500].map((size) => harness.pacer.enqueue('v', 'video', size, 0));
    expect(taken).toEqual([true, true, false, true]);
    expect(harness.pacer.queuedBytes).toBe(2500);
    expect(harness.pacer.queueMs).toBe(20);
  });

  it('drops what has waited too long', () => {
    const harness = new Harness(1e6, { maxQueueMs: 100 });
    harness.pacer.enqueue('old', 'video', 1000, 0);
    harness.pacer.enqueue('new', 'video', 1000, 150_000);
    harness.pacer.handleTimeout(200);
    expect(harness.dropped).toEqual(['old']);
    expect(harness.sent.map(({ packet }) => packet)).toEqual(['new']);
  });

  it('hurries when the queue would get too old', () => {
    const harness = new Harness(30e3, { maxQueueMs: 1000 });
    for (let i = 0; i < 200; i++) harness.pacer.enqueue('v', 'video', 1200, 0);
    harness.run(2000);
    expect(harness.dropped.length).toBe(0);
    expect(harness.sent).toHaveLength(200);
  });

  it('fills a probe with padding, at its rate', () => {
    const harness = new Harness(100e3);
    harness.pacer.addProbes([toProbeCluster(3, 2e6)]);
    harness.run(1000);
    expect(harness.paddingBytes).toBeGreaterThanOrEqual(5000);
    expect(harness.paddingBytes).toBeLessThan(6000);
    expect(harness.sent.every(({ clusterId }) => clusterId === 3)).toBe(true);
    const last = harness.sent.at(-1)!.atMs;
    expect(last).toBeGreaterThan(15);
    expect(last).toBeLessThan(25);
    expect(harness.pacer.nextTimeoutMs()).toBeUndefined();
  });

  it('takes media for a probe first and sends none beside it', () => {
    const harness = new Harness(1e6);
    for (let i = 0; i < 3; i++) harness.pacer.enqueue('v', 'video', 1000, 0);
    harness.pacer.addProbes([toProbeCluster(0, 2e6)]);
    harness.run(1000);
    expect(harness.sent.slice(0, 3).map(({ packet, clusterId }) => [packet, clusterId])).toEqual([
      ['v', 0],
      ['v', 0],
      ['v', 0],
    ]);
    expect(harness.paddingBytes).toBeGreaterThan(0);
  });

  it('gives a probe up when there is nothing to send, and goes on with media', () => {
    const harness = new Harness(1e6);
    harness.canPad = false;
    harness.pacer.addProbes([toProbeCluster(0, 2e6), toProbeCluster(1, 4e6)]);
    expect(harness.run(1000)).toBeLessThan(5);
    harness.pacer.enqueue('v', 'video', 1000, 2_000_000);
    harness.run(3000);
    expect(harness.sent.map(({ packet }) => packet)).toEqual(['v']);
  });

  it('does not make good a long silence, nor mind a clock that goes back', () => {
    const harness = new Harness(1e6);
    for (let i = 0; i < 40; i++) harness.pacer.enqueue('v', 'video', 1250, 60_000_000);
    harness.pacer.handleTimeout(60_000);
    expect(harness.sent.length).toBeLessThan(10);
    harness.pacer.handleTimeout(10);
    expect(harness.sent.length).toBeLessThan(10);
  });

  it('never asks for a timeout without end at one time', () => {
    for (const targetBps of [30e3, 123_457, 1e6, 99e6]) {
      const harness = new Harness(targetBps);
      for (let i = 0; i < 100; i++) harness.pacer.enqueue('v', 'video', 900 + i, i * 333);
      harness.pacer.addProbes([toProbeCluster(0, targetBps * 2)]);
      expect(harness.run(100_000)).toBeLessThan(400);
      expect(harness.sent.filter(({ packet }) => packet === 'v').length + harness.dropped.length).toBe(100);
    }
  });
});
