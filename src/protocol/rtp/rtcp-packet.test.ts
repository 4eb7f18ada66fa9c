import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { isRtcp, MAX_COMPOUND_PACKETS, parseRtcp, type RtcpPacket, writeRtcp } from './rtcp-packet.ts';
import type { ReportBlock } from './rtcp-report.ts';
import { SDES_ITEM } from './rtcp-source-description.ts';

const u8 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 255 });
const u32 = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** 32 - 1 });
const words = (): fc.Arbitrary<Uint8Array> =>
  fc.array(u8(), { maxLength: 10 }).map((bytes) => Uint8Array.from(bytes.flatMap((byte) => [byte, 0, 1, 2])));
const text = (): fc.Arbitrary<string> => fc.string({ unit: 'grapheme', maxLength: 12 });

const block: fc.Arbitrary<ReportBlock> = fc.record({
  ssrc: u32(),
  fractionLost: u8(),
  packetsLost: fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
  highestSequenceNumber: u32(),
  jitter: u32(),
  lastSr: u32(),
  delaySinceLastSr: u32(),
});
const blocks = fc.array(block, { maxLength: 31 });

const packet: fc.Arbitrary<RtcpPacket> = fc.oneof(
  fc.record({
    type: fc.constant('sender-report' as const),
    ssrc: u32(),
    ntpSeconds: u32(),
    ntpFraction: u32(),
    rtpTimestamp: u32(),
    packetCount: u32(),
    octetCount: u32(),
    reports: blocks,
  }),
  fc.record({ type: fc.constant('receiver-report' as const), ssrc: u32(), reports: blocks }),
  fc.record({
    type: fc.constant('source-description' as const),
    chunks: fc.array(
      fc.record({
        ssrc: u32(),
        items: fc.array(fc.record({ type: fc.integer({ min: 1, max: 255 }), text: text() }), { maxLength: 4 }),
      }),
      { maxLength: 31 },
    ),
  }),
  fc.record(
    {
      type: fc.constant('goodbye' as const),
      ssrcs: fc.array(u32(), { maxLength: 31 }),
      reason: text(),
    },
    { requiredKeys: ['type', 'ssrcs'] },
  ),
  fc.record({
    type: fc.constant('application-defined' as const),
    subtype: fc.integer({ min: 0, max: 31 }),
    ssrc: u32(),
    name: fc.string({ minLength: 4, maxLength: 4 }),
    data: words(),
  }),
  fc.record({
    type: fc.constantFrom('transport-feedback' as const, 'payload-feedback' as const),
    messageType: fc.integer({ min: 0, max: 31 }),
    senderSsrc: u32(),
    mediaSsrc: u32(),
    controlInformation: words(),
  }),
);

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

const EMPTY_RR = '80c90001 00000001';

