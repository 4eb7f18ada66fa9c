/** What our packetizers make of video is read by GStreamer's depayloaders, and comes out as it was. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseBaselineJpeg } from '../../src/codec/jpeg/baseline-jpeg.ts';
import { joinAnnexB, splitAnnexB, splitLengthPrefixed } from '../../src/codec/nal-unit.ts';
import type { Track } from '../../src/codec/track.ts';
import type { DepacketizedUnit, RtpPayload } from '../../src/protocol/rtp/payload/depacketizer.ts';
import type { RtpMapping } from '../../src/protocol/rtp/payload/payload-format.ts';
import { depacketizerOf, mappingOf, packetizerOf, trackOf } from '../../src/protocol/rtp/payload/payload-formats.ts';
import { VIDEO_FORMATS } from '../../src/protocol/rtp/payload/video-formats.ts';
import { joinBytes } from '../../src/wire/join-bytes.ts';
import { PeerProcess, words } from '../peers/peer-process.ts';
import {
  depacketize,
  packetize,
  parseRtpStream,
  readRtpFile,
  readSdpMapping,
  mappingOf as testMapping,
} from '../rtp-payload-test-kit.ts';

const MAX_PAYLOAD_SIZE = 200;
const DV_FRAME_BYTES = 120_000;
const DIF_BLOCK_BYTES = 80;

const folder = mkdtempSync(join(tmpdir(), 'rtp-payload-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** RTP packets behind 16 bits of length each (RFC 4571). */
function rtpStream(packets: readonly RtpPayload[], payloadType: number): Uint8Array {
  return joinBytes(
    packets.flatMap(({ payload, timestamp, marker }, i) => {
      const header = new Uint8Array(14);
      const view = new DataView(header.buffer);
      view.setUint16(0, 12 + payload.length);
      view.setUint16(2, 0x8000 | (marker ? 0x80 : 0) | payloadType);
      view.setUint16(4, i & 0xffff);
      view.setUint32(6, timestamp);
      view.setUint32(10, 0x1234);
      return [header, payload];
    }),
  );
}

function capsOf(mapping: RtpMapping): string {
  const fields = [
    'application/x-rtp-stream',
    'media=(string)video',
    `encoding-name=(string)${mapping.encodingName}`,
    `clock-rate=(int)${mapping.clockRate}`,
    `payload=(int)${mapping.payloadType}`,
  ];
  for (const [name, value] of mapping.parameters) fields.push(`${name}=(string)"${value}"`);
  return fields.join(',');
}

/** Sends the units of a captured stream with our packetizer through a depayloader. */
async function throughGStreamer(
  fixture: string,
  received: RtpMapping,
  elements: readonly string[],
): Promise<{ readonly units: readonly DepacketizedUnit[]; readonly output: Uint8Array }> {
  const format = VIDEO_FORMATS.find((one) => one.toTrack(received, 0) !== undefined)!;
  const units = depacketize(format.makeDepacketizer(received), readRtpFile(`${fixture}.rtp`));
  const told = trackOf(received, 'video', 0)!;
  const track: Track = { ...told, config: units.find((unit) => unit.config !== undefined)?.config ?? told.config };
  const mapping = mappingOf(track, 96)!;
  const packets = packetize(packetizerOf(track, true)!, units, { maxPayloadSize: MAX_PAYLOAD_SIZE });
  const output = await depayloaded(fixture, packets, mapping, elements);
  expect(units.length).toBeGreaterThanOrEqual(4);
  return { units, output };
}

