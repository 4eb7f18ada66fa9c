import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOpusHead, writeOpusHead } from '../../../../src/codec/opus/opus-head.ts';
import type { Track } from '../../../../src/codec/track.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import { OPUS_FORMAT } from '../../../../src/protocol/rtp/payload/opus.ts';
import { audioMapping, readAudioMapping, readSentUnits, summary } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize, readRtpFile } from '../../../rtp-payload-test-kit.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');

function track(channels: number): Track {
  const mappingFamily = channels > 2 ? 1 : 0;
  const mapping = { streamCount: channels, coupledCount: 0, mapping: Array.from({ length: channels }, (_, i) => i) };
  const head = { channels, preSkip: 312, inputSampleRate: 16_000, outputGain: 0, mappingFamily };
  const config = writeOpusHead(channels > 2 ? { ...head, mapping } : head);
  return { kind: 'audio', trackId: 0, codec: 'opus', config };
}

function packet(hex: string, more: Partial<RtpPayload> = {}): RtpPayload {
  return { payload: bytes(hex), timestamp: 5, marker: false, afterLoss: false, ...more };
}

describe('mapping of Opus', () => {
  it.each([
    [1, '0'],
    [2, '1'],
  ])('of %i channels has 48000/2 and sprop-stereo=%s', (channels, stereo) => {
    const mapping = OPUS_FORMAT.toMapping(track(channels), 111)!;
    expect(mapping).toMatchObject({ payloadType: 111, encodingName: 'opus', clockRate: 48_000, channels: 2 });
    expect(mapping.parameters.get('sprop-stereo')).toBe(stereo);
    expect(parseOpusHead(OPUS_FORMAT.toTrack(mapping, 0)!.config)?.channels).toBe(channels);
    expect(OPUS_FORMAT.toTrack(mapping, 0)?.audio).toMatchObject({ sampleRate: 48_000, channels });
  });

  it('of a track without OpusHead is that of stereo', () => {
    const mapping = OPUS_FORMAT.toMapping({ ...track(1), config: new Uint8Array(0) }, 96);
    expect(mapping?.parameters.get('sprop-stereo')).toBe('1');
  });

  it('is not for more channels, other codecs or clocks', () => {
    expect(OPUS_FORMAT.toMapping(track(6), 96)).toBeUndefined();
    expect(OPUS_FORMAT.toMapping({ ...track(2), codec: 'aac' }, 96)).toBeUndefined();
    expect(OPUS_FORMAT.toTrack(audioMapping('opus', 8000, 2), 0)).toBeUndefined();
    expect(OPUS_FORMAT.toTrack(audioMapping('PCMU', 48_000), 0)).toBeUndefined();
  });
});

describe('Opus of other programs', () => {
  it.each(['opus-ffmpeg', 'opus-gstreamer'])('comes out of %s as it was sent, 20 ms apart', (name) => {
    const depacketizer = OPUS_FORMAT.makeDepacketizer(readAudioMapping(name));
    const units = depacketize(depacketizer, readRtpFile(`${name}.rtp`));
    expect(summary(units)).toEqual(readSentUnits(name));
    const steps = units.slice(1).map((one, i) => (one.timestamp - units[i]!.timestamp) >>> 0);
    // GStreamer takes what is skipped at the start off the first one.
    expect(new Set(steps.slice(1))).toEqual(new Set([960]));
    expect(units.some((unit) => unit.config !== undefined)).toBe(false);
  });
});

describe('Opus', () => {
  const send = (payload: Uint8Array, maxPayloadSize: number): string[] =>
    packetize(OPUS_FORMAT.makePacketizer(track(2)), [{ payload, isKeyFrame: true }], { maxPayloadSize }).map(
      (one) => `${one.timestamp}:${hexOf(one.payload)}`,
    );

  it('goes out as it is', () => {
    expect(send(bytes('fc112233'), 100)).toEqual(['0:fc112233']);
    expect(send(new Uint8Array(0), 100)).toEqual([]);
  });

  it('goes out frame by frame when a packet does not fit', () => {
    // Three frames of 20 ms, sizes 2, 0 and 3.
    expect(send(bytes('fb 83 02 00 aabb ccddee'), 5)).toEqual(['0:f8aabb', '960:f8', '1920:f8ccddee']);
    // Two of 2.5 ms.
    expect(send(bytes('e1 aabbcc ddeeff'), 5)).toEqual(['0:e0aabbcc', '120:e0ddeeff']);
  });

  it('leaves out frames that do not fit alone, and packets that cannot be taken apart', () => {
    expect(send(bytes('fa 01 aa bbccddee'), 4)).toEqual(['0:f8aa']);
    expect(send(bytes('fb 00 aabbccdd'), 4)).toEqual([]);
  });

  it('tells once that it is stereo when SDP did not', () => {
    const units = depacketize(OPUS_FORMAT.makeDepacketizer(audioMapping('opus', 48_000, 2)), [
      packet('f811'),
      packet('fc11'),
      packet('f811'),
      packet('fc11'),
    ]);
    expect(units.map((unit) => unit.config && parseOpusHead(unit.config)?.channels)).toEqual([
      undefined,
      2,
      undefined,
      undefined,
    ]);
  });

  it('steps over payloads without a packet, and drops malformed ones', () => {
    const depacketizer = OPUS_FORMAT.makeDepacketizer(audioMapping('opus', 48_000, 2));
    expect(depacketizer.receive(packet(''))).toEqual([]);
    expect(depacketizer.dropped).toBe(0);
    expect(depacketizer.receive(packet('03'))).toEqual([]);
    expect(depacketizer.receive(packet('ff3f'))).toEqual([]);
    expect(depacketizer.dropped).toBe(2);
  });

  it('comes back as it was sent', () => {
    const packets = fc.array(
      fc.uint8Array({ minLength: 1, maxLength: 60 }).map((data) => data.with(0, data[0]! & 0xfc)),
    );
    fc.assert(
      fc.property(packets, (list) => {
        const sent = packetize(
          OPUS_FORMAT.makePacketizer(track(2)),
          list.map((payload) => ({ payload, isKeyFrame: true })),
          { maxPayloadSize: 60 },
        );
        const units = depacketize(OPUS_FORMAT.makeDepacketizer(OPUS_FORMAT.toMapping(track(2), 96)!), sent);
        expect(units.map((unit) => unit.payload)).toEqual(list);
      }),
    );
  });
});
