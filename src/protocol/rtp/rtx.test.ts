import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeExtensionElements } from './header-extension.ts';
import { parseRtpPacket, rtpPacketSize, writeRtpPacket } from './rtp-packet.ts';
import { RtpPacketView } from './rtp-packet-view.ts';
import { RTX_OVERHEAD_BYTES, restoreRtx, writeRtx } from './rtx.ts';

const fields = {
  marker: true,
  payloadType: 96,
  sequenceNumber: 0xfffe,
  timestamp: 0x12345678,
  ssrc: 0xaabbccdd,
  payload: Uint8Array.of(1, 2, 3),
};

function write(packet: Parameters<typeof writeRtpPacket>[0]): Uint8Array {
  const out = new Uint8Array(rtpPacketSize(packet));
  writeRtpPacket(packet, out);
  return out;
}

function viewOf(bytes: Uint8Array): RtpPacketView {
  const view = new RtpPacketView();
  expect(view.look(bytes)).toBe(true);
  return view;
}

describe('a retransmission', () => {
  it('has the original sequence number in front of the payload (RFC 4588 §4)', () => {
    const packet = write({ ...fields, paddingBytes: 8 });
    const out = new Uint8Array(100);
    const end = writeRtx(viewOf(packet), { payloadType: 97, ssrc: 7, sequenceNumber: 0x0102 }, out, 10);
    expect(parseRtpPacket(out.subarray(10, end))).toEqual({
      ...fields,
      payloadType: 97,
      ssrc: 7,
      sequenceNumber: 0x0102,
      payload: Uint8Array.of(0xff, 0xfe, 1, 2, 3),
      paddingBytes: 0,
      csrcs: [],
      extension: undefined,
      extensionProfile: 0,
    });
  });

  it('becomes what it repeats again', () => {
    const packets = fc.record({
      marker: fc.boolean(),
      sequenceNumber: fc.integer({ min: 0, max: 65_535 }),
      payload: fc.uint8Array({ maxLength: 30 }),
      csrcs: fc.array(fc.nat(1000), { maxLength: 3 }),
      element: fc.option(fc.uint8Array({ minLength: 1, maxLength: 9 })),
    });
    fc.assert(
      fc.property(packets, ({ element, ...rest }) => {
        const extension = element === null ? {} : writeExtensionElements([{ id: 3, data: element }]);
        const packet = write({ ...fields, ...rest, ...extension });
        const out = new Uint8Array(packet.length + RTX_OVERHEAD_BYTES);
        expect(writeRtx(viewOf(packet), { payloadType: 97, ssrc: 7, sequenceNumber: 5 }, out, 0)).toBe(out.length);
        const view = viewOf(out);
        expect(restoreRtx(view, { payloadType: 96, ssrc: fields.ssrc })).toBe(true);
        expect(out.subarray(view.start, view.end)).toEqual(packet);
      }),
    );
  });

  it.each([0, 1])('without an original sequence number, with %i bytes of payload, stays as it was', (sizeBytes) => {
    const bytes = write({ ...fields, payload: new Uint8Array(sizeBytes), paddingBytes: 200 });
    const before = Uint8Array.from(bytes);
    expect(restoreRtx(viewOf(bytes), { payloadType: 96, ssrc: 1 })).toBe(false);
    expect(bytes).toEqual(before);
  });
});
