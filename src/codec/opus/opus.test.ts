import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOpusHead, writeOpusHead } from './opus-head.ts';
import { isOpusPacketStereo, opusPacketDurationUs } from './opus-packet.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('OpusHead', () => {
  it('reads the head libopus wrote', () => {
    const bytes = hex('4f707573486561640102380180bb0000000000');
    const head = { channels: 2, preSkip: 312, inputSampleRate: 48_000, outputGain: 0, mappingFamily: 0 };
    expect(parseOpusHead(bytes)).toEqual(head);
    expect(writeOpusHead(head)).toEqual(bytes);
  });

  it('is the same after writing and parsing', () => {
    const base = {
      preSkip: fc.nat(65_535),
      inputSampleRate: fc.nat(0xffff_ffff),
      outputGain: fc.integer({ min: -32_768, max: 32_767 }),
    };
    const simple = fc.record({ ...base, channels: fc.constantFrom(1, 2), mappingFamily: fc.constant(0) });
    const mapped = fc.integer({ min: 1, max: 255 }).chain((channels) =>
      fc.record({
        ...base,
        channels: fc.constant(channels),
        mappingFamily: fc.integer({ min: 1, max: 255 }),
        mapping: fc.record({
          streamCount: fc.integer({ min: 128, max: 255 }),
          coupledCount: fc.nat(128),
          mapping: fc.array(fc.nat(255), { minLength: channels, maxLength: channels }),
        }),
      }),
    );
    fc.assert(
      fc.property(fc.oneof(simple, mapped), (head) => {
        expect(parseOpusHead(writeOpusHead(head))).toEqual(head);
      }),
    );
  });

  it.each([
    ['another magic', '4f707573546167730102380180bb0000000000'],
    ['a cut', '4f707573486561640102380180bb00000000'],
    ['major version 1', '4f707573486561641002380180bb0000000000'],
    ['no channels', '4f707573486561640100380180bb0000000000'],
    ['three channels in family 0', '4f707573486561640103380180bb0000000000'],
    ['a cut mapping', '4f707573486561640106380180bb00000000010402000401'],
    ['more coupled streams than streams', '4f707573486561640102380180bb000000000101020001'],
  ])('is refused with %s', (_name, text) => {
    expect(parseOpusHead(hex(text))).toBeUndefined();
  });
});

describe('opusPacketDurationUs', () => {
  it.each([
    ['00', 10_000],
    ['18', 60_000],
    ['60', 10_000],
    ['68', 20_000],
    ['80', 2_500],
    ['fc', 20_000],
    ['fd', 40_000],
    ['fe', 40_000],
    ['ff06', 120_000],
    ['8330', 120_000],
  ])('%s lasts %d', (text, expected) => {
    expect(opusPacketDurationUs(hex(text))).toBe(expected);
  });

  it.each([
    ['nothing', ''],
    ['code 3 alone', 'ff'],
    ['no frames', 'ff00'],
    ['140 ms', 'ff07'],
    ['63 frames of 60 ms', '1b3f'],
  ])('refuses %s', (_name, text) => {
    expect(opusPacketDurationUs(hex(text))).toBeUndefined();
  });

  it('tells stereo', () => {
    expect(isOpusPacketStereo(hex('fc'))).toBe(true);
    expect(isOpusPacketStereo(hex('f8'))).toBe(false);
  });
});
