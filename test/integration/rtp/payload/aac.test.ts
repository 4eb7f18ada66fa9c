import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import { AAC_FORMAT } from '../../../../src/protocol/rtp/payload/aac.ts';
import { MAX_INTERLEAVED_UNITS } from '../../../../src/protocol/rtp/payload/aac-depacketizer.ts';
import type { DepacketizedUnit, RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { audioMapping, readAudioMapping, readSentUnits, summary } from '../../../rtp-audio-fixtures.ts';
import { depacketize, MemoryPayloadWriter, packetize, readRtpFile, withLoss } from '../../../rtp-payload-test-kit.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

const aacTrack = (config: string): Track => ({ kind: 'audio', trackId: 0, codec: 'aac', config: bytes(config) });
const HBR = 'mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190';

function packet(hex: string, more: Partial<RtpPayload> = {}): RtpPayload {
  return { payload: bytes(hex), timestamp: 1000, marker: true, afterLoss: false, ...more };
}

function receive(fmtp: string, ...packets: readonly RtpPayload[]): string[] {
  const units = depacketize(AAC_FORMAT.makeDepacketizer(audioMapping('MPEG4-GENERIC', 48_000, 2, fmtp)), packets);
  return units.map((unit) => `${unit.timestamp}:${hexOf(unit.payload)}`);
}

describe('mapping of AAC', () => {
  it.each([
    ['1210', 44_100, 2, '41'],
    ['1188', 48_000, undefined, '41'],
    ['1408', 16_000, undefined, '40'],
    ['11b0', 48_000, 6, '42'],
    ['2b11880000', 48_000, 2, '44'],
    ['eb098800', 48_000, 2, '48'],
  ])('names %s with rate %i and channels %s', (config, clockRate, channels, level) => {
    const mapping = AAC_FORMAT.toMapping(aacTrack(config), 97)!;
    expect(mapping).toMatchObject({ payloadType: 97, encodingName: 'MPEG4-GENERIC', clockRate });
    expect(mapping.channels).toBe(channels);
    expect(mapping.parameters.get('profile-level-id')).toBe(level);
    expect(mapping.parameters.get('config')).toBe(config);
    expect(AAC_FORMAT.toTrack(mapping, 3)).toMatchObject({ trackId: 3, codec: 'aac', config: bytes(config) });
  });

  it.each([
    ['another codec', { ...aacTrack('1210'), codec: 'mp3' as const }],
    ['no configuration', aacTrack('')],
  ])('is none for %s', (_, track) => {
    expect(AAC_FORMAT.toMapping(track, 96)).toBeUndefined();
  });

  it.each([
    ['aac-ffmpeg', '1190'],
    ['aac-gstreamer', '1190'],
    ['latm-ffmpeg', '1190'],
    ['latm-gstreamer', '1190'],
  ])('of %s makes a track', (name, config) => {
    expect(AAC_FORMAT.toTrack(readAudioMapping(name), 0)).toMatchObject({
      kind: 'audio',
      codec: 'aac',
      config: bytes(config),
      audio: { sampleRate: 48_000, channels: 2, profile: 'LC' },
    });
  });

  it('without a configuration is taken for AAC-LC of the rate and channels in the rtpmap', () => {
    const track = AAC_FORMAT.toTrack(audioMapping('mpeg4-generic', 16_000, undefined, 'mode=aac-hbr'), 0);
    expect(track?.config).toEqual(bytes('1408'));
  });

  it.each([
    ['CELP', audioMapping('MPEG4-GENERIC', 8000, 1, 'mode=CELP-cbr')],
    ['video', audioMapping('MPEG4-GENERIC', 90_000, 1, 'streamtype=4;mode=generic;sizelength=16')],
    ['a generic mode that does not tell sizes', audioMapping('MPEG4-GENERIC', 48_000, 2, 'mode=generic')],
    ['no rate', audioMapping('MPEG4-GENERIC', 0, 2, HBR)],
    ['LATM with a missing configuration', audioMapping('MP4A-LATM', 90_000, 1, 'cpresent=0')],
    ['LATM with a broken configuration', audioMapping('MP4A-LATM', 90_000, 1, 'cpresent=0;config=40')],
  ])('of %s makes no track', (_, mapping) => {
    expect(AAC_FORMAT.toTrack(mapping, 0)).toBeUndefined();
  });
});

describe('AAC of other programs', () => {
  // The first one in parts, and every first LATM packet, might be the end of something; ffmpeg sends 15 at a time and
  // keeps what is left at the end.
  it.each([
    ['aac-ffmpeg', 0, 15],
    ['aac-gstreamer', 0, 18],
    ['aac-gstreamer-parts', 1, 18],
    ['latm-ffmpeg', 1, 18],
    ['latm-gstreamer', 1, 18],
    ['latm-gstreamer-parts', 1, 18],
  ])('comes out of %s as it was sent, 1,024 samples apart', (name, first, end) => {
    const depacketizer = AAC_FORMAT.makeDepacketizer(readAudioMapping(name));
    const units = depacketize(depacketizer, readRtpFile(`${name}.rtp`));
    expect(summary(units)).toEqual(readSentUnits(name).slice(first, end));
    expect(depacketizer.dropped).toBe(first);
    // GStreamer makes them of nanoseconds.
    const steps = units.slice(1).map((unit, i) => (unit.timestamp - units[i]!.timestamp) >>> 0);
    expect(steps.every((step) => Math.abs(step - 1024) <= 1)).toBe(true);
    expect(units.every((unit) => unit.isKeyFrame && unit.config === undefined)).toBe(true);
  });
});

describe('AacPacketizer', () => {
  const packets = (size: number, maxPayloadSize: number): RtpPayload[] =>
    packetize(
      AAC_FORMAT.makePacketizer(aacTrack('1190')),
      [{ payload: new Uint8Array(size).fill(7), isKeyFrame: true }],
      {
        maxPayloadSize,
      },
    );

  it('puts each access unit behind its size', () => {
    expect(packets(3, 100).map((one) => hexOf(one.payload))).toEqual(['00100018070707']);
    expect(packets(96, 100)).toHaveLength(1);
  });

  it('cuts what does not fit, with the size of the whole in each part and the marker on the last', () => {
    const parts = packets(97, 100);
    expect(parts.map((one) => [hexOf(one.payload.subarray(0, 4)), one.payload.length, one.marker])).toEqual([
      ['00100308', 100, false],
      ['00100308', 5, true],
    ]);
  });

  it.each([
    ['empty', 0],
    ['too long for 13 bits', 8192],
  ])('leaves out a unit that is %s', (_, size) => {
    expect(packets(size, 100)).toEqual([]);
  });
});

describe('AacDepacketizer', () => {
  it('gives each access unit of a packet its own time', () => {
    expect(receive(HBR, packet('0030 0010 0008 0018 aabb cc ddeeff', { timestamp: 0xffff_fc00 }))).toEqual([
      '4294966272:aabb',
      '0:cc',
      '1024:ddeeff',
    ]);
  });

  it('counts in units of the clock, not of the core coder', () => {
    const mapping = audioMapping('MPEG4-GENERIC', 48_000, 2, HBR.replace('1190', '2b11880000'));
    const units = depacketize(AAC_FORMAT.makeDepacketizer(mapping), [packet('0020 0008 0008 aa bb')]);
    expect(units.map((unit) => unit.timestamp)).toEqual([1000, 3048]);
  });

  it('reads AAC-lbr', () => {
    expect(receive('mode=AAC-lbr;config=1190', packet('0010 04 04 aa bb'))).toEqual(['1000:aa', '2024:bb']);
  });

  it('reads sizes that are all the same, without and with headers', () => {
    expect(receive('mode=generic;constantsize=2;constantduration=7', packet('aabbccdd'))).toEqual([
      '1000:aabb',
      '1007:ccdd',
    ]);
    expect(
      receive('mode=generic;constantsize=2;indexlength=8;indexdeltalength=8', packet('0010 0000 aabb ccdd')),
    ).toEqual(['1000:aabb', '2024:ccdd']);
  });

  it('reads every field a header may have, and steps over auxiliary data', () => {
    const fmtp = `mode=generic;sizelength=6;indexlength=2;indexdeltalength=2;ctsdeltalength=4;dtsdeltalength=4;
      randomaccessindication=1;streamstateindication=3;auxiliarydatasizelength=4;config=1190`;
    // Sizes 2 and 1; the second has a composition time 2 units before the packet's time.
    const first = `000010 00 0 0 1 000`;
    const second = `000001 00 1 1110 1 0011 0 111`;
    const bits = (first + second).replaceAll(' ', '');
    const header = BigInt(`0b${bits.padEnd(Math.ceil(bits.length / 8) * 8, '0')}`)
      .toString(16)
      .padStart(Math.ceil(bits.length / 8) * 2, '0');
    const length = bits.length.toString(16).padStart(4, '0');
    // Auxiliary data of 5 bits behind its size of 4 bits: two bytes.
    expect(receive(fmtp.replaceAll(/\s/g, ''), packet(`${length}${header} 5f80 aabb cc`))).toEqual([
      '1000:aabb',
      '998:cc',
    ]);
  });

  it('takes an ADTS header off that some cameras leave on', () => {
    const adts = 'fff14c80013ffc';
    expect(receive(HBR, packet(`0010 0048 ${adts} 2112`))).toEqual(['1000:2112']);
  });

  it('puts interleaved access units into order', () => {
    const fmtp = `${HBR};maxdisplacement=4096`;
    // Every second one: 0 2 4, then 1 3 5, then 6.
    const packets = [
      packet('0030 0008 0009 0009 a0 a2 a4', { timestamp: 0 }),
      packet('0030 0008 0009 0009 a1 a3 a5', { timestamp: 1024 }),
      packet('0010 0008 a6', { timestamp: 6144 }),
      packet('0010 0008 a7', { timestamp: 7168 }),
    ];
    const expected = ['0:a0', '1024:a1', '2048:a2', '3072:a3', '4096:a4', '5120:a5', '6144:a6'];
    expect(receive(fmtp, ...packets)).toEqual(expected);
    expect(receive(HBR, ...packets)).toEqual(expected);
  });

  it('holds few interleaved access units', () => {
    const header = `${'0009'.repeat(200)}`.replace('0009', '0008');
    const wide = packet(`0c80 ${header} ${'aa'.repeat(200)}`);
    expect(receive(HBR, wide)).toHaveLength(200 - MAX_INTERLEAVED_UNITS);
  });

  it.each([
    ['no headers', '0000 aa'],
    ['headers longer than the packet', '00ff 0008 aa'],
    ['half a header', '0008 00 aa'],
    ['a length of one byte', '00'],
    ['an access unit of nothing', '0010 0000'],
  ])('drops a packet with %s', (_, hex) => {
    const depacketizer = AAC_FORMAT.makeDepacketizer(audioMapping('MPEG4-GENERIC', 48_000, 2, HBR));
    expect(depacketizer.receive(packet(hex))).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('keeps the access units before one that is cut off', () => {
    expect(receive(HBR, packet('0020 0008 0028 aa bb'))).toEqual(['1000:aa']);
  });

  it('takes parts only from the first one on', () => {
    const start = packet('0010 0008 00', { timestamp: 1 });
    const part = (hex: string, marker: boolean, more: Partial<RtpPayload> = {}): RtpPayload =>
      packet(`0010 0020 ${hex}`, { timestamp: 2, marker, ...more });
    expect(receive(HBR, start, part('aabb', false), part('ccdd', true))).toEqual(['1:00', '2:aabbccdd']);
    expect(receive(HBR, part('aabb', false), part('ccdd', true))).toEqual([]);
    expect(receive(HBR, start, part('aabb', false, { afterLoss: true }), part('ccdd', true))).toEqual(['1:00']);
    expect(receive(HBR, start, part('aabb', false), part('ccdd', true, { afterLoss: true }))).toEqual(['1:00']);
    expect(receive(HBR, start, part('aa', false), part('ccdd', true))).toEqual(['1:00']);
    expect(receive(HBR, start, part('aabb', false), part('ccddee', true))).toEqual(['1:00']);
    expect(receive(HBR, start, part('aabb', false), part('ccdd', true, { timestamp: 3 }))).toEqual(['1:00']);
  });
});

describe('packetizer and depacketizer of AAC together', () => {
  const units = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 8 });
  // What looks like ADTS is not a raw_data_block, which begins with another element.
  const sent = (list: readonly Uint8Array[]): { payload: Uint8Array; isKeyFrame: boolean }[] =>
    list.map((unit) => ({ payload: unit.with(0, unit[0]! & 0x7f), isKeyFrame: true }));
  const whole = { payload: bytes('2100'), isKeyFrame: true };
  const depacketizer = () => AAC_FORMAT.makeDepacketizer(AAC_FORMAT.toMapping(aacTrack('1190'), 96)!);
  const key = (unit: Pick<DepacketizedUnit, 'payload' | 'timestamp'>): string =>
    `${unit.timestamp}:${hexOf(unit.payload)}`;

  it('give every access unit back of those written together', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 6, max: 900 }), fc.nat(0xffff_ffff), (list, maxPayloadSize, timestamp) => {
        const all = [whole, ...sent(list)].map(({ payload }) => payload);
        const writer = new MemoryPayloadWriter(maxPayloadSize, timestamp);
        AAC_FORMAT.makePacketizer(aacTrack('1190')).writeUnits!(all, 1024, writer);
        expect(depacketize(depacketizer(), writer.packets).map(key)).toEqual(
          all.map((payload, i) => key({ payload, timestamp: (timestamp + i * 1024) >>> 0 })),
        );
      }),
    );
  });

  it('put as many access units into a packet as fit, one that does not fit into several of its own', () => {
    const writer = new MemoryPayloadWriter(700, 5000);
    const all = [300, 300, 90, 200, 1000, 10].map((size) => new Uint8Array(size).fill(0x21));
    AAC_FORMAT.makePacketizer(aacTrack('1190')).writeUnits!(all, 1024, writer);
    expect(writer.packets.map(({ payload, timestamp, marker }) => [payload.length, timestamp - 5000, marker])).toEqual([
      [2 + 3 * 2 + 690, 0, true],
      [2 + 2 + 200, 3 * 1024, true],
      [700, 4 * 1024, false],
      [4 + 304, 4 * 1024, true],
      [4 + 10, 5 * 1024, true],
    ]);
  });

  it('give every access unit back', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 5, max: 120 }), fc.nat(0xffff_ffff), (list, maxPayloadSize, timestamp) => {
        const all = [whole, ...sent(list)];
        const packets = packetize(AAC_FORMAT.makePacketizer(aacTrack('1190')), all, {
          maxPayloadSize,
          timestamp,
          step: 1024,
        });
        // The first one is only known when it fits.
        const skipped = maxPayloadSize < 6 ? 1 : 0;
        expect(depacketize(depacketizer(), packets).map(key)).toEqual(
          all
            .slice(skipped)
            .map(({ payload }, i) => key({ payload, timestamp: (timestamp + (i + skipped) * 1024) >>> 0 })),
        );
      }),
    );
  });

  it('never give a wrong one when packets are lost', () => {
    fc.assert(
      fc.property(
        units,
        fc.integer({ min: 5, max: 120 }),
        fc.array(fc.nat(60), { maxLength: 6 }),
        (list, size, lost) => {
          const all = sent(list);
          const packets = packetize(AAC_FORMAT.makePacketizer(aacTrack('1190')), all, {
            maxPayloadSize: size,
            step: 1024,
          });
          const known = new Set(all.map(({ payload }, i) => key({ payload, timestamp: i * 1024 })));
          for (const unit of depacketize(
            depacketizer(),
            withLoss(packets, (i) => lost.includes(i)),
          )) {
            expect(known).toContain(key(unit));
          }
        },
      ),
    );
  });
});

