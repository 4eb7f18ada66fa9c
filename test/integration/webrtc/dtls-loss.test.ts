import { describe, expect, it } from 'vitest';
import type { LinkOptions } from '../../peers/netem.ts';
import {
  certificateOf,
  connectedOf,
  type DtlsPath,
  makePair,
  type SideOptions,
  startPair,
  textsOf,
  untilConnected,
} from './dtls-kit.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Datagrams of each side are many, and each has a part of a message or some messages. */
const sizes: readonly { readonly name: string; readonly options: SideOptions }[] = [
  { name: 'whole flights', options: {} },
  { name: 'small datagrams', options: { mtu: 128 } },
  { name: 'large certificates', options: { mtu: 300, certificate: certificateOf('rsa', 'both') } },
];

function expectWorking({ client, server, clientPeer, serverPeer, network }: DtlsPath): void {
  expect(connectedOf(serverPeer)?.keys).toEqual(connectedOf(clientPeer)?.keys);
  clientPeer.handle(client.send(encode('from client')));
  serverPeer.handle(server.send(encode('from server')));
  network.runFor(5000);
  expect(textsOf(serverPeer)).toEqual(['from client']);
  expect(textsOf(clientPeer)).toEqual(['from server']);
  for (const peer of [clientPeer, serverPeer]) {
    expect(peer.events.map(({ type }) => type)).toEqual(['connected', 'data']);
  }
}

/** Sizes of the datagrams that go each way when nothing is wrong. */
function datagramSizes(options: SideOptions): Readonly<Record<'toServer' | 'toClient', readonly number[]>> {
  const sizesOf: Record<'toServer' | 'toClient', number[]> = { toServer: [], toClient: [] };
  const path = startPair(makePair(options, options), { seed: 1, delayMs: 20 }, (made) => {
    for (const direction of ['toServer', 'toClient'] as const) {
      made[direction].intercept = (bytes) => {
        sizesOf[direction].push(bytes.length);
        return [bytes];
      };
    }
  });
  expect(untilConnected(path)).toBe(true);
  return sizesOf;
}

/** What happens to one datagram. */
const mishaps: Readonly<Record<string, (bytes: Uint8Array) => readonly Uint8Array[]>> = {
  lost: () => [],
  doubled: (bytes) => [bytes, bytes],
  empty: () => [new Uint8Array()],
};

describe.each(sizes)('of a handshake in $name each single datagram', ({ options }) => {
  const sizesOf = datagramSizes(options);
  const each = (['toServer', 'toClient'] as const).flatMap((direction) =>
    sizesOf[direction].map((sizeBytes, at) => ({ direction, at, sizeBytes })),
  );

  it.each(Object.keys(mishaps))('may be %s', (mishap) => {
    for (const { direction, at } of each) {
      const path = startPair(makePair(options, options), { seed: 1, delayMs: 20 }, (made) => {
        made[direction].intercept = (bytes, index) => (index === at ? mishaps[mishap]!(bytes) : [bytes]);
      });
      expect(untilConnected(path), `${direction} ${at}`).toBe(true);
      expectWorking(path);
    }
  });

  it('may change places with its neighbour', () => {
    for (const { direction, at } of each) {
      let held: Uint8Array | undefined;
      const path = startPair(makePair(options, options), { seed: 1, delayMs: 20 }, (made) => {
        made[direction].intercept = (bytes, index) => {
          if (index === at) {
            held = bytes.slice();
            return [];
          }
          return index === at + 1 ? [bytes, held!] : [bytes];
        };
      });
      expect(untilConnected(path), `${direction} ${at}`).toBe(true);
      expectWorking(path);
    }
  });

  it('may be cut short anywhere', () => {
    for (const { direction, at, sizeBytes } of each) {
      // At every byte; where RSA makes handshakes slow, at fewer.
      const isSlow = options.certificate !== undefined;
      for (let cut = 1; cut < sizeBytes; cut += isSlow ? 1 + Math.floor(cut / 16) : 1) {
        const path = startPair(makePair(options, options), { seed: 1, delayMs: 20 }, (made) => {
          made[direction].intercept = (bytes, index) => [index === at ? bytes.subarray(0, cut) : bytes];
        });
        expect(untilConnected(path), `${direction} ${at} cut to ${cut}`).toBe(true);
        expectWorking(path);
      }
    }
  });

  it('may come again at any later time', () => {
    for (const { direction, at } of each) {
      for (const delayMs of [1, 30, 70, 200, 3000]) {
        const path = startPair(makePair(options, options), { seed: 1, delayMs: 20 }, (made) => {
          const link = made[direction];
          link.intercept = (bytes, index) => {
            if (index === at) {
              const copy = bytes.slice();
              made.network.schedule(delayMs, () => link.onDatagram?.(copy, made.network.nowMs));
            }
            return [bytes];
          };
        });
        expect(untilConnected(path), `${direction} ${at} after ${delayMs} ms`).toBe(true);
        expectWorking(path);
      }
    }
  });
});

