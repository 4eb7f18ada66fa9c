import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import type { DepacketizedUnit, RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { MPEG_AUDIO_FORMAT } from '../../../../src/protocol/rtp/payload/mpeg-audio.ts';
import { audioMapping, readAudioMapping, readSentUnits, summary } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize, readRtpFile, withLoss } from '../../../rtp-payload-test-kit.ts';

const track = (codec: 'mp2' | 'mp3' | 'aac'): Track => ({
  kind: 'audio',
  trackId: 0,
  codec,
  config: new Uint8Array(0),
});
const MPA = audioMapping('MPA', 90_000);
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** A frame of layer III: 32 or 64 kbit/s at 48 kHz mono, 96 or 192 bytes. */
function layer3(fill: number, index = 1): Uint8Array {
  const frame = new Uint8Array(index === 1 ? 96 : 192).fill(fill);
  frame.set([0xff, 0xfb, index === 1 ? 0x14 : 0x54, 0xc0]);
  return frame;
}

/** A frame of layer II: 32 kbit/s at 48 kHz mono, 96 bytes. */
function layer2(fill: number): Uint8Array {
  const frame = new Uint8Array(96).fill(fill);
  frame.set([0xff, 0xfd, 0x14, 0xc0]);
  return frame;
}

const join = (...frames: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(frames));
const unit = (...frames: readonly Uint8Array[]): { payload: Uint8Array; isKeyFrame: boolean } => ({
  payload: join(...frames),
  isKeyFrame: true,
});
const send = (
  maxPayloadSize: number,
  ...units: readonly { payload: Uint8Array; isKeyFrame: boolean }[]
): RtpPayload[] => packetize(MPEG_AUDIO_FORMAT.makePacketizer(track('mp3')), units, { maxPayloadSize, step: 2160 });
const packet = (data: Uint8Array, more: Partial<RtpPayload> = {}): RtpPayload => ({
  payload: data,
  timestamp: 0,
  marker: false,
  afterLoss: false,
  ...more,
});
const key = ({ timestamp, payload }: Pick<DepacketizedUnit, 'timestamp' | 'payload'>): string =>
  `${timestamp}:${hexOf(payload)}`;

describe('mapping of MPEG audio', () => {
  it.each([
    ['mp2', '2'],
    ['mp3', '3'],
  ] as const)('of %s is payload type 14 with layer %s', (codec, layer) => {
    const mapping = MPEG_AUDIO_FORMAT.toMapping(track(codec), 96)!;
    expect(mapping).toMatchObject({ payloadType: 14, encodingName: 'MPA', clockRate: 90_000 });
    expect(mapping.parameters.get('layer')).toBe(layer);
    expect(MPEG_AUDIO_FORMAT.toTrack(mapping, 0)).toEqual(track(codec));
  });

  it('is not for other codecs, clocks or layers', () => {
    expect(MPEG_AUDIO_FORMAT.toMapping(track('aac'), 96)).toBeUndefined();
    expect(MPEG_AUDIO_FORMAT.toTrack(audioMapping('MPA', 44_100), 0)).toBeUndefined();
    expect(MPEG_AUDIO_FORMAT.toTrack(audioMapping('MPA', 90_000, undefined, 'layer=1'), 0)).toBeUndefined();
    expect(MPEG_AUDIO_FORMAT.toTrack(audioMapping('L16', 90_000), 0)).toBeUndefined();
  });
});

describe('MPEG audio of other programs', () => {
  it.each([
    ['mp3-ffmpeg', 48_000, undefined],
    ['mp3-gstreamer-parts', 48_000, undefined],
    ['mp2-ffmpeg', 44_100, 'mp2'],
    ['mp2-gstreamer', 44_100, 'mp2'],
  ] as const)('comes out of %s as it was sent', (name, sampleRate, codec) => {
    const depacketizer = MPEG_AUDIO_FORMAT.makeDepacketizer(readAudioMapping(name));
    const units = depacketize(depacketizer, readRtpFile(`${name}.rtp`));
    const sent = readSentUnits(name);
    // ffmpeg keeps what does not fill a packet at the end to itself.
    expect(units.length).toBeGreaterThan(name.endsWith('ffmpeg') ? sent.length - 10 : sent.length - 1);
    expect(summary(units)).toEqual(sent.slice(0, units.length));
    expect(depacketizer.dropped).toBe(0);
    expect(units.every((one) => one.codec === codec)).toBe(true);
    const steps = units.slice(1).map((one, i) => (one.timestamp - units[i]!.timestamp) >>> 0);
    expect(steps.every((step) => Math.abs(step - (1152 * 90_000) / sampleRate) < 2)).toBe(true);
  });
});

