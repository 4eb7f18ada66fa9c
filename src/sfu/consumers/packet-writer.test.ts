import { describe, expect, it } from 'vitest';
import { HEADER_EXTENSION_URI } from '../../protocol/rtp/extensions/header-extension-uris.ts';
import { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import type { PacketLink } from '../transports/packet-link.ts';
import { PacketSender } from '../transports/packet-sender.ts';
import type { RtpParameters } from '../transports/rtp-parameters.ts';
import { PacketWriter } from './packet-writer.ts';

const FROM: RtpParameters = {
  codecs: [],
  headerExtensions: [{ uri: HEADER_EXTENSION_URI.videoOrientation, id: 3 }],
};

/** What a consumer gets that reads the two-byte form. */
function parametersWith(mid: string): RtpParameters {
  return {
    mid,
    codecs: [],
    headerExtensions: [
      { uri: HEADER_EXTENSION_URI.mid, id: 1 },
      { uri: HEADER_EXTENSION_URI.absSendTime, id: 4 },
      { uri: HEADER_EXTENSION_URI.transportWideSequenceNumber, id: 5 },
      { uri: HEADER_EXTENSION_URI.dependencyDescriptor, id: 7 },
      { uri: HEADER_EXTENSION_URI.videoOrientation, id: 8 },
    ],
  };
}

/** A packet with so many elements of one byte, in the one-byte form (RFC 8285 §4.2), and 15 contributing sources. */
function packetOf(elements: number): RtpPacketView {
  const words = Math.ceil((2 * elements) / 4);
  const header = Uint8Array.of(0x9f, 100, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1);
  const packet = new Uint8Array(12 + 60 + 4 + 4 * words + 10);
  packet.set(header);
  packet.set([0xbe, 0xde, words >>> 8, words & 0xff], 72);
  for (let i = 0; i < elements; i++) packet[76 + 2 * i] = 0x30;
  const view = new RtpPacketView();
  expect(view.look(packet)).toBe(true);
  return view;
}

describe('the room a packet is given', () => {
  it.each([
    { mid: '0', elements: 0 },
    { mid: '0', elements: 600 },
    // Too long for the one-byte form: all elements take the other.
    { mid: 'm'.repeat(32), elements: 1 },
    { mid: 'm'.repeat(32), elements: 600 },
  ])('holds what it becomes with mid $mid and $elements elements', ({ mid, elements }) => {
    let reservedBytes = 0;
    const sentBytes: number[] = [];
    const link: PacketLink = {
      bytes: new Uint8Array(10_000),
      joinsEqualSizes: true,
      reserve: (sizeBytes) => {
        reservedBytes = sizeBytes;
        return 0;
      },
      sendRtp: (start, end) => {
        sentBytes.push(end - start);
        return end - start;
      },
      sendRtcp: () => 0,
    };
    const sender = new PacketSender(0);
    sender.setLink(link);
    const writer = new PacketWriter('c', sender, FROM, parametersWith(mid));
    const view = packetOf(elements);
    const payload = view.bytes.subarray(view.payloadStart, view.payloadEnd);
    const header = { payloadType: 101, ssrc: 2, sequenceNumber: 3, timestamp: 4, marker: false };
    expect(writer.write(view, payload, header, 77, 8)).toBe(true);
    writer.send('media', 0);
    expect(sentBytes).toHaveLength(1);
    expect(sentBytes[0]).toBeGreaterThanOrEqual(72 + 3 * elements * (mid.length > 16 ? 1 : 2 / 3) + payload.length);
    expect(sentBytes[0]).toBeLessThanOrEqual(reservedBytes);
  });
});
