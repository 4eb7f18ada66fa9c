import {
  findExtensionElement,
  readExtensionElements,
  writeExtensionElements,
} from '../../src/protocol/rtp/header-extension.ts';
import { parseRedundantAudio } from '../../src/protocol/rtp/redundant-audio.ts';
import { parseRtpPacket, type RtpPacket, rtpPacketSize, writeRtpPacket } from '../../src/protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../../src/protocol/rtp/rtp-packet-view.ts';
import { RTX_OVERHEAD_BYTES, restoreRtx, writeRtx } from '../../src/protocol/rtp/rtx.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'rtp-packet';

/** One RTP packet: read, written and read again; and the elements of its header extension. */
export function run(bytes: Uint8Array): void {
  const packet = parseRtpPacket(bytes);
  const view = new RtpPacketView();
  if (view.look(bytes) !== (packet !== undefined)) throw new RangeError('the view takes what parsing does not');
  if (packet === undefined) return;
  checkView(view, packet);
  const written = new Uint8Array(rtpPacketSize(packet));
  if (writeRtpPacket(packet, written) !== written.length) throw new RangeError('the size is not what was written');
  // All but the padding's content, which nobody reads, comes back.
  const inputEnd = bytes.length - packet.paddingBytes;
  expectSameBytes(written.subarray(0, inputEnd), bytes.subarray(0, inputEnd), 'the packet read and written');
  checkElements(packet);
}

function checkView(view: RtpPacketView, packet: RtpPacket): void {
  const { sequenceNumber, timestamp, ssrc, payloadType, marker } = packet;
  const isSame =
    view.sequenceNumber === sequenceNumber &&
    view.timestamp === timestamp &&
    view.ssrc === ssrc &&
    view.payloadType === payloadType &&
    view.marker === marker;
  if (!isSame) throw new RangeError('the view sees another header');
  expectSameBytes(view.bytes.subarray(view.payloadStart, view.payloadEnd), packet.payload, 'the payload of the view');
  for (let id = 1; id < 256; id++) {
    const at = view.findElement(id);
    const data = findExtensionElement(packet, id);
    if (at < 0 !== (data === undefined)) throw new RangeError('the view finds other elements');
    if (data !== undefined)
      expectSameBytes(view.bytes.subarray(at, at + view.elementBytes), data, 'an element of the view');
  }
  parseRedundantAudio(packet.payload);
  checkRetransmission(view);
}

function checkRetransmission(view: RtpPacketView): void {
  const packet = view.bytes.slice(view.start, view.payloadEnd);
  const out = new Uint8Array(packet.length + RTX_OVERHEAD_BYTES);
  const end = writeRtx(view, { payloadType: 97, ssrc: 1, sequenceNumber: 2 }, out, 0);
  const repeated = new RtpPacketView();
  if (end !== out.length || !repeated.look(out)) throw new RangeError('the retransmission is no packet');
  if (!restoreRtx(repeated, view)) throw new RangeError('the retransmission can not be restored');
  // Padding is not repeated.
  packet[0]! &= 0xdf;
  expectSameBytes(out.subarray(repeated.start, repeated.end), packet, 'the packet sent again');
}

function checkElements(packet: RtpPacket): void {
  const elements = readExtensionElements(packet);
  if (elements.length > (packet.extension?.length ?? 0)) throw new RangeError('more elements than bytes');
  const again = readExtensionElements(writeExtensionElements(elements));
  if (again.length !== elements.length) throw new RangeError('elements were lost in writing');
  for (const [i, { id, data }] of elements.entries()) {
    if (again[i]?.id !== id) throw new RangeError('an element changed its id');
    expectSameBytes(again[i].data, data, 'the data of an element');
    const first = elements.find((element) => element.id === id);
    expectSameBytes(findExtensionElement(packet, id), first!.data, 'the element found by its id');
  }
}
