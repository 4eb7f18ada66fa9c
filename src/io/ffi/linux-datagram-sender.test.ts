import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toDatagramTarget } from '../datagram-address.ts';
import { InterleavedBatch } from '../datagram-batch.ts';
import { DatagramQueue } from '../datagram-queue.ts';
import type { DatagramTarget } from '../datagram-socket.ts';
import { LinuxDatagramSender, type SendingKernel } from './linux-datagram-sender.ts';
import { LinuxQueueSender } from './linux-queue-sender.ts';

const EINTR = 4;
const EIO = 5;
const EAGAIN = 11;
const EPERM = 1;
const EINVAL = 22;
const ENOBUFS = 105;

interface SentMessage {
  readonly name: string;
  readonly packets: readonly Uint8Array[];
  readonly segmentBytes: number | undefined;
}

/** Reads the structures as the kernel does and does what `answer` says about each message: 0 for sent, or an errno. */
class SimulatedKernel implements SendingKernel {
  static readonly ADDRESS = 0x7f12_fffe_0000n;
  readonly messages: SentMessage[] = [];
  calls = 0;
  answer: (message: SentMessage) => number = () => 0;
  #block: Uint8Array = new Uint8Array();
  #errno = 0;

  addressOf(bytes: Uint8Array): bigint {
    this.#block = bytes;
    return SimulatedKernel.ADDRESS;
  }

  errno(): number {
    return this.#errno;
  }

  sendmmsg(_fileDescriptor: number, messages: bigint, count: number): number {
    this.calls++;
    for (let i = 0; i < count; i++) {
      const message = this.#read(this.#at(messages) + 64 * i);
      this.#errno = this.answer(message);
      if (this.#errno !== 0) return i === 0 ? -1 : i;
      this.messages.push(message);
    }
    return count;
  }

  #at(address: bigint): number {
    return Number(address - SimulatedKernel.ADDRESS);
  }