/** What depayloader and the elements after it write. */
async function depayloaded(
  name: string,
  packets: readonly RtpPayload[],
  mapping: RtpMapping,
  elements: readonly string[],
): Promise<Uint8Array> {
  const input = join(folder, `${name}.rtp`);
  const output = join(folder, `${name}.out`);
  writeFileSync(input, rtpStream(packets, mapping.payloadType));
  const source = ['filesrc', `location=${input}`, '!', capsOf(mapping), '!', 'rtpstreamdepay', '!'];
  const peer = PeerProcess.start({
    program: 'gst-launch-1.0',
    args: ['-q', ...source, ...elements, '!', 'filesink', `location=${output}`],
    timeoutMs: 30_000,
  });
  await peer.succeeded();
  return new Uint8Array(readFileSync(output));
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Parameter sets and delimiters aside, which a depayloader may put in and take out. */
function pictures(annexB: Uint8Array, isExtra: (head: number) => boolean): readonly string[] {
  return splitAnnexB(annexB)
    .filter((nalUnit) => !isExtra(nalUnit[0]!))
    .map(hexOf);
}

describe('GStreamer reads our packets of', () => {
  it.each([
    ['h264-gstreamer', testMapping('H264'), 'h264', (head: number) => [7, 8, 9].includes(head & 31)],
    ['h264-ffmpeg', readSdpMapping('h264-ffmpeg.sdp'), 'h264', (head: number) => [7, 8, 9].includes(head & 31)],
    ['h265-gstreamer', testMapping('H265'), 'h265', (head: number) => head >>> 1 >= 32 && head >>> 1 <= 35],
    ['h265-ffmpeg', readSdpMapping('h265-ffmpeg.sdp'), 'h265', (head: number) => head >>> 1 >= 32 && head >>> 1 <= 35],
  ])('%s', async (fixture, mapping, codec, isExtra) => {
    const elements = [`rtp${codec}depay`, '!', `video/x-${codec},stream-format=byte-stream,alignment=au`];
    const { units, output } = await throughGStreamer(fixture, mapping, elements);
    const sent = joinAnnexB(units.flatMap((unit) => splitLengthPrefixed(unit.payload, 4)));
    expect(pictures(output, isExtra)).toEqual(pictures(sent, isExtra));
  });

  it.each([
    ['vp8-ffmpeg', testMapping('VP8'), 'rtpvp8depay'],
    ['vp9-ffmpeg', testMapping('VP9'), 'rtpvp9depay'],
    ['mpeg-video-ffmpeg', testMapping('MPV'), 'rtpmpvdepay'],
    ['mp4v-ffmpeg', readSdpMapping('mp4v-ffmpeg.sdp'), 'rtpmp4vdepay'],
    ['theora-ffmpeg', readSdpMapping('theora-ffmpeg.sdp'), 'rtptheoradepay'],
  ])('%s', async (fixture, mapping, depayloader) => {
    const { units, output } = await throughGStreamer(fixture, mapping, [depayloader]);
    const sent = hexOf(joinBytes(units.map((unit) => unit.payload)));
    const found = hexOf(output);
    if (depayloader === 'rtpmp4vdepay') {
      // Headers were put in for a receiver that was not told them.
      const headers = mapping.parameters.get('config')!.toLowerCase();
      expect(found.replaceAll(headers, '')).toBe(sent.replaceAll(headers, ''));
    } else {
      // The headers of Theora come first.
      expect(found.endsWith(sent)).toBe(true);
      if (depayloader !== 'rtptheoradepay') expect(found).toBe(sent);
    }
  });

  it('jpeg-ffmpeg', async () => {
    const { units, output } = await throughGStreamer('jpeg-ffmpeg', testMapping('JPEG'), ['rtpjpegdepay']);
    const starts = [...hexOf(output).matchAll(/ffd8ff/g)].map((match) => match.index / 2).filter(Number.isInteger);
    const images = starts.map((start, i) => parseBaselineJpeg(output.subarray(start, starts[i + 1])));
    expect(images).toEqual(units.map((unit) => parseBaselineJpeg(unit.payload)));
  });

  it('DV, and we read its own', async () => {
    const file = join(folder, 'a.dv');
    const pictures = 'testsrc2=size=720x480:rate=30000/1001';
    const coding = words('-frames:v 3 -pix_fmt yuv411p -c:v dvvideo -f dv');
    await PeerProcess.start({
      program: 'ffmpeg',
      args: ['-v', 'error', '-f', 'lavfi', '-i', pictures, ...coding, file],
      timeoutMs: 30_000,
    }).succeeded();
    const dv = new Uint8Array(readFileSync(file));
    const frames = [0, 1, 2].map((i) => dv.subarray(i * DV_FRAME_BYTES, (i + 1) * DV_FRAME_BYTES));
    const mapping = testMapping('DV', 'encode=SD-VCR/525-60;audio=bundled');
    const track = trackOf(mapping, 'video', 0)!;
    const sent = frames.map((payload) => ({ payload, isKeyFrame: true }));
    const packets = packetize(packetizerOf(track)!, sent, { maxPayloadSize: 1400 });
    const output = await depayloaded('dv', packets, mapping, ['rtpdvdepay']);
    expect(Buffer.compare(output, dv)).toBe(0);

    const theirs = join(folder, 'dv-gstreamer.rtp');
    const source = ['filesrc', `location=${file}`, `blocksize=${DV_FRAME_BYTES}`, '!'];
    const caps = 'video/x-dv,systemstream=true,format=(string)NTSC';
    const payloader = ['rtpdvpay', '!', 'rtpstreampay', '!', 'filesink', `location=${theirs}`];
    await PeerProcess.start({
      program: 'gst-launch-1.0',
      args: ['-q', ...source, caps, '!', ...payloader],
      timeoutMs: 30_000,
    }).succeeded();
    const received = parseRtpStream(new Uint8Array(readFileSync(theirs)));
    const units = depacketize(depacketizerOf(mapping)!, received);
    // It leaves out sound: blocks of section 3.
    const pictureOf = (bytes: Uint8Array): Uint8Array =>
      bytes.filter((_, at) => bytes[at - (at % DIF_BLOCK_BYTES)]! >>> 5 !== 3);
    expect(units.map((unit) => unit.payload.length)).toEqual(frames.map((one) => one.length));
    units.forEach((unit, i) => {
      expect(Buffer.compare(pictureOf(unit.payload), pictureOf(frames[i]!))).toBe(0);
    });
  });
});
