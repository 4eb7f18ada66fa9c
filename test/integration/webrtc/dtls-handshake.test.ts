import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CIPHER_SUITES } from '../../../src/protocol/dtls/cipher-suites.tables.ts';
import { NAMED_GROUPS } from '../../../src/protocol/dtls/named-groups.tables.ts';
import {
  type CertificateKind,
  certificateOf,
  connectedOf,
  type DtlsPath,
  failureOf,
  makePair,
  type SideOptions,
  startPair,
  textsOf,
  untilConnected,
} from './dtls-kit.ts';

const kinds: readonly CertificateKind[] = ['ecdsa-p256', 'rsa'];
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Keys are the same on both sides, and data goes both ways. */
function expectWorking(path: DtlsPath): void {
  const { client, server, clientPeer, serverPeer, network } = path;
  const [atClient, atServer] = [connectedOf(clientPeer), connectedOf(serverPeer)];
  expect(atClient).toBeDefined();
  expect(atServer?.keys).toEqual(atClient?.keys);
  expect(atServer?.srtpProfile).toBe(atClient?.srtpProfile);
  const exported = client.exportKeyingMaterial('EXPORTER-test', encode('context'), 50);
  expect(server.exportKeyingMaterial('EXPORTER-test', encode('context'), 50)).toEqual(exported);
  expect(client.cipherSuite).toBe(server.cipherSuite);
  clientPeer.handle(client.send(encode('from client')));
  serverPeer.handle(server.send(encode('from server')));
  network.runFor(1000);
  expect(textsOf(serverPeer)).toEqual(['from client']);
  expect(textsOf(clientPeer)).toEqual(['from server']);
}

describe('a client and a server', () => {
  const scenes = CIPHER_SUITES.flatMap((suite) =>
    NAMED_GROUPS.flatMap((group) =>
      (['prefer', 'require', 'never'] as const).map((policy) => ({ suite, group, policy, name: suite.name })),
    ),
  );

  it.each(scenes)('connect with $name, $group.name, extended master secret: $policy', ({ suite, group, policy }) => {
    const certificate = certificateOf(suite.certificateKind, 'server');
    const options: SideOptions = { cipherSuites: [suite.id], groups: [group.id], extendedMasterSecret: policy };
    const path = startPair(makePair(options, { ...options, certificate }), { seed: 1, delayMs: 10 });
    expect(untilConnected(path)).toBe(true);
    expect(path.client.cipherSuite).toBe(suite.name);
    expectWorking(path);
  });

  it.each(kinds.flatMap((client) => kinds.map((server) => ({ client, server }))))(
    'connect with a client of $client and a server of $server',
    ({ client, server }) => {
      const pair = makePair({ certificate: certificateOf(client, 'a') }, { certificate: certificateOf(server, 'b') });
      const path = startPair(pair, { seed: 1 });
      expect(untilConnected(path)).toBe(true);
      expect(connectedOf(path.clientPeer)?.remoteCertificate).toEqual(certificateOf(server, 'b').der);
      expect(connectedOf(path.serverPeer)?.remoteCertificate).toEqual(certificateOf(client, 'a').der);
      expectWorking(path);
    },
  );

  it.each([
    ['prefer', 'never', true],
    ['never', 'prefer', true],
    ['require', 'never', false],
    ['never', 'require', false],
    ['require', 'prefer', true],
  ] as const)('with extended master secrets of %s and %s connect: %s', (client, server, connects) => {
    const pair = makePair({ extendedMasterSecret: client }, { extendedMasterSecret: server });
    expect(untilConnected(startPair(pair, { seed: 1 }))).toBe(connects);
  });

  it.each([
    [[7, 1], [1, 7], 1],
    [[8], [7, 8, 2], 8],
    [[2], [2], 2],
    [[7], [1], undefined],
    [[], [1], undefined],
    [[1], [], undefined],
  ])('with SRTP profiles %j and %j agree on %j', (client, server, expected) => {
    const path = startPair(makePair({ srtpProfiles: client }, { srtpProfiles: server }), { seed: 1 });
    expect(untilConnected(path)).toBe(true);
    expect(connectedOf(path.clientPeer)?.srtpProfile).toBe(expected);
    expectWorking(path);
  });

  it.each([
    ['cipher suite', { cipherSuites: [0xc02b] }, { cipherSuites: [0xc02c] }],
    ['suite for the certificate', { cipherSuites: [0xc02f] }, {}],
    ['group', { groups: [29] }, { groups: [23] }],
  ])('fail without a common %s', (_, client, server) => {
    const path = startPair(makePair(client, server), { seed: 1 });
    expect(untilConnected(path)).toBe(false);
    expect(failureOf(path.serverPeer)).toBe('dtls/no-common-parameters');
    expect(failureOf(path.clientPeer)).toBe('dtls/peer-alert');
  });

  it('take the choice of the server among suites and groups', () => {
    const path = startPair(makePair({ cipherSuites: [0xc02b, 0xc02c, 0xcca9] }, { cipherSuites: [0xcca9, 0xc02b] }), {
      seed: 1,
    });
    expect(untilConnected(path)).toBe(true);
    expect(path.client.cipherSuite).toBe('ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256');
  });

  it('connect without a certificate of the client when none is required', () => {
    const path = startPair(makePair({}, { requireClientCertificate: false }), { seed: 1 });
    expect(untilConnected(path)).toBe(true);
    expect(connectedOf(path.serverPeer)?.remoteCertificate).toBeUndefined();
    expectWorking(path);
  });

  it.each([64, 65, 100, 128, 200, 333, 576, 1200, 65_507])('connect in datagrams of at most %d bytes', (mtu) => {
    const certificate = certificateOf('rsa', 'server');
    const largest = { value: 0 };
    const path = startPair(makePair({ mtu, certificate }, { mtu, certificate }), { seed: 1 }, (made) => {
      for (const link of [made.toServer, made.toClient]) {
        link.intercept = (bytes) => {
          largest.value = Math.max(largest.value, bytes.length);
          return [bytes];
        };
      }
    });
    expect(untilConnected(path)).toBe(true);
    expect(largest.value).toBeLessThanOrEqual(mtu);
    expectWorking(path);
  });

  it('take each record from a datagram of its own and from one with all', () => {
    const path = startPair(makePair({ mtu: 64 }, { mtu: 64 }), { seed: 1, delayMs: 50 }, (made) => {
      // Joined until a pause: the whole flight is one datagram.
      for (const link of [made.toServer, made.toClient]) {
        const waiting: Uint8Array[] = [];
        link.intercept = (bytes) => {
          waiting.push(bytes);
          if (waiting.length === 1) {
            made.network.schedule(1, () => link.onDatagram?.(Buffer.concat(waiting.splice(0)), made.network.nowMs));
          }
          return [];
        };
      }
    });
    expect(untilConnected(path)).toBe(true);
  });
});

