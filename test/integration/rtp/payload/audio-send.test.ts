import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Track } from '../../../../src/codec/track.ts';
import { parseXiphLacing } from '../../../../src/codec/xiph/xiph-lacing.ts';
import type { RtpPayload } from '../../../../src/protocol/rtp/payload/depacketizer.ts';
import type { RtpMapping } from '../../../../src/protocol/rtp/payload/payload-format.ts';
import {
  depacketizerOf,
  mappingOf,
  packetizerOf,
  trackOf,
} from '../../../../src/protocol/rtp/payload/payload-formats.ts';
import { readAudioMapping } from '../../../rtp-audio-fixtures.ts';
import { depacketize, packetize, readRtpFile } from '../../../rtp-payload-test-kit.ts';
import { ScratchFolder } from '../../ffmpeg-files.ts';

const GST_LAUNCH = 'gst-launch-1.0';

const scratch = new ScratchFolder();
afterAll(() => scratch.remove());

/** RTP packets behind 16 bits of length each (RFC 4571). */
function rtpStream(packets: readonly RtpPayload[], payloadType: number): Buffer {
  return Buffer.concat(
    packets.flatMap(({ payload, timestamp, marker }, i) => {
      const head = Buffer.alloc(14);
      head.writeUInt16BE(12 + payload.length, 0);
      head[2] = 0x80;
      head[3] = payloadType | (marker ? 0x80 : 0);
      head.writeUInt16BE(i & 0xffff, 4);
      head.writeUInt32BE(timestamp, 6);
      head.writeUInt32BE(1, 10);
      return [head, payload];
    }),
  );
}

/** GStreamer's word for a mapping. */
function capsOf(mapping: RtpMapping, kind: Track['kind']): string {
  const { encodingName, clockRate, payloadType, channels } = mapping;
  const caps = ['application/x-rtp-stream', `media=(string)${kind}`, `clock-rate=(int)${clockRate}`];
  caps.push(`encoding-name=(string)${encodingName.toUpperCase()}`, `payload=(int)${payloadType}`);
  if (channels !== undefined) caps.push(`encoding-params=(string)${channels}`);
  for (const [name, value] of mapping.parameters) caps.push(`${name}=(string)"${value}"`);
  return caps.join(',');
}

const md5 = (bytes: Uint8Array): string => `${bytes.length} ${createHash('md5').update(bytes).digest('hex')}`;

describe('packets of sound', () => {
  it.each([
    ['aac-gstreamer', 'rtpmp4gdepay', 1200],
    ['aac-gstreamer', 'rtpmp4gdepay', 60],
    ['mp3-ffmpeg', 'rtpmpadepay', 1200],
    ['mp2-ffmpeg', 'rtpmpadepay', 100],
    ['ac3-gstreamer', 'rtpac3depay', 1200],
    ['ac3-gstreamer', 'rtpac3depay', 100],
    ['opus-ffmpeg', 'rtpopusdepay', 1200],
    ['amr-gstreamer', 'rtpamrdepay', 1200],
    ['amr-wb-gstreamer', 'rtpamrdepay', 1200],
    ['pcmu-ffmpeg', 'rtppcmudepay', 100],
    ['pcma-ffmpeg', 'rtppcmadepay', 1200],
    ['g722-ffmpeg', 'rtpg722depay', 100],
    ['l16-ffmpeg', 'rtpL16depay', 1000],
    ['l24-ffmpeg', 'rtpL24depay', 100],
    ['vorbis-gstreamer', 'rtpvorbisdepay', 1200],
    ['vorbis-gstreamer-parts', 'rtpvorbisdepay', 40],
    ['mp2t-gstreamer', 'rtpmp2tdepay', 400],
  ])('of %s come out of %s as they went in, %i bytes each', (name, depayloader, maxPayloadSize) => {
    const told = readAudioMapping(name);
    const kind = name.startsWith('mp2t') ? 'video' : 'audio';
    const received = depacketize(depacketizerOf(told)!, readRtpFile(`${name}.rtp`));
    const made = trackOf(told, kind, 0)!;
    const codec = received[0]?.codec ?? made.codec;
    const audio = { sampleRate: told.clockRate, channels: told.channels ?? 1, profile: '', codecString: '' };
    const track: Track = { audio, ...made, codec };
    const mapping = mappingOf(track, 97)!;
    const step = mapping.clockRate / 50;
    const packets = packetize(packetizerOf(track)!, received, { maxPayloadSize, step });
    const input = scratch.file(`${depayloader}-${maxPayloadSize}.rtp`);
    const output = scratch.file(`${depayloader}-${maxPayloadSize}.out`);
    writeFileSync(input, rtpStream(packets, mapping.payloadType));
    const source = ['filesrc', `location=${input}`, '!', capsOf(mapping, kind)];
    const sink = ['!', 'rtpstreamdepay', '!', depayloader, '!', 'filesink', `location=${output}`];
    execFileSync(GST_LAUNCH, ['-q', ...source, ...sink]);
    // In front of Vorbis go its headers, from SDP.
    const headers = codec === 'vorbis' ? parseXiphLacing(made.config)! : [];
    const expected = Buffer.concat([...headers, ...received.map((unit) => unit.payload)]);
    expect(md5(readFileSync(output))).toBe(md5(expected));
  });
});
