import { afterEach, describe, expect, it } from 'vitest';
import { nodeAuthenticationCrypto } from '../../../src/io/authentication-crypto.ts';
import { ClientAuthenticator } from '../../../src/protocol/rtsp/client-authentication.ts';
import type { RtspResponse } from '../../../src/protocol/rtsp/rtsp-message.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';

const USERS = [
  { name: 'anna', password: 'sécret', rights: ['play'] },
  { name: 'bob', password: 'bob', rights: ['publish'] },
  { name: 'eve', password: 'eve' },
] as const;

const TCP = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };

let server: LocalServer;
let url: string;
const peers: RtspPeer[] = [];

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await server.close();
});

async function start(auth_methods?: readonly ('basic' | 'digest-md5' | 'digest-sha-256')[]): Promise<void> {
  server = await LocalServer.start({ rtsp: { users: USERS, auth_methods } });
  url = `rtsp://127.0.0.1:${server.rtspPort}/live/x`;
  new LiveStream(server, 'live/x').push(30);
}

async function connect(): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.rtspPort);
  peers.push(peer);
  return peer;
}

/** Someone with a name and a password, who asks again when challenged. */
class User {
  readonly peer: RtspPeer;
  readonly #authenticator: ClientAuthenticator;

  constructor(peer: RtspPeer, username: string, password: string) {
    this.peer = peer;
    this.#authenticator = new ClientAuthenticator({
      username,
      password,
      crypto: nodeAuthenticationCrypto,
      cnonce: '0011223344556677',
    });
  }

  async request(method: string, target: string, headers: Readonly<Record<string, string>> = {}): Promise<RtspResponse> {
    const first = await this.#try(method, target, headers);
    if (first.statusCode !== 401) return first;
    this.#authenticator.takeChallenges(first.headers.getAll('WWW-Authenticate'));
    return this.#try(method, target, headers);
  }

  #try(method: string, target: string, headers: Readonly<Record<string, string>>): Promise<RtspResponse> {
    const authorization = this.#authenticator.authorize(method, target);
    const more = authorization === undefined ? {} : { Authorization: authorization };
    return this.peer.request(method, target, { ...headers, ...more });
  }
}

describe.each([[['basic']], [['digest-md5']], [['digest-sha-256']], [undefined]] as const)(
  'users who prove it by %j',
  (methods) => {
    it.each([
      ['anna', 'sécret', 200],
      ['eve', 'eve', 200],
      ['anna', 'secret', 401],
      ['anna', '', 401],
      ['nobody', 'nobody', 401],
      ['bob', 'bob', 403],
    ])('%s with the password %j gets %i', async (name, password, statusCode) => {
      await start(methods);
      const user = new User(await connect(), name, password);
      expect((await user.request('DESCRIBE', url)).statusCode).toBe(statusCode);
    });
  },
);

describe('access', () => {
  it('is asked for with what was configured, in that order', async () => {
    await start(['basic', 'digest-md5', 'digest-sha-256']);
    const response = await (await connect()).request('DESCRIBE', url);
    expect(
      response.headers.getAll('WWW-Authenticate').map((value) => value.replace(/nonce="[0-9a-f]+"/, 'nonce')),
    ).toEqual([
      'Basic realm="Millrace"',
      'Digest realm="Millrace", nonce',
      'Digest realm="Millrace", nonce, algorithm=SHA-256',
    ]);
  });

  it('to streams there are not is refused in the same way', async () => {
    await start();
    const peer = await connect();
    expect((await peer.request('DESCRIBE', `${url}-not`)).statusCode).toBe(401);
    expect((await peer.request('SETUP', `${url}-not/track1`, TCP)).statusCode).toBe(401);
  });

  it('is not needed to ask what there is to ask', async () => {
    await start();
    const peer = await connect();
    for (const method of ['OPTIONS', 'GET_PARAMETER', 'SET_PARAMETER']) {
      expect((await peer.request(method, url)).statusCode).toBe(200);
    }
  });

  it('is needed for every request of a session', async () => {
    await start();
    const user = new User(await connect(), 'anna', 'sécret');
    const session = { Session: sessionOf(await user.request('SETUP', `${url}/track1`, TCP)) };
    for (const method of ['PLAY', 'PAUSE', 'GET_PARAMETER', 'SET_PARAMETER', 'TEARDOWN']) {
      expect([method, (await user.peer.request(method, url, session)).statusCode]).toEqual([method, 401]);
      expect([method, (await user.request(method, url, session)).statusCode]).toEqual([method, 200]);
    }
  });

  it('to a session is only for who made it', async () => {
    await start();
    const anna = new User(await connect(), 'anna', 'sécret');
    const session = { Session: sessionOf(await anna.request('SETUP', `${url}/track1`, TCP)) };
    const eve = new User(await connect(), 'eve', 'eve');
    for (const method of ['PLAY', 'TEARDOWN', 'GET_PARAMETER']) {
      expect((await eve.request(method, url, session)).statusCode).toBe(403);
    }
    expect((await eve.request('SETUP', `${url}/track2`, { ...session, ...TCP })).statusCode).toBe(403);
    expect((await anna.request('PLAY', url, session)).statusCode).toBe(200);
  });

  it('is not tried for ever', async () => {
    await start();
    const user = new User(await connect(), 'anna', 'wrong');
    for (let i = 0; i < 20 && !user.peer.isClosed; i++) {
      try {
        await user.request('DESCRIBE', url);
      } catch {
        // Closed before an answer came.
        break;
      }
    }
    await user.peer.untilClosed();
  });

  it('is not granted to what another method was signed for', async () => {
    await start();
    const peer = await connect();
    const challenge = await peer.request('DESCRIBE', url);
    const authenticator = new ClientAuthenticator({
      username: 'anna',
      password: 'sécret',
      crypto: nodeAuthenticationCrypto,
      cnonce: '0011223344556677',
    });
    authenticator.takeChallenges(challenge.headers.getAll('WWW-Authenticate'));
    const Authorization = authenticator.authorize('SETUP', url)!;
    expect((await peer.request('DESCRIBE', url, { Authorization })).statusCode).toBe(401);
  });
});
