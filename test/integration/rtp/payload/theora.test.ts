import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import { parseXiphLacing, writeXiphLacing } from '../../../../src/codec/xiph/xiph-lacing.ts';
import { openOggFile } from '../../../../src/format/ogg/ogg-file.ts';
import { THEORA_FORMAT } from '../../../../src/protocol/rtp/payload/theora-format.ts';
import {
  parseXiphConfigurations,
  writeXiphConfiguration,
} from '../../../../src/protocol/rtp/payload/xiph-packed-headers.ts';
import { fromBase64, toBase64 } from '../../../../src/wire/base64.ts';
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
import { memoryFile, readFrames } from '../../../vod-test-kit.ts';

const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

const SDP = readSdpMapping('theora-ffmpeg.sdp');
const TRACK: Track = THEORA_FORMAT.toTrack(SDP, 0)!;
const MAPPING = THEORA_FORMAT.toMapping(TRACK, 96)!;

async function codedFrames(file: string): Promise<{ readonly track: Track; readonly frames: readonly Uint8Array[] }> {
  const ogg = await openOggFile(memoryFile(readFixture(file)));
  const frames = await readFrames(ogg);
  return { track: ogg.tracks[0]!, frames: frames.map((frame) => frame.payload) };
}

const frames: fc.Arbitrary<SentUnit[]> = fc.array(
  fc.tuple(fc.boolean(), fc.nat(500)).map(([isKeyFrame, size]) => ({
    payload: Uint8Array.from({ length: size + 1 }, (_, i) => (i === 0 ? (isKeyFrame ? 0x20 : 0x60) : (i * 7) & 0xff)),
    isKeyFrame,
  })),
  { minLength: 1, maxLength: 12 },
);

describe('Theora there and back', () => {
  it('gives what was sent, whatever the sizes and the loss', () => {
    fc.assert(
      fc.property(
        frames,
        fc.integer({ min: 8, max: 300 }),
        fc.nat(0xffff_ffff),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        (units, maxPayloadSize, timestamp, luck) => {
          const packets = packetize(THEORA_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize, timestamp });
          const expected = units.map((one, i) => ({ ...one, timestamp: (timestamp + i * 3600) >>> 0 }));
          expect(depacketize(THEORA_FORMAT.makeDepacketizer(MAPPING), packets)).toEqual(expected);
          const some = withLoss(packets, () => luck.next().value === 0);
          for (const unit of depacketize(THEORA_FORMAT.makeDepacketizer(MAPPING), some))
            expect(expected).toContainEqual(unit);
        },
      ),
    );
  });
});

describe('Theora of other programs', () => {
  it.each([
    ['ffmpeg', SDP],
    ['gstreamer', mappingOf('THEORA')],
  ])('is read as it was coded: %s', async (program, mapping) => {
    const { track, frames: coded } = await codedFrames(`theora-${program}.ogv`);
    const depacketizer = THEORA_FORMAT.makeDepacketizer(mapping);
    const units = depacketize(depacketizer, readRtpFile(`theora-${program}.rtp`));
    expect(units.map((one) => hexOf(one.payload))).toEqual(coded.map(hexOf));
    expect(units.map((one) => one.isKeyFrame)).toEqual(coded.map((_, i) => i % 6 === 0));
    expect(units.map((one) => (one.timestamp - units[0]!.timestamp) / 3600)).toEqual(coded.map((_, i) => i));
    expect(depacketizer.dropped).toBe(0);
    // ffmpeg leaves the comment out, GStreamer tells everything in band.
    const config = program === 'ffmpeg' ? TRACK.config : units[0]!.config!;
    const [identification, , setup] = parseXiphLacing(track.config)!;
    const found = parseXiphLacing(config)!;
    expect([found[0], found[2]]).toEqual([identification, setup]);
  });
});

describe('Theora depacketizer', () => {
  it('gives the frames of one packet times by the frame rate', () => {
    const { ident } = parseXiphConfigurations(fromBase64(SDP.parameters.get('configuration')!)!)[0]!;
    const payload = Uint8Array.of(ident >>> 16, ident >>> 8, ident, 0x02, 0, 2, 0x20, 1, 0, 2, 0x60, 2);
    const units = THEORA_FORMAT.makeDepacketizer(SDP).receive({
      payload,
      timestamp: 0xffff_ffff,
      marker: false,
      afterLoss: false,
    });
    expect(units).toEqual([
      { timestamp: 0xffff_ffff, payload: Uint8Array.of(0x20, 1), isKeyFrame: true },
      { timestamp: 3599, payload: Uint8Array.of(0x60, 2), isKeyFrame: false },
    ]);
  });

  it('drops frames of headers that were not told', () => {
    const other = { ...TRACK, config: TRACK.config.with(TRACK.config.length - 1, TRACK.config.at(-1)! ^ 1) };
    const packets = packetize(
      THEORA_FORMAT.makePacketizer(other),
      [{ payload: Uint8Array.of(0x20), isKeyFrame: true }],
      { maxPayloadSize: 100 },
    );
    const depacketizer = THEORA_FORMAT.makeDepacketizer(MAPPING);
    expect(depacketize(depacketizer, packets)).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });
});

describe('Theora in SDP', () => {
  it('names a track by its headers', () => {
    expect(TRACK).toMatchObject({ codec: 'theora', video: { width: 96, height: 64, frameRate: 25 } });
    expect(MAPPING).toMatchObject({ payloadType: 96, encodingName: 'THEORA', clockRate: 90_000 });
    expect([...MAPPING.parameters].slice(0, 4)).toEqual([
      ['sampling', 'YCbCr-4:2:0'],
      ['width', '96'],
      ['height', '64'],
      ['delivery-method', 'inline'],
    ]);
    expect(THEORA_FORMAT.toTrack(MAPPING, 0)).toEqual(TRACK);
  });

  it('leaves out a comment as long as a picture', () => {
    const headers = parseXiphLacing(TRACK.config)!;
    const comment = new Uint8Array(10_000);
    comment.set([0x81, 0x74, 0x68, 0x65, 0x6f, 0x72, 0x61]);
    const track = { ...TRACK, config: writeXiphLacing(headers.with(1, comment)) };
    expect(THEORA_FORMAT.toMapping(track, 96)).toEqual(MAPPING);
  });

  it.each([
    ['no headers', new Uint8Array(0)],
    ['other headers', writeXiphLacing([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)])],
    ['headers cut off', TRACK.config.subarray(0, 60)],
  ])('has no name for a track with %s', (_, config) => {
    expect(THEORA_FORMAT.toMapping({ ...TRACK, config }, 96)).toBeUndefined();
  });

  it.each(['', 'configuration=*', 'configuration=AAAAAQ=='])('makes a track without headers of %j', (fmtp) => {
    expect(THEORA_FORMAT.toTrack(mappingOf('theora', fmtp), 1)).toEqual({
      kind: 'video',
      trackId: 1,
      codec: 'theora',
      config: new Uint8Array(0),
    });
  });

  it('is no track of another name, and no headers of another codec', () => {
    expect(THEORA_FORMAT.toTrack(mappingOf('VORBIS'), 1)).toBeUndefined();
    const headers = [Uint8Array.of(1), Uint8Array.of(3), Uint8Array.of(5)];
    const configuration = toBase64(writeXiphConfiguration({ ident: 1, headers })!);
    expect(THEORA_FORMAT.toTrack(mappingOf('THEORA', `configuration=${configuration}`), 1)!.config).toHaveLength(0);
  });
});
