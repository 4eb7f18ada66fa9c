import { describe, expect, it } from 'vitest';
import { type AuthenticationMethod, ServerAuthenticator } from '../../../src/protocol/rtsp/server-authentication.ts';
import { crypto, Pair, type Script, script } from '../../rtsp-client-test-kit.ts';

describe('RtspClientSession, authentication', () => {
  function makeAuthenticator(methods: readonly AuthenticationMethod[], nonceSecret: string): ServerAuthenticator {
    const secretOf = (username: string): { password: string } | undefined =>
      username === 'anna' ? { password: 'p@ss' } : undefined;
    return new ServerAuthenticator({ realm: 'r', methods, secretOf, crypto, nonceSecret, asksForCounts: true });
  }

  const guarded = (authenticator: () => ServerAuthenticator, staleAllowed = true): Script =>
    script((request) => {
      const result = authenticator().check(request.headers.get('Authorization'), request.method, request.url, 5000);
      if (result.type === 'accepted') return 'usual';
      const challenges = authenticator().challenges(5000, staleAllowed && result.stale);
      return { statusCode: 401, headers: challenges.map((challenge) => ['WWW-Authenticate', challenge]) };
    });

  it.each<AuthenticationMethod>(['basic', 'digest-md5', 'digest-sha-256'])('proves by %s who it is', (method) => {
    const authenticator = makeAuthenticator([method], 'a');
    const pair = new Pair(
      guarded(() => authenticator),
      { at: 'rtsp://anna:p%40ss@h/a' },
    );
    pair.start().setUp().play();
    expect(pair.heard.at(-1)).toBe('playing');
    expect(pair.methods).toEqual(['OPTIONS', 'OPTIONS', 'DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
    expect(pair.requests.some(({ url }) => url.includes('anna'))).toBe(false);
  });

  it('answers again when the nonce changed in between, said stale or not', () => {
    for (const staleAllowed of [true, false]) {
      let authenticator = makeAuthenticator(['digest-md5'], 'a');
      const pair = new Pair(
        guarded(() => authenticator, staleAllowed),
        { at: 'rtsp://anna:p%40ss@h/a' },
      ).start();
      authenticator = makeAuthenticator(['digest-md5'], 'b');
      pair.setUp().play();
      expect(pair.heard.at(-1)).toBe('playing');
      expect(pair.methods.slice(3)).toEqual(['SETUP', 'SETUP', 'SETUP', 'PLAY']);
    }
  });

  it('gives up on a wrong password, and on a server that finds every nonce stale', () => {
    const authenticator = makeAuthenticator(['digest-md5', 'basic'], 'a');
    const wrong = new Pair(
      guarded(() => authenticator),
      { credentials: { username: 'anna', password: 'x' } },
    ).start();
    expect([wrong.heard, wrong.methods]).toEqual([['rtsp/unauthorized 401'], ['OPTIONS', 'OPTIONS']]);
    const headers = [['WWW-Authenticate', 'Digest realm="r", nonce="n", stale=true']] as const;
    const stale = new Pair(() => ({ statusCode: 401, headers }), { at: 'rtsp://anna:p@h/a' }).start();
    expect([stale.heard, stale.methods.length]).toEqual([['rtsp/unauthorized 401'], 4]);
  });
});
