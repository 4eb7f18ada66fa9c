import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import { parseXiphLacing, writeXiphLacing } from '../../../../src/codec/xiph/xiph-lacing.ts';
import type { DepacketizedUnit, RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import type { RtpMapping } from '../../../../src/protocol/rtp/payload/payload-format.ts';
import { VORBIS_FORMAT } from '../../../../src/protocol/rtp/payload/vorbis.ts';
import {
  MAX_XIPH_CONFIGURATIONS,
  parseXiphConfigurations,
  writeXiphConfiguration,
} from '../../../../src/protocol/rtp/payload/xiph-packed-headers.ts';
import { toBase64 } from '../../../../src/wire/base64.ts';
import { audioMapping, readAudioMapping, readSentUnits, summary } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize, readRtpFile, withLoss } from '../../../rtp-payload-test-kit.ts';

const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const key = ({ timestamp, payload }: Pick<DepacketizedUnit, 'timestamp' | 'payload'>): string =>
  `${timestamp}:${hexOf(payload)}`;

const GSTREAMER = readAudioMapping('vorbis-gstreamer');
const TRACK: Track = VORBIS_FORMAT.toTrack(GSTREAMER, 0)!;
const HEADERS = parseXiphLacing(TRACK.config)!;
/** The same but for the comment. */
const OTHER_HEADERS = HEADERS.with(1, bytes('03766f72626973 00000000 00000000 01'));

/** Headers as they stand in band: their number less one, lengths, headers. */
function packed(headers: readonly Uint8Array[]): Uint8Array {
  return writeXiphConfiguration({ ident: 0, headers })!.subarray(9);
}

function payload(head: string, ...packets: readonly Uint8Array[]): Uint8Array {
  const parts = packets.flatMap((packet) => [Uint8Array.of(packet.length >> 8, packet.length), packet]);
  return new Uint8Array(Buffer.concat([bytes(head), ...parts]));
}

function packet(data: Uint8Array, more: Partial<RtpPayload> = {}): RtpPayload {
  return { payload: data, timestamp: 0, marker: false, afterLoss: false, ...more };
}

describe('mapping of Vorbis', () => {
  it.each(['vorbis-ffmpeg', 'vorbis-gstreamer'])('of %s makes a track with its headers', (name) => {
    const track = VORBIS_FORMAT.toTrack(readAudioMapping(name), 2)!;
    expect(track).toMatchObject({ kind: 'audio', trackId: 2, codec: 'vorbis' });
    expect(track.audio).toMatchObject({ sampleRate: 48_000, channels: 2 });
    const headers = parseXiphLacing(track.config)!;
    expect(headers.map((header) => hexOf(header.subarray(0, 7)))).toEqual([
      '01766f72626973',
      '03766f72626973',
      '05766f72626973',
    ]);
    expect(headers[2]).toEqual(HEADERS[2]);
  });

  it('of a track says the same headers', () => {
    const mapping = VORBIS_FORMAT.toMapping(TRACK, 98)!;
    expect(mapping).toMatchObject({ payloadType: 98, encodingName: 'VORBIS', clockRate: 48_000, channels: 2 });
    expect(VORBIS_FORMAT.toTrack(mapping, 0)).toEqual(TRACK);
  });

  it('leaves a comment out that is too long for SDP', () => {
    const config = writeXiphLacing(HEADERS.with(1, new Uint8Array(5000).fill(3, 0, 1)));
    expect(VORBIS_FORMAT.toMapping({ ...TRACK, config }, 96)).toBeUndefined();
    const comment = new Uint8Array(5000);
    comment.set(HEADERS[1]!);
    const mapping = VORBIS_FORMAT.toMapping({ ...TRACK, config: writeXiphLacing(HEADERS.with(1, comment)) }, 96)!;
    expect(parseXiphLacing(VORBIS_FORMAT.toTrack(mapping, 0)!.config)).toEqual(OTHER_HEADERS);
  });

  it('without headers makes a track that waits for them', () => {
    expect(VORBIS_FORMAT.toTrack(audioMapping('vorbis', 44_100, 2), 0)).toEqual({
      kind: 'audio',
      trackId: 0,
      codec: 'vorbis',
      config: new Uint8Array(0),
    });
  });

  it('is none for other codecs, and for headers that are none', () => {
    expect(VORBIS_FORMAT.toMapping({ ...TRACK, codec: 'opus' }, 96)).toBeUndefined();
    expect(VORBIS_FORMAT.toMapping({ ...TRACK, config: new Uint8Array(9) }, 96)).toBeUndefined();
    expect(VORBIS_FORMAT.toTrack(audioMapping('THEORA', 90_000), 0)).toBeUndefined();
  });
});

