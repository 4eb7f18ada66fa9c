import { afterEach, describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { nodeSctpCrypto } from '../../../src/io/sctp-crypto.ts';
import { createWorker } from '../../../src/mediasoup/index.ts';
import { createSelfSignedCertificate } from '../../../src/protocol/dtls/self-signed-certificate.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { type ClientTransport, WebRtcClient } from '../../../src/server/webrtc/webrtc-client.ts';
import { VP8_SENDER, vp8Packet } from './sfu-kit.ts';

type Worker = Awaited<ReturnType<typeof createWorker>>;
type Router = Awaited<ReturnType<Worker['createRouter']>>;
type Transport = Awaited<ReturnType<Router['createWebRtcTransport']>>;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new RangeError('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function connect(
  transport: Transport,
  kind: ClientTransport,
  received: { readonly rtp: RtpPacketView[]; readonly messages: { streamId: number; text: string }[] },
): Promise<WebRtcClient> {
  const certificate = createSelfSignedCertificate({ crypto: nodeDtlsCrypto, wallClockMs: Date.now() });
  const client = await WebRtcClient.open({
    role: 'controlling',
    addresses: ['127.0.0.1'],
    transports: [kind],
    certificate,
    sctp: { crypto: nodeSctpCrypto },
    handlers: {
      onRtp: (bytes, end) => {
        const view = new RtpPacketView();
        if (view.look(bytes.slice(0, end))) received.rtp.push(view);
      },
      onSctp: (event) => {
        if (event.type === 'message') {
          received.messages.push({ streamId: event.streamId, text: new TextDecoder().decode(event.bytes) });
        }
      },
    },
  });
  closing.push(() => client.close());
  client.setRemoteIce(transport.iceParameters);
  for (const { foundation, priority, address, port, protocol } of transport.iceCandidates) {
    const tcp = protocol === 'tcp' ? { tcpType: 'passive' as const } : {};
    client.addRemoteCandidate({
      foundation,
      component: 1,
      transport: protocol,
      priority,
      address,
      port,
      type: 'host',
      ...tcp,
    });
  }
  client.endOfRemoteCandidates();
  const { algorithm, value } = certificate.fingerprint('sha-256');
  const text = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  await transport.connect({
    dtlsParameters: { role: 'client', fingerprints: [{ algorithm: algorithm as 'sha-256', value: text }] },
  });
  const [fingerprint] = transport.dtlsParameters.fingerprints;
  const bytes = Uint8Array.from(fingerprint!.value.split(':'), (byte) => Number.parseInt(byte, 16));
  client.session.connect('client', [{ algorithm: fingerprint!.algorithm, value: bytes }]);
  await until(() => transport.dtlsState === 'connected' && transport.sctpState === 'connected');
  return client;
}

function newReceived(): { rtp: RtpPacketView[]; messages: { streamId: number; text: string }[] } {
  return { rtp: [], messages: [] };
}

function send(client: WebRtcClient, packet: Uint8Array): void {
  const bytes = new Uint8Array(packet.length + 32);
  bytes.set(packet);
  expect(client.session.sendRtp(bytes, packet.length)).toBe(true);
}

describe.each<[string, boolean, ClientTransport]>([
  ['its own UDP port', false, 'udp'],
  ['its own TCP port', false, 'tcp-active'],
  ['the ports of a server over UDP', true, 'udp'],
  ['the ports of a server over TCP', true, 'tcp-active'],
])('WebRTC transports on %s', (_, isShared, kind) => {
  it('carry media and data from one peer to another', async () => {
    const worker = await createWorker({ inProcess: true });
    closing.push(() => worker.close());
    const router = await worker.createRouter({
      mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }],
    });
    const listenInfos = [
      { protocol: 'udp', ip: '127.0.0.1' },
      { protocol: 'tcp', ip: '127.0.0.1' },
    ] as const;
    const webRtcServer = isShared ? await worker.createWebRtcServer({ listenInfos: [...listenInfos] }) : undefined;
    const open = (): Promise<Transport> =>
      router.createWebRtcTransport({
        ...(webRtcServer === undefined ? { listenInfos: [...listenInfos] } : { webRtcServer }),
        enableUdp: true,
        enableTcp: true,
        enableSctp: true,
      } as Parameters<Router['createWebRtcTransport']>[0]);
    const [from, to] = [await open(), await open()];
    const [sent, received] = [newReceived(), newReceived()];
    const sender = await connect(from, kind, sent);
    const receiver = await connect(to, kind, received);
    expect(from.iceSelectedTuple?.protocol).toBe(kind === 'udp' ? 'udp' : 'tcp');
    const producer = await from.produce({ kind: 'video', rtpParameters: structuredClone(VP8_SENDER) as never });
    const consumer = await to.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
    for (let i = 0; i < 50; i++) send(sender, vp8Packet({ sequenceNumber: i, isKeyFrame: i === 0 }));
    await until(() => received.rtp.length >= 50);
    expect(received.rtp[0]!.ssrc).toBe(consumer.rtpParameters.encodings![0]!.ssrc);
    const dataProducer = await from.produceData({ sctpStreamParameters: { streamId: 3 }, label: 'chat' });
    const dataConsumer = await to.consumeData({ dataProducerId: dataProducer.id });
    const text = 'x'.repeat(100_000);
    sender.session.withSctp((association, nowMs) =>
      association.sendMessage(3, 51, new TextEncoder().encode(text), {}, nowMs),
    );
    await until(() => received.messages.length > 0);
    expect(received.messages).toEqual([{ streamId: dataConsumer.sctpStreamParameters!.streamId, text }]);
    await until(() => to.iceState === 'completed');
    const [stats] = await to.getStats();
    expect(stats).toMatchObject({ type: 'webrtc-transport', iceState: 'completed', dtlsState: 'connected' });
    expect((await producer.getStats())[0]).toMatchObject({
      type: 'inbound-rtp',
      packetCount: 50,
      mimeType: 'video/VP8',
    });
    expect((await consumer.getStats()).map(({ type }) => type)).toEqual(['outbound-rtp', 'inbound-rtp']);
    expect(receiver.session.selectedTuple?.remotePort).toBe(
      to.iceCandidates.find((one) => one.protocol === from.iceSelectedTuple?.protocol)?.port,
    );
    if (webRtcServer !== undefined) {
      expect((await webRtcServer.dump()).webRtcTransportIds).toEqual([from.id, to.id]);
      webRtcServer.close();
      expect(from.closed).toBe(true);
    }
  });
});

