import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinLengthPrefixed, splitAnnexB, splitLengthPrefixed } from '../../../../src/codec/nal-unit.ts';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { H265_FORMAT } from '../../../../src/protocol/rtp/payload/h265-format.ts';
import {
  depacketize,
  mappingOf,
  packetize,
  readFixture,
  readRtpFile,
  readSdpMapping,
  type SentUnit,
  withLoss,
} from '../../../rtp-payload-test-kit.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

const SDP = readSdpMapping('h265-ffmpeg.sdp');
const TRACK: Track = H265_FORMAT.toTrack(SDP, 0)!;
const MAPPING = H265_FORMAT.toMapping(TRACK, 96)!;
const [VPS, SPS, PPS] = ['sprop-vps', 'sprop-sps', 'sprop-pps'].map(
  (name) => new Uint8Array(Buffer.from(SDP.parameters.get(name)!, 'base64')),
) as [Uint8Array, Uint8Array, Uint8Array];

function nalUnit(type: number, size: number, third = 0x80): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => [type << 1, 1, third][i] ?? (i * 7) & 0x7f);
}

function unit(...nalUnits: readonly Uint8Array[]): SentUnit {
  return {
    payload: joinLengthPrefixed(nalUnits, 4),
    isKeyFrame: nalUnits.some((one) => one[0]! >>> 1 >= 16 && one[0]! >>> 1 <= 23),
  };
}

function send(units: readonly SentUnit[], maxPayloadSize: number, inBandConfig = false): RtpPayload[] {
  return packetize(H265_FORMAT.makePacketizer(TRACK, inBandConfig), units, { maxPayloadSize });
}

function packet(hex: string, more: Partial<RtpPayload> = {}): RtpPayload {
  return { payload: bytes(hex), timestamp: 0, marker: true, afterLoss: false, ...more };
}

const shape = (packets: readonly RtpPayload[]): string[] =>
  packets.map((one) => `${one.payload[0]! >>> 1}:${one.payload.length}${one.marker ? ' M' : ''}`);

describe('the packets of H.265', () => {
  it('puts small NAL units that follow each other into one aggregation packet', () => {
    const first = bytes('4c09aabb');
    const second = bytes('020280cc');
    expect(send([unit(first, second)], 1000).map((one) => hexOf(one.payload))).toEqual([
      `6001${'0004'}${hexOf(first)}${'0004'}${hexOf(second)}`,
    ]);
  });

  it('cuts long NAL units into fragmentation units, full but for the last', () => {
    const packets = send([unit(nalUnit(19, 250), nalUnit(1, 60))], 100);
    expect(shape(packets)).toEqual(['49:100', '49:100', '49:57', '1:60 M']);
    expect(packets.slice(0, 3).map((one) => hexOf(one.payload.subarray(0, 3)))).toEqual(['620193', '620113', '620153']);
  });

  it('leaves out NAL units whose type packets use for themselves, and those without a whole header', () => {
    const bad = [48, 49, 50].map((type) => nalUnit(type, 9));
    expect(shape(send([unit(...bad, bytes('02'), nalUnit(62, 9))], 100))).toEqual(['62:9 M']);
  });

  it('puts parameter sets into key frames without them when asked', () => {
    const delimiter = bytes('460150');
    const units = [unit(delimiter, nalUnit(19, 9)), unit(nalUnit(1, 9)), unit(SPS, nalUnit(19, 9))];
    const received = depacketize(H265_FORMAT.makeDepacketizer(MAPPING), send(units, 1000, true));
    const expected = [unit(delimiter, VPS, SPS, PPS, nalUnit(19, 9)), ...units.slice(1)];
    expect(received.map((one) => hexOf(one.payload))).toEqual(expected.map((one) => hexOf(one.payload)));
  });
});

