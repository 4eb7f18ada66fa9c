import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../../src/wire/equal-bytes.ts';
import { connectedPair, numbered, numberOf, transfer } from './sctp-pair.ts';

const MESSAGE_BYTES = 65_536;
/** Ten megabytes. */
const messages = Array.from({ length: 160 }, (_, i) => numbered(i, MESSAGE_BYTES));

describe('10 MB over an association', () => {
  describe.each([true, false])('with interleaving %s', (interleaving) => {
    it.each([
      [0, 20],
      [0.01, 70],
      [0.05, 100],
      [0.1, 200],
      [0.2, 400],
      [0.3, 1500],
    ])('arrive whole and in order over %d loss with reordering and duplicates', (lossRate, seconds) => {
      const link = { seed: 11, lossRate, delayMs: 20, jitterMs: 5, reorderRate: 0.02, duplicateRate: 0.02 };
      const pair = connectedPair(link, { interleaving });
      expect(transfer(pair, messages, { limitMs: seconds * 1000 })).toBeLessThan(seconds);
      expect(pair.b.messages.map(({ bytes }) => numberOf(bytes))).toEqual(messages.map((_, i) => i));
      expect(pair.b.messages.every(({ bytes }, i) => equalBytes(bytes, messages[i]!))).toBe(true);
      pair.network.runFor(60_000);
      expect(pair.b.association.statistics.heldBytes).toBe(0);
      expect(pair.a.association.statistics.bytesInFlight).toBe(0);
    });
  });

  it('arrive whole when unordered', () => {
    const pair = connectedPair({ seed: 3, lossRate: 0.05, delayMs: 20, reorderRate: 0.05 });
    const small = Array.from({ length: 3000 }, (_, i) => numbered(i, 3000));
    transfer(pair, small, { ordered: false });
    const numbers = pair.b.messages.map(({ bytes }) => numberOf(bytes));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(small.map((_, i) => i));
    expect(numbers).not.toEqual(small.map((_, i) => i));
  });

  it.each([
    ['a queue of half a round trip', 62_500, 8_000_000],
    ['a queue of a round trip', 125_000, 9_000_000],
  ])('take the rate of a link of 10 Mb/s and 100 ms with %s', (_, queueBytes, bitrateBps) => {
    const pair = connectedPair({ seed: 5, delayMs: 50, bandwidthBps: 10_000_000, queueBytes });
    const seconds = transfer(pair, messages);
    expect((messages.length * MESSAGE_BYTES * 8) / seconds).toBeGreaterThan(bitrateBps);
  });

  it.each([
    ['TSN', 0xffff_ff00],
    ['TSN in the first chunks', 0xffff_ffff],
  ])('go over the wrap of the %s', (_, initialTsn) => {
    const pair = connectedPair({ seed: 1, lossRate: 0.05, delayMs: 10, reorderRate: 0.02 }, { initialTsn });
    transfer(pair, messages);
    expect(pair.b.messages.map(({ bytes }) => numberOf(bytes))).toEqual(messages.map((_, i) => i));
  });

  it('leave no message out over the wrap of the SSN', () => {
    const small = Array.from({ length: 70_000 }, (_, i) => numbered(i, 8));
    const pair = connectedPair({ seed: 1, lossRate: 0.01, delayMs: 5, reorderRate: 0.01 }, { interleaving: false });
    transfer(pair, small);
    expect(pair.b.messages.every(({ bytes }, i) => numberOf(bytes) === i)).toBe(true);
  });
});

