import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinAnnexB, joinLengthPrefixed, splitAnnexB, splitLengthPrefixed } from '../../../../src/codec/nal-unit.ts';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { H264_FORMAT } from '../../../../src/protocol/rtp/payload/h264-format.ts';
import {
  depacketize,
  MemoryPayloadWriter,
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

const SPS = bytes('6742c01ed900a02ff970');
const OTHER_SPS = bytes('6742c00dd90141fb01100003');
const PPS = bytes('68ce3c80');
const AVCC = bytes('0142c01effe1000a 6742c01ed900a02ff970 010004 68ce3c80');
const TRACK: Track = { kind: 'video', trackId: 0, codec: 'h264', config: AVCC };
const MAPPING = H264_FORMAT.toMapping(TRACK, 96)!;

const idr = (size: number): Uint8Array => new Uint8Array(size).fill(0xaa).fill(0x65, 0, 1).fill(0x88, 1, 2);
const slice = (size: number): Uint8Array => new Uint8Array(size).fill(0xbb).fill(0x41, 0, 1).fill(0x9a, 1, 2);

function unit(...nalUnits: readonly Uint8Array[]): SentUnit {
  return {
    payload: joinLengthPrefixed(nalUnits, 4),
    isKeyFrame: nalUnits.some((nalUnit) => (nalUnit[0]! & 31) === 5),
  };
}

function send(units: readonly SentUnit[], maxPayloadSize: number, inBandConfig = false): RtpPayload[] {
  return packetize(H264_FORMAT.makePacketizer(TRACK, inBandConfig), units, { maxPayloadSize });
}

function packet(hex: string, more: Partial<RtpPayload> = {}): RtpPayload {
  return { payload: bytes(hex), timestamp: 0, marker: true, afterLoss: false, ...more };
}

const shape = (packets: readonly RtpPayload[]): string[] =>
  packets.map((one) => `${one.payload[0]! & 31}:${one.payload.length}${one.marker ? ' M' : ''}`);

describe('the packets of H.264', () => {
  it('puts small NAL units that follow each other into one STAP-A', () => {
    const packets = send([unit(SPS, PPS, idr(50))], 1000);
    expect(packets).toHaveLength(1);
    expect(hexOf(packets[0]!.payload)).toBe(`78${'000a'}${hexOf(SPS)}${'0004'}${hexOf(PPS)}${'0032'}${hexOf(idr(50))}`);
  });

  it('cuts long NAL units into FU-A, full but for the last', () => {
    const packets = send([unit(SPS, PPS, idr(250), slice(10))], 100);
    expect(shape(packets)).toEqual(['24:19', '28:100', '28:100', '28:55', '1:10 M']);
    expect(packets.slice(1, 4).map((one) => hexOf(one.payload.subarray(0, 2)))).toEqual(['7c85', '7c05', '7c45']);
  });

  it.each([
    [99, ['5:99', '1:2 M']],
    [100, ['5:100', '1:2 M']],
    [101, ['28:100', '28:4', '1:2 M']],
  ])('cuts a NAL unit of %i bytes at a limit of 100 so', (size, expected) => {
    expect(shape(send([unit(idr(size), slice(2))], 100))).toEqual(expected);
  });

  it('gives the marker to the last packet of an access unit only', () => {
    const markers = send([unit(idr(250)), unit(slice(20), slice(90)), unit(slice(5))], 100).map((one) => one.marker);
    expect(markers).toEqual([false, false, true, false, true, true]);
  });

  it('leaves out NAL units whose type packets use for themselves', () => {
    const aggregate = bytes('78000141');
    expect(shape(send([unit(aggregate, slice(9), bytes('00'))], 100))).toEqual(['1:9 M']);
    expect(send([unit(aggregate)], 100)).toEqual([]);
  });

  it.each([
    ['', 1],
    ['an access unit delimiter', 2],
  ])('puts parameter sets into key frames without them when asked, after %s', (_, at) => {
    const delimiter = at === 2 ? [bytes('09f0')] : [];
    const nalUnits = [...delimiter, idr(9)];
    const sent = send([unit(...nalUnits), unit(slice(9)), unit(SPS, idr(9))], 1000, true);
    const units = depacketize(H264_FORMAT.makeDepacketizer(MAPPING), sent);
    expect(units.map((one) => hexOf(one.payload))).toEqual(
      [unit(...delimiter, SPS, PPS, idr(9)), unit(slice(9)), unit(SPS, idr(9))].map((one) => hexOf(one.payload)),
    );
  });

  it('sends payloads that hold Annex B, and lengths of two bytes', () => {
    const expected = splitLengthPrefixed(unit(SPS, idr(300)).payload, 4).map(hexOf);
    const annexB = { payload: joinAnnexB([SPS, idr(300)]), isKeyFrame: true };
    const short = { payload: joinLengthPrefixed([SPS, idr(300)], 2), isKeyFrame: true };
    const shortTrack = { ...TRACK, config: AVCC.with(4, 0xfd) };
    for (const [one, track] of [[annexB, TRACK] as const, [short, shortTrack] as const]) {
      const packets = packetize(H264_FORMAT.makePacketizer(track), [one], { maxPayloadSize: 90 });
      const units = depacketize(H264_FORMAT.makeDepacketizer(MAPPING), packets);
      expect(splitLengthPrefixed(units[0]!.payload, 4).map(hexOf)).toEqual(expected);
    }
  });

  it('writes nothing for a payload without NAL units', () => {
    const writer = new MemoryPayloadWriter(100);
    H264_FORMAT.makePacketizer(TRACK).write(new Uint8Array(3), false, writer);
    expect(writer.packets).toEqual([]);
  });
});

/** Access units whose first slice begins a picture, as every real one does. */
const accessUnits: fc.Arbitrary<SentUnit[]> = fc.array(
  fc
    .record({
      isKeyFrame: fc.boolean(),
      head: fc.array(fc.tuple(fc.constantFrom(6, 9), fc.nat(40)), { maxLength: 3 }),
      hasSets: fc.boolean(),
      sizes: fc.array(fc.integer({ min: 2, max: 400 }), { minLength: 1, maxLength: 4 }),
      seed: fc.nat(255),
    })
    .map(({ isKeyFrame, head, hasSets, sizes, seed }) => {
      const fill = (type: number, size: number): Uint8Array =>
        Uint8Array.from({ length: size }, (_, i) => (i === 0 ? type : (seed * 7 + i * 13 + size) & 0x7f));
      return unit(
        ...head.map(([type, size]) => fill(type, size + 1)),
        ...(hasSets ? [SPS, PPS] : []),
        ...sizes.map((size, i) => {
          const nalUnit = fill(isKeyFrame ? 0x65 : 0x41, size);
          nalUnit[1] = i === 0 ? nalUnit[1]! | 0x80 : nalUnit[1]!;
          return nalUnit;
        }),
      );
    }),
  { minLength: 1, maxLength: 12 },
);

describe('H.264 there and back', () => {
  it('gives what was sent, whatever the sizes', () => {
    fc.assert(
      fc.property(
        accessUnits,
        fc.integer({ min: 10, max: 300 }),
        fc.nat(0xffff_ffff),
        (units, maxPayloadSize, timestamp) => {
          const packets = packetize(H264_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize, timestamp });
          const depacketizer = H264_FORMAT.makeDepacketizer(MAPPING);
          const received = depacketize(depacketizer, packets);
          expect(received).toEqual(units.map((one, i) => ({ ...one, timestamp: (timestamp + i * 3600) >>> 0 })));
          expect(depacketizer.dropped).toBe(0);
        },
      ),
    );
  });

  it('gives the same without markers, one access unit later', () => {
    fc.assert(
      fc.property(accessUnits, fc.integer({ min: 10, max: 300 }), (units, maxPayloadSize) => {
        const packets = send([...units, unit(slice(5))], maxPayloadSize).map((one) => ({ ...one, marker: false }));
        const received = depacketize(H264_FORMAT.makeDepacketizer(MAPPING), packets);
        expect(received.map((one) => hexOf(one.payload))).toEqual(units.map((one) => hexOf(one.payload)));
      }),
    );
  });

  it('gives whole pictures only, whichever packets are lost', () => {
    const pictureOf = (payload: Uint8Array): string => {
      const nalUnits = splitLengthPrefixed(payload, 4);
      return nalUnits
        .slice(nalUnits.findIndex((nalUnit) => [1, 5].includes(nalUnit[0]! & 31)))
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
          const received = depacketize(H264_FORMAT.makeDepacketizer(MAPPING), packets);
          for (const one of received) {
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

describe('H264 depacketizer', () => {
  it.each([
    ['STAP-B', '79 0007 0002 4199 0003 41aabb', '00000002 4199 00000003 41aabb'],
    ['a type without meaning', '1f 0000', ''],
    ['an aggregate in an aggregate', '78 0004 78000141', undefined],
    ['an aggregate cut off', '78 0002 4199 0003 41aa', undefined],
    ['an aggregate with a byte too many', '78 0002 4199 00', undefined],
    ['an empty aggregate', '78', undefined],
    ['an MTAP16, which this mode does not have', '7a 0000 0002 00 0000 4199', undefined],
    ['a fragment whose beginning is missing', '7c 01 aabb', undefined],
    ['a fragment that is first and last', '7c c1 99bb', '00000003 4199bb'.replace('41', '61')],
    ['a fragment without bytes', '7c 81', undefined],
    ['FU-B', '7d c1 0005 99bb', '00000003 6199bb'],
  ])('makes the right thing of %s', (_, hex, expected) => {
    const depacketizer = H264_FORMAT.makeDepacketizer(MAPPING);
    const start = packet('4180', { marker: false });
    const units = depacketize(depacketizer, [start, packet(hex)]);
    expect(units.map((one) => hexOf(one.payload))).toEqual(
      expected === undefined ? [] : [`00000002${'4180'}${expected.replaceAll(' ', '')}`],
    );
    expect(depacketizer.dropped).toBe(expected === undefined ? 1 : 0);
  });

  it('waits for a picture when the marker comes with the parameter sets already', () => {
    const units = depacketize(H264_FORMAT.makeDepacketizer(mappingOf('H264')), [
      packet(hexOf(SPS)),
      packet(hexOf(PPS)),
      packet('6588'),
    ]);
    expect(units).toEqual([
      { timestamp: 0, payload: unit(SPS, PPS, bytes('6588')).payload, isKeyFrame: true, config: AVCC },
    ]);
  });

  it('keeps parameter sets that came at a time of their own for the next picture', () => {
    const depacketizer = H264_FORMAT.makeDepacketizer(mappingOf('H264'));
    const units = depacketize(depacketizer, [
      packet(hexOf(SPS)),
      packet(hexOf(PPS), { timestamp: 1 }),
      packet('6588', { timestamp: 2 }),
    ]);
    expect(units).toEqual([{ timestamp: 2, payload: unit(bytes('6588')).payload, isKeyFrame: true, config: AVCC }]);
    expect(depacketizer.dropped).toBe(0);
  });

  it('tells a configuration only when it differs from the one before', () => {
    const units = [unit(SPS, PPS, idr(9)), unit(OTHER_SPS, PPS, idr(9)), unit(OTHER_SPS, PPS, idr(9))];
    const received = depacketize(H264_FORMAT.makeDepacketizer(MAPPING), send(units, 100));
    expect(received.map((one) => one.config && hexOf(one.config))).toEqual([
      undefined,
      `0142c00dffe1000c${hexOf(OTHER_SPS)}010004${hexOf(PPS)}`,
      undefined,
    ]);
  });

  it('drops what came before the first beginning of a picture', () => {
    const depacketizer = H264_FORMAT.makeDepacketizer(MAPPING);
    const packets = send([unit(idr(300)), unit(slice(300))], 100).slice(1);
    expect(depacketize(depacketizer, packets).map((one) => one.timestamp)).toEqual([3600]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('keeps the access unit after one whose end was lost', () => {
    const depacketizer = H264_FORMAT.makeDepacketizer(MAPPING);
    const packets = withLoss(send([unit(slice(300)), unit(idr(300))], 100), (i) => i === 3);
    expect(depacketize(depacketizer, packets).map((one) => one.timestamp)).toEqual([3600]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('passes over empty packets', () => {
    const packets = [packet('4180', { marker: false }), packet('', { marker: false }), packet('4190')];
    expect(depacketize(H264_FORMAT.makeDepacketizer(MAPPING), packets)).toHaveLength(1);
  });

  it('holds no more than the largest unit', () => {
    const depacketizer = H264_FORMAT.makeDepacketizer(MAPPING);
    const payload = new Uint8Array(60_000).fill(0x41).fill(0x80, 1, 2);
    for (let i = 0; i < 200; i++) depacketizer.receive({ payload, timestamp: 0, marker: false, afterLoss: false });
    expect(depacketizer.receive({ payload, timestamp: 0, marker: true, afterLoss: false })).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });
});

describe('H264 interleaved', () => {
  const interleaved = mappingOf('H264', 'packetization-mode=2;sprop-interleaving-depth=2');

  it('puts NAL units of MTAPs, STAP-B and FU-B into decoding order', () => {
    const packets = [
      packet('7a 0002 0003 00 0000 418002 0003 02 0e10 418004', { timestamp: 3600 }),
      packet('79 0001 0003 418001', { timestamp: 0 }),
      packet('7d 81 0003 8003', { timestamp: 3600 }),
      packet('7c 41 33', { timestamp: 3600 }),
      packet('7b 0005 0003 00 002a30 418005 0003 01 003840 418006', { timestamp: 0 }),
      packet('79 0007 0003 418007 0003 418008', { timestamp: 18_000 }),
    ];
    const units = depacketize(H264_FORMAT.makeDepacketizer(interleaved), packets);
    expect(units.map((one) => [one.timestamp, hexOf(one.payload)])).toEqual([
      [0, '00000003418001'],
      [3600, '00000003418002' + '00000004' + '61800333'],
      [7200, '00000003418004'],
      [10_800, '00000003418005'],
    ]);
  });

  it('keeps the order across the end of the decoding order numbers', () => {
    const packets = [65_534, 0, 65_535, 1, 2, 3, 4].map((order, i) =>
      packet(`79 ${order.toString(16).padStart(4, '0')} 0003 4180${i.toString(16).padStart(2, '0')}`, {
        timestamp: ((order + 2) & 0xffff) * 100,
      }),
    );
    const units = depacketize(H264_FORMAT.makeDepacketizer(interleaved), packets);
    expect(units.map((one) => one.timestamp)).toEqual([0, 100, 200, 300]);
  });

  it('drops the picture that a NAL unit was lost from', () => {
    const packets = [0, 1, 2, 3, 4, 5, 6, 7].map((order) =>
      packet(`79 000${order} 0003 41${order % 2 === 0 ? '80' : '40'}0${order}`, { timestamp: (order >> 1) * 100 }),
    );
    // Without the marker nobody knows whether what was lost at the end of a picture belonged to it.
    const whole = [[100], [100], [], [0], [0], [0, 100]];
    whole.forEach((timestamps, lost) => {
      const received = withLoss(packets, (i) => i === lost);
      const units = depacketize(H264_FORMAT.makeDepacketizer(interleaved), received);
      expect(units.map((one) => one.timestamp)).toEqual(timestamps);
    });
  });

  it('drops what makes no sense and goes on', () => {
    const depacketizer = H264_FORMAT.makeDepacketizer(interleaved);
    const bad = ['79', '7a 0000', '7a 0000 0003 00 00', '7d 81', '4180', '79 0000 0009 41'];
    const units = depacketize(
      depacketizer,
      bad.map((hex) => packet(hex)),
    );
    expect(units).toEqual([]);
    expect(depacketizer.dropped).toBe(bad.length);
  });
});

describe('H264 in SDP', () => {
  it('names a track by its record', () => {
    expect(MAPPING).toEqual({
      payloadType: 96,
      encodingName: 'H264',
      clockRate: 90_000,
      parameters: new Map([
        ['packetization-mode', '1'],
        ['profile-level-id', '42c01e'],
        ['sprop-parameter-sets', 'Z0LAHtkAoC/5cA==,aM48gA=='],
      ]),
    });
    expect(H264_FORMAT.toTrack(MAPPING, 3)).toMatchObject({ ...TRACK, trackId: 3, video: { width: 640, height: 360 } });
  });

  it('names a track without a record, and no track of another codec', () => {
    const mapping = H264_FORMAT.toMapping({ ...TRACK, config: new Uint8Array(0) }, 97);
    expect([...mapping!.parameters]).toEqual([['packetization-mode', '1']]);
    expect(H264_FORMAT.toMapping({ ...TRACK, codec: 'h265' }, 97)).toBeUndefined();
  });

  it.each([
    ['H264', '', ''],
    ['h264', 'sprop-parameter-sets=Z0LAHtkAoC/5cA==,aM48gA==', hexOf(AVCC)],
    ['H264', 'sprop-parameter-sets=Z0LAHtkAoC/5cA,aM48gA', hexOf(AVCC)],
    ['H264', 'sprop-parameter-sets=AAAAAWdCwB7ZAKAv+XA=,AAABaM48gA==', hexOf(AVCC)],
    ['H264', 'sprop-parameter-sets=AAAAAWdCwB7ZAKAv+XAAAAABaM48gA==', hexOf(AVCC)],
    ['H264', 'sprop-parameter-sets=Z0LAHtkAoC/5cA==', ''],
    ['H264', 'sprop-parameter-sets=*,,Zw==', ''],
  ])('makes a track of %s with %j', (name, fmtp, config) => {
    expect(hexOf(H264_FORMAT.toTrack(mappingOf(name, fmtp), 0)!.config)).toBe(config);
  });

  it('is no track of another name', () => {
    expect(H264_FORMAT.toTrack(mappingOf('H265'), 0)).toBeUndefined();
  });
});

describe('H264 of other programs', () => {
  it.each([
    ['h264-gstreamer', mappingOf('H264'), [24, 28]],
    ['h264-ffmpeg', readSdpMapping('h264-ffmpeg.sdp'), [28]],
  ])('is read as it was coded: %s', (name, mapping, types) => {
    const packets = readRtpFile(`${name}.rtp`);
    const seen = new Set(packets.map((one) => one.payload[0]! & 31));
    for (const type of types) expect(seen).toContain(type);
    const depacketizer = H264_FORMAT.makeDepacketizer(mapping);
    const units = depacketize(depacketizer, packets);
    expect(depacketizer.dropped).toBe(0);
    const received = units.flatMap((one) => splitLengthPrefixed(one.payload, 4).map(hexOf));
    // ffmpeg writes parameter sets into the file and not into the stream, which has them in its SDP.
    const isSet = (hex: string): boolean => /^6[78]/.test(hex);
    const coded = splitAnnexB(readFixture(`${name}.264`)).map(hexOf);
    expect(received).toEqual(received.some(isSet) ? coded : coded.filter((hex) => !isSet(hex)));
    expect(units.map((one) => one.isKeyFrame)).toEqual(Array.from({ length: 12 }, (_, i) => i % 6 === 0));
    const config = H264_FORMAT.toTrack(mapping, 0)!.config;
    expect(units[0]!.config === undefined).toBe(config.length > 0);
    const track = { ...TRACK, config: units[0]!.config ?? config };
    expect(H264_FORMAT.toMapping(track, 96)!.parameters.get('sprop-parameter-sets')).toBe(
      mapping.parameters.get('sprop-parameter-sets') ??
        coded
          .filter(isSet)
          .slice(0, 2)
          .map((hex) => Buffer.from(hex, 'hex').toString('base64'))
          .join(','),
    );
  });
});
