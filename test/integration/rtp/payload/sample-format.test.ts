import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleAudioDetails } from '../../../../src/codec/sample-audio.ts';
import type { AudioCodec, Track } from '../../../../src/codec/track.ts';
import { PCMA_FORMAT, PCMU_FORMAT } from '../../../../src/protocol/rtp/payload/g711.ts';
import { G722_FORMAT } from '../../../../src/protocol/rtp/payload/g722.ts';
import { L8_FORMAT, L16_FORMAT, L20_FORMAT, L24_FORMAT } from '../../../../src/protocol/rtp/payload/linear-pcm.ts';
import type { PayloadFormat } from '../../../../src/protocol/rtp/payload/payload-format.ts';
import { audioMapping, readAudioMapping, readSentUnits, summary } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize, readRtpFile, withLoss } from '../../../rtp-payload-test-kit.ts';

const track = (codec: AudioCodec, sampleRate: number, channels: number): Track => ({
  kind: 'audio',
  trackId: 0,
  codec,
  config: new Uint8Array(0),
  audio: sampleAudioDetails(codec, sampleRate, channels),
});

const FORMATS: readonly (readonly [codec: AudioCodec, format: PayloadFormat, sampleRate: number])[] = [
  ['g711u', PCMU_FORMAT, 8000],
  ['g711a', PCMA_FORMAT, 8000],
  ['g722', G722_FORMAT, 16_000],
  ['l8', L8_FORMAT, 8000],
  ['l16', L16_FORMAT, 44_100],
  ['l20', L20_FORMAT, 48_000],
  ['l24', L24_FORMAT, 48_000],
];

describe('mapping of samples', () => {
  it.each<[AudioCodec, number, number, PayloadFormat, number, string, number, number | undefined]>([
    ['g711u', 8000, 1, PCMU_FORMAT, 0, 'PCMU', 8000, undefined],
    ['g711u', 8000, 2, PCMU_FORMAT, 97, 'PCMU', 8000, 2],
    ['g711u', 16_000, 1, PCMU_FORMAT, 97, 'PCMU', 16_000, undefined],
    ['g711a', 8000, 1, PCMA_FORMAT, 8, 'PCMA', 8000, undefined],
    ['g711a', 48_000, 1, PCMA_FORMAT, 97, 'PCMA', 48_000, undefined],
    ['g722', 16_000, 1, G722_FORMAT, 9, 'G722', 8000, undefined],
    ['l8', 11_025, 2, L8_FORMAT, 97, 'L8', 11_025, 2],
    ['l16', 44_100, 2, L16_FORMAT, 10, 'L16', 44_100, 2],
    ['l16', 44_100, 1, L16_FORMAT, 11, 'L16', 44_100, undefined],
    ['l16', 48_000, 2, L16_FORMAT, 97, 'L16', 48_000, 2],
    ['l20', 48_000, 6, L20_FORMAT, 97, 'L20', 48_000, 6],
    ['l24', 96_000, 1, L24_FORMAT, 97, 'L24', 96_000, undefined],
  ])(
    'of %s at %i Hz with %i channels',
    (codec, rate, count, format, payloadType, encodingName, clockRate, channels) => {
      const mapping = format.toMapping(track(codec, rate, count), 97)!;
      expect({ ...mapping, parameters: mapping.parameters.size }).toEqual({
        payloadType,
        encodingName,
        clockRate,
        channels,
        parameters: 0,
      });
      expect(format.toTrack(mapping, 0)).toEqual(track(codec, rate, count));
    },
  );

  it('is none without rate and channels, and for other codecs', () => {
    const { audio: _, ...unknown } = track('l16', 8000, 1);
    expect(L16_FORMAT.toMapping(unknown, 96)).toBeUndefined();
    expect(L16_FORMAT.toMapping(track('l24', 8000, 1), 96)).toBeUndefined();
    expect(L16_FORMAT.toMapping(track('l16', 8000, 65), 96)).toBeUndefined();
    expect(L16_FORMAT.toMapping(track('l16', 0, 1), 96)).toBeUndefined();
    expect(G722_FORMAT.toMapping(track('g722', 16_000, 2), 96)).toBeUndefined();
  });

  it.each([
    ['no rate', audioMapping('L16', 0)],
    ['a rate nobody has', audioMapping('L16', 10_000_000)],
    ['no channels', audioMapping('L16', 8000, 0)],
    ['channels nobody has', audioMapping('L16', 8000, 500)],
  ])('with %s makes no track', (_, mapping) => {
    expect(L16_FORMAT.toTrack(mapping, 0)).toBeUndefined();
  });
});

