import { describe, expect, it } from 'vitest';
import { OutgoingMessage, type SendOptions } from './outgoing-message.ts';
import { SendQueue } from './send-queue.ts';

function message(streamId: number, sizeBytes: number, options: SendOptions = {}): OutgoingMessage {
  return new OutgoingMessage(streamId, 53, new Uint8Array(sizeBytes), options, 0);
}

function queueOf(isInterleaved: boolean, ...messages: readonly OutgoingMessage[]): SendQueue {
  const queue = new SendQueue(0);
  queue.setInterleaved(isInterleaved);
  for (const one of messages) queue.add(one);
  return queue;
}

/** Streams of the next chunks of at most 100 bytes. */
function turns(queue: SendQueue, count: number, nowMs = 0): readonly number[] {
  const streams: number[] = [];
  for (let i = 0; i < count; i++) {
    const head = queue.head(nowMs);
    if (head === undefined) break;
    queue.cut(head, Math.min(100, head.leftBytes));
    streams.push(head.streamId);
  }
  return streams;
}

describe('SendQueue', () => {
  it('changes streams with every chunk when interleaved, else with every message', () => {
    expect(turns(queueOf(true, message(1, 300), message(2, 300)), 9)).toEqual([1, 2, 1, 2, 1, 2]);
    expect(turns(queueOf(false, message(1, 300), message(2, 300)), 9)).toEqual([1, 1, 1, 2, 2, 2]);
  });

  it('lets nothing come between the chunks of a message that is not interleaved', () => {
    const queue = queueOf(false, message(5, 300));
    expect(turns(queue, 1)).toEqual([5]);
    queue.add(message(1, 100));
    queue.add(message(5, 100));
    expect(turns(queue, 9)).toEqual([5, 5, 1, 5]);
  });

  it('shares bytes by weight', () => {
    const queue = queueOf(true, message(1, 100_000), message(2, 100_000));
    queue.setWeight(1, 768);
    const streams = turns(queue, 400);
    expect(streams.filter((streamId) => streamId === 1).length).toBeCloseTo(300, -1);
  });

  it('gives a stream that comes late its share, not what it missed', () => {
    const queue = queueOf(true, message(1, 100_000));
    turns(queue, 500);
    queue.add(message(2, 100_000));
    expect(turns(queue, 100).filter((streamId) => streamId === 2).length).toBeCloseTo(50, -1);
  });

  it('numbers ordered messages, with interleaving unordered ones too', () => {
    const plain = [message(1, 10), message(1, 10, { ordered: false }), message(1, 10)];
    turns(queueOf(false, ...plain), 9);
    expect(plain.map(({ sequence }) => sequence)).toEqual([0, 0, 1]);
    const interleaved = [message(1, 10), message(1, 10, { ordered: false }), message(1, 10, { ordered: false })];
    turns(queueOf(true, ...interleaved), 9);
    expect(interleaved.map(({ sequence }) => sequence)).toEqual([0, 0, 1]);
  });

  it('drops messages that are too old before they are begun, without numbers', () => {
    const old = message(1, 100, { maxLifetimeMs: 50 });
    const young = message(1, 100);
    const queue = queueOf(true, old, young);
    expect(turns(queue, 9, 50)).toEqual([1]);
    expect([old.sequence, young.sequence]).toEqual([-1, 0]);
    expect(queue.bufferedBytes).toBe(0);
  });

  it('stops a stream, and starts it again from 0', () => {
    const queue = queueOf(true, message(1, 100));
    turns(queue, 1);
    queue.pause(1);
    const next = message(1, 100);
    queue.add(next);
    queue.add(message(2, 100));
    expect(turns(queue, 9)).toEqual([2]);
    queue.restart(1, true);
    expect(turns(queue, 9)).toEqual([1]);
    expect(next.sequence).toBe(0);
  });

  it('drops what is not begun', () => {
    const queue = queueOf(true, message(1, 300), message(1, 300), message(2, 100));
    turns(queue, 1);
    queue.discard(1);
    expect(queue.bufferedBytesOf(1)).toBe(200);
    expect(turns(queue, 9)).toEqual([2, 1, 1]);
    expect(queue.bufferedBytes).toBe(0);
  });

  it.each([true, false])('begins everything again with a new peer, interleaved %s', (isInterleaved) => {
    const queue = queueOf(isInterleaved, message(1, 300), message(2, 300));
    turns(queue, 4);
    queue.startOver();
    expect(turns(queue, 9)).toHaveLength(isInterleaved ? 6 : 3);
    expect(queue.bufferedBytes).toBe(0);
  });

  it('tells once when the amount of a stream falls to its threshold', () => {
    const queue = queueOf(true, message(1, 500));
    queue.setLowThreshold(1, 250);
    turns(queue, 2);
    expect(queue.lowStreams).toEqual([]);
    turns(queue, 9);
    expect(queue.lowStreams).toEqual([1]);
  });

  it('counts the messages that are not all in chunks, whichever way they leave', () => {
    const short = { maxLifetimeMs: 10 };
    const queue = queueOf(
      true,
      message(1, 300),
      message(1, 100),
      message(2, 50, short),
      message(3, 50),
      message(3, 50),
    );
    const counts = [queue.messageCount];
    turns(queue, 1);
    counts.push(queue.messageCount);
    queue.discard(1);
    counts.push(queue.messageCount);
    queue.discard(3);
    counts.push(queue.messageCount);
    turns(queue, 9, 20);
    counts.push(queue.messageCount);
    expect(counts).toEqual([5, 5, 4, 2, 0]);
  });
});
