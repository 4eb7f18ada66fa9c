import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import { MAX_STORED_PACKETS, PacketStore, STORED_AUDIO_MS, STORED_VIDEO_MS } from './packet-store.ts';

function packetOf(fill: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes).fill(fill & 0xff);
  bytes[0] = 0x80;
  bytes[3] = fill;
  bytes[2] = fill >>> 8;
  return bytes;
}

const view = new RtpPacketView();

describe('PacketStore', () => {
  it('gives back what it was given', () => {
    const store = new PacketStore({ maxAgeMs: STORED_AUDIO_MS });
    const bytes = packetOf(700, 40);
    const around = new Uint8Array(100);
    around.set(bytes, 30);
    expect(store.append(around, 30, 70, 0)).toBe(0);
    expect(store.look(0, view, STORED_AUDIO_MS)).toBe(true);
    expect([...view.bytes.subarray(view.start, view.end)]).toEqual([...bytes]);
    expect(store.look(1, view, 0)).toBe(false);
    expect(store.look(-1, view, 0)).toBe(false);
  });

  it('leaves padding out', () => {
    const store = new PacketStore({ maxAgeMs: STORED_AUDIO_MS });
    const bytes = packetOf(5, 40);
    bytes[0] = 0xa0;
    bytes[39] = 8;
    expect(view.look(bytes)).toBe(true);
    expect(store.add(view, 0)).toBe(0);
    expect(store.look(0, view, 0)).toBe(true);
    expect([view.end - view.start, view.payloadBytes, view.bytes[view.start]]).toEqual([32, 20, 0x80]);
    expect(bytes[0]).toBe(0xa0);
  });

  it('holds packets for their time and no longer', () => {
    const store = new PacketStore({ maxAgeMs: 1000 });
    store.append(packetOf(1, 20), 0, 20, 0);
    expect(store.look(0, view, 1001)).toBe(false);
    store.append(packetOf(2, 20), 0, 20, 1001);
    expect(store.length).toBe(1);
  });

  it('takes no packet without bytes or longer than itself', () => {
    const store = new PacketStore({ maxAgeMs: 1000, maxBytes: 1000 });
    expect(store.append(new Uint8Array(2000), 0, 1001, 0)).toBe(-1);
    expect(store.append(new Uint8Array(2000), 5, 5, 0)).toBe(-1);
    expect(new PacketStore({ maxAgeMs: 1000 }).append(new Uint8Array(70_000), 0, 65_536, 0)).toBe(-1);
  });

  it('goes back to no memory', () => {
    const store = new PacketStore({ maxAgeMs: 1000 });
    store.append(packetOf(1, 20), 0, 20, 0);
    store.clear();
    expect([store.length, store.capacityBytes]).toEqual([0, 0]);
    expect(store.look(0, view, 0)).toBe(false);
    expect(store.append(packetOf(3, 20), 0, 20, 0)).toBe(1);
    expect(store.look(1, view, 0)).toBe(true);
  });

  it('holds two seconds of 5 Mb/s', () => {
    const store = new PacketStore({ maxAgeMs: STORED_VIDEO_MS });
    for (let i = 0; i < 3000; i++) store.append(packetOf(i, 1200), 0, 1200, i * 2);
    expect(store.look(2999 - 1000, view, 5998)).toBe(true);
    expect(view.sequenceNumber).toBe(1999);
  });

  it('keeps to its bounds and gives back the newest packets as they were', () => {
    const sizes = fc.array(fc.integer({ min: 12, max: 1500 }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1500, max: 60_000 }), fc.nat(20), (packetBytes, maxBytes, everyMs) => {
        const store = new PacketStore({ maxAgeMs: 1000, maxBytes });
        packetBytes.forEach((sizeBytes, i) => {
          expect(store.append(packetOf(i, sizeBytes), 0, sizeBytes, i * everyMs)).toBe(i);
          expect(store.capacityBytes).toBeLessThanOrEqual(maxBytes);
        });
        const nowMs = (packetBytes.length - 1) * everyMs;
        let held = 0;
        for (let i = packetBytes.length - 1; i >= 0; i--) {
          if (!store.look(i, view, nowMs)) break;
          held++;
          expect([...view.bytes.subarray(view.start, view.end)]).toEqual([...packetOf(i, packetBytes[i]!)]);
        }
        expect(held).toBe(store.length);
        expect(held).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });

  it('holds no more packets than it may', () => {
    const store = new PacketStore({ maxAgeMs: 1000 });
    for (let i = 0; i < 10_000; i++) store.append(packetOf(i, 12), 0, 12, 0);
    expect(store.length).toBe(MAX_STORED_PACKETS);
    expect(store.look(10_000 - MAX_STORED_PACKETS, view, 0)).toBe(true);
    expect(store.look(10_000 - MAX_STORED_PACKETS - 1, view, 0)).toBe(false);
  });
});
