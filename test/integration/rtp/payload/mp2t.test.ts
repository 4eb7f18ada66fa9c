import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { MP2T_FORMAT } from '../../../../src/protocol/rtp/payload/mp2t.ts';
import { audioMapping, readAudioMapping, readSentUnits, summary } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize, readRtpFile } from '../../../rtp-payload-test-kit.ts';

const TRACK: Track = { kind: 'video', trackId: 0, codec: 'mp2t', config: new Uint8Array(0) };
const MP2T = audioMapping('MP2T', 90_000);

function transportPackets(count: number): Uint8Array {
  const bytes = new Uint8Array(count * 188);
  for (let i = 0; i < count; i++) bytes.fill(i, i * 188, (i + 1) * 188).fill(0x47, i * 188, i * 188 + 1);
  return bytes;
}

const send = (payload: Uint8Array, maxPayloadSize: number): RtpPayload[] =>
  packetize(MP2T_FORMAT.makePacketizer(TRACK), [{ payload, isKeyFrame: true }], { maxPayloadSize });

function receive(payload: Uint8Array): { sizes: number[]; dropped: number } {
  const depacketizer = MP2T_FORMAT.makeDepacketizer(MP2T);
  const units = depacketizer.receive({ payload, timestamp: 0, marker: false, afterLoss: false });
  return { sizes: units.map((unit) => unit.payload.length), dropped: depacketizer.dropped };
}

describe('transport streams over RTP', () => {
  it('have payload type 33 and a clock of 90 kHz', () => {
    expect(MP2T_FORMAT.toMapping(TRACK, 96)).toMatchObject({
      payloadType: 33,
      encodingName: 'MP2T',
      clockRate: 90_000,
    });
    expect(MP2T_FORMAT.toTrack(MP2T, 0)).toEqual(TRACK);
    expect(MP2T_FORMAT.toMapping({ ...TRACK, codec: 'h264' }, 96)).toBeUndefined();
    expect(MP2T_FORMAT.toTrack(audioMapping('MPV', 90_000), 0)).toBeUndefined();
  });

  it('come from GStreamer as they were sent', () => {
    const units = depacketize(
      MP2T_FORMAT.makeDepacketizer(readAudioMapping('mp2t-gstreamer')),
      readRtpFile('mp2t-gstreamer.rtp'),
    );
    const payload = Buffer.concat(units.map((unit) => unit.payload));
    expect(summary([{ payload }])).toEqual(readSentUnits('mp2t-gstreamer'));
  });

  it.each([
    [1500, 17, [7, 7, 3]],
    [1315, 13, [6, 6, 1]],
    [200, 3, [1, 1, 1]],
    [187, 3, []],
  ])('fill payloads of %i bytes with %i packets so', (maxPayloadSize, count, expected) => {
    expect(send(transportPackets(count), maxPayloadSize).map((one) => one.payload.length / 188)).toEqual(expected);
  });

  it('lose what is no whole packet', () => {
    expect(send(transportPackets(2).subarray(0, 300), 1400)).toHaveLength(1);
    expect(receive(transportPackets(2).subarray(0, 300))).toEqual({ sizes: [188], dropped: 1 });
    expect(receive(transportPackets(3).fill(0, 376, 377))).toEqual({ sizes: [376], dropped: 1 });
    expect(receive(new Uint8Array(188))).toEqual({ sizes: [], dropped: 1 });
    expect(receive(new Uint8Array(0))).toEqual({ sizes: [], dropped: 0 });
  });

  it('come back as they were sent', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 188, max: 1500 }), (count, maxPayloadSize) => {
        const sent = transportPackets(count);
        const units = depacketize(MP2T_FORMAT.makeDepacketizer(MP2T), send(sent, maxPayloadSize));
        expect(new Uint8Array(Buffer.concat(units.map((unit) => unit.payload)))).toEqual(sent);
      }),
    );
  });
});