describe('a handshake', () => {
  const link: LinkOptions = { seed: 0, delayMs: 20, jitterMs: 20, lossRate: 0.3, reorderRate: 0.2, duplicateRate: 0.2 };

  it.each(sizes)('in $name gets over 30 % loss, reordering and duplicates', ({ options }) => {
    const patient = { ...options, initialRetransmissionMs: 200, handshakeTimeoutMs: 600_000 };
    let slowestMs = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const path = startPair(makePair(patient, patient), { ...link, seed });
      expect(untilConnected(path, 600_000), `seed ${seed}`).toBe(true);
      expect(connectedOf(path.serverPeer)?.keys).toEqual(connectedOf(path.clientPeer)?.keys);
      slowestMs = Math.max(slowestMs, path.network.nowMs);
    }
    expect(slowestMs).toBeLessThan(600_000);
  });

  it('gets over loss in runs with the timers of the RFC', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const burst = { lossRate: 0.3, meanLength: 4 };
      const patient = { handshakeTimeoutMs: 3_600_000 };
      const path = startPair(makePair(patient, patient), { seed, delayMs: 50, burst });
      expect(untilConnected(path, 3_600_000), `seed ${seed}`).toBe(true);
    }
  });

  it('is repeated after 1, 2, 4 … 60 seconds', () => {
    const sentAtMs: number[] = [];
    const path = startPair(makePair({ handshakeTimeoutMs: 400_000 }), { seed: 1 }, (made) => {
      made.toServer.intercept = () => {
        sentAtMs.push(made.network.nowMs / 1000);
        return [];
      };
    });
    path.network.runFor(400_000);
    expect(sentAtMs).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]);
    expect(path.client.state).toBe('failed');
  });

  it('is repeated sooner where that is asked for', () => {
    const sentAtMs: number[] = [];
    const path = startPair(makePair({ initialRetransmissionMs: 50 }), { seed: 1 }, (made) => {
      made.toServer.intercept = () => {
        sentAtMs.push(made.network.nowMs);
        return [];
      };
    });
    path.network.runFor(1000);
    expect(sentAtMs).toEqual([0, 50, 150, 350, 750]);
  });

  it('remembers in its next flight that the last one was lost', () => {
    const sentAtMs: number[] = [];
    const path = startPair(makePair({ handshakeTimeoutMs: 60_000 }), { seed: 1 }, (made) => {
      made.toServer.intercept = (bytes, index) => {
        sentAtMs.push(made.network.nowMs / 1000);
        return index === 2 ? [bytes] : [];
      };
      // The server's repetitions would ask for the answer sooner.
      made.toClient.intercept = (bytes, index) => (index === 0 ? [bytes] : []);
    });
    path.network.runFor(40_000);
    expect(sentAtMs).toEqual([0, 1, 3, 3, 7, 15, 31]);
  });

  it('ends when the last flight is lost many times', () => {
    let lost = 0;
    const path = startPair(makePair(), { seed: 1, delayMs: 20 }, (made) => {
      made.toClient.intercept = (bytes, index) => {
        // The first is the server's hello; the others are its Finished message.
        const isLost = index > 0 && lost < 4;
        if (isLost) lost++;
        return isLost ? [] : [bytes];
      };
    });
    expect(untilConnected(path)).toBe(true);
    expect(lost).toBe(4);
    expectWorking(path);
  });
});
