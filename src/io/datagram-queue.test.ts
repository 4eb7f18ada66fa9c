import { describe, expect, it } from 'vitest';
import { toDatagramTarget } from './datagram-address.ts';
import { DatagramQueue, MAX_QUEUED_PACKETS, QUEUE_BYTES, type QueuedPackets } from './datagram-queue.ts';

const targets = [toDatagramTarget(4, '192.0.2.1', 5004), toDatagramTarget(4, '192.0.2.2', 5004)] as const;

/** A queue, and what left it: for each flush the first byte, size and target of each packet. */
function setUp(): { readonly queue: DatagramQueue; readonly sent: (readonly [number, number, string])[][] } {
  const sent: (readonly [number, number, string])[][] = [];
  const queue = new DatagramQueue(new Uint8Array(QUEUE_BYTES), (packets: QueuedPackets) => {
    sent.push(
      Array.from({ length: packets.count }, (_, i) => [
        packets.bytes[packets.offsets[i]!]!,
        packets.sizes[i]!,
        packets.targets[i]!.address,
      ]),
    );
  });
  return { queue, sent };
}

function put(queue: DatagramQueue, value: number, sizeBytes: number, to: (typeof targets)[number] = targets[0]): void {
  const at = queue.reserve(sizeBytes);
  queue.bytes.fill(value, at, at + sizeBytes);
  queue.put(sizeBytes, to);
}

describe('DatagramQueue', () => {
  it('gives what was put, in order, and nothing that was only reserved', () => {
    const { queue, sent } = setUp();
    put(queue, 1, 10);
    queue.reserve(5000);
    put(queue, 2, 1200, targets[1]);
    const at = queue.reserve(100);
    queue.bytes[at] = 3;
    queue.put(7, targets[0]);
    expect(queue.waiting).toBe(3);
    queue.flush();
    queue.flush();
    expect(sent).toEqual([
      [
        [1, 10, '192.0.2.1'],
        [2, 1200, '192.0.2.2'],
        [3, 7, '192.0.2.1'],
      ],
    ]);
    expect(queue.waiting).toBe(0);
  });

  it('leaves by itself when the turn of the event loop ends', async () => {
    const { queue, sent } = setUp();
    put(queue, 1, 10);
    await Promise.resolve();
    put(queue, 2, 10);
    expect(sent).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent.flat().map(([value]) => value)).toEqual([1, 2]);
  });

  it.each([
    ['packets', MAX_QUEUED_PACKETS, 100],
    ['bytes', Math.floor(QUEUE_BYTES / 60_000), 60_000],
  ])('sends what it has when it is full of %s', (_, count, sizeBytes) => {
    const { queue, sent } = setUp();
    for (let i = 0; i < count; i++) put(queue, i & 0xff, sizeBytes);
    expect(sent).toEqual([]);
    put(queue, 7, sizeBytes);
    expect(sent.map((packets) => packets.length)).toEqual([count]);
    expect(queue.waiting).toBe(1);
  });

  it('has no room for what is longer than a datagram', () => {
    const { queue } = setUp();
    expect(queue.reserve(65_507)).toBe(0);
    expect(queue.reserve(65_508)).toBe(-1);
    expect(queue.reserve(Number.NaN)).toBe(-1);
  });

  it.each([
    ['more than was reserved', 10, 11],
    ['nothing', 10, 0],
    ['what was not reserved', undefined, 10],
    ['what is no number', 10, Number.NaN],
    ['any length where no number was reserved', Number.NaN, 1_000_000],
  ])('does not take %s', (_, reservedBytes, putBytes) => {
    const { queue } = setUp();
    if (reservedBytes !== undefined) queue.reserve(reservedBytes);
    expect(() => queue.put(putBytes, targets[0])).toThrow(expect.objectContaining({ code: 'datagram/not-reserved' }));
    put(queue, 1, 10);
    expect(() => queue.put(10, targets[0])).toThrow(expect.objectContaining({ code: 'datagram/not-reserved' }));
  });

  it('closed forgets what waits and has no room', async () => {
    const { queue, sent } = setUp();
    put(queue, 1, 10);
    queue.close();
    queue.flush();
    await new Promise((resolve) => setImmediate(resolve));
    expect(queue.reserve(1)).toBe(-1);
    expect(sent).toEqual([]);
  });
});
