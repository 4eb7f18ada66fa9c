import { describe, expect, it } from 'vitest';
import { type LinkOptions, MachinePeer, SimulatedNetwork } from '../../peers/netem.ts';

interface Arrival {
  readonly atMs: number;
  readonly number: number;
}

/** Sends `count` datagrams of `sizeBytes`, one every `everyMs`, numbered in their first bytes. */
function send(options: LinkOptions, count: number, everyMs = 1, sizeBytes = 100) {
  const network = new SimulatedNetwork();
  const link = network.link(options);
  const arrivals: Arrival[] = [];
  link.onDatagram = (bytes, atMs) => arrivals.push({ atMs, number: new DataView(bytes.buffer).getUint32(0) });
  for (let i = 0; i < count; i++) {
    network.schedule(i * everyMs, () => {
      const bytes = new Uint8Array(sizeBytes);
      new DataView(bytes.buffer).setUint32(0, i);
      link.send(bytes);
    });
  }
  network.runUntil(count * everyMs + 10_000);
  return { arrivals, counters: link.counters, network };
}

/** Numbers of the datagrams that came after a later one. */
const overtaken = (arrivals: readonly Arrival[]): number => {
  let newest = -1;
  return arrivals.filter(({ number }) => {
    const isLate = number < newest;
    newest = Math.max(newest, number);
    return isLate;
  }).length;
};

describe('a simulated link', () => {
  it('delivers everything in order after the delay when nothing else is asked', () => {
    const { arrivals } = send({ seed: 1, delayMs: 25 }, 100);
    expect(arrivals).toEqual(Array.from({ length: 100 }, (_, i) => ({ atMs: i + 25, number: i })));
  });

  it('does the same from the same seed, and something else from another', () => {
    const options = { lossRate: 0.2, jitterMs: 9, reorderRate: 0.1, duplicateRate: 0.1, bandwidthBps: 500_000 };
    const first = send({ ...options, seed: 7 }, 500);
    expect(send({ ...options, seed: 7 }, 500).arrivals).toEqual(first.arrivals);
    expect(send({ ...options, seed: 8 }, 500).arrivals).not.toEqual(first.arrivals);
  });

  it('loses its part, and other options do not change which', () => {
    const { counters, arrivals } = send({ seed: 3, lossRate: 0.3 }, 10_000);
    expect(counters.lost).toBeGreaterThan(2800);
    expect(counters.lost).toBeLessThan(3200);
    const again = send({ seed: 3, lossRate: 0.3, jitterMs: 5, duplicateRate: 0.2 }, 10_000);
    expect(new Set(again.arrivals.map(({ number }) => number))).toEqual(new Set(arrivals.map(({ number }) => number)));
  });

  it('loses in runs of the mean length', () => {
    const { counters, arrivals } = send({ seed: 4, burst: { lossRate: 0.1, meanLength: 5 } }, 50_000);
    expect(counters.lost / 50_000).toBeGreaterThan(0.08);
    expect(counters.lost / 50_000).toBeLessThan(0.12);
    const runs = arrivals.filter(({ number }, i) => i > 0 && number > arrivals[i - 1]!.number + 1).length;
    expect(counters.lost / runs).toBeGreaterThan(4.3);
    expect(counters.lost / runs).toBeLessThan(5.7);
  });

  it('keeps the order under jitter, and breaks it when asked', () => {
    const jittered = send({ seed: 5, delayMs: 10, jitterMs: 30 }, 1000);
    expect(overtaken(jittered.arrivals)).toBe(0);
    expect(Math.max(...jittered.arrivals.map(({ atMs, number }) => atMs - number))).toBeGreaterThan(35);
    const reordered = send({ seed: 5, reorderRate: 0.1 }, 1000);
    expect(overtaken(reordered.arrivals)).toBeGreaterThan(60);
    expect(reordered.arrivals).toHaveLength(1000);
  });

  it('delivers duplicates', () => {
    const { arrivals, counters } = send({ seed: 6, duplicateRate: 0.25 }, 4000);
    expect(arrivals).toHaveLength(4000 + counters.duplicated);
    expect(counters.duplicated).toBeGreaterThan(900);
    expect(counters.duplicated).toBeLessThan(1100);
  });

  it('passes what its bandwidth allows, fills its queue, and drops what comes then', () => {
    // 1000 bytes a ms are 8 Mb/s; 1 Mb/s pass: 8 ms each.
    const { arrivals, counters } = send({ seed: 1, bandwidthBps: 1_000_000, queueBytes: 10_000 }, 1000, 1, 1000);
    expect(arrivals[0]?.atMs).toBe(8);
    const gaps = new Set(arrivals.slice(1).map(({ atMs }, i) => atMs - arrivals[i]!.atMs));
    expect([...gaps]).toEqual([8]);
    const waits = arrivals.map(({ atMs, number }) => atMs - number);
    expect(Math.max(...waits)).toBeLessThanOrEqual(11 * 8);
    expect(counters.dropped + counters.delivered).toBe(1000);
    expect(counters.dropped).toBeGreaterThan(800);
  });

  it('follows a bandwidth that changes, and stands still at 0', () => {
    const bandwidthBps = (nowMs: number): number => (nowMs < 500 ? 800_000 : nowMs < 1500 ? 0 : 1_600_000);
    const { arrivals } = send({ seed: 1, bandwidthBps, queueBytes: 1_000_000 }, 2000, 1, 1000);
    const between = (from: number, to: number): number =>
      arrivals.filter(({ atMs }) => atMs >= from && atMs < to).length;
    expect(between(0, 500)).toBeGreaterThanOrEqual(48);
    expect(between(0, 500)).toBeLessThanOrEqual(50);
    expect(between(510, 1500)).toBe(0);
    expect(between(1510, 2510)).toBeGreaterThanOrEqual(198);
    expect(between(1510, 2510)).toBeLessThanOrEqual(202);
  });

  it('lets a test lose, change and swap single datagrams', () => {
    const network = new SimulatedNetwork();
    const link = network.link({ seed: 1 });
    const arrived: number[] = [];
    link.onDatagram = (bytes) => arrived.push(bytes[0]!);
    let held: Uint8Array | undefined;
    link.intercept = (bytes, index) => {
      if (index === 1) return [];
      if (index === 2) {
        held = bytes.slice();
        return [];
      }
      return index === 3 ? [bytes, held!] : [bytes];
    };
    for (let i = 0; i < 5; i++) link.send(Uint8Array.of(i));
    network.runFor(1);
    expect(arrived).toEqual([0, 3, 2, 4]);
  });

  it('sends a copy', () => {
    const network = new SimulatedNetwork();
    const link = network.link({ seed: 1, delayMs: 1 });
    let arrived: Uint8Array | undefined;
    link.onDatagram = (bytes) => {
      arrived = bytes;
    };
    const bytes = Uint8Array.of(1);
    link.send(bytes);
    bytes[0] = 2;
    network.runFor(2);
    expect(arrived).toEqual(Uint8Array.of(1));
  });
});