describe('streams of an association', () => {
  it.each([true, false])('share the link fairly, with interleaving %s', (interleaving) => {
    const link = { seed: 2, delayMs: 20, bandwidthBps: 5_000_000 };
    const pair = connectedPair(link, {
      interleaving,
      maxSendBufferBytes: 20_000_000,
      maxStreamSendBufferBytes: 9_000_000,
    });
    // Large messages on one, small ones on the other: bytes are shared, not turns.
    for (let i = 0; i < 40; i++) pair.a.send(1, numbered(i, 100_000));
    for (let i = 0; i < 1000; i++) pair.a.send(2, numbered(i, 4000));
    const received = (streamId: number): number =>
      pair.b.messages.reduce((sum, event) => sum + (event.streamId === streamId ? event.bytes.length : 0), 0);
    pair.network.runUntil(() => received(1) >= 2_000_000);
    expect(received(2) / received(1)).toBeGreaterThan(0.85);
    expect(received(2) / received(1)).toBeLessThan(1.2);
  });

  it('share it by priority', () => {
    const pair = connectedPair({ seed: 2, delayMs: 20, bandwidthBps: 5_000_000 }, { maxSendBufferBytes: 20_000_000 });
    pair.a.association.setPriority(1, 512);
    pair.a.association.setPriority(2, 128);
    for (const streamId of [1, 2]) for (let i = 0; i < 190; i++) pair.a.send(streamId, numbered(i, 10_000));
    const received = (streamId: number): number =>
      pair.b.messages.filter((event) => event.streamId === streamId).length;
    pair.network.runUntil(() => received(1) >= 150);
    expect(received(1) / received(2)).toBeGreaterThan(3);
    expect(received(1) / received(2)).toBeLessThan(5);
  });

  it.each([
    [true, 0, 300],
    [false, 1000, 10_000],
  ])('with interleaving %s a small message waits %d to %d ms for a large one', (interleaving, leastMs, mostMs) => {
    const pair = connectedPair({ seed: 2, delayMs: 20, bandwidthBps: 1_000_000 }, { interleaving });
    pair.a.send(1, numbered(0, 250_000));
    pair.network.runFor(200);
    const startMs = pair.network.nowMs;
    pair.a.send(2, numbered(1, 100));
    expect(pair.network.runUntil(() => pair.b.messages.some(({ streamId }) => streamId === 2))).toBe(true);
    expect(pair.network.nowMs - startMs).toBeGreaterThanOrEqual(leastMs);
    expect(pair.network.nowMs - startMs).toBeLessThanOrEqual(mostMs);
  });
});

describe('partial reliability', () => {
  it.each([
    ['ordered, interleaved', true, true],
    ['unordered, interleaved', false, true],
    ['ordered', true, false],
    ['unordered', false, false],
  ])('gives up messages that may not be sent again: %s', (_, ordered, interleaving) => {
    const pair = connectedPair({ seed: 4, lossRate: 0.2, delayMs: 20 }, { interleaving });
    for (let i = 0; i < 400; i++) {
      pair.a.send(1, numbered(i, 3000), { ordered, maxRetransmits: 0 });
      pair.network.runFor(20);
    }
    pair.network.runFor(20_000);
    const numbers = pair.b.messages.map(({ bytes }) => numberOf(bytes));
    // Each has three fragments: half of them come through.
    expect(numbers.length).toBeGreaterThan(120);
    expect(numbers.length).toBeLessThan(300);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(pair.a.association.statistics.bytesInFlight).toBe(0);
    expect(pair.b.association.statistics.heldBytes).toBe(0);
    // What follows is not held up.
    pair.a.send(1, numbered(1000, 10));
    pair.network.runFor(20_000);
    expect(numberOf(pair.b.messages.at(-1)!.bytes)).toBe(1000);
  });

  it.each([true, false])('gives up messages that are too old, with interleaving %s', (interleaving) => {
    const pair = connectedPair({ seed: 4, delayMs: 20, bandwidthBps: 400_000 }, { interleaving });
    // Ten times what the link takes.
    for (let i = 0; i < 200; i++) {
      pair.a.send(1, numbered(i, 10_000), { maxLifetimeMs: 300 });
      pair.network.runFor(20);
    }
    pair.network.runFor(10_000);
    const numbers = pair.b.messages.map(({ bytes }) => numberOf(bytes));
    expect(numbers.length).toBeGreaterThan(8);
    expect(numbers.length).toBeLessThan(30);
    expect(numbers.at(-1)).toBeGreaterThan(150);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(pair.a.association.bufferedBytes).toBe(0);
    expect(pair.b.association.statistics.heldBytes).toBe(0);
  });

  it('keeps reliable messages of other streams whole', () => {
    const pair = connectedPair({ seed: 9, lossRate: 0.15, delayMs: 20, reorderRate: 0.05 });
    for (let i = 0; i < 200; i++) {
      pair.a.send(1, numbered(i, 2500), { maxRetransmits: 1 });
      pair.a.send(2, numbered(i, 2500));
      pair.network.runFor(20);
    }
    pair.network.runUntil(() => pair.b.messages.filter(({ streamId }) => streamId === 2).length === 200, 300_000);
    const numbers = pair.b.messages.filter(({ streamId }) => streamId === 2).map(({ bytes }) => numberOf(bytes));
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
});
