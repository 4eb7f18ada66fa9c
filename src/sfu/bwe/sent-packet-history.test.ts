import { describe, expect, it } from 'vitest';
import { MAX_TRACKED_AGE_US, MAX_TRACKED_PACKETS, SentPacketHistory } from './sent-packet-history.ts';

describe('SentPacketHistory', () => {
  it.each([0, 1, 32_767, 32_768, 65_534, 65_535])('finds what was sent across the wrap, starting at %i', (start) => {
    const history = new SentPacketHistory();
    for (let i = 0; i < 600; i++) history.add((start + i) & 0xffff, 100 + i, i * 1000, i % 7 === 0 ? i : undefined);
    for (let i = 0; i < 600; i++) {
      const number = history.find((start + i) & 0xffff)!;
      expect(number).toBe(start + i);
      expect(history.sizeBytes(number)).toBe(100 + i);
      expect(history.sentUs(number)).toBe(i * 1000);
      expect(history.probeClusterId(number)).toBe(i % 7 === 0 ? i : undefined);
    }
    expect(history.find((start + 600) & 0xffff)).toBeUndefined();
    expect(history.find((start - 1) & 0xffff)).toBeUndefined();
  });

  it('finds nothing before anything was sent', () => {
    expect(new SentPacketHistory().find(0)).toBeUndefined();
  });

  it('keeps to its bound however much is sent', () => {
    const history = new SentPacketHistory();
    for (let i = 0; i < 100_000; i++) history.add(i & 0xffff, 10, i, undefined);
    expect(history.length).toBe(MAX_TRACKED_PACKETS);
    expect(history.outstandingBytes).toBe(MAX_TRACKED_PACKETS * 10);
  });

  it('forgets what is too old', () => {
    const history = new SentPacketHistory();
    history.add(1, 10, 0, undefined);
    history.add(2, 20, MAX_TRACKED_AGE_US + 1, undefined);
    expect(history.find(1)).toBeUndefined();
    expect(history.outstandingBytes).toBe(20);
  });

  it('has nothing for numbers that were left out, and ignores those that go back', () => {
    const history = new SentPacketHistory();
    history.add(10, 1, 0, undefined);
    history.add(13, 1, 1, undefined);
    history.add(11, 1, 2, undefined);
    history.add(13, 5, 3, undefined);
    expect([10, 11, 12, 13].map((number) => history.find(number))).toEqual([10, undefined, undefined, 13]);
    expect(history.outstandingBytes).toBe(2);
  });

  it('starts anew after a gap larger than it holds', () => {
    const history = new SentPacketHistory();
    history.add(10, 1, 0, undefined);
    history.add(20_010, 2, 1, undefined);
    expect(history.find(10)).toBeUndefined();
    expect(history.find(20_010)).toBeDefined();
    expect(history.outstandingBytes).toBe(2);
  });

  it.each([
    ['received once', [true], ['first'], 0],
    ['received twice', [true, true], ['first', 'known'], 0],
    ['lost twice', [false, false], ['first', 'known'], 0],
    ['lost, then received', [false, true], ['first', 'recovered'], 0],
    ['received, then lost', [true, false], ['first', 'known'], 0],
    ['never told of', [], [], 50],
  ] as const)('counts a packet %s', (_, reports, kinds, outstanding) => {
    const history = new SentPacketHistory();
    history.add(5, 50, 0, undefined);
    expect(reports.map((isReceived) => history.report(5, isReceived))).toEqual(kinds);
    expect(history.outstandingBytes).toBe(outstanding);
  });

  it('passes over what was not told of, once, and knows it when it is told of late', () => {
    const history = new SentPacketHistory();
    for (let i = 0; i < 10; i++) history.add(i, 100, i, undefined);
    expect(history.passOver(4)).toBe(400);
    expect(history.report(4, true)).toBe('first');
    expect(history.passOver(6)).toBe(100);
    expect(history.passOver(6)).toBe(0);
    expect(history.report(2, true)).toBe('late');
    expect(history.outstandingBytes).toBe(400);
  });
});
