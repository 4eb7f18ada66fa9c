import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findExtensionElement, readExtensionElements, writeExtensionElements } from './header-extension.ts';
import { parseRtpPacket, type RtpPacketFields, rtpPacketSize, writeRtpPacket } from './rtp-packet.ts';
import { RtpPacketView } from './rtp-packet-view.ts';

const u32 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** 32 - 1 });
const elements = fc.array(
  fc.record({ id: fc.integer({ min: 1, max: 20 }), data: fc.uint8Array({ minLength: 1, maxLength: 18 }) }),
  { maxLength: 6 },
);
const packets: fc.Arbitrary<RtpPacketFields> = fc
  .record({
    marker: fc.boolean(),
    payloadType: fc.integer({ min: 0, max: 127 }),
    sequenceNumber: fc.integer({ min: 0, max: 65_535 }),
    timestamp: u32(),
    ssrc: u32(),
    payload: fc.uint8Array({ maxLength: 40 }),
    csrcs: fc.array(u32(), { maxLength: 15 }),
    paddingBytes: fc.integer({ min: 0, max: 255 }),
    list: elements,
  })
  .map(({ list, ...fields }) => ({ ...fields, ...(list.length > 0 && writeExtensionElements(list)) }));

function write(packet: RtpPacketFields): Uint8Array {
  const out = new Uint8Array(rtpPacketSize(packet));
  writeRtpPacket(packet, out);
  return out;
}

/** What the view says of the packet at `[start, end)`, as `parseRtpPacket` says it. */
function seen(view: RtpPacketView): object {
  const { marker, payloadType, sequenceNumber, timestamp, ssrc, bytes, payloadStart, payloadEnd, end } = view;
  const payload = new Uint8Array(bytes.subarray(payloadStart, payloadEnd));
  return { marker, payloadType, sequenceNumber, timestamp, ssrc, payload, paddingBytes: end - payloadEnd };
}

describe('RtpPacketView', () => {
  it('sees what parseRtpPacket gives, wherever the packet lies', () => {
    fc.assert(
      fc.property(packets, fc.nat(20), (fields, start) => {
        const packet = write(fields);
        const bytes = new Uint8Array(start + packet.length + 9).fill(0xa5);
        bytes.set(packet, start);
        const view = new RtpPacketView();
        expect(view.look(bytes, start, start + packet.length)).toBe(true);
        const { csrcs: _, extension: __, extensionProfile: ___, ...parsed } = parseRtpPacket(packet)!;
        expect(seen(view)).toEqual(parsed);
      }),
    );
  });

  it('finds the elements that findExtensionElement finds', () => {
    fc.assert(
      fc.property(packets, fc.integer({ min: 1, max: 20 }), (fields, id) => {
        const bytes = write(fields);
        const view = new RtpPacketView();
        view.look(bytes);
        const at = view.findElement(id);
        const found = at < 0 ? undefined : new Uint8Array(bytes.subarray(at, at + view.elementBytes));
        const expected = findExtensionElement(parseRtpPacket(bytes)!, id);
        expect(found).toEqual(expected && new Uint8Array(expected));
      }),
    );
  });

  it('refuses what parseRtpPacket refuses, and reads nothing beyond the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (random, isVersion2) => {
        const bytes = random.length > 0 && isVersion2 ? random.with(0, (random[0]! & 0x3f) | 0x80) : random;
        const view = new RtpPacketView();
        expect(view.look(bytes)).toBe(parseRtpPacket(bytes) !== undefined);
        if (view.bytes === bytes) view.findElement(5);
      }),
    );
  });

  it('writes header fields in place', () => {
    fc.assert(
      fc.property(packets, packets, (before, after) => {
        const bytes = write(before);
        const view = new RtpPacketView();
        view.look(bytes);
        const { marker, payloadType, sequenceNumber, timestamp, ssrc } = after;
        Object.assign(view, { marker, payloadType, sequenceNumber, timestamp, ssrc });
        expect(bytes).toEqual(write({ ...before, marker, payloadType, sequenceNumber, timestamp, ssrc }));
      }),
    );
  });

  it('overwrites an element of the same length, and no other', () => {
    const fields = {
      marker: false,
      payloadType: 96,
      sequenceNumber: 1,
      timestamp: 2,
      ssrc: 3,
      payload: new Uint8Array(4),
    };
    const list = [
      { id: 1, data: Uint8Array.of(9) },
      { id: 5, data: Uint8Array.of(1, 2, 3) },
    ];
    const bytes = write({ ...fields, ...writeExtensionElements(list) });
    const view = new RtpPacketView();
    view.look(bytes);
    expect(view.writeElement(5, 0xaabbcc, 3)).toBe(true);
    expect(view.writeElement(5, 0, 2)).toBe(false);
    expect(view.writeElement(7, 0, 3)).toBe(false);
    const changed = [list[0]!, { id: 5, data: Uint8Array.of(0xaa, 0xbb, 0xcc) }];
    expect(bytes).toEqual(write({ ...fields, ...writeExtensionElements(changed) }));
  });

  it.each([
    ['one-byte', 3],
    ['two-byte', 20],
  ])('renumbers elements in %s form, and clears those without a new number', (_, lastId) => {
    const fields = {
      marker: false,
      payloadType: 96,
      sequenceNumber: 1,
      timestamp: 2,
      ssrc: 3,
      payload: new Uint8Array(4),
    };
    const list = [
      { id: 1, data: Uint8Array.of(9) },
      { id: 2, data: Uint8Array.of(1, 2, 3) },
      { id: lastId, data: Uint8Array.of(7, 7) },
    ];
    const bytes = write({ ...fields, ...writeExtensionElements(list) });
    const view = new RtpPacketView();
    view.look(bytes);
    view.renumberElements(
      new Map([
        [1, 8],
        [lastId, 1],
      ]),
    );
    const elements = readExtensionElements(parseRtpPacket(bytes)!);
    expect(elements.map(({ id, data }) => [id, [...data]])).toEqual([
      [8, [9]],
      [1, [7, 7]],
    ]);
  });
});
