import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/codec/frame.ts';
import {
  avcConfigurationFromNalUnits,
  writeAvcDecoderConfiguration,
} from '../../../src/codec/h264/avc-decoder-configuration.ts';
import { joinLengthPrefixed } from '../../../src/codec/nal-unit.ts';
import type { Track } from '../../../src/codec/track.ts';
import {
  findFirstPacket,
  interleavedBytes,
  RTP_FRAMING,
  rtpFramingOn,
} from '../../../src/media/renditions/rtp-framing.ts';
import { RtpPresentation, toRtpTimestamp } from '../../../src/media/renditions/rtp-presentation.ts';
import { RtpContainerWriter } from '../../../src/media/renditions/rtp-rendition.ts';
import { RtpSenderClock } from '../../../src/media/renditions/rtp-sender-clock.ts';
import type { StreamHeader } from '../../../src/media/stream-header.ts';
import { AUDIO, DATA_TRACK, FakeClock, frame } from '../../media-test-kit.ts';

const SPS = Uint8Array.of(0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x03, 0xc5, 0x68);
const OTHER_SPS = Uint8Array.of(0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x03, 0xc5, 0x68);
const PPS = Uint8Array.of(0x68, 0xce, 0x3c, 0x80);

function h264(sps: Uint8Array, trackId = 0): Track {
  const record = avcConfigurationFromNalUnits([sps, PPS])!;
  return { kind: 'video', trackId, codec: 'h264', config: writeAvcDecoderConfiguration(record) };
}

const G711: Track = {
  kind: 'audio',
  trackId: 0,
  codec: 'g711u',
  config: new Uint8Array(0),
  audio: { sampleRate: 8000, channels: 1, profile: '', codecString: 'ulaw' },
};
const AAC_44100: Track = { ...AUDIO, config: Uint8Array.of(0x12, 0x10) };

interface Packet {
  readonly channel: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

function packetsOf(frames: Uint8Array): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < frames.length; at += interleavedBytes(frames, at)) {
    const bytes = frames.subarray(at, at + interleavedBytes(frames, at));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect([bytes[0], bytes[4]]).toEqual([0x24, 0x80]);
    packets.push({
      channel: bytes[1]!,
      marker: (bytes[5]! & 0x80) !== 0,
      payloadType: bytes[5]! & 0x7f,
      sequenceNumber: view.getUint16(6),
      timestamp: view.getUint32(8),
      ssrc: view.getUint32(12),
      payload: new Uint8Array(bytes.subarray(16)),
    });
  }
  return packets;
}

function video(track: Track, ms: number, isKeyFrame: boolean, size = 100): Frame {
  const nalUnit = new Uint8Array(size).fill(7);
  nalUnit[0] = isKeyFrame ? 0x65 : 0x41;
  return { ...frame(track, ms, { isKey: isKeyFrame }), payload: joinLengthPrefixed([nalUnit], 4) };
}

function setUp(header: StreamHeader, options: { readonly maxPacketBytes?: number; readonly bundles?: boolean } = {}) {
  let next = 1000;
  const presentation = RtpPresentation.of(header, () => next++)!;
  const outdated = { count: 0 };
  const writer = new RtpContainerWriter({
    presentation,
    clock: new RtpSenderClock(new FakeClock(), 0),
    ...options,
    onOutdated: () => {
      outdated.count++;
    },
  });
  return { presentation, writer, outdated };
}

function header(...tracks: Track[]): StreamHeader {
  return { tracks, metadata: undefined };
}

describe('RtpPresentation', () => {
  it('numbers the tracks RTP can carry by their place and gives each an SSRC of its own', () => {
    const ids = [7, 1, 2, 7, 7, 9, 3, 4];
    const presentation = RtpPresentation.of(header(h264(SPS), DATA_TRACK, G711), () => ids.shift()!)!;
    expect(presentation.tracks.map(({ channel, payloadType, ssrc }) => [channel, payloadType, ssrc])).toEqual([
      [0, 96, 7],
      [2, 0, 9],
    ]);
  });

  it('is not made of nothing', () => {
    expect(RtpPresentation.of(header(DATA_TRACK), () => 1)).toBeUndefined();
  });

  const told = header(h264(SPS), AAC_44100);
  it.each<[string, StreamHeader, boolean, boolean]>([
    ['the same tracks', header(h264(SPS), AAC_44100), true, true],
    ['other parameter sets of H.264', header(h264(OTHER_SPS), AAC_44100), true, true],
    ['a track less', header(h264(SPS)), true, false],
    ['nothing yet', header(), true, false],
    ['a track more', header(h264(SPS), h264(SPS, 1), AAC_44100), true, false],
    ['a data track more', header(h264(SPS), AAC_44100, DATA_TRACK), true, true],
    ['another codec', header(h264(SPS), G711), false, false],
    ['another sample rate', header(h264(SPS), { ...AAC_44100, config: Uint8Array.of(0x11, 0x90) }), false, false],
  ])('with %s: still true %s, whole %s', (_, now, isTrue, isWhole) => {
    const { presentation } = setUp(told);
    expect([presentation.isTrueFor(now), presentation.isWholeFor(now)]).toEqual([isTrue, isWhole]);
  });
});

