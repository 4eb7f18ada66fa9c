/**
 * `node scripts/rtp-fixtures.js [name …]`: makes test/fixtures/rtp/ anew with GStreamer and ffmpeg: RTP streams as other
 * programs send them (RFC 4571: each packet behind 16 bits of length), beside the elementary stream they were made from
 * and, for ffmpeg, its SDP. Pictures are small so that the files are; packets are small so that frames take several.
 * From these, test/corpus/rtp-payload-…/ for the fuzz targets.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripTemporalDelimiters } from '../src/codec/av1/obu.ts';
import { AV1_FORMAT } from '../src/protocol/rtp/payload/av1-format.ts';
import { DV_FORMAT } from '../src/protocol/rtp/payload/dv-format.ts';
import { mappingOf, packetize, readIvf } from '../test/rtp-payload-test-kit.ts';
import { root, ScriptError, say } from './lib/shell.js';

const FFMPEG = 'ffmpeg';
const folder = join(root, 'test', 'fixtures', 'rtp');
const scratch = mkdtempSync(join(tmpdir(), 'rtp-fixtures-'));

/** How long after its last packet a stream is taken for over. */
const QUIET_MS = 300;

/**
 * @param {string} program
 * @param {string} args with single blanks between
 */
function run(program, args) {
  const result = spawnSync(program, args.split(' '), { encoding: 'utf8' });
  if (result.status !== 0) throw new ScriptError(`${program} ${args}\n${result.stderr}`);
  return result.stdout;
}

/** @param {string} file */
const out = (file) => join(folder, file);
/** @param {string} file */
const temporary = (file) => join(scratch, file);

/** Test pictures as input of ffmpeg: 12 of them, 25 a second. */
const PICTURES = '-v error -y -f lavfi -i testsrc2=size=96x64:rate=25 -frames:v 12';

/**
 * Sends a file with GStreamer: `branch` makes the stream out of the source, `payloader` its packets.
 * @param {string} name
 * @param {string} branch
 * @param {string} payloader
 * @param {string} extension of the elementary stream; none is kept without it
 */
function gstreamer(name, branch, payloader, extension = '') {
  const keep = extension === '' ? '' : ` t. ! queue ! filesink location=${out(`${name}.${extension}`)}`;
  run(
    'gst-launch-1.0',
    `-q ${branch} ! tee name=t ! queue ! ${payloader} ! rtpstreampay ! filesink location=${out(`${name}.rtp`)}${keep}`,
  );
}

/**
 * Sends a file with ffmpeg and keeps the packets and the SDP.
 * @param {string} name
 * @param {string} file
 * @param {string} options of the muxer
 */
async function ffmpeg(name, file, options = '') {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(undefined)));
  /** @type {Buffer[]} */
  const packets = [];
  socket.on('message', (packet) => {
    // Sender reports come to the same port here.
    const type = packet.at(1) ?? 0;
    if (type >= 200 && type <= 204) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(packet.length);
    packets.push(length, packet);
  });
  const port = socket.address().port;
  const url = `rtp://127.0.0.1:${port}?rtcpport=${port}&pkt_size=240`;
  const args = `-v error -y -re -i ${file} -map 0:v -c copy ${options} -sdp_file ${out(`${name}.sdp`)} -f rtp ${url}`;
  const child = spawn(
    FFMPEG,
    args.split(' ').filter((word) => word !== ''),
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const code = await new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  socket.close();
  if (code !== 0) throw new ScriptError(`ffmpeg ended with ${code}: ${args}`);
  writeFileSync(out(`${name}.rtp`), Buffer.concat(packets));
  const sdp = readFileSync(out(`${name}.sdp`), 'utf8');
  writeFileSync(out(`${name}.sdp`), sdp.slice(sdp.indexOf('v=0')));
}

/**
 * Keeps what our own packetizer sends, for formats no program here knows: food for the fuzz target alone.
 * @param {string} name
 * @param {import('../src/protocol/rtp/payload/payload-format.ts').PayloadFormat} format
 * @param {import('../src/protocol/rtp/payload/payload-format.ts').RtpMapping} mapping
 * @param {readonly Uint8Array[]} units
 */
function own(name, format, mapping, units) {
  const track = format.toTrack(mapping, 0);
  if (track === undefined) throw new ScriptError(`${mapping.encodingName} is not the name of a format`);
  const sent = units.map((payload, i) => ({ payload, isKeyFrame: i % 6 === 0 }));
  const packets = packetize(format.makePacketizer(track), sent, { maxPayloadSize: 200 });
  const parts = packets.flatMap(({ payload, timestamp, marker }, i) => {
    const header = Buffer.alloc(14);
    header.writeUInt16BE(12 + payload.length, 0);
    header.writeUInt8(0x80, 2);
    header.writeUInt8(marker ? 0xe0 : 0x60, 3);
    header.writeUInt16BE(i, 4);
    header.writeUInt32BE(timestamp, 6);
    return [header, payload];
  });
  writeFileSync(out(`${name}.rtp`), Buffer.concat(parts));
}

