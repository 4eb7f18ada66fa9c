import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import type { PacketAddress } from '../sfu/ports/packet-port.ts';
import type { DatagramSocket, DatagramSocketOptions, DatagramTarget } from './datagram-socket.ts';
import { UdpSocket } from './udp-socket.ts';

const sockets: DatagramSocket[] = [];

async function open(host: string, options: Partial<DatagramSocketOptions> = {}): Promise<DatagramSocket> {
  const socket = await UdpSocket.open({ address: { host, port: 0 }, receiveBufferBytes: 4_194_304, ...options });
  sockets.push(socket);
  return socket;
}

/** Puts packets of these bytes into the socket's queue. */
function put(socket: DatagramSocket, packets: readonly Uint8Array[], to: DatagramTarget): void {
  const queue = socket.packetQueue();
  for (const packet of packets) {
    const at = queue.reserve(packet.length);
    queue.bytes.set(packet, at);
    queue.put(packet.length, to);
  }
}

/** Packets that hold their number, of one size but some. */
function numbered(count: number, sizeBytes: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const packet = new Uint8Array(sizeBytes + (i % 7 === 0 ? 3 : 0));
    new DataView(packet.buffer).setUint32(0, i);
    return packet;
  });
}

function numberOf(bytes: Uint8Array, start = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset + start).getUint32(0);
}

/** Resolves when `socket` has got a datagram of one byte. */
function lastOf(socket: DatagramSocket, onOther: (bytes: Uint8Array, source: PacketAddress) => void): Promise<void> {
  return new Promise((resolve) => {
    socket.onPacket = (bytes, start, end, source) => {
      if (end - start === 1) resolve();
      else onOther(bytes.subarray(start, end), source);
    };
  });
}

afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.close()));
});