const accessUnits: fc.Arbitrary<SentUnit[]> = fc.array(
  fc
    .record({
      type: fc.constantFrom(0, 1, 8, 19, 20, 21),
      head: fc.array(fc.tuple(fc.constantFrom(35, 39), fc.integer({ min: 2, max: 40 })), { maxLength: 3 }),
      hasSets: fc.boolean(),
      sizes: fc.array(fc.integer({ min: 3, max: 400 }), { minLength: 1, maxLength: 4 }),
      tail: fc.array(fc.constantFrom(36, 38, 40), { maxLength: 1 }),
    })
    .map(({ type, head, hasSets, sizes, tail }) =>
      unit(
        ...head.map(([headType, size]) => nalUnit(headType, size)),
        ...(hasSets ? [VPS, SPS, PPS] : []),
        ...sizes.map((size, i) => nalUnit(type, size, i === 0 ? 0x80 : 0x10)),
        ...tail.map((tailType) => nalUnit(tailType, 2)),
      ),
    ),
  { minLength: 1, maxLength: 12 },
);

describe('H.265 there and back', () => {
  it('gives what was sent, whatever the sizes', () => {
    fc.assert(
      fc.property(
        accessUnits,
        fc.integer({ min: 10, max: 300 }),
        fc.nat(0xffff_ffff),
        (units, maxPayloadSize, timestamp) => {
          const packets = packetize(H265_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize, timestamp });
          const depacketizer = H265_FORMAT.makeDepacketizer(MAPPING);
          expect(depacketize(depacketizer, packets)).toEqual(
            units.map((one, i) => ({ ...one, timestamp: (timestamp + i * 3600) >>> 0 })),
          );
          expect(depacketizer.dropped).toBe(0);
        },
      ),
    );
  });

  it('gives whole pictures only, whichever packets are lost', () => {
    const pictureOf = (payload: Uint8Array): string => {
      const nalUnits = splitLengthPrefixed(payload, 4);
      return nalUnits
        .slice(nalUnits.findIndex((one) => one[0]! >>> 1 < 32))
        .map(hexOf)
        .join();
    };
    fc.assert(
      fc.property(
        accessUnits,
        fc.integer({ min: 10, max: 300 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        fc.boolean(),
        (units, maxPayloadSize, luck, hasMarkers) => {
          const sent = send(units, maxPayloadSize).map((one) => ({ ...one, marker: one.marker && hasMarkers }));
          const packets = withLoss(sent, () => luck.next().value === 0);
          for (const one of depacketize(H265_FORMAT.makeDepacketizer(MAPPING), packets)) {
            const original = units[one.timestamp / 3600]!;
            expect(pictureOf(one.payload)).toBe(pictureOf(original.payload));
            expect(hexOf(original.payload).endsWith(hexOf(one.payload))).toBe(true);
            expect(one.isKeyFrame).toBe(original.isKeyFrame);
          }
        },
      ),
    );
  });
});

describe('H265 depacketizer', () => {
  it.each([
    ['an aggregation packet', '6001 0003 020199 0003 0201aa', '00000003 020199 00000003 0201aa'],
    ['an aggregation packet cut off', '6001 0003 020199 0003 0201', undefined],
    ['an empty aggregation packet', '6001', undefined],
    ['an aggregation packet in another', '6001 0003 600199', undefined],
    ['PACI', '6401 0000 0201', undefined],
    ['half a header', '02', undefined],
    ['a fragment whose beginning is missing', '6201 01 aa', undefined],
    ['a fragment that is first and last', '6201 c1 aa', '00000003 0201aa'],
    ['a fragment without bytes', '6201 81', undefined],
    ['a fragment of a type packets use', '6201 b1 aa', undefined],
  ])('makes the right thing of %s', (_, hex, expected) => {
    const depacketizer = H265_FORMAT.makeDepacketizer(MAPPING);
    const units = depacketize(depacketizer, [packet('020180', { marker: false }), packet(hex)]);
    expect(units.map((one) => hexOf(one.payload))).toEqual(
      expected === undefined ? [] : [`00000003020180${expected.replaceAll(' ', '')}`],
    );
    expect(depacketizer.dropped).toBe(expected === undefined ? 1 : 0);
  });

  it('finds the configuration in the stream', () => {
    const depacketizer = H265_FORMAT.makeDepacketizer(mappingOf('H265'));
    const key = unit(VPS, SPS, PPS, nalUnit(19, 20));
    const units = depacketize(depacketizer, send([key, key], 60));
    expect(units.map((one) => one.config)).toEqual([TRACK.config, undefined]);
  });

  it('reads decoding order numbers, and puts NAL units into their order', () => {
    const mapping = mappingOf('H265', 'sprop-max-don-diff=3;sprop-depack-buf-nalus=2');
    const packets = [
      packet('0201 0002 8002', { timestamp: 200 }),
      packet('6001 0000 0004 02018000 00 0004 02010001', { timestamp: 0 }),
      packet('6201 81 0003 8003', { timestamp: 300 }),
      packet('6201 41 33', { timestamp: 300 }),
      packet('0201 0004 8004', { timestamp: 400 }),
      packet('0201 0005 8005', { timestamp: 500 }),
      packet('0201 0006 8006', { timestamp: 600 }),
    ];
    const units = depacketize(H265_FORMAT.makeDepacketizer(mapping), packets);
    expect(units.map((one) => [one.timestamp, hexOf(one.payload)])).toEqual([
      [0, '0000000402018000' + '0000000402010001'],
      [200, '0000000402018002'],
      [300, '00000005020180' + '0333'],
    ]);
  });

  it('drops packets with decoding order numbers that make no sense', () => {
    const depacketizer = H265_FORMAT.makeDepacketizer(mappingOf('H265', 'sprop-max-don-diff=1'));
    const bad = ['0201 00', '6001', '6001 0000 0009 0201', '6001 0000 0003 600100', '6201 81 0000', '6401 0000 00'];
    expect(
      depacketize(
        depacketizer,
        bad.map((hex) => packet(hex)),
      ),
    ).toEqual([]);
    expect(depacketizer.dropped).toBe(bad.length);
  });
});

describe('H265 in SDP', () => {
  it('names a track by its record', () => {
    expect(TRACK).toMatchObject({ codec: 'h265', video: { width: 96, height: 64 } });
    expect([...MAPPING.parameters]).toEqual([
      ['profile-id', '1'],
      ['tier-flag', '0'],
      ['level-id', '30'],
      ...SDP.parameters,
    ]);
    expect(H265_FORMAT.toTrack(MAPPING, 0)).toEqual(TRACK);
  });

  it('names a track without a record, and no track of another codec', () => {
    expect(H265_FORMAT.toMapping({ ...TRACK, config: new Uint8Array(0) }, 97)!.parameters.size).toBe(0);
    expect(H265_FORMAT.toMapping({ ...TRACK, codec: 'h264' }, 97)).toBeUndefined();
    expect(H265_FORMAT.toTrack(mappingOf('H264'), 0)).toBeUndefined();
    expect(H265_FORMAT.toTrack(mappingOf('h265', 'sprop-sps=*'), 0)!.config).toHaveLength(0);
  });
});

describe('H265 of other programs', () => {
  it.each([
    ['h265-gstreamer', mappingOf('H265'), [48, 49]],
    ['h265-ffmpeg', SDP, [49]],
  ])('is read as it was coded: %s', (name, mapping, types) => {
    const packets = readRtpFile(`${name}.rtp`);
    const seen = new Set(packets.map((one) => one.payload[0]! >>> 1));
    for (const type of types) expect(seen).toContain(type);
    const depacketizer = H265_FORMAT.makeDepacketizer(mapping);
    const units = depacketize(depacketizer, packets);
    expect(depacketizer.dropped).toBe(0);
    const received = units.flatMap((one) => splitLengthPrefixed(one.payload, 4).map(hexOf));
    // ffmpeg writes parameter sets into the file and not into the stream, which has them in its SDP.
    const isSet = (hex: string): boolean => /^4[024]/.test(hex);
    const coded = splitAnnexB(readFixture(`${name}.265`)).map(hexOf);
    expect(received).toEqual(received.some(isSet) ? coded : coded.filter((hex) => !isSet(hex)));
    expect(units).toHaveLength(12);
    expect(units[0]!.isKeyFrame).toBe(true);
    expect(units.filter((one) => one.isKeyFrame)).toHaveLength(2);
  });
});
