import { describe, expect, it } from 'vitest';
import { OutgoingMessage } from './outgoing-message.ts';
import { OutgoingChunk, OutstandingChunks } from './outstanding-chunks.ts';

const SIZE_BYTES = 100;

/** Chunks of as many messages, each sent in a packet of its own, 10 ms apart. */
function sent(count: number): OutstandingChunks {
  const outstanding = new OutstandingChunks();
  for (let i = 0; i < count; i++) send(outstanding, new OutgoingMessage(1, 53, new Uint8Array(84), {}, 0));
  return outstanding;
}

function send(outstanding: OutstandingChunks, message: OutgoingMessage): void {
  outstanding.beginPacket();
  const fragment = { start: 0, end: 84, flags: 3, fsn: 0 };
  const index = outstanding.end;
  outstanding.add(new OutgoingChunk(index, message, fragment, SIZE_BYTES), 10 * index);
}

let nowMs = 1000;

/** Acknowledges up to an index, then blocks of offsets beyond it. */
function acknowledge(outstanding: OutstandingChunks, cumulative: number, ...blocks: [number, number][]): void {
  const bytes = Uint8Array.from(blocks.flat().flatMap((offset) => [offset >> 8, offset & 0xff]));
  outstanding.acknowledge(
    cumulative,
    bytes,
    { gapBlocks: blocks.length, gapBlocksAt: 0 },
    { nowMs, minRttMs: 20, srttMs: 40 },
  );
}

function lost(outstanding: OutstandingChunks): readonly number[] {
  const indices: number[] = [];
  for (let chunk = outstanding.nextLost(); chunk !== undefined; chunk = outstanding.nextLost()) {
    indices.push(chunk.index);
    outstanding.beginPacket();
    outstanding.resend(chunk, 1000);
  }
  return indices;
}

describe('OutstandingChunks', () => {
  it('are acknowledged in order and beyond gaps', () => {
    const outstanding = sent(10);
    acknowledge(outstanding, 1, [2, 3]);
    expect(outstanding.first).toBe(2);
    expect(outstanding.acknowledgedBytes).toBe(4 * SIZE_BYTES);
    expect(outstanding.inOrderBytes).toBe(2 * SIZE_BYTES);
    expect(outstanding.bytesInFlight).toBe(6 * SIZE_BYTES);
    acknowledge(outstanding, 1, [2, 3]);
    expect(outstanding.acknowledgedBytes).toBe(0);
    acknowledge(outstanding, 9);
    expect(outstanding.isEmpty).toBe(true);
    expect(outstanding.bytesInFlight).toBe(0);
  });

  it('are lost when three later packets have come, not before', () => {
    const outstanding = sent(10);
    acknowledge(outstanding, 0, [2, 3]);
    expect(lost(outstanding)).toEqual([]);
    acknowledge(outstanding, 0, [2, 4]);
    expect(lost(outstanding)).toEqual([1]);
    acknowledge(outstanding, 0, [2, 4], [7, 9]);
    // The one sent again went after all of these.
    expect(lost(outstanding)).toEqual([5, 6]);
  });

  it('that were sent again are found lost again, by packets after that', () => {
    const outstanding = sent(6);
    acknowledge(outstanding, 0, [2, 5]);
    expect(lost(outstanding)).toEqual([1]);
    for (let i = 0; i < 3; i++) send(outstanding, new OutgoingMessage(1, 53, new Uint8Array(84), {}, 0));
    acknowledge(outstanding, 0, [2, 7]);
    expect(lost(outstanding)).toEqual([]);
    acknowledge(outstanding, 0, [2, 8]);
    expect(lost(outstanding)).toEqual([1]);
  });

  it('wait longer where one taken for lost has come after all', () => {
    const outstanding = sent(4);
    nowMs = 60;
    acknowledge(outstanding, 0, [2, 3]);
    send(outstanding, new OutgoingMessage(1, 53, new Uint8Array(84), {}, 0));
    acknowledge(outstanding, 0, [2, 4]);
    expect(lost(outstanding)).toEqual([1]);
    nowMs = 1005;
    acknowledge(outstanding, 4);
    for (let i = 5; i < 10; i++) send(outstanding, new OutgoingMessage(1, 53, new Uint8Array(84), {}, 0));
    // Sent at 50 to 90 ms. Losses count after a round trip and a quarter of the shortest: 45 ms.
    nowMs = 94;
    acknowledge(outstanding, 4, [3, 5]);
    expect(lost(outstanding)).toEqual([]);
    expect(outstanding.lossDeadlineMs).toBe(95);
    outstanding.findLost({ nowMs: 95, minRttMs: 20, srttMs: 40 });
    expect(lost(outstanding)).toEqual([5]);
    nowMs = 1000;
  });

  it('ignore gap blocks out of order, and beyond what was sent', () => {
    const outstanding = sent(10);
    acknowledge(outstanding, 0, [4, 5], [2, 3], [1, 65_535]);
    expect(outstanding.acknowledgedBytes).toBe(3 * SIZE_BYTES);
    acknowledge(outstanding, 0, [4, 65_535]);
    expect(lost(outstanding)).toEqual([1, 2, 3]);
  });

  it('that the peer has let go of are lost again at the timeout', () => {
    const outstanding = sent(5);
    acknowledge(outstanding, 0, [2, 4]);
    // The gap is filled, and what was beyond it is gone: SACK says up to 1.
    acknowledge(outstanding, 1);
    expect(outstanding.bytesInFlight).toBe(0);
    outstanding.loseAll();
    expect(lost(outstanding)).toEqual([2, 3, 4]);
    expect(outstanding.bytesInFlight).toBe(3 * SIZE_BYTES);
  });

  it('that are given up let the peer go on, as far as nothing else is missing', () => {
    const outstanding = new OutstandingChunks();
    const messages = Array.from({ length: 6 }, () => new OutgoingMessage(1, 53, new Uint8Array(84), {}, 0));
    for (const message of messages) send(outstanding, message);
    outstanding.abandon(messages[1]!);
    expect(outstanding.advance()).toBe(false);
    acknowledge(outstanding, 0, [3, 3]);
    expect(outstanding.advance()).toBe(true);
    expect(outstanding.advancedEnd).toBe(2);
    outstanding.abandon(messages[2]!);
    outstanding.abandon(messages[4]!);
    // 3 has come, 4 is given up.
    expect(outstanding.advance()).toBe(true);
    expect(outstanding.advancedEnd).toBe(5);
    acknowledge(outstanding, 4);
    expect(outstanding.advance()).toBe(false);
    expect(outstanding.bytesInFlight).toBe(SIZE_BYTES);
  });
});