describe('packed headers', () => {
  it('come back as they were written', () => {
    const headers = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.nat(0xff_ffff), headers, (ident, list) => {
        expect(parseXiphConfigurations(writeXiphConfiguration({ ident, headers: list })!)).toEqual([
          { ident, headers: list },
        ]);
      }),
    );
  });

  it('have lengths of seven bits a byte', () => {
    const sizes = [127, 128, 16_383, 16_384, 1];
    const headers = sizes.map((size) => new Uint8Array(size));
    const written = writeXiphConfiguration({ ident: 0x010203, headers })!;
    expect(hexOf(written.subarray(0, 18))).toBe(`00000001 010203 80ff 04 7f 8100 ff7f 818000`.replaceAll(' ', ''));
    expect(parseXiphConfigurations(written)[0]?.headers.map((header) => header.length)).toEqual(sizes);
  });

  it('are not written when they are too long', () => {
    expect(writeXiphConfiguration({ ident: 1, headers: [new Uint8Array(65_536)] })).toBeUndefined();
  });

  it('are read up to what makes no sense, and bounded', () => {
    const one = writeXiphConfiguration({ ident: 1, headers: [Uint8Array.of(7)] })!.subarray(4);
    const many = new Uint8Array(Buffer.concat([bytes('000000ff'), ...Array.from({ length: 255 }, () => one)]));
    expect(parseXiphConfigurations(many)).toHaveLength(MAX_XIPH_CONFIGURATIONS);
    expect(parseXiphConfigurations(many.subarray(0, 4 + one.length * 3 + 5))).toHaveLength(3);
    expect(parseXiphConfigurations(new Uint8Array(0))).toEqual([]);
  });
});

describe('Vorbis of other programs', () => {
  it.each([
    ['vorbis-gstreamer-parts', 21],
    ['vorbis-gstreamer', 15],
    ['vorbis-ffmpeg', 15],
  ])('comes out of %s as it was sent', (name, least) => {
    const depacketizer = VORBIS_FORMAT.makeDepacketizer(readAudioMapping(name));
    const units = depacketize(depacketizer, readRtpFile(`${name}.rtp`));
    // What does not fill a packet at the end is not sent.
    expect(units.length).toBeGreaterThanOrEqual(least);
    expect(summary(units)).toEqual(readSentUnits(name).slice(0, units.length));
    expect(depacketizer.dropped).toBe(0);
    expect(units.some((unit) => unit.config !== undefined)).toBe(false);
    // A short block and then long ones.
    const steps = units.slice(1, 17).map((unit, i) => (unit.timestamp - units[i]!.timestamp) >>> 0);
    expect(steps.slice(2).every((step) => Math.abs(step - 1024) <= 1)).toBe(true);
    expect(Math.abs(steps[1]! - 576)).toBeLessThanOrEqual(1);
  });
});