describe('RtpContainerWriter', () => {
  it('writes frames of all tracks on their channels, numbered each for itself, the marker on the last packet', () => {
    const track = h264(SPS);
    const told = header(track, G711);
    const { presentation, writer } = setUp(told);
    const [first, second] = presentation.tracks;
    const start = first!.sequenceNumber;
    const bytes = [
      ...packetsOf(writer.writeFrame(video(track, 0, true, 3000), told)),
      ...packetsOf(writer.writeFrame(frame(G711, 10, { size: 160 }), told)),
      ...packetsOf(writer.writeFrame(video(track, 40, false), told)),
    ];
    expect(bytes.map(({ channel, marker, sequenceNumber }) => [channel, marker, sequenceNumber - start])).toEqual([
      [0, false, 0],
      [0, false, 1],
      [0, true, 2],
      [2, false, second!.sequenceNumber - 1 - start],
      [0, true, 3],
    ]);
    expect(bytes.map(({ timestamp }) => timestamp)).toEqual([
      ...[0, 0, 0].map(() => first!.timestampOffset),
      second!.timestampOffset + 80,
      first!.timestampOffset + 3600,
    ]);
    expect(new Set(bytes.map(({ ssrc }) => ssrc))).toEqual(new Set([first!.ssrc, second!.ssrc]));
    expect(bytes[4]!.payload).toHaveLength(100);
    expect(first).toMatchObject({ packets: 4, payloadBytes: 3000 - 1 + 3 * 2 + 100 });
  });

  it('makes no packet larger than it may', () => {
    const track = h264(SPS);
    const { writer } = setUp(header(track), { maxPacketBytes: 200 });
    const packets = packetsOf(writer.writeFrame(video(track, 0, true, 5000), header(track)));
    expect(Math.max(...packets.map(({ payload }) => payload.length + 12))).toBe(200);
  });

  it('puts parameter sets in front of key frames from when they are not those of the SDP', () => {
    const track = h264(SPS);
    const other = h264(OTHER_SPS);
    const { writer, outdated } = setUp(header(track));
    const types = (of: Track, isKey: boolean): number[] => {
      const [packet] = packetsOf(writer.writeFrame(video(of, 0, isKey), header(of)));
      return [packet!.payload[0]! & 0x1f];
    };
    expect([types(track, true), types(other, false), types(other, true), types(track, true)]).toEqual([
      [5],
      [1],
      [24],
      [24],
    ]);
    expect(outdated.count).toBe(0);
  });

  it('leaves out what the stream was before the SDP was made', () => {
    const told = header(h264(SPS), AAC_44100);
    const { writer, outdated } = setUp(told);
    const before = header(h264(SPS), G711);
    expect(writer.writeFrame(frame(G711, 0, { size: 160 }), before)).toHaveLength(0);
    expect(writer.writeFrame(video(before.tracks[0]!, 0, true), before)).not.toHaveLength(0);
    expect(writer.writeFrame(video(told.tracks[0]!, 40, true), told)).not.toHaveLength(0);
    writer.goLive();
    expect(outdated.count).toBe(0);
  });

  it('tells at once when the stream has changed since the SDP was made', () => {
    const told = header(h264(SPS), AAC_44100);
    const { writer, outdated } = setUp(told);
    writer.writeFrame(frame(G711, 0, { size: 160 }), header(h264(SPS), G711));
    expect(outdated.count).toBe(0);
    writer.goLive();
    expect(outdated.count).toBe(1);
  });

  it('tells once when the stream is no longer what the SDP said, and writes nothing more', () => {
    const told = header(h264(SPS), AAC_44100);
    const { writer, outdated } = setUp(told);
    writer.goLive();
    const now = header(h264(SPS), G711);
    expect(writer.writeFrame(frame(G711, 0, { size: 160 }), now)).toHaveLength(0);
    expect(writer.writeFrame(video(told.tracks[0]!, 0, true), now)).toHaveLength(0);
    expect(outdated.count).toBe(1);
  });

  it('lays sound whose times were rounded to milliseconds end to end', () => {
    const { presentation, writer } = setUp(header(AAC_44100));
    const told = header(AAC_44100);
    const timestamps = [0, 23, 46, 70, 93, 116, 300, 323].map((ms) => {
      const bytes = writer.writeFrame(frame(AAC_44100, ms, { size: 300 }), told);
      return packetsOf(bytes)[0]!.timestamp - presentation.tracks[0]!.timestampOffset;
    });
    expect(timestamps).toEqual([0, 1024, 2048, 3072, 4096, 5120, 13230, 14254]);
  });

  it('bundles sound without gaps up to a tenth of a second, and gives what it holds back when asked', () => {
    const told = header(AAC_44100);
    const { presentation, writer } = setUp(told, { bundles: true });
    const start = presentation.tracks[0]!.timestampOffset;
    const write = (ms: number): unknown =>
      packetsOf(writer.writeFrame(frame(AAC_44100, ms, { size: 100 }), told)).map(({ timestamp, payload }) => [
        timestamp - start,
        payload[1]! / 16,
      ]);
    // Four units of 23.2 ms, then what was held when a gap comes.
    expect([0, 23, 46, 70, 93, 116, 300].map(write)).toEqual([[], [], [], [], [[0, 4]], [], [[4096, 2]]]);
    expect(packetsOf(writer.writeHeldBack()).map(({ timestamp }) => timestamp - start)).toEqual([13_230]);
    expect(writer.writeHeldBack()).toHaveLength(0);
    expect(write(323)).toEqual([]);
    expect(packetsOf(writer.writeHeldBack())).toHaveLength(1);
  });

  it('bundles no more than a packet has room for', () => {
    const told = header(AAC_44100);
    const { presentation, writer } = setUp(told, { bundles: true, maxPacketBytes: 812 });
    const packets = packetsOf(
      Buffer.concat([
        ...[0, 23, 46, 70, 93].map((ms) => writer.writeFrame(frame(AAC_44100, ms, { size: 390 }), told)),
        writer.writeHeldBack(),
      ]),
    );
    expect(
      packets.map(({ payload, timestamp }) => [payload.length, timestamp - presentation.tracks[0]!.timestampOffset]),
    ).toEqual([
      [786, 0],
      [786, 2048],
      [394, 4096],
    ]);
  });

  it('sends what it held back of a configuration before the next one', () => {
    const told = header(AAC_44100);
    const { writer } = setUp(told, { bundles: true });
    expect(writer.writeFrame(frame(AAC_44100, 0, { size: 100 }), told)).toHaveLength(0);
    writer.goLive();
    expect(writer.writeFrame(frame(G711, 23, { size: 100 }), header(G711))).toHaveLength(0);
    expect(packetsOf(writer.writeHeldBack())).toHaveLength(1);
  });

  it('goes on with the numbering when the rendition is made anew', () => {
    const told = header(G711);
    const { presentation, writer } = setUp(told);
    writer.writeFrame(frame(G711, 0, { size: 160 }), told);
    const next = presentation.tracks[0]!.sequenceNumber;
    const again = new RtpContainerWriter({
      presentation,
      clock: new RtpSenderClock(new FakeClock(), 0),
      onOutdated: () => undefined,
    });
    expect(packetsOf(again.writeFrame(frame(G711, 20, { size: 160 }), told))[0]!.sequenceNumber).toBe(next);
  });

  it('wraps sequence numbers and timestamps', () => {
    const presentation = RtpPresentation.of(header(G711), () => 0xffff_ffff)!;
    const told = header(G711);
    const writer = new RtpContainerWriter({
      presentation,
      clock: new RtpSenderClock(new FakeClock(), 0),
      onOutdated: () => undefined,
    });
    const numbers = [0, 20].map((ms) => {
      const [packet] = packetsOf(writer.writeFrame(frame(G711, ms, { size: 160 }), told));
      return [packet!.sequenceNumber, packet!.timestamp];
    });
    expect(numbers).toEqual([
      [0xffff, 0xffff_ffff],
      [0, 159],
    ]);
    expect(toRtpTimestamp(presentation.tracks[0]!, 0)).toBe(0xffff_ffff);
  });
});

