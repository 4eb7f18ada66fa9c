import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AmrCodec, amrFrameBytes, amrSpeechBits } from '../../../../src/codec/amr/amr-frame.ts';
import type { Track } from '../../../../src/codec/track.ts';
import { AMR_FORMAT, AMR_WB_FORMAT } from '../../../../src/protocol/rtp/payload/amr.ts';
import { MAX_AMR_FRAMES } from '../../../../src/protocol/rtp/payload/amr-depacketizer.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import type { PayloadFormat } from '../../../../src/protocol/rtp/payload/payload-format.ts';
import { audioMapping, readAudioMapping, readSentUnits, summary } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize, readRtpFile } from '../../../rtp-payload-test-kit.ts';

const hexOf = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const track = (codec: AmrCodec): Track => ({ kind: 'audio', trackId: 0, codec, config: new Uint8Array(0) });
const packet = (hex: string): RtpPayload => ({ payload: bytes(hex), timestamp: 1000, marker: false, afterLoss: false });
const FORMATS = [
  ['amr', AMR_FORMAT, 'AMR', 8000],
  ['amr-wb', AMR_WB_FORMAT, 'AMR-WB', 16_000],
] as const;

describe('mapping of AMR', () => {
  it.each(FORMATS)('of %s is octet-aligned', (codec, format, encodingName, clockRate) => {
    const mapping = format.toMapping(track(codec), 97)!;
    expect(mapping).toMatchObject({ payloadType: 97, encodingName, clockRate });
    expect([...mapping.parameters]).toEqual([['octet-align', '1']]);
    expect(format.toTrack(mapping, 0)).toMatchObject({ codec, audio: { sampleRate: clockRate, channels: 1 } });
  });

  it.each([
    ['two channels', audioMapping('AMR', 8000, 2)],
    ['another rate', audioMapping('AMR', 16_000)],
    ['checksums', audioMapping('AMR', 8000, 1, 'octet-align=1;crc=1')],
    ['robust sorting', audioMapping('AMR', 8000, 1, 'octet-align=1;robust-sorting=1')],
    ['interleaving', audioMapping('AMR', 8000, 1, 'octet-align=1;interleaving=4')],
    ['another name', audioMapping('AMR-WB', 8000)],
  ])('with %s makes no track', (_, mapping) => {
    expect(AMR_FORMAT.toTrack(mapping, 0)).toBeUndefined();
  });

  it('is none for stereo', () => {
    const audio = { sampleRate: 8000, channels: 2, profile: '', codecString: '' };
    expect(AMR_FORMAT.toMapping({ ...track('amr'), audio }, 96)).toBeUndefined();
    expect(AMR_FORMAT.toMapping(track('amr-wb'), 96)).toBeUndefined();
  });
});

describe('AMR of other programs', () => {
  it.each<[string, PayloadFormat, number, number]>([
    ['amr-ffmpeg', AMR_FORMAT, 160, 18],
    ['amr-gstreamer', AMR_FORMAT, 160, 20],
    ['amr-wb-ffmpeg', AMR_WB_FORMAT, 320, 8],
    ['amr-wb-gstreamer', AMR_WB_FORMAT, 320, 20],
  ])('comes out of %s as it was sent', (name, format, step, least) => {
    const units = depacketize(format.makeDepacketizer(readAudioMapping(name)), readRtpFile(`${name}.rtp`));
    // ffmpeg keeps what does not fill a packet at the end to itself.
    expect(units.length).toBeGreaterThanOrEqual(least);
    expect(summary(units)).toEqual(readSentUnits(name).slice(0, units.length));
    const steps = units.slice(1).map((unit, i) => (unit.timestamp - units[i]!.timestamp) >>> 0);
    expect(new Set(steps)).toEqual(new Set([step]));
  });
});

describe('AmrPacketizer', () => {
  /** Frames of type 0 (95 bits), comfort noise (39 bits) and nothing. */
  const SPEECH = bytes(`04 ${'ab'.repeat(12)}`);
  const NOISE = bytes(`44 ${'cd'.repeat(5)}`);
  const NOTHING = bytes('7c');
  const send = (...frames: readonly Uint8Array[]): RtpPayload[] =>
    packetize(
      AMR_FORMAT.makePacketizer(track('amr')),
      frames.map((payload) => ({ payload, isKeyFrame: true })),
      { maxPayloadSize: 20 },
    );

  it('puts no request for a mode and the header byte in front', () => {
    expect(send(SPEECH, NOISE, NOTHING).map((one) => hexOf(one.payload))).toEqual([
      `f004${'ab'.repeat(12)}`,
      `f044${'cd'.repeat(5)}`,
      'f07c',
    ]);
  });

  it('marks the first speech after silence', () => {
    const markers = send(SPEECH, SPEECH, NOISE, NOTHING, SPEECH, SPEECH).map((one) => one.marker);
    expect(markers).toEqual([true, false, false, false, true, false]);
  });

  it('leaves out what is no frame, and cuts off what follows one', () => {
    expect(send(new Uint8Array(0), SPEECH.subarray(0, 5), bytes('64'), bytes(`3c ${'ab'.repeat(31)}`))).toEqual([]);
    expect(send(bytes(`44 ${'cd'.repeat(9)}`)).map((one) => hexOf(one.payload))).toEqual([`f044${'cd'.repeat(5)}`]);
  });
});

