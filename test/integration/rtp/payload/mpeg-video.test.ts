import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { MPEG_VIDEO_FORMAT } from '../../../../src/protocol/rtp/payload/mpeg-video-format.ts';
import { joinBytes } from '../../../../src/wire/join-bytes.ts';
import {
  depacketize,
  mappingOf,
  packetize,
  readFixture,
  readRtpFile,
  type SentUnit,
  withLoss,
} from '../../../rtp-payload-test-kit.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

const TRACK: Track = { kind: 'video', trackId: 0, codec: 'mpeg-video', config: new Uint8Array(0) };
const MAPPING = MPEG_VIDEO_FORMAT.toMapping(TRACK, 96)!;

const SEQUENCE = bytes('000001b3 06004013 ffffe010');
const GROUP = bytes('000001b8 00080000');
const END = bytes('000001b7');

type CodingType = 'I' | 'P' | 'B';

/** A picture header with the temporal reference given, f codes of 2 forward and 3 backward. */
function picture(type: CodingType, temporalReference = 5): Uint8Array {
  const typeBits = { I: '001', P: '010', B: '011' }[type];
  const vectors = { I: '', P: '0010', B: '00101011' }[type];
  const bits = `${temporalReference.toString(2).padStart(10, '0')}${typeBits}${'1'.repeat(16)}${vectors}0`;
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  return Uint8Array.from([0, 0, 1, 0, ...padded.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2))]);
}

function slice(row: number, size: number): Uint8Array {
  return Uint8Array.from({ length: 4 + size }, (_, i) => [0, 0, 1, row][i] ?? ((i * 29) & 0x7f) | 0x40);
}

function unit(type: CodingType, ...parts: readonly Uint8Array[]): SentUnit {
  return { payload: joinBytes(parts), isKeyFrame: type === 'I' };
}

function send(units: readonly SentUnit[], maxPayloadSize: number): RtpPayload[] {
  return packetize(MPEG_VIDEO_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize });
}

const headersOf = (packets: readonly RtpPayload[]): unknown[] =>
  packets.map((one) => [hexOf(one.payload.subarray(0, 4)), one.payload.length, one.marker]);

describe('MpegVideoPacketizer', () => {
  it('puts headers and as many whole slices as there is room for into a packet', () => {
    const one = unit('I', SEQUENCE, GROUP, picture('I'), slice(1, 20), slice(2, 20), slice(3, 20), slice(4, 60));
    expect(headersOf(send([one], 90))).toEqual([
      ['00053900', 4 + 12 + 8 + 8 + 48, false],
      ['00051900', 4 + 24, false],
      ['00051900', 4 + 64, true],
    ]);
  });

  it('cuts slices that are too long, and tells beginning and end', () => {
    const one = unit('P', picture('P'), slice(1, 120), slice(2, 8));
    expect(headersOf(send([one], 64))).toEqual([
      ['00051202', 64, false],
      ['00050202', 64, false],
      ['00050a02', 4 + 13, false],
      ['00051a02', 4 + 12, true],
    ]);
  });

  it('tells the vectors of both directions for B pictures, and each of two fields as it is', () => {
    const fields = unit('I', picture('I', 1023), slice(1, 20), picture('B', 1), slice(1, 20));
    expect(headersOf(send([fields], 40))).toEqual([
      ['03ff1900', 36, false],
      ['00011bb2', 4 + 9 + 24, true],
    ]);
  });

  it('sends what has no start codes, and nothing for nothing', () => {
    expect(send([{ payload: bytes('aabbcc'), isKeyFrame: false }], 6).map((one) => hexOf(one.payload))).toEqual([
      '00001000aabb',
      '00000800cc',
    ]);
    expect(send([{ payload: new Uint8Array(0), isKeyFrame: false }], 6)).toEqual([]);
  });
});

const pictures: fc.Arbitrary<SentUnit[]> = fc.array(
  fc
    .record({
      type: fc.constantFrom<CodingType>('I', 'P', 'B'),
      hasSequence: fc.boolean(),
      hasGroup: fc.boolean(),
      sizes: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 }),
      hasEnd: fc.boolean(),
    })
    .map(({ type, hasSequence, hasGroup, sizes, hasEnd }) =>
      unit(
        type,
        ...(hasSequence ? [SEQUENCE] : []),
        ...(hasGroup ? [GROUP] : []),
        picture(type, sizes.length),
        ...sizes.map((size, row) => slice(row + 1, size)),
        ...(hasEnd ? [END] : []),
      ),
    ),
  { minLength: 1, maxLength: 10 },
);

