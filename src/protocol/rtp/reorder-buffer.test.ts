import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DROPOUT, MAX_MISORDER, ReorderBuffer, type ReorderBufferOptions } from './reorder-buffer.ts';
import type { RtpPacket } from './rtp-packet.ts';

const STARTS = [0, 1, 32_767, 32_768, 65_535];
/** One buffer for all, as a socket reuses its own: what is held must be a copy. */
const SHARED = new Uint8Array(4);

function packet(index: number, ssrc = 1): RtpPacket {
  new DataView(SHARED.buffer).setUint32(0, index);
  return {
    marker: false,
    payloadType: 96,
    sequenceNumber: index & 0xffff,
    timestamp: index,
    ssrc,
    csrcs: [],
    extensionProfile: 0,
    extension: undefined,
    payload: SHARED,
    paddingBytes: 0,
  };
}

/** What comes out: the number of each packet, `!` before one after a loss, `R` for a restart. */
class Log {
  readonly words: string[] = [];

  onPacket({ payload }: RtpPacket, afterLoss: boolean): void {
    const index = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    this.words.push(`${afterLoss ? '!' : ''}${index}`);
  }

  onRestart(ssrc: number): void {
    this.words.push(`R${ssrc}`);
  }
}

function bufferOf(options: ReorderBufferOptions = {}): { readonly log: Log; readonly buffer: ReorderBuffer } {
  const log = new Log();
  return { log, buffer: new ReorderBuffer(log, options) };
}

/** Gives packets of these steps from `start` at time 0 and tells what came out as steps again. */
function pass(start: number, steps: readonly number[], options: ReorderBufferOptions = {}): string {
  const { log, buffer } = bufferOf(options);
  for (const step of steps) buffer.receive(packet(start + step), 0);
  return log.words.map((word) => word.replace(/\d+/, (index) => `${Number(index) - start}`)).join(' ');
}