/** @type {Record<string, () => void | Promise<void>>} */
const fixtures = {
  'h264-gstreamer': () => {
    // STAP-A with the parameter sets, FU-A and single NAL units: two slices a picture, B-frames, key frames at 0 and 6.
    const source = `${PICTURES} -pix_fmt yuv420p -c:v libx264 -g 6 -bf 2 -slices 2 -x264-params aud=1`;
    run(FFMPEG, `${source} ${temporary('a.264')}`);
    const parse = 'h264parse ! video/x-h264,stream-format=byte-stream,alignment=au';
    gstreamer(
      'h264-gstreamer',
      `filesrc location=${temporary('a.264')} ! ${parse}`,
      'rtph264pay mtu=240 aggregate-mode=max-stap',
      '264',
    );
  },
  'h264-ffmpeg': async () => {
    run(FFMPEG, `${PICTURES} -pix_fmt yuv420p -c:v libx264 -g 6 -bf 2 ${temporary('b.mp4')}`);
    run(FFMPEG, `-v error -y -i ${temporary('b.mp4')} -c copy -bsf:v h264_mp4toannexb ${out('h264-ffmpeg.264')}`);
    await ffmpeg('h264-ffmpeg', temporary('b.mp4'));
  },
  'h265-gstreamer': () => {
    const source = `${PICTURES} -pix_fmt yuv420p -c:v libx265 -x265-params keyint=6:bframes=2:slices=2:info=0:aud=1`;
    run(FFMPEG, `${source} ${temporary('a.265')}`);
    const parse = 'h265parse ! video/x-h265,stream-format=byte-stream,alignment=au';
    gstreamer(
      'h265-gstreamer',
      `filesrc location=${temporary('a.265')} ! ${parse}`,
      'rtph265pay mtu=200 aggregate-mode=max',
      '265',
    );
  },
  'h265-ffmpeg': async () => {
    const source = `${PICTURES} -pix_fmt yuv420p -c:v libx265 -x265-params keyint=6:bframes=2:info=0`;
    run(FFMPEG, `${source} ${temporary('b.mp4')}`);
    run(FFMPEG, `-v error -y -i ${temporary('b.mp4')} -c copy -bsf:v hevc_mp4toannexb ${out('h265-ffmpeg.265')}`);
    await ffmpeg('h265-ffmpeg', temporary('b.mp4'));
  },
  'vp8-gstreamer': () => {
    // Numbers of 15 bits for pictures, as browsers have them, and here across their end.
    run(FFMPEG, `${PICTURES} -pix_fmt yuv420p -c:v libvpx -g 6 -auto-alt-ref 0 -b:v 100k ${out('vp8-gstreamer.ivf')}`);
    const source = `filesrc location=${out('vp8-gstreamer.ivf')} ! ivfparse ! queue`;
    gstreamer('vp8-gstreamer', source, 'rtpvp8pay mtu=240 picture-id-mode=15-bit picture-id-offset=32763');
  },
  'vp8-ffmpeg': async () => {
    run(FFMPEG, `${PICTURES} -pix_fmt yuv420p -c:v libvpx -g 6 -auto-alt-ref 0 -b:v 100k ${out('vp8-ffmpeg.ivf')}`);
    await ffmpeg('vp8-ffmpeg', out('vp8-ffmpeg.ivf'), '-strict experimental');
  },
  'vp9-gstreamer': () => {
    run(
      FFMPEG,
      `${PICTURES} -pix_fmt yuv420p -c:v libvpx-vp9 -g 6 -auto-alt-ref 0 -b:v 100k ${out('vp9-gstreamer.ivf')}`,
    );
    const source = `filesrc location=${out('vp9-gstreamer.ivf')} ! ivfparse ! queue`;
    gstreamer('vp9-gstreamer', source, 'rtpvp9pay mtu=240 picture-id-mode=15-bit');
  },
  'vp9-ffmpeg': async () => {
    run(FFMPEG, `${PICTURES} -pix_fmt yuv420p -c:v libvpx-vp9 -g 6 -auto-alt-ref 0 -b:v 100k ${out('vp9-ffmpeg.ivf')}`);
    await ffmpeg('vp9-ffmpeg', out('vp9-ffmpeg.ivf'), '-strict experimental');
  },
  'av1-own': () => {
    const options = '-pix_fmt yuv420p -c:v libaom-av1 -cpu-used 8 -g 6 -lag-in-frames 0 -b:v 100k';
    run(FFMPEG, `${PICTURES} ${options} ${out('av1-own.ivf')}`);
    own('av1-own', AV1_FORMAT, mappingOf('AV1'), readIvf('av1-own.ivf').map(stripTemporalDelimiters));
  },
  'mpeg-video-ffmpeg': async () => {
    run(FFMPEG, `${PICTURES} -c:v mpeg2video -g 6 -bf 2 -qmin 20 -b:v 100k ${out('mpeg-video-ffmpeg.m2v')}`);
    await ffmpeg('mpeg-video-ffmpeg', out('mpeg-video-ffmpeg.m2v'));
  },
  'mpeg-video-gstreamer': () => {
    run(FFMPEG, `${PICTURES} -c:v mpeg2video -g 6 -b:v 100k -qmin 12 ${temporary('a.m2v')}`);
    const source = `filesrc location=${temporary('a.m2v')} ! mpegvideoparse`;
    // Pictures smaller than a packet would share one.
    gstreamer('mpeg-video-gstreamer', source, 'rtpmpvpay mtu=140', 'm2v');
  },
  'mp4v-ffmpeg': async () => {
    run(FFMPEG, `${PICTURES} -c:v mpeg4 -g 6 -bf 2 -qmin 12 -flags +global_header ${temporary('a.mp4')}`);
    run(FFMPEG, `-v error -y -i ${temporary('a.mp4')} -c copy -f rawvideo ${out('mp4v-ffmpeg.m4v')}`);
    await ffmpeg('mp4v-ffmpeg', temporary('a.mp4'));
  },
  'mp4v-gstreamer': () => {
    run(FFMPEG, `${PICTURES} -c:v mpeg4 -g 6 -qmin 12 -f m4v ${temporary('a.m4v')}`);
    const parse = 'mpeg4videoparse ! video/mpeg,mpegversion=4,systemstream=false,parsed=true';
    gstreamer(
      'mp4v-gstreamer',
      `filesrc location=${temporary('a.m4v')} ! ${parse}`,
      'rtpmp4vpay mtu=240 config-interval=-1',
      'm4v',
    );
  },
  'theora-ffmpeg': async () => {
    run(FFMPEG, `${PICTURES} -pix_fmt yuv420p -c:v libtheora -g 6 -b:v 100k ${out('theora-ffmpeg.ogv')}`);
    await ffmpeg('theora-ffmpeg', out('theora-ffmpeg.ogv'));
  },
  'theora-gstreamer': () => {
    run(FFMPEG, `${PICTURES} -pix_fmt yuv420p -c:v libtheora -g 6 -b:v 100k ${out('theora-gstreamer.ogv')}`);
    // Headers in band, in parts.
    const source = `filesrc location=${out('theora-gstreamer.ogv')} ! oggdemux`;
    gstreamer('theora-gstreamer', source, 'rtptheorapay mtu=240 config-interval=1');
  },
  'dv-own': () => {
    // A frame of any program has 120,000 bytes; for the fuzz target some blocks of each will do.
    const options =
      '-v error -y -f lavfi -i testsrc2=size=720x480:rate=30000/1001 -frames:v 2 -pix_fmt yuv411p -c:v dvvideo';
    run(FFMPEG, `${options} -f dv ${temporary('a.dv')}`);
    const bytes = readFileSync(temporary('a.dv'));
    const frames = [0, 120_000].map((at) => bytes.subarray(at, at + 80 * 9));
    own('dv-own', DV_FORMAT, mappingOf('DV', 'encode=SD-VCR/525-60'), frames);
  },
  'jpeg-ffmpeg': async () => {
    const options = '-pix_fmt yuvj420p -c:v mjpeg -huffman default -q:v 20 -frames:v 4';
    run(FFMPEG, `${PICTURES} ${options} -f mjpeg ${out('jpeg-ffmpeg.mjpeg')}`);
    await ffmpeg('jpeg-ffmpeg', out('jpeg-ffmpeg.mjpeg'));
  },
  'jpeg-gstreamer': () => {
    const source = 'videotestsrc num-buffers=4 ! video/x-raw,width=96,height=64,format=Y42B,framerate=25/1';
    gstreamer('jpeg-gstreamer', `${source} ! jpegenc quality=30`, 'rtpjpegpay mtu=240', 'mjpeg');
  },
};

