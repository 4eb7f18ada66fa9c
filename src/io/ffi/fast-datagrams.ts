import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { ResourceError } from '../../wire/errors.ts';
import { toDatagramTarget } from '../datagram-address.ts';
import { InterleavedBatch } from '../datagram-batch.ts';
import type { DatagramErrorCode } from '../datagram-socket.ts';
import { LinuxDatagramSender } from './linux-datagram-sender.ts';

/** How long the self-test waits for its packets on the loopback interface, milliseconds. */
const SELF_TEST_MS = 1000;
/** Sizes of its packets: a run with a short end, a growing size, and one packet alone. */
const SELF_TEST_SIZES: readonly number[] = [500, 500, 500, 123, 700, 1, 1, 900];

/** Whether packets can be sent many at a time. */
export interface FastDatagrams {
  /** Undefined: `node:dgram` sends each packet. */
  readonly sender: LinuxDatagramSender | undefined;
  /** Why there is no sender, for logs; undefined when there is one. */
  readonly reason: string | undefined;
}

let probed: Promise<FastDatagrams> | undefined;

/** Looks once for a sender that works here. `MILLRACE_FFI=off` in the environment says not to look. Never rejects. */
export function fastDatagrams(): Promise<FastDatagrams> {
  probed ??= probe();
  return probed;
}

async function probe(): Promise<FastDatagrams> {
  if (process.env['MILLRACE_FFI'] === 'off') return { sender: undefined, reason: 'MILLRACE_FFI=off' };
  try {
    const sender = LinuxDatagramSender.load();
    await selfTest(sender);
    return { sender, reason: undefined };
  } catch (error) {
    return { sender: undefined, reason: (error as Error).message };
  }
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
 * Sends packets to itself and compares them.
 * @throws ResourceError when one is missing or altered
 */
async function selfTest(sender: LinuxDatagramSender): Promise<void> {
  const bytes = new Uint8Array(SELF_TEST_SIZES.reduce((sum, sizeBytes) => sum + 4 + sizeBytes, 0));
  let at = 0;
  for (const [i, sizeBytes] of SELF_TEST_SIZES.entries()) {
    bytes.set([0x24, 0, sizeBytes >>> 8, sizeBytes & 0xff], at);
    bytes.fill(i + 1, at + 4, at + 4 + sizeBytes);
    at += 4 + sizeBytes;
  }
  const batch = new InterleavedBatch(bytes, 0);
  const expected = batch.offsets.map((start, i) => bytes.subarray(start, start + batch.sizes[i]!));
  const socket = createSocket('udp4');
  const packets: Buffer[] = [];
  socket.on('message', (packet) => packets.push(packet));
  try {
    const signal = AbortSignal.timeout(SELF_TEST_MS);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening', { signal });
    const fileDescriptor = fileDescriptorOf(socket);
    if (fileDescriptor === undefined) throw failed('the socket has no file descriptor to be found');
    const target = toDatagramTarget(4, '127.0.0.1', socket.address().port);
    // Twice: the second time from what was kept of the first.
    for (let round = 0; round < 2; round++) {
      const end = sender.send(fileDescriptor, batch, 0, target);
      if (end < expected.length || sender.failedPackets > 0) throw failed('the kernel refused packets');
      while (packets.length < expected.length) await once(socket, 'message', { signal });
      for (const packet of expected) {
        if (packets.shift()?.equals(packet) !== true) throw failed('a packet was altered');
      }
    }
  } finally {
    socket.close();
  }
}

function failed(what: string): ResourceError {
  return new ResourceError('datagram/failed' satisfies DatagramErrorCode, `sendmmsg failed its self-test: ${what}`);
}
