import { describe, expect, it } from 'vitest';
import { writeRtspRequest, writeRtspResponse } from '../../../src/protocol/rtsp/rtsp-message-writer.ts';
import { Pair, script } from '../../rtsp-client-test-kit.ts';

describe('RtspClientSession, time', () => {
  it('keeps the session alive at half of its timeout, and not before there is one', () => {
    const pair = new Pair().start().wait(100_000);
    expect(pair.methods).toEqual(['OPTIONS', 'DESCRIBE']);
    pair.setUp().play().wait(25_000);
    expect(pair.asked.slice(5)).toEqual(['GET_PARAMETER rtsp://h/a/', 'GET_PARAMETER rtsp://h/a/']);
    expect(pair.requests.at(-1)!.headers.get('Session')).toBe('1234');
    pair.run(pair.session.pause(pair.nowMs)).wait(9000);
    expect(pair.methods.slice(7)).toEqual(['PAUSE']);
    pair.wait(1000);
    expect(pair.methods.slice(7)).toEqual(['PAUSE', 'GET_PARAMETER']);
  });

  it('uses OPTIONS where GET_PARAMETER is not offered or not understood', () => {
    const without = new Pair(script(({ method }) => (method === 'OPTIONS' ? {} : 'usual')))
      .start()
      .setUp()
      .play()
      .wait(11_000);
    expect(without.methods.slice(5)).toEqual(['OPTIONS']);
    const refusing = new Pair(script(({ method }) => (method === 'GET_PARAMETER' ? { statusCode: 405 } : 'usual')));
    refusing.start().setUp().play().wait(21_000);
    expect(refusing.methods.slice(5)).toEqual(['GET_PARAMETER', 'OPTIONS']);
    expect(refusing.heard.at(-1)).toBe('playing');
  });

  it('bears a server that does not answer signs of life', () => {
    const pair = new Pair(
      script(({ method }) => (method === 'GET_PARAMETER' ? undefined : 'usual')),
      {
        responseTimeoutMs: 3000,
      },
    );
    pair.start().setUp().play().wait(35_000);
    expect(pair.methods.slice(5)).toEqual(['GET_PARAMETER', 'GET_PARAMETER', 'GET_PARAMETER']);
    expect(pair.heard.at(-1)).toBe('playing');
    pair.say(writeRtspResponse({ statusCode: 454, headers: [['CSeq', '6']] }));
    expect(pair.heard.at(-1)).toBe('playing');
  });

  it('fails when the session is forgotten', () => {
    const pair = new Pair(script(({ method }) => (method === 'GET_PARAMETER' ? { statusCode: 454 } : 'usual')));
    expect(pair.start().setUp().play().wait(11_000).heard.at(-1)).toBe('rtsp/session-lost 454');
  });

  it.each(['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY'])('fails when %s is not answered in time', (method) => {
    const pair = new Pair(script((request) => (request.method === method ? undefined : 'usual'))).start();
    if (method === 'SETUP' || method === 'PLAY') pair.setUp();
    if (method === 'PLAY') pair.play();
    expect(pair.wait(9999).heard).not.toContain('rtsp/response-timeout undefined');
    expect(pair.wait(1).heard.at(-1)).toBe('rtsp/response-timeout undefined');
  });

  it('ends without an answer to TEARDOWN, and without TEARDOWN before there is a session', () => {
    const pair = new Pair(script(({ method }) => (method === 'TEARDOWN' ? undefined : 'usual'))).start().setUp().play();
    pair.run(pair.session.teardown(pair.nowMs));
    expect(pair.session.teardown(pair.nowMs)).toEqual([]);
    expect(pair.wait(1999).heard.at(-1)).toBe('playing');
    expect(pair.wait(1).heard.at(-1)).toBe('ended');
    const early = new Pair().start();
    early.run(early.session.teardown(early.nowMs));
    expect([early.heard, early.methods]).toEqual([
      ['described', 'ended'],
      ['OPTIONS', 'DESCRIBE'],
    ]);
  });

  it('ends while an answer is awaited', () => {
    const pair = new Pair(script(({ method }) => (method === 'PLAY' ? undefined : 'usual'))).start().setUp().play();
    pair.run(pair.session.teardown(pair.nowMs));
    expect(pair.heard.at(-1)).toBe('ended');
  });
});

describe('RtspClientSession, requests of the server', () => {
  const ask = (method: string, headers: readonly (readonly [string, string])[] = []): Uint8Array =>
    writeRtspRequest({ method, url: 'rtsp://h/a/', headers: [['CSeq', '7'], ...headers] });

  it.each<[string, Uint8Array, number, string | undefined]>([
    ['OPTIONS', ask('OPTIONS'), 200, undefined],
    ['GET_PARAMETER', ask('GET_PARAMETER'), 200, undefined],
    ['SET_PARAMETER', ask('SET_PARAMETER'), 200, 'notified'],
    ['ANNOUNCE', ask('ANNOUNCE'), 200, 'notified'],
    ['PLAY_NOTIFY', ask('PLAY_NOTIFY'), 200, 'notified'],
    ['REDIRECT', ask('REDIRECT', [['Location', 'rtsp://i/b']]), 200, 'redirect'],
    ['REDIRECT without a URL', ask('REDIRECT'), 200, 'redirect'],
    ['TEARDOWN', ask('TEARDOWN'), 200, 'ended'],
    ['an unknown method', ask('DANCE'), 501, undefined],
    ['a required feature', ask('OPTIONS', [['Require', 'x']]), 551, undefined],
    ['no CSeq', writeRtspRequest({ method: 'OPTIONS', url: '*' }), 400, undefined],
    [
      'another version',
      writeRtspRequest({ method: 'OPTIONS', url: '*', version: '2.0', headers: [['CSeq', '1']] }),
      505,
      undefined,
    ],
  ])('answers %s', (_, bytes, statusCode, heard) => {
    const pair = new Pair().start().setUp().play().say(bytes);
    expect(pair.replies).toEqual([statusCode]);
    expect(pair.heard.at(-1)).toBe(heard ?? 'playing');
  });

  it('goes on after REDIRECT until it is closed', () => {
    const pair = new Pair()
      .start()
      .setUp()
      .play()
      .say(ask('REDIRECT', [['Location', 'rtsp://i/b']]));
    expect(pair.events.at(-1)).toEqual({ type: 'redirect', url: 'rtsp://i/b', statusCode: undefined });
    pair.run(pair.session.teardown(pair.nowMs));
    expect(pair.methods.at(-1)).toBe('TEARDOWN');
  });
});
