import { afterEach, describe, expect, it } from 'vitest';
import { openUdpPortPair, type UdpPortPair, UdpPortRange } from './udp-port-pair.ts';
import { UdpSocket } from './udp-socket.ts';

const host = '127.0.0.1';
const pairs: UdpPortPair[] = [];

async function keep(opening: Promise<UdpPortPair>): Promise<UdpPortPair> {
  const pair = await opening;
  pairs.push(pair);
  return pair;
}

/** The first even port of `count` pairs that are free now, below the ports the system hands out by itself. */
async function freeRange(count: number): Promise<number> {
  for (let firstPort = 21_000; firstPort < 32_000; firstPort += 2 * count) {
    const opened = await Promise.allSettled(
      Array.from({ length: count }, (_, i) => openUdpPortPair(firstPort + 2 * i, { host })),
    );
    for (const result of opened) if (result.status === 'fulfilled') await result.value.close();
    if (opened.every((result) => result.status === 'fulfilled')) return firstPort;
  }
  throw new RangeError('no free ports');
}

afterEach(async () => {
  await Promise.all(pairs.splice(0).map((pair) => pair.close()));
});

describe('UdpPortRange', () => {
  it('hands out even and odd neighbours until it is empty, and again after a close', async () => {
    const firstPort = await freeRange(3);
    // One port more on either side makes no further pair.
    const range = new UdpPortRange({ host, firstPort: firstPort - 1, lastPort: firstPort + 6 });
    expect(range.capacity).toBe(3);
    const opened = await Promise.all([keep(range.open()), keep(range.open()), keep(range.open())]);
    expect(opened.map(({ rtp, rtcp }) => [rtp.port, rtcp.port])).toEqual(
      [0, 2, 4].map((i) => [firstPort + i, firstPort + i + 1]),
    );
    await expect(range.open()).rejects.toMatchObject({ code: 'datagram/no-port-pair' });
    expect(range.openPairs).toBe(3);
    await Promise.all([opened[1]?.close(), opened[1]?.close()]);
    expect(range.openPairs).toBe(2);
    expect((await keep(range.open())).rtp.port).toBe(firstPort + 2);
  });

  it('passes over pairs of which another program holds a port', async () => {
    const firstPort = await freeRange(2);
    const other = await UdpSocket.open({ address: { host, port: firstPort + 1 } });
    const range = new UdpPortRange({ host, firstPort, lastPort: firstPort + 3 });
    expect((await keep(range.open())).rtp.port).toBe(firstPort + 2);
    await other.close();
    expect((await keep(range.open())).rtp.port).toBe(firstPort);
  });

  it.each([
    [6971, 6971],
    [6970, 6970],
    [6980, 6970],
    [-2, 10],
    [65_534, 65_536],
    [65_535, 65_535],
  ])('refuses the range %i–%i', (firstPort, lastPort) => {
    expect(() => new UdpPortRange({ host, firstPort, lastPort })).toThrow(
      expect.objectContaining({ code: 'datagram/bad-range' }),
    );
  });
});

describe('openUdpPortPair', () => {
  it('leaves no port open when the second is taken', async () => {
    const port = await freeRange(1);
    const other = await UdpSocket.open({ address: { host, port: port + 1 } });
    await expect(openUdpPortPair(port, { host })).rejects.toMatchObject({ code: 'datagram/port-taken' });
    await other.close();
    expect((await keep(openUdpPortPair(port, { host }))).rtcp.port).toBe(port + 1);
  });

  it('refuses an odd port', async () => {
    await expect(openUdpPortPair(6971, { host })).rejects.toMatchObject({ code: 'datagram/bad-range' });
  });
});
