import { describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { AlertDescription, AlertLevel } from '../../../src/protocol/dtls/alert.ts';
import { findCipherSuite } from '../../../src/protocol/dtls/cipher-suites.tables.ts';
import type { DtlsCrypto } from '../../../src/protocol/dtls/dtls-crypto.ts';
import type { DtlsSession } from '../../../src/protocol/dtls/dtls-session.ts';
import {
  HandshakeType,
  MAX_HANDSHAKE_MESSAGE_BYTES,
  writeHandshakeFragment,
} from '../../../src/protocol/dtls/handshake-message.ts';
import { ContentType } from '../../../src/protocol/dtls/record.ts';
import { RecordProtection } from '../../../src/protocol/dtls/record-protection.ts';
import { joinBytes } from '../../../src/wire/join-bytes.ts';
import { plainMessage, plainRecord } from './dtls-forgery.ts';
import { type DtlsPath, failureOf, makePair, startPair, textsOf, untilConnected } from './dtls-kit.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const link = { seed: 1, delayMs: 10 } as const;

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

  it('refuses to negotiate anew once, however often it is asked, and takes no other message', () => {
    const keys: Uint8Array[] = [];
    const nonces: Uint8Array[] = [];
    const crypto: DtlsCrypto = {
      ...nodeDtlsCrypto,
      createAead: (name, key) => {
        keys.push(key.slice());
        const aead = nodeDtlsCrypto.createAead(name, key);
        const seal: typeof aead.seal = (nonce, ...rest) => {
          nonces.push(nonce.slice());
          aead.seal(nonce, ...rest);
        };
        return { seal, open: (...sealed) => aead.open(...sealed) };
      },
    };
    const path = startPair(makePair({ crypto, cipherSuites: [0xc02b] }), link);
    expect(untilConnected(path)).toBe(true);
    path.network.runFor(100);
    // The client's key was made first, and its nonces begin with its part of them.
    const traffic = { key: keys[0]!, fixedIv: nonces[0]!.subarray(0, 4) };
    const protection = new RecordProtection(nodeDtlsCrypto, findCipherSuite(0xc02b)!, traffic);
    let sequenceNumber = 1000;
    const answers = (type: number): number => {
      const message = { type, messageSequence: 9, body: new Uint8Array(40) };
      const header = { contentType: ContentType.handshake, epoch: 1, sequenceNumber: sequenceNumber++ };
      const record = protection.seal(header, writeHandshakeFragment(message, 0, 40));
      return path.server.receive(record, path.network.nowMs).length;
    };
    const { clientHello, certificate, certificateVerify, clientKeyExchange } = HandshakeType;
    expect([clientHello, clientHello, clientHello].map(answers)).toEqual([1, 0, 0]);
    expect([certificate, clientKeyExchange, certificateVerify, 77].map(answers)).toEqual([0, 0, 0, 0]);
    expect([path.server.state, path.server.dropped.unauthentic]).toEqual(['connected', 0]);
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
