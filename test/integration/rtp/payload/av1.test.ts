import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  av1ConfigurationFromTemporalUnit,
  writeAv1CodecConfiguration,
} from '../../../../src/codec/av1/av1-codec-configuration.ts';
import { OBU_TYPE, splitObus, stripTemporalDelimiters, writeLeb128 } from '../../../../src/codec/av1/obu.ts';
import type { Track } from '../../../../src/codec/track.ts';
import { AV1_FORMAT } from '../../../../src/protocol/rtp/payload/av1-format.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { joinBytes } from '../../../../src/wire/join-bytes.ts';
import { depacketize, mappingOf, packetize, readIvf, type SentUnit, withLoss } from '../../../rtp-payload-test-kit.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

const MAPPING = mappingOf('AV1');
const CODED = readIvf('av1-own.ivf').map(stripTemporalDelimiters);
const CONFIG = writeAv1CodecConfiguration(av1ConfigurationFromTemporalUnit(CODED[0]!)!);
const TRACK: Track = { kind: 'video', trackId: 0, codec: 'av1', config: CONFIG };
const SEQUENCE_HEADER = splitObus(CODED[0]!).find((obu) => obu.type === OBU_TYPE.sequenceHeader)!.bytes;

function obu(type: number, payload: Uint8Array, extension?: number): Uint8Array {
  const header = extension === undefined ? [(type << 3) | 2] : [(type << 3) | 6, extension];
  return joinBytes([Uint8Array.from(header), writeLeb128(payload.length), payload]);
}

/** A frame OBU of `size` bytes that is, or is not, a shown key frame. */
function frame(isKeyFrame: boolean, size: number, extension?: number): Uint8Array {
  const payload = Uint8Array.from({ length: size }, (_, i) => (i === 0 ? (isKeyFrame ? 0x10 : 0x30) : (i * 13) & 0xff));
  return obu(OBU_TYPE.frame, payload, extension);
}

function unit(isKeyFrame: boolean, ...obus: readonly Uint8Array[]): SentUnit {
  return { payload: joinBytes([...(isKeyFrame ? [SEQUENCE_HEADER] : []), ...obus]), isKeyFrame };
}

function send(units: readonly SentUnit[], maxPayloadSize: number): RtpPayload[] {
  return packetize(AV1_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize });
}

function packet(hex: string, more: Partial<RtpPayload> = {}): RtpPayload {
  return { payload: bytes(hex), timestamp: 0, marker: true, afterLoss: false, ...more };
}

describe('Av1Packetizer', () => {
  it('puts up to three OBUs into a packet with their count, the last without length', () => {
    const one = { payload: bytes('2a 01 aa 32 02 30bb'), isKeyFrame: false };
    expect(send([one], 100).map((each) => hexOf(each.payload))).toEqual(['20' + '02' + '28aa' + '3030bb']);
  });

  it('puts more OBUs into a packet with a length each', () => {
    const one = { payload: bytes('2a 01 aa 2a 01 bb 2a 01 cc 32 02 30dd'), isKeyFrame: false };
    expect(send([one], 100).map((each) => hexOf(each.payload))).toEqual([
      '00' + '0228aa' + '0228bb' + '0228cc' + '033030dd',
    ]);
  });

  it('cuts an OBU over packets, and marks the beginning of a sequence and the end of the unit', () => {
    const packets = send([unit(true, frame(true, 200))], 100);
    const headers = packets.map((each) => [each.payload[0]!.toString(16), each.payload.length, each.marker]);
    const size = SEQUENCE_HEADER.length - 1;
    expect(headers).toEqual([
      ['68', 100, false],
      ['d0', 100, false],
      ['90', 1 + 201 - (100 - 2 - size) - 99, true],
    ]);
    expect(hexOf(packets[0]!.payload.subarray(1, 2 + size))).toBe(
      `${size.toString(16).padStart(2, '0')}08${hexOf(SEQUENCE_HEADER.subarray(2))}`,
    );
  });

  it('cuts the header of an OBU with extension too', () => {
    for (let maxPayloadSize = 2; maxPayloadSize < 12; maxPayloadSize++) {
      const one = unit(true, obu(OBU_TYPE.metadata, Uint8Array.of(1, 2, 3), 0x48), frame(true, 5, 0x20));
      const packets = send([one], maxPayloadSize);
      expect(hexOf(depacketize(AV1_FORMAT.makeDepacketizer(MAPPING), packets)[0]!.payload)).toBe(hexOf(one.payload));
    }
  });

  it('leaves out temporal delimiters and tile lists', () => {
    const one = { payload: joinBytes([bytes('1200'), bytes('4202aabb'), frame(false, 3)]), isKeyFrame: false };
    expect(send([one], 100).map((each) => each.payload.length)).toEqual([1 + 4]);
    expect(send([{ payload: bytes('1200'), isKeyFrame: false }], 100)).toEqual([]);
  });

  it('puts the sequence header of the track into key frames without one', () => {
    const bare = { payload: frame(true, 9), isKeyFrame: true };
    const units = depacketize(AV1_FORMAT.makeDepacketizer(MAPPING), send([bare], 100));
    expect(units.map((each) => hexOf(each.payload))).toEqual([hexOf(joinBytes([SEQUENCE_HEADER, bare.payload]))]);
  });
});