describe('framing of RTP', () => {
  function frames(count: number): { readonly parts: Uint8Array[]; readonly sizeBytes: number } {
    const track = h264(SPS);
    const told = header(track, G711);
    const { writer } = setUp(told);
    const parts = Array.from({ length: count }, (_, i) => [
      writer.writeFrame(video(track, i * 40, i === 0, 2000 + i), told),
      writer.writeFrame(frame(G711, i * 40, { size: 160 }), told),
    ]).flat();
    return { parts, sizeBytes: parts.reduce((sum, { length }) => sum + length, 0) };
  }

  it('joins neighbours without a copy', () => {
    const { parts, sizeBytes } = frames(3);
    const joined = RTP_FRAMING.join(parts, sizeBytes);
    expect(joined.buffer).toBe(parts[0]!.buffer);
    expect(Buffer.from(joined)).toEqual(Buffer.concat(parts));
  });

  it('joins what lies in several buffers', () => {
    const { parts, sizeBytes } = frames(40);
    expect(new Set(parts.map(({ buffer }) => buffer)).size).toBeGreaterThan(1);
    expect(Buffer.from(RTP_FRAMING.join(parts, sizeBytes))).toEqual(Buffer.concat(parts));
  });

  it('is the same for everybody on the default channels', () => {
    expect(rtpFramingOn([0, 2])).toBe(RTP_FRAMING);
    expect(rtpFramingOn([0, undefined]).name).not.toBe(rtpFramingOn([undefined, 0]).name);
  });

  it.each<[(number | undefined)[]]>([[[10, 20]], [[undefined, 0]], [[4, undefined]], [[undefined, undefined]]])(
    'moves tracks to channels %j',
    (channels) => {
      const { parts, sizeBytes } = frames(5);
      const expected = packetsOf(Buffer.concat(parts))
        .map((packet) => ({ ...packet, channel: channels[packet.channel / 2] }))
        .filter(({ channel }) => channel !== undefined);
      expect(packetsOf(rtpFramingOn(channels).join(parts, sizeBytes))).toEqual(expected);
    },
  );

  it('finds the first packet of a channel', () => {
    const { parts } = frames(2);
    const bytes = Buffer.concat(parts);
    const packets = packetsOf(bytes);
    for (const channel of [0, 2]) {
      const { sequenceNumber, timestamp } = packets.find((packet) => packet.channel === channel)!;
      expect(findFirstPacket(bytes, channel)).toEqual({ sequenceNumber, timestamp });
    }
    expect(findFirstPacket(bytes, 1)).toBeUndefined();
  });
});

