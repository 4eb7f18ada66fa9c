import { describe, expect, it } from 'vitest';
import type { DepacketizedUnit, RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import type { RtpMapping } from '../../../../src/protocol/rtp/payload/payload-format.ts';
import { VIDEO_FORMATS } from '../../../../src/protocol/rtp/payload/video-formats.ts';
import { mappingOf, readRtpFile, readSdpMapping } from '../../../rtp-payload-test-kit.ts';

/** The units of packets whose payloads are overwritten when they were received; in a Node buffer even slices are views. */
function received(mapping: RtpMapping, packets: readonly RtpPayload[], isBuffer: boolean): readonly DepacketizedUnit[] {
  const format = VIDEO_FORMATS.find((one) => one.toTrack(mapping, 0) !== undefined)!;
  const depacketizer = format.makeDepacketizer(mapping);
  return packets.flatMap((packet) => {
    const payload = isBuffer ? Buffer.from(packet.payload) : packet.payload.slice();
    const units = depacketizer.receive({ ...packet, payload });
    payload.fill(0xee);
    return units;
  });
}

describe('video formats', () => {
  it.each([
    ['h264-gstreamer', mappingOf('H264')],
    ['h265-gstreamer', mappingOf('H265')],
    ['vp8-gstreamer', mappingOf('VP8')],
    ['vp9-gstreamer', mappingOf('VP9')],
    ['av1-own', mappingOf('AV1')],
    ['mpeg-video-ffmpeg', mappingOf('MPV')],
    ['mp4v-gstreamer', mappingOf('MP4V-ES')],
    ['dv-own', mappingOf('DV')],
    ['jpeg-gstreamer', mappingOf('JPEG')],
  ])('keep nothing of the packets of %s', (name, mapping) => {
    expect(received(mapping, readRtpFile(`${name}.rtp`), true)).toEqual(
      received(mapping, readRtpFile(`${name}.rtp`), false),
    );
  });

  it.each([
    [
      'H264',
      mappingOf('H264', 'packetization-mode=2;sprop-interleaving-depth=1'),
      ['790002 0003 418002', '790001 0003 418001', '790003 0003 418003', '790004 0003 418004'],
    ],
    [
      'H265',
      mappingOf('H265', 'sprop-max-don-diff=1;sprop-depack-buf-nalus=1'),
      ['6001 0002 0004 02018002', '6001 0001 0004 02018001', '6001 0003 0004 02018003', '0201 0004 8004'],
    ],
  ])('keep nothing of the packets of %s that come out of order', (_, mapping, payloads) => {
    const times = [200, 100, 300, 400];
    const packets = payloads.map((hex, i): RtpPayload => {
      const payload = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
      return { payload, timestamp: times[i]!, marker: false, afterLoss: false };
    });
    expect(received(mapping, packets, false)).toHaveLength(2);
    expect(received(mapping, packets, true)).toEqual(received(mapping, packets, false));
  });

  it('each read their own mapping only', () => {
    for (const mapping of [readSdpMapping('h264-ffmpeg.sdp'), readSdpMapping('vp9-ffmpeg.sdp'), mappingOf('JPEG')]) {
      expect(VIDEO_FORMATS.filter((one) => one.toTrack(mapping, 0) !== undefined)).toHaveLength(1);
    }
  });
});