/** Bytes of a captured stream that stored inputs of a fuzz target are made of. */
const CORPUS_BYTES = 3000;

/** What does not fit into a stored input is left out. */
const MAX_CORPUS_FILE_BYTES = 4000;

/**
 * @typedef {object} Packet
 * @property {Buffer} payload
 * @property {number} timestamp
 * @property {boolean} marker
 * @property {boolean} [afterLoss]
 */

/**
 * @param {string} name of a fixture
 * @returns {Packet[]} its first packets
 */
function packetsOf(name) {
  const bytes = readFileSync(out(`${name}.rtp`));
  const packets = [];
  for (let at = 0; at < bytes.length && at < CORPUS_BYTES; at += 2 + bytes.readUInt16BE(at)) {
    const end = at + 2 + bytes.readUInt16BE(at);
    packets.push({
      payload: bytes.subarray(at + 14, end),
      timestamp: bytes.readUInt32BE(at + 6),
      marker: bytes.readUInt8(at + 3) >= 0x80,
    });
  }
  return packets;
}

/**
 * Writes what test/fuzz/rtp-payload-run.ts reads.
 * @param {string} codec
 * @param {string} name
 * @param {readonly Packet[]} packets
 */
function writeCorpus(codec, name, packets) {
  const corpus = join(root, 'test', 'corpus', `rtp-payload-${codec}`);
  mkdirSync(corpus, { recursive: true });
  /** @type {Buffer[]} */
  const parts = [Buffer.of(0)];
  let last = packets[0]?.timestamp ?? 0;
  let size = 1;
  for (const { payload, timestamp, marker, afterLoss } of packets) {
    size += 3 + payload.length;
    if (size > MAX_CORPUS_FILE_BYTES) break;
    const step = timestamp === last ? 0 : 4;
    last = timestamp;
    parts.push(Buffer.of((marker ? 1 : 0) | (afterLoss ? 2 : 0) | step, payload.length >> 8, payload.length & 255));
    parts.push(payload);
  }
  writeFileSync(join(corpus, `${name}.bin`), Buffer.concat(parts));
}