describe('samples of other programs', () => {
  it.each<[string, PayloadFormat, AudioCodec, number, number]>([
    ['pcmu', PCMU_FORMAT, 'g711u', 8000, 1],
    ['pcma', PCMA_FORMAT, 'g711a', 8000, 1],
    ['g722', G722_FORMAT, 'g722', 16_000, 1],
    ['l16', L16_FORMAT, 'l16', 44_100, 2],
    ['l24', L24_FORMAT, 'l24', 16_000, 2],
  ])('%s come from ffmpeg as they were sent', (name, format, codec, sampleRate, channels) => {
    const mapping = readAudioMapping(`${name}-ffmpeg`);
    expect(format.toTrack(mapping, 0)).toEqual(track(codec, sampleRate, channels));
    const units = depacketize(format.makeDepacketizer(mapping), readRtpFile(`${name}-ffmpeg.rtp`));
    const payload = Buffer.concat(units.map((unit) => unit.payload));
    expect(summary([{ payload }])).toEqual(readSentUnits(`${name}-ffmpeg`));
    // One step of the clock for each sample of L16 and the like, and for each byte of G.722.
    const bytesPerTick = name === 'l16' ? 4 : name === 'l24' ? 6 : 1;
    let expected = units[0]!.timestamp;
    for (const unit of units) {
      expect(Math.abs((unit.timestamp - expected) | 0)).toBeLessThanOrEqual(1);
      expected = (expected + unit.payload.length / bytesPerTick) >>> 0;
    }
  });
});

describe('packets of samples', () => {
  const send = (codec: AudioCodec, format: PayloadFormat, channels: number, bytes: number, maxPayloadSize: number) =>
    packetize(
      format.makePacketizer(track(codec, 8000, channels)),
      [{ payload: new Uint8Array(bytes), isKeyFrame: true }],
      {
        maxPayloadSize,
      },
    ).map((one) => [one.timestamp, one.payload.length, one.marker]);

  it.each<[AudioCodec, PayloadFormat, number, number, number, readonly (readonly [number, number])[]]>([
    [
      'g711u',
      PCMU_FORMAT,
      1,
      25,
      10,
      [
        [0, 10],
        [10, 10],
        [20, 5],
      ],
    ],
    [
      'g711u',
      PCMU_FORMAT,
      2,
      25,
      11,
      [
        [0, 10],
        [5, 10],
        [10, 5],
      ],
    ],
    [
      'g722',
      G722_FORMAT,
      1,
      15,
      10,
      [
        [0, 10],
        [10, 5],
      ],
    ],
    [
      'l16',
      L16_FORMAT,
      2,
      24,
      11,
      [
        [0, 8],
        [2, 8],
        [4, 8],
      ],
    ],
    [
      'l20',
      L20_FORMAT,
      1,
      25,
      12,
      [
        [0, 10],
        [4, 10],
        [8, 5],
      ],
    ],
    [
      'l20',
      L20_FORMAT,
      2,
      25,
      12,
      [
        [0, 10],
        [2, 10],
        [4, 5],
      ],
    ],
    [
      'l24',
      L24_FORMAT,
      1,
      7,
      3,
      [
        [0, 3],
        [1, 3],
        [2, 1],
      ],
    ],
    ['l24', L24_FORMAT, 8, 48, 20, []],
  ])('of %s (%#) are cut between samples', (codec, format, channels, bytes, maxPayloadSize, expected) => {
    const packets = expected.map(([timestamp, size]) => [timestamp, size, false]);
    expect(send(codec, format, channels, bytes, maxPayloadSize)).toEqual(packets);
  });

  it('that end within a sample lose it', () => {
    const depacketizer = L16_FORMAT.makeDepacketizer(audioMapping('L16', 8000, 2));
    const receive = (size: number) =>
      depacketizer
        .receive({ payload: new Uint8Array(size), timestamp: 0, marker: false, afterLoss: false })
        .map((unit) => unit.payload.length);
    expect([receive(9), receive(3), receive(0)]).toEqual([[8], [], []]);
    expect(depacketizer.dropped).toBe(1);
  });

  it.each(FORMATS)('of %s give what was sent, at its time, whatever is lost', (codec, format, sampleRate) => {
    const channels = format === G722_FORMAT ? fc.constant(1) : fc.integer({ min: 1, max: 6 });
    const groups = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        channels,
        groups,
        fc.integer({ min: 30, max: 90 }),
        fc.array(fc.nat(20)),
        (count, list, size, lost) => {
          const input = track(codec, sampleRate, count);
          // Whole groups of samples.
          const units = list.map(
            (bytes) => new Uint8Array(Buffer.concat(Array.from({ length: count * 30 }, () => bytes))),
          );
          const sent = units.map((payload) => ({ payload, isKeyFrame: true }));
          const packets = packetize(format.makePacketizer(input), sent, { maxPayloadSize: size, step: 100_000 });
          const depacketizer = format.makeDepacketizer(format.toMapping(input, 96)!);
          const got = depacketize(
            depacketizer,
            withLoss(packets, (i) => lost.includes(i)),
          );
          expect(got.map((unit) => [unit.timestamp, ...unit.payload])).toEqual(
            packets.filter((_, i) => !lost.includes(i)).map((one) => [one.timestamp, ...one.payload]),
          );
          expect(Buffer.concat(packets.map((one) => one.payload))).toEqual(Buffer.concat(units));
        },
      ),
    );
  });
});
