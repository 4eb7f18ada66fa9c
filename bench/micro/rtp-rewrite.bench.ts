/**
 * What forwarding costs in front of encryption: looking at a received packet of video, finding its elements, reading its
 * layers, and writing it with another header extension for one consumer: `node bench/micro/rtp-rewrite.bench.ts`.
 */
import { writeAbsSendTime } from '../../src/protocol/rtp/extensions/abs-send-time.ts';
import {
  DependencyDescriptor,
  DependencyDescriptorReader,
} from '../../src/protocol/rtp/extensions/dependency-descriptor.ts';
import { HeaderExtensionWriter } from '../../src/protocol/rtp/extensions/header-extension-writer.ts';
import { writeTransportWideSequenceNumber } from '../../src/protocol/rtp/extensions/transport-wide-sequence-number.ts';
import { writeExtensionElements } from '../../src/protocol/rtp/header-extension.ts';
import { rewritePictureNumbers } from '../../src/protocol/rtp/layers/picture-id-rewrite.ts';
import { parseVp8Descriptor, Vp8Descriptor } from '../../src/protocol/rtp/layers/vp8-descriptor.ts';
import { rtpPacketSize, writeRtpPacket } from '../../src/protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../../src/protocol/rtp/rtp-packet-view.ts';
import { benchWork, runWorks } from './throughput.ts';

const PACKETS = 1000;
const CONSUMERS = 10;
const PAYLOAD_BYTES = 1100;
const MID = 9;
const ABS_SEND_TIME = 2;
const TRANSPORT_WIDE = 4;
const ORIENTATION = 3;
const DEPENDENCY = 12;

/** As Chromium sends them: mid, absolute send time, transport-wide number, orientation, dependency descriptor. */
const elements = [
  { id: ABS_SEND_TIME, data: Uint8Array.of(3, 0xf4, 0x48) },
  { id: TRANSPORT_WIDE, data: Uint8Array.of(0, 3) },
  { id: MID, data: Uint8Array.of(0x30) },
  { id: ORIENTATION, data: Uint8Array.of(0) },
  { id: DEPENDENCY, data: Uint8Array.of(0xc5, 0, 2) },
];

function packet(i: number): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(i);
  // X, S; I, L, T; picture id of 15 bits; TL0PICIDX; TID 1.
  payload.set([0x90, 0xe0, 0x80 | (i >>> 8), i, i, 0x40, 1]);
  const fields = {
    marker: false,
    payloadType: 96,
    sequenceNumber: i,
    timestamp: i * 3000,
    ssrc: 1,
    payload,
    ...writeExtensionElements(elements),
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  return bytes;
}

const packets = Array.from({ length: PACKETS }, (_, i) => packet(i));
const bytes = packets.reduce((sum, { length }) => sum + length, 0);
const work = { bytes, items: PACKETS, item: 'packet' };
const view = new RtpPacketView();
const sent = new RtpPacketView();
const out = new Uint8Array(2048);
const writer = new HeaderExtensionWriter({
  ids: new Map([
    [ORIENTATION, 8],
    [DEPENDENCY, 7],
  ]),
  own: [
    { id: 1, data: Uint8Array.of(0x31) },
    { id: 4, data: new Uint8Array(3) },
    { id: 5, data: new Uint8Array(2) },
  ],
});
const vp8 = new Vp8Descriptor();
const replacement = { pictureId: 5, tl0PictureIndex: 6 };

benchWork('look at a packet and find two elements', work, () => {
  let count = 0;
  for (const one of packets)
    if (view.look(one) && view.findElement(MID) > 0 && view.findElement(DEPENDENCY) > 0) count++;
  return count;
});

benchWork('read its VP8 layers', work, () => {
  let count = 0;
  for (const one of packets) {
    view.look(one);
    if (parseVp8Descriptor(one, view.payloadStart, view.payloadEnd, vp8) && vp8.temporalId === 1) count++;
  }
  return count;
});

const structure = Buffer.from('c000018002044eaaaf2860414d34538a0940404fc02cc0', 'hex');
const dependencies = new DependencyDescriptorReader();
const dependency = new DependencyDescriptor();
dependencies.read(structure, 0, structure.length, dependency);

benchWork('read its dependency descriptor', work, () => {
  let count = 0;
  for (const one of packets) {
    view.look(one);
    const at = view.findElement(DEPENDENCY);
    if (dependencies.read(one, at, view.elementBytes, dependency) && dependency.temporalId === 2) count++;
  }
  return count;
});

/** Parses and rewrites headers, all but the payload's copy. */
function rewrite(one: Uint8Array, i: number): number {
  if (!view.look(one)) return -1;
  const payloadAt = writer.write(view, out, 0);
  if (payloadAt < 0 || !sent.look(out, 0, payloadAt + view.payloadBytes)) return -1;
  sent.ssrc = 0x1234_5678;
  sent.payloadType = 101;
  sent.sequenceNumber = i;
  sent.timestamp = view.timestamp + 77;
  writeAbsSendTime(out, writer.ownDataOffset(1), i);
  writeTransportWideSequenceNumber(out, writer.ownDataOffset(2), i);
  return payloadAt;
}

benchWork('parse and rewrite the headers for a consumer', work, () => {
  let count = 0;
  for (let i = 0; i < PACKETS; i++) if (rewrite(packets[i]!, i) > 0) count++;
  return count;
});

const toConsumers = { bytes: bytes * CONSUMERS, items: PACKETS * CONSUMERS, item: 'packet sent' };

benchWork('the same with VP8 layers and payload, 10 consumers', toConsumers, () => {
  let count = 0;
  for (let i = 0; i < PACKETS; i++) {
    const one = packets[i]!;
    view.look(one);
    const payload = one.subarray(view.payloadStart, view.payloadEnd);
    for (let consumer = 0; consumer < CONSUMERS; consumer++) {
      const payloadAt = rewrite(one, i);
      if (payloadAt < 0 || !parseVp8Descriptor(one, view.payloadStart, view.payloadEnd, vp8)) continue;
      out.set(payload, payloadAt);
      rewritePictureNumbers(out, payloadAt - view.payloadStart, vp8, replacement);
      count++;
    }
  }
  return count;
});

await runWorks();
