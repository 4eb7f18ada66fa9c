import { describe, expect, it } from 'vitest';
import type { ReportBlock } from '../../../src/protocol/rtp/rtcp-report.ts';
import { MAX_STORED_PACKETS } from '../../../src/sfu/streams/packet-store.ts';
import { RetransmissionBuffer } from '../../../src/sfu/streams/retransmission-buffer.ts';
import {
  DEFAULT_RTT_MS,
  MIN_RESEND_INTERVAL_MS,
  NUMBERS_PER_PACKET,
  RESENDS_PER_PACKET,
  SentStream,
} from '../../../src/sfu/streams/sent-stream.ts';
import type { StreamParameters } from '../../../src/sfu/streams/stream-parameters.ts';
import { ntpMiddle, toNtpTime } from '../../../src/wire/ntp-time.ts';
import { PLAIN_STREAM, RTX_STREAM } from './stream-kit.ts';

const START_MS = 1_700_000_000_000;

function blockOf(fields: Partial<ReportBlock>): ReportBlock {
  return {
    ssrc: 1111,
    fractionLost: 0,
    packetsLost: 0,
    highestSequenceNumber: 0,
    jitter: 0,
    lastSr: 0,
    delaySinceLastSr: 0,
    ...fields,
  };
}

function streamWithBuffer(params: StreamParameters = RTX_STREAM): SentStream {
  return new SentStream(params, { buffer: new RetransmissionBuffer(2000), firstRtxSequenceNumber: 0xffff });
}

