import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type { IceParameters, Router, Transport, WebRtcTransport, Worker } from '../../../src/mediasoup/types.ts';
import { addIntegrity } from '../../../src/protocol/stun/message-integrity.ts';
import { StunAttribute } from '../../../src/protocol/stun/stun-attributes.ts';
import { BINDING_METHOD, parseStunMessage, StunClass } from '../../../src/protocol/stun/stun-message.ts';
import { StunWriter } from '../../../src/protocol/stun/stun-writer.ts';
import { corpusFolder } from '../../fuzz/bounded-run.ts';
import { mutate, Random } from '../../fuzz/mutator.ts';
import { reportOfProcess } from './measured-worker.ts';
import { MediaPath, opus } from './media-path.ts';

/** Datagrams sent to each transport. `MILLRACE_PACKET_SEED` gives other ones. */
const DATAGRAMS = 1500;
const SEED = Number(process.env['MILLRACE_PACKET_SEED'] ?? 1);
/** What is sent before the other end gets a turn. */
const BURST = 25;
const MAX_DATAGRAM_BYTES = 1400;
/** Streams that were found, associations, code that was compiled: bytes. */
const ALLOWED_GROWTH_BYTES = 10_000_000;

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const feedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }];
const vp8 = { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 } as const;

const corpus: readonly Uint8Array[] = ['rtp-packet', 'rtcp-packet', 'stun', 'dtls', 'sctp', 'srtp'].flatMap((name) =>
  readdirSync(corpusFolder(name)).map((file) => new Uint8Array(readFileSync(join(corpusFolder(name), file)))),
);

let worker: Worker;
const sockets: Socket[] = [];
let path: MediaPath | undefined;