describe('fingerprints', () => {
  it.each(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512'] as const)('may be of %s', (algorithm) => {
    const [client, server] = [certificateOf('rsa', 'a'), certificateOf('ecdsa-p256', 'b')];
    const pair = makePair(
      { certificate: client, expectedFingerprints: [server.fingerprint(algorithm)] },
      { certificate: server, expectedFingerprints: [client.fingerprint(algorithm)] },
    );
    expect(untilConnected(startPair(pair, { seed: 1 }))).toBe(true);
  });

  it('may come after the handshake, and then what was sent meanwhile', () => {
    const path = startPair(makePair({ expectedFingerprints: undefined }), { seed: 1, delayMs: 10 });
    const { client, server, clientPeer, serverPeer, network } = path;
    network.runFor(2000);
    expect([client.state, server.state]).toEqual(['connecting', 'connected']);
    serverPeer.handle(server.send(encode('early')));
    network.runFor(2000);
    expect(clientPeer.events).toEqual([]);
    expect(() => client.send(encode('early'))).toThrow();
    clientPeer.handle(client.setRemoteFingerprints([certificateOf('ecdsa-p256', 'server').fingerprint('sha-256')]));
    expect(clientPeer.events.map(({ type }) => type)).toEqual(['connected', 'data']);
    expect(client.nextTimeoutMs()).toBeUndefined();
  });

  it('that come late and are wrong fail the session', () => {
    const path = startPair(makePair({}, { expectedFingerprints: undefined }), { seed: 1 });
    const { server, serverPeer, clientPeer, network } = path;
    network.runFor(2000);
    serverPeer.handle(server.setRemoteFingerprints([certificateOf('ecdsa-p256', 'server').fingerprint('sha-256')]));
    network.runFor(2000);
    expect(failureOf(serverPeer)).toBe('dtls/fingerprint-mismatch');
    expect(failureOf(clientPeer)).toBe('dtls/peer-alert');
  });

  it('that come during the handshake are compared then', () => {
    const path = startPair(makePair({ expectedFingerprints: undefined }), { seed: 1, delayMs: 10 });
    path.network.runFor(15);
    path.clientPeer.handle(
      path.client.setRemoteFingerprints([certificateOf('ecdsa-p256', 'server').fingerprint('sha-1')]),
    );
    expect(untilConnected(path)).toBe(true);
  });

  it('that never come fail the session in its time', () => {
    const path = startPair(makePair({ expectedFingerprints: undefined, handshakeTimeoutMs: 7000 }), { seed: 1 });
    path.network.runFor(6999);
    expect(path.client.state).toBe('connecting');
    path.network.runFor(2);
    expect(failureOf(path.clientPeer)).toBe('dtls/timeout');
  });
});

