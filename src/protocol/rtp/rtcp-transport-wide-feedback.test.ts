import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { fromHexadecimal, toHexadecimal } from '../../wire/hexadecimal.ts';
import type { RtcpFeedback } from './rtcp-feedback.ts';
import { parseRtcp } from './rtcp-packet.ts';
import {
  MAX_TRANSPORT_WIDE_PACKETS,
  readTransportWideFeedback,
  type TransportWideFeedback,
  transportWidePacketCount,
  writeTransportWideFeedback,
} from './rtcp-transport-wide-feedback.ts';

const parties = { senderSsrc: 1, mediaSsrc: 2 };

function write(feedback: TransportWideFeedback): Uint8Array {
  const out = new ByteWriter();
  writeTransportWideFeedback(parties, feedback, out);
  return out.finish();
}

function read(bytes: Uint8Array): TransportWideFeedback | undefined {
  const { packets, isMalformed } = parseRtcp(bytes, { reducedSize: true });
  expect([packets.length, isMalformed]).toEqual([1, false]);
  return readTransportWideFeedback(packets[0] as RtcpFeedback);
}

function readInformation(hex: string): TransportWideFeedback | undefined {
  const controlInformation = fromHexadecimal(hex.replaceAll(' ', ''))!;
  return readTransportWideFeedback({ type: 'transport-feedback', messageType: 15, ...parties, controlInformation });
}

describe('transport-wide feedback', () => {
  it.each<[string, readonly (number | undefined)[], string]>([
    ['one packet', [64_000], '8fcd0005 00000001 00000002 0010 0001 000001 07 2001 00 00'],
    ['small and large deltas', [64_250, 64_000], '8fcd0006 00000001 00000002 0010 0002 000001 07 d800 01 ffff 000000'],
  ])('of %s is written as the draft draws it', (_, arrivalsUs, hex) => {
    const feedback = { baseSequenceNumber: 16, feedbackCount: 7, arrivalsUs };
    expect(toHexadecimal(write(feedback))).toBe(hex.replaceAll(' ', ''));
    expect(read(write(feedback))).toEqual(feedback);
  });

  it('is read from each kind of chunk', () => {
    // Run of 3 small deltas; vector of one-bit symbols; vector of two-bit symbols.
    expect(readInformation('0005 0003 000002 01 2003 01 02 03')?.arrivalsUs).toEqual([128_250, 128_750, 129_500]);
    expect(readInformation('0005 0003 000000 01 a800 04 08 00')?.arrivalsUs).toEqual([1000, undefined, 3000]);
    expect(readInformation('0005 0003 000000 01 d800 04 fffe 00')?.arrivalsUs).toEqual([1000, 500, undefined]);
  });

  it.each([
    ['afcd0007 00000001 1a1f1a60 95be 0008 08626d 00 2008 54020000 39000000 0002', 8],
    ['afcd0005 00000001 33a4c56f ba03 0001 086274 05 2001 ad 01', 1],
    ['afcd0006 00000001 33a4c56f ba04 0003 086274 06 2003 b10100 000003', 3],
  ])('of Chromium is read, whose padding is no whole word: %s', (hex, count) => {
    const feedback = read(fromHexadecimal(hex.replaceAll(' ', ''))!);
    expect(feedback?.arrivalsUs).toHaveLength(count);
    const { packets } = parseRtcp(fromHexadecimal(hex.replaceAll(' ', ''))!, { reducedSize: true });
    expect(transportWidePacketCount(packets[0] as RtcpFeedback)).toBe(count);
    expect(feedback?.arrivalsUs).not.toContain(undefined);
  });

  it('comes back from what was written', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 255 }) },
      { weight: 1, arbitrary: fc.integer({ min: -300, max: 32_767 }) },
      { weight: 3, arbitrary: fc.constant(undefined) },
    );
    const feedbacks = fc.record({
      baseSequenceNumber: fc.nat(65_535),
      feedbackCount: fc.nat(255),
      steps: fc.array(step, { minLength: 1, maxLength: 120 }),
      runs: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      start: fc.nat(1_000_000),
    });
    fc.assert(
      fc.property(feedbacks, ({ steps, runs, start, ...rest }) => {
        let tick = start * 256 + 300;
        const arrivalsUs = steps
          .flatMap((one, i) => Array.from({ length: runs[i % runs.length]! }, () => one))
          .map((delta) => {
            if (delta === undefined) return undefined;
            tick = Math.max(tick + delta, 0);
            return tick * 250;
          });
        fc.pre(arrivalsUs.some((arrivalUs) => arrivalUs !== undefined));
        expect(read(write({ ...rest, arrivalsUs }))).toEqual({ ...rest, arrivalsUs });
      }),
    );
  });

  it('rounds arrivals to 250 µs without adding the roundings up', () => {
    const arrivalsUs = Array.from({ length: 200 }, (_, i) => 1_000_000 + i * 333);
    const read250 = read(write({ baseSequenceNumber: 0, feedbackCount: 0, arrivalsUs }))!.arrivalsUs;
    for (const [i, arrivalUs] of arrivalsUs.entries())
      expect(Math.abs(arrivalUs - read250[i]!)).toBeLessThanOrEqual(125);
  });

  it('wraps the reference time after 2^24 × 64 ms', () => {
    const wrapUs = 2 ** 24 * 64_000;
    const { arrivalsUs } = read(write({ baseSequenceNumber: 0, feedbackCount: 0, arrivalsUs: [wrapUs + 64_000] }))!;
    expect(arrivalsUs).toEqual([64_000]);
  });

  it.each([
    ['nothing received', [undefined, undefined], 'rtcp/bad-value'],
    ['packets too far apart', [0, 8_192_000], 'rtcp/bad-value'],
    ['too many packets', Array.from({ length: MAX_TRANSPORT_WIDE_PACKETS + 1 }, () => 0), 'rtcp/too-many'],
  ])('is not written for %s', (_, arrivalsUs, code) => {
    expect(() => write({ baseSequenceNumber: 0, feedbackCount: 0, arrivalsUs })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it.each([
    ['of no packets', '0000 0000 000000 00'],
    ['without a chunk', '0000 0001 000000 00'],
    ['with too few chunks', '0000 0010 000000 00 2003 01 02 03'],
    ['with a run of nothing', '0000 0010 000000 00 2000 0000'],
    ['with too few deltas', '0000 0004 000000 00 2004 01 02'],
    ['with a reserved symbol', '0000 0001 000000 00 6001 0000'],
    ['of more packets than are read', 'ffff ffff 000000 00 1fff 1fff 1fff 1fff 1fff 1fff 1fff 1fff'],
    ['that is cut', '0000 0001 0000'],
  ])('%s is not taken', (_, hex) => {
    expect(readInformation(hex)).toBeUndefined();
  });
});
