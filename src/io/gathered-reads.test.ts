import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatheredReads } from './gathered-reads.ts';
import type { TcpSocket } from './tcp-listener.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;
  isReading = true;
  readonly _handle = {
    readStop: (): number => {
      this.isReading = false;
      return 0;
    },
    readStart: (): number => {
      if (this.destroyed) throw new TypeError('reads from a closed handle');
      this.isReading = true;
      return 0;
    },
  };
}

let socket: FakeSocket;
let reads: GatheredReads;

beforeEach(() => {
  vi.useFakeTimers();
  socket = new FakeSocket();
  reads = GatheredReads.on(socket as unknown as TcpSocket, 100)!;
});

afterEach(() => {
  vi.useRealTimers();
});

/** Bytes taken in a second from a sender that always has more: 64 KiB a read, reads 0.1 ms apart. */
function bytesInASecond(): number {
  let taken = 0;
  for (let at = 0; at < 10_000; at++) {
    if (socket.isReading) {
      taken += 65_536;
      reads.pauseAfter(65_536, 100);
    }
    vi.advanceTimersByTime(0.1);
  }
  return taken;
}

describe('GatheredReads', () => {
  it('pauses after a read, for no longer than it may', () => {
    reads.pauseAfter(10_000, 100);
    expect(socket.isReading).toBe(false);
    vi.advanceTimersByTime(100);
    expect(socket.isReading).toBe(true);
  });

  it('does not hold back a sender of 500 Mb/s', () => {
    expect(bytesInASecond() * 8).toBeGreaterThan(500_000_000);
  });

  it('pauses again when the sender has slowed down', () => {
    bytesInASecond();
    reads.pauseAfter(1000, 100);
    expect(socket.isReading).toBe(false);
  });

  it('grows the pause of a slow sender up to the longest, and shortens it at once when that one shrinks', () => {
    const pauses: number[] = [];
    for (const longest of [...Array.from({ length: 8 }, () => 300), 100]) {
      reads.pauseAfter(1000, longest);
      let waited = 0;
      for (; !socket.isReading; waited++) vi.advanceTimersByTime(1);
      pauses.push(waited);
    }
    expect(pauses[0]).toBeLessThan(150);
    expect(pauses[7]).toBeGreaterThan(250);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(300);
    expect(pauses[8]).toBeLessThanOrEqual(100);
  });

  it('ends the pauses of many senders together', () => {
    const others = Array.from({ length: 5 }, () => new FakeSocket());
    for (const other of others) {
      vi.advanceTimersByTime(7);
      GatheredReads.on(other as unknown as TcpSocket, 100)!.pauseAfter(10_000, 100);
    }
    const ends = new Set<number>();
    for (let ms = 0; ms < 200; ms++) {
      vi.advanceTimersByTime(1);
      for (const other of others.filter(({ isReading }) => isReading)) {
        ends.add(ms);
        others.splice(others.indexOf(other), 1);
      }
    }
    expect(others).toEqual([]);
    expect(ends.size).toBeLessThanOrEqual(2);
  });

  it('leaves a socket alone that is closed in a pause', () => {
    reads.pauseAfter(10_000, 100);
    socket.destroyed = true;
    vi.advanceTimersByTime(1000);
    expect(socket.isReading).toBe(false);
    socket.emit('close');
    reads.pauseAfter(10_000, 100);
    expect(vi.getTimerCount()).toBe(0);
  });
});
