import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import { AC3_FORMAT, EAC3_FORMAT } from '../../../../src/protocol/rtp/payload/ac3.ts';
import type { DepacketizedUnit, RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import type { PayloadFormat } from '../../../../src/protocol/rtp/payload/payload-format.ts';
import { audioMapping, readAudioMapping, readSentUnits, summary } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize, readRtpFile, withLoss } from '../../../rtp-payload-test-kit.ts';

const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const key = ({ timestamp, payload }: Pick<DepacketizedUnit, 'timestamp' | 'payload'>): string =>
  `${timestamp}:${hexOf(payload)}`;

/** AC-3 of 32 kbit/s at 48 kHz, stereo: 128 bytes. */
function ac3(fill: number): Uint8Array {
  const frame = new Uint8Array(128).fill(fill);
  frame.set([0x0b, 0x77, 0, 0, 0x00, 0x40, 0x40]);
  return frame;
}

/** E-AC-3 at 48 kHz, stereo, six blocks: `size` bytes, independent or dependent. */
function eac3(fill: number, size = 100, streamType = 0): Uint8Array {
  const frame = new Uint8Array(size).fill(fill);
  const words = size / 2 - 1;
  frame.set([0x0b, 0x77, (streamType << 6) | (words >>> 8), words & 255, 0x34, 0x80]);
  return frame;
}

const join = (...frames: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(frames));
const audio = { sampleRate: 48_000, channels: 2, profile: '', codecString: '' };
const TRACKS: Readonly<Record<'ac3' | 'eac3', Track>> = {
  ac3: { kind: 'audio', trackId: 0, codec: 'ac3', config: new Uint8Array(0), audio },
  eac3: { kind: 'audio', trackId: 0, codec: 'eac3', config: new Uint8Array(0), audio },
};
const unit = (payload: Uint8Array): { payload: Uint8Array; isKeyFrame: boolean } => ({ payload, isKeyFrame: true });
const packet = (data: Uint8Array, more: Partial<RtpPayload> = {}): RtpPayload => ({
  payload: data,
  timestamp: 0,
  marker: true,
  afterLoss: false,
  ...more,
});

describe('mapping of AC-3 and E-AC-3', () => {
  it.each([
    ['ac3', 'AC3', AC3_FORMAT],
    ['eac3', 'EAC3', EAC3_FORMAT],
  ] as const)('of %s is %s with its sample rate', (codec, encodingName, format) => {
    const mapping = format.toMapping(TRACKS[codec], 98)!;
    expect(mapping).toMatchObject({ payloadType: 98, encodingName, clockRate: 48_000, channels: 2 });
    expect(format.toTrack(mapping, 1)).toEqual({ kind: 'audio', trackId: 1, codec, config: new Uint8Array(0) });
  });

  it('is none for a track whose rate is not known yet, and for the other codec', () => {
    const { audio: _, ...unknown } = TRACKS.ac3;
    expect(AC3_FORMAT.toMapping(unknown, 96)).toBeUndefined();
    expect(AC3_FORMAT.toMapping(TRACKS.eac3, 96)).toBeUndefined();
    expect(EAC3_FORMAT.toTrack(audioMapping('AC3', 48_000), 0)).toBeUndefined();
    expect(AC3_FORMAT.toTrack(audioMapping('AC3', 0), 0)).toBeUndefined();
  });
});

describe('AC-3 of other programs', () => {
  it.each(['ac3-gstreamer', 'ac3-gstreamer-parts'])('comes out of %s as it was sent', (name) => {
    const depacketizer = AC3_FORMAT.makeDepacketizer(readAudioMapping(name));
    const units = depacketize(depacketizer, readRtpFile(`${name}.rtp`));
    expect(summary(units)).toEqual(readSentUnits(name));
    expect(depacketizer.dropped).toBe(0);
    const steps = units.slice(1).map((one, i) => (one.timestamp - units[i]!.timestamp) >>> 0);
    expect(steps.every((step) => Math.abs(step - 1536) <= 1)).toBe(true);
  });
});

describe('Ac3Packetizer', () => {
  const heads = (format: PayloadFormat, track: Track, payload: Uint8Array, maxPayloadSize: number): unknown[] =>
    packetize(format.makePacketizer(track), [unit(payload)], { maxPayloadSize }).map((one) => [
      hexOf(one.payload.subarray(0, 2)),
      one.payload.length,
      one.marker,
    ]);

  it('says whether the first part of AC-3 is five eighths of the frame', () => {
    expect(heads(AC3_FORMAT, TRACKS.ac3, ac3(1), 130)).toEqual([['0001', 130, true]]);
    expect(heads(AC3_FORMAT, TRACKS.ac3, ac3(1), 82)).toEqual([
      ['0102', 82, false],
      ['0302', 50, true],
    ]);
    expect(heads(AC3_FORMAT, TRACKS.ac3, ac3(1), 52)).toEqual([
      ['0203', 52, false],
      ['0303', 52, false],
      ['0303', 30, true],
    ]);
  });

  it('says of E-AC-3 only that it is a part', () => {
    expect(heads(EAC3_FORMAT, TRACKS.eac3, eac3(1), 102)).toEqual([['0001', 102, true]]);
    expect(heads(EAC3_FORMAT, TRACKS.eac3, eac3(1), 62)).toEqual([
      ['0102', 62, false],
      ['0102', 42, true],
    ]);
  });

  it('leaves out what takes more parts than can be counted', () => {
    expect(heads(AC3_FORMAT, TRACKS.ac3, new Uint8Array(256), 3)).toEqual([]);
    expect(heads(AC3_FORMAT, TRACKS.ac3, new Uint8Array(0), 30)).toEqual([]);
  });
});

