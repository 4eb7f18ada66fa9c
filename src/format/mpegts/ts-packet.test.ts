import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FirstPacketFacts, packetCount, writePackets, writePcrPacket } from './ts-packet.ts';

/** Reads packets the plain way: their payloads joined, and what the first adaptation field says. */
function read(packets: Uint8Array): {
  payload: Uint8Array;
  counters: number[];
  pcr: number | undefined;
  flags: number;
} {
  const payloads: Uint8Array[] = [];
  const counters: number[] = [];
  let pcr: number | undefined;
  let flags = 0;
  for (let at = 0; at < packets.length; at += 188) {
    const packet = packets.subarray(at, at + 188);
    expect(packet[0]).toBe(0x47);
    expect((packet[1]! & 0x40) !== 0).toBe(at === 0);
    counters.push(packet[3]! & 15);
    let start = 4;
    if ((packet[3]! & 0x20) !== 0) {
      const length = packet[4]!;
      start = 5 + length;
      if (length > 0 && at === 0) {
        flags = packet[5]!;
        const view = Buffer.from(packet);
        if ((flags & 0x10) !== 0) pcr = view.readUInt32BE(6) * 2 + (packet[10]! >>> 7);
      }
      const stuffingFrom = length === 0 ? 5 : (packet[5]! & 0x10) !== 0 ? 12 : 6;
      expect(packet.subarray(stuffingFrom, start).every((byte) => byte === 0xff)).toBe(true);
    }
    payloads.push(packet.subarray(start));
  }
  return { payload: new Uint8Array(Buffer.concat(payloads)), counters, pcr, flags };
}

describe('writePackets', () => {
  const facts: readonly FirstPacketFacts[] = [
    { pcr90k: undefined, isRandomAccess: false },
    { pcr90k: undefined, isRandomAccess: true },
    { pcr90k: 2 ** 33 - 1, isRandomAccess: false },
    { pcr90k: 5, isRandomAccess: true },
  ];

  it.each(facts)('gives every unit of 1–600 bytes back (%o)', (first) => {
    for (let size = 1; size <= 600; size++) {
      const unit = Uint8Array.from({ length: size }, (_, i) => i * 7);
      const out = new Uint8Array(packetCount(size, first) * 188);
      const next = writePackets(out, 0, 0x100, 14, [unit.subarray(0, 3), unit.subarray(3)], size, first);
      const got = read(out);
      expect(Buffer.compare(got.payload, unit)).toBe(0);
      expect(got.pcr).toBe(first.pcr90k);
      expect((got.flags & 0x40) !== 0).toBe(first.isRandomAccess);
      expect(got.counters).toEqual(got.counters.map((_, i) => (14 + i) & 15));
      expect(next).toBe((14 + got.counters.length) & 15);
    }
  });

  it('joins parts of any sizes, empty ones included', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 8 }), (parts) => {
        const unit = Buffer.concat(parts);
        if (unit.length === 0) return;
        const first = facts[0]!;
        const out = new Uint8Array(packetCount(unit.length, first) * 188);
        writePackets(out, 0, 0x1fff, 0, parts, unit.length, first);
        expect(Buffer.compare(read(out).payload, unit)).toBe(0);
      }),
    );
  });
});

describe('writePcrPacket', () => {
  it('fills a packet with a clock and stuffing, no payload', () => {
    const out = new Uint8Array(188);
    writePcrPacket(out, 0, 0x101, 9, 2 ** 32 + 1);
    expect(Buffer.from(out.subarray(0, 13)).toString('hex')).toBe('47010129b71080000000fe00ff');
    expect(out.subarray(12).every((byte) => byte === 0xff)).toBe(true);
  });
});
