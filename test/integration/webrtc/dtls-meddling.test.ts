import { describe, expect, it } from 'vitest';
import { HandshakeType } from '../../../src/protocol/dtls/handshake-message.ts';
import {
  parseClientHello,
  parseServerHello,
  writeClientHello,
  writeServerHello,
} from '../../../src/protocol/dtls/hello-messages.ts';
import { parseServerKeyExchange, writeServerKeyExchange } from '../../../src/protocol/dtls/key-exchange-messages.ts';
import { joinBytes } from '../../../src/wire/join-bytes.ts';
import { plainMessage, rewriteMessages } from './dtls-forgery.ts';
import { connectedOf, type DtlsPath, failureOf, makePair, startPair, untilConnected, untilOver } from './dtls-kit.ts';

const link = { seed: 1, delayMs: 10 } as const;

/** A path on which somebody changes messages. */
function meddle(
  direction: 'toServer' | 'toClient',
  rewrite: (type: number, body: Uint8Array) => Uint8Array,
  pair = makePair({ mtu: 4000 }, { mtu: 4000 }),
): DtlsPath {
  const path = startPair(pair, link, (made) => {
    made[direction].intercept = (bytes) => [rewriteMessages(bytes, rewrite)];
  });
  untilOver(path);
  expect([connectedOf(path.clientPeer), connectedOf(path.serverPeer)]).toEqual([undefined, undefined]);
  return path;
}