describe('RTCP packets', () => {
  it('are laid out as RFC 3550 §6 draws them', () => {
    const out = new ByteWriter();
    const report = {
      ssrc: 0x80000002,
      fractionLost: 128,
      packetsLost: -2,
      highestSequenceNumber: 0x1ffff,
      jitter: 3,
      lastSr: 4,
      delaySinceLastSr: 5,
    };
    writeRtcp(
      {
        type: 'sender-report',
        ssrc: 1,
        ntpSeconds: 0xe0000000,
        ntpFraction: 0x80000000,
        rtpTimestamp: 9,
        packetCount: 10,
        octetCount: 11,
        reports: [report],
      },
      out,
    );
    writeRtcp(
      { type: 'source-description', chunks: [{ ssrc: 1, items: [{ type: SDES_ITEM.cname, text: 'a@b' }] }] },
      out,
    );
    writeRtcp({ type: 'goodbye', ssrcs: [1], reason: 'end' }, out);
    writeRtcp({ type: 'application-defined', subtype: 2, ssrc: 1, name: 'quiz', data: Uint8Array.of(1, 2, 3, 4) }, out);
    expect(out.finish()).toEqual(
      bytesOf(
        `81c8000c 00000001 e0000000 80000000 00000009 0000000a 0000000b
         80000002 80fffffe 0001ffff 00000003 00000004 00000005
         81ca0003 00000001 01036140 62000000
         81cb0002 00000001 03656e64
         82cc0003 00000001 7175697a 01020304`.replaceAll(/\s/g, ''),
      ),
    );
  });

  it('come back from what was written, one by one and as a compound', () => {
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 5 }), (packets) => {
        const out = new ByteWriter();
        for (const one of packets) writeRtcp(one, out);
        const options = { reducedSize: true };
        expect(parseRtcp(out.finish(), options)).toEqual({ packets, skipped: 0, isMalformed: false });
      }),
    );
  });

  it('are told from any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        for (let at = 0; at + 4 < noise.length; at += 16) {
          noise[at] = 0x80 | (noise[at]! & 0x3f);
          noise[at + 1] = 200 + (noise[at + 1]! % 8);
          noise[at + 2] = 0;
          noise[at + 3] = 3;
        }
        const { packets, skipped } = parseRtcp(noise, { reducedSize: true });
        expect(packets.length + skipped).toBeLessThanOrEqual(noise.length / 4);
      }),
    );
  });

  it('of a compound are no more than the limit', () => {
    const many = bytesOf(EMPTY_RR.repeat(40));
    expect(parseRtcp(many).packets).toHaveLength(MAX_COMPOUND_PACKETS);
  });

  it('must begin with a report unless reduced size is allowed', () => {
    const pli = bytesOf('81ce0002 00000001 00000002');
    expect(parseRtcp(pli)).toEqual({ packets: [], skipped: 0, isMalformed: true });
    expect(parseRtcp(pli, { reducedSize: true }).packets).toHaveLength(1);
  });

  it('of unknown types are skipped by their length', () => {
    const { packets, skipped, isMalformed } = parseRtcp(bytesOf(`${EMPTY_RR} 80d10001 00000001 81cb0001 00000007`));
    expect(packets.map(({ type }) => type)).toEqual(['receiver-report', 'goodbye']);
    expect({ skipped, isMalformed }).toEqual({ skipped: 1, isMalformed: false });
  });

  it.each([
    ['nothing', '', 0],
    ['a length beyond the end', `${EMPTY_RR} 81cb0002 00000007`, 1],
    ['another version', `${EMPTY_RR} 41cb0001 00000007`, 1],
    ['fewer blocks than counted, and going on behind', `81c90001 00000001 81cb0001 00000007`, 1],
    ['fewer sources than counted', `${EMPTY_RR} 82cb0001 00000007`, 1],
    ['a report without its source', '80c90000', 0],
    ['an APP without a name', `${EMPTY_RR} 80cc0001 00000001`, 1],
    ['an item that is cut off', `${EMPTY_RR} 81ca0002 00000001 01ff6162`, 1],
    ['padding that is no whole word', `${EMPTY_RR} a1cb0002 00000007 00000003`, 1],
    ['more padding than there is', `${EMPTY_RR} a1cb0002 00000007 00000010`, 1],
  ])('with %s are malformed, and what fits is kept', (_fact, hex, kept) => {
    const { packets, isMalformed } = parseRtcp(bytesOf(hex));
    expect(packets).toHaveLength(kept);
    expect(isMalformed).toBe(true);
  });

  it.each([
    ['padding', `${EMPTY_RR} a1cb0002 00000007 00000004`, { type: 'goodbye', ssrcs: [7] }],
    ['a reason cut off', `${EMPTY_RR} 81cb0002 00000007 ff616263`, { type: 'goodbye', ssrcs: [7] }],
    [
      'a chunk that ends with the packet',
      `${EMPTY_RR} 81ca0002 00000007 01026162`,
      { type: 'source-description', chunks: [{ ssrc: 7, items: [{ type: 1, text: 'ab' }] }] },
    ],
  ])('with %s are understood', (_fact, hex, expected) => {
    const { packets, isMalformed } = parseRtcp(bytesOf(hex));
    expect(packets[1]).toEqual(expected);
    expect(isMalformed).toBe(false);
  });

  it.each([
    [
      '32 blocks',
      'rtcp/too-many',
      { type: 'receiver-report', ssrc: 1, reports: Array.from({ length: 32 }, () => ({})) },
    ],
    ['32 sources', 'rtcp/too-many', { type: 'goodbye', ssrcs: Array.from({ length: 32 }, () => 1) }],
    ['a reason of 256 bytes', 'rtcp/bad-value', { type: 'goodbye', ssrcs: [], reason: 'x'.repeat(256) }],
    [
      'an item of 256 bytes',
      'rtcp/bad-value',
      { type: 'source-description', chunks: [{ ssrc: 1, items: [{ type: 1, text: 'é'.repeat(128) }] }] },
    ],
    [
      'a name of three characters',
      'rtcp/bad-value',
      { type: 'application-defined', subtype: 0, ssrc: 1, name: 'abc', data: new Uint8Array(0) },
    ],
    [
      'data of three bytes',
      'rtcp/bad-value',
      { type: 'application-defined', subtype: 0, ssrc: 1, name: 'abcd', data: new Uint8Array(3) },
    ],
  ])('with %s are not written', (_fact, code, one) => {
    expect(() => writeRtcp(one as RtcpPacket, new ByteWriter())).toThrow(expect.objectContaining({ code }));
  });
});

describe('isRtcp', () => {
  it.each([
    ['80c8', true],
    ['80ce', true],
    ['80bf', false],
    ['80e0', false],
    ['8060', false],
    ['40c8', false],
  ])('tells of %s… that it is RTCP: %s', (start, expected) => {
    expect(isRtcp(bytesOf(`${start}0001`))).toBe(expected);
    expect(isRtcp(bytesOf(start))).toBe(false);
  });
});
