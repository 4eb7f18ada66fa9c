/**
 * Makes those of `test/fixtures/rtp/` that are of sound and of transport streams: `node scripts/rtp-audio-fixtures.js`,
 * with ffmpeg and GStreamer in the path. Each `<name>.rtp` has RTP packets behind 16 bits of length (RFC 4571), `<name>.sdp` how they are named, and
 * `<name>.md5` what was sent: size and MD5 of each coded unit as ffmpeg reads them out of the file that was sent, or one
 * line for all bytes where units have no borders of their own.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FFMPEG = 'ffmpeg';
const FFPROBE = 'ffprobe';
const GST_LAUNCH = 'gst-launch-1.0';

const folder = join(import.meta.dirname, '..', 'test', 'fixtures', 'rtp');
const scratch = mkdtempSync(join(tmpdir(), 'rtp-fixtures-'));
/** @param {string} name */
const inScratch = (name) => join(scratch, name);

/** @param {readonly string[]} args */
function ffmpeg(args) {
  execFileSync(FFMPEG, ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/**
 * Encodes some sound; its two channels differ.
 * @param {string} file
 * @param {number} seconds
 * @param {readonly string[]} args
 */
function encode(file, seconds, args) {
  const sound = `aevalsrc=0.4*sin(2*PI*440*t)|0.3*sin(2*PI*660*t+sin(9*t)):s=48000:d=${seconds}`;
  ffmpeg([
    '-f',
    'lavfi',
    '-i',
    sound,
    '-map_metadata',
    '-1',
    '-fflags',
    '+bitexact',
    '-flags',
    '+bitexact',
    ...args,
    inScratch(file),
  ]);
  return inScratch(file);
}

/**
 * `size md5` of every packet ffmpeg reads out of a file.
 * @param {string} file
 * @returns {string[]}
 */
function unitsOf(file) {
  const args = [
    '-v',
    'error',
    '-select_streams',
    '0',
    '-show_entries',
    'packet=size,data_hash',
    '-show_data_hash',
    'md5',
    '-of',
    'json',
    file,
  ];
  const { packets } = JSON.parse(execFileSync(FFPROBE, args, { encoding: 'utf8', maxBuffer: 1 << 26 }));
  return packets.map(
    (/** @type {{ size: string; data_hash: string }} */ packet) =>
      `${packet.size} ${packet.data_hash.replace('MD5:', '')}`,
  );
}

/** @param {string} file */
function wholeOf(file) {
  const bytes = readFileSync(file);
  return [`${bytes.length} ${createHash('md5').update(bytes).digest('hex')}`];
}

/**
 * @param {string} name
 * @param {readonly Buffer[]} packets
 * @param {string} sdp
 * @param {readonly string[]} units
 */
function keep(name, packets, sdp, units) {
  const lengths = packets.map((packet) => Buffer.concat([Buffer.of(packet.length >> 8, packet.length & 255), packet]));
  writeFileSync(join(folder, `${name}.rtp`), Buffer.concat(lengths));
  writeFileSync(join(folder, `${name}.sdp`), sdp);
  writeFileSync(join(folder, `${name}.md5`), `${units.join('\n')}\n`);
  process.stdout.write(
    `${name}: ${packets.length} packets, ${Buffer.concat(lengths).length} bytes, ${units.length} units\n`,
  );
}

/**
 * Sends a file with ffmpeg's RTP muxer and catches the packets.
 * @param {string} name
 * @param {string} file
 * @param {readonly string[]} units
 * @param {{ input?: readonly string[]; output?: readonly string[]; packetBytes?: number }} options
 */
async function byFfmpeg(name, file, units, { input = [], output = [], packetBytes = 1200 } = {}) {
  const socket = createSocket('udp4');
  /** @type {Buffer[]} */
  const packets = [];
  socket.on('message', (message) => packets.push(message));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const sdp = inScratch(`${name}.sdp`);
  const to = `rtp://127.0.0.1:${socket.address().port}?pkt_size=${packetBytes}&localrtcpport=9`;
  const args = ['-hide_banner', '-loglevel', 'error', ...input, '-i', file, '-map', '0:0', '-c', 'copy', ...output];
  const child = spawn(FFMPEG, [...args, '-sdp_file', sdp, '-f', 'rtp', to], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await once(child, 'exit');
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.close();
  const text = readFileSync(sdp, 'utf8')
    .split(/\r?\n/)
    .filter((line) => /^(m=|a=rtpmap|a=fmtp)/.test(line));
  keep(name, packets, `${text.join('\n').replaceAll(/(m=\w+) \d+/g, '$1 0')}\n`, units);
}

/**
 * Runs a GStreamer pipeline that ends in a payloader, and keeps its packets; SDP is made of the payloader's caps.
 * @param {string} name
 * @param {string} pipeline
 * @param {readonly string[]} units
 */
function byGStreamer(name, pipeline, units) {
  const out = inScratch('gst.rtp');
  const text = `${pipeline} seqnum-offset=100 timestamp-offset=4294960000 ssrc=1 name=pay ! rtpstreampay ! filesink location=${out}`;
  const log = execFileSync(GST_LAUNCH, ['-v', ...text.split(/\s+/)], { encoding: 'utf8' });
  const caps = /pay\.GstPad:src: caps = application\/x-rtp, (.*)/.exec(log)?.[1] ?? '';
  /** @type {Map<string, string>} */
  const fields = new Map();
  for (const [, key = '', value = ''] of caps.matchAll(/([\w-]+)=\(\w+\)("(?:[^"\\]|\\.)*"|[^,\s]+)/g)) {
    fields.set(key, value.replaceAll(/^"|"$|\\/g, ''));
  }
  const own = new Set([
    'media',
    'clock-rate',
    'encoding-name',
    'encoding-params',
    'payload',
    'seqnum-offset',
    'timestamp-offset',
    'ssrc',
    'a-framerate',
    'channels',
    'ptime',
    'maxptime',
    'channel-order',
  ]);
  const parameters = [...fields].filter(([key]) => !own.has(key)).map(([key, value]) => `${key}=${value}`);
  const channels = fields.get('encoding-params');
  const lines = [
    `m=${fields.get('media')} 0 RTP/AVP ${fields.get('payload')}`,
    `a=rtpmap:${fields.get('payload')} ${fields.get('encoding-name')}/${fields.get('clock-rate')}${channels ? `/${channels}` : ''}`,
    ...(parameters.length > 0 ? [`a=fmtp:${fields.get('payload')} ${parameters.join(';')}`] : []),
  ];
  const bytes = readFileSync(out);
  const packets = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at))
    packets.push(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)));
  keep(name, packets, `${lines.join('\n')}\n`, units);
}

