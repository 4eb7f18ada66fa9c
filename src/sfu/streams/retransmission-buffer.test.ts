import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_STORED_PACKETS } from './packet-store.ts';
import { RetransmissionBuffer } from './retransmission-buffer.ts';

describe('RetransmissionBuffer', () => {
  it.each([0, 1, 32_767, 32_768, 65_500, 65_535])('knows what was sent, from %i on', (first) => {
    const buffer = new RetransmissionBuffer(2000);
    for (let i = 0; i < 200; i++) buffer.add((first + i) & 0xffff, 1000 + i, 90 * i, i ^ 0xff, i);
    for (let i = 0; i < 200; i++) {
      expect(buffer.take((first + i) & 0xffff, 300, 50)).toBe('allowed');
      expect([buffer.storeIndex, buffer.timestamp, buffer.rewritten]).toEqual([1000 + i, 90 * i, i ^ 0xff]);
    }
    expect(buffer.take((first + 200) & 0xffff, 300, 50)).toBe('unknown');
    expect(buffer.take((first - 1) & 0xffff, 300, 50)).toBe('unknown');
  });

  it('answers once in a round trip', () => {
    const buffer = new RetransmissionBuffer(2000);
    buffer.add(7, 0, 0, 0, 0);
    expect([buffer.take(7, 10, 50), buffer.isFirstRetransmission]).toEqual(['allowed', true]);
    expect(buffer.take(7, 60, 50)).toBe('too-soon');
    expect([buffer.take(7, 61, 50), buffer.isFirstRetransmission]).toEqual(['allowed', false]);
  });

  it('does not answer for what is too old', () => {
    const buffer = new RetransmissionBuffer(1000);
    buffer.add(7, 0, 0, 0, 0);
    expect(buffer.take(7, 1001, 50)).toBe('unknown');
  });

  it('knows packets that were sent late, and none that were left out', () => {
    const buffer = new RetransmissionBuffer(1000);
    for (const [i, number] of [10, 14, 12].entries()) buffer.add(number, i, 0, 0, 0);
    expect([10, 11, 12, 13, 14].map((number) => buffer.take(number, 1, 50))).toEqual([
      'allowed',
      'unknown',
      'allowed',
      'unknown',
      'allowed',
    ]);
    expect(buffer.take(9, 1, 50)).toBe('unknown');
  });

  it('takes the memory the stream needs, and gives it back', () => {
    const buffer = new RetransmissionBuffer(1000);
    expect(buffer.capacity).toBe(0);
    for (let i = 0; i < 10_000; i++) buffer.add(i & 0xffff, i, 0, 0, i * 20);
    expect(buffer.capacity).toBe(64);
    for (let i = 10_000; i < 100_000; i++) buffer.add(i & 0xffff, i, 0, 0, 200_000 + i * 0.01);
    expect(buffer.capacity).toBe(4096);
    buffer.clear();
    expect(buffer.capacity).toBe(0);
    expect(buffer.take(99_999 & 0xffff, 201_000, 0)).toBe('unknown');
  });

  it('answers as a model with a map does', () => {
    const step = fc.record({
      ahead: fc.integer({ min: -30, max: 60 }),
      sinceMs: fc.nat(40),
      ask: fc.integer({ min: -3000, max: 5 }),
      rttMs: fc.nat(100),
    });
    fc.assert(
      fc.property(fc.nat(0xffff), fc.array(step, { maxLength: 300 }), (first, steps) => {
        const buffer = new RetransmissionBuffer(1000);
        const model = new Map<number, { sentMs: number; resentMs: number; index: number }>();
        let newest = first;
        let nowMs = 0;
        steps.forEach(({ ahead, sinceMs, ask, rttMs }, index) => {
          nowMs += sinceMs;
          const number = index === 0 ? first : newest + ahead;
          // One number is sent once.
          if (number >= 0 && !model.has(number)) {
            buffer.add(number & 0xffff, index, 0, 0, nowMs);
            model.set(number, { sentMs: nowMs, resentMs: -1, index });
            newest = Math.max(newest, number);
          }
          const sent = model.get(newest + ask);
          const isKnown = sent !== undefined && ask > -MAX_STORED_PACKETS && nowMs - sent.sentMs <= 1000;
          const isSoon = isKnown && sent.resentMs >= 0 && nowMs - sent.resentMs <= rttMs;
          const verdict = isSoon ? 'too-soon' : isKnown ? 'allowed' : 'unknown';
          expect(buffer.take((newest + ask) & 0xffff, nowMs, rttMs)).toBe(verdict);
          if (verdict !== 'allowed') return;
          expect(buffer.storeIndex).toBe(sent!.index);
          sent!.resentMs = nowMs;
        });
      }),
    );
  });
});