describe('RtpSenderClock', () => {
  it('tells the present on the wall clock and the stream’s', () => {
    const clock = new FakeClock();
    const sender = new RtpSenderClock(clock, 1_000_000_500);
    sender.note(5_000_000);
    sender.follow();
    clock.advance(2000);
    expect(sender.now()).toEqual({ ntpSeconds: 2_208_988_800 + 1_000_002, ntpFraction: 2 ** 31, streamUs: 7_000_000 });
    expect(sender.at(5_000_000)).toMatchObject({ ntpSeconds: 2_208_988_800 + 1_000_000 });
  });

  it('follows a publisher’s clock slowly, and not much faster after a gap', () => {
    const clock = new FakeClock();
    const sender = new RtpSenderClock(clock, 0);
    sender.note(0);
    sender.follow();
    clock.advance(1000);
    sender.note(900_000);
    sender.follow();
    expect(sender.now().streamUs).toBe(999_500);
    clock.advance(4000);
    sender.note(910_000);
    sender.follow();
    expect(sender.now().streamUs).toBe(4_994_500);
  });

  it('does not step back for a publisher that begins with a burst', () => {
    const clock = new FakeClock();
    const sender = new RtpSenderClock(clock, 0);
    sender.note(0);
    const first = sender.at(0);
    for (let streamUs = 40_000; streamUs <= 5_000_000; streamUs += 40_000) sender.note(streamUs);
    clock.advance(4000);
    sender.note(9_000_000);
    sender.follow();
    const { ntpSeconds, streamUs } = sender.now();
    expect(ntpSeconds - first.ntpSeconds).toBe(4);
    expect(streamUs).toBe(4_000_500);
  });

  it('takes frames that were held up on their way for no gap', () => {
    const clock = new FakeClock();
    const sender = new RtpSenderClock(clock, 0);
    sender.note(0);
    sender.follow();
    clock.advance(1000);
    sender.note(1_000_000);
    clock.advance(3000);
    sender.note(1_040_000);
    sender.follow();
    expect(sender.now().streamUs).toBe(4_000_000);
  });

  it('tells nothing new when no frame came', () => {
    const clock = new FakeClock();
    const sender = new RtpSenderClock(clock, 0);
    sender.note(0);
    sender.follow();
    clock.advance(8000);
    sender.follow();
    expect(sender.now().streamUs).toBe(8_000_000);
  });
});