const aac = encode('sound.aac', 0.35, ['-c:a', 'aac', '-b:a', '48k']);
const m4a = inScratch('sound.m4a');
ffmpeg(['-i', aac, '-c', 'copy', m4a]);
const aacUnits = unitsOf(m4a);
await byFfmpeg('aac-ffmpeg', m4a, aacUnits);
await byFfmpeg('latm-ffmpeg', m4a, aacUnits, { output: ['-rtpflags', 'latm'] });
byGStreamer('aac-gstreamer', `filesrc location=${aac} ! aacparse ! rtpmp4gpay mtu=1200`, aacUnits);
byGStreamer('aac-gstreamer-parts', `filesrc location=${aac} ! aacparse ! rtpmp4gpay mtu=90`, aacUnits);
byGStreamer('latm-gstreamer', `filesrc location=${aac} ! aacparse ! rtpmp4apay mtu=1200`, aacUnits);
byGStreamer('latm-gstreamer-parts', `filesrc location=${aac} ! aacparse ! rtpmp4apay mtu=90`, aacUnits);

const mp3 = encode('sound.mp3', 0.4, ['-c:a', 'libmp3lame', '-b:a', '64k', '-write_xing', '0', '-id3v2_version', '0']);
await byFfmpeg('mp3-ffmpeg', mp3, unitsOf(mp3));
byGStreamer('mp3-gstreamer-parts', `filesrc location=${mp3} ! mpegaudioparse ! rtpmpapay mtu=100`, unitsOf(mp3));
const mp2 = encode('sound.mp2', 0.3, ['-c:a', 'mp2', '-b:a', '96k', '-ar', '44100']);
await byFfmpeg('mp2-ffmpeg', mp2, unitsOf(mp2));
byGStreamer('mp2-gstreamer', `filesrc location=${mp2} ! mpegaudioparse ! rtpmpapay mtu=1200`, unitsOf(mp2));

