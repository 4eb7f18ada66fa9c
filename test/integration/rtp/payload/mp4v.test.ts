import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMpeg4Configuration } from '../../../../src/codec/mp4v/configuration.ts';
import type { Track } from '../../../../src/codec/track.ts';
import { MP4V_FORMAT } from '../../../../src/protocol/rtp/payload/mp4v-format.ts';
import { joinBytes } from '../../../../src/wire/join-bytes.ts';
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

const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

const SDP = readSdpMapping('mp4v-ffmpeg.sdp');
const TRACK: Track = MP4V_FORMAT.toTrack(SDP, 0)!;
const CONFIG = TRACK.config;
const GROUP = Uint8Array.of(0, 0, 1, 0xb3, 0x00, 0x10, 0x07);

/** A VOP that has no start code in it but its own. */
function vop(isKeyFrame: boolean, size: number): Uint8Array {
  const head = [0, 0, 1, 0xb6, isKeyFrame ? 0x10 : 0x50];
  return Uint8Array.from({ length: head.length + size }, (_, i) => head[i] ?? ((i * 31) & 0x7f) | 0x10);
}

function unit(isKeyFrame: boolean, size: number, ...headers: readonly Uint8Array[]): SentUnit {
  return { payload: joinBytes([...headers, vop(isKeyFrame, size)]), isKeyFrame };
}

const vops: fc.Arbitrary<SentUnit[]> = fc.array(
  fc
    .tuple(fc.boolean(), fc.nat(400), fc.boolean(), fc.boolean())
    .map(([isKeyFrame, size, hasConfig, hasGroup]) =>
      unit(isKeyFrame, size, ...(hasConfig ? [CONFIG] : []), ...(hasGroup ? [GROUP] : [])),
    ),
  { minLength: 1, maxLength: 12 },
);

describe('MPEG-4 visual there and back', () => {
  it('gives what was sent, whatever the sizes', () => {
    fc.assert(
      fc.property(vops, fc.integer({ min: 4, max: 300 }), fc.nat(0xffff_ffff), (units, maxPayloadSize, timestamp) => {
        const packets = packetize(MP4V_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize, timestamp });
        const depacketizer = MP4V_FORMAT.makeDepacketizer(SDP);
        expect(depacketize(depacketizer, packets)).toEqual(
          units.map((one, i) => ({ ...one, timestamp: (timestamp + i * 3600) >>> 0 })),
        );
        expect(depacketizer.dropped).toBe(0);
      }),
    );
  });

  it('gives nothing but what was sent, whichever packets are lost', () => {
    fc.assert(
      fc.property(
        vops,
        // Headers fit into a packet, as the RFC wants it.
        fc.integer({ min: CONFIG.length + GROUP.length + 5, max: 300 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        fc.boolean(),
        (units, maxPayloadSize, luck, hasMarkers) => {
          const sent = packetize(MP4V_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize });
          const packets = withLoss(sent, () => luck.next().value === 0);
          const marked = packets.map((one) => ({ ...one, marker: one.marker && hasMarkers }));
          for (const { timestamp, payload, isKeyFrame } of depacketize(MP4V_FORMAT.makeDepacketizer(SDP), marked)) {
            expect({ payload, isKeyFrame }).toEqual(units[timestamp / 3600]);
          }
        },
      ),
    );
  });
});

describe('MPEG-4 visual packetizer', () => {
  it('puts headers into key frames without them when asked, across packets too', () => {
    const units = [unit(true, 50), unit(false, 9), unit(true, 3, CONFIG)];
    for (const maxPayloadSize of [4, 30, CONFIG.length, CONFIG.length + 1, 500]) {
      const packets = packetize(MP4V_FORMAT.makePacketizer(TRACK, true), units, { maxPayloadSize });
      const received = depacketize(MP4V_FORMAT.makeDepacketizer(SDP), packets);
      const expected = [unit(true, 50, CONFIG), ...units.slice(1)];
      expect(received.map((one) => hexOf(one.payload))).toEqual(expected.map((one) => hexOf(one.payload)));
    }
  });

  it('writes nothing for nothing', () => {
    const nothing = [{ payload: new Uint8Array(0), isKeyFrame: true }];
    expect(packetize(MP4V_FORMAT.makePacketizer(TRACK, true), nothing, { maxPayloadSize: 9 })).toEqual([]);
  });
});

