import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import type { PayloadFormat } from '../../../../src/protocol/rtp/payload/payload-format.ts';
import { VP8_FORMAT, Vp8Packetizer } from '../../../../src/protocol/rtp/payload/vp8-format.ts';
import { VP9_FORMAT } from '../../../../src/protocol/rtp/payload/vp9-format.ts';
import { Vp9Packetizer } from '../../../../src/protocol/rtp/payload/vp9-packetizer.ts';
import {
  depacketize,
  mappingOf,
  packetize,
  readIvf,
  readRtpFile,
  type SentUnit,
  withLoss,
} from '../../../rtp-payload-test-kit.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** Shown frames of 96x64. */
const VP8_KEY = bytes('10 0000 9d012a 6000 4000');
const VP8_INTER = bytes('11 0000');
const VP9_KEY = bytes('82 498342 0005f003f0');
const VP9_INTER = bytes('86 00');

interface Case {
  readonly format: PayloadFormat;
  readonly name: string;
  readonly key: Uint8Array;
  readonly inter: Uint8Array;
  readonly config: string;
}

const VP8_CASE: Case = { format: VP8_FORMAT, name: 'vp8', key: VP8_KEY, inter: VP8_INTER, config: '0000820202020000' };
const VP9_CASE: Case = { format: VP9_FORMAT, name: 'vp9', key: VP9_KEY, inter: VP9_INTER, config: '000a820202020000' };
const CASES = [VP8_CASE, VP9_CASE];

function trackOf(name: string): Track {
  return { kind: 'video', trackId: 0, codec: name as 'vp8' | 'vp9', config: new Uint8Array(0) };
}

function frame(one: Case, isKeyFrame: boolean, size: number): SentUnit {
  const head = isKeyFrame ? one.key : one.inter;
  const payload = Uint8Array.from({ length: head.length + size }, (_, i) => head[i] ?? (i * 11) & 0x7f);
  return { payload, isKeyFrame };
}

function framesOf(one: Case): fc.Arbitrary<SentUnit[]> {
  return fc.array(
    fc.tuple(fc.boolean(), fc.nat(500)).map(([isKeyFrame, size]) => frame(one, isKeyFrame, size)),
    { minLength: 1, maxLength: 12 },
  );
}

function packet(hex: string, more: Partial<RtpPayload> = {}): RtpPayload {
  return { payload: bytes(hex), timestamp: 0, marker: true, afterLoss: false, ...more };
}

