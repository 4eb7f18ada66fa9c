import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { ResourceError } from '../../wire/errors.ts';
import { toDatagramTarget } from '../datagram-address.ts';
import { InterleavedBatch } from '../datagram-batch.ts';
import { DatagramQueue } from '../datagram-queue.ts';
import type { DatagramErrorCode } from '../datagram-socket.ts';
import { datagramSources } from '../datagram-sources.ts';
import { LinuxDatagramReceiver } from './linux-datagram-receiver.ts';
import { LinuxDatagramSender } from './linux-datagram-sender.ts';
import { LinuxQueueSender } from './linux-queue-sender.ts';
import { loadLinuxSocketCalls } from './linux-socket-calls.ts';

/** How long the self-test waits for its packets on the loopback interface, milliseconds. */
const SELF_TEST_MS = 1000;
/** Sizes of its packets: a run with a short end, a growing size, and one packet alone. */
const SELF_TEST_SIZES: readonly number[] = [500, 500, 500, 123, 700, 1, 1, 900];

/** How many packets are sent and received with one system call; all of it is there, or nothing. */
export interface FastDatagrams {
  /** Sends batches to one target. Undefined: `node:dgram` sends each packet. */
  readonly sender: LinuxDatagramSender | undefined;
  readonly receiver: LinuxDatagramReceiver | undefined;
  /** Makes what sends a queue's packets, with the memory they are written into. */
  readonly createQueueSender: (() => LinuxQueueSender) | undefined;
  /** Why there is nothing, for logs; undefined when there is. */
  readonly reason: string | undefined;
}

let probed: Promise<FastDatagrams> | undefined;

/** Looks once for what works here. `MILLRACE_FFI=off` in the environment says not to look. Never rejects. */
export function fastDatagrams(): Promise<FastDatagrams> {
  probed ??= probe();
  return probed;
}

async function probe(): Promise<FastDatagrams> {
  if (process.env['MILLRACE_FFI'] === 'off') return without('MILLRACE_FFI=off');
  try {
    const calls = loadLinuxSocketCalls();
    const sender = new LinuxDatagramSender(calls);
    const receiver = new LinuxDatagramReceiver(calls, datagramSources);
    const createQueueSender = (): LinuxQueueSender => new LinuxQueueSender(calls);
    await selfTest(sender, createQueueSender(), receiver);
    return { sender, receiver, createQueueSender, reason: undefined };
  } catch (error) {
    return without((error as Error).message);
  }
}

function without(reason: string): FastDatagrams {
  return { sender: undefined, receiver: undefined, createQueueSender: undefined, reason };
}

/**
 * Number of the open socket behind `socket`, which stays its owner: good until it is closed. Node has no public name for
 * it; undefined when it is not where it has been so far.
 */
export function fileDescriptorOf(socket: Socket): number | undefined {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  if (key === undefined) return undefined;
  const state = (socket as unknown as Record<symbol, { readonly handle?: { readonly fd?: unknown } } | undefined>)[key];
  const fd = state?.handle?.fd;
  return typeof fd === 'number' && fd > 2 ? fd : undefined;
}

/**
 * Sends packets to itself in both ways, receives them, and compares them.
 * @throws ResourceError when one is missing or altered
 */
async function selfTest(
  sender: LinuxDatagramSender,
  queueSender: LinuxQueueSender,
  receiver: LinuxDatagramReceiver,
): Promise<void> {
  const batch = selfTestBatch();
  const expected = batch.offsets.map((start, i) => batch.bytes.subarray(start, start + batch.sizes[i]!));
  const socket = createSocket('udp4');
  const packets: Uint8Array[] = [];
  let fastPackets = 0;
  socket.on('message', (packet) => {
    packets.push(packet);
    const fileDescriptor = fileDescriptorOf(socket);
    if (fileDescriptor === undefined) return;
    const count = receiver.receive(fileDescriptor);
    fastPackets += count;
    for (let i = 0; i < count; i++) {
      if (receiver.source(i)?.port !== socket.address().port || receiver.isTruncated(i)) continue;
      packets.push(receiver.bytes.slice(receiver.start(i), receiver.end(i)));
    }
  });
  try {
    const signal = AbortSignal.timeout(SELF_TEST_MS);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening', { signal });
    const fileDescriptor = fileDescriptorOf(socket);
    if (fileDescriptor === undefined) throw failed('the socket has no file descriptor to be found');
    const target = toDatagramTarget(4, '127.0.0.1', socket.address().port);
    const queue = new DatagramQueue(queueSender.arena, (queued) => queueSender.send(fileDescriptor, queued));
    // The second time from what was kept of the first, the third time through a queue.
    for (let round = 0; round < 3; round++) {
      if (round < 2) {
        const end = sender.send(fileDescriptor, batch, 0, target);
        if (end < expected.length || sender.failedPackets > 0) throw failed('the kernel refused packets');
      } else {
        for (const packet of expected) {
          const at = queue.reserve(packet.length);
          queue.bytes.set(packet, at);
          queue.put(packet.length, target);
        }
        queue.flush();
        if (queueSender.sentPackets < expected.length) throw failed('the kernel refused packets of a queue');
      }
      while (packets.length < expected.length) await once(socket, 'message', { signal });
      for (const packet of expected) {
        const received = packets.shift();
        if (received === undefined || Buffer.compare(received, packet) !== 0) throw failed('a packet was altered');
      }
    }
    if (fastPackets === 0) throw failed('recvmmsg received nothing');
  } finally {
    socket.close();
  }
}

/** The packets of the self-test. */
function selfTestBatch(): InterleavedBatch {
  const bytes = new Uint8Array(SELF_TEST_SIZES.reduce((sum, sizeBytes) => sum + 4 + sizeBytes, 0));
  let at = 0;
  for (const [i, sizeBytes] of SELF_TEST_SIZES.entries()) {
    bytes.set([0x24, 0, sizeBytes >>> 8, sizeBytes & 0xff], at);
    bytes.fill(i + 1, at + 4, at + 4 + sizeBytes);
    at += 4 + sizeBytes;
  }
  return new InterleavedBatch(bytes, 0);
}

function failed(what: string): ResourceError {
  return new ResourceError(
    'datagram/failed' satisfies DatagramErrorCode,
    `sendmmsg and recvmmsg failed their self-test: ${what}`,
  );
}