describe.each(STARTS)('packets from %d', (start) => {
  it('in order pass at once', () => {
    const { log, buffer } = bufferOf();
    for (let i = 0; i < 300; i++) {
      buffer.receive(packet(start + i), i);
      expect(log.words).toHaveLength(i + 1);
    }
    expect(log.words.join()).toBe(Array.from({ length: 300 }, (_, i) => `${start + i}`).join());
    expect(buffer.nextTimeoutMs()).toBeUndefined();
  });

  it.each([
    ['one that was overtaken', [0, 2, 1, 3], '0 1 2 3'],
    ['several that were overtaken', [0, 4, 2, 3, 1, 5], '0 1 2 3 4 5'],
    ['one that comes twice in a row', [0, 0, 1, 1, 2], '0 1 2'],
    ['one that comes twice while held', [0, 2, 2, 1], '0 1 2'],
    ['one that comes twice and late', [0, 1, 2, 3, 1, 4], '0 1 2 3 4'],
    ['one held without an end', [0, 2, 3], '0'],
  ])('put %s in its place', (_fact, steps, expected) => {
    expect(pass(start, steps)).toBe(expected);
  });

  it('are given up when no waiting is allowed', () => {
    expect(pass(start, [0, 2, 1, 3, 6], { maxWaitMs: 0 })).toBe('0 !2 3 !6');
  });

  it('come out in order, each once, from any shuffling within the window', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(Array.from({ length: 60 }, (_, i) => i + 1)), (steps) => {
        const { log, buffer } = bufferOf();
        buffer.receive(packet(start), 0);
        for (const step of steps) buffer.receive(packet(start + step), 0);
        buffer.flush();
        const indexes = log.words.map((word) => Number(word.replace('!', '')));
        expect(indexes).toEqual([0, ...steps].sort((a, b) => a - b).map((step) => start + step));
        for (const [i, word] of log.words.entries()) {
          expect(word.startsWith('!')).toBe(i > 0 && indexes[i]! !== indexes[i - 1]! + 1);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('waiting', () => {
  it('ends when the oldest packet behind the hole has been held long enough', () => {
    const { log, buffer } = bufferOf({ maxWaitMs: 50 });
    buffer.receive(packet(0), 0);
    buffer.receive(packet(2), 10);
    buffer.receive(packet(5), 40);
    expect(buffer.nextTimeoutMs()).toBe(60);
    buffer.handleTimeout(59);
    expect(log.words).toEqual(['0']);
    buffer.handleTimeout(60);
    expect(log.words).toEqual(['0', '!2']);
    expect(buffer.nextTimeoutMs()).toBe(90);
    buffer.handleTimeout(200);
    expect(log.words).toEqual(['0', '!2', '!5']);
    expect(buffer.nextTimeoutMs()).toBeUndefined();
    expect(buffer.counters).toEqual({ lost: 3, reordered: 0, late: 0, duplicates: 0, restarts: 0 });
  });

  it.each([0.1, 1.3, 2 / 3, 1_234_567.89, 86_400_000.123_456])('ends at the time told, from %d ms on', (arrivalMs) => {
    for (const maxWaitMs of [0.1, 0.7, 50, 100.3]) {
      const { log, buffer } = bufferOf({ maxWaitMs });
      buffer.receive(packet(0), arrivalMs);
      buffer.receive(packet(2), arrivalMs);
      buffer.handleTimeout(buffer.nextTimeoutMs()!);
      expect(log.words).toEqual(['0', '!2']);
    }
  });

  it('ends when the time is up, without a timer, as the next packet comes', () => {
    const { log, buffer } = bufferOf({ maxWaitMs: 50 });
    buffer.receive(packet(0), 0);
    buffer.receive(packet(2), 10);
    buffer.receive(packet(3), 70);
    expect(log.words).toEqual(['0', '!2', '3']);
  });

  it('ends when too many packets are held', () => {
    const { log, buffer } = bufferOf({ maxPackets: 3 });
    buffer.receive(packet(0), 0);
    for (const index of [2, 3, 4]) buffer.receive(packet(index), 0);
    expect(log.words).toEqual(['0']);
    buffer.receive(packet(6), 0);
    expect(log.words).toEqual(['0', '!2', '3', '4']);
    expect(buffer.held).toBe(1);
  });

  it('ends when too many bytes are held', () => {
    const { log, buffer } = bufferOf({ maxBytes: 8 });
    buffer.receive(packet(0), 0);
    for (const index of [2, 3, 4]) buffer.receive(packet(index), 0);
    expect(log.words).toEqual(['0', '!2', '3', '4']);
  });

  it('gives out what is held when the end is told', () => {
    const { log, buffer } = bufferOf();
    buffer.receive(packet(0), 0);
    buffer.receive(packet(2), 0);
    buffer.receive(packet(4), 0);
    buffer.flush();
    expect(log.words).toEqual(['0', '!2', '!4']);
  });

  it('tells packets that come after they were given up from those that come twice', () => {
    const { log, buffer } = bufferOf({ maxWaitMs: 0 });
    for (const index of [0, 2, 1, 2, 1]) buffer.receive(packet(index), 0);
    expect(log.words).toEqual(['0', '!2']);
    expect(buffer.counters).toMatchObject({ late: 2, duplicates: 1, lost: 1 });
  });
});

describe('restarts', () => {
  it.each([
    ['far ahead', MAX_DROPOUT + 10],
    ['far behind', -MAX_MISORDER - 10],
    ['on the other side', 32_768],
  ])('%s count when two packets in a row say so, and nothing is lost of them', (_fact, jump) => {
    for (const start of STARTS) {
      const { log, buffer } = bufferOf();
      const base = start + 65_536;
      for (const index of [base, base + 1, base + 3]) buffer.receive(packet(index), 0);
      const next = base + 4 + jump;
      buffer.receive(packet(next), 0);
      expect(log.words).toHaveLength(2);
      buffer.receive(packet(next + 1), 0);
      buffer.receive(packet(next + 2), 0);
      const indexes = [base, base + 1, `!${base + 3}`, 'R1', `!${next}`, next + 1, next + 2];
      expect(log.words).toEqual(indexes.map(String));
      expect(buffer.counters).toMatchObject({ restarts: 1, lost: 1 });
    }
  });

  it('are not made by stray packets', () => {
    const { log, buffer } = bufferOf();
    for (const index of [0, 20_000, 1, 40_000, 2, 20_000, 3]) buffer.receive(packet(index), 0);
    expect(log.words).toEqual(['0', '1', '2', '3']);
    expect(buffer.counters).toMatchObject({ restarts: 0, late: 2 });
  });

  it('are made by another source that takes over, at any number', () => {
    const { log, buffer } = bufferOf();
    buffer.receive(packet(10, 1), 0);
    expect(buffer.ssrc).toBe(1);
    buffer.receive(packet(11, 2), 0);
    buffer.receive(packet(11, 1), 0);
    buffer.receive(packet(12, 2), 0);
    buffer.receive(packet(13, 2), 0);
    expect(log.words).toEqual(['10', '11', 'R2', '!11', '12', '13']);
    expect(buffer.ssrc).toBe(2);
  });

  it('are not made by a loss just below the limit', () => {
    const { log, buffer } = bufferOf({ maxWaitMs: 0 });
    buffer.receive(packet(0), 0);
    buffer.receive(packet(MAX_DROPOUT), 0);
    expect(log.words).toEqual(['0', `!${MAX_DROPOUT}`]);
    expect(buffer.counters).toMatchObject({ lost: MAX_DROPOUT - 1, restarts: 0 });
  });
});