describe('LatmDepacketizer', () => {
  const OUT_OF_BAND = 'cpresent=0;config=400023203fc0';
  const latm = (fmtp: string, ...packets: readonly RtpPayload[]): DepacketizedUnit[] => {
    const start = packet('00', { timestamp: 0 });
    return depacketize(AAC_FORMAT.makeDepacketizer(audioMapping('MP4A-LATM', 48_000, 2, fmtp)), [start, ...packets]);
  };
  const text = (units: readonly DepacketizedUnit[]): string[] =>
    units.map((unit) => `${unit.timestamp}:${hexOf(unit.payload)}`);

  it('takes several elements out of a packet', () => {
    expect(text(latm(OUT_OF_BAND, packet('02aabb 01cc')))).toEqual(['1000:aabb', '2024:cc']);
  });

  it('takes several access units out of an element', () => {
    // numSubFrames 1
    expect(text(latm('cpresent=0;config=410023203fc0', packet('02aabb 01cc')))).toEqual(['1000:aabb', '2024:cc']);
  });

  it('reads sizes above 254', () => {
    const [unit] = latm(OUT_OF_BAND, packet(`ff01 ${'ab'.repeat(256)}`));
    expect(unit?.payload).toEqual(new Uint8Array(256).fill(0xab));
  });

  it('joins parts', () => {
    expect(text(latm(OUT_OF_BAND, packet('03aa', { marker: false }), packet('bbcc')))).toEqual(['1000:aabbcc']);
  });

  it('ends an element whose marker is missing when the time changes', () => {
    const packets = [packet('01aa', { marker: false }), packet('01bb', { timestamp: 2024 })];
    expect(text(latm(OUT_OF_BAND, ...packets))).toEqual(['1000:aa', '2024:bb']);
  });

  it('reads the configuration in band and tells it when it changes', () => {
    // useSameStreamMux 0, the configuration, then a size and bytes that are not at whole bytes.
    const withConfig = (rateIndex: number, payload: string): string => {
      const asc = `00010${rateIndex.toString(2).padStart(4, '0')}0010000`;
      const bits = `0 0 1 000000 0000 000 ${asc} 000 11111111 0 0 00000010`.replaceAll(' ', '');
      const payloadBits = BigInt(`0x${payload}`).toString(2).padStart(16, '0');
      const all = (bits + payloadBits).padEnd(Math.ceil((bits.length + 16) / 8) * 8, '0');
      return BigInt(`0b1${all}`).toString(16).slice(1);
    };
    const same = '8155d580';
    const packets = [withConfig(3, 'aabb'), same, withConfig(3, 'ccdd'), withConfig(4, 'eeff')].map((hex, i) =>
      packet(hex, { timestamp: i }),
    );
    const units = latm('cpresent=1', ...packets);
    expect(units.map((unit) => [hexOf(unit.payload), unit.config && hexOf(unit.config)])).toEqual([
      ['aabb', '1190'],
      ['abab', undefined],
      ['ccdd', undefined],
      ['eeff', '1210'],
    ]);
  });

  it.each([
    ['a size beyond the end', '05aa'],
    ['a size without an end', 'ffff'],
    ['bytes behind the last element that are none', '01aa 09'],
  ])('drops %s', (_, hex) => {
    expect(latm(OUT_OF_BAND, packet(hex))).toEqual([]);
  });

  it('never gives a wrong access unit when packets are lost', () => {
    const units = fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        units,
        fc.integer({ min: 4, max: 100 }),
        fc.array(fc.nat(60), { maxLength: 6 }),
        (list, step, lost) => {
          const packets = list.flatMap((unit, i) => {
            const element = Uint8Array.of(unit.length, ...unit);
            const parts = Array.from({ length: Math.ceil(element.length / step) }, (_, n) =>
              element.slice(n * step, (n + 1) * step),
            );
            return parts.map((payload, n) =>
              packet(hexOf(payload), { timestamp: i * 1024, marker: n === parts.length - 1 }),
            );
          });
          const known = new Set(list.map((unit, i) => `${i * 1024}:${hexOf(unit)}`));
          const got = text(latm(OUT_OF_BAND, ...withLoss(packets, (i) => lost.includes(i))));
          for (const unit of got) expect(known).toContain(unit);
          if (lost.every((i) => i >= packets.length)) expect(got).toHaveLength(list.length);
        },
      ),
    );
  });
});
