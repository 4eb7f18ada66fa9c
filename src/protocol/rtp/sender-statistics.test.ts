import { describe, expect, it } from 'vitest';
import { ntpMiddle, ntpToUs, toNtpTime } from '../../wire/ntp-time.ts';
import { SenderStatistics } from './sender-statistics.ts';

describe('sender statistics', () => {
  it('report what was sent at the moment given', () => {
    const statistics = new SenderStatistics(9);
    statistics.sent(3, 3000);
    statistics.sent(1, 17);
    expect(statistics.report({ ntpSeconds: 1, ntpFraction: 2 }, 2 ** 32 + 5)).toEqual({
      type: 'sender-report',
      ssrc: 9,
      ntpSeconds: 1,
      ntpFraction: 2,
      rtpTimestamp: 5,
      packetCount: 4,
      octetCount: 3017,
      reports: [],
    });
  });

  it('wrap their counts at 32 bits', () => {
    const statistics = new SenderStatistics(9);
    statistics.sent(2 ** 32 + 1, 2 ** 33 + 2);
    const report = statistics.report({ ntpSeconds: 0, ntpFraction: 0 }, 0);
    expect([report.packetCount, report.octetCount]).toEqual([1, 2]);
    expect([statistics.packets, statistics.payloadBytes]).toEqual([2 ** 32 + 1, 2 ** 33 + 2]);
  });
});

describe('NTP time', () => {
  it.each([
    ['the Unix era', 0, 2_208_988_800, 0],
    ['half a second', 500, 2_208_988_800, 0x8000_0000],
    ['a day of the RFC', Date.UTC(1991, 5, 10), 2_885_500_800, 0],
    ['behind the wrap of 2036', Date.UTC(2036, 1, 7, 6, 28, 17), 1, 0],
  ])('is right for %s', (_fact, unixMs, ntpSeconds, ntpFraction) => {
    expect(toNtpTime(unixMs)).toEqual({ ntpSeconds, ntpFraction });
  });

  it('keeps microseconds', () => {
    expect(ntpToUs(toNtpTime(1_700_000_000_123.456)) % 1_000_000).toBe(123_456);
  });

  it('has a middle that reports refer to', () => {
    expect(ntpMiddle({ ntpSeconds: 0x1234abcd, ntpFraction: 0xef012345 })).toBe(0xabcdef01);
  });
});