const temporalUnits: fc.Arbitrary<SentUnit[]> = fc
  .array(
    fc.record({
      isKeyFrame: fc.boolean(),
      sizes: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }),
      extension: fc.option(fc.constantFrom(0x00, 0x20, 0x48), { nil: undefined }),
      metadata: fc.array(fc.nat(20), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((units) =>
    units.map(({ isKeyFrame, sizes, extension, metadata }, i) =>
      unit(
        isKeyFrame || i === 0,
        ...metadata.map((size) => obu(OBU_TYPE.metadata, new Uint8Array(size).fill(size))),
        ...sizes.map((size, j) => frame((isKeyFrame || i === 0) && j === 0, size, extension)),
      ),
    ),
  );

describe('AV1 there and back', () => {
  it('gives what was sent, whatever the sizes', () => {
    fc.assert(
      fc.property(
        temporalUnits,
        fc.integer({ min: 3, max: 300 }),
        fc.nat(0xffff_ffff),
        (units, maxPayloadSize, timestamp) => {
          const packets = packetize(AV1_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize, timestamp });
          const depacketizer = AV1_FORMAT.makeDepacketizer(MAPPING);
          const received = depacketize(depacketizer, packets);
          expect(received).toEqual(
            units.map((one, i) => ({
              ...one,
              timestamp: (timestamp + i * 3600) >>> 0,
              ...(i === 0 && { config: CONFIG }),
            })),
          );
          expect(depacketizer.dropped).toBe(0);
        },
      ),
    );
  });

  it('gives nothing but what was sent, whichever packets are lost', () => {
    fc.assert(
      fc.property(
        temporalUnits,
        fc.integer({ min: 3, max: 300 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 5 })),
        fc.boolean(),
        (units, maxPayloadSize, luck, hasMarkers) => {
          const sent = send(units, maxPayloadSize).map((one) => ({ ...one, marker: one.marker && hasMarkers }));
          const packets = withLoss(sent, () => luck.next().value === 0);
          for (const { timestamp, payload, isKeyFrame } of depacketize(AV1_FORMAT.makeDepacketizer(MAPPING), packets)) {
            expect({ payload, isKeyFrame }).toEqual(units[timestamp / 3600]);
          }
        },
      ),
    );
  });

  it('gives what libaom coded', () => {
    const units = CODED.map((payload, i) => ({ payload, isKeyFrame: i % 6 === 0 }));
    const received = depacketize(AV1_FORMAT.makeDepacketizer(MAPPING), send(units, 150));
    expect(received.map(({ payload, isKeyFrame }) => ({ payload, isKeyFrame }))).toEqual(units);
  });
});

