import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dvi4State } from '../../../../src/codec/dvi4/dvi4-state.ts';
import { sampleAudioDetails } from '../../../../src/codec/sample-audio.ts';
import type { Track } from '../../../../src/codec/track.ts';
import { DVI4_FORMAT } from '../../../../src/protocol/rtp/payload/dvi4.ts';
import { audioMapping } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize } from '../../../rtp-payload-test-kit.ts';

const track = (sampleRate: number, channels = 1): Track => ({
  kind: 'audio',
  trackId: 0,
  codec: 'dvi4',
  config: new Uint8Array(0),
  audio: sampleAudioDetails('dvi4', sampleRate, channels),
});

/** The samples of a payload. */
function decode(payload: Uint8Array): number[] {
  const state = new Dvi4State();
  state.predicted = Buffer.from(payload).readInt16BE(0);
  state.index = payload[2]!;
  return [...payload.subarray(4)].flatMap((byte) =>
    [byte >>> 4, byte & 15].map((code) => {
      state.decode(code);
      return state.predicted;
    }),
  );
}

describe('mapping of DVI4', () => {
  it.each([
    [8000, 5],
    [16_000, 6],
    [11_025, 16],
    [22_050, 17],
    [44_100, 97],
  ])('at %i Hz has payload type %i', (sampleRate, payloadType) => {
    const mapping = DVI4_FORMAT.toMapping(track(sampleRate), 97)!;
    expect(mapping).toMatchObject({ payloadType, encodingName: 'DVI4', clockRate: sampleRate });
    expect(DVI4_FORMAT.toTrack(mapping, 0)).toEqual(track(sampleRate));
  });

  it('is for one channel', () => {
    expect(DVI4_FORMAT.toMapping(track(8000, 2), 96)).toBeUndefined();
    expect(DVI4_FORMAT.toTrack(audioMapping('DVI4', 8000, 2), 0)).toBeUndefined();
    expect(DVI4_FORMAT.toTrack(audioMapping('PCMA', 8000), 0)).toBeUndefined();
  });
});

describe('Dvi4State', () => {
  it('follows IMA ADPCM', () => {
    const state = new Dvi4State();
    const steps = [7, 7, 15, 3, 0, 8, 4].map((code) => {
      state.decode(code);
      return [state.predicted, state.index];
    });
    // By hand from the table: steps 7, 16, 34, 73, 66, 60, 55.
    expect(steps).toEqual([
      [11, 8],
      [41, 16],
      [-22, 24],
      [41, 23],
      [49, 22],
      [42, 21],
      [103, 23],
    ]);
  });

  it('stays within 16 bits and the table', () => {
    const state = new Dvi4State();
    for (let i = 0; i < 100; i++) state.decode(7);
    expect([state.predicted, state.index]).toEqual([32_767, 88]);
    for (let i = 0; i < 100; i++) state.decode(15);
    expect([state.predicted, state.index]).toEqual([-32_768, 88]);
    for (let i = 0; i < 100; i++) state.decode(0);
    expect(state.index).toBe(0);
  });
});

describe('packets of DVI4', () => {
  const payloads = fc
    .tuple(fc.uint8Array({ minLength: 2, maxLength: 2 }), fc.nat(88), fc.uint8Array({ minLength: 1, maxLength: 200 }))
    .map(([predicted, index, samples]) => Uint8Array.of(...predicted, index, 0, ...samples));

  it('are the payload itself when it fits', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const packets = packetize(DVI4_FORMAT.makePacketizer(track(8000)), [{ payload, isKeyFrame: true }], {
          maxPayloadSize: 300,
        });
        const units = depacketize(DVI4_FORMAT.makeDepacketizer(audioMapping('DVI4', 8000)), packets);
        expect(units.map((unit) => unit.payload)).toEqual([payload]);
      }),
    );
  });

  it('decode to the same samples, at their times, when it is cut', () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 5, max: 100 }), (payload, maxPayloadSize) => {
        const packets = packetize(DVI4_FORMAT.makePacketizer(track(8000)), [{ payload, isKeyFrame: true }], {
          maxPayloadSize,
        });
        let timestamp = 0;
        for (const packet of packets) {
          expect(packet.timestamp).toBe(timestamp);
          timestamp += (packet.payload.length - 4) * 2;
        }
        expect(packets.flatMap((packet) => decode(packet.payload))).toEqual(decode(payload));
      }),
    );
  });

  it.each([
    ['no samples', [0, 0, 0, 0]],
    ['a place outside of the table', [0, 0, 89, 0, 1]],
  ])('with %s are dropped and not sent', (_, values) => {
    const payload = Uint8Array.from(values);
    const depacketizer = DVI4_FORMAT.makeDepacketizer(audioMapping('DVI4', 8000));
    expect(depacketizer.receive({ payload, timestamp: 0, marker: false, afterLoss: false })).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
    const packetizer = DVI4_FORMAT.makePacketizer(track(8000));
    expect(packetize(packetizer, [{ payload, isKeyFrame: true }], { maxPayloadSize: 50 })).toEqual([]);
  });
});
