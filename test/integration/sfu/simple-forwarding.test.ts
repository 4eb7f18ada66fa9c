import { describe, expect, it } from 'vitest';
import { parseVp8Descriptor, Vp8Descriptor } from '../../../src/protocol/rtp/layers/vp8-descriptor.ts';
import {
  isPictureLossIndication,
  readNack,
  writeNack,
  writePictureLossIndication,
} from '../../../src/protocol/rtp/rtcp-feedback.ts';
import type { RtcpPacket } from '../../../src/protocol/rtp/rtcp-packet.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { writeRtx } from '../../../src/protocol/rtp/rtx.ts';
import { FOUND_STREAM_INTERVAL_MS, MAX_FOUND_STREAMS } from '../../../src/sfu/producer.ts';
import type { DatagramTransport } from '../../../src/sfu/transports/datagram-transport.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import {
  connectedPair,
  type RtpPeer,
  type VirtualWorld,
  VP8_MAPPING,
  VP8_SENDER,
  VP8_VIEWER,
  vp8Packet,
} from './sfu-kit.ts';

function setUp(cname = 'somebody'): {
  world: VirtualWorld;
  from: DatagramTransport;
  sender: RtpPeer;
  viewer: RtpPeer;
  close: () => void;
} {
  const { world, router, sender, from, viewer, to } = connectedPair();
  from.produce({ id: 'p', kind: 'video', rtpParameters: VP8_SENDER, rtpMapping: VP8_MAPPING });
  to.consume('p', {
    id: 'c',
    kind: 'video',
    type: 'simple',
    rtpParameters: { ...VP8_VIEWER, rtcp: { ...VP8_VIEWER.rtcp, cname } },
    consumableRtpEncodings: [{ ssrc: 5000 }],
  });
  return { world, from, sender, viewer, close: () => router.close() };
}

/** Names that `peer` was told in sender reports' compounds. */
function namesTold({ rtcp }: RtpPeer): ReadonlySet<string> {
  const chunks = rtcp.flatMap((packet) => (packet.type === 'source-description' ? packet.chunks : []));
  return new Set(chunks.flatMap(({ items }) => items.map(({ text }) => text)));
}

const isPli = (packet: RtcpPacket): boolean => packet.type === 'payload-feedback' && isPictureLossIndication(packet);

