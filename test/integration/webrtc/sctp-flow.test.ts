import { describe, expect, it } from 'vitest';
import { MAX_QUEUED_MESSAGES } from '../../../src/protocol/sctp/sctp-limits.ts';
import { connectedPair, numbered, numberOf, type Pair } from './sctp-pair.ts';

const link = { seed: 1, delayMs: 10 };

function numbers(pair: Pair): readonly number[] {
  return pair.b.messages.map(({ bytes }) => numberOf(bytes));
}

describe('a receiver that takes nothing', () => {
  it.each([
    [0, 10_000],
    [0.1, 10_000],
    [0, 100],
  ])('closes its window and opens it again (loss %d, messages of %d bytes)', (lossRate, sizeBytes) => {
    const pair = connectedPair({ ...link, lossRate }, { receiveWindowBytes: 100_000 });
    pair.b.association.pauseReceiving();
    const count = Math.ceil(400_000 / sizeBytes);
    for (let i = 0; i < count; i++) pair.a.send(1, numbered(i, sizeBytes));
    pair.network.runFor(300_000);
    expect(pair.b.messages).toEqual([]);
    expect(pair.b.association.statistics.heldBytes).toBeLessThanOrEqual(100_000);
    expect(pair.a.association.statistics.peerWindowBytes).toBe(0);
    // Five minutes of probes are no failure of the path.
    expect(pair.a.association.state).toBe('established');
    pair.b.do((association, nowMs) => association.resumeReceiving(nowMs));
    expect(pair.network.runUntil(() => pair.b.messages.length === count, 60_000)).toBe(true);
    expect(numbers(pair)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('is told to go on by the next probe when the opened window was not heard of', () => {
    const pair = connectedPair(link, { receiveWindowBytes: 50_000 });
    pair.b.association.pauseReceiving();
    for (let i = 0; i < 20; i++) pair.a.send(1, numbered(i, 10_000));
    pair.network.runFor(10_000);
    pair.links[1].intercept = () => [];
    pair.b.do((association, nowMs) => association.resumeReceiving(nowMs));
    pair.links[1].intercept = undefined;
    expect(pair.network.runUntil(() => pair.b.messages.length === 20, 60_000)).toBe(true);
  });
});

describe('limits of what is sent', () => {
  it('refuse messages over the maximum, empty ones and those beyond the buffer', () => {
    const pair = connectedPair(link, { maxSendMessageBytes: 1000, maxSendBufferBytes: 20_000 });
    const { association } = pair.a;
    expect(association.checkSend(1, 1001)).toBe('sctp/message-too-large-to-send');
    expect(association.checkSend(1, 0)).toBe('sctp/message-empty');
    expect(() => pair.a.send(1, new Uint8Array(1001))).toThrow(expect.objectContaining({ name: 'StateError' }));
    let sent = 0;
    while (association.checkSend(1, 1000) === undefined) pair.a.send(1, numbered(sent++, 1000));
    expect(association.checkSend(1, 1000)).toBe('sctp/send-buffer-full');
    expect(association.bufferedBytes).toBeLessThanOrEqual(20_000);
    expect(association.bufferedBytes).toBeGreaterThan(19_000);
    pair.network.runFor(2000);
    expect(pair.b.messages).toHaveLength(sent);
    expect(association.bufferedBytes).toBe(0);
  });

  it('refuse more short messages than are kept, whatever is left of the buffer, and take them again when some have gone', () => {
    const pair = connectedPair(link);
    const { association } = pair.a;
    const byte = Uint8Array.of(1);
    let sent = 0;
    while (association.checkSend(1, 1) === undefined && sent < 2 * MAX_QUEUED_MESSAGES) {
      pair.a.send(1, byte);
      sent++;
    }
    expect(association.checkSend(1, 1)).toBe('sctp/send-buffer-full');
    expect(association.bufferedBytes).toBe(MAX_QUEUED_MESSAGES);
    pair.network.runFor(100);
    expect(association.checkSend(1, 1)).toBeUndefined();
  });

  it('tell once when the amount of a stream falls to its threshold', () => {
    const pair = connectedPair({ ...link, bandwidthBps: 1_000_000 }, { bufferedAmountLowThresholdBytes: 30_000 });
    pair.a.association.setBufferedAmountLowThreshold(2, 0);
    pair.a.send(1, numbered(1, 100_000));
    pair.a.send(2, numbered(2, 100_000));
    const amounts: number[] = [];
    pair.network.runUntil(() => {
      if (pair.a.events('buffered-amount-low').length > amounts.length) {
        amounts.push(pair.a.association.bufferedBytesOf(amounts.length + 1));
      }
      return amounts.length === 2;
    });
    pair.network.runFor(10_000);
    expect(pair.a.events('buffered-amount-low').map(({ streamId }) => streamId)).toEqual([1, 2]);
    expect(amounts[0]).toBeLessThanOrEqual(30_000);
    expect(amounts[0]).toBeGreaterThan(25_000);
    expect(amounts[1]).toBe(0);
  });

  it.each([true, false])('end an association whose peer sends larger messages, interleaving %s', (interleaving) => {
    const pair = connectedPair(link, { interleaving }, { interleaving, maxReceiveMessageBytes: 10_000 });
    pair.a.send(1, numbered(1, 10_000));
    pair.a.send(1, numbered(2, 10_001));
    pair.network.runFor(1000);
    expect(numbers(pair)).toEqual([1]);
    expect(pair.b.events('failed')).toMatchObject([{ error: { code: 'sctp/message-too-large' } }]);
    expect(pair.a.events('failed')).toMatchObject([{ error: { code: 'sctp/aborted-by-peer' } }]);
  });

  it('let no SACK set off more than four packets', () => {
    const pair = connectedPair(link);
    let packets = 0;
    let most = 0;
    pair.links[0].intercept = (bytes) => {
      packets++;
      return [bytes];
    };
    const [, back] = pair.links;
    const { onDatagram } = back;
    back.onDatagram = (bytes, nowMs) => {
      packets = 0;
      onDatagram?.(bytes, nowMs);
      most = Math.max(most, packets);
    };
    for (let i = 0; i < 20; i++) pair.a.send(1, numbered(i, 50_000));
    pair.network.runFor(5000);
    expect(pair.b.messages).toHaveLength(20);
    expect(most).toBe(4);
  });
});

describe('stream reset', () => {
  it.each([
    [0, true],
    [0.2, true],
    [0.2, false],
  ])('comes after what was sent, and the stream starts again (loss %d, interleaving %s)', (lossRate, interleaving) => {
    const pair = connectedPair({ ...link, lossRate, reorderRate: lossRate / 4 }, { interleaving });
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 5; i++) pair.a.send(1, numbered(5 * round + i, 4000));
      pair.a.do((association, nowMs) => association.resetStreams([1], nowMs));
      const done = (): boolean =>
        pair.a.events('streams-reset').length > round && pair.b.events('streams-reset').length > round;
      expect(pair.network.runUntil(done, 120_000)).toBe(true);
      expect(pair.b.messages).toHaveLength(5 * (round + 1));
    }
    expect(numbers(pair)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(pair.a.events('streams-reset')[0]).toEqual({ type: 'streams-reset', direction: 'outgoing', streamIds: [1] });
    expect(pair.b.events('streams-reset')[0]).toEqual({ type: 'streams-reset', direction: 'incoming', streamIds: [1] });
  });

  it('holds back what is sent while it is under way', () => {
    const pair = connectedPair(link);
    pair.a.send(1, numbered(1, 100));
    pair.a.do((association, nowMs) => association.resetStreams([1], nowMs));
    pair.a.send(1, numbered(2, 100));
    pair.a.send(2, numbered(3, 100));
    pair.network.runFor(1000);
    const order = pair.b.peer.events.flatMap((event): readonly (number | string)[] => {
      if (event.type === 'message') return [numberOf(event.bytes)];
      return event.type === 'streams-reset' ? ['reset'] : [];
    });
    expect(order.indexOf('reset')).toBeGreaterThan(order.indexOf(1));
    expect(order.indexOf(2)).toBeGreaterThan(order.indexOf('reset'));
    expect(order).toContain(3);
  });

  it('goes on for hundreds of streams both ways at once', () => {
    const pair = connectedPair({ ...link, lossRate: 0.05 });
    const ids = Array.from({ length: 600 }, (_, i) => i);
    for (const end of [pair.a, pair.b]) {
      for (const id of ids) end.send(id, numbered(id, 20));
      end.do((association, nowMs) => association.resetStreams(ids, nowMs));
    }
    const count = (end: typeof pair.a, direction: string): number =>
      end
        .events('streams-reset')
        .filter((event) => event.direction === direction)
        .reduce((sum, { streamIds }) => sum + streamIds.length, 0);
    pair.network.runFor(60_000);
    for (const end of [pair.a, pair.b]) {
      expect(count(end, 'outgoing')).toBe(600);
      expect(count(end, 'incoming')).toBe(600);
      expect(end.messages).toHaveLength(600);
    }
  });

  it('waits for messages nobody takes', () => {
    const pair = connectedPair(link);
    pair.b.association.pauseReceiving();
    pair.a.send(1, numbered(1, 100));
    pair.a.do((association, nowMs) => association.resetStreams([1], nowMs));
    pair.network.runFor(5000);
    expect(pair.b.events('streams-reset')).toEqual([]);
    pair.b.do((association, nowMs) => association.resumeReceiving(nowMs));
    pair.network.runFor(5000);
    expect(pair.b.peer.events.map(({ type }) => type)).toEqual(['connected', 'message', 'streams-reset']);
    expect(pair.a.events('streams-reset')).toHaveLength(1);
  });

  it('adds streams up to what is possible', () => {
    const pair = connectedPair(link, { outboundStreams: 10, inboundStreams: 10 });
    expect(pair.a.association.checkSend(15, 10)).toBe('sctp/no-such-stream');
    pair.a.do((association, nowMs) => association.addStreams(20, nowMs));
    pair.network.runFor(1000);
    expect(pair.a.events('streams-added')).toEqual([{ type: 'streams-added', direction: 'outgoing', streams: 30 }]);
    expect(pair.b.events('streams-added')).toEqual([{ type: 'streams-added', direction: 'incoming', streams: 30 }]);
    pair.a.send(29, numbered(1, 10));
    pair.network.runFor(1000);
    expect(numbers(pair)).toEqual([1]);
  });
});