/**
 * Inputs for the fuzz target of a codec: captured streams as they are, and broken in the ways streams break.
 * @param {string} codec
 */
function makeCorpus(codec) {
  const names = Object.keys(fixtures).filter((name) => name.startsWith(`${codec}-`));
  writeCorpus(codec, 'empty', []);
  for (const name of names) writeCorpus(codec, name, packetsOf(name));
  const packets = packetsOf(names[0] ?? '');
  /** @type {Record<string, readonly Packet[]>} */
  const broken = {
    'first-lost': packets.slice(1),
    'one-lost': packets.flatMap((packet, i) => (i === 2 ? [] : [{ ...packet, afterLoss: i === 3 }])),
    'every-third-lost': packets.flatMap((packet, i) => (i % 3 === 1 ? [] : [{ ...packet, afterLoss: i % 3 === 2 }])),
    'no-markers': packets.map((packet) => ({ ...packet, marker: false })),
    'all-markers': packets.map((packet) => ({ ...packet, marker: true })),
    'one-time': packets.map((packet) => ({ ...packet, timestamp: 0 })),
    'every-packet-a-time': packets.map((packet, i) => ({ ...packet, timestamp: i })),
    twice: packets.flatMap((packet) => [packet, packet]),
    backwards: packets.toReversed(),
    'cut-in-half': packets.map((packet) => ({
      ...packet,
      payload: packet.payload.subarray(0, packet.payload.length / 2),
    })),
    'one-byte-each': packets.map((packet) => ({ ...packet, payload: packet.payload.subarray(0, 1) })),
    'five-bytes-each': packets.map((packet) => ({ ...packet, payload: packet.payload.subarray(0, 5) })),
    'empty-payloads': packets.map((packet) => ({ ...packet, payload: Buffer.alloc(0) })),
    'bits-of-header-turned': packets.map((packet, i) => {
      const payload = Buffer.from(packet.payload);
      payload.writeUInt8((payload.at(0) ?? 0) ^ (1 << (i % 8)));
      return { ...packet, payload };
    }),
  };
  for (const [name, one] of Object.entries(broken)) writeCorpus(codec, name, one);
}

mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
try {
  for (const [name, make] of Object.entries(fixtures)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    say(name);
    await make();
  }
  for (const codec of new Set(Object.keys(fixtures).map((name) => name.slice(0, name.lastIndexOf('-'))))) {
    if (wanted.length === 0 || wanted.some((name) => name.startsWith(`${codec}-`))) makeCorpus(codec);
  }
} finally {
  rmSync(scratch, { recursive: true });
}
