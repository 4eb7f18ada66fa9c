import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { fromHexadecimal, toHexadecimal } from '../../wire/hexadecimal.ts';
import { type ExtendedReport, MAX_EXTENDED_REPORT_BLOCKS, parseExtendedReport } from './rtcp-extended-report.ts';
import { parseRtcp, writeRtcp } from './rtcp-packet.ts';

const report: ExtendedReport = {
  type: 'extended-report',
  ssrc: 0x01020304,
  blocks: [
    { type: 'receiver-reference-time', ntpSeconds: 0xe0000001, ntpFraction: 0x80000000 },
    { type: 'dlrr', entries: [{ ssrc: 5, lastReceiverReport: 0x00018000, delaySinceLast: 65_536 }] },
  ],
};
const HEX = '80cf0008 01020304 04000002 e000000180000000 05000003 000000050001800000010000'.replaceAll(' ', '');

describe('extended reports', () => {
  it('are laid out as RFC 3611 §2, §4.4 and §4.5 draw them, and read as they were', () => {
    const out = new ByteWriter();
    writeRtcp(report, out);
    const bytes = out.finish();
    expect(toHexadecimal(bytes)).toBe(HEX);
    expect(parseRtcp(bytes, { reducedSize: true })).toEqual({ packets: [report], skipped: 0, isMalformed: false });
  });

  it('may have blocks of other kinds, which are passed over', () => {
    const bytes = fromHexadecimal(`00000009 07000001 01020304 ${HEX.slice(16, 40)}`.replaceAll(' ', ''))!;
    expect(parseExtendedReport(bytes)?.blocks).toEqual([report.blocks[0]]);
  });

  it.each([
    ['no SSRC', '0102'],
    ['half a block header', '00000009 0400'],
    ['a block beyond the end', '00000009 04000002 e0000001'],
    ['a reference time too short', '00000009 04000001 e0000001'],
  ])('with %s are not taken', (_, hex) => {
    expect(parseExtendedReport(fromHexadecimal(hex.replaceAll(' ', ''))!)).toBeUndefined();
  });

  it('give no more blocks than the limit', () => {
    const empty = '05000000'.repeat(200);
    expect(parseExtendedReport(fromHexadecimal(`00000001${empty}`)!)?.blocks).toHaveLength(MAX_EXTENDED_REPORT_BLOCKS);
  });
});
