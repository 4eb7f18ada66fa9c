import { describe, expect, it } from 'vitest';
import { toNtpTime } from '../../wire/ntp-time.ts';
import { ReceptionStatistics } from './reception-statistics.ts';

const RATE = 90_000;
const STARTS = [0, 1, 32_767, 32_768, 65_535];

function statisticsOf(indexes: readonly number[]): ReceptionStatistics {
  const statistics = new ReceptionStatistics(7, RATE);
  for (const index of indexes) statistics.receive(index & 0xffff, (index * 900) >>> 0, index * 10);
  return statistics;
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

describe('reception statistics', () => {
  it('report nothing before the first packet', () => {
    expect(new ReceptionStatistics(7, RATE).takeReportBlock(0)).toBeUndefined();
  });

  it.each(STARTS)('count wraps from %d', (start) => {
    const statistics = statisticsOf(range(start, 70_000));
    expect(statistics.takeReportBlock(0)).toEqual({
      ssrc: 7,
      fractionLost: 0,
      packetsLost: 0,
      highestSequenceNumber: start + 69_999,
      jitter: 0,
      lastSr: 0,
      delaySinceLastSr: 0,
    });
  });

  it.each(STARTS)('tell loss in all and since the report before, from %d', (start) => {
    const statistics = statisticsOf(range(start, 100).filter((_, i) => i % 4 !== 1));
    // The first packet begins the count, so 25 of 100 are missing.
    expect(statistics.takeReportBlock(0)).toMatchObject({ fractionLost: 64, packetsLost: 25 });
    for (const index of range(start + 100, 50)) statistics.receive(index & 0xffff, (index * 900) >>> 0, index * 10);
    expect(statistics.takeReportBlock(0)).toMatchObject({ fractionLost: 0, packetsLost: 25 });
    statistics.receive((start + 249) & 0xffff, ((start + 249) * 900) >>> 0, (start + 249) * 10);
    expect(statistics.takeReportBlock(0)).toMatchObject({ fractionLost: 253, packetsLost: 124 });
  });

  it('count duplicates as received, so that loss can be negative (§A.3)', () => {
    const statistics = statisticsOf([0, 1, 1, 2, 2, 3]);
    expect(statistics.lost).toBe(-2);
    expect(statistics.takeReportBlock(0)).toMatchObject({ fractionLost: 0, packetsLost: -2 });
  });

  it('take packets in any order', () => {
    const statistics = statisticsOf([0, 3, 1, 2, 5, 4]);
    expect(statistics.takeReportBlock(0)).toMatchObject({ packetsLost: 0, highestSequenceNumber: 5 });
  });

  it('begin anew when two packets in a row lie far off, not for one (§A.1)', () => {
    const statistics = statisticsOf([...range(0, 10), 30_000, 10]);
    expect(statistics.takeReportBlock(0)).toMatchObject({ highestSequenceNumber: 10, packetsLost: 0 });
    for (const index of range(40_000, 5)) statistics.receive(index, index * 900, index * 10);
    expect(statistics.takeReportBlock(0)).toMatchObject({ highestSequenceNumber: 40_004, packetsLost: 0 });
    expect(statistics.received).toBe(4);
  });

  it('estimate jitter as §A.8 does', () => {
    const statistics = new ReceptionStatistics(7, 8000);
    let expected = 0;
    let transit: number | undefined;
    for (let i = 0; i < 500; i++) {
      const arrivalMs = i * 20 + ((i * 7) % 5);
      // Timestamps near their wrap make no difference.
      statistics.receive(i, (0xffff_f000 + i * 160) >>> 0, arrivalMs);
      const now = arrivalMs * 8 - i * 160;
      if (transit !== undefined) expected += (Math.abs(now - transit) - expected) / 16;
      transit = now;
    }
    expect(statistics.jitter).toBe(Math.round(expected));
    expect(statistics.jitter).toBeGreaterThan(0);
  });

  it('refer to the newest sender report and how long ago it came', () => {
    const statistics = statisticsOf([0]);
    const time = toNtpTime(Date.UTC(2026, 0, 1) + 500);
    statistics.receiveSenderReport(time, 1000);
    expect(statistics.takeReportBlock(3500)).toMatchObject({
      lastSr: ((time.ntpSeconds & 0xffff) * 65_536 + 0x8000) >>> 0,
      delaySinceLastSr: Math.round(2.5 * 65_536),
    });
  });
});
