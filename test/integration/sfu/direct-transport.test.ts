/** Media and reports that an application sends and gets itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type { Consumer, DirectTransport, Producer, Router, Worker } from '../../../src/mediasoup/types.ts';
import {
  isPictureLossIndication,
  readNack,
  writeNack,
  writePictureLossIndication,
} from '../../../src/protocol/rtp/rtcp-feedback.ts';
import { parseRtcp, type RtcpPacket } from '../../../src/protocol/rtp/rtcp-packet.ts';
import { writeSenderReport } from '../../../src/protocol/rtp/rtcp-report.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { VP8_SENDER, vp8Packet } from './sfu-kit.ts';

let worker: Worker;
let router: Router;
let sender: DirectTransport;
let viewer: DirectTransport;
let producer: Producer;
let consumer: Consumer;
/** What each side is told by RTCP. */
let toSender: RtcpPacket[];
let toViewer: RtcpPacket[];
let received: RtpPacketView[];

beforeAll(async () => {
  worker = await createWorker();
}, 60_000);

afterAll(() => worker.close());

beforeEach(async () => {
  router = await worker.createRouter({ mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }] });
  [sender, viewer] = await Promise.all([router.createDirectTransport(), router.createDirectTransport()]);
  [toSender, toViewer, received] = [[], [], []];
  sender.on('rtcp', (compound) => toSender.push(...parseRtcp(compound, { reducedSize: true }).packets));
  viewer.on('rtcp', (compound) => toViewer.push(...parseRtcp(compound, { reducedSize: true }).packets));
  producer = await sender.produce({ kind: 'video', rtpParameters: VP8_SENDER as never });
  consumer = await viewer.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
  consumer.on('rtp', (packet) => {
    const view = new RtpPacketView();
    if (view.look(packet)) received.push(view);
  });
  return () => router.close();
});

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new RangeError('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function send(sequenceNumber: number, isKeyFrame = false): void {
  producer.send(Buffer.from(vp8Packet({ sequenceNumber, isKeyFrame })));
}

function rtcp(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter();
  write(out);
  return Buffer.from(out.finish());
}

const isPli = (packet: RtcpPacket): boolean => packet.type === 'payload-feedback' && isPictureLossIndication(packet);

describe('a direct transport', () => {
  it('hands on what is sent, with the SSRC and payload type of its consumer', async () => {
    for (let i = 0; i < 50; i++) send(i, i === 0);
    await until(() => received.length === 50);
    const { codecs, encodings } = consumer.rtpParameters;
    const first = received[0]!.sequenceNumber;
    for (const [i, view] of received.entries()) {
      expect([view.ssrc, view.payloadType]).toEqual([encodings![0]!.ssrc, codecs[0]!.payloadType]);
      expect([(view.sequenceNumber - first) & 0xffff, view.timestamp]).toEqual([i, 3000 * i]);
      expect(view.bytes[view.payloadEnd - 1]).toBe(i);
    }
    const [stats] = await sender.getStats();
    expect(stats!.type).toBe('direct-transport');
    expect(stats!.rtpBytesReceived).toBe(50 * vp8Packet({ sequenceNumber: 0 }).length);
    expect((await viewer.getStats())[0]!.rtpBytesSent).toBeGreaterThan(50 * 100);
  });

  it('asks its sender for key frames and for what is missing, and hands on what the viewer asks for', async () => {
    send(0, true);
    for (const i of [1, 2, 4, 5]) send(i);
    await until(() => toSender.some((packet) => packet.type === 'transport-feedback'));
    const nack = toSender.find((packet) => packet.type === 'transport-feedback')!;
    expect(nack.type === 'transport-feedback' && readNack(nack)).toEqual([3]);
    send(3);
    await until(() => received.length === 6);
    const ssrc = consumer.rtpParameters.encodings![0]!.ssrc!;
    const before = toSender.filter(isPli).length;
    viewer.sendRtcp(rtcp((out) => writePictureLossIndication({ senderSsrc: 1, mediaSsrc: ssrc }, out)));
    await until(() => toSender.filter(isPli).length > before);
    const { sequenceNumber, timestamp } = received[1]!;
    viewer.sendRtcp(rtcp((out) => writeNack({ senderSsrc: 1, mediaSsrc: ssrc }, [sequenceNumber], out)));
    await until(() => received.some((view) => view.ssrc !== ssrc));
    const repair = received.at(-1)!;
    expect(repair.ssrc).toBe(consumer.rtpParameters.encodings![0]!.rtx!.ssrc);
    expect(repair.timestamp).toBe(timestamp);
    expect((await consumer.getStats())[0]).toMatchObject({ pliCount: 1, nackCount: 1, packetsRetransmitted: 1 });
  });

  it('takes its sender reports, and gives reports to both', async () => {
    send(0, true);
    await producer.enableTraceEvent(['sr']);
    const traced: unknown[] = [];
    producer.on('trace', ({ type, info }) => traced.push([type, info]));
    const clock = { ntpSeconds: 3_900_000_000, ntpFraction: 5, rtpTimestamp: 77 };
    const report = {
      type: 'sender-report',
      ssrc: 1000,
      ...clock,
      packetCount: 1,
      octetCount: 100,
      reports: [],
    } as const;
    sender.sendRtcp(rtcp((out) => writeSenderReport(report, out)));
    await until(
      () => traced.length === 1 && toViewer.length > 0 && toSender.some(({ type }) => type === 'receiver-report'),
    );
    expect(traced[0]).toMatchObject(['sr', { ssrc: 1000, ntpSec: 3_900_000_000, rtpTs: 77, packetCount: 1 }]);
    expect(toViewer[0]).toMatchObject({ type: 'sender-report', ssrc: consumer.rtpParameters.encodings![0]!.ssrc });
    const back = toSender.find(({ type }) => type === 'receiver-report');
    expect(back?.type === 'receiver-report' && back.reports[0]).toMatchObject({ ssrc: 1000, packetsLost: 0 });
  });

  it('drops what is neither RTP nor RTCP, and lives', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(11, 0x80), Buffer.alloc(65_536, 0xff), Buffer.from('GET /')]) {
      producer.send(bytes);
      sender.sendRtcp(bytes);
    }
    send(0, true);
    await until(() => received.length === 1);
    expect((await producer.getStats())[0]).toMatchObject({ packetCount: 1 });
  });

  it('has none of it any more once it is closed', async () => {
    send(0, true);
    await until(() => received.length === 1);
    viewer.close();
    send(1);
    send(2, true);
    expect((await producer.getStats())[0]).toMatchObject({ packetCount: 3 });
    expect(received).toHaveLength(1);
  });
});
