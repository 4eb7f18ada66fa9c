import { describe, expect, it } from 'vitest';
import { nodeDtlsCrypto } from '../../../src/io/dtls-crypto.ts';
import { writeCertificates } from '../../../src/protocol/dtls/certificate-messages.ts';
import { CIPHER_SUITES } from '../../../src/protocol/dtls/cipher-suites.tables.ts';
import { ClientHandshake, MAX_HELLO_VERIFY_REQUESTS } from '../../../src/protocol/dtls/client-handshake.ts';
import { type HandshakeMessage, HandshakeType } from '../../../src/protocol/dtls/handshake-message.ts';
import type { Handshake, HandshakeOptions, HandshakeStep } from '../../../src/protocol/dtls/handshake-step.ts';
import { writeHelloVerifyRequest } from '../../../src/protocol/dtls/hello-messages.ts';
import { NAMED_GROUPS } from '../../../src/protocol/dtls/named-groups.tables.ts';
import { ServerHandshake } from '../../../src/protocol/dtls/server-handshake.ts';
import { ProtocolError } from '../../../src/wire/errors.ts';
import { certificateOf } from './dtls-kit.ts';

function optionsOf(side: 'client' | 'server'): HandshakeOptions {
  return {
    crypto: nodeDtlsCrypto,
    certificate: certificateOf('ecdsa-p256', side),
    cipherSuites: CIPHER_SUITES,
    groups: NAMED_GROUPS,
    srtpProfiles: [],
    extendedMasterSecret: 'prefer',
    requiresClientCertificate: true,
    firstMessageSequence: 0,
  };
}

function messagesOf(step: HandshakeStep | ProtocolError): readonly HandshakeMessage[] {
  if (step instanceof ProtocolError) throw step;
  return (step.flight ?? []).flatMap((item) => (item.type === 'message' ? [item.message] : []));
}

/** A handshake that has been given the first `count` messages of its peer, and the one that would come next. */
function handshakeAfter(
  side: 'client' | 'server',
  count: number,
): { handshake: Handshake; next: HandshakeMessage | undefined } {
  const client = new ClientHandshake(optionsOf('client'));
  const server = new ServerHandshake(optionsOf('server'));
  const given = { client: 0, server: 0 };
  const toServer = [...messagesOf(client.start())];
  const toClient: HandshakeMessage[] = [];
  for (;;) {
    const isDone = given[side] === count;
    if (isDone) {
      const queue = side === 'client' ? toClient : toServer;
      if (queue.length > 0 || toServer.length + toClient.length === 0)
        return { handshake: side === 'client' ? client : server, next: queue[0] };
    }
    if (toServer.length > 0 && !(isDone && side === 'server')) {
      toClient.push(...messagesOf(server.receive(toServer.shift()!)));
      given.server++;
    } else {
      toServer.push(...messagesOf(client.receive(toClient.shift()!)));
      given.client++;
    }
  }
}

describe.each([
  ['client', 6],
  ['server', 5],
] as const)('a %s', (side, messageCount) => {
  it('takes its messages in their order', () => {
    const types = Array.from({ length: messageCount }, (_, count) => handshakeAfter(side, count).next?.type);
    const { clientHello, serverHello, certificate, serverKeyExchange, certificateRequest } = HandshakeType;
    const { serverHelloDone, certificateVerify, clientKeyExchange, finished } = HandshakeType;
    expect(types).toEqual(
      side === 'client'
        ? [serverHello, certificate, serverKeyExchange, certificateRequest, serverHelloDone, finished]
        : [clientHello, certificate, clientKeyExchange, certificateVerify, finished],
    );
  });

  it('takes no other message at any point', () => {
    for (let count = 0; count <= messageCount; count++) {
      const { handshake, next } = handshakeAfter(side, count);
      for (let type = 0; type < 256; type++) {
        const isOptional =
          (next?.type === HandshakeType.certificateRequest && type === HandshakeType.serverHelloDone) ||
          (side === 'client' && count === 0 && type === HandshakeType.helloVerifyRequest);
        if (type === next?.type || isOptional) continue;
        const answer = handshake.receive({ type, messageSequence: count, body: next?.body ?? new Uint8Array() });
        expect(answer, `message ${type} after ${count}`).toMatchObject({ code: 'dtls/unexpected-message' });
      }
    }
  });

  it('refuses every message that is cut short, and those with more than there should be', () => {
    for (let count = 0; count < messageCount; count++) {
      const { next } = handshakeAfter(side, count);
      const step = Math.max(1, Math.floor(next!.body.length / 40));
      for (let length = 0; length < next!.body.length; length += step) {
        const { handshake } = handshakeAfter(side, count);
        const answer = handshake.receive({ ...next!, body: next!.body.subarray(0, length) });
        // A hello without any extensions is whole as well; a signature that is cut is wrong.
        if (count === 0 && !(answer instanceof ProtocolError)) continue;
        expect(answer, `message ${count} cut to ${length}`).toBeInstanceOf(ProtocolError);
      }
      const { handshake } = handshakeAfter(side, count);
      const longer = new Uint8Array(next!.body.length + 1);
      longer.set(next!.body);
      expect(handshake.receive({ ...next!, body: longer }), `message ${count} with more`).toBeInstanceOf(ProtocolError);
    }
  });
});

describe.each(['client', 'server'] as const)('a %s', (side) => {
  it.each([
    ['none', [], 'dtls/no-certificate'],
    ['one that is not X.509', [new Uint8Array(100)], 'dtls/unsupported-certificate'],
    ['one that is cut', [certificateOf('ecdsa-p256', 'client').der.subarray(0, 200)], 'dtls/unsupported-certificate'],
  ])('refuses certificates: %s', (_, certificates, code) => {
    const { handshake, next } = handshakeAfter(side, 1);
    expect(handshake.receive({ ...next!, body: writeCertificates(certificates) })).toMatchObject({ code });
  });
});

describe('a client', () => {
  it('answers a few HelloVerifyRequests, each with the cookie', () => {
    const { handshake } = handshakeAfter('client', 0);
    const receive = (cookie: number): HandshakeStep | ProtocolError =>
      handshake.receive({
        type: HandshakeType.helloVerifyRequest,
        messageSequence: cookie,
        body: writeHelloVerifyRequest(0xfeff, new Uint8Array(32).fill(cookie)),
      });
    for (let i = 1; i <= MAX_HELLO_VERIFY_REQUESTS; i++) {
      const [hello] = messagesOf(receive(i));
      expect(Buffer.from(hello!.body).includes(Buffer.alloc(32, i))).toBe(true);
      expect(hello!.messageSequence).toBe(i);
    }
    expect(receive(9)).toMatchObject({ code: 'dtls/unexpected-message' });
  });
});
