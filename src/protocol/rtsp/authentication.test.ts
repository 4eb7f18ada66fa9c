import { createHash, timingSafeEqual } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAuthorization, parseChallenges, RTSP_MAX_CHALLENGES } from './authentication-header.ts';
import { ClientAuthenticator } from './client-authentication.ts';
import {
  type AuthenticationCrypto,
  type DigestInput,
  type DigestSecret,
  digestResponse,
  parseAlgorithm,
} from './digest.ts';
import { NonceSource, RTSP_MAX_COUNTED_NONCES, RTSP_NONCE_LIFETIME_MS } from './nonce-source.ts';
import {
  type AuthenticationMethod,
  ServerAuthenticator,
  type ServerAuthenticatorOptions,
} from './server-authentication.ts';

const crypto: AuthenticationCrypto = {
  hash: (algorithm, text) => createHash(algorithm.replace('-', '').toLowerCase()).update(text).digest('hex'),
  isEqual: (a, b) => {
    const [first, second] = [Buffer.from(a), Buffer.from(b)];
    return first.length === second.length && timingSafeEqual(first, second);
  },
};

const URL = 'rtsp://h/a';
const NOW_MS = 1_700_000_000_000;

describe('digestResponse', () => {
  const MUFASA: Omit<DigestInput, 'algorithm'> = {
    username: 'Mufasa',
    realm: 'http-auth@example.org',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    method: 'GET',
    uri: '/dir/index.html',
    qop: { nonceCount: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
  };
  it.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('is with %s what RFC 7616 §3.9.1 says', (algorithm, response) => {
    const input = { ...MUFASA, algorithm: parseAlgorithm(algorithm)! };
    expect(digestResponse(input, { password: 'Circle of Life' }, crypto)).toBe(response);
  });

  it('is what RFC 2617 §3.5 says, with a stored hash too', () => {
    const input: DigestInput = {
      ...MUFASA,
      realm: 'testrealm@host.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      algorithm: parseAlgorithm(undefined)!,
      qop: { nonceCount: '00000001', cnonce: '0a4f113b' },
    };
    const response = '6629fae49393a05397450978507c4ef1';
    expect(digestResponse(input, { password: 'Circle Of Life' }, crypto)).toBe(response);
    expect(digestResponse(input, { ha1: { MD5: '939e7578ed9e3c518a452acee763bce9' } }, crypto)).toBe(response);
    expect(digestResponse(input, { ha1: {} }, crypto)).toBeUndefined();
  });

  it('hashes nonce and cnonce in with -sess', () => {
    const input: DigestInput = { ...MUFASA, qop: undefined, cnonce: 'c', algorithm: parseAlgorithm('md5-sess')! };
    const md5 = (text: string): string => crypto.hash('MD5', text);
    const ha1 = md5(`${md5('Mufasa:http-auth@example.org:p')}:${MUFASA.nonce}:c`);
    expect(digestResponse(input, { password: 'p' }, crypto)).toBe(
      md5(`${ha1}:${MUFASA.nonce}:${md5('GET:/dir/index.html')}`),
    );
  });

  it.each([
    ['sha256', 'SHA-256', false],
    ['SHA-256-sess', 'SHA-256', true],
    [' md5 ', 'MD5', false],
  ])('knows the algorithm %j', (text, algorithm, isSession) => {
    expect(parseAlgorithm(text)).toEqual({ algorithm, isSession });
  });

  it('does not know others', () => {
    expect(parseAlgorithm('SHA-512-256')).toBeUndefined();
  });
});

describe('parseChallenges', () => {
  const plain = (values: string[]): unknown[] =>
    parseChallenges(values).map(({ scheme, parameters, token }) => [
      scheme,
      Object.fromEntries(parameters),
      ...(token === undefined ? [] : [token]),
    ]);
  it.each<[string[], unknown[]]>([
    [['Digest realm="a b", nonce="c"'], [['digest', { realm: 'a b', nonce: 'c' }]]],
    [
      ['Digest realm="a", nonce="b", Basic realm="c"', 'NTLM'],
      [
        ['digest', { realm: 'a', nonce: 'b' }],
        ['basic', { realm: 'c' }],
        ['ntlm', {}],
      ],
    ],
    [
      ['Digest realm=a,nonce=b/c==, algorithm=MD5,stale=TRUE'],
      [['digest', { realm: 'a', nonce: 'b/c==', algorithm: 'MD5', stale: 'TRUE' }]],
    ],
    [
      ['digest Realm = "a\\"b" nonce = "c,d" qop="auth,auth-int"'],
      [['digest', { realm: 'a"b', nonce: 'c,d', qop: 'auth,auth-int' }]],
    ],
    [['Digest realm="open'], [['digest', { realm: 'open' }]]],
    [['Digest realm="a", realm="b", x='], [['digest', { realm: 'a', x: '' }]]],
    [
      ['Negotiate YWJj==, Basic'],
      [
        ['negotiate', {}, 'YWJj=='],
        ['basic', {}],
      ],
    ],
    [
      ['Basic, Basic realm="a"'],
      [
        ['basic', {}],
        ['basic', { realm: 'a' }],
      ],
    ],
    [['', ' , ', '"x" = ('], [['x', {}]]],
  ])('reads %j', (values, expected) => {
    expect(plain(values)).toEqual(expected);
  });

  it('is bounded and fast, whatever comes', () => {
    expect(parseChallenges(Array.from({ length: 100 }, () => 'Basic, '))).toHaveLength(RTSP_MAX_CHALLENGES);
    const start = performance.now();
    for (const part of ['a ', 'a=', '"', '\\"', ' ', '=,', 'a=" ']) parseChallenges([`Digest ${part.repeat(30_000)}`]);
    expect(performance.now() - start).toBeLessThan(1000);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(parseChallenges([text]).length).toBeLessThanOrEqual(RTSP_MAX_CHALLENGES);
        parseAuthorization(text);
      }),
    );
  });
});