describe.each([{ provider: 'portable' } as const, {}])('UdpSocket with %j', (options) => {
  it.each(['127.0.0.1', '::1'])('sends a queue to many targets of %s and receives it in order', async (host) => {
    const sender = await open(host, options);
    const receivers = await Promise.all(Array.from({ length: 5 }, () => open(host, options)));
    const packets = numbered(40, 300);
    const got = receivers.map((): number[] => []);
    const all = receivers.map((receiver, i) =>
      lastOf(receiver, (bytes, source) => {
        expect(source).toMatchObject({ address: host, port: sender.port });
        got[i]!.push(numberOf(bytes));
      }),
    );
    const targets = receivers.map(({ port }) => sender.target(host, port));
    for (const packet of packets) for (const to of targets) put(sender, [packet], to);
    for (const to of targets) put(sender, [Uint8Array.of(1)], to);
    await Promise.all(all);
    const expected = packets.map((_, i) => i);
    expect(got).toEqual(receivers.map(() => expected));
    await expect.poll(() => sender.sentPackets).toBe(5 * 41);
    expect(sender).toMatchObject({ dropped: 0, failed: 0 });
  });

  it('answers the source of a packet, and knows it again', async () => {
    const [a, b] = [await open('127.0.0.1', options), await open('127.0.0.1', options)];
    const sources = new Set<PacketAddress>();
    const arrived = lastOf(b, (_, source) => sources.add(source));
    put(a, [...numbered(20, 100), Uint8Array.of(1)], a.target('127.0.0.1', b.port));
    await arrived;
    expect(sources.size).toBe(1);
    const answered = lastOf(a, () => undefined);
    const queue = b.packetQueue();
    for (const source of sources) {
      queue.reserve(1);
      queue.put(1, source);
    }
    await answered;
  });

  it('gives bytes to onMessage that stay as they are', async () => {
    const [a, b] = [await open('127.0.0.1', options), await open('127.0.0.1', options)];
    const kept: Uint8Array[] = [];
    const packets = numbered(300, 200);
    const arrived = new Promise<void>((resolve) => {
      b.onMessage = (bytes) => {
        kept.push(bytes);
        if (kept.length === packets.length) resolve();
      };
    });
    put(a, packets, a.target('127.0.0.1', b.port));
    await arrived;
    expect(kept.map((bytes) => [numberOf(bytes), bytes.length])).toEqual(packets.map((p, i) => [i, p.length]));
  });

  it('receives the longest datagrams whole', async () => {
    const [a, b] = [await open('127.0.0.1', options), await open('127.0.0.1', options)];
    const packets = Array.from({ length: 6 }, (_, i) => new Uint8Array(65_507).fill(i + 1));
    const got: string[] = [];
    const arrived = lastOf(b, (bytes) => got.push(`${bytes.length} ${bytes[0]} ${bytes.at(-1)}`));
    put(a, [...packets, Uint8Array.of(1)], a.target('127.0.0.1', b.port));
    await arrived;
    expect(got).toEqual([1, 2, 3, 4, 5, 6].map((value) => `65507 ${value} ${value}`));
  });

  it('goes on after a burst of 10,000, of which what arrives is whole and in order', async () => {
    const [a, b] = [await open('127.0.0.1', options), await open('127.0.0.1', options)];
    let [last, received] = [-1, 0];
    let arrived = lastOf(b, (bytes) => {
      const number = numberOf(bytes);
      if (number <= last || bytes.length !== (number % 7 === 0 ? 53 : 50))
        expect.unreachable(`${number} after ${last}`);
      last = number;
      received++;
    });
    const to = a.target('127.0.0.1', b.port);
    put(a, numbered(10_000, 50), to);
    a.packetQueue().flush();
    await expect.poll(() => a.sentPackets + a.dropped + a.failed).toBe(10_000);
    // The burst may have left no room for this one: again until it comes.
    const again = setInterval(() => a.send(Uint8Array.of(1), to), 20);
    await arrived;
    clearInterval(again);
    expect(received).toBeGreaterThan(1000);
    arrived = lastOf(b, () => undefined);
    a.send(Uint8Array.of(1), to);
    await arrived;
  });

  it.each(['onPacket', 'onMessage'] as const)('closed inside %s it gives nothing more of a burst', async (handler) => {
    const [a, b] = [await open('127.0.0.1', options), await open('127.0.0.1', options)];
    let calls = 0;
    const closed = new Promise<void>((resolve) => {
      b[handler] = () => {
        calls++;
        if (calls === 3) void b.close().then(resolve);
      };
    });
    put(a, numbered(50, 100), a.target('127.0.0.1', b.port));
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toBe(3);
    expect(b.packetQueue().reserve(10)).toBe(-1);
  });

  it('closed, it still sends what was put before, and nothing after', async () => {
    const [a, b] = [await open('127.0.0.1', options), await open('127.0.0.1', options)];
    let received = 0;
    b.onPacket = () => {
      received++;
    };
    put(a, numbered(50, 100), a.target('127.0.0.1', b.port));
    await a.close();
    expect(a.packetQueue().reserve(100)).toBe(-1);
    await expect.poll(() => received).toBe(50);
    expect(a).toMatchObject({ sentPackets: 50, failed: 0, dropped: 0 });
  });

  it('receives from hundreds of sources, each by its name', async () => {
    const receiver = await open('0.0.0.0', options);
    const senders = await Promise.all(Array.from({ length: 200 }, (_, i) => open(`127.0.1.${i + 1}`, options)));
    const seen = new Map<string, number>();
    let count = 0;
    const all = new Promise<void>((resolve) => {
      receiver.onPacket = (_bytes, start, end, { address, port }) => {
        seen.set(`${address} ${port}`, (seen.get(`${address} ${port}`) ?? 0) + end - start);
        count++;
        if (count === 600) resolve();
      };
    });
    for (const [i, sender] of senders.entries()) {
      const packets = [1, 2, 3].map(() => new Uint8Array(i + 1));
      put(sender, packets, sender.target('127.0.0.1', receiver.port));
    }
    await all;
    expect(seen).toEqual(new Map(senders.map(({ address, port }, i) => [`${address} ${port}`, 3 * (i + 1)])));
  });

  it('counts what the network refuses in a queue and sends the rest', async () => {
    const [a, b] = [await open('127.0.0.1', options), await open('127.0.0.1', options)];
    const arrived = lastOf(b, () => undefined);
    // From the loopback address there is no way out.
    put(a, numbered(2, 100), a.target('192.0.2.1', 9));
    put(a, [Uint8Array.of(1)], a.target('127.0.0.1', b.port));
    await arrived;
    await expect.poll(() => a.failed).toBe(2);
    expect(a.sentPackets).toBe(1);
  });
});

describe('MILLRACE_FFI=off', () => {
  it('has every packet sent and received by Node, queues too', () => {
    const script = `
      const { UdpSocket } = await import('./src/io/udp-socket.ts');
      const open = () => UdpSocket.open({ address: { host: '127.0.0.1', port: 0 } });
      const [a, b] = [await open(), await open()];
      const sizes = [];
      b.onPacket = (bytes, start, end) => {
        sizes.push(end - start);
        if (sizes.length < 3) return;
        console.log(JSON.stringify([a.provider, sizes]));
        a.close();
        b.close();
      };
      const queue = a.packetQueue();
      for (const size of [5, 5, 9]) { queue.reserve(size); queue.put(size, a.target('127.0.0.1', b.port)); }`;
    const out = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      env: { ...process.env, MILLRACE_FFI: 'off' },
      encoding: 'utf8',
    });
    expect(JSON.parse(out)).toEqual(['portable', [5, 5, 9]]);
  });
});