describe('a simple consumer', () => {
  it.each([
    ['somebody', 'somebody'],
    ['a'.repeat(300), 'a'.repeat(255)],
    // Of three and four bytes each: a character is not cut.
    ['€'.repeat(200), '€'.repeat(85)],
    [`a${'𝄞'.repeat(100)}`, `a${'𝄞'.repeat(63)}`],
  ])('reports under the name its media was signalled with, as far as there is room: %s', (cname, told) => {
    const { world, sender, viewer } = setUp(cname);
    sender.send(vp8Packet({ sequenceNumber: 1, isKeyFrame: true }));
    world.run(2000);
    expect(namesTold(viewer)).toEqual(new Set([told]));
  });

  it('begins with a key frame, and asks for one', () => {
    const { sender, viewer } = setUp();
    sender.send(vp8Packet({ sequenceNumber: 1 }));
    sender.send(vp8Packet({ sequenceNumber: 2 }));
    expect(viewer.rtp).toHaveLength(0);
    expect(sender.rtcp.filter(isPli)).toHaveLength(1);
    sender.send(vp8Packet({ sequenceNumber: 3, isKeyFrame: true }));
    sender.send(vp8Packet({ sequenceNumber: 4 }));
    expect(viewer.rtp).toHaveLength(2);
  });

  it('gets the packets with its own SSRC, payload type, numbers without gap and header extension', () => {
    const { world, sender, viewer } = setUp();
    for (let i = 65_530; i < 65_550; i++) {
      sender.send(vp8Packet({ sequenceNumber: i & 0xffff, isKeyFrame: i === 65_530, timestamp: i * 3000 }));
      world.run(33);
    }
    expect(viewer.rtp).toHaveLength(20);
    const first = viewer.rtp[0]!;
    expect(viewer.rtp.map(({ sequenceNumber }) => (sequenceNumber - first.sequenceNumber) & 0xffff)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    for (const view of viewer.rtp) {
      expect([view.ssrc, view.payloadType, view.marker]).toEqual([7000, 101, true]);
      const mid = view.findElement(1);
      expect(view.bytes[mid]).toBe('7'.charCodeAt(0));
      expect(view.findElement(4)).toBeGreaterThan(0);
      expect(view.bytes[view.findElement(8)]).toBe(2);
      expect(view.findElement(9)).toBe(-1);
    }
    const descriptor = new Vp8Descriptor();
    const last = viewer.rtp.at(-1)!;
    expect(parseVp8Descriptor(last.bytes, last.payloadStart, last.payloadEnd, descriptor)).toBe(true);
    expect(descriptor.pictureId).toBe(65_549 & 0x7fff);
    expect(world.eventsOf('p', 'videoorientationchange')).toEqual([{ camera: false, flip: false, rotation: 180 }]);
  });

  it('has what was lost before the router asked for, and taken in from the RTX stream', () => {
    const { world, sender, viewer } = setUp();
    const packets = Array.from({ length: 10 }, (_, i) => vp8Packet({ sequenceNumber: 100 + i, isKeyFrame: i === 0 }));
    sender.onRtcp = (packet) => {
      if (packet.type !== 'transport-feedback') return;
      for (const number of readNack(packet) ?? []) {
        const view = new RtpPacketView();
        view.look(packets[number - 100]!);
        const out = new Uint8Array(2000);
        const end = writeRtx(view, { payloadType: 97, ssrc: 1001, sequenceNumber: number }, out, 0);
        sender.send(out.slice(0, end));
      }
    };
    for (const [i, packet] of packets.entries()) {
      if (i !== 4 && i !== 5) sender.send(packet.slice());
      world.run(5);
    }
    world.run(200);
    const first = viewer.rtp[0]!.sequenceNumber;
    expect(viewer.rtp.map(({ sequenceNumber }) => (sequenceNumber - first) & 0xffff).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => i),
    );
  });

  it('does not get a repair of what was not lost, and that counts as RTX', () => {
    const { from, sender, viewer } = setUp();
    const packet = vp8Packet({ sequenceNumber: 100, isKeyFrame: true });
    sender.send(packet.slice());
    const view = new RtpPacketView();
    view.look(packet);
    const out = new Uint8Array(2000);
    const end = writeRtx(view, { payloadType: 97, ssrc: 1001, sequenceNumber: 100 }, out, 0);
    sender.send(out.slice(0, end));
    expect(viewer.rtp).toHaveLength(1);
    expect(from.stats()[0]).toMatchObject({ rtpBytesReceived: packet.length, rtxBytesReceived: end });
  });

  it('is sent again what it asks for, once in a round trip, in its RTX stream', () => {
    const { world, sender, viewer } = setUp();
    const lost: number[] = [];
    viewer.loses = ({ ssrc, sequenceNumber, bytes, payloadEnd }) => {
      if (ssrc !== 7000 || bytes[payloadEnd - 1] !== 105) return false;
      lost.push(sequenceNumber);
      return true;
    };
    for (let i = 0; i < 10; i++) sender.send(vp8Packet({ sequenceNumber: 100 + i, isKeyFrame: i === 0 }));
    expect(lost).toHaveLength(1);
    for (let i = 0; i < 3; i++) {
      const out = new ByteWriter();
      writeNack({ senderSsrc: 1, mediaSsrc: 7000 }, lost, out);
      viewer.send(out.finish());
      world.run(10);
    }
    const repairs = viewer.rtp.filter(({ ssrc }) => ssrc === 7001);
    expect(repairs).toHaveLength(1);
    const [repair] = repairs;
    expect(repair!.payloadType).toBe(102);
    expect((repair!.bytes[repair!.payloadStart]! << 8) | repair!.bytes[repair!.payloadStart + 1]!).toBe(lost[0]);
    expect(repair!.bytes.subarray(repair!.payloadStart + 2, repair!.payloadStart + 4)).toEqual(
      Uint8Array.of(0x90, 0xe0),
    );
    expect(repair!.bytes[repair!.payloadEnd - 1]).toBe(105);
  });

  it('has key frames asked for when it asks, and reports go both ways', () => {
    const { world, sender, viewer, close } = setUp();
    for (let i = 0; i < 100; i++) {
      sender.send(vp8Packet({ sequenceNumber: i, isKeyFrame: i === 0 }));
      world.run(33);
    }
    const before = sender.rtcp.filter(isPli).length;
    const out = new ByteWriter();
    writePictureLossIndication({ senderSsrc: 1, mediaSsrc: 7000 }, out);
    viewer.send(out.finish());
    expect(sender.rtcp.filter(isPli)).toHaveLength(before + 1);
    const report = sender.rtcp.findLast(({ type }) => type === 'receiver-report');
    expect(report?.type === 'receiver-report' && report.reports[0]).toMatchObject({ ssrc: 1000, packetsLost: 0 });
    const sent = viewer.rtcp.findLast(({ type }) => type === 'sender-report');
    expect(sent).toMatchObject({ ssrc: 7000 });
    expect(viewer.rtcp.some(({ type }) => type === 'source-description')).toBe(true);
    close();
    expect(world.timers).toBe(0);
  });
});

it('a sender that begins anew again and again, under another SSRC each time, is taken, but not as often as it likes', () => {
  const { world, sender, from, viewer, to } = connectedPair();
  from.produce({
    id: 'p',
    kind: 'video',
    rtpParameters: { ...VP8_SENDER, encodings: [{}] },
    rtpMapping: { ...VP8_MAPPING, encodings: [{ mappedSsrc: 5000 }] },
  });
  const rtpParameters = VP8_VIEWER;
  to.consume('p', { id: 'c', kind: 'video', type: 'simple', rtpParameters, consumableRtpEncodings: [{ ssrc: 5000 }] });
  let ssrc = 10_000;
  /** @returns how many of so many beginnings came through */
  const begin = (times: number, everyMs: number): number => {
    const before = viewer.rtp.length;
    for (let i = 0; i < times; i++) {
      sender.send(vp8Packet({ sequenceNumber: 1, ssrc: ssrc++, isKeyFrame: true }));
      world.run(everyMs);
    }
    return viewer.rtp.length - before;
  };
  expect(begin(500, 0)).toBe(MAX_FOUND_STREAMS);
  world.run(FOUND_STREAM_INTERVAL_MS);
  expect(begin(500, 0)).toBe(1);
  world.run(FOUND_STREAM_INTERVAL_MS);
  expect(begin(300, FOUND_STREAM_INTERVAL_MS)).toBe(300);
  world.run(100 * FOUND_STREAM_INTERVAL_MS);
  expect(begin(500, 0)).toBe(MAX_FOUND_STREAMS);
});