type EchoEvent =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | { readonly type: 'got'; readonly atMs: number };

/** Sends something each 100 ms, five times, and tells what comes. */
class Beacon {
  #nextMs: number | undefined = 100;
  #left = 5;

  receive(_bytes: Uint8Array, nowMs: number): EchoEvent[] {
    return [{ type: 'got', atMs: nowMs }];
  }

  nextTimeoutMs(): number | undefined {
    return this.#nextMs;
  }

  handleTimeout(nowMs: number): EchoEvent[] {
    this.#nextMs = --this.#left > 0 ? nowMs + 100 : undefined;
    return [{ type: 'send', bytes: new Uint8Array(1) }];
  }
}

describe('machines on a simulated network', () => {
  it('have their timeouts served in time and their datagrams exchanged', () => {
    const network = new SimulatedNetwork();
    const a = new MachinePeer<EchoEvent>(new Beacon());
    const b = new MachinePeer<EchoEvent>(new Beacon());
    network.connect(a, b, { seed: 1, delayMs: 10 }, { seed: 2, delayMs: 30 });
    expect(network.runUntil(() => b.events.length === 5)).toBe(true);
    expect(network.nowMs).toBe(510);
    network.runUntil(1000);
    expect(network.nowMs).toBe(1000);
    expect(a.events.map((event) => event.type === 'got' && event.atMs)).toEqual([130, 230, 330, 430, 530]);
    expect(network.runUntil(() => a.events.length > 5, 700)).toBe(false);
    expect(network.nowMs).toBe(1700);
  });

  it('are found out when they never rest', () => {
    const network = new SimulatedNetwork();
    network.add(new MachinePeer({ receive: () => [], nextTimeoutMs: () => 5, handleTimeout: () => [] }));
    expect(() => network.runUntil(10)).toThrow(expect.objectContaining({ code: 'netem/endless' }));
  });
});
