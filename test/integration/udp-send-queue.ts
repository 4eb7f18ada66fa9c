/**
 * Sends bursts through one memory faster than the interface takes them, and prints what came: see
 * `udp-send-queue.test.ts`.
 */
import type { DatagramProvider } from '../../src/io/datagram-socket.ts';
import { UdpSocket } from '../../src/io/udp-socket.ts';

/** What the sender had and the receiver got. */
export interface SendQueueResult {
  readonly provider: DatagramProvider;
  /** Numbers of packets in their order; −1: it was not as it was put. */
  readonly received: readonly number[];
  readonly dropped: number;
}

const BURSTS = 10;
const BURST_PACKETS = 50;
const PACKET_BYTES = 1200;
/** So long after the last packet nothing comes any more, milliseconds. */
const SILENCE_MS = 300;

const address = { host: '127.0.0.1', port: 0 };
const sender = await UdpSocket.open({ address, sendBufferBytes: 16_384 });
const receiver = await UdpSocket.open({ address });
const received: number[] = [];
let silence: NodeJS.Timeout | undefined;

async function end(): Promise<void> {
  const { provider, dropped } = sender;
  const result: SendQueueResult = { provider, received, dropped };
  process.stdout.write(JSON.stringify(result));
  await Promise.all([sender.close(), receiver.close()]);
}

receiver.onPacket = (bytes, start, end_) => {
  const number = new DataView(bytes.buffer, bytes.byteOffset + start).getUint32(0);
  const isWhole = bytes.subarray(start + 4, end_).every((byte) => byte === number % 251);
  received.push(isWhole && end_ - start === PACKET_BYTES ? number : -1);
  clearTimeout(silence);
  silence = setTimeout(() => void end(), SILENCE_MS);
};

const queue = sender.packetQueue();
const to = sender.target(receiver.address, receiver.port);
for (let number = 0; number < BURSTS * BURST_PACKETS; number++) {
  const at = queue.reserve(PACKET_BYTES);
  const { bytes } = queue;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, number);
  bytes.fill(number % 251, at + 4, at + PACKET_BYTES);
  queue.put(PACKET_BYTES, to);
  if (number % BURST_PACKETS === BURST_PACKETS - 1) queue.flush();
}