describe('AmrDepacketizer', () => {
  const receive = (hex: string, fmtp = 'octet-align=1'): string[] =>
    depacketize(AMR_FORMAT.makeDepacketizer(audioMapping('AMR', 8000, 1, fmtp)), [packet(hex)]).map(
      (unit) => `${unit.timestamp}:${hexOf(unit.payload)}`,
    );

  it('takes several frames out of a packet, silence among them', () => {
    expect(receive(`f0 84 c4 fc 04 ${'aa'.repeat(12)} ${'bb'.repeat(5)} ${'ee'.repeat(12)}`)).toEqual([
      `1000:04${'aa'.repeat(12)}`,
      `1160:44${'bb'.repeat(4)}ba`,
      '1320:7c',
      `1480:04${'ee'.repeat(12)}`,
    ]);
  });

  it('reads bandwidth-efficient packets', () => {
    // CMR 15, one entry of type 8 (39 bits) with Q, all bits set, 3 bits of padding.
    const bits = `1111 0 1000 1 ${'1'.repeat(39)} 0000000`.replaceAll(' ', '');
    const hex = BigInt(`0b${bits.slice(0, 56)}`).toString(16);
    expect(receive(hex, '')).toEqual(['1000:44fffffffffe']);
  });

  it.each([
    ['a reserved type', 'f0 64', 'octet-align=1'],
    ['a frame that is cut off', 'f0 04 aabb', 'octet-align=1'],
    ['entries without an end', 'f0 84 84', 'octet-align=1'],
    ['nothing but a request', 'f0', 'octet-align=1'],
    ['more frames than a second has', `f0 ${'fc'.repeat(MAX_AMR_FRAMES)} 7c`, 'octet-align=1'],
    ['a frame that is cut off, bandwidth-efficient', 'f2', ''],
  ])('drops a packet with %s', (_, hex, fmtp) => {
    const depacketizer = AMR_FORMAT.makeDepacketizer(audioMapping('AMR', 8000, 1, fmtp));
    expect(depacketizer.receive(packet(hex))).toEqual([]);
    expect(depacketizer.dropped).toBe(1);
  });
});

describe.each(FORMATS)('packetizer and depacketizer of %s together', (codec, format, _, clockRate) => {
  const frame = fc
    .tuple(fc.nat(15), fc.boolean(), fc.uint8Array({ minLength: 60, maxLength: 60 }))
    .filter(([type]) => amrSpeechBits(codec, type) !== undefined)
    .map(([type, isGood, speech]) => {
      const header = (type << 3) | (isGood ? 4 : 0);
      const bits = amrSpeechBits(codec, type)!;
      const bytesOfFrame = Uint8Array.of(header, ...speech).slice(0, amrFrameBytes(codec, header));
      // What is behind the last bit is zero.
      if (bits % 8 !== 0) bytesOfFrame[bytesOfFrame.length - 1]! &= 0xff << (8 - (bits % 8));
      return bytesOfFrame;
    });

  it('give every frame back', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), (frames) => {
        const sent = frames.map((payload) => ({ payload, isKeyFrame: true }));
        const packets = packetize(format.makePacketizer(track(codec)), sent, { maxPayloadSize: 100 });
        const units = depacketize(format.makeDepacketizer(format.toMapping(track(codec), 96)!), packets);
        expect(units.map((unit) => hexOf(unit.payload))).toEqual(frames.map(hexOf));
      }),
    );
  });

  it('give frames of bandwidth-efficient packets as octet-aligned ones have them', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 12 }), (frames) => {
        const entries = frames.map(
          (one, i) => `${i < frames.length - 1 ? 1 : 0}${((one[0]! >> 2) & 31).toString(2).padStart(5, '0')}`,
        );
        const speech = frames.map((one) =>
          [...one.subarray(1)]
            .map((byte) => byte.toString(2).padStart(8, '0'))
            .join('')
            .slice(0, amrSpeechBits(codec, (one[0]! >> 3) & 15)),
        );
        const text = `1111${entries.join('')}${speech.join('')}`;
        const payload = Uint8Array.from(text.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
        const depacketizer = format.makeDepacketizer(audioMapping('', clockRate));
        const units = depacketizer.receive({ payload, timestamp: 0, marker: false, afterLoss: false });
        expect(units.map((unit) => hexOf(unit.payload))).toEqual(frames.map(hexOf));
      }),
    );
  });
});
