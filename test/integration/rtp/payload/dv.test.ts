import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { DV_FORMAT } from '../../../../src/protocol/rtp/payload/dv-format.ts';
import { depacketize, mappingOf, packetize, type SentUnit, withLoss } from '../../../rtp-payload-test-kit.ts';

const MAPPING = mappingOf('DV', 'encode=SD-VCR/525-60;audio=bundled');
const TRACK: Track = DV_FORMAT.toTrack(MAPPING, 0)!;

const FRAME_BYTES = 120_000;

/** A frame as far as its length and its first block go. */
function frame(seed: number): SentUnit {
  const payload = Uint8Array.from({ length: FRAME_BYTES }, (_, i) => (i % 80 === 0 ? 0x96 : (i * 7 + seed) & 0xff));
  payload.set([0x1f, 0x07, 0x00, 0x3f]);
  return { payload, isKeyFrame: true };
}

const FRAMES = [frame(1), frame(2), frame(3)];

describe('DV there and back', () => {
  it.each([
    [1400, 0xffff_ff00],
    [80, 0],
    [8000, 7],
  ])('gives what was sent in packets of %i bytes', (maxPayloadSize, timestamp) => {
    const packets = packetize(DV_FORMAT.makePacketizer(TRACK), FRAMES, { maxPayloadSize, timestamp });
    const expected = FRAMES.map((one, i) => ({ ...one, timestamp: (timestamp + i * 3600) >>> 0 }));
    expect(depacketize(DV_FORMAT.makeDepacketizer(MAPPING), packets)).toEqual(expected);
  });

  it('gives nothing but what was sent, whichever packets are lost', () => {
    const packets = packetize(DV_FORMAT.makePacketizer(TRACK), FRAMES, { maxPayloadSize: 8000 });
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 20 })), fc.boolean(), (luck, hasMarkers) => {
        const some = withLoss(packets, () => luck.next().value === 0);
        const marked = some.map((one) => ({ ...one, marker: one.marker && hasMarkers }));
        for (const { timestamp, payload } of depacketize(DV_FORMAT.makeDepacketizer(MAPPING), marked)) {
          expect(Buffer.compare(payload, FRAMES[timestamp / 3600]!.payload)).toBe(0);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('never cuts a DIF block', () => {
    const packets = packetize(
      DV_FORMAT.makePacketizer(TRACK),
      [{ payload: FRAMES[0]!.payload.subarray(0, 800), isKeyFrame: true }],
      {
        maxPayloadSize: 399,
      },
    );
    expect(packets.map((one) => [one.payload.length, one.marker])).toEqual([
      [320, false],
      [320, false],
      [160, true],
    ]);
  });

  it('leaves out what is no whole DIF block, on both sides', () => {
    const cut = { payload: FRAMES[0]!.payload.subarray(0, 100), isKeyFrame: true };
    const packets = packetize(DV_FORMAT.makePacketizer(TRACK), [cut], { maxPayloadSize: 400 });
    expect(packets.map((one) => one.payload.length)).toEqual([80]);
    const depacketizer = DV_FORMAT.makeDepacketizer(MAPPING);
    const bad: RtpPayload = { payload: cut.payload, timestamp: 0, marker: true, afterLoss: false };
    expect(depacketizer.receive(bad)).toEqual([]);
    expect(depacketizer.receive({ ...bad, payload: bad.payload.subarray(0, 80) })).toEqual([]);
    expect(depacketizer.dropped).toBe(2);
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
