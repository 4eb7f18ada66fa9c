import { describe, expect, it } from 'vitest';
import { CongestionWindow } from './congestion-window.ts';
import { RetransmissionTimeout } from './retransmission-timeout.ts';
import { MAX_CONGESTION_WINDOW_BYTES } from './sctp-limits.ts';

describe('CongestionWindow', () => {
  it('opens by what is acknowledged in slow start, by a packet a window after that', () => {
    const congestion = new CongestionWindow(1000);
    expect(congestion.windowBytes).toBe(10_000);
    congestion.open(1500);
    expect(congestion.windowBytes).toBe(11_500);
    congestion.open(60_000);
    expect(congestion.windowBytes).toBe(13_500);
    congestion.cut();
    expect(congestion.windowBytes).toBe(6750);
    // At the threshold still slow start.
    congestion.open(1000);
    for (let acknowledged = 0; acknowledged < 7750; acknowledged += 1550) congestion.open(1550);
    expect(congestion.windowBytes).toBe(8750);
  });

  it('falls to one packet at a timeout and to four by losses and rest', () => {
    const congestion = new CongestionWindow(1000);
    for (let i = 0; i < 9; i++) congestion.cut();
    expect(congestion.windowBytes).toBe(4000);
    congestion.collapse();
    expect(congestion.windowBytes).toBe(1000);
    expect(congestion.thresholdBytes).toBe(4000);
    const rested = new CongestionWindow(1000);
    rested.rest(1);
    expect(rested.windowBytes).toBe(5000);
    rested.rest(1e9);
    expect(rested.windowBytes).toBe(4000);
  });

  it('has an end', () => {
    const congestion = new CongestionWindow(1000);
    for (let i = 0; i < 10_000; i++) congestion.open(2000);
    expect(congestion.windowBytes).toBe(MAX_CONGESTION_WINDOW_BYTES);
  });
});

describe('RetransmissionTimeout', () => {
  const limits = { initialRtoMs: 1000, minRtoMs: 400, maxRtoMs: 10_000 };

  it('follows RFC 9260 §6.3.1', () => {
    const timeout = new RetransmissionTimeout(limits);
    expect([timeout.rtoMs, timeout.srttMs]).toEqual([1000, undefined]);
    timeout.measure(300);
    // RTO = SRTT + 4 RTTVAR = 300 + 4 × 150.
    expect([timeout.rtoMs, timeout.srttMs]).toEqual([900, 300]);
    timeout.measure(500);
    // RTTVAR = 3/4 × 150 + 1/4 × 200, SRTT = 7/8 × 300 + 1/8 × 500.
    expect([timeout.rtoMs, timeout.srttMs]).toEqual([325 + 4 * 162.5, 325]);
    expect(timeout.minRttMs).toBe(300);
  });

  it('stays within its limits', () => {
    const timeout = new RetransmissionTimeout(limits);
    for (let i = 0; i < 50; i++) timeout.measure(1);
    expect(timeout.rtoMs).toBe(400);
    for (let i = 0; i < 100; i++) timeout.backOff();
    expect(timeout.rtoMs).toBe(10_000);
    timeout.endBackOff();
    expect(timeout.rtoMs).toBe(400);
  });

  it('doubles with every timeout', () => {
    const timeout = new RetransmissionTimeout(limits);
    timeout.backOff();
    timeout.backOff();
    expect(timeout.rtoMs).toBe(4000);
  });
});