describe('somebody between the two', () => {
  it.each([
    ['DTLS 1.0', 0xfeff],
    ['DTLS 1.3', 0xfefc],
    ['TLS 1.2', 0x0303],
  ])("can't change the version to %s", (_, version) => {
    const path = meddle('toClient', (type, body) => {
      if (type !== HandshakeType.serverHello) return body;
      return writeServerHello({ ...parseServerHello(body)!.hello, version });
    });
    expect(failureOf(path.clientPeer)).toBe('dtls/unsupported-version');
  });

  it.each([
    [0xfeff, 'dtls/unsupported-version'],
    [0x0303, 'dtls/unsupported-version'],
    [0x0000, 'dtls/unsupported-version'],
    [0xfefc, 'dtls/bad-signature'],
  ])("can't change the client's version to %d", (version, code) => {
    const path = meddle('toServer', (type, body) =>
      type === HandshakeType.clientHello ? joinBytes([Uint8Array.of(version >>> 8, version), body.subarray(2)]) : body,
    );
    expect(failureOf(path.serverPeer)).toBe(code);
  });

  it.each([
    ['one that was not offered', 0xc02c, 'dtls/illegal-parameter'],
    ['an unknown one', 0x1301, 'dtls/illegal-parameter'],
    ['one for other certificates', 0xc02f, 'dtls/unsupported-certificate'],
    ['another that was offered', 0xcca9, 'dtls/peer-alert'],
  ])("can't change the suite to %s", (_, cipherSuite, code) => {
    const pair = makePair({ mtu: 4000, cipherSuites: [0xc02b, 0xc02f, 0xcca9] }, { mtu: 4000 });
    const rewrite = (type: number, body: Uint8Array): Uint8Array =>
      type === HandshakeType.serverHello ? writeServerHello({ ...parseServerHello(body)!.hello, cipherSuite }) : body;
    expect(failureOf(meddle('toClient', rewrite, pair).clientPeer)).toBe(code);
  });

  it.each([
    ['compression', { compressionMethod: 1 }, 'dtls/illegal-parameter'],
    ['an SRTP profile that was not offered', { extensions: { srtpProfiles: [8] } }, 'dtls/illegal-parameter'],
    ['two SRTP profiles', { extensions: { srtpProfiles: [7, 1] } }, 'dtls/illegal-parameter'],
    [
      'a master key identifier',
      { extensions: { srtpProfiles: [7], srtpMasterKeyIdentifier: Uint8Array.of(1) } },
      'dtls/illegal-parameter',
    ],
    ['groups', { extensions: { supportedGroups: [29] } }, 'dtls/unsupported-extension'],
    ['versions', { extensions: { supportedVersions: [0xfefc] } }, 'dtls/unsupported-extension'],
    ['a renegotiation', { extensions: { renegotiationInfo: Uint8Array.of(1) } }, 'dtls/illegal-parameter'],
    ['only compressed points', { extensions: { pointFormats: [1] } }, 'dtls/illegal-parameter'],
  ])("can't choose %s", (_, change, code) => {
    const path = meddle('toClient', (type, body) =>
      type === HandshakeType.serverHello ? writeServerHello({ ...parseServerHello(body)!.hello, ...change }) : body,
    );
    expect(failureOf(path.clientPeer)).toBe(code);
  });

  it.each([
    ['the group', { group: 23 }, 'dtls/bad-signature'],
    ['the group to an unknown one', { group: 24 }, 'dtls/illegal-parameter'],
    ['the key', { publicKey: new Uint8Array(32).fill(9) }, 'dtls/bad-signature'],
    ['the scheme', { signed: { scheme: 0x0201, signature: new Uint8Array(70) } }, 'dtls/illegal-parameter'],
    [
      'the scheme to that of another key',
      { signed: { scheme: 0x0401, signature: new Uint8Array(256) } },
      'dtls/illegal-parameter',
    ],
  ])("can't change %s of the server's key exchange", (_, change, code) => {
    const path = meddle('toClient', (type, body) =>
      type === HandshakeType.serverKeyExchange
        ? writeServerKeyExchange({ ...parseServerKeyExchange(body)!, ...change })
        : body,
    );
    expect(failureOf(path.clientPeer)).toBe(code);
  });

  it("can't choose a group for the server that the client has not offered", () => {
    const rewrite = (type: number, body: Uint8Array): Uint8Array =>
      type === HandshakeType.serverKeyExchange
        ? writeServerKeyExchange({ ...parseServerKeyExchange(body)!, group: 23 })
        : body;
    const path = meddle('toClient', rewrite, makePair({ mtu: 4000, groups: [29] }, { mtu: 4000 }));
    expect(failureOf(path.clientPeer)).toBe('dtls/illegal-parameter');
  });

  it.each([
    ['compression', { compressionMethods: [1] }, 'dtls/illegal-parameter'],
    ['a renegotiation', { extensions: { renegotiationInfo: new Uint8Array(12) } }, 'dtls/no-common-parameters'],
    ['compressed points', { extensions: { pointFormats: [1, 2] } }, 'dtls/illegal-parameter'],
    ['only DTLS 1.3', { extensions: { supportedVersions: [0xfefc] } }, 'dtls/unsupported-version'],
    ['no signature algorithms', { extensions: {} }, 'dtls/no-common-parameters'],
    ['only SHA-1', { extensions: { signatureAlgorithms: [0x0203] } }, 'dtls/no-common-parameters'],
  ])("can't ask for %s in the client's name", (_, change, code) => {
    const path = meddle('toServer', (type, body) =>
      type === HandshakeType.clientHello ? writeClientHello({ ...parseClientHello(body)!, ...change }) : body,
    );
    expect(failureOf(path.serverPeer)).toBe(code);
  });

  it("can't take the extended master secret away", () => {
    const path = meddle('toServer', (type, body) => {
      if (type !== HandshakeType.clientHello) return body;
      const at = Buffer.from(body).lastIndexOf(Buffer.of(0, 23, 0, 0));
      return body.with(at, 0x77);
    });
    expect(failureOf(path.serverPeer)).toBe('dtls/bad-signature');
  });

  it('gets nowhere by changing any byte', () => {
    for (const direction of ['toServer', 'toClient'] as const) {
      for (let index = 0; index < 2; index++) {
        for (let at = 0; at < 700; at += 3) {
          const path = startPair(makePair(), link, (made) => {
            made[direction].intercept = (bytes, i) => [
              i === index && at < bytes.length ? bytes.with(at, bytes[at]! ^ (1 << (at & 7))) : bytes,
            ];
          });
          path.network.runFor(200);
          const [atClient, atServer] = [connectedOf(path.clientPeer), connectedOf(path.serverPeer)];
          if (atClient !== undefined && atServer !== undefined) expect(atClient.keys).toEqual(atServer.keys);
        }
      }
    }
  });
});

describe('a Finished message in clear', () => {
  it.each([
    ['toServer', 1],
    ['toClient', 0],
    ['toClient', 5],
  ] as const)('is ignored on its way %s with number %d', (direction, messageSequence) => {
    const path = startPair(makePair({ mtu: 4000 }, { mtu: 4000 }), link, (made) => {
      const message = plainMessage(HandshakeType.finished, messageSequence, new Uint8Array(12));
      made[direction].intercept = (bytes) => [message, bytes, message];
    });
    expect(untilConnected(path)).toBe(true);
  });
});