describe('commands', () => {
  it('refuse what has no place', () => {
    const { client, server } = makePair();
    expect(() => client.send(encode('x'))).toThrow('send while new');
    expect(() => client.exportKeyingMaterial('EXPORTER-a', undefined, 1)).toThrow('while new');
    client.start(0);
    expect(() => client.start(0)).toThrow('start while connecting');
    expect(server.receive(new Uint8Array(100), 0)).toEqual([]);
    expect(server.close()).toEqual([{ type: 'closed' }]);
    expect(server.close()).toEqual([]);
    expect(server.send(encode('x'))).toEqual([]);
    expect(() => server.start(0)).toThrow('start while closed');
  });

  it.each([
    ['an unknown suite', { cipherSuites: [0x002f] }],
    ['no suite', { cipherSuites: [] }],
    ['suites for another certificate', { cipherSuites: [0xc02f] }],
    ['an unknown group', { groups: [24] }],
    ['an unknown SRTP profile', { srtpProfiles: [5] }],
    ['an MTU that is too small', { mtu: 63 }],
    ['an MTU that is none', { mtu: Number.NaN }],
    ['no time', { initialRetransmissionMs: 0 }],
  ])('refuse %s', (_, options) => {
    expect(() => makePair({}, options)).toThrow(expect.objectContaining({ code: 'dtls/bad-option' }));
  });

  it('refuse records and labels that must not be', () => {
    const path = startPair(makePair(), { seed: 1 });
    expect(untilConnected(path)).toBe(true);
    expect(() => path.client.send(new Uint8Array(16_385))).toThrow('16385');
    expect(() => path.client.exportKeyingMaterial('master secret', undefined, 48)).toThrow('not for exports');
    const context = new Uint8Array(65_536);
    expect(() => path.client.exportKeyingMaterial('EXPORTER-a', context, 1)).toThrow('not for exports');
    expect(() => path.client.setRemoteFingerprints([])).toThrow('while connected');
    path.clientPeer.handle(path.client.send(new Uint8Array(16_384)));
    path.network.runFor(10);
    expect(path.serverPeer.events.at(-1)).toMatchObject({ type: 'data', bytes: { length: 16_384 } });
  });

  it('close both sides once', () => {
    const path = startPair(makePair(), { seed: 1, delayMs: 5 });
    expect(untilConnected(path)).toBe(true);
    path.serverPeer.handle(path.server.close());
    path.network.runFor(100);
    for (const peer of [path.clientPeer, path.serverPeer]) {
      expect(peer.events.map(({ type }) => type)).toEqual(['connected', 'closed']);
      expect(peer.nextTimeoutMs()).toBeUndefined();
    }
  });

  it('close during the handshake', () => {
    const path = startPair(makePair(), { seed: 1, delayMs: 5 });
    path.network.runFor(12);
    path.clientPeer.handle(path.client.close());
    path.network.runFor(100);
    expect([path.client.state, path.server.state]).toEqual(['closed', 'closed']);
  });
});

describe('a hello of Chromium, which is too long for one datagram', () => {
  const capture = readFileSync(join(import.meta.dirname, '../../corpus/dtls/chromium-client-ecdsa.bin'));
  const datagrams: Uint8Array[] = [];
  for (let at = 1; at < capture.length; ) {
    const end = at + 2 + capture.readUInt16BE(at);
    datagrams.push(new Uint8Array(capture.subarray(at + 2, end)));
    at = end;
  }

  it.each([
    ['in order', [0, 1]],
    ['in reverse order', [1, 0]],
    ['with each datagram doubled', [0, 0, 1, 1]],
  ])('is answered with DTLS 1.2 when it comes %s', (_, order) => {
    const { server } = makePair();
    server.start(0);
    const answers = order.map((i, nowMs) => server.receive(datagrams[i]!, nowMs));
    const sent = answers.flat().filter(({ type }) => type === 'send');
    expect(sent).toHaveLength(1);
    expect(answers[0]).toEqual([]);
  });
});