describe('MpegAudioPacketizer', () => {
  it('puts the frames of a payload into as few packets as hold them', () => {
    const packets = send(200, unit(layer3(1), layer3(2), layer3(3), layer3(4, 5), layer3(5)));
    expect(packets.map((one) => [one.timestamp, hexOf(one.payload.subarray(0, 4)), one.payload.length])).toEqual([
      [0, '00000000', 196],
      [4320, '00000000', 100],
      [6480, '00000000', 196],
      [8640, '00000000', 100],
    ]);
  });

  it('cuts a frame that does not fit', () => {
    const packets = send(104, unit(layer3(1, 5)));
    expect(packets.map((one) => [hexOf(one.payload.subarray(0, 4)), one.payload.length])).toEqual([
      ['00000000', 104],
      ['00000064', 96],
    ]);
  });

  it('never sets the marker', () => {
    expect(send(104, unit(layer3(1, 5)), unit(layer3(1))).some((one) => one.marker)).toBe(false);
  });

  it('leaves out what is longer than an offset can say', () => {
    expect(send(1000, { payload: new Uint8Array(70_000), isKeyFrame: true })).toEqual([]);
  });
});

describe('MpegAudioDepacketizer', () => {
  const receive = (...packets: readonly RtpPayload[]): string[] =>
    depacketize(MPEG_AUDIO_FORMAT.makeDepacketizer(MPA), packets).map(key);

  it('gives each frame its own time, and says what layer it has', () => {
    const units = MPEG_AUDIO_FORMAT.makeDepacketizer(MPA).receive(
      packet(join(new Uint8Array(4), layer3(1), layer2(2)), { timestamp: 0xffff_ffff }),
    );
    expect(units.map(({ timestamp, codec }) => [timestamp, codec])).toEqual([
      [0xffff_ffff, undefined],
      [2159, 'mp2'],
    ]);
  });

  it.each([
    ['nothing behind the header', new Uint8Array(4)],
    ['half a header', new Uint8Array(2)],
    ['no frame', new Uint8Array(40)],
    ['a part of something unknown', Uint8Array.of(0, 0, 0, 9, 1, 2)],
    ['layer I', join(new Uint8Array(4), Uint8Array.of(0xff, 0xff, 0x14, 0xc0))],
  ])('drops a packet with %s', (_, data) => {
    const depacketizer = MPEG_AUDIO_FORMAT.makeDepacketizer(MPA);
    expect(depacketizer.receive(packet(data))).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('drops a frame whose parts do not follow each other', () => {
    const [first, second] = send(104, unit(layer3(1, 5)));
    expect(receive(first!, second!)).toHaveLength(1);
    expect(receive(second!, first!)).toEqual([]);
    expect(receive(first!, { ...second!, afterLoss: true })).toEqual([]);
    expect(receive(first!, first!, second!)).toHaveLength(1);
    expect(receive(first!, second!, second!)).toHaveLength(1);
  });
});

describe('packetizer and depacketizer of MPEG audio together', () => {
  const frame = fc.tuple(fc.nat(255), fc.constantFrom(1, 5)).map(([fill, index]) => layer3(fill, index));
  const payloads = fc.array(fc.array(frame, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });
  const known = (list: readonly (readonly Uint8Array[])[]): string[] =>
    list.flatMap((frames, i) => frames.map((payload, n) => key({ payload, timestamp: i * 8640 + n * 2160 })));
  const packets = (list: readonly (readonly Uint8Array[])[], maxPayloadSize: number): RtpPayload[] =>
    packetize(
      MPEG_AUDIO_FORMAT.makePacketizer(track('mp3')),
      list.map((frames) => unit(...frames)),
      { maxPayloadSize, step: 8640 },
    );

  it('give every frame back', () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 8, max: 600 }), (list, size) => {
        const got = depacketize(MPEG_AUDIO_FORMAT.makeDepacketizer(MPA), packets(list, size));
        expect(got.map(key)).toEqual(known(list));
      }),
    );
  });

  it('never give a wrong one when packets are lost', () => {
    fc.assert(
      fc.property(
        payloads,
        fc.integer({ min: 8, max: 600 }),
        fc.array(fc.nat(40), { maxLength: 6 }),
        (list, size, lost) => {
          const received = withLoss(packets(list, size), (i) => lost.includes(i));
          const expected = new Set(known(list));
          for (const one of depacketize(MPEG_AUDIO_FORMAT.makeDepacketizer(MPA), received))
            expect(expected).toContain(key(one));
        },
      ),
    );
  });
});
