import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientHandshake } from './client-handshake.ts';
import {
  equalInConstantTime,
  findDigest,
  HANDSHAKE_SIZE,
  type HandshakeCrypto,
  isSignedEcho,
  writeDigest,
} from './handshake-digest.ts';
import {
  type HandshakeEvent,
  type HandshakeKind,
  RTMP_MAX_PROXY_HEADER_BYTES,
  ServerHandshake,
} from './server-handshake.ts';

const joinBytes = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Cuts `bytes` into pieces at the given positions (any numbers). */
function cutAt(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...cuts, bytes.length].map((cut, i) => bytes.slice(i === 0 ? 0 : cuts[i - 1], cut));
}

/** Real HMAC, "random" bytes that are the same in every run. */
function testCrypto(seed = 1): HandshakeCrypto {
  let state = seed;
  return {
    hmacSha256: (key, message) => createHmac('sha256', key).update(message).digest(),
    randomBytes: (size) =>
      Uint8Array.from({ length: size }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state >>> 24;
      }),
  };
}

const KINDS: readonly HandshakeKind[] = ['simple', 'complex-schema-0', 'complex-schema-1'];

const sentOf = (events: readonly HandshakeEvent[]): Uint8Array =>
  joinBytes(events.flatMap((event) => (event.type === 'send' ? [event.bytes] : [])));

/** The whole conversation of a client and a server handshake with `rest` behind C2, the client's bytes cut up. */
function shake(kind: HandshakeKind, rest: Uint8Array, cuts: readonly number[], prefix: Uint8Array = new Uint8Array(0)) {
  const client = new ClientHandshake(testCrypto(2), kind);
  const server = new ServerHandshake(testCrypto(3));
  const c0c1 = joinBytes([prefix, client.start(1000)]);
  const serverEvents = cutAt(c0c1, cuts).flatMap((piece) => server.receive(piece, 2000));
  const clientEvents = cutAt(sentOf(serverEvents), cuts).flatMap((piece) => client.receive(piece));
  const pieces = cutAt(joinBytes([sentOf(clientEvents), rest]), cuts);
  let isDone = false;
  const leftovers: Uint8Array[] = [];
  for (const piece of pieces) {
    if (isDone) {
      leftovers.push(piece);
      continue;
    }
    for (const event of server.receive(piece, 3000)) {
      serverEvents.push(event);
      if (event.type === 'done') {
        isDone = true;
        leftovers.push(event.rest);
      }
    }
  }
  return { clientEvents, serverEvents, leftover: joinBytes(leftovers), c1: c0c1.subarray(prefix.length + 1) };
}

