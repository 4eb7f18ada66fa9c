import { describe, expect, it } from 'vitest';
import { writeInterleavedFrame, writeRtspResponse } from '../../../src/protocol/rtsp/rtsp-message-writer.ts';
import { joinBytes } from '../../../src/wire/join-bytes.ts';
import { Pair, SDP, script } from '../../rtsp-client-test-kit.ts';

describe('RtspClientSession, playing', () => {
  it('describes, sets up, plays, pauses, goes elsewhere and ends', () => {
    const pair = new Pair().start().setUp().play();
    pair.run(pair.session.pause(pair.nowMs)).play();
    pair.run(
      pair.session.play(
        { range: { type: 'npt', startUs: 30_000_000, endUs: undefined }, scale: 2, speed: 1.5 },
        pair.nowMs,
      ),
    );
    pair.run(pair.session.teardown(pair.nowMs));
    expect(pair.asked).toEqual([
      'OPTIONS rtsp://h/a',
      'DESCRIBE rtsp://h/a',
      'SETUP rtsp://h/a/trackID=1',
      'SETUP rtsp://h/a/trackID=2',
      'PLAY rtsp://h/a/',
      'PAUSE rtsp://h/a/',
      'PLAY rtsp://h/a/',
      'PLAY rtsp://h/a/',
      'TEARDOWN rtsp://h/a/',
    ]);
    expect(pair.heard).toEqual([
      'described',
      'track-ready',
      'track-ready',
      'ready',
      'playing',
      'paused',
      'playing',
      'playing',
      'ended',
    ]);
    const header = (name: string): (string | undefined)[] => pair.requests.map(({ headers }) => headers.get(name));
    expect(header('CSeq')).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(header('Session')).toEqual([undefined, undefined, undefined, ...Array<string>(6).fill('1234')]);
    expect(header('Range').slice(4)).toEqual(['npt=0.000-', undefined, undefined, 'npt=30.000-', undefined]);
    expect([header('Scale')[7], header('Speed')[7]]).toEqual(['2', '1.5']);
    expect(pair.events[4]).toEqual({
      type: 'playing',
      range: { type: 'npt', startUs: 0, endUs: undefined },
      scale: undefined,
      speed: undefined,
      rtpInfos: [{ url: 'rtsp://h/a/trackID=1', sequenceNumber: 5, rtpTime: 9 }],
    });
    expect([pair.session.timeoutMs, pair.session.sessionId, [...pair.session.publicMethods]]).toEqual([
      20_000,
      '1234',
      ['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'GET_PARAMETER'],
    ]);
  });

  it('hands on frames that come before the answer to PLAY', () => {
    const pair = new Pair(script(({ method }) => (method === 'PLAY' ? undefined : 'usual'))).start().setUp().play();
    const cSeq = pair.requests.at(-1)!.headers.get('CSeq')!;
    pair.say(
      joinBytes([
        writeInterleavedFrame(1, Uint8Array.of(1)),
        writeRtspResponse({ statusCode: 200, headers: [['CSeq', cSeq]] }),
        writeInterleavedFrame(0, Uint8Array.of(2)),
      ]),
    );
    expect(pair.heard.slice(4)).toEqual(['interleaved', 'playing', 'interleaved']);
  });

  it('goes on with a server that knows no OPTIONS, gives no CSeq, and says 100 first', () => {
    const pair = new Pair(script(({ method }) => (method === 'OPTIONS' ? { statusCode: 501 } : undefined))).start();
    pair.say(writeRtspResponse({ statusCode: 100 }));
    pair.say(writeRtspResponse({ statusCode: 200, body: SDP }));
    expect(pair.tracks.map(({ url }) => url)).toEqual([
      'rtsp://h/a/trackID=1',
      'rtsp://h/a/trackID=2',
      'rtsp://h/a/trackID=3',
    ]);
  });

  it('takes no answer for that of another request', () => {
    const pair = new Pair(script(({ method }) => (method === 'DESCRIBE' ? undefined : 'usual'))).start();
    pair.say(writeRtspResponse({ statusCode: 404, headers: [['CSeq', '1']] }));
    pair.say(writeRtspResponse({ statusCode: 404, headers: [['CSeq', '3']] }));
    expect(pair.heard).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['no description', 'hello'],
    ['no tracks', 'v=0\r\ns=a\r\n'],
  ])('fails when %s is described', (_, body) => {
    const pair = new Pair(script(({ method }) => (method === 'DESCRIBE' ? { body } : 'usual'))).start();
    expect(pair.heard).toEqual(['rtsp/bad-description undefined']);
  });

  it.each([
    ['DESCRIBE', 404, 'rtsp/refused 404'],
    ['DESCRIBE', 401, 'rtsp/unauthorized 401'],
    ['OPTIONS', 401, 'rtsp/unauthorized 401'],
    ['PLAY', 457, 'rtsp/refused 457'],
    ['PLAY', 454, 'rtsp/session-lost 454'],
    ['DESCRIBE', 301, 'rtsp/bad-redirect 301'],
  ])('fails when %s is answered with %i', (method, statusCode, heard) => {
    const pair = new Pair(script((request) => (request.method === method ? { statusCode } : 'usual'))).start();
    if (method === 'PLAY') pair.setUp().play();
    expect(pair.heard.at(-1)).toBe(heard);
    expect(pair.session.nextTimeoutMs()).toBeUndefined();
    expect(pair.session.receive(new Uint8Array(9), pair.nowMs)).toEqual([]);
    expect(pair.session.teardown(pair.nowMs)).toEqual([]);
  });

  it('plays on when a seek or a pause is refused', () => {
    let isPlaying = false;
    const pair = new Pair(
      script(({ method }) => {
        if (isPlaying && (method === 'PLAY' || method === 'PAUSE')) return { statusCode: 455 };
        isPlaying ||= method === 'PLAY';
        return 'usual';
      }),
    )
      .start()
      .setUp()
      .play()
      .play();
    pair.run(pair.session.pause(pair.nowMs));
    expect(pair.events.slice(-2)).toEqual([
      { type: 'refused', method: 'PLAY', statusCode: 455, reason: 'Method Not Valid in This State' },
      { type: 'refused', method: 'PAUSE', statusCode: 455, reason: 'Method Not Valid in This State' },
    ]);
  });

  it.each([301, 302, 303, 305, 307, 308])('tells a redirect by %i', (statusCode) => {
    const headers = [['Location', 'rtsp://other/b']] as const;
    const pair = new Pair(script(({ method }) => (method === 'DESCRIBE' ? { statusCode, headers } : 'usual'))).start();
    expect(pair.events).toEqual([{ type: 'redirect', url: 'rtsp://other/b', statusCode }]);
    expect(pair.session.nextTimeoutMs()).toBeUndefined();
  });

  it.each(['malformed response\r\n\r\n', 'HTTP/1.1 101 x\r\n\r\n$'])('fails on %j', (text) => {
    expect(new Pair(() => undefined).start().say(Buffer.from(text)).heard).toEqual([
      'rtsp/malformed-response undefined',
    ]);
  });

  it('fails when a limit is passed', () => {
    const pair = new Pair(() => undefined, { limits: { maxBodySizeBytes: 10 } }).start();
    pair.say(writeRtspResponse({ statusCode: 200, headers: [['CSeq', '1']], body: 'x'.repeat(11) }));
    expect(pair.heard).toEqual(['rtsp/body-too-large undefined']);
  });
});