describe('MPEG-4 visual depacketizer', () => {
  it('tells headers that differ from those known', () => {
    const other = CONFIG.with(4, 0x03);
    const units = [unit(true, 9, CONFIG), unit(true, 9, other), unit(true, 9, other)];
    const packets = packetize(MP4V_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize: 400 });
    const configs = (mapping: typeof SDP): unknown[] =>
      depacketize(MP4V_FORMAT.makeDepacketizer(mapping), packets).map((one) => one.config);
    expect(configs(SDP)).toEqual([undefined, other, undefined]);
    expect(configs(mappingOf('MP4V-ES'))).toEqual([CONFIG, other, undefined]);
  });

  it.each([
    ['000001b6', true],
    ['000001b3', true],
    ['000001b0', true],
    ['000001b5', true],
    ['00000100', true],
    ['00000120', true],
    ['000001b2', false],
    ['000001b7', false],
    ['0001b6', false],
    ['000001', false],
  ])('after a loss begins with %s: %j', (hex, begins) => {
    const payload = Uint8Array.from(Buffer.from(hex, 'hex'));
    const units = MP4V_FORMAT.makeDepacketizer(SDP).receive({ payload, timestamp: 0, marker: true, afterLoss: true });
    expect(units).toHaveLength(begins ? 1 : 0);
  });

  it.each([
    ['mp4v-ffmpeg', [0, 4, 10]],
    ['mp4v-gstreamer', [0, 6]],
  ])('reads what another program sent as it was coded: %s', (name, keyFrames) => {
    const depacketizer = MP4V_FORMAT.makeDepacketizer(mappingOf('MP4V-ES'));
    const units = depacketize(depacketizer, readRtpFile(`${name}.rtp`));
    expect(units).toHaveLength(12);
    expect(units.flatMap((one, i) => (one.isKeyFrame ? [i] : []))).toEqual(keyFrames);
    expect(depacketizer.dropped).toBe(0);
    // GStreamer puts headers in front of key frames, in place of those in the stream.
    const withoutHeaders = (bytes: Uint8Array): string => hexOf(bytes).replaceAll(/000001b0.*?(?=000001b[36])/g, '');
    expect(withoutHeaders(joinBytes(units.map((one) => one.payload)))).toBe(withoutHeaders(readFixture(`${name}.m4v`)));
    const expected = name === 'mp4v-ffmpeg' ? undefined : parseMpeg4Configuration(readFixture(`${name}.m4v`))!.bytes;
    expect(units[0]!.config).toEqual(expected);
  });
});

describe('MPEG-4 visual in SDP', () => {
  it('names a track by its headers', () => {
    expect(TRACK).toMatchObject({ codec: 'mp4v', video: { width: 96, height: 64 } });
    const mapping = MP4V_FORMAT.toMapping(TRACK, 97)!;
    expect(mapping).toMatchObject({ payloadType: 97, encodingName: 'MP4V-ES', clockRate: 90_000 });
    expect(mapping.parameters.get('config')).toBe(SDP.parameters.get('config'));
    expect(mapping.parameters.get('profile-level-id')).toBe(String(CONFIG[4]));
    expect(MP4V_FORMAT.toTrack(mapping, 0)).toEqual(TRACK);
  });

  it('names a track without headers, and no track of another codec', () => {
    const mapping = MP4V_FORMAT.toMapping({ ...TRACK, config: new Uint8Array(0) }, 97)!;
    expect([...mapping.parameters]).toEqual([['profile-level-id', '1']]);
    expect(MP4V_FORMAT.toMapping({ ...TRACK, codec: 'h264' }, 97)).toBeUndefined();
    expect(MP4V_FORMAT.toTrack(mappingOf('H264'), 0)).toBeUndefined();
  });

  it.each(['', 'zz', '000', '00000100', 'f'.repeat(20_000)])('makes a track without headers of config=%j', (config) => {
    expect(MP4V_FORMAT.toTrack(mappingOf('mp4v-es', `config=${config}`), 0)!.config).toHaveLength(0);
  });
});