describe('handshake', () => {
  it.each(KINDS)('%s: both sides agree on the kind, wherever the bytes are cut', (kind) => {
    fc.assert(
      fc.property(fc.array(fc.nat(4000), { maxLength: 8 }), fc.uint8Array({ maxLength: 20 }), (cuts, rest) => {
        const { clientEvents, serverEvents, leftover } = shake(kind, rest, cuts);
        expect(serverEvents.find((event) => event.type === 'done')).toMatchObject({ kind });
        expect(clientEvents.find((event) => event.type === 'done')).toMatchObject({ kind });
        expect(leftover).toEqual(rest);
      }),
      { numRuns: 30 },
    );
  });

  it('simple: answers with version 3, both times, and an echo of C1', () => {
    const { serverEvents, c1 } = shake('simple', new Uint8Array(0), []);
    const sent = sentOf(serverEvents);
    expect(sent.length).toBe(1 + 2 * HANDSHAKE_SIZE);
    expect(sent[0]).toBe(3);
    expect([...sent.subarray(1, 5)]).toEqual([0, 0, 0x07, 0xd0]);
    expect(sent.subarray(5, 9)).toEqual(c1.subarray(0, 4));
    expect(sent.subarray(1 + HANDSHAKE_SIZE)).toEqual(c1);
  });

  it.each([0, 1] as const)('complex: S1 is signed under schema %i like C1, S2 over the digest of C1', (schema) => {
    const crypto = testCrypto();
    const { serverEvents, c1 } = shake(`complex-schema-${schema}`, new Uint8Array(0), []);
    const sent = sentOf(serverEvents);
    const s1 = sent.subarray(1, 1 + HANDSHAKE_SIZE);
    expect(findDigest(crypto, 'server', s1)?.schema).toBe(schema);
    expect([...s1.subarray(4, 8)]).toEqual([1, 0, 5, 4]);
    const digest = findDigest(crypto, 'client', c1)!.digest;
    const s2 = sent.slice(1 + HANDSHAKE_SIZE);
    expect(isSignedEcho(crypto, { side: 'server', digest, packet: s2 })).toBe(true);
    s2[7]! ^= 1;
    expect(isSignedEcho(crypto, { side: 'server', digest, packet: s2 })).toBe(false);
  });

  it('complex: the client signs C2 over the digest of S1', () => {
    const crypto = testCrypto();
    const { serverEvents, clientEvents } = shake('complex-schema-1', new Uint8Array(0), []);
    const digest = findDigest(crypto, 'server', sentOf(serverEvents).subarray(1, 1 + HANDSHAKE_SIZE))!.digest;
    expect(isSignedEcho(crypto, { side: 'client', digest, packet: sentOf(clientEvents) })).toBe(true);
  });

  it('a digest with one wrong bit makes a simple handshake, not an error', () => {
    const c0c1 = new ClientHandshake(testCrypto(2)).start(0);
    c0c1[600]! ^= 1;
    const server = new ServerHandshake(testCrypto(3));
    const events = [...server.receive(c0c1, 0), ...server.receive(new Uint8Array(HANDSHAKE_SIZE), 0)];
    expect(events.at(-1)).toMatchObject({ type: 'done', kind: 'simple' });
  });

  it('a digest is found at every offset its four bytes can say', () => {
    const crypto = testCrypto();
    for (const schema of [0, 1] as const) {
      const at = schema === 0 ? 772 : 8;
      for (const offset of [
        [0, 0, 0, 0],
        [0xff, 0xff, 0xff, 0xff],
        [0xff, 0xff, 0xd9, 0],
        [0xff, 0xff, 0xda, 0],
      ]) {
        const packet = crypto.randomBytes(HANDSHAKE_SIZE);
        packet.set(offset, at);
        const digest = writeDigest(crypto, { side: 'client', schema, packet });
        expect(findDigest(crypto, 'client', packet)).toEqual({ schema, digest });
      }
    }
  });

  it('the client falls back to the plain echo for a server that signs nothing', () => {
    const client = new ClientHandshake(testCrypto(2));
    client.start(0);
    const s1 = testCrypto(9).randomBytes(HANDSHAKE_SIZE);
    const events = client.receive(joinBytes([Uint8Array.of(3), s1, new Uint8Array(HANDSHAKE_SIZE)]));
    expect(sentOf(events)).toEqual(s1);
    expect(events.at(-1)).toMatchObject({ type: 'done', kind: 'simple' });
  });

  it('sends C2 as soon as S1 is there', () => {
    const client = new ClientHandshake(testCrypto(2));
    client.start(0);
    const events = client.receive(joinBytes([Uint8Array.of(3), testCrypto(9).randomBytes(HANDSHAKE_SIZE)]));
    expect(events.map((event) => event.type)).toEqual(['send']);
  });
});

describe('input that is overwritten after the call', () => {
  it('as a Buffer too, changes nothing', () => {
    const client = new ClientHandshake(testCrypto(2));
    const server = new ServerHandshake(testCrypto(3));
    const feed = (bytes: Uint8Array, receive: (piece: Uint8Array) => HandshakeEvent[]): HandshakeEvent[] => {
      const events: HandshakeEvent[] = [];
      for (let at = 0; at < bytes.length; at += 700) {
        const piece = Buffer.from(bytes.subarray(at, at + 700));
        events.push(...receive(piece));
        piece.fill(0);
      }
      return events;
    };
    const answer = feed(client.start(0), (piece) => server.receive(piece, 0));
    const c2 = feed(sentOf(answer), (piece) => client.receive(piece));
    const end = feed(sentOf(c2), (piece) => server.receive(piece, 0));
    expect(c2.at(-1)).toMatchObject({ type: 'done', kind: 'complex-schema-1' });
    expect(end).toMatchObject([{ type: 'done', kind: 'complex-schema-1' }]);
  });
});