afterEach(() => {
  worker.close();
  path?.close();
  for (const socket of sockets.splice(0)) socket.close();
});

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Garbage of one kind after another, some of it with the first bytes of media of a producer. */
async function throwGarbage(socket: Socket, port: number, random: Random): Promise<void> {
  for (let i = 0; i < DATAGRAMS; i++) {
    const bytes = mutate(corpus, random).subarray(0, MAX_DATAGRAM_BYTES);
    if (i % 3 === 0 && bytes.length >= 12) bytes.set([0x80 | (bytes[0]! & 0x1f), 96 + random.below(2), 0, i & 0xff]);
    if (i % 3 === 0 && bytes.length >= 12) bytes.set([0, 0, 3, 0xe8 + random.below(2)], 8);
    if (bytes.length > 0) socket.send(bytes, port, '127.0.0.1');
    if (i % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Has a socket become the peer of a WebRTC transport, as ICE has it. */
async function nominate(socket: Socket, port: number, { usernameFragment, password }: IceParameters): Promise<void> {
  const key = nodeStunCrypto.importKey(new TextEncoder().encode(password));
  const request = new StunWriter(StunClass.request, BINDING_METHOD, new Uint8Array(12).fill(7))
    .text(StunAttribute.username, `${usernameFragment}:peer`)
    .u32(StunAttribute.priority, 1)
    .attribute(StunAttribute.iceControlling, new Uint8Array(8))
    .flag(StunAttribute.useCandidate);
  const answered = once(socket, 'message') as Promise<[Uint8Array]>;
  socket.send(addIntegrity(request, 'sha1', key).fingerprint().finish(), port, '127.0.0.1');
  const [answer] = await answered;
  expect(parseStunMessage(answer)?.messageClass).toBe(StunClass.success);
}

/** A sender of video with RTX, and a viewer of it. */
async function fill(transport: Transport, router: Router): Promise<void> {
  const codecs = [
    { ...vp8, payloadType: 96, rtcpFeedback: feedback },
    { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
  ];
  const encodings = [{ ssrc: 1000, rtx: { ssrc: 1001 } }];
  const producer = await transport.produce({ kind: 'video', rtpParameters: { mid: 'v', codecs, encodings } });
  await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
  await transport.produceData({ sctpStreamParameters: { streamId: 1 } });
}

describe('a worker whose ports get anything', () => {
  it('throws nothing, takes no memory and serves on', { timeout: 60_000 }, async () => {
    worker = await createWorker({ inProcess: true, logLevel: 'none' });
    path = await MediaPath.open(worker);
    const router = await worker.createRouter({ mediaCodecs: [opus, vp8] });
    const server = await worker.createWebRtcServer({ listenInfos: [listenInfo, { ...listenInfo, protocol: 'tcp' }] });
    const random = new Random(SEED);
    const rounds = async (): Promise<void> => {
      const plain = await router.createPlainTransport({ listenInfo, comedia: true, enableSctp: true });
      const pipe = await router.createPipeTransport({ listenInfo, enableSctp: true, enableRtx: true });
      const webRtcs = await Promise.all(
        [{ webRtcServer: server }, { listenInfos: [listenInfo] }, { webRtcServer: server }].map((where) =>
          router.createWebRtcTransport({ ...where, enableSctp: true }),
        ),
      );
      const targets: { readonly transport: Transport; readonly port: number; readonly socket: Socket }[] = [];
      for (const transport of [plain, pipe]) {
        targets.push({ transport, port: transport.tuple.localPort, socket: await bound() });
      }
      for (const transport of webRtcs)
        targets.push({ transport, port: transport.iceCandidates[0]!.port, socket: await bound() });
      await pipe.connect({ ip: '127.0.0.1', port: targets[1]!.socket.address().port });
      for (const { transport } of targets) await fill(transport, router);
      // One knows its peer, another waits for DTLS, the third knows nothing.
      for (const [index, transport] of webRtcs.entries()) {
        const { socket, port } = targets[2 + index]!;
        if (index < 2) await nominate(socket, port, transport.iceParameters);
        if (index === 1) await waitForDtls(transport);
      }
      await Promise.all(targets.map(({ socket, port }) => throwGarbage(socket, port, random)));
      expect(webRtcs.map(({ iceState }) => iceState)).toEqual(['completed', 'completed', 'new']);
      await throwAtTcp((await server.dump()).tcpServers[0]!.port, random);
      for (const { transport } of targets) {
        const [stats] = await transport.getStats();
        await transport.dump();
        // What comes to WebRTC is nothing before it is deciphered; the path stays as it was agreed on.
        if (transport.type !== 'webrtc') expect(stats!.bytesReceived).toBeGreaterThan(0);
        transport.close();
      }
      for (const socket of sockets.splice(0)) socket.close();
    };
    await rounds();
    const before = await reportOfProcess(0);
    await rounds();
    await rounds();
    const after = await reportOfProcess(0);
    expect(after.heapBytes - before.heapBytes).toBeLessThan(ALLOWED_GROWTH_BYTES);
    expect(after.bufferBytes - before.bufferBytes).toBeLessThan(ALLOWED_GROWTH_BYTES);
    await path.flow(20, 10_000);
    const { channelMessageHandlers } = await worker.dump();
    const handlers = await path.router.dump();
    // Both routers, the server, and what the media goes over.
    expect(channelMessageHandlers.channelRequestHandlers).toHaveLength(3 + handlers.transportIds.length + 2);
  });
});

/** Tells a transport of a certificate nobody has. */
async function waitForDtls(transport: WebRtcTransport): Promise<void> {
  const value = Array.from({ length: 32 }, () => 'AB').join(':');
  await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] } });
}

/** Connections that say something broken, or leave in the middle of it. */
async function throwAtTcp(port: number, random: Random): Promise<void> {
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const socket = connect(port, '127.0.0.1');
      // Reset by the other end, mostly.
      socket.on('error', () => socket.destroy());
      await once(socket, 'connect');
      const bytes = mutate(corpus, random);
      socket.write(Uint8Array.of(bytes.length >>> 8, bytes.length & 0xff));
      socket.write(bytes.subarray(0, index % 2 === 0 ? bytes.length : bytes.length >>> 1));
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.destroy();
    }),
  );
}
