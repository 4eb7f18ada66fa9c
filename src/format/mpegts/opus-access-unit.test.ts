import { describe, expect, it } from 'vitest';
import { writeOpusHead } from '../../codec/opus/opus-head.ts';
import { ByteReader } from '../../wire/byte-reader.ts';
import { opusChannelConfigCode, readOpusPacket, writeOpusControlHeader } from './opus-access-unit.ts';

describe('Opus control header', () => {
  it.each([1, 254, 255, 256, 510, 1275])('carries a size of %i bytes', (size) => {
    const packet = new Uint8Array(size).fill(7);
    const unit = new Uint8Array(Buffer.concat([writeOpusControlHeader(size), packet]));
    const reader = new ByteReader(unit);
    expect(readOpusPacket(reader)).toEqual(packet);
    expect(reader.remaining).toBe(0);
  });

  it('reads over trimming and extension', () => {
    const unit = Uint8Array.of(0x7f, 0xfc, 2, 0, 9, 0, 8, 1, 0xee, 0xaa, 0xbb);
    expect(readOpusPacket(new ByteReader(unit))).toEqual(Uint8Array.of(0xaa, 0xbb));
  });

  it.each([[[0x7f]], [[0x7f, 0xe0, 5, 1]], [[0x7f, 0xe0, 255]], [[0x7f, 0xe0, 0]], [[0x12, 0x34, 1, 1]]])(
    'refuses %j',
    (unit) => {
      expect(readOpusPacket(new ByteReader(Uint8Array.from(unit)))).toBeUndefined();
    },
  );
});

describe('opusChannelConfigCode', () => {
  const head = { preSkip: 312, inputSampleRate: 48_000, outputGain: 0 };
  const mapping = { streamCount: 4, coupledCount: 2, mapping: [0, 4, 1, 2, 3, 5] };

  it.each([
    ['mono', writeOpusHead({ ...head, channels: 1, mappingFamily: 0 }), 1],
    ['stereo', writeOpusHead({ ...head, channels: 2, mappingFamily: 0 }), 2],
    ['5.1 in Vorbis order', writeOpusHead({ ...head, channels: 6, mappingFamily: 1, mapping }), 6],
    ['no head', new Uint8Array(0), 2],
    ['separate channels', writeOpusHead({ ...head, channels: 6, mappingFamily: 255, mapping }), undefined],
  ])('knows %s', (_, input, code) => {
    expect(opusChannelConfigCode(input)).toBe(code);
  });
});