  #read(at: number): SentMessage {
    const block = this.#block;
    const view = new DataView(block.buffer);
    const u64 = (offset: number): bigint => view.getBigUint64(offset, true);
    const name = this.#at(u64(at));
    const vectors = this.#at(u64(at + 16));
    const packets = Array.from({ length: Number(u64(at + 24)) }, (_, i) => {
      const start = this.#at(u64(vectors + 16 * i));
      return block.slice(start, start + Number(u64(vectors + 16 * i + 8)));
    });
    const control = u64(at + 32);
    let segmentBytes: number | undefined;
    if (control !== 0n) {
      expect(u64(at + 40)).toBe(24n);
      const c = this.#at(control);
      expect([u64(c), view.getInt32(c + 8, true), view.getInt32(c + 12, true)]).toEqual([18n, 17, 103]);
      segmentBytes = view.getUint16(c + 16, true);
    }
    return { name: toHex(block.subarray(name, name + view.getUint32(at + 8, true))), packets, segmentBytes };
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Packets of the given sizes, each full of its own number, with frames of another channel between some. */
function batchOf(sizes: readonly number[]): InterleavedBatch {
  const frames = sizes.flatMap((sizeBytes, i) => {
    const packet = Buffer.alloc(sizeBytes + 4, i + 1);
    packet.set([0x24, 0, sizeBytes >>> 8, sizeBytes & 0xff]);
    return i % 5 === 3 ? [packet, Buffer.from([0x24, 1, 0, 1, 9])] : [packet];
  });
  return new InterleavedBatch(Buffer.concat(frames), 0);
}

function tens(count: number): number[] {
  return Array.from({ length: count }, () => 10);
}

function packetsOf(batch: InterleavedBatch): readonly Uint8Array[] {
  return batch.offsets.map((at, i) => Uint8Array.from(batch.bytes.subarray(at, at + batch.sizes[i]!)));
}

function setUp(): { readonly kernel: SimulatedKernel; readonly sender: LinuxDatagramSender } {
  const kernel = new SimulatedKernel();
  return { kernel, sender: new LinuxDatagramSender(kernel) };
}

const target = toDatagramTarget(4, '192.0.2.9', 5004);

describe('LinuxDatagramSender', () => {
  it.each([
    ['a run with a short end', [500, 500, 500, 123], [[500, 500, 500, 123]]],
    [
      'a new message where the size grows',
      [500, 500, 700, 700],
      [
        [500, 500],
        [700, 700],
      ],
    ],
    ['a new message behind a short end', [500, 123, 123, 500], [[500, 123], [123], [500]]],
    ['64 packets a message at most', tens(130), [tens(64), tens(64), [10, 10]]],
    ['65,000 bytes a message at most', [30_000, 30_000, 30_000, 65_507], [[30_000, 30_000], [30_000], [65_507]]],
  ])('makes %s', (_, sizes: number[], messages) => {
    const { kernel, sender } = setUp();
    const batch = batchOf(sizes);
    expect(sender.send(3, batch, 0, target)).toBe(sizes.length);
    expect(kernel.messages.map(({ packets }) => packets.map((packet) => packet.length))).toEqual(messages);
    expect(kernel.messages.map(({ segmentBytes }) => segmentBytes)).toEqual(
      messages.map((packets) => (packets.length > 1 ? packets[0] : undefined)),
    );
    expect(sender).toMatchObject({ sentPackets: sizes.length, sentBytes: batch.payloadBytes, failedPackets: 0 });
  });

  it('sends any packets in order and as they are, from any index on', () => {
    const { kernel, sender } = setUp();
    const sizes = fc.oneof(
      fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 40 }),
      fc.array(fc.constantFrom(1, 1100, 1200, 60_000), { maxLength: 12 }),
      fc.array(fc.constantFrom(1100, 1200), { minLength: 240, maxLength: 600 }),
    );
    fc.assert(
      fc.property(sizes, fc.nat(5), fc.boolean(), (sizes, from, isSegmented) => {
        const batch = batchOf(sizes);
        kernel.messages.length = 0;
        sender.send(3, batch, from, { ...target, isSegmented });
        expect(kernel.messages.flatMap(({ packets }) => packets)).toEqual(packetsOf(batch).slice(from));
        if (!isSegmented) expect(kernel.messages.every(({ packets }) => packets.length === 1)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('sends what it prepared to each target, of either family, after other batches too', () => {
    const { kernel, sender } = setUp();
    const targets = [target, toDatagramTarget(6, '2001:db8::9', 5004), toDatagramTarget(4, '192.0.2.10', 5006)];
    const batches = Array.from({ length: 20 }, (_, i) => batchOf([i + 1, i + 1, 50 + i]));
    for (const round of [batches, batches.toReversed()]) {
      for (const batch of round) {
        kernel.messages.length = 0;
        for (const to of targets) sender.send(3, batch, 0, to);
        expect(kernel.messages.map(({ name }) => name)).toEqual(
          targets.flatMap(({ socketAddress }) => [toHex(socketAddress), toHex(socketAddress)]),
        );
        const expected = packetsOf(batch);
        expect(kernel.messages.flatMap(({ packets }) => packets)).toEqual([...expected, ...expected, ...expected]);
      }
    }
  });

  it('says where the kernel had no room and goes on from there', () => {
    const { kernel, sender } = setUp();
    const batch = batchOf([500, 500, 700, 700, 800]);
    let room = 1;
    kernel.answer = () => (room-- > 0 ? 0 : EAGAIN);
    expect(sender.send(3, batch, 0, target)).toBe(2);
    expect(sender).toMatchObject({ sentPackets: 2, sentBytes: 1000, failedPackets: 0 });
    room = 9;
    expect(sender.send(3, batch, 2, target)).toBe(5);
    expect(kernel.messages.flatMap(({ packets }) => packets)).toEqual(packetsOf(batch));
  });

  it('tries again after a signal', () => {
    const { kernel, sender } = setUp();
    let interruptions = 2;
    kernel.answer = () => (interruptions-- > 0 ? EINTR : 0);
    expect(sender.send(3, batchOf([5, 6]), 0, target)).toBe(2);
    expect(kernel.calls).toBe(3);
  });

  it.each([EINVAL, EIO])('sends packet by packet where the route refuses segments with errno %i', (errno) => {
    const { kernel, sender } = setUp();
    const to = toDatagramTarget(4, '192.0.2.11', 5004);
    const batch = batchOf([900, 500, 500, 500, 700]);
    kernel.answer = ({ segmentBytes }) => (segmentBytes === 500 ? errno : 0);
    expect(sender.send(3, batch, 0, to)).toBe(5);
    expect(kernel.messages.flatMap(({ packets }) => packets)).toEqual(packetsOf(batch));
    expect(to.isSegmented).toBe(false);
    expect(target.isSegmented).toBe(true);
    expect(sender).toMatchObject({ sentPackets: 5, failedPackets: 0 });
  });

  it('counts what the kernel refuses for good and sends the rest', () => {
    const { kernel, sender } = setUp();
    kernel.answer = ({ packets }) => (packets[0]?.length === 500 ? EPERM : 0);
    expect(sender.send(3, batchOf([400, 500, 500, 700]), 0, target)).toBe(4);
    expect(sender).toMatchObject({ sentPackets: 2, sentBytes: 1100, failedPackets: 2 });
  });
});

/** A packet for the target of this index: its size, and its bytes are its own number. */
interface Put {
  readonly target: number;
  readonly sizeBytes: number;
}

interface QueueSetUp {
  readonly kernel: SimulatedKernel;
  readonly sender: LinuxQueueSender;
  readonly targets: readonly DatagramTarget[];
  readonly send: (puts: readonly Put[]) => void;
}

function setUpQueue(): QueueSetUp {
  const kernel = new SimulatedKernel();
  const sender = new LinuxQueueSender(kernel);
  const queue = new DatagramQueue(sender.arena, (packets) => sender.send(3, packets));
  const targets = [
    toDatagramTarget(4, '192.0.2.1', 5004),
    toDatagramTarget(4, '192.0.2.2', 5004),
    toDatagramTarget(6, '2001:db8::3', 5004),
  ];
  const send = (puts: readonly Put[]): void => {
    for (const [i, { target, sizeBytes }] of puts.entries()) {
      const at = queue.reserve(sizeBytes);
      queue.bytes.fill(i + 1, at, at + sizeBytes);
      queue.put(sizeBytes, targets[target]!);
    }
    queue.flush();
  };
  return { kernel, sender, targets, send };
}

/** What each target is to get, as hex digits of its address and the packets' bytes. */
function expectedPackets(puts: readonly Put[], targets: readonly DatagramTarget[]): Map<string, readonly Uint8Array[]> {
  const expected = new Map<string, Uint8Array[]>();
  for (const [i, { target, sizeBytes }] of puts.entries()) {
    const name = toHex(targets[target]!.socketAddress);
    expected.set(name, [...(expected.get(name) ?? []), new Uint8Array(sizeBytes).fill(i + 1)]);
  }
  return expected;
}

function sentPackets(kernel: SimulatedKernel): Map<string, readonly Uint8Array[]> {
  const sent = new Map<string, readonly Uint8Array[]>();
  for (const { name, packets } of kernel.messages) sent.set(name, [...(sent.get(name) ?? []), ...packets]);
  return sent;
}

describe('LinuxQueueSender', () => {
  it('brings the packets of a target together and joins those of one size', () => {
    const { kernel, sender, send } = setUpQueue();
    send(
      [
        [0, 900],
        [1, 900],
        [0, 900],
        [1, 900],
        [0, 900],
        [1, 950],
        [0, 300],
        [0, 900],
        [2, 5],
      ].map(([target, sizeBytes]) => ({ target: target!, sizeBytes: sizeBytes! })),
    );
    expect(kernel.messages.map(({ packets }) => packets.map((packet) => packet.length))).toEqual([
      [900, 900, 900, 300],
      [900],
      [900, 900],
      [950],
      [5],
    ]);
    expect(kernel.messages.map(({ segmentBytes }) => segmentBytes)).toEqual([
      900,
      undefined,
      900,
      undefined,
      undefined,
    ]);
    expect(kernel.calls).toBe(1);
    expect(sender).toMatchObject({ sentPackets: 9, sentBytes: 6655, droppedPackets: 0, failedPackets: 0 });
  });

  it('makes no message of more than 64 packets or 65,000 bytes', () => {
    const { kernel, send } = setUpQueue();
    send(Array.from({ length: 130 }, () => ({ target: 0, sizeBytes: 1200 })));
    expect(kernel.messages.map(({ packets }) => packets.length)).toEqual([54, 54, 22]);
    kernel.messages.length = 0;
    send(Array.from({ length: 130 }, () => ({ target: 0, sizeBytes: 100 })));
    expect(kernel.messages.map(({ packets }) => packets.length)).toEqual([64, 64, 2]);
  });

  it('sends packets that are too long for segments one by one, and goes on to join others of their target', () => {
    const { kernel, send } = setUpQueue();
    // As the kernel does where the route takes 1,500 bytes.
    kernel.answer = ({ segmentBytes = 0 }) => (segmentBytes > 1472 ? EINVAL : 0);
    send([1600, 1600, 900, 900].map((sizeBytes) => ({ target: 0, sizeBytes })));
    send([900, 900].map((sizeBytes) => ({ target: 0, sizeBytes })));
    const sizes = kernel.messages.map(({ packets }) => packets.map((packet) => packet.length));
    expect(sizes).toEqual([[1600], [1600], [900, 900], [900, 900]]);
  });

  it('sends any packets to any targets as they are and in order, and knows what became of each, whatever the kernel says', () => {
    const put = fc.record({
      target: fc.nat(2),
      sizeBytes: fc.oneof(fc.integer({ min: 1, max: 1500 }), fc.constantFrom(1100, 1100, 1200, 40_000)),
    });
    const answers = fc.array(fc.constantFrom(0, 0, 0, EINTR, EINVAL, EPERM, ENOBUFS, EAGAIN), { maxLength: 20 });
    const { kernel, sender, targets, send } = setUpQueue();
    fc.assert(
      fc.property(fc.array(put, { maxLength: 60 }), answers, (puts, errors) => {
        for (const to of targets) to.isSegmented = true;
        kernel.messages.length = 0;
        const left = [...errors];
        kernel.answer = () => left.shift() ?? 0;
        sender.sentPackets = 0;
        sender.droppedPackets = 0;
        sender.failedPackets = 0;
        send(puts);
        expect(sender.sentPackets + sender.droppedPackets + sender.failedPackets).toBe(puts.length);
        expect(kernel.messages.reduce((sum, { packets }) => sum + packets.length, 0)).toBe(sender.sentPackets);
        const expected = expectedPackets(puts, targets);
        for (const [name, packets] of sentPackets(kernel)) {
          const all = expected.get(name)!.map(toHex);
          // In order, with some left out.
          let at = 0;
          for (const packet of packets.map(toHex)) {
            at = all.indexOf(packet, at) + 1;
            expect(at).toBeGreaterThan(0);
          }
        }
        if (errors.every((errno) => errno === 0)) expect(sentPackets(kernel)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('goes on with the other targets where one is refused', () => {
    const { kernel, sender, targets, send } = setUpQueue();
    const refused = toHex(targets[1]!.socketAddress);
    kernel.answer = ({ name }) => (name === refused ? EPERM : 0);
    send([0, 1, 2, 0, 1, 2].map((target) => ({ target, sizeBytes: 100 })));
    expect(sender).toMatchObject({ sentPackets: 4, sentBytes: 400, failedPackets: 2, droppedPackets: 0 });
  });

  it('drops all that is left when the socket is full, and only one message when memory was short', () => {
    const { kernel, sender, send } = setUpQueue();
    const puts = [0, 0, 1, 2].map((target) => ({ target, sizeBytes: 100 }));
    let room = 1;
    kernel.answer = () => (room-- > 0 ? 0 : EAGAIN);
    send(puts);
    expect(sender).toMatchObject({ sentPackets: 2, droppedPackets: 2, failedPackets: 0 });
    let isFirst = true;
    kernel.answer = () => {
      const errno = isFirst ? ENOBUFS : 0;
      isFirst = false;
      return errno;
    };
    send(puts);
    expect(sender).toMatchObject({ sentPackets: 2, droppedPackets: 2, failedPackets: 0 });
  });

  it.each([EINVAL, EIO])('sends one by one to a target whose route refuses segments with errno %i', (errno) => {
    const { kernel, sender, targets, send } = setUpQueue();
    const [, narrow] = targets;
    const name = toHex(narrow!.socketAddress);
    kernel.answer = (message) => (message.name === name && message.segmentBytes !== undefined ? errno : 0);
    const puts = [0, 1, 0, 1, 1, 2].map((target) => ({ target, sizeBytes: 100 }));
    for (let round = 0; round < 2; round++) {
      kernel.messages.length = 0;
      send(puts);
      expect(sentPackets(kernel)).toEqual(expectedPackets(puts, targets));
      expect(sender).toMatchObject({ sentPackets: 6, sentBytes: 600, droppedPackets: 0, failedPackets: 0 });
    }
    expect(targets.map(({ isSegmented }) => isSegmented)).toEqual([true, false, true]);
  });
});