describe.each(CASES)('$name there and back', (one) => {
  const { format } = one;
  const mapping = mappingOf(one.name);

  it('gives what was sent, whatever the sizes', () => {
    fc.assert(
      fc.property(framesOf(one), fc.integer({ min: 12, max: 300 }), fc.boolean(), (frames, maxPayloadSize, markers) => {
        const last = frame(one, false, 1);
        const sent = [...frames, last];
        const packets = packetize(format.makePacketizer(trackOf(one.name)), sent, {
          maxPayloadSize,
          timestamp: 0xffff_f000,
        });
        const depacketizer = format.makeDepacketizer(mapping);
        const received = depacketize(
          depacketizer,
          packets.map((each) => ({ ...each, marker: each.marker && markers })),
        );
        const expected = markers ? sent : frames;
        expect(received.map((unit) => ({ payload: unit.payload, isKeyFrame: unit.isKeyFrame }))).toEqual(expected);
        expect(received.map((unit) => unit.timestamp)).toEqual(expected.map((_, i) => (0xffff_f000 + i * 3600) >>> 0));
        expect(depacketizer.dropped).toBe(0);
      }),
    );
  });

  it('gives nothing but what was sent, whichever packets are lost', () => {
    fc.assert(
      fc.property(
        framesOf(one),
        fc.integer({ min: 12, max: 300 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        fc.boolean(),
        (frames, maxPayloadSize, luck, markers) => {
          const packets = packetize(format.makePacketizer(trackOf(one.name)), frames, { maxPayloadSize });
          const received = withLoss(packets, () => luck.next().value === 0);
          const units = depacketize(
            format.makeDepacketizer(mapping),
            received.map((each) => ({ ...each, marker: each.marker && markers })),
          );
          for (const unit of units) {
            const { timestamp, payload, isKeyFrame } = unit;
            expect({ payload, isKeyFrame }).toEqual(frames[timestamp / 3600]);
          }
        },
      ),
    );
  });

  it('tells the configuration with the first key frame, and again when it differs', () => {
    const key = frame(one, true, 20);
    const packets = packetize(format.makePacketizer(trackOf(one.name)), [key, frame(one, false, 9), key], {
      maxPayloadSize: 30,
    });
    const depacketizer = format.makeDepacketizer(mapping);
    const configs = depacketize(depacketizer, packets).map((unit) => unit.config && hexOf(unit.config));
    expect(configs).toEqual([one.config, undefined, undefined]);
  });

  it('drops a frame whose header cannot be read', () => {
    const depacketizer = format.makeDepacketizer(mapping);
    const bad = { payload: Uint8Array.of(0x00), isKeyFrame: false };
    expect(
      depacketize(depacketizer, packetize(format.makePacketizer(trackOf(one.name)), [bad], { maxPayloadSize: 30 })),
    ).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('has a name in SDP and no track of another', () => {
    const upper = one.name.toUpperCase();
    expect(format.toMapping(trackOf(one.name), 99)).toEqual({ ...mappingOf(upper), payloadType: 99 });
    expect(format.toMapping(trackOf('h264'), 99)).toBeUndefined();
    expect(format.toTrack(mappingOf(upper), 2)).toEqual({ ...trackOf(one.name), trackId: 2 });
    expect(format.toTrack(mappingOf('H264'), 2)).toBeUndefined();
  });

  it.each(['gstreamer', 'ffmpeg'])('is read as it was coded from %s', (program) => {
    const coded = readIvf(`${one.name}-${program}.ivf`);
    const depacketizer = format.makeDepacketizer(mapping);
    const units = depacketize(depacketizer, readRtpFile(`${one.name}-${program}.rtp`));
    expect(units.map((unit) => hexOf(unit.payload))).toEqual(coded.map(hexOf));
    expect(units.map((unit) => unit.isKeyFrame)).toEqual(coded.map((_, i) => i % 6 === 0));
    expect(depacketizer.dropped).toBe(0);
    expect(units[0]!.config).toHaveLength(8);
  });
});

describe('Vp8Packetizer', () => {
  it('writes the descriptor with a picture id that goes on from 32767 with 0', () => {
    const packets = packetize(new Vp8Packetizer(0x7fff), [frame(VP8_CASE, true, 10), frame(VP8_CASE, false, 0)], {
      maxPayloadSize: 16,
    });
    expect(packets.map((one) => [hexOf(one.payload.subarray(0, 4)), one.payload.length, one.marker])).toEqual([
      ['9080ffff', 16, false],
      ['8080ffff', 12, true],
      ['90808000', 7, true],
    ]);
  });
});

describe('VP8 depacketizer', () => {
  it.each([
    ['no extension', '10', ''],
    ['a picture id of 7 bits', '90 80 11', ''],
    ['a picture id of 15 bits', '90 80 8011', ''],
    ['everything', '90 f0 8011 05 21', ''],
    ['TL0PICIDX and KEYIDX alone', 'b0 50 05 21', ''],
    ['a partition that is not the first', '11', undefined],
    ['no beginning', '00', undefined],
  ])('reads a descriptor with %s', (_, descriptor, expected) => {
    const units = depacketize(VP8_FORMAT.makeDepacketizer(mappingOf('VP8')), [packet(descriptor + hexOf(VP8_KEY))]);
    expect(units.map((one) => hexOf(one.payload))).toEqual(expected === undefined ? [] : [hexOf(VP8_KEY)]);
  });

  it('joins partitions, and takes a second beginning for a fault', () => {
    const depacketizer = VP8_FORMAT.makeDepacketizer(mappingOf('VP8'));
    const parts = [
      packet(`10${hexOf(VP8_KEY)}`, { marker: false }),
      packet('11aabb', { marker: false }),
      packet('02cc'),
    ];
    expect(depacketize(depacketizer, parts).map((one) => hexOf(one.payload))).toEqual([`${hexOf(VP8_KEY)}aabbcc`]);
    expect(depacketize(depacketizer, [parts[0]!, packet(`10${hexOf(VP8_KEY)}`)])).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });
});

describe('Vp9Packetizer', () => {
  it('writes the descriptor, with the picture size on the first packet of a key frame', () => {
    const packets = packetize(new Vp9Packetizer(0x7fff), [frame(VP9_CASE, true, 20), frame(VP9_CASE, false, 0)], {
      maxPayloadSize: 24,
    });
    expect(packets.map((one) => [hexOf(one.payload.subarray(0, 11)), one.payload.length, one.marker])).toEqual([
      [`8affff${'18'}${'0060'}${'0040'}${'011401'}`, 24, false],
      [hexOf(packets[1]!.payload.subarray(0, 11)), 19, true],
      [`cc8000${hexOf(VP9_INTER)}`, 5, true],
    ]);
    expect(hexOf(packets[1]!.payload.subarray(0, 3))).toBe('84ffff');
  });

  it('sends a key frame whose size cannot be read without it', () => {
    const packets = packetize(new Vp9Packetizer(), [{ payload: bytes('00ff'), isKeyFrame: true }], {
      maxPayloadSize: 24,
    });
    expect(packets.map((one) => hexOf(one.payload))).toEqual(['8c800000ff']);
  });
});

describe('VP9 depacketizer', () => {
  it.each([
    ['nothing optional', '0c'],
    ['a picture id of 7 bits', '8c 05'],
    ['layers and TL0PICIDX', 'ac 8005 00 07'],
    ['flexible mode', '9c 8005'],
    ['flexible mode with layers', 'bc 8005 00'],
    ['flexible mode with three references', 'dc 8005 03 05 06'],
    ['a scalability structure of nothing', '8e 05 00'],
    ['a scalability structure of two layers', '8e 05 30 0060 0040 00c0 0080'],
    ['a group of pictures', '8e 05 08 02 04 01 08 0102'],
  ])('reads a descriptor with %s', (_, descriptor) => {
    const units = depacketize(VP9_FORMAT.makeDepacketizer(mappingOf('VP9')), [packet(descriptor + hexOf(VP9_KEY))]);
    expect(units.map((one) => hexOf(one.payload))).toEqual([hexOf(VP9_KEY)]);
  });

  it.each(['8c', 'bc 05', 'dc 05 01 01', '8e 05 30 00', '8e 05 08 ff 0c'])('drops %s, a descriptor cut off', (hex) => {
    const depacketizer = VP9_FORMAT.makeDepacketizer(mappingOf('VP9'));
    expect(depacketize(depacketizer, [packet(hex)])).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('makes a superframe of the spatial layers of a picture', () => {
    const lower = hexOf(VP9_KEY);
    const upper = hexOf(VP9_INTER);
    const packets = [
      packet(`a8 05 00 01 ${lower}`, { marker: false }),
      packet('a4 05 00 01 aabb', { marker: false }),
      packet(`ac 05 02 01 ${upper}`),
    ];
    const [unit] = depacketize(VP9_FORMAT.makeDepacketizer(mappingOf('VP9')), packets);
    expect(hexOf(unit!.payload)).toBe(`${lower}aabb${upper}d9${'0b000000'}${'02000000'}d9`);
    expect(unit!.isKeyFrame).toBe(true);
    for (let lost = 0; lost < 3; lost++) {
      const some = withLoss([...packets, packet('0c00', { timestamp: 1 })], (i) => i === lost);
      expect(depacketize(VP9_FORMAT.makeDepacketizer(mappingOf('VP9')), some)).toEqual([]);
    }
  });

  it('tells the profile in SDP', () => {
    const track = { ...trackOf('vp9'), config: bytes('020aa20202020000') };
    expect(VP9_FORMAT.toMapping(track, 96)!.parameters.get('profile-id')).toBe('2');
  });
});
