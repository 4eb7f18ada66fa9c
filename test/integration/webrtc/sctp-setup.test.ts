import { describe, expect, it } from 'vitest';
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import { CHUNK_TYPE } from '../../../src/protocol/sctp/chunk-type.ts';
import { parsePacketHeader, writeChecksum } from '../../../src/protocol/sctp/packet-builder.ts';
import { SctpAssociation } from '../../../src/protocol/sctp/sctp-association.ts';
import type { SctpEvent } from '../../../src/protocol/sctp/sctp-event.ts';
import { getU32, setU32 } from '../../../src/wire/big-endian.ts';
import { MachinePeer } from '../../peers/netem.ts';
import { connectedPair, numbered, numberOf, type Pair, pairOf } from './sctp-pair.ts';

const link = { seed: 1, delayMs: 10 };

function start({ a, b }: Pair, who: 'a' | 'both'): void {
  a.do((association, nowMs) => association.start(nowMs));
  if (who === 'both') b.do((association, nowMs) => association.start(nowMs));
}

function states({ a, b }: Pair): readonly string[] {
  return [a.association.state, b.association.state];
}

/** Packets that `from` has sent, kept by the link. */
function kept(pair: Pair, from: 0 | 1): Uint8Array[] {
  const packets: Uint8Array[] = [];
  pair.links[from].intercept = (bytes) => {
    packets.push(bytes.slice());
    return [bytes];
  };
  return packets;
}

