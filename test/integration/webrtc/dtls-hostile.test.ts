import { describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { AlertDescription, AlertLevel } from '../../../src/protocol/dtls/alert.ts';
import { DtlsCertificate } from '../../../src/protocol/dtls/dtls-certificate.ts';
import type { DtlsCrypto } from '../../../src/protocol/dtls/dtls-crypto.ts';
import type { DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import {
  HandshakeType,
  MAX_HANDSHAKE_MESSAGE_BYTES,
  parseHandshakeFragments,
  writeHandshakeFragment,
} from '../../../src/protocol/dtls/handshake-message.ts';
import { parseServerHello, writeServerHello } from '../../../src/protocol/dtls/hello-messages.ts';
import { parseServerKeyExchange, writeServerKeyExchange } from '../../../src/protocol/dtls/key-exchange-messages.ts';
import { ContentType, parseRecord, RECORD_HEADER_BYTES, writeRecordHeader } from '../../../src/protocol/dtls/record.ts';
import { joinBytes } from '../../../src/wire/join-bytes.ts';
import {
  certificateOf,
  connectedOf,
  type DtlsPath,
  failureOf,
  makePair,
  startPair,
  textsOf,
  untilConnected,
  untilOver,
} from './dtls-kit.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const link = { seed: 1, delayMs: 10 } as const;

/** A record in clear. */
function plainRecord(contentType: number, fragment: Uint8Array, sequenceNumber = 1000, epoch = 0): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER_BYTES + fragment.length);
  writeRecordHeader(record, { contentType, epoch, sequenceNumber }, fragment.length);
  record.set(fragment, RECORD_HEADER_BYTES);
  return record;
}

function plainMessage(type: number, messageSequence: number, body: Uint8Array): Uint8Array {
  return plainRecord(ContentType.handshake, writeHandshakeFragment({ type, messageSequence, body }, 0, body.length));
}

/** Changes the bodies of handshake messages in clear that come whole, and leaves everything else. */
function rewriteMessages(datagram: Uint8Array, rewrite: (type: number, body: Uint8Array) => Uint8Array): Uint8Array {
  const records: Uint8Array[] = [];
  for (let at = 0; at < datagram.length; ) {
    const record = parseRecord(datagram, at)!;
    const end = at + RECORD_HEADER_BYTES + record.fragment.length;
    if (record.epoch === 0 && record.contentType === ContentType.handshake) {
      const messages = parseHandshakeFragments(record.fragment).fragments.map(({ type, messageSequence, body }) => {
        const rewritten = rewrite(type, body);
        return writeHandshakeFragment({ type, messageSequence, body: rewritten }, 0, rewritten.length);
      });
      records.push(plainRecord(ContentType.handshake, joinBytes(messages), record.sequenceNumber));
    } else {
      records.push(datagram.subarray(at, end));
    }
    at = end;
  }
  return joinBytes(records);
}

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

/** A crypto that lies about its Finished messages. */
function forgingFinished(side: 'client' | 'server'): DtlsCrypto {
  return {
    ...nodeDtlsCrypto,
    hmac: (hash, key) => {
      const hmac = nodeDtlsCrypto.hmac(hash, key);
      return (message) => {
        const output = hmac(message);
        if (Buffer.from(message).includes(`${side} finished`)) output[0]! ^= 1;
        return output;
      };
    },
  };
}

/** A certificate whose owner has another key. */
function stolen(name: string): DtlsCertificate {
  const { der } = certificateOf('ecdsa-p256', name);
  const { privateKey } = certificateOf('ecdsa-p256', 'thief');
  return new DtlsCertificate({ crypto: nodeDtlsCrypto, der, privateKey });
}

