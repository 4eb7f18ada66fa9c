import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateError } from '../../wire/errors.ts';
import { parseRtpPacket, type RtpPacketFields, rtpPacketSize, writeRtpPacket } from './rtp-packet.ts';

const u32 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** 32 - 1 });

const fields: fc.Arbitrary<RtpPacketFields> = fc.record({
  marker: fc.boolean(),
  payloadType: fc.integer({ min: 0, max: 127 }),
  sequenceNumber: fc.integer({ min: 0, max: 65_535 }),
  timestamp: u32(),
  ssrc: u32(),
  payload: fc.uint8Array({ maxLength: 40 }),
  csrcs: fc.array(u32(), { maxLength: 15 }),
  extensionProfile: fc.integer({ min: 0, max: 65_535 }),
  extension: fc.option(fc.uint8Array({ maxLength: 24 }), { nil: undefined }),
  paddingBytes: fc.integer({ min: 0, max: 255 }),
});

function write(packet: RtpPacketFields): Uint8Array {
  const out = new Uint8Array(rtpPacketSize(packet));
  expect(writeRtpPacket(packet, out)).toBe(out.length);
  return out;
}

const PLAIN: RtpPacketFields = {
  marker: true,
  payloadType: 96,
  sequenceNumber: 0x1234,
  timestamp: 0xfedcba98,
  ssrc: 0x80000001,
  payload: Uint8Array.of(1, 2, 3),
};

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

describe('RTP packets', () => {
  it('are laid out as RFC 3550 §5.1 draws them', () => {
    expect(write(PLAIN)).toEqual(bytesOf('80 e0 1234 fedcba98 80000001 010203'));
    const full = { ...PLAIN, marker: false, csrcs: [7], extensionProfile: 0xbede, extension: Uint8Array.of(0x10, 5) };
    expect(write({ ...full, paddingBytes: 5 })).toEqual(
      bytesOf('b1 60 1234 fedcba98 80000001 00000007 bede0001 10050000 010203 0000000005'),
    );
  });

  it('come back from what was written', () => {
    fc.assert(
      fc.property(fields, (packet) => {
        const { extension, extensionProfile, ...rest } = packet;
        const parsed = parseRtpPacket(write(packet));
        expect(parsed).toMatchObject(rest);
        expect(parsed?.extension === undefined).toBe(extension === undefined);
        if (extension === undefined) return;
        expect(parsed?.extensionProfile).toBe(extensionProfile);
        expect(parsed?.extension?.length).toBe(4 * Math.ceil(extension.length / 4));
        expect(parsed?.extension?.subarray(0, extension.length)).toEqual(extension);
      }),
    );
  });

  it('are told from any bytes without throwing, and have views within them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (noise, versioned) => {
        if (versioned && noise.length > 0) noise[0] = 0x80 | (noise[0]! & 0x3f);
        const packet = parseRtpPacket(noise);
        if (packet === undefined) return;
        expect(packet.payload.length + packet.paddingBytes + 12).toBeLessThanOrEqual(noise.length);
        expect(packet.payload.buffer).toBe(noise.buffer);
      }),
    );
  });

  it.each([
    ['are shorter than a header', '80 60 0001 00000000 000000'],
    ['have version 1', '40 60 0001 00000000 00000001'],
    ['end within the contributing sources', '82 60 0001 00000000 00000001 00000002'],
    ["end within the extension's header", '90 60 0001 00000000 00000001 bede'],
    ["end within the extension's data", '90 60 0001 00000000 00000001 bede0001 0000'],
    ['have a padding count of 0', 'a0 60 0001 00000000 00000001 00'],
    ['have more padding than payload', 'a0 60 0001 00000000 00000001 02'],
    ['should have padding but have no byte for its count', 'a0 60 0001 00000000 00000001'],
  ])('are refused when they %s', (_fact, hex) => {
    expect(parseRtpPacket(bytesOf(hex))).toBeUndefined();
  });

  it('may be all padding', () => {
    const packet = parseRtpPacket(bytesOf('a0 60 0001 00000000 00000001 0002'));
    expect(packet).toMatchObject({ paddingBytes: 2, payload: new Uint8Array(0) });
  });

  it('are written at an offset, leaving what is around', () => {
    const out = new Uint8Array(24).fill(0xaa);
    expect(writeRtpPacket(PLAIN, out, 4)).toBe(19);
    expect([...out.subarray(0, 4), ...out.subarray(19)]).toEqual(Array.from({ length: 9 }, () => 0xaa));
    expect(parseRtpPacket(out.subarray(4, 19))).toMatchObject(PLAIN);
  });

  it.each([
    ['rtp/no-room', PLAIN, 14],
    ['rtp/too-many-sources', { ...PLAIN, csrcs: Array.from({ length: 16 }, () => 1) }, 200],
    ['rtp/bad-extension', { ...PLAIN, extension: new Uint8Array(4 * 65_536) }, 300_000],
  ])('that cannot be are refused with %s', (code, packet, roomBytes) => {
    const work = (): unknown => writeRtpPacket(packet, new Uint8Array(roomBytes));
    expect(work).toThrow(StateError);
    expect(work).toThrow(expect.objectContaining({ code }));
  });
});

describe('a packet in a Node buffer', () => {
  it('has parts whose copies outlast the buffer', () => {
    const out = new Uint8Array(64);
    const end = writeRtpPacket({ ...PLAIN, payload: Uint8Array.of(7, 8, 9) }, out);
    const buffer = Buffer.from(out.subarray(0, end));
    const kept = parseRtpPacket(buffer)!.payload.slice();
    buffer.fill(0);
    expect(kept).toEqual(Uint8Array.of(7, 8, 9));
  });
});