describe('SentStream', () => {
  it('has stats of exactly the names there are', () => {
    const stream = new SentStream(RTX_STREAM);
    stream.sent(1000, 980, 0, 0);
    expect(stream.stats(0)).toEqual({
      type: 'outbound-rtp',
      timestamp: 0,
      ssrc: 1111,
      rtxSsrc: 2222,
      kind: 'video',
      mimeType: 'video/VP8',
      packetsLost: 0,
      fractionLost: 0,
      jitter: 0,
      packetsDiscarded: 0,
      packetsRetransmitted: 0,
      packetsRepaired: 0,
      nackCount: 0,
      nackPacketCount: 0,
      pliCount: 0,
      firCount: 0,
      rtxPacketsDiscarded: 0,
      score: 10,
      packetCount: 1,
      byteCount: 1000,
      bitrate: 8000,
    });
  });

  it('answers one who asks for everything all the time no more than in proportion to what it sent', () => {
    const stream = streamWithBuffer();
    const now = toNtpTime(START_MS);
    // A receiver that says that there is no round trip at all.
    stream.receiveReport(blockOf({ lastSr: ntpMiddle(now) }), now);
    let answers = 0;
    const packets = 4000;
    for (let i = 0; i < packets; i++) {
      stream.buffer!.add(i & 0xffff, i, 0, 0, i);
      stream.sent(1000, 980, 0, i);
      for (let asked = Math.max(0, i - 100); asked <= i; asked++) {
        if (stream.answer(asked & 0xffff, i) === 'allowed') answers++;
      }
    }
    expect(answers).toBeGreaterThan(RESENDS_PER_PACKET * packets);
    expect(answers).toBeLessThanOrEqual(RESENDS_PER_PACKET * packets + MAX_STORED_PACKETS);
    expect(stream.answer((packets - 1) & 0xffff, packets + MIN_RESEND_INTERVAL_MS)).toBe('too-many');
  });

  it('does not look at more numbers than could be asked for of what it sent', () => {
    const stream = streamWithBuffer();
    let numbers = 0;
    while (stream.mayAsk(1000)) numbers += 1000;
    expect(numbers).toBe(NUMBERS_PER_PACKET * MAX_STORED_PACKETS);
    for (let i = 0; i < 100; i++) stream.sent(1000, 980, i, i);
    expect([stream.mayAsk(1000), stream.mayAsk(17)]).toEqual([true, false]);
  });

  it('answers for a packet once in a round trip, until one is measured in 100 ms', () => {
    const stream = streamWithBuffer();
    stream.buffer!.add(5, 77, 90, 3, 0);
    stream.receiveNack(2);
    expect([stream.answer(5, 10), stream.buffer!.storeIndex]).toEqual(['allowed', 77]);
    expect(stream.answer(6, 10)).toBe('unknown');
    expect(stream.answer(5, 10 + DEFAULT_RTT_MS)).toBe('too-soon');
    expect(stream.answer(5, 11 + DEFAULT_RTT_MS)).toBe('allowed');
    expect(stream.stats(0)).toMatchObject({ nackCount: 1, nackPacketCount: 2, packetsRepaired: 1 });
    stream.receiveReport(blockOf({ lastSr: ntpMiddle(toNtpTime(START_MS)) }), toNtpTime(START_MS + 500));
    expect(stream.rttMs).toBeCloseTo(500, 0);
    expect(stream.answer(5, 600)).toBe('too-soon');
    expect(stream.answer(5, 612)).toBe('allowed');
  });

  it.each([
    ['has no buffer', new SentStream(RTX_STREAM)],
    ['may not be asked', streamWithBuffer({ ...RTX_STREAM, useNack: false })],
  ])('answers for nothing when it %s', (_, stream) => {
    expect(stream.answer(5, 10)).toBe('unknown');
  });

  it('forgets what was sent when it is paused', () => {
    const stream = streamWithBuffer();
    stream.buffer!.add(5, 77, 90, 3, 0);
    stream.pause();
    expect(stream.answer(5, 10)).toBe('unknown');
  });

  it('counts RTX packets on their own', () => {
    const stream = streamWithBuffer();
    expect([stream.takeRtxSequenceNumber(), stream.takeRtxSequenceNumber(), stream.hasRtx]).toEqual([0xffff, 0, true]);
    stream.sent(1000, 900, 0, 0);
    stream.resent(500, 400, 0);
    expect(stream.stats(0)).toMatchObject({ packetCount: 1, byteCount: 1000, packetsRetransmitted: 1 });
    expect([stream.rtxRate.packets, stream.rtxRate.bytes]).toEqual([1, 500]);
    expect(stream.senderReports(toNtpTime(START_MS), 0)).toMatchObject([
      { ssrc: 1111, packetCount: 1, octetCount: 900 },
      { ssrc: 2222, packetCount: 1, octetCount: 400 },
    ]);
  });

  it('reports plain retransmissions as what it sent', () => {
    const stream = streamWithBuffer(PLAIN_STREAM);
    stream.sent(1000, 900, 0, 0);
    stream.resent(1000, 900, 0);
    expect(stream.senderReports(toNtpTime(START_MS), 0)).toMatchObject([{ packetCount: 2, octetCount: 1800 }]);
  });

  it('runs the media clock on from the newest packet in its reports', () => {
    const stream = new SentStream(RTX_STREAM);
    expect(stream.senderReports(toNtpTime(START_MS), 0)).toEqual([]);
    stream.sent(100, 80, 0xffff_ffff, 1000);
    stream.sent(100, 80, 0xffff_f000, 1010);
    const now = toNtpTime(START_MS);
    expect(stream.senderReports(now, 1500)).toMatchObject([{ ...now, rtpTimestamp: 44_999 }]);
    expect(stream.begins(0x8000_0000, 2000)).toBe(true);
    stream.sent(100, 80, 0x8000_0000, 2000);
    expect(stream.senderReports(now, 2000)).toMatchObject([{ rtpTimestamp: 0x8000_0000 }]);
  });

  it('scores by what is reported lost', () => {
    const stream = new SentStream(RTX_STREAM);
    for (let i = 0; i < 100; i++) stream.sent(100, 80, i, i);
    stream.receiveReport(blockOf({ packetsLost: 10, fractionLost: 25, jitter: 33 }), toNtpTime(START_MS));
    expect(stream.stats(0)).toMatchObject({ packetsLost: 10, fractionLost: 25, jitter: 33, score: 7 });
    expect(stream.lossFraction).toBeCloseTo(0.1, 2);
    stream.receiveReport(blockOf({ packetsLost: 500 }), toNtpTime(START_MS));
    expect(stream.stats(0).packetsLost).toBe(100);
    stream.receiveReport(blockOf({ packetsLost: -5 }), toNtpTime(START_MS));
    expect(stream.stats(0).packetsLost).toBe(0);
  });

  it('takes only the round trip from reports of its RTX stream', () => {
    const stream = new SentStream(RTX_STREAM);
    const lastSr = ntpMiddle(toNtpTime(START_MS));
    const block = blockOf({ ssrc: 2222, packetsLost: 10, lastSr, delaySinceLastSr: 65_536 });
    stream.receiveReport(block, toNtpTime(START_MS + 1040));
    expect(stream.rttMs).toBeCloseTo(40, 0);
    expect(stream.stats(0).packetsLost).toBe(0);
  });

  it('answers a reference time once', () => {
    const stream = new SentStream(RTX_STREAM);
    expect(stream.takeDlrr(9, 0)).toBeUndefined();
    const reference = toNtpTime(START_MS);
    stream.receiveReferenceTime(reference, 1000);
    const entry = { ssrc: 9, lastReceiverReport: ntpMiddle(reference), delaySinceLast: 32_768 };
    expect(stream.takeDlrr(9, 1500)).toEqual(entry);
    expect(stream.takeDlrr(9, 1500)).toBeUndefined();
  });

  it('counts requests for key frames', () => {
    const stream = new SentStream(RTX_STREAM);
    stream.receivePli();
    stream.receiveFir();
    stream.receiveFir();
    expect(stream.stats(0)).toMatchObject({ pliCount: 1, firCount: 2 });
    expect(stream.dump().params).toEqual(RTX_STREAM);
  });
});