describe('AV1 depacketizer', () => {
  const start = `18 ${hexOf(SEQUENCE_HEADER)}`;
  const head = hexOf(SEQUENCE_HEADER);

  it.each([
    ['one element', '10 3030aa', '32 02 30aa'],
    ['two elements with a count', '20 02 28bb 3030aa', '2a01bb 320230aa'],
    ['elements with a length each', '00 02 28bb 03 3030aa', '2a01bb 320230aa'],
    ['OBUs with size fields', '10 3202 30aa', '32 02 30aa'],
    ['an OBU with an extension', '10 3448 30aa', '36 48 02 30aa'],
    ['a temporal delimiter', '20 02 1200 3030aa', '32 02 30aa'],
    ['a tile list', '20 01 40 3030aa', '32 02 30aa'],
    ['an empty element', '20 00 3030aa', '32 02 30aa'],
    ['a size field that is wrong', '10 3203 30aa', undefined],
    ['a size field with bytes after', '10 3201 30aa', undefined],
    ['a forbidden bit', '10 b030aa', undefined],
    ['an extension that is missing', '10 34', undefined],
    ['a length beyond the end', '00 05 3030aa', undefined],
    ['a length without an end', '00 ff', undefined],
    ['fewer elements than told', '20 03 3030aa', undefined],
    ['no elements', '10', undefined],
    ['a continuation of nothing', '90 3030aa', undefined],
  ])('reads %s', (_, hex, expected) => {
    const depacketizer = AV1_FORMAT.makeDepacketizer(MAPPING);
    const units = depacketize(depacketizer, [packet(start, { marker: false }), packet(hex)]);
    expect(units.map((one) => hexOf(one.payload))).toEqual(
      expected === undefined ? [] : [head + expected.replaceAll(' ', '')],
    );
    expect(depacketizer.dropped).toBe(expected === undefined ? 1 : 0);
  });

  it('drops a unit whose last OBU is cut off', () => {
    const depacketizer = AV1_FORMAT.makeDepacketizer(MAPPING);
    const packets = [packet(start, { marker: false }), packet('50 3030aa'), packet('1c 08', { timestamp: 1 })];
    expect(depacketize(depacketizer, packets)).toHaveLength(1);
    expect(depacketizer.dropped).toBe(1);
  });

  it('makes nothing of a temporal delimiter alone', () => {
    const depacketizer = AV1_FORMAT.makeDepacketizer(MAPPING);
    expect(depacketize(depacketizer, [packet('10 1200')])).toEqual([]);
    expect(depacketizer.dropped).toBe(0);
  });

  it.each([
    ['N', '18 3030aa'],
    ['a sequence header', `10 ${hexOf(SEQUENCE_HEADER)}`],
    ['a sequence header with a length', `00 ${SEQUENCE_HEADER.length.toString(16).padStart(2, '0')} ${head}`],
    ['a temporal delimiter', '20 02 1200 3030aa'],
  ])('begins after a loss with %s', (_, hex) => {
    const depacketizer = AV1_FORMAT.makeDepacketizer(MAPPING);
    expect(depacketize(depacketizer, [packet(hex, { afterLoss: true })])).toHaveLength(1);
  });

  it('does not begin after a loss with a frame that another may have come before', () => {
    expect(depacketize(AV1_FORMAT.makeDepacketizer(MAPPING), [packet('10 3030aa', { afterLoss: true })])).toEqual([]);
  });

  it('takes no more than the largest unit', () => {
    const depacketizer = AV1_FORMAT.makeDepacketizer(MAPPING);
    depacketizer.receive(packet(start, { marker: false }));
    const payload = new Uint8Array(60_000).fill(0xd0, 0, 1);
    depacketizer.receive(packet('50 30', { marker: false }));
    for (let i = 0; i < 200; i++) depacketizer.receive({ payload, timestamp: 0, marker: false, afterLoss: false });
    expect(depacketizer.receive(packet('90 00'))).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });
});

describe('AV1 in SDP', () => {
  it('names a track by its record', () => {
    expect([...AV1_FORMAT.toMapping(TRACK, 98)!.parameters]).toEqual([
      ['profile', '0'],
      ['level-idx', '0'],
      ['tier', '0'],
    ]);
    expect(AV1_FORMAT.toMapping({ ...TRACK, config: new Uint8Array(0) }, 98)!.parameters.size).toBe(0);
    expect(AV1_FORMAT.toMapping({ ...TRACK, codec: 'vp9' }, 98)).toBeUndefined();
  });

  it('makes a track whose configuration comes with the packets', () => {
    expect(AV1_FORMAT.toTrack(mappingOf('av1', 'profile=0'), 1)).toEqual({
      ...TRACK,
      trackId: 1,
      config: new Uint8Array(0),
    });
    expect(AV1_FORMAT.toTrack(mappingOf('VP9'), 1)).toBeUndefined();
  });
});
