import { describe, expect, it } from 'vitest';
import { parseSocketAddress, toDatagramTarget } from './datagram-address.ts';
import { DatagramSources, MAX_DATAGRAM_SOURCES } from './datagram-sources.ts';

/** The socket address at a place that is no beginning, as in the memory of received packets. */
function inMemory(socketAddress: Uint8Array): { readonly bytes: Uint8Array; readonly words: Uint32Array } {
  const bytes = new Uint8Array(96);
  bytes.fill(0xaa, 64);
  bytes.set(socketAddress, 32);
  return { bytes, words: new Uint32Array(bytes.buffer) };
}

function find(sources: DatagramSources, socketAddress: Uint8Array): ReturnType<DatagramSources['of']> {
  const { bytes, words } = inMemory(socketAddress);
  return sources.ofSocketAddress(bytes, words, 32);
}

describe('sources of datagrams', () => {
  it.each([
    [4, '192.0.2.9', 5004],
    [4, '255.255.255.255', 65_535],
    [6, '2001:db8::1', 1],
    [6, '::1', 40_000],
    [6, '::', 9],
    [6, '::ffff:192.0.2.9', 5004],
    [6, '2001:db8:0:1:1:1:1:1', 5004],
  ] as const)('read IPv%i %s port %i from the kernel as they are written', (family, address, port) => {
    const { socketAddress } = toDatagramTarget(family, address, port);
    expect(parseSocketAddress(inMemory(socketAddress).bytes, 32)).toEqual({ family, address, port });
    const sources = new DatagramSources();
    const found = find(sources, socketAddress);
    expect(found).toMatchObject({ address, port, isSegmented: true });
    expect(found?.socketAddress).toEqual(socketAddress);
  });

  it('are one object for one peer, whichever way it is named', () => {
    const sources = new DatagramSources();
    const known = sources.of(4, '192.0.2.9', 5004)!;
    expect(sources.of(4, '192.0.2.9', 5004)).toBe(known);
    expect(find(sources, known.socketAddress)).toBe(known);
    expect(find(sources, known.socketAddress)).toBe(known);
    expect(sources.of(4, '192.0.2.9', 5005)).not.toBe(known);
    expect(sources.of(6, '::ffff:192.0.2.9', 5004)).not.toBe(known);
  });

  it('without a port are none', () => {
    const sources = new DatagramSources();
    expect(sources.of(4, '192.0.2.9', 0)).toBeUndefined();
    const { socketAddress } = toDatagramTarget(4, '192.0.2.9', 5004);
    const withoutPort = Uint8Array.from(socketAddress);
    withoutPort.fill(0, 2, 4);
    expect(find(sources, withoutPort)).toBeUndefined();
  });

  it('of a zone that has gone are none', () => {
    expect(new DatagramSources().of(6, 'fe80::1%gone77', 5004)).toBeUndefined();
  });

  it('are told apart by the thousand, and no more are kept than that', () => {
    const sources = new DatagramSources();
    const { socketAddress } = toDatagramTarget(4, '10.0.0.0', 5004);
    const first = sources.of(4, '10.0.0.0', 5004);
    for (let i = 0; i <= MAX_DATAGRAM_SOURCES; i++) {
      socketAddress.set([i >>> 8, i & 0xff], 6);
      const found = find(sources, socketAddress)!;
      if (found.address !== `10.0.${i >>> 8}.${i & 0xff}`) expect.unreachable(`${found.address} for ${i}`);
    }
    expect(sources.of(4, '10.0.0.0', 5004)).not.toBe(first);
  });
});
