/** What transports throw away is in their dumps, by why. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type { Router, Worker } from '../../../src/mediasoup/types.ts';
import { writeNack } from '../../../src/protocol/rtp/rtcp-feedback.ts';
import { type DroppedPackets, noDrops } from '../../../src/sfu/transports/dropped-packets.ts';
import type { Transport } from '../../../src/sfu/transports/transport.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { RawPeer } from '../webrtc/raw-peer.ts';
import {
  connectedPair,
  plainTransport,
  TestQueue,
  VP8_MAPPING,
  VP8_SENDER,
  VP8_VIEWER,
  virtualRouter,
  vp8Packet,
} from './sfu-kit.ts';

const IP = '127.0.0.1';
const listenInfo = { protocol: 'udp', ip: IP } as const;
const packet = vp8Packet({ sequenceNumber: 1, isKeyFrame: true });

function dropsOf(transport: Transport): DroppedPackets {
  return (transport.dump() as { readonly dropped: DroppedPackets }).dropped;
}

describe('a transport counts', () => {
  it.each<[string, Uint8Array, Partial<DroppedPackets>]>([
    ['RTP nobody has named', packet, { unclaimedPackets: 1 }],
    ['RTP that is cut short', packet.subarray(0, 11), { malformed: 1 }],
    ['RTCP that is cut short', Uint8Array.of(0x80, 201, 0, 9, 0, 0, 0, 1), { malformed: 1 }],
    ['SCTP where it has none', new Uint8Array(32), { malformed: 1 }],
  ])('%s', (_, bytes, expected) => {
    const { sender, from, to } = connectedPair();
    sender.send(bytes.slice());
    expect(dropsOf(from)).toEqual({ ...noDrops(), ...expected });
    expect(dropsOf(to)).toEqual(noDrops());
  });

  it('what comes from elsewhere than its peer', () => {
    const { from } = connectedPair();
    from.receiveDatagram(packet.slice(), 0, packet.length, { address: '192.0.2.1', port: 5006 }, false);
    expect(dropsOf(from)).toEqual({ ...noDrops(), foreign: 1 });
  });

  it('what is not under its keys', () => {
    const suite = 'AES_CM_128_HMAC_SHA1_80';
    const { peer, transport } = plainTransport(virtualRouter().router, 'from', { srtpCryptoSuite: suite });
    const keyBase64 = Buffer.alloc(30, 7).toString('base64');
    transport.connect({ ip: '192.0.2.1', port: 5004, srtpParameters: { cryptoSuite: suite, keyBase64 } });
    peer.send(packet.slice());
    expect(dropsOf(transport)).toEqual({ ...noDrops(), unauthentic: 1 });
  });

  it('requests for more than was sent', () => {
    const { viewer, from, to, sender } = connectedPair();
    from.produce({ id: 'p', kind: 'video', rtpParameters: VP8_SENDER, rtpMapping: VP8_MAPPING });
    const type = 'simple';
    to.consume('p', {
      id: 'c',
      kind: 'video',
      type,
      rtpParameters: VP8_VIEWER,
      consumableRtpEncodings: [{ ssrc: 5000 }],
    });
    sender.send(packet.slice());
    const nack = new ByteWriter();
    const numbers = Array.from({ length: 4000 }, (_, i) => i);
    writeNack({ senderSsrc: 1, mediaSsrc: 7000 }, numbers, nack);
    for (let i = 0; i < 20; i++) viewer.send(nack.finish().slice());
    const { excessiveFeedback, ...others } = dropsOf(to);
    expect(excessiveFeedback).toBeGreaterThan(10);
    expect(others).toEqual(Object.fromEntries(Object.keys(others).map((reason) => [reason, 0])));
  });

  it('what it has no way to send, and what its socket has no room for', () => {
    const { router, from, sender } = connectedPair();
    from.produce({ id: 'p', kind: 'video', rtpParameters: VP8_SENDER, rtpMapping: VP8_MAPPING });
    const queue = new TestQueue(() => undefined);
    queue.reserve = () => -1;
    const socket = {
      address: IP,
      port: 40_000,
      queue,
      unsent: 3,
      target: () => sender.address,
      close: () => undefined,
    };
    const { transport } = plainTransport(router, 'full', { socket });
    transport.connect({ ip: IP, port: 5004 });
    const consumableRtpEncodings = [{ ssrc: 5000 }];
    const options = { id: 'c', kind: 'video', type: 'simple', consumableRtpEncodings } as const;
    transport.consume('p', { ...options, rtpParameters: VP8_VIEWER });
    sender.send(packet.slice());
    expect(dropsOf(transport)).toEqual({ ...noDrops(), unsendable: 1, overflowed: 3 });
  });
});

describe('a worker shows', () => {
  let worker: Worker;
  let router: Router;

  beforeAll(async () => {
    worker = await createWorker({ inProcess: true });
    router = await worker.createRouter({ mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }] });
  });

  afterAll(() => worker.close());

  it('what the kernel refused to send', async () => {
    const transport = await router.createPlainTransport({ listenInfo });
    // Nobody gets there from the loopback.
    await transport.connect({ ip: '192.0.2.1', port: 5004 });
    const direct = await router.createDirectTransport();
    const codec = { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 };
    const rtpParameters = { codecs: [codec], encodings: [{ ssrc: 1000 }] };
    const producer = await direct.produce({ kind: 'video', rtpParameters });
    await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
    producer.send(Buffer.from(packet));
    await expect.poll(async () => (await transport.dump()).dropped.overflowed).toBeGreaterThan(0);
  });

  it('messages on a stream nobody has', async () => {
    const [one, other] = [
      await router.createPlainTransport({ listenInfo, enableSctp: true }),
      await router.createPlainTransport({ listenInfo, enableSctp: true }),
    ];
    await one.connect({ ip: IP, port: other.tuple.localPort });
    await other.connect({ ip: IP, port: one.tuple.localPort });
    await expect.poll(() => [one.sctpState, other.sctpState]).toEqual(['connected', 'connected']);
    const dataProducer = await (await router.createDirectTransport()).produceData({ label: 'x' });
    await one.consumeData({ dataProducerId: dataProducer.id });
    dataProducer.send('nobody listens');
    await expect.poll(async () => (await other.dump()).dropped).toEqual({ ...noDrops(), unclaimedMessages: 1 });
  });

  it.each([
    ['its own port', false],
    ['the port of a server', true],
  ])('what a WebRTC transport on %s has not taken', async (_, isShared) => {
    const server = isShared ? await worker.createWebRtcServer({ listenInfos: [listenInfo] }) : undefined;
    const transport = await router.createWebRtcTransport(
      server === undefined ? { listenInfos: [listenInfo] } : { webRtcServer: server },
    );
    const { port } = transport.iceCandidates[0]!;
    const stranger = createSocket('udp4').bind(0, IP);
    await once(stranger, 'listening');
    stranger.send(packet, port, IP);
    const peer = await RawPeer.open(port);
    await peer.check(transport.iceParameters);
    // Before there are keys; and of no protocol.
    peer.send(packet);
    peer.send(Uint8Array.of(0x50, 1, 2, 3));
    const ofTransport = { ...noDrops(), foreign: isShared ? 0 : 1, unauthentic: 1, malformed: 1 };
    await expect.poll(async () => (await transport.dump()).dropped).toEqual(ofTransport);
    if (server !== undefined) expect((await server.dump()).dropped).toEqual({ foreign: 1, overflowed: 0 });
    stranger.close();
    await peer.close();
  });
});
