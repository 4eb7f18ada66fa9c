import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { DV_FORMAT } from '../../../../src/protocol/rtp/payload/dv-format.ts';
import { depacketize, mappingOf, packetize, type SentUnit, withLoss } from '../../../rtp-payload-test-kit.ts';

const MAPPING = mappingOf('DV', 'encode=SD-VCR/525-60;audio=bundled');
const TRACK: Track = DV_FORMAT.toTrack(MAPPING, 0)!;

/** A frame of some DIF blocks, the first of which is a header block. */
function frame(blocks: number, seed: number): SentUnit {
  const payload = Uint8Array.from({ length: 80 * blocks }, (_, i) => {
    if (i < 3) return [0x1f, 0x07, 0x00][i]!;
    return i % 80 === 0 ? 0x96 : (i * 7 + seed) & 0xff;
  });
  return { payload, isKeyFrame: true };
}

const frames: fc.Arbitrary<SentUnit[]> = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(255)).map(([blocks, seed]) => frame(blocks, seed)),
  { minLength: 1, maxLength: 8 },
);

describe('DV there and back', () => {
  it('gives what was sent, whatever the sizes and the loss', () => {
    fc.assert(
      fc.property(
        frames,
        fc.integer({ min: 80, max: 1500 }),
        fc.nat(0xffff_ffff),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        fc.boolean(),
        (units, maxPayloadSize, timestamp, luck, hasMarkers) => {
          const packets = packetize(DV_FORMAT.makePacketizer(TRACK), units, { maxPayloadSize, timestamp });
          const expected = units.map((one, i) => ({ ...one, timestamp: (timestamp + i * 3600) >>> 0 }));
          expect(depacketize(DV_FORMAT.makeDepacketizer(MAPPING), packets)).toEqual(expected);
          const some = withLoss(packets, () => luck.next().value === 0);
          const marked = some.map((one) => ({ ...one, marker: one.marker && hasMarkers }));
          for (const unit of depacketize(DV_FORMAT.makeDepacketizer(MAPPING), marked))
            expect(expected).toContainEqual(unit);
        },
      ),
    );
  });

  it('never cuts a DIF block', () => {
    const packets = packetize(DV_FORMAT.makePacketizer(TRACK), [frame(10, 1)], { maxPayloadSize: 399 });
    expect(packets.map((one) => [one.payload.length, one.marker])).toEqual([
      [320, false],
      [320, false],
      [160, true],
    ]);
  });

  it('leaves out what is no whole DIF block, on both sides', () => {
    const cut = { payload: frame(2, 1).payload.subarray(0, 100), isKeyFrame: true };
    const packets = packetize(DV_FORMAT.makePacketizer(TRACK), [cut], { maxPayloadSize: 400 });
    expect(packets.map((one) => one.payload.length)).toEqual([80]);
    const depacketizer = DV_FORMAT.makeDepacketizer(MAPPING);
    const bad: RtpPayload = { payload: cut.payload, timestamp: 0, marker: true, afterLoss: false };
    expect(depacketizer.receive(bad)).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });
});

describe('DV in SDP', () => {
  it('names a track by its system', () => {
    expect(TRACK).toMatchObject({ codec: 'dv', video: { width: 720, height: 480, profile: 'SD-VCR/525-60' } });
    expect(DV_FORMAT.toMapping(TRACK, 96)).toEqual(MAPPING);
  });

  it('names no track whose system is not known, and none of another codec', () => {
    const { video, ...unknown } = TRACK;
    expect(DV_FORMAT.toMapping(unknown, 96)).toBeUndefined();
    expect(DV_FORMAT.toMapping({ ...TRACK, video: { ...video!, height: 100, profile: 'DV' } }, 96)).toBeUndefined();
    expect(DV_FORMAT.toMapping({ ...TRACK, codec: 'jpeg' }, 96)).toBeUndefined();
  });

  it('makes a track of a system that is not known', () => {
    expect(DV_FORMAT.toTrack(mappingOf('dv', 'encode=HD-VCR/1125-60'), 1)).toEqual({
      kind: 'video',
      trackId: 1,
      codec: 'dv',
      config: new Uint8Array(0),
    });
    expect(DV_FORMAT.toTrack(mappingOf('JPEG'), 1)).toBeUndefined();
  });
});