describe('Ac3Depacketizer', () => {
  const receive = (format: PayloadFormat, ...packets: readonly RtpPayload[]): string[] =>
    depacketize(format.makeDepacketizer(audioMapping('', 48_000)), packets).map(key);

  it('gives each frame of a packet its own time', () => {
    const data = join(Uint8Array.of(0, 2), ac3(1), ac3(2));
    expect(receive(AC3_FORMAT, packet(data, { timestamp: 0xffff_ffff }))).toEqual([
      key({ timestamp: 0xffff_ffff, payload: ac3(1) }),
      key({ timestamp: 1535, payload: ac3(2) }),
    ]);
  });

  it('keeps dependent syncframes of E-AC-3 with the one before', () => {
    const data = join(Uint8Array.of(0, 2), eac3(1), eac3(2, 60, 1), eac3(3), eac3(4, 40, 1));
    expect(receive(EAC3_FORMAT, packet(data))).toEqual([
      key({ timestamp: 0, payload: join(eac3(1), eac3(2, 60, 1)) }),
      key({ timestamp: 1536, payload: join(eac3(3), eac3(4, 40, 1)) }),
    ]);
  });

  it.each([
    ['nothing behind the header', Uint8Array.of(0, 1)],
    ['no syncframe', Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8)],
    ['a frame that is cut off', join(Uint8Array.of(0, 1), ac3(1).subarray(0, 100))],
    ['E-AC-3 under the name of AC-3', join(Uint8Array.of(0, 1), eac3(1))],
    ['a part of something unknown', join(Uint8Array.of(3, 2), ac3(1))],
    ['the first of no parts', join(Uint8Array.of(1, 0), ac3(1))],
  ])('drops a packet with %s', (_, data) => {
    const depacketizer = AC3_FORMAT.makeDepacketizer(audioMapping('AC3', 48_000));
    expect(depacketizer.receive(packet(data))).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('drops a frame whose parts do not make one', () => {
    const [first, rest] = packetize(AC3_FORMAT.makePacketizer(TRACKS.ac3), [unit(ac3(1))], { maxPayloadSize: 82 });
    expect(receive(AC3_FORMAT, first!, rest!)).toHaveLength(1);
    expect(receive(AC3_FORMAT, rest!, first!)).toEqual([]);
    expect(receive(AC3_FORMAT, first!, first!, rest!)).toEqual([]);
    expect(receive(AC3_FORMAT, first!, { ...rest!, timestamp: 1 })).toEqual([]);
    expect(receive(AC3_FORMAT, first!, { ...rest!, afterLoss: true })).toEqual([]);
    expect(receive(AC3_FORMAT, { ...first!, marker: true }, rest!)).toEqual([]);
  });
});

describe.each([
  ['AC-3', AC3_FORMAT, TRACKS.ac3, fc.nat(255).map((fill) => ac3(fill))],
  [
    'E-AC-3',
    EAC3_FORMAT,
    TRACKS.eac3,
    fc.tuple(fc.nat(255), fc.integer({ min: 6, max: 90 })).map(([fill, words]) => eac3(fill, words * 2)),
  ],
] as const)('packetizer and depacketizer of %s together', (_, format, track, frames) => {
  const lists = fc.array(frames, { minLength: 1, maxLength: 8 });
  const packets = (list: readonly Uint8Array[], maxPayloadSize: number): RtpPayload[] =>
    packetize(format.makePacketizer(track), list.map(unit), { maxPayloadSize, step: 1536 });
  const known = (list: readonly Uint8Array[]): string[] =>
    list.map((payload, i) => key({ payload, timestamp: i * 1536 }));
  const depacketizer = () => format.makeDepacketizer(audioMapping('', 48_000));

  it('give every frame back', () => {
    fc.assert(
      fc.property(lists, fc.integer({ min: 5, max: 200 }), (list, size) => {
        // The first one in parts might be the end of another, which E-AC-3 does not tell.
        const isFirstUnknown = format === EAC3_FORMAT && list[0]!.length > size - 2;
        expect(depacketize(depacketizer(), packets(list, size)).map(key)).toEqual(
          known(list).slice(isFirstUnknown ? 1 : 0),
        );
      }),
    );
  });

  it('never give a wrong one when packets are lost', () => {
    fc.assert(
      fc.property(
        lists,
        fc.integer({ min: 5, max: 200 }),
        fc.array(fc.nat(40), { maxLength: 6 }),
        (list, size, lost) => {
          const expected = new Set(known(list));
          const received = withLoss(packets(list, size), (i) => lost.includes(i));
          for (const one of depacketize(depacketizer(), received)) expect(expected).toContain(key(one));
        },
      ),
    );
  });
});