describe('MPEG video there and back', () => {
  it('gives what was sent, whatever the sizes', () => {
    fc.assert(
      fc.property(
        pictures,
        fc.integer({ min: 8, max: 300 }),
        fc.nat(0xffff_ffff),
        (units, maxPayloadSize, timestamp) => {
          const packets = packetize(MPEG_VIDEO_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize, timestamp });
          const depacketizer = MPEG_VIDEO_FORMAT.makeDepacketizer(MAPPING);
          expect(depacketize(depacketizer, packets)).toEqual(
            units.map((one, i) => ({ ...one, timestamp: (timestamp + i * 3600) >>> 0 })),
          );
          expect(depacketizer.dropped).toBe(0);
        },
      ),
    );
  });

  it('gives nothing but what was sent, whichever packets are lost', () => {
    fc.assert(
      fc.property(
        pictures,
        // Headers fit into a packet, as the RFC wants it.
        fc.integer({ min: 40, max: 300 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        fc.boolean(),
        (units, maxPayloadSize, luck, hasMarkers) => {
          const sent = send(units, maxPayloadSize).map((one) => ({ ...one, marker: one.marker && hasMarkers }));
          const packets = withLoss(sent, () => luck.next().value === 0);
          const depacketizer = MPEG_VIDEO_FORMAT.makeDepacketizer(MAPPING);
          for (const { timestamp, payload, isKeyFrame } of depacketize(depacketizer, packets)) {
            expect({ payload, isKeyFrame }).toEqual(units[timestamp / 3600]);
          }
        },
      ),
    );
  });
});

describe('MPEG video depacketizer', () => {
  const whole = hexOf(joinBytes([SEQUENCE, picture('I'), slice(1, 3)]));
  const packet = (hex: string, more: Partial<RtpPayload> = {}): RtpPayload => ({
    payload: bytes(hex),
    timestamp: 0,
    marker: true,
    afterLoss: false,
    ...more,
  });

  it.each([
    ['the header alone', '00003900', whole],
    ['the extension', '04003900 00000000', whole],
    ['the extension with composite display', '04003900 00000001 00000000', whole],
    ['the extension with more of them', '04003900 40000000 02000000 00000000', whole],
    ['the extension with everything', '04003900 40000001 00000000 01000000', whole],
  ])('reads %s', (_, header, expected) => {
    const units = depacketize(MPEG_VIDEO_FORMAT.makeDepacketizer(MAPPING), [packet(header + whole)]);
    expect(units.map((one) => hexOf(one.payload))).toEqual([expected]);
  });

  it.each(['000039', '04003900 0000', '04003900 40000000 ff'])('drops %s, a header cut off', (hex) => {
    const depacketizer = MPEG_VIDEO_FORMAT.makeDepacketizer(MAPPING);
    expect(depacketize(depacketizer, [packet(hex)])).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it.each([
    ['a sequence header', hexOf(SEQUENCE) + hexOf(picture('I')), true],
    ['a group', hexOf(GROUP) + hexOf(picture('I')), true],
    ['a picture of MPEG-1', hexOf(picture('P')) + hexOf(slice(1, 3)), true],
    ['a frame picture', `${hexOf(picture('P'))}000001b5811ff34180${hexOf(slice(1, 3))}`, true],
    ['a field picture, which may be the second', `${hexOf(picture('P'))}000001b5811ff14180`, false],
    ['a slice', hexOf(slice(1, 3)) + hexOf(picture('I')), false],
    ['no start code', `aabb${hexOf(picture('I'))}`, false],
  ])('after a loss begins with %s or does not', (_, hex, begins) => {
    const units = depacketize(MPEG_VIDEO_FORMAT.makeDepacketizer(MAPPING), [
      packet(`00000000${hex}`, { afterLoss: true }),
    ]);
    expect(units).toHaveLength(begins ? 1 : 0);
  });

  it('drops what has no picture or one of no type', () => {
    const depacketizer = MPEG_VIDEO_FORMAT.makeDepacketizer(MAPPING);
    const bad = [packet(`00000000${hexOf(SEQUENCE)}`), packet('00000000 00000100 0000 0000')];
    expect(depacketize(depacketizer, bad)).toEqual([]);
    expect(depacketizer.dropped).toBe(2);
  });

  it.each(['mpeg-video-ffmpeg', 'mpeg-video-gstreamer'])(
    'reads what another program sent as it was coded: %s',
    (name) => {
      const depacketizer = MPEG_VIDEO_FORMAT.makeDepacketizer(MAPPING);
      const units = depacketize(depacketizer, readRtpFile(`${name}.rtp`));
      expect(hexOf(joinBytes(units.map((one) => one.payload)))).toBe(hexOf(readFixture(`${name}.m2v`)));
      expect(units).toHaveLength(12);
      expect(units.filter((one) => one.isKeyFrame).length).toBeGreaterThanOrEqual(2);
      expect(units[0]!.isKeyFrame).toBe(true);
      expect(depacketizer.dropped).toBe(0);
    },
  );

  it('tells types and temporal references as ffmpeg does, who leaves them out for pictures of one packet', () => {
    const theirs = readRtpFile('mpeg-video-ffmpeg.rtp');
    const units = depacketize(MPEG_VIDEO_FORMAT.makeDepacketizer(MAPPING), theirs);
    const picturesOf = (packets: readonly RtpPayload[]): string[] =>
      packets.map((one) => `${one.payload[0]}/${one.payload[1]}/${one.payload[2]! & 7}`);
    const told = picturesOf(theirs).filter((one) => one !== '0/0/0');
    expect(told.length).toBeGreaterThan(10);
    expect(picturesOf(send(units, 228))).toEqual(expect.arrayContaining(told));
  });
});

describe('MPEG video in SDP', () => {
  it('is payload type 32', () => {
    expect(MAPPING).toEqual({ payloadType: 32, encodingName: 'MPV', clockRate: 90_000, parameters: new Map() });
    expect(MPEG_VIDEO_FORMAT.toTrack(mappingOf('mpv'), 4)).toEqual({ ...TRACK, trackId: 4 });
    expect(MPEG_VIDEO_FORMAT.toMapping({ ...TRACK, codec: 'mp4v' }, 96)).toBeUndefined();
    expect(MPEG_VIDEO_FORMAT.toTrack(mappingOf('MPA'), 4)).toBeUndefined();
  });
});