it('what a connection of TCP has no room for is dropped, and shown', async () => {
  const worker = await createWorker({ inProcess: true });
  closing.push(() => worker.close());
  const router = await worker.createRouter({
    mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }],
  });
  const transport = await router.createWebRtcTransport({
    listenInfos: [{ protocol: 'tcp', ip: '127.0.0.1' }],
    enableSctp: true,
  });
  const received = newReceived();
  await connect(transport, 'tcp-active', received);
  const direct = await router.createDirectTransport();
  const producer = await direct.produce({ kind: 'video', rtpParameters: structuredClone(VP8_SENDER) as never });
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
  // All of them in one turn: the connection takes what the kernel and its buffer hold.
  const payloadBytes = 10_000;
  for (let i = 0; i < 2000; i++) {
    producer.send(Buffer.from(vp8Packet({ sequenceNumber: i, isKeyFrame: i === 0, payloadBytes })));
  }
  await expect.poll(async () => (await transport.dump()).dropped.overflowed).toBeGreaterThan(0);
  // Every packet came, or was counted; with some probes and reports among the latter.
  const { ssrc } = consumer.rtpParameters.encodings![0]!;
  const accounted = async (): Promise<number> =>
    received.rtp.filter((view) => view.ssrc === ssrc).length + (await transport.dump()).dropped.overflowed;
  await expect.poll(accounted).toBeGreaterThanOrEqual(2000);
  expect(await accounted()).toBeLessThan(2100);
});