describe('a peer that is not who it should be', () => {
  it.each(['client', 'server'])('is refused: a %s with another certificate', (side) => {
    const other = [certificateOf('ecdsa-p256', 'other').fingerprint('sha-256')];
    const pair =
      side === 'client' ? makePair({}, { expectedFingerprints: other }) : makePair({ expectedFingerprints: other });
    const path = startPair(pair, link);
    untilOver(path);
    const [bad, good] = side === 'client' ? [path.clientPeer, path.serverPeer] : [path.serverPeer, path.clientPeer];
    expect(failureOf(good)).toBe('dtls/fingerprint-mismatch');
    expect(failureOf(bad)).toBe('dtls/peer-alert');
    expect(connectedOf(good)).toBeUndefined();
  });

  it.each([
    ['of another hash', 'sha-512', undefined],
    ['of an unknown hash', 'md5', undefined],
    ['cut short', 'sha-256', 31],
    ['that is empty', 'sha-256', 0],
  ])('is refused by a fingerprint %s', (_, algorithm, sizeBytes) => {
    const value = certificateOf('ecdsa-p256', 'server').fingerprint('sha-256').value.subarray(0, sizeBytes);
    const path = startPair(makePair({ expectedFingerprints: [{ algorithm, value }] }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/fingerprint-mismatch');
  });

  it('is refused by an empty list of fingerprints', () => {
    const path = startPair(makePair({ expectedFingerprints: [] }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/fingerprint-mismatch');
  });

  it('is refused by the strongest fingerprint though a weaker one matches', () => {
    const server = certificateOf('ecdsa-p256', 'server');
    const other = certificateOf('ecdsa-p256', 'other');
    const expectedFingerprints = [server.fingerprint('sha-1'), other.fingerprint('sha-512')];
    const path = startPair(makePair({ expectedFingerprints }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/fingerprint-mismatch');
  });

  it('is taken by one of several fingerprints', () => {
    const certificates = ['other', 'server', 'third'].map((name) => certificateOf('ecdsa-p256', name));
    const expectedFingerprints = certificates.map((certificate) => certificate.fingerprint('sha-256'));
    expect(untilConnected(startPair(makePair({ expectedFingerprints }), link))).toBe(true);
  });

  it("is refused: a server with another's certificate (ServerKeyExchange)", () => {
    const path = startPair(makePair({}, { certificate: stolen('server') }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/bad-signature');
  });

  it("is refused: a client with another's certificate (CertificateVerify)", () => {
    const path = startPair(makePair({ certificate: stolen('client') }), link);
    untilOver(path);
    expect(failureOf(path.serverPeer)).toBe('dtls/bad-signature');
    expect(connectedOf(path.serverPeer)).toBeUndefined();
  });

  it.each([0, 1, 8, 72, 300])('is refused with a made up signature of %d bytes', (sizeBytes) => {
    const { der } = certificateOf('ecdsa-p256', 'server');
    const privateKey = { kind: 'ecdsa-p256', sign: () => new Uint8Array(sizeBytes).fill(0x30) } as const;
    const certificate = new DtlsCertificate({ crypto: nodeDtlsCrypto, der, privateKey });
    for (const pair of [makePair({}, { certificate }), makePair({ certificate })]) {
      const path = startPair(pair, link);
      untilOver(path);
      expect([failureOf(path.clientPeer), failureOf(path.serverPeer)]).toContain('dtls/bad-signature');
    }
  });

  it.each([
    ['client', 'serverPeer'],
    ['server', 'clientPeer'],
  ] as const)('is refused: a %s whose Finished message is forged', (side, victim) => {
    const forged = { crypto: forgingFinished(side) };
    const path = startPair(side === 'client' ? makePair(forged) : makePair({}, forged), link);
    untilOver(path);
    expect(failureOf(path[victim])).toBe('dtls/bad-finished');
    expect(connectedOf(path[victim])).toBeUndefined();
  });
});

describe('a public key that is none', () => {
  const p256 = 23;
  const offCurve = joinBytes([Uint8Array.of(4), new Uint8Array(64).fill(7)]);
  const infinity = Uint8Array.of(0);
  const compressed = joinBytes([Uint8Array.of(2), new Uint8Array(32).fill(3)]);

  it.each([
    ['zero', 29, new Uint8Array(32)],
    ['of low order', 29, new Uint8Array(32).with(0, 1)],
    ['the field prime', 29, new Uint8Array(32).fill(0xff).with(0, 0xed).with(31, 0x7f)],
    ['short', 29, new Uint8Array(31).fill(9)],
    ['long', 29, new Uint8Array(33).fill(9)],
    ['empty', 29, new Uint8Array()],
    ['off the curve', p256, offCurve],
    ['the point at infinity', p256, infinity],
    ['compressed', p256, compressed],
    ['all zeros', p256, new Uint8Array(65)],
    ['empty', p256, new Uint8Array()],
  ])('is refused: %s, group %d', (_, group, publicKey) => {
    const crypto: DtlsCrypto = {
      ...nodeDtlsCrypto,
      createKeyExchange: () => ({ publicKey, deriveSharedSecret: () => new Uint8Array(32).fill(1) }),
    };
    const groups = [group];
    for (const [pair, victim] of [
      [makePair({ groups, crypto }, { groups }), 'serverPeer'],
      [makePair({ groups }, { groups, crypto }), 'clientPeer'],
    ] as const) {
      const path = startPair(pair, link);
      untilOver(path);
      expect(failureOf(path[victim])).toBe('dtls/illegal-parameter');
    }
  });

  it('is refused though the crypto port does not notice', () => {
    const crypto: DtlsCrypto = {
      ...nodeDtlsCrypto,
      createKeyExchange: () => ({ publicKey: new Uint8Array(32), deriveSharedSecret: () => new Uint8Array(32) }),
    };
    const path = startPair(makePair({ crypto }, { crypto }), link);
    untilOver(path);
    expect(failureOf(path.clientPeer)).toBe('dtls/illegal-parameter');
  });
});

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

describe('a connected session', () => {
  const connect = (): DtlsPath => {
    const path = startPair(makePair(), link);
    expect(untilConnected(path)).toBe(true);
    path.network.runFor(100);
    return path;
  };

  it('ignores everything in clear', () => {
    const path = connect();
    const bytes = [
      plainRecord(ContentType.alert, Uint8Array.of(AlertLevel.fatal, AlertDescription.handshakeFailure)),
      plainRecord(ContentType.alert, Uint8Array.of(AlertLevel.warning, AlertDescription.closeNotify)),
      plainRecord(ContentType.applicationData, encode('in clear')),
      plainRecord(ContentType.changeCipherSpec, Uint8Array.of(1)),
      ...Object.values(HandshakeType).map((type) => plainMessage(type, 9, new Uint8Array(40))),
      plainMessage(HandshakeType.clientHello, 0, new Uint8Array(100)),
    ];
    for (const session of [path.client, path.server]) {
      const before = session.dropped.untimely;
      for (const datagram of bytes) expect(session.receive(datagram, path.network.nowMs)).toEqual([]);
      expect(session.receive(joinBytes(bytes), path.network.nowMs)).toEqual([]);
      expect(session.dropped.untimely - before).toBe(2 * bytes.length);
      expect(session.state).toBe('connected');
    }
  });

  it('takes each record once, in any order within the window', () => {
    const { client, server, network } = connect();
    const datagrams = Array.from({ length: 300 }, (_, i) => {
      const [event] = client.send(encode(String(i)));
      return event?.type === 'send' ? event.bytes : new Uint8Array();
    });
    const receive = (i: number): number => server.receive(datagrams[i]!, network.nowMs).length;
    expect([5, 3, 4, 5, 3, 4].map(receive)).toEqual([1, 1, 1, 0, 0, 0]);
    expect(server.dropped.replayed).toBe(3);
    expect([150, 149, 23, 22, 150].map(receive)).toEqual([1, 1, 1, 0, 0]);
    expect([299, 299, 151].map(receive)).toEqual([1, 0, 0]);
  });

  it('drops altered records and those of other epochs, and goes on', () => {
    const path = connect();
    const { client, server, clientPeer, serverPeer, network } = path;
    const [event] = client.send(encode('data'));
    const bytes = event?.type === 'send' ? event.bytes : new Uint8Array();
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        expect(server.receive(bytes.with(at, bytes[at]! ^ (1 << bit)), network.nowMs)).toEqual([]);
      }
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(server.receive(bytes.subarray(0, length), network.nowMs)).toEqual([]);
    }
    expect(server.receive(bytes, network.nowMs)).toHaveLength(1);
    clientPeer.handle(client.send(encode('more')));
    network.runFor(100);
    expect(textsOf(serverPeer)).toEqual(['more']);
  });

  it('fails by a fatal alert of the peer in epoch 1', () => {
    // What a client says that finds out late who its peer is.
    const late = startPair(makePair({ expectedFingerprints: undefined }), link);
    late.network.runFor(500);
    expect(late.server.state).toBe('connected');
    late.clientPeer.handle(late.client.setRemoteFingerprints([]));
    late.network.runFor(500);
    expect(failureOf(late.serverPeer)).toBe('dtls/peer-alert');
  });
});

describe('a handshake without end', () => {
  const makeServer = (): DtlsSession => {
    const { server } = makePair();
    server.start(0);
    return server;
  };
  const fragment = (
    messageSequence: number,
    at: { readonly messageBytes: number; readonly offset: number; readonly sizeBytes: number },
    type: number = HandshakeType.clientHello,
  ): Uint8Array => {
    const bytes = new Uint8Array(12 + at.sizeBytes);
    bytes.set([type, at.messageBytes >>> 16, at.messageBytes >>> 8, at.messageBytes]);
    bytes.set([messageSequence >>> 8, messageSequence, at.offset >>> 16, at.offset >>> 8, at.offset], 4);
    bytes.set([at.sizeBytes >>> 16, at.sizeBytes >>> 8, at.sizeBytes], 9);
    return plainRecord(ContentType.handshake, bytes);
  };

  it('fails by a message that is too large', () => {
    const server = makeServer();
    const events = server.receive(
      fragment(0, { messageBytes: MAX_HANDSHAKE_MESSAGE_BYTES + 1, offset: 0, sizeBytes: 1 }),
      1,
    );
    expect(events).toMatchObject([{ type: 'send' }, { type: 'failed', error: { code: 'dtls/too-large' } }]);
    expect(server.receive(fragment(0, { messageBytes: 10, offset: 0, sizeBytes: 10 }), 2)).toEqual([]);
  });

  it('keeps nothing of messages far ahead, and answers none', () => {
    const server = makeServer();
    for (let i = 1; i < 2000; i++) {
      const at = { messageBytes: 30_000, offset: i, sizeBytes: 1 };
      expect(server.receive(fragment(i & 0xffff, at, HandshakeType.certificate), i)).toEqual([]);
    }
    expect(server.dropped.malformed).toBeGreaterThan(1900);
  });

  it('fails when it takes too long, however busy the peer is', () => {
    const server = makeServer();
    let nowMs = 0;
    while (server.state === 'connecting') {
      nowMs += 100;
      server.receive(fragment(0, { messageBytes: 20_000, offset: nowMs, sizeBytes: 1 }), nowMs);
      server.handleTimeout(nowMs);
    }
    expect(nowMs).toBe(30_000);
  });

  it('answers repeated hellos only so often', () => {
    const { client, server } = makePair();
    server.start(0);
    const hello = client.start(0)[0]!;
    if (hello.type !== 'send') throw new TypeError('no hello');
    let sent = 0;
    for (let nowMs = 0; nowMs < 1000; nowMs++) {
      sent += server.receive(hello.bytes, nowMs).filter(({ type }) => type === 'send').length;
    }
    expect(sent).toBeLessThanOrEqual(20);
  });

  it('keeps no more than a few records that come before their time', () => {
    const server = makeServer();
    for (let i = 0; i < 1000; i++) {
      server.receive(plainRecord(ContentType.applicationData, new Uint8Array(1000), i, 1), i);
    }
    expect(server.dropped.untimely).toBe(984);
  });
});
