import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import {
  isPictureLossIndication,
  MAX_FIR_ENTRIES,
  MAX_NACKED_PACKETS,
  nackedPacketCount,
  type RtcpFeedback,
  readFullIntraRequest,
  readNack,
  writeFullIntraRequest,
  writeNack,
  writePictureLossIndication,
} from './rtcp-feedback.ts';
import { parseRtcp } from './rtcp-packet.ts';

const PARTIES = { senderSsrc: 1, mediaSsrc: 2 };

function feedbackOf(write: (out: ByteWriter) => void): RtcpFeedback {
  const out = new ByteWriter();
  write(out);
  return parseRtcp(out.finish(), { reducedSize: true }).packets[0] as RtcpFeedback;
}

describe('generic NACK', () => {
  it.each([0, 1, 32_767, 32_768, 65_535])('counts from %d over the wrap', (start) => {
    const wanted = [0, 1, 2, 16, 17, 40].map((step) => (start + step) % 65_536);
    const feedback = feedbackOf((out) => writeNack(PARTIES, wanted, out));
    expect(feedback).toMatchObject({ type: 'transport-feedback', messageType: 1, ...PARTIES });
    expect(feedback.controlInformation).toHaveLength(12);
    expect(readNack(feedback)).toEqual(wanted);
  });

  it('keeps any numbers in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 65_535 }), { maxLength: 60 }), (wanted) => {
        const feedback = feedbackOf((out) => writeNack(PARTIES, wanted, out));
        expect(readNack(feedback)).toEqual(wanted);
        expect(nackedPacketCount(feedback)).toBe(wanted.length);
      }),
    );
  });

  it('asks for no more than the limit, whatever its size', () => {
    const controlInformation = new Uint8Array(60_000).fill(0xff);
    const nack = { type: 'transport-feedback', messageType: 1, ...PARTIES, controlInformation } as const;
    const wanted = readNack(nack) ?? [];
    expect(wanted.length).toBeGreaterThan(MAX_NACKED_PACKETS - 17);
    expect(wanted.length).toBeLessThanOrEqual(MAX_NACKED_PACKETS);
  });
});

describe('picture loss indication', () => {
  it('is a packet of its own kind', () => {
    const pli = feedbackOf((out) => writePictureLossIndication(PARTIES, out));
    expect(isPictureLossIndication(pli)).toBe(true);
    expect(pli).toMatchObject(PARTIES);
    expect(readNack(pli)).toBeUndefined();
    expect(nackedPacketCount(pli)).toBeUndefined();
    expect(readFullIntraRequest(pli)).toBeUndefined();
  });
});

describe('full intra request', () => {
  it('names sources and the number of the request', () => {
    const entries = [
      { ssrc: 0xffffffff, sequenceNumber: 255 },
      { ssrc: 2, sequenceNumber: 0 },
    ];
    const fir = feedbackOf((out) => writeFullIntraRequest(9, entries, out));
    expect(fir).toMatchObject({ type: 'payload-feedback', messageType: 4, senderSsrc: 9, mediaSsrc: 0 });
    expect(readFullIntraRequest(fir)).toEqual(entries);
    expect(isPictureLossIndication(fir)).toBe(false);
  });

  it('is read up to a limit', () => {
    const controlInformation = new Uint8Array(8 * 1000);
    const fir = { type: 'payload-feedback', messageType: 4, ...PARTIES, controlInformation } as const;
    expect(readFullIntraRequest(fir)).toHaveLength(MAX_FIR_ENTRIES);
  });
});
