import { afterEach, describe, expect, it } from 'vitest';
import { InterleavedBatch } from './datagram-batch.ts';
import type { DatagramSocket, DatagramSocketOptions } from './datagram-socket.ts';
import { fastDatagrams } from './ffi/fast-datagrams.ts';
import { LinuxDatagramSender } from './ffi/linux-datagram-sender.ts';
import { UdpSocket } from './udp-socket.ts';

const sockets: DatagramSocket[] = [];

async function open(host: string | undefined, options: Partial<DatagramSocketOptions> = {}): Promise<DatagramSocket> {
  const socket = await UdpSocket.open({ address: { host, port: 0 }, ...options });
  sockets.push(socket);
  return socket;
}

/** Resolves with the first `count` datagrams. */
function received(socket: DatagramSocket, count: number): Promise<readonly [bytes: number[], from: string][]> {
  return new Promise((resolve) => {
    const datagrams: [number[], string][] = [];
    socket.onMessage = (bytes, source) => {
      datagrams.push([[...bytes], `${source.address} ${source.port}`]);
      if (datagrams.length === count) resolve(datagrams);
    };
  });
}

afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.close()));
});

describe('UdpSocket', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', '127.0.0.1', 4],
    ['::1', '::1', '::1', 6],
    ['localhost', undefined, undefined, undefined],
  ])('sends and receives on %s', async (host, address, source, family) => {
    const [a, b] = [await open(host), await open(host)];
    if (family !== undefined) expect(a).toMatchObject({ address, family });
    const datagrams = received(b, 2);
    const target = a.target(b.address, b.port);
    a.send(Uint8Array.of(1, 2, 3), target);
    a.send(new Uint8Array(), target);
    expect(await datagrams).toEqual([
      [[1, 2, 3], `${source ?? a.address} ${a.port}`],
      [[], `${source ?? a.address} ${a.port}`],
    ]);
  });

  it('on every address talks to both families and reports sources as targets are written', async () => {
    const [any, v4, v6] = [await open(undefined), await open('127.0.0.1'), await open('::1')];
    for (const peer of [v4, v6]) {
      const arrived = received(peer, 1);
      const target = any.target(peer.address, peer.port);
      any.send(Uint8Array.of(7), target);
      const [[, from] = [[], '']] = await arrived;
      expect(from.split(' ')[1]).toBe(String(any.port));
      const answered = received(any, 1);
      peer.send(Uint8Array.of(8), peer.target(peer.address, any.port));
      expect(await answered).toEqual([[[8], `${target.address} ${target.port}`]]);
    }
  });

  it.each([{}, { provider: 'portable' } as const])('sends one channel of a batch in order with %j', async (options) => {
    const [a, b] = [await open('127.0.0.1', options), await open('127.0.0.1')];
    const batch = new InterleavedBatch(
      Uint8Array.of(0x24, 0, 0, 2, 1, 2, 0x24, 1, 0, 1, 9, 0x24, 0, 0, 3, 3, 4, 5, 0x24, 0, 0, 1, 6),
      0,
    );
    const datagrams = received(b, 3);
    expect(a.sendBatch(batch, a.target(b.address, b.port))).toBe(6);
    const from = `127.0.0.1 ${a.port}`;
    expect(await datagrams).toEqual([
      [[1, 2], from],
      [[3, 4, 5], from],
      [[6], from],
    ]);
    expect(a).toMatchObject({ sentPackets: 3, sentBytes: 6, dropped: 0, failed: 0 });
  });

  it('uses the faster way where there is one', async () => {
    const { sender, reason } = await fastDatagrams();
    expect((await open('127.0.0.1')).provider).toBe(sender === undefined ? 'portable' : 'sendmmsg');
    expect((await open('127.0.0.1', { provider: 'portable' })).provider).toBe('portable');
    expect(reason === undefined).toBe(sender !== undefined);
  });

  it('hands to Node what the kernel had no room for', async () => {
    const full = new LinuxDatagramSender({ sendmmsg: () => -1, errno: () => 11, addressOf: () => 0n });
    const a = await UdpSocket.open({ address: { host: '127.0.0.1', port: 0 } }, async () => ({
      sender: full,
      receiver: undefined,
      createQueueSender: undefined,
      reason: undefined,
    }));
    sockets.push(a);
    const b = await open('127.0.0.1');
    const batch = new InterleavedBatch(Uint8Array.of(0x24, 0, 0, 1, 1, 0x24, 0, 0, 1, 2), 0);
    const datagrams = received(b, 2);
    expect(a.sendBatch(batch, a.target(b.address, b.port))).toBe(2);
    expect((await datagrams).map(([bytes]) => bytes)).toEqual([[1], [2]]);
    expect(a).toMatchObject({ sentPackets: 2, sentBytes: 2, dropped: 0 });
  });

  it('counts a packet the network refuses and goes on', async () => {
    const [a, b] = [await open('127.0.0.1'), await open('127.0.0.1')];
    const target = a.target(b.address, b.port);
    a.send(new Uint8Array(65_535), target);
    const datagrams = received(b, 1);
    a.send(Uint8Array.of(1), target);
    await datagrams;
    expect(a).toMatchObject({ failed: 1, sentPackets: 1 });
  });

  it('drops and counts what passes its queue', async () => {
    const [a, b] = [await open('127.0.0.1', { sendQueueBytes: 10 }), await open('127.0.0.1')];
    a.send(new Uint8Array(11), a.target(b.address, b.port));
    expect(a.dropped).toBe(1);
  });

  it('says that a port is taken', async () => {
    const a = await open('127.0.0.1');
    await expect(UdpSocket.open({ address: { host: '127.0.0.1', port: a.port } })).rejects.toMatchObject({
      code: 'datagram/port-taken',
    });
  });

  it.each([
    ['no-such-host.invalid', 'datagram/unknown-host'],
    ['192.0.2.77', 'datagram/failed'],
  ])('refuses to open on %s with %s', async (host, code) => {
    await expect(UdpSocket.open({ address: { host, port: 0 } })).rejects.toMatchObject({ code });
  });

  it('closes twice, frees its port, and sends nothing after', async () => {
    const [a, b] = [await open('127.0.0.1'), await open('127.0.0.1')];
    const target = a.target(b.address, b.port);
    const closing = a.close();
    a.send(Uint8Array.of(1), target);
    await Promise.all([closing, a.close()]);
    expect(a.sentPackets).toBe(0);
    expect(() => a.joinGroup('239.255.7.7')).toThrow(expect.objectContaining({ code: 'datagram/closed' }));
    sockets.push(await UdpSocket.open({ address: { host: '127.0.0.1', port: a.port } }));
  });

  it('sends to a group and receives from it on several sockets of one port', async () => {
    const [group, networkInterface] = ['239.255.77.1', '127.0.0.1'];
    const [a, b] = [await open('0.0.0.0'), await open('0.0.0.0', { reuseAddress: true })];
    const c = await UdpSocket.open({ address: { host: '0.0.0.0', port: b.port }, reuseAddress: true });
    sockets.push(c);
    for (const socket of [b, c]) socket.joinGroup(group, { networkInterface });
    a.setMulticast({ timeToLive: 1, networkInterface, loopback: true });
    const both = Promise.all([received(b, 1), received(c, 1)]);
    a.send(Uint8Array.of(4, 2), a.target(group, b.port));
    for (const [datagram] of await both) expect(datagram?.[0]).toEqual([4, 2]);
    b.leaveGroup(group, { networkInterface });
    expect(() => b.leaveGroup(group, { networkInterface })).toThrow(
      expect.objectContaining({ code: 'datagram/multicast-refused' }),
    );
  });

  // The loopback interface carries no IPv6 groups: what can be seen everywhere is that the kernel takes the settings.
  it('joins and leaves an IPv6 group', async () => {
    const socket = await open('::');
    socket.setMulticast({ timeToLive: 2, networkInterface: '::%lo', loopback: false });
    socket.joinGroup('ff12::7701', { networkInterface: '::%lo' });
    socket.leaveGroup('ff12::7701', { networkInterface: '::%lo' });
    expect(() => socket.joinGroup('2001:db8::1')).toThrow(
      expect.objectContaining({ code: 'datagram/multicast-refused' }),
    );
  });

  it('receives a group from one source only', async () => {
    const [a, b] = [await open('127.0.0.1'), await open('0.0.0.0')];
    b.joinGroup('232.1.77.1', { source: '127.0.0.1', networkInterface: '127.0.0.1' });
    a.setMulticast({ networkInterface: '127.0.0.1' });
    const arrived = received(b, 1);
    a.send(Uint8Array.of(5), a.target('232.1.77.1', b.port));
    expect(await arrived).toEqual([[[5], `127.0.0.1 ${a.port}`]]);
    b.leaveGroup('232.1.77.1', { source: '127.0.0.1', networkInterface: '127.0.0.1' });
  });
});
