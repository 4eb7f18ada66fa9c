import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { toHexadecimal } from '../../wire/hexadecimal.ts';
import type { RtcpFeedback } from './rtcp-feedback.ts';
import { parseRtcp } from './rtcp-packet.ts';
import { readReceiverEstimatedBitrate, writeReceiverEstimatedBitrate } from './rtcp-receiver-estimated-bitrate.ts';

function write(bitrateBps: number, ssrcs: readonly number[]): Uint8Array {
  const out = new ByteWriter();
  writeReceiverEstimatedBitrate(0x01020304, { bitrateBps, ssrcs }, out);
  return out.finish();
}

function read(bytes: Uint8Array) {
  return readReceiverEstimatedBitrate(parseRtcp(bytes, { reducedSize: true }).packets[0] as RtcpFeedback);
}

describe('REMB', () => {
  it('is laid out as the draft draws it', () => {
    expect(toHexadecimal(write(1_000_000, [7]))).toBe(
      '8fce00050102030400000000' + '52454d42' + '010bd090' + '00000007',
    );
  });

  it('keeps 18 significant bits', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 45 }), fc.array(fc.nat(2 ** 31), { maxLength: 4 }), (bitrateBps, ssrcs) => {
        const again = read(write(bitrateBps, ssrcs))!;
        expect(again.ssrcs).toEqual(ssrcs);
        expect(again.bitrateBps).toBeLessThanOrEqual(bitrateBps);
        expect(bitrateBps - again.bitrateBps).toBeLessThanOrEqual(bitrateBps / 2 ** 17);
      }),
    );
  });

  it('is a number one can reckon with, whatever the exponent', () => {
    const bytes = write(0, []);
    bytes.set([0xff, 0xff, 0xff], bytes.length - 3);
    expect(Number.isSafeInteger(read(bytes)?.bitrateBps)).toBe(true);
  });

  it('that names more streams than it has is not taken', () => {
    const bytes = write(1000, [1, 2]);
    bytes[16] = 3;
    expect(read(bytes)).toBeUndefined();
  });
});