describe('XiphDepacketizer', () => {
  const ident = '6fa40e';
  const receive = (mapping: RtpMapping, ...packets: readonly RtpPayload[]): DepacketizedUnit[] =>
    depacketize(VORBIS_FORMAT.makeDepacketizer(mapping), packets);

  it('drops packets of a configuration that was not told', () => {
    const depacketizer = VORBIS_FORMAT.makeDepacketizer(GSTREAMER);
    expect(depacketizer.receive(packet(payload('00000101', bytes('00'))))).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it.each([
    ['whole', [packet(payload('00000711', packed(OTHER_HEADERS)))]],
    [
      'in parts',
      [
        packet(payload('00000750', packed(OTHER_HEADERS).subarray(0, 1000))),
        packet(payload('00000790', packed(OTHER_HEADERS).subarray(1000, 2000))),
        packet(payload('000007d0', packed(OTHER_HEADERS).subarray(2000))),
      ],
    ],
  ])('takes a configuration in band, %s, and tells it with the first packet', (_, configuration) => {
    const data = packet(payload('00000701', bytes('00aa')));
    const units = receive(audioMapping('vorbis', 48_000, 2), data, ...configuration, data, data);
    expect(units.map((unit) => unit.config && parseXiphLacing(unit.config))).toEqual([OTHER_HEADERS, undefined]);
    const others = receive(GSTREAMER, packet(payload(`${ident}01`, bytes('00aa'))), ...configuration, data);
    expect(others.map((unit) => unit.config && parseXiphLacing(unit.config))).toEqual([undefined, OTHER_HEADERS]);
  });

  it('puts a comment where there is none', () => {
    for (const headers of [HEADERS.with(1, new Uint8Array(0)), [HEADERS[0]!, HEADERS[2]!]]) {
      const configuration = toBase64(writeXiphConfiguration({ ident: 5, headers })!);
      const track = VORBIS_FORMAT.toTrack(audioMapping('vorbis', 48_000, 2, `configuration=${configuration}`), 0);
      expect(parseXiphLacing(track!.config)).toEqual(OTHER_HEADERS);
    }
  });

  it('drops headers that are none', () => {
    const depacketizer = VORBIS_FORMAT.makeDepacketizer(GSTREAMER);
    expect(depacketizer.receive(packet(payload('00000711', packed([bytes('01'), bytes('02')]))))).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('knows a bounded number of configurations, the newest', () => {
    const configurations = Array.from({ length: MAX_XIPH_CONFIGURATIONS + 1 }, (_, i) =>
      packet(payload(`${(i + 1).toString(16).padStart(6, '0')}11`, packed(HEADERS))),
    );
    const data = (of: string): RtpPayload => packet(payload(`${of}01`, bytes('00')));
    expect(receive(audioMapping('vorbis', 48_000, 2), ...configurations, data('000001'))).toEqual([]);
    expect(receive(audioMapping('vorbis', 48_000, 2), ...configurations, data('000002'))).toHaveLength(1);
  });

  it.each([
    ['no length', bytes(`${ident}01`)],
    ['half a header', bytes('6fa4')],
    ['a packet beyond the end', bytes(`${ident}01 0005 00`)],
    ['an end without a start', payload(`${ident}c0`, bytes('00'))],
  ])('drops a payload with %s', (_, data) => {
    const depacketizer = VORBIS_FORMAT.makeDepacketizer(GSTREAMER);
    expect(depacketizer.receive(packet(data))).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });

  it('keeps the packets before one that is cut off, and steps over comments', () => {
    expect(receive(GSTREAMER, packet(bytes(`${ident}02 0001 00 0009 00`)))).toHaveLength(1);
    expect(receive(GSTREAMER, packet(payload(`${ident}21`, bytes('03'))))).toEqual([]);
  });
});

describe('packetizer and depacketizer of Vorbis together', () => {
  const lists = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 8 });
  const packets = (list: readonly Uint8Array[], maxPayloadSize: number): RtpPayload[] =>
    packetize(
      VORBIS_FORMAT.makePacketizer(TRACK),
      list.map((data) => ({ payload: data, isKeyFrame: true })),
      { maxPayloadSize, step: 1024 },
    );
  const known = (list: readonly Uint8Array[]): string[] =>
    list.map((data, i) => key({ payload: data, timestamp: i * 1024 }));
  const depacketizer = () => VORBIS_FORMAT.makeDepacketizer(VORBIS_FORMAT.toMapping(TRACK, 96)!);

  it('give every packet back', () => {
    fc.assert(
      fc.property(lists, fc.integer({ min: 7, max: 150 }), (list, size) => {
        expect(depacketize(depacketizer(), packets(list, size)).map(key)).toEqual(known(list));
      }),
    );
  });

  it('never give a wrong one when some are lost', () => {
    fc.assert(
      fc.property(
        lists,
        fc.integer({ min: 7, max: 150 }),
        fc.array(fc.nat(60), { maxLength: 6 }),
        (list, size, lost) => {
          const expected = new Set(known(list));
          const received = withLoss(packets(list, size), (i) => lost.includes(i));
          for (const unit of depacketize(depacketizer(), received)) expect(expected).toContain(key(unit));
        },
      ),
    );
  });
});
