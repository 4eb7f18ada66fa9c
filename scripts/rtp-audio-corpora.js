/**
 * `node scripts/rtp-audio-corpora.js`: makes the inputs of the fuzz targets of sound over RTP, test/corpus/rtp-payload-…/,
 * from the captured streams of `scripts/rtp-audio-fixtures.js`: as they are, and broken in the ways streams break.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/shell.js';

/** Bytes of a captured stream that an input is made of. */
const MAX_INPUT_BYTES = 3500;

/**
 * By target: captured streams, each with the first byte of its inputs, which chooses the mapping and the size of packets
 * (test/fuzz/rtp-payload-audio-run.ts). The first stream is the one that gets broken.
 * @type {Record<string, readonly (readonly [name: string, first: number])[]>}
 */
const targets = {
  aac: [
    ['aac-gstreamer-parts', 0],
    ['aac-ffmpeg', 0],
    ['aac-gstreamer', 6],
    ['latm-gstreamer-parts', 1],
    ['latm-ffmpeg', 1],
    ['latm-gstreamer', 2],
  ],
  'mpeg-audio': [
    ['mp3-gstreamer-parts', 0],
    ['mp3-ffmpeg', 20],
    ['mp2-ffmpeg', 1],
    ['mp2-gstreamer', 0],
  ],
  ac3: [
    ['ac3-gstreamer-parts', 0],
    ['ac3-gstreamer', 0],
  ],
  opus: [
    ['opus-gstreamer', 0],
    ['opus-ffmpeg', 1],
  ],
  vorbis: [
    ['vorbis-gstreamer-parts', 0],
    ['vorbis-gstreamer', 0],
    ['vorbis-ffmpeg', 1],
  ],
  amr: [
    ['amr-gstreamer', 0],
    ['amr-ffmpeg', 0],
    ['amr-wb-gstreamer', 1],
    ['amr-wb-ffmpeg', 3],
  ],
  samples: [
    ['pcmu-ffmpeg', 0],
    ['l16-ffmpeg', 1],
    ['l24-ffmpeg', 2],
  ],
  mp2t: [['mp2t-gstreamer', 100]],
};

/**
 * @typedef {object} Packet
 * @property {Buffer} payload
 * @property {number} timestamp
 * @property {boolean} marker
 * @property {boolean} [afterLoss]
 */

/**
 * @param {string} name
 * @returns {Packet[]}
 */
function packetsOf(name) {
  const bytes = readFileSync(join(root, 'test', 'fixtures', 'rtp', `${name}.rtp`));
  const packets = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) {
    packets.push({
      payload: bytes.subarray(at + 14, at + 2 + bytes.readUInt16BE(at)),
      timestamp: bytes.readUInt32BE(at + 6),
      marker: bytes.readUInt8(at + 3) >= 0x80,
    });
  }
  return packets;
}

/**
 * @param {string} target
 * @param {string} name
 * @param {number} first
 * @param {readonly Packet[]} packets
 */
function write(target, name, first, packets) {
  const folder = join(root, 'test', 'corpus', `rtp-payload-${target}`);
  mkdirSync(folder, { recursive: true });
  /** @type {Buffer[]} */
  const parts = [Buffer.of(first)];
  let last = packets[0]?.timestamp ?? 0;
  let size = 1;
  for (const { payload, timestamp, marker, afterLoss } of packets) {
    size += 3 + payload.length;
    if (size > MAX_INPUT_BYTES) break;
    const flags = (marker ? 1 : 0) | (afterLoss ? 2 : 0) | (timestamp === last ? 0 : 4);
    last = timestamp;
    parts.push(Buffer.of(flags, payload.length >> 8, payload.length & 255), payload);
  }
  writeFileSync(join(folder, `${name}.bin`), Buffer.concat(parts));
}

for (const [target, streams] of Object.entries(targets)) {
  for (const [name, first] of streams) write(target, name, first, packetsOf(name));
  const [[name, first] = ['', 0]] = streams;
  const packets = packetsOf(name);
  /** @type {(bytes: number) => Packet[]} */
  const cut = (bytes) => packets.map((packet) => ({ ...packet, payload: packet.payload.subarray(0, bytes) }));
  write(target, 'empty', first, []);
  write(target, 'first-lost', first, packets.slice(1));
  write(
    target,
    'some-lost',
    first,
    packets.flatMap((packet, i) => (i % 3 === 1 ? [] : [{ ...packet, afterLoss: i % 3 === 2 }])),
  );
  write(
    target,
    'no-markers',
    first,
    packets.map((packet) => ({ ...packet, marker: false })),
  );
  write(
    target,
    'all-markers',
    first,
    packets.map((packet) => ({ ...packet, marker: true })),
  );
  write(
    target,
    'one-time',
    first,
    packets.map((packet) => ({ ...packet, timestamp: 0 })),
  );
  write(
    target,
    'every-packet-a-time',
    first,
    packets.map((packet, i) => ({ ...packet, timestamp: i })),
  );
  write(
    target,
    'twice',
    first,
    packets.flatMap((packet) => [packet, packet]),
  );
  write(target, 'backwards', first, packets.toReversed());
  write(target, 'empty-payloads', first, cut(0));
  write(target, 'one-byte-each', first, cut(1));
  write(target, 'five-bytes-each', first, cut(5));
  write(target, 'another-mapping', first + 1, packets);
  write(
    target,
    'bits-of-header-turned',
    first,
    packets.map((packet, i) => {
      const payload = Buffer.from(packet.payload);
      payload.writeUInt8((payload.at(i % 4) ?? 0) ^ (1 << (i % 8)), i % 4);
      return { ...packet, payload };
    }),
  );
}
