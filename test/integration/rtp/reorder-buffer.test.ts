import { describe, expect, it } from 'vitest';
import { ReorderBuffer } from '../../../src/protocol/rtp/reorder-buffer.ts';
import type { RtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import { type Arrival, overLossyLink } from '../../lossy-link.ts';

/** A packet whose timestamp tells its number without an end. */
function packet(index: number): RtpPacket {
  return {
    marker: false,
    payloadType: 96,
    sequenceNumber: index & 0xffff,
    timestamp: index,
    ssrc: 1,
    csrcs: [],
    extensionProfile: 0,
    extension: undefined,
    payload: new Uint8Array(4),
    paddingBytes: 0,
  };
}

describe('packets over a lossy link', () => {
  it.each([1, 2, 3, 4, 5])('come out in order, each that came in time (seed %d)', (seed) => {
    const sent: Arrival<number>[] = Array.from({ length: 5000 }, (_, i) => ({ atMs: i * 2, datagram: 65_000 + i }));
    const arrivals = overLossyLink(sent, {
      seed,
      lossPerMille: 20,
      duplicatesPerMille: 20,
      detoursPerMille: 50,
      detourMs: 80,
    });
    const received: number[] = [];
    const sink = {
      onPacket: ({ timestamp }: RtpPacket): void => void received.push(timestamp),
      onRestart: (): void => expect.fail('a restart'),
    };
    const buffer = new ReorderBuffer(sink, { maxWaitMs: 100 });
    for (const { atMs, datagram } of arrivals) {
      for (let due = buffer.nextTimeoutMs(); due !== undefined && due <= atMs; due = buffer.nextTimeoutMs()) {
        buffer.handleTimeout(due);
      }
      buffer.receive(packet(datagram), atMs);
    }
    buffer.flush();
    const first = received[0]!;
    const expected = [...new Set(arrivals.map(({ datagram }) => datagram))].sort((a, b) => a - b);
    expect(received).toEqual(expected.slice(expected.indexOf(first)));
    const { counters } = buffer;
    expect(counters.lost).toBe(received[received.length - 1]! - first + 1 - received.length);
    expect(counters.late).toBeLessThanOrEqual(expected.indexOf(first) * 2);
    expect(counters.reordered).toBeGreaterThan(100);
    expect(counters.restarts).toBe(0);
  });
});