const ac3 = encode('sound.ac3', 0.3, ['-c:a', 'ac3', '-b:a', '96k', '-ar', '44100']);
byGStreamer('ac3-gstreamer', `filesrc location=${ac3} ! ac3parse ! rtpac3pay mtu=1200`, unitsOf(ac3));
byGStreamer('ac3-gstreamer-parts', `filesrc location=${ac3} ! ac3parse ! rtpac3pay mtu=150`, unitsOf(ac3));

const opus = encode('sound.opus', 0.5, ['-c:a', 'libopus', '-b:a', '48k']);
await byFfmpeg('opus-ffmpeg', opus, unitsOf(opus));
byGStreamer('opus-gstreamer', `filesrc location=${opus} ! oggdemux ! opusparse ! rtpopuspay mtu=1200`, unitsOf(opus));

const vorbis = encode('sound.ogg', 0.4, ['-c:a', 'libvorbis', '-q:a', '0']);
// ffmpeg keeps what does not fill a packet at the end to itself.
await byFfmpeg('vorbis-ffmpeg', vorbis, unitsOf(vorbis), { packetBytes: 500 });
byGStreamer(
  'vorbis-gstreamer',
  `filesrc location=${vorbis} ! oggdemux ! vorbisparse ! rtpvorbispay config-interval=0 mtu=1200`,
  unitsOf(vorbis),
);
byGStreamer(
  'vorbis-gstreamer-parts',
  `filesrc location=${vorbis} ! oggdemux ! vorbisparse ! rtpvorbispay config-interval=1 mtu=120`,
  unitsOf(vorbis),
);

/** @type {readonly (readonly [name: string, codec: string, format: string, args: readonly string[]])[]} */
const samples = [
  ['pcmu', 'pcm_mulaw', 'mulaw', ['-ar', '8000', '-ac', '1']],
  ['pcma', 'pcm_alaw', 'alaw', ['-ar', '8000', '-ac', '1']],
  ['l16', 'pcm_s16be', 's16be', ['-ar', '44100', '-ac', '2']],
  ['l24', 'pcm_s24be', 's24be', ['-ar', '16000', '-ac', '2']],
  ['g722', 'g722', 'g722', ['-ar', '16000', '-ac', '1']],
];
for (const [name, codec, format, args] of samples) {
  const seconds = name === 'l16' || name === 'l24' ? 0.05 : 0.4;
  const file = encode(`sound.${name}`, seconds, ['-c:a', codec, ...args, '-f', format]);
  const input = name === 'g722' ? ['-f', format] : ['-f', format, ...args];
  await byFfmpeg(`${name}-ffmpeg`, file, wholeOf(file), { input });
}

/** @type {readonly (readonly [name: string, encoder: string, magic: string, rate: number])[]} */
const amr = [
  ['amr', 'amrnbenc', '#!AMR\n', 8000],
  ['amr-wb', 'voamrwbenc', '#!AMR-WB\n', 16000],
];
for (const [name, encoder, magic, rate] of amr) {
  const raw = inScratch(`${name}.raw`);
  const source = `audiotestsrc num-buffers=20 samplesperbuffer=${rate / 50} wave=ticks ! audio/x-raw,rate=${rate},channels=1 ! ${encoder}`;
  execFileSync(GST_LAUNCH, ['-q', ...`${source} ! filesink location=${raw}`.split(' ')]);
  const file = inScratch(`sound.${name}`);
  writeFileSync(file, Buffer.concat([Buffer.from(magic, 'latin1'), readFileSync(raw)]));
  byGStreamer(`${name}-gstreamer`, `filesrc location=${file} ! amrparse ! rtpamrpay mtu=1200`, unitsOf(file));
  await byFfmpeg(`${name}-ffmpeg`, file, unitsOf(file), { packetBytes: 140 });
}

const ts = inScratch('clip.ts');
ffmpeg([
  '-f',
  'lavfi',
  '-i',
  'testsrc=size=64x48:rate=10:duration=0.5',
  '-c:v',
  'libx264',
  '-x264-params',
  'log-level=none',
  '-pat_period',
  '0.2',
  ts,
]);
byGStreamer(
  'mp2t-gstreamer',
  `filesrc location=${ts} blocksize=1316 ! video/mpegts,packetsize=188,systemstream=true ! rtpmp2tpay mtu=1400`,
  wholeOf(ts),
);

rmSync(scratch, { recursive: true });
