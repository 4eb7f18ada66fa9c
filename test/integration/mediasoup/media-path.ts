/** Media through a worker: packets of a socket here to a router, and back to another socket here. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Router, Worker } from '../../../src/mediasoup/types.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';

const PAYLOAD_TYPE = 100;
const SSRC = 1234;
/** One packet each so many milliseconds. */
const PACKET_MS = 5;

export const opus = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 } as const;

export class MediaPath {
  readonly router: Router;
  sent = 0;
  received = 0;
  /** Longest time between two packets that came, milliseconds, since it was set to 0. */
  longestGapMs = 0;
  readonly #sender: Socket;
  readonly #receiver: Socket;
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();

  private constructor(router: Router, sender: Socket, receiver: Socket, port: number) {
    this.router = router;
    this.#sender = sender;
    this.#receiver = receiver;
    receiver.on('message', (bytes) => {
      // Reports come, too.
      if ((bytes[1]! & 0x7f) !== PAYLOAD_TYPE) return;
      const nowMs = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      this.received++;
    });
    this.#timer = setInterval(() => sender.send(packet(this.sent++), port, '127.0.0.1'), PACKET_MS);
  }

  /** A router with a producer and a consumer of it; packets flow from then on. */
  static async open(worker: Worker): Promise<MediaPath> {
    const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
    const router = await worker.createRouter({ mediaCodecs: [{ ...opus, preferredPayloadType: PAYLOAD_TYPE }] });
    const [sender, receiver] = [await bound(), await bound()];
    const into = await router.createPlainTransport({ listenInfo, comedia: true });
    const producer = await into.produce({
      kind: 'audio',
      rtpParameters: { codecs: [{ ...opus, payloadType: PAYLOAD_TYPE }], encodings: [{ ssrc: SSRC }] },
    });
    const out = await router.createPlainTransport({ listenInfo });
    await out.connect({ ip: '127.0.0.1', port: receiver.address().port });
    await out.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
    return new MediaPath(router, sender, receiver, into.tuple.localPort);
  }

  /** Waits for so many more packets. */
  async flow(packets: number, limitMs: number): Promise<void> {
    const [wanted, endMs] = [this.received + packets, performance.now() + limitMs];
    while (this.received < wanted) {
      if (performance.now() > endMs) throw new RangeError(`${wanted - this.received} packets are missing`);
      await new Promise((resolve) => setTimeout(resolve, PACKET_MS));
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#sender.close();
    this.#receiver.close();
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

function packet(index: number): Uint8Array {
  const fields = {
    marker: false,
    payloadType: PAYLOAD_TYPE,
    sequenceNumber: index & 0xffff,
    timestamp: (index * 240) >>> 0,
    ssrc: SSRC,
    payload: new Uint8Array(80).fill(index),
  };
  const bytes = new Uint8Array(rtpPacketSize(fields));
  writeRtpPacket(fields, bytes);
  return bytes;
}