const SECRETS: Readonly<Record<string, DigestSecret>> = {
  anna: { password: 'pä:ss"w\\rd' },
  md5: { ha1: { MD5: crypto.hash('MD5', 'md5:Cameras:p') } },
};

function makeServer(options: Partial<ServerAuthenticatorOptions> = {}): ServerAuthenticator {
  return new ServerAuthenticator({
    realm: 'Cameras',
    secretOf: (username) => SECRETS[username],
    crypto,
    nonceSecret: '00112233445566778899aabbccddeeff',
    ...options,
  });
}

function makeClient(username = 'anna', password = 'pä:ss"w\\rd'): ClientAuthenticator {
  return new ClientAuthenticator({ username, password, crypto, cnonce: '0a4f113b' });
}

describe('server and client', () => {
  const ways: readonly AuthenticationMethod[] = ['basic', 'digest-md5', 'digest-sha-256'];
  for (const asksForCounts of [false, true]) {
    it.each(ways)(`agree by %s (nonce counts: ${asksForCounts})`, (method) => {
      const server = makeServer({ methods: [method], asksForCounts });
      const client = makeClient();
      expect(client.authorize('DESCRIBE', URL)).toBeUndefined();
      expect(server.check(undefined, 'DESCRIBE', URL, NOW_MS)).toEqual({ type: 'refused', stale: false });
      expect(client.takeChallenges(server.challenges(NOW_MS))).toBe('answerable');
      for (const name of ['DESCRIBE', 'SETUP']) {
        expect(server.check(client.authorize(name, URL), name, URL, NOW_MS + 1)).toEqual({
          type: 'accepted',
          username: 'anna',
        });
      }
    });

    it.each(ways)(`do not agree by %s without the password (nonce counts: ${asksForCounts})`, (method) => {
      const server = makeServer({ methods: [method], asksForCounts });
      for (const client of [makeClient('anna', 'x'), makeClient('nobody'), makeClient('nobody', '\u0000')]) {
        client.takeChallenges(server.challenges(NOW_MS));
        expect(server.check(client.authorize('PLAY', URL), 'PLAY', URL, NOW_MS)).toEqual({
          type: 'refused',
          stale: false,
        });
      }
    });
  }

  it('agree on the strongest of several', () => {
    const client = makeClient();
    const challenges = makeServer({ methods: ['basic', 'digest-md5', 'digest-sha-256'] }).challenges(NOW_MS);
    client.takeChallenges([challenges.join(', ')]);
    expect(client.authorize('PLAY', URL)).toContain('algorithm=SHA-256');
    client.takeChallenges(challenges.slice(0, 2));
    expect(client.authorize('PLAY', URL)).toMatch(/^Digest (?!.*algorithm)/);
    client.takeChallenges(challenges.slice(0, 1));
    expect(client.authorize('PLAY', URL)).toMatch(/^Basic /);
  });

  it('agree with stored hashes', () => {
    const server = makeServer({ methods: ['basic', 'digest-md5'] });
    for (const challenges of [server.challenges(NOW_MS), server.challenges(NOW_MS).slice(0, 1)]) {
      const client = makeClient('md5', 'p');
      client.takeChallenges(challenges);
      expect(server.check(client.authorize('PLAY', URL), 'PLAY', URL, NOW_MS)).toMatchObject({ type: 'accepted' });
    }
  });

  it('say when only the nonce is too old, or made by another server', () => {
    const server = makeServer();
    const client = makeClient();
    client.takeChallenges(server.challenges(NOW_MS));
    const late = server.check(client.authorize('PLAY', URL), 'PLAY', URL, NOW_MS + RTSP_NONCE_LIFETIME_MS + 1);
    expect(late).toEqual({ type: 'refused', stale: true });
    client.takeChallenges(makeServer({ nonceSecret: 'ff' }).challenges(NOW_MS));
    expect(server.check(client.authorize('PLAY', URL), 'PLAY', URL, NOW_MS)).toEqual({ type: 'refused', stale: true });
    expect(client.takeChallenges(server.challenges(NOW_MS, true))).toBe('stale');
    expect(server.check(client.authorize('PLAY', URL), 'PLAY', URL, NOW_MS)).toMatchObject({ type: 'accepted' });
  });

  it('take each nonce count once', () => {
    const server = makeServer({ asksForCounts: true });
    const client = makeClient();
    client.takeChallenges(server.challenges(NOW_MS));
    const answer = client.authorize('PLAY', URL);
    expect(server.check(answer, 'PLAY', URL, NOW_MS)).toMatchObject({ type: 'accepted' });
    expect(server.check(answer, 'PLAY', URL, NOW_MS)).toEqual({ type: 'refused', stale: true });
  });

  it.each([
    ['rtsp://h/a', 'rtsp://h/a/trackID=1', true],
    ['rtsp://h/a/', 'rtsp://h/a/trackID=1', true],
    ['rtsp://h/a/trackID=1', 'rtsp://h/a', true],
    ['rtsp://192.0.2.1:554/a', 'rtsp://h/a', true],
    ['rtsp://h/a', 'rtsp://h/a?x=1/trackID=1', true],
    ['rtsp://h/a', 'rtsp://h/ab', false],
    ['rtsp://h/b', 'rtsp://h/a', false],
  ])('a digest for %s serves for %s: %s', (signed, requested, isTaken) => {
    const server = makeServer();
    const client = makeClient();
    client.takeChallenges(server.challenges(NOW_MS));
    const { type } = server.check(client.authorize('SETUP', signed), 'SETUP', requested, NOW_MS);
    expect(type).toBe(isTaken ? 'accepted' : 'refused');
  });

  it('take a digest for one method only', () => {
    const server = makeServer();
    const client = makeClient();
    client.takeChallenges(server.challenges(NOW_MS));
    expect(server.check(client.authorize('PAUSE', URL), 'PLAY', URL, NOW_MS)).toMatchObject({ type: 'refused' });
  });
});

