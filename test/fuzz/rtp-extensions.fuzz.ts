import {
  AbsCaptureTime,
  readAbsCaptureTime,
  writeAbsCaptureTime,
} from '../../src/protocol/rtp/extensions/abs-capture-time.ts';
import { readAbsSendTime, writeAbsSendTime } from '../../src/protocol/rtp/extensions/abs-send-time.ts';
import { readAudioLevel, readMixerLevels } from '../../src/protocol/rtp/extensions/audio-level.ts';
import {
  DependencyDescriptor,
  DependencyDescriptorReader,
} from '../../src/protocol/rtp/extensions/dependency-descriptor.ts';
import { FrameMarking, readFrameMarking } from '../../src/protocol/rtp/extensions/frame-marking.ts';
import { HeaderExtensionWriter } from '../../src/protocol/rtp/extensions/header-extension-writer.ts';
import { readPlayoutDelay } from '../../src/protocol/rtp/extensions/playout-delay.ts';
import { readStreamName, streamNameBytes } from '../../src/protocol/rtp/extensions/stream-name.ts';
import {
  readTransmissionOffset,
  writeTransmissionOffset,
} from '../../src/protocol/rtp/extensions/transmission-offset.ts';
import {
  readTransportWideSequenceNumber,
  writeTransportWideSequenceNumber,
} from '../../src/protocol/rtp/extensions/transport-wide-sequence-number.ts';
import { readVideoLayersAllocation } from '../../src/protocol/rtp/extensions/video-layers-allocation.ts';
import { readVideoOrientation } from '../../src/protocol/rtp/extensions/video-orientation.ts';
import { type ExtensionElement, readExtensionElements } from '../../src/protocol/rtp/header-extension.ts';
import { Av1Payload, parseAv1Payload } from '../../src/protocol/rtp/layers/av1-payload.ts';
import { H264Payload, parseH264Payload } from '../../src/protocol/rtp/layers/h264-payload.ts';
import { rewritePictureNumbers } from '../../src/protocol/rtp/layers/picture-id-rewrite.ts';
import { parseVp8Descriptor, Vp8Descriptor } from '../../src/protocol/rtp/layers/vp8-descriptor.ts';
import { parseVp9LayerDescriptor, Vp9LayerDescriptor } from '../../src/protocol/rtp/layers/vp9-layer-descriptor.ts';
import { parseRtpPacket } from '../../src/protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../../src/protocol/rtp/rtp-packet-view.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'rtp-extensions';

const OWN = [
  { id: 1, data: Uint8Array.of(0x61) },
  { id: 2, data: new Uint8Array(3) },
];
/** Kept elements in the two-byte form can grow, so a little more than a packet. */
const SPARE_BYTES = 100;

/** One RTP packet: every element by every reader, the payload by every codec's, and forwarded with other elements. */
export function run(bytes: Uint8Array): void {
  const view = new RtpPacketView();
  if (!view.look(bytes)) return;
  const elements = readExtensionElements(parseRtpPacket(bytes)!);
  for (const { id } of elements) {
    const at = view.findElement(id);
    if (at < 0) throw new RangeError('an element is not found');
    readEverything(bytes, at, view.elementBytes);
  }
  readPayload(bytes, view);
  forward(bytes, view, elements);
}

function readEverything(bytes: Uint8Array, at: number, sizeBytes: number): void {
  const out = new Uint8Array(16);
  const data = bytes.subarray(at, at + sizeBytes);
  const sendTime = readAbsSendTime(bytes, at, sizeBytes);
  if (sendTime !== undefined && writeAbsSendTime(out, 0, sendTime)) expectSameBytes(out.subarray(0, 3), data, 'times');
  const offset = readTransmissionOffset(bytes, at, sizeBytes);
  if (offset !== undefined && writeTransmissionOffset(out, 0, offset)) {
    expectSameBytes(out.subarray(0, 3), data, 'offsets');
  }
  const sequenceNumber = readTransportWideSequenceNumber(bytes, at, sizeBytes);
  if (sequenceNumber !== undefined && writeTransportWideSequenceNumber(out, 0, sequenceNumber)) {
    expectSameBytes(out.subarray(0, 2), data, 'sequence numbers');
  }
  const capture = new AbsCaptureTime();
  if (readAbsCaptureTime(bytes, at, sizeBytes, capture)) {
    expectSameBytes(out.subarray(0, writeAbsCaptureTime(out, 0, capture)), data, 'capture times');
  }
  const text = readStreamName(bytes, at, sizeBytes);
  if (text !== undefined) expectSameBytes(streamNameBytes(text), data, 'names');
  readAudioLevel(bytes, at, sizeBytes);
  readMixerLevels(bytes, at, sizeBytes, out);
  readVideoOrientation(bytes, at, sizeBytes);
  readPlayoutDelay(bytes, at, sizeBytes);
  readFrameMarking(bytes, at, sizeBytes, new FrameMarking());
  readVideoLayersAllocation(bytes, at, sizeBytes);
  new DependencyDescriptorReader().read(bytes, at, sizeBytes, new DependencyDescriptor());
}

function readPayload(bytes: Uint8Array, { payloadStart, payloadEnd }: RtpPacketView): void {
  parseH264Payload(bytes, payloadStart, payloadEnd, new H264Payload());
  parseAv1Payload(bytes, payloadStart, payloadEnd, new Av1Payload());
  const copy = bytes.slice();
  const vp8 = new Vp8Descriptor();
  if (parseVp8Descriptor(bytes, payloadStart, payloadEnd, vp8)) rewritePictureNumbers(copy, 0, vp8, vp8);
  expectSameBytes(copy, bytes, 'VP8 descriptors');
  const vp9 = new Vp9LayerDescriptor();
  if (parseVp9LayerDescriptor(bytes, payloadStart, payloadEnd, vp9)) rewritePictureNumbers(copy, 0, vp9, vp9);
  expectSameBytes(copy, bytes, 'VP9 descriptors');
}

function forward(bytes: Uint8Array, view: RtpPacketView, elements: readonly ExtensionElement[]): void {
  const ids = new Map(Array.from({ length: 252 }, (_, i) => [i + 1, i + 3]));
  const writer = new HeaderExtensionWriter({ ids, own: OWN, allowTwoByte: true });
  const out = new Uint8Array(2 * bytes.length + SPARE_BYTES);
  const payloadAt = writer.write(view, out, 0);
  if (payloadAt < 0) throw new RangeError('there was room');
  out.set(bytes.subarray(view.payloadStart, view.payloadEnd), payloadAt);
  const packet = parseRtpPacket(out.subarray(0, payloadAt + view.payloadBytes));
  if (packet === undefined) throw new RangeError('what was forwarded is no packet');
  expectSameBytes(packet.payload, bytes.subarray(view.payloadStart, view.payloadEnd), 'payloads');
  const expected = [...OWN, ...elements.filter(({ id }) => ids.has(id)).map(({ id, data }) => ({ id: id + 2, data }))];
  const forwarded = readExtensionElements(packet);
  if (forwarded.length !== expected.length) throw new RangeError('elements were lost or added');
  for (const [i, { id, data }] of forwarded.entries()) {
    if (id !== expected[i]!.id) throw new RangeError('an element has another id');
    expectSameBytes(data, expected[i]!.data, 'elements');
  }
}
