import {
  findExtensionElement,
  readExtensionElements,
  writeExtensionElements,
} from '../../src/protocol/rtp/header-extension.ts';
import { parseRtpPacket, type RtpPacket, rtpPacketSize, writeRtpPacket } from '../../src/protocol/rtp/rtp-packet.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'rtp-packet';

/** One RTP packet: read, written and read again; and the elements of its header extension. */
export function run(bytes: Uint8Array): void {
  const packet = parseRtpPacket(bytes);
  if (packet === undefined) return;
  const written = new Uint8Array(rtpPacketSize(packet));
  if (writeRtpPacket(packet, written) !== written.length) throw new RangeError('the size is not what was written');
  // All but the padding's content, which nobody reads, comes back.
  const inputEnd = bytes.length - packet.paddingBytes;
  expectSameBytes(written.subarray(0, inputEnd), bytes.subarray(0, inputEnd), 'the packet read and written');
  checkElements(packet);
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