describe('ServerAuthenticator', () => {
  it.each([
    '',
    'Digest',
    'Basic',
    'Basic !!',
    'Basic YW5uYQ==',
    'Bearer x',
    'Digest username="anna", realm="Cameras", nonce="", uri="rtsp://h/a", response=""',
    'Digest username="anna", realm="Cameras", nonce="a", uri="rtsp://h/a", response="b", qop=auth-int',
    'Digest username="anna", realm="Cameras", nonce="a", uri="rtsp://h/a", response="b", qop=auth, nc=1',
    'Digest username="anna", realm="Other", nonce="a", uri="rtsp://h/a", response="b"',
    'Digest username="anna", realm="Cameras", nonce="a", uri="rtsp://h/a", response="b", algorithm=SHA-512',
  ])('refuses %j', (authorization) => {
    const server = makeServer({ methods: ['basic', 'digest-md5', 'digest-sha-256'] });
    expect(server.check(authorization, 'PLAY', URL, NOW_MS)).toEqual({ type: 'refused', stale: false });
  });

  it('refuses ways it did not offer', () => {
    const client = makeClient();
    client.takeChallenges(makeServer({ methods: ['basic'] }).challenges(NOW_MS));
    expect(makeServer().check(client.authorize('PLAY', URL), 'PLAY', URL, NOW_MS)).toMatchObject({ type: 'refused' });
    client.takeChallenges(makeServer({ methods: ['digest-md5'] }).challenges(NOW_MS));
    const strict = makeServer({ methods: ['digest-sha-256'] });
    expect(strict.check(client.authorize('PLAY', URL), 'PLAY', URL, NOW_MS)).toMatchObject({ type: 'refused' });
    const counting = makeServer({ methods: ['digest-md5'], asksForCounts: true });
    expect(counting.check(client.authorize('PLAY', URL), 'PLAY', URL, NOW_MS)).toMatchObject({ type: 'refused' });
  });
});