describe('handshake of strangers', () => {
  it.each([
    ['RTMPE', 6, 'rtmp/encryption-unsupported'],
    ['RTMPE with Blowfish', 8, 'rtmp/encryption-unsupported'],
    ['RTMPE with XTEA', 9, 'rtmp/encryption-unsupported'],
    ['version 0', 0, 'rtmp/unsupported-version'],
    ['version 4', 4, 'rtmp/unsupported-version'],
    ['TLS', 0x16, 'rtmp/not-rtmp'],
    ['HTTP', 0x47, 'rtmp/not-rtmp'],
  ])('refuses %s with the version we speak', (_name, first, code) => {
    const server = new ServerHandshake(testCrypto());
    const events = server.receive(Uint8Array.of(first, 1, 2, 3), 0);
    expect(events).toMatchObject([
      { type: 'send', bytes: Uint8Array.of(3) },
      { type: 'failed', error: { code } },
    ]);
    expect(server.receive(new Uint8Array(4000), 0)).toEqual([]);
  });

  it('refuses a server of another version', () => {
    const client = new ClientHandshake(testCrypto());
    client.start(0);
    expect(client.receive(Uint8Array.of(6))).toMatchObject([
      { type: 'failed', error: { code: 'rtmp/unsupported-version' } },
    ]);
    expect(client.receive(new Uint8Array(4000))).toEqual([]);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 4000, size: 'max' }),
        fc.array(fc.nat(4000), { maxLength: 4 }),
        (bytes, cuts) => {
          const server = new ServerHandshake(testCrypto());
          const client = new ClientHandshake(testCrypto());
          client.start(0);
          for (const piece of cutAt(bytes, cuts)) {
            server.receive(piece, 0);
            client.receive(piece);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('proxy header', () => {
  const proxied = (...data: number[]): Uint8Array => Uint8Array.of(0xf3, data.length >> 8, data.length & 0xff, ...data);

  it('tells the real address of the client, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4000), { maxLength: 8 }), (cuts) => {
        const { serverEvents } = shake('complex-schema-1', new Uint8Array(0), cuts, proxied(203, 0, 113, 7));
        expect(serverEvents[0]).toEqual({ type: 'proxied', address: '203.0.113.7' });
        expect(serverEvents.at(-1)).toMatchObject({ type: 'done', kind: 'complex-schema-1' });
      }),
      { numRuns: 20 },
    );
  });

  it('may be longer than an address, or empty', () => {
    expect(shake('simple', new Uint8Array(0), [], proxied(1, 2, 3, 4, 5, 6)).serverEvents[0]).toMatchObject({
      address: '1.2.3.4',
    });
    expect(shake('simple', new Uint8Array(0), [], proxied()).serverEvents[0]?.type).toBe('send');
  });

  it('is taken once', () => {
    const server = new ServerHandshake(testCrypto());
    const events = server.receive(joinBytes([proxied(1, 2, 3, 4), proxied(5, 6, 7, 8)]), 0);
    expect(events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'rtmp/unsupported-version' } });
  });

  it('is refused when it is too long', () => {
    const server = new ServerHandshake(testCrypto());
    const size = RTMP_MAX_PROXY_HEADER_BYTES + 1;
    expect(server.receive(Uint8Array.of(0xf3, size >> 8, size & 0xff), 0)).toMatchObject([
      { type: 'failed', error: { code: 'rtmp/proxy-header-too-long' } },
    ]);
  });
});

describe('comparison in constant time', () => {
  it.each([
    ['equal', [1, 2], [1, 2], true],
    ['empty', [], [], true],
    ['different at the start', [0, 2], [1, 2], false],
    ['different at the end', [1, 2], [1, 3], false],
    ['of different length', [1], [1, 2], false],
  ])('%s', (_name, a, b, expected) => {
    expect(equalInConstantTime(Uint8Array.from(a), Uint8Array.from(b))).toBe(expected);
  });
});