describe('setup of an association', () => {
  it.each(['a', 'both'] as const)('comes about when started by %s', (who) => {
    const pair = pairOf(link);
    start(pair, who);
    pair.network.runFor(1000);
    expect(states(pair)).toEqual(['established', 'established']);
    for (const end of [pair.a, pair.b]) {
      expect(end.events('connected')).toEqual([{ type: 'connected', outboundStreams: 65_535, inboundStreams: 65_535 }]);
    }
    expect(pair.a.association.agreement).toMatchObject({
      hasForwardTsn: true,
      isInterleaved: true,
      hasReConfig: true,
      isZeroChecksumTaken: true,
    });
  });

  // Six packets each way are more than a setup has.
  const places = Array.from({ length: 12 }, (_, i) => [i % 2 === 0 ? 0 : 1, i >> 1] as const);
  describe.each(['lost', 'doubled', 'late', 'cut'] as const)('with one packet %s', (fault) => {
    it.each(places)('comes about: direction %d, packet %d', (direction, place) => {
      const pair = pairOf(link);
      pair.links[direction].intercept = (bytes, index) => {
        if (index !== place) return [bytes];
        if (fault === 'lost') return [];
        if (fault === 'doubled') return [bytes, bytes];
        if (fault === 'cut') return [bytes.subarray(0, bytes.length - 4)];
        const copy = bytes.slice();
        pair.network.schedule(35, () => pair.links[direction].onDatagram?.(copy, pair.network.nowMs));
        return [];
      };
      start(pair, 'both');
      pair.a.send(3, numbered(7, 3000));
      pair.b.send(4, numbered(8, 3000));
      pair.network.runFor(10_000);
      expect(states(pair)).toEqual(['established', 'established']);
      expect(pair.b.messages.map(({ bytes }) => numberOf(bytes))).toEqual([7]);
      expect(pair.a.messages.map(({ bytes }) => numberOf(bytes))).toEqual([8]);
      for (const end of [pair.a, pair.b]) expect(end.events('connected')).toHaveLength(1);
    });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('comes about over 30 %% loss, seed %d', (seed) => {
    const pair = pairOf({ seed, lossRate: 0.3, delayMs: 30, reorderRate: 0.1, duplicateRate: 0.1 });
    start(pair, 'both');
    pair.a.send(1, numbered(1, 100));
    expect(pair.network.runUntil(() => pair.b.messages.length === 1, 120_000)).toBe(true);
  });

  it('fails when nobody answers', () => {
    const pair = pairOf({ seed: 1, lossRate: 1 });
    start(pair, 'a');
    pair.network.runFor(120_000);
    expect(pair.a.events('failed')).toMatchObject([{ error: { code: 'sctp/setup-timeout' } }]);
    expect(pair.a.association.nextTimeoutMs()).toBeUndefined();
  });

  it('asks for a new cookie when the first was too old, and gives up in the end', () => {
    const pair = pairOf({ seed: 1, delayMs: 20 }, {}, { cookieLifetimeMs: 10 });
    start(pair, 'a');
    pair.network.runFor(5000);
    // With what the peer adds for the asking still too short for the path.
    expect(pair.a.events('failed')).toMatchObject([{ error: { code: 'sctp/stale-cookie' } }]);
    const longer = pairOf({ seed: 1, delayMs: 20 }, {}, { cookieLifetimeMs: 30 });
    start(longer, 'a');
    longer.network.runFor(5000);
    expect(states(longer)).toEqual(['established', 'established']);
  });

  it('agrees on less where one side offers less', () => {
    const pair = connectedPair(link, { interleaving: false, outboundStreams: 10 }, { zeroChecksum: false });
    expect(pair.a.association.agreement).toMatchObject({
      isInterleaved: false,
      isZeroChecksumTaken: false,
      outboundStreams: 10,
    });
    expect(pair.b.association.agreement).toMatchObject({ inboundStreams: 10, outboundStreams: 65_535 });
    pair.a.send(9, numbered(1, 5000));
    pair.network.runFor(1000);
    expect(pair.b.messages).toHaveLength(1);
    expect(pair.a.association.checkSend(10, 1)).toBe('sctp/no-such-stream');
  });

  it('leaves checksums out only where both agree', () => {
    for (const zeroChecksum of [true, false]) {
      const pair = connectedPair(link, { zeroChecksum });
      const packets = kept(pair, 0);
      pair.a.send(1, numbered(1, 5000));
      pair.network.runFor(1000);
      const isZero = (packet: Uint8Array): boolean => packet.subarray(8, 12).every((byte) => byte === 0);
      expect(packets.length).toBeGreaterThan(3);
      expect(packets.every(isZero)).toBe(zeroChecksum);
    }
  });
});

describe('packets that are not of the association', () => {
  function dropped(change: (packet: Uint8Array) => void): Pair {
    const pair = connectedPair(link, { zeroChecksum: false });
    pair.links[0].intercept = (bytes) => {
      const copy = bytes.slice();
      change(copy);
      return [copy];
    };
    pair.a.send(1, numbered(1, 100));
    pair.network.runFor(300);
    expect(pair.b.messages).toEqual([]);
    expect(pair.b.association.state).toBe('established');
    return pair;
  }

  it.each([
    ['tag', 4, { tag: 1 }],
    ['source port', 1, { ports: 1 }],
    ['destination port', 3, { ports: 1 }],
  ])('are dropped with another %s', (_, at, counters) => {
    const pair = dropped((packet) => {
      packet[at] = packet[at]! ^ 1;
      writeChecksum(packet);
    });
    expect(pair.b.association.statistics.dropped).toMatchObject(counters);
  });

  it('are dropped with a wrong checksum, and without one where none was agreed on', () => {
    expect(
      dropped((packet) => {
        packet[20] = packet[20]! ^ 1;
      }).b.association.statistics.dropped.checksum,
    ).toBe(1);
    expect(dropped((packet) => packet.fill(0, 8, 12)).b.association.statistics.dropped.checksum).toBe(1);
  });

  it('do not end it: ABORT and SHUTDOWN COMPLETE of somebody who does not know the tag', () => {
    const pair = connectedPair(link);
    const [packet] = kept(pair, 0);
    expect(packet).toBeUndefined();
    for (const type of [CHUNK_TYPE.abort, CHUNK_TYPE.shutdownComplete, CHUNK_TYPE.shutdownAck, CHUNK_TYPE.cookieAck]) {
      for (const flags of [0, 1]) {
        const forged = Uint8Array.of(0x13, 0x88, 0x13, 0x88, 1, 2, 3, 4, 0, 0, 0, 0, type, flags, 0, 4);
        writeChecksum(forged);
        pair.b.peer.receive(forged, pair.network.nowMs);
      }
    }
    expect(pair.b.association.state).toBe('established');
    expect(pair.b.association.statistics.dropped.tag).toBe(8);
  });

  it('end it: an acknowledgement of what was never sent', () => {
    const pair = connectedPair(link);
    pair.links[1].intercept = (bytes) => {
      if (bytes[12] !== CHUNK_TYPE.sack) return [bytes];
      const lying = bytes.slice();
      setU32(lying, 16, getU32(lying, 16) + 1);
      writeChecksum(lying);
      return [lying];
    };
    pair.a.send(1, numbered(1, 100));
    pair.network.runFor(1000);
    expect(pair.a.events('failed')).toMatchObject([{ error: { code: 'sctp/protocol-violation' } }]);
    expect(states(pair)).toEqual(['failed', 'failed']);
  });

  it('do not begin it: cookies that are not as they were made', () => {
    const pair = pairOf(link);
    let forgeries = 0;
    pair.links[0].intercept = (bytes) => {
      if (bytes[12] !== CHUNK_TYPE.cookieEcho) return [bytes];
      // The cookie ends before the padding of its chunk.
      const end = 12 + ((bytes[14]! << 8) | bytes[15]!);
      for (let at = 16; at < end; at++) {
        const forged = bytes.slice();
        forged[at] = forged[at]! ^ 1;
        writeChecksum(forged);
        pair.b.peer.receive(forged, pair.network.nowMs);
        forgeries++;
      }
      expect([pair.b.association.state, pair.b.peer.events]).toEqual(['new', []]);
      return [bytes];
    };
    start(pair, 'a');
    pair.network.runFor(1000);
    expect(forgeries).toBeGreaterThan(70);
    expect(pair.b.association.statistics.dropped.tag).toBe(forgeries);
    expect(states(pair)).toEqual(['established', 'established']);
  });

  it('do not end it: forged COOKIE ECHO and INIT', () => {
    const pair = pairOf(link);
    const packets = kept(pair, 0);
    start(pair, 'a');
    pair.network.runFor(1000);
    const [init, cookieEcho] = packets;
    expect(cookieEcho![12]).toBe(CHUNK_TYPE.cookieEcho);
    for (let at = 16; at < cookieEcho!.length; at += 3) {
      const forged = cookieEcho!.slice();
      forged[at] = forged[at]! ^ 0x40;
      writeChecksum(forged);
      pair.b.peer.receive(forged, pair.network.nowMs);
    }
    for (let i = 0; i < 100; i++) pair.b.peer.receive(init!.slice(), pair.network.nowMs);
    pair.a.send(1, numbered(1, 100));
    pair.network.runFor(1000);
    expect(pair.b.messages).toHaveLength(1);
    expect(pair.b.events('restarted')).toEqual([]);
  });
});

describe('an association that the peer begins anew', () => {
  it('starts over: what waits is sent to the new one', () => {
    const pair = connectedPair(link);
    pair.a.send(1, numbered(1, 100));
    pair.b.send(2, numbered(2, 100));
    pair.network.runFor(1000);
    // The peer dies in the middle of a message, and comes back with nothing of what was.
    pair.links[1].intercept = () => [];
    pair.a.send(1, numbered(3, 200_000));
    pair.network.runFor(100);
    pair.network.remove(pair.b.peer);
    pair.links[1].intercept = undefined;
    const again = new SctpAssociation({ crypto: nodeSctpCrypto });
    const peer = new MachinePeer<SctpEvent>(again);
    peer.transmit = (bytes) => pair.links[1].send(bytes);
    pair.links[0].onDatagram = (bytes, nowMs) => peer.receive(bytes, nowMs);
    pair.network.add(peer);
    peer.handle(again.start(pair.network.nowMs));
    pair.network.runFor(20_000);
    expect(again.state).toBe('established');
    expect(pair.a.events('restarted')).toHaveLength(1);
    expect(pair.a.association.state).toBe('established');
    const received = peer.events.filter((event) => event.type === 'message');
    expect(received.map(({ bytes }) => [numberOf(bytes), bytes.length])).toEqual([[3, 200_000]]);
    peer.handle(again.sendMessage(2, 53, numbered(4, 50), {}, pair.network.nowMs));
    pair.network.runFor(1000);
    expect(numberOf(pair.a.messages.at(-1)!.bytes)).toBe(4);
  });
});

describe('the end of an association', () => {
  it.each(['a', 'both'] as const)('comes in good order when %s close, after everything is sent', (who) => {
    const pair = connectedPair({ seed: 3, delayMs: 20, lossRate: 0.1, bandwidthBps: 2_000_000 });
    for (let i = 0; i < 10; i++) pair.a.send(1, numbered(i, 50_000));
    pair.a.do((association, nowMs) => association.close(nowMs));
    if (who === 'both') pair.b.do((association, nowMs) => association.close(nowMs));
    pair.network.runFor(60_000);
    expect(states(pair)).toEqual(['closed', 'closed']);
    if (who === 'a') expect(pair.b.messages).toHaveLength(10);
    for (const end of [pair.a, pair.b]) {
      expect(end.peer.events.at(-1)).toEqual({ type: 'closed' });
      expect(end.association.nextTimeoutMs()).toBeUndefined();
    }
    expect(pair.a.association.checkSend(1, 1)).toBe('sctp/closed');
  });

  it('comes at once by ABORT, with its reason', () => {
    const pair = connectedPair(link);
    pair.a.do((association) => association.abort('no more'));
    pair.network.runFor(100);
    expect(states(pair)).toEqual(['closed', 'failed']);
    const [failed] = pair.b.events('failed');
    expect(failed?.error).toMatchObject({ code: 'sctp/aborted-by-peer', message: expect.stringContaining('no more') });
  });

  it('comes when the path is dead', () => {
    const pair = connectedPair(link, { maxRetransmissions: 5, maxRtoMs: 2000 });
    for (const one of pair.links) one.intercept = () => [];
    pair.a.send(1, numbered(1, 1000));
    pair.network.runFor(30_000);
    expect(pair.a.events('failed')).toMatchObject([{ error: { code: 'sctp/path-failed' } }]);
  });

  it('comes when a path without traffic is dead', () => {
    const pair = connectedPair(link, { maxRetransmissions: 5, maxRtoMs: 2000 });
    pair.network.runFor(600_000);
    expect(states(pair)).toEqual(['established', 'established']);
    for (const one of pair.links) one.intercept = () => [];
    pair.network.runFor(60_000);
    expect(states(pair)).toEqual(['failed', 'failed']);
  });

  it('comes when a shutdown has no answer', () => {
    const pair = connectedPair(link, { maxRtoMs: 1000 });
    for (const one of pair.links) one.intercept = () => [];
    pair.a.do((association, nowMs) => association.close(nowMs));
    pair.network.runFor(60_000);
    expect(pair.a.events('failed')).toMatchObject([{ error: { code: 'sctp/shutdown-timeout' } }]);
  });

  it('has the header of every packet right', () => {
    const pair = pairOf(link, { localPort: 4000, remotePort: 6000 }, { localPort: 6000, remotePort: 4000 });
    const packets = kept(pair, 0);
    start(pair, 'both');
    pair.a.send(1, numbered(1, 5000));
    pair.network.runFor(1000);
    pair.a.do((association, nowMs) => association.close(nowMs));
    pair.network.runFor(1000);
    expect(states(pair)).toEqual(['closed', 'closed']);
    expect(packets.every((packet) => packet.length % 4 === 0 && packet.length <= 1160)).toBe(true);
    for (const packet of packets)
      expect(parsePacketHeader(packet)).toMatchObject({ sourcePort: 4000, destinationPort: 6000 });
  });
});