describe('ClientAuthenticator', () => {
  it.each([
    ['Negotiate'],
    ['Digest realm="a"'],
    ['Digest nonce="a", qop="auth-int"'],
    ['Digest nonce="a", algorithm=X'],
  ])('can not answer %j', (challenge) => {
    const client = makeClient();
    expect(client.takeChallenges([challenge])).toBeUndefined();
    expect(client.authorize('PLAY', URL)).toBeUndefined();
  });

  it('gives back what the server named: opaque, algorithm, nonce count', () => {
    const client = makeClient('u', 'p');
    client.takeChallenges(['Digest realm="r", nonce="n", opaque="o", algorithm=MD5, qop="auth-int, auth"']);
    client.authorize('PLAY', URL);
    expect(client.authorize('PLAY', URL)).toMatch(
      /^Digest username="u", realm="r", nonce="n", uri="rtsp:\/\/h\/a", response="[\da-f]{32}", algorithm=MD5, qop=auth, nc=00000002, cnonce="0a4f113b", opaque="o"$/,
    );
  });
});

describe('NonceSource', () => {
  it('knows its own nonces for a time', () => {
    const source = new NonceSource('s', crypto);
    const nonce = source.next(NOW_MS);
    expect(source.next(NOW_MS)).not.toBe(nonce);
    expect(source.check(nonce, NOW_MS)).toBe('fresh');
    expect(source.check(nonce, NOW_MS + RTSP_NONCE_LIFETIME_MS + 1)).toBe('stale');
    for (const other of [
      '',
      'x',
      `${nonce}0`,
      nonce.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      new NonceSource('t', crypto).next(NOW_MS),
    ]) {
      expect(source.check(other, NOW_MS)).toBe('stale');
    }
  });

  it('remembers a bounded number of counts', () => {
    const source = new NonceSource('s', crypto);
    for (let i = 0; i <= RTSP_MAX_COUNTED_NONCES; i++) expect(source.count(`${i}`, 1)).toBe('fresh');
    expect(source.count('1', 1)).toBe('stale');
    expect(source.count('0', 1)).toBe('fresh');
  });
});
