import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExtensionElement, readExtensionElements, writeExtensionElements } from '../header-extension.ts';
import { parseRtpPacket, type RtpPacket, type RtpPacketFields, rtpPacketSize, writeRtpPacket } from '../rtp-packet.ts';
import { RtpPacketView } from '../rtp-packet-view.ts';
import {
  HeaderExtensionWriter,
  type HeaderExtensionWriterOptions,
  MAX_OWN_ELEMENTS,
} from './header-extension-writer.ts';

const elements = fc.uniqueArray(
  fc.record({ id: fc.integer({ min: 1, max: 20 }), data: fc.uint8Array({ minLength: 1, maxLength: 18 }) }),
  { maxLength: 6, selector: ({ id }) => id },
);
const own = [
  { id: 1, data: Uint8Array.of(0x61) },
  { id: 2, data: new Uint8Array(3) },
];

function packet(list: readonly ExtensionElement[], more: Partial<RtpPacketFields> = {}): Uint8Array {
  const fields: RtpPacketFields = {
    marker: true,
    payloadType: 96,
    sequenceNumber: 65_535,
    timestamp: 7,
    ssrc: 8,
    payload: Uint8Array.of(1, 2, 3),
    ...(list.length > 0 && writeExtensionElements(list)),
    ...more,
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  return bytes;
}

/** The packet as the writer forwards it, and where it put its own elements. */
function forward(
  bytes: Uint8Array,
  writer: HeaderExtensionWriter,
  at = 5,
): { readonly packet: RtpPacket; readonly out: Uint8Array } {
  const view = new RtpPacketView();
  expect(view.look(bytes)).toBe(true);
  const out = new Uint8Array(600).fill(0xa5);
  const payloadAt = writer.write(view, out, at);
  expect(payloadAt).toBeGreaterThan(at);
  out.set(bytes.subarray(view.payloadStart, view.payloadEnd), payloadAt);
  return { packet: parseRtpPacket(out.slice(at, payloadAt + view.payloadBytes))!, out };
}

function make(options: Partial<HeaderExtensionWriterOptions>): HeaderExtensionWriter {
  return new HeaderExtensionWriter({ ids: new Map(), own: [], ...options });
}

describe('HeaderExtensionWriter', () => {
  it('puts its own elements first and keeps chosen ones under new ids', () => {
    const bytes = packet([
      { id: 3, data: Uint8Array.of(9) },
      { id: 4, data: Uint8Array.of(8, 7) },
    ]);
    const writer = make({ ids: new Map([[4, 11]]), own });
    const forwarded = forward(bytes, writer);
    expect(readExtensionElements(forwarded.packet)).toEqual([...own, { id: 11, data: Uint8Array.of(8, 7) }]);
    expect(forwarded.packet).toMatchObject({ marker: true, payloadType: 96, sequenceNumber: 65_535, ssrc: 8 });
    expect(forwarded.packet.payload).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('tells where its own elements lie', () => {
    const writer = make({ own });
    const { out } = forward(packet([]), writer, 9);
    expect(out[writer.ownDataOffset(0)]).toBe(0x61);
    expect([...out.subarray(writer.ownDataOffset(1), writer.ownDataOffset(1) + 3)]).toEqual([0, 0, 0]);
    expect(writer.ownDataOffset(2)).toBe(-1);
  });

  it('keeps contributing sources and drops padding', () => {
    const bytes = packet([], { csrcs: [5, 6], paddingBytes: 9 });
    const { packet: again } = forward(bytes, make({ own }));
    expect(again).toMatchObject({ csrcs: [5, 6], paddingBytes: 0 });
  });

  it('writes no extension when nothing is left', () => {
    const { packet: again } = forward(packet([{ id: 3, data: Uint8Array.of(9) }]), make({}));
    expect(again.extension).toBeUndefined();
  });

  it('takes the two-byte form for elements that want it, where it is allowed', () => {
    const long = { id: 3, data: new Uint8Array(40).fill(3) };
    const options = { ids: new Map([[3, 200]]), own };
    const mixed = forward(packet([long]), make({ ...options, allowTwoByte: true })).packet;
    expect(readExtensionElements(mixed)).toEqual([...own, { id: 200, data: long.data }]);
    expect(readExtensionElements(forward(packet([long]), make(options)).packet)).toEqual(own);
  });

  it('replaces the data of a kept element once', () => {
    const writer = make({ ids: new Map([[3, 4]]), own });
    const bytes = packet([{ id: 3, data: Uint8Array.of(9) }]);
    writer.replaceNext(3, Uint8Array.of(0, 1, 2, 3), 1, 3);
    expect(readExtensionElements(forward(bytes, writer).packet)[2]).toEqual({ id: 4, data: Uint8Array.of(1, 2, 3) });
    expect(readExtensionElements(forward(bytes, writer).packet)[2]).toEqual({ id: 4, data: Uint8Array.of(9) });
  });

  it('replaces with data that wants the two-byte form', () => {
    const writer = make({ ids: new Map([[3, 4]]), own, allowTwoByte: true });
    const data = new Uint8Array(90).fill(7);
    writer.replaceNext(3, data, 0, data.length);
    const forwarded = forward(packet([{ id: 3, data: Uint8Array.of(9) }]), writer);
    expect(readExtensionElements(forwarded.packet)[2]).toEqual({ id: 4, data });
  });

  it('replaces data also when a later element wants the two-byte form', () => {
    const writer = make({
      ids: new Map([
        [3, 4],
        [5, 5],
      ]),
      allowTwoByte: true,
    });
    const long = { id: 5, data: new Uint8Array(40) };
    writer.replaceNext(3, Uint8Array.of(7), 0, 1);
    const forwarded = forward(packet([{ id: 3, data: Uint8Array.of(9) }, long]), writer);
    expect(readExtensionElements(forwarded.packet)).toEqual([{ id: 4, data: Uint8Array.of(7) }, long]);
  });

  it('lets its own elements win', () => {
    const { packet: again } = forward(
      packet([{ id: 9, data: Uint8Array.of(9) }]),
      make({ ids: new Map([[9, 1]]), own }),
    );
    expect(readExtensionElements(again)).toEqual(own);
  });

  it.each([
    ['too many', { own: Array.from({ length: MAX_OWN_ELEMENTS + 1 }, () => own[0]!) }],
    ['an id only the two-byte form has', { own: [{ id: 15, data: Uint8Array.of(1) }] }],
    ['data only the two-byte form has', { own: [{ id: 1, data: new Uint8Array(17) }] }],
    ['empty data', { own: [{ id: 1, data: new Uint8Array(0) }], allowTwoByte: true }],
    ['id 0', { own: [{ id: 0, data: new Uint8Array(1) }], allowTwoByte: true }],
  ])('refuses own elements: %s', (_, options) => {
    expect(() => make(options)).toThrow(expect.objectContaining({ code: 'rtp/bad-extension' }));
  });

  it('forwards exactly the kept elements of any packet, or tells that there is no room', () => {
    fc.assert(
      fc.property(elements, fc.uniqueArray(fc.integer({ min: 1, max: 20 })), fc.nat(200), (list, kept, room) => {
        const writer = make({ ids: new Map(kept.map((id) => [id, id + 20])), own, allowTwoByte: true });
        const bytes = packet(list);
        const expected = list.filter(({ id }) => kept.includes(id)).map(({ id, data }) => ({ id: id + 20, data }));
        expect(readExtensionElements(forward(bytes, writer).packet)).toEqual([...own, ...expected]);
        const view = new RtpPacketView();
        view.look(bytes);
        const out = new Uint8Array(room);
        const end = writer.write(view, out, 0);
        if (end >= 0) expect(end + view.payloadBytes).toBeLessThanOrEqual(room);
      }),
    );
  });
});
