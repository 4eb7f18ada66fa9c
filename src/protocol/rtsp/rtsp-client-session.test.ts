import { createHash, timingSafeEqual } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinBytes } from '../../wire/join-bytes.ts';
import { parseSessionDescription } from '../sdp/session-description-parser.ts';
import type { RtspClientEvent, RtspClientTrack } from './client-events.ts';
import type { AuthenticationCrypto } from './digest.ts';
import { RtspClientSession, type RtspClientSessionOptions } from './rtsp-client-session.ts';
import type { RtspRequest } from './rtsp-message.ts';
import { RtspMessageReader } from './rtsp-message-reader.ts';
import { writeInterleavedFrame, writeRtspRequest, writeRtspResponse } from './rtsp-message-writer.ts';
import { parseRtspUrl } from './rtsp-url.ts';
import { type AuthenticationMethod, ServerAuthenticator } from './server-authentication.ts';
import { parseTransports, type RtspTransport } from './transport-header.ts';

const crypto: AuthenticationCrypto = {
  hash: (algorithm, text) => createHash(algorithm.replace('-', '').toLowerCase()).update(text).digest('hex'),
  isEqual: (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b)),
};

const SDP = [
  'v=0',
  's=camera',
  'a=control:*',
  'm=video 0 RTP/AVP 96',
  'a=control:trackID=1',
  'm=audio 0 RTP/AVP 0',
  'a=control:trackID=2',
  'm=audio 0 RTP/AVP 0',
  'a=control:trackID=3',
  'a=sendonly',
].join('\n');

const TCP: RtspTransport = {
  profile: 'RTP/AVP',
  lowerTransport: 'TCP',
  delivery: 'unicast',
  interleaved: { first: 0, last: 1 },
};
const UDP: RtspTransport = { profile: 'RTP/AVP', delivery: 'unicast', clientPort: { first: 5000, last: 5001 } };

interface Answer {
  readonly statusCode?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
}

/** What a server says to a request; undefined for nothing at all. */
type Script = (request: RtspRequest) => Answer | undefined;

/** A well-behaved server; `changes` take precedence where they say something. */
function script(changes: (request: RtspRequest) => Answer | undefined | 'usual' = () => 'usual'): Script {
  return (request) => {
    const changed = changes(request);
    if (changed !== 'usual') return changed;
    switch (request.method) {
      case 'OPTIONS':
        return { headers: [['Public', 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER']] };
      case 'DESCRIBE':
        return { headers: [['Content-Base', 'rtsp://h/a/']], body: SDP };
      case 'SETUP':
        return {
          headers: [
            ['Transport', request.headers.get('Transport')!],
            ['Session', '1234;timeout=20'],
          ],
        };
      case 'PLAY':
        return {
          headers: [
            ['Range', request.headers.get('Range') ?? 'npt=7.000-'],
            ['RTP-Info', 'url=rtsp://h/a/trackID=1;seq=5;rtptime=9'],
          ],
        };
      default:
        return {};
    }
  };
}

/** A session and a server on one connection, in virtual time. */
class Pair {
  nowMs = 1000;
  readonly session: RtspClientSession;
  readonly requests: RtspRequest[] = [];
  /** Answers to requests of the server. */
  readonly replies: number[] = [];
  readonly events: Exclude<RtspClientEvent, { type: 'send' }>[] = [];
  readonly #reader = new RtspMessageReader();
  readonly #script: Script;

  constructor(answers: Script = script(), options: Partial<RtspClientSessionOptions> & { readonly at?: string } = {}) {
    this.#script = answers;
    const url = parseRtspUrl(options.at ?? 'rtsp://h/a')!;
    this.session = new RtspClientSession({ url, crypto, cnonce: '0a4f113b', ...options });
  }

  /** Runs what the session said, and everything that follows from it. */
  run(events: readonly RtspClientEvent[]): this {
    const sent: Uint8Array[] = [];
    for (const event of events) {
      if (event.type === 'send') sent.push(event.bytes);
      else this.events.push(event);
    }
    for (const message of sent.flatMap((bytes) => this.#reader.receive(bytes))) {
      if (message.type === 'response') this.replies.push(message.statusCode);
      if (message.type !== 'request') continue;
      this.requests.push(message);
      const answer = this.#script(message);
      if (answer === undefined) continue;
      const { statusCode = 200, headers = [], body } = answer;
      const all = [['CSeq', message.headers.get('CSeq')!] as const, ...headers];
      this.say(writeRtspResponse({ statusCode, headers: all, ...(body === undefined ? {} : { body }) }));
    }
    return this;
  }

  /** The server sends something. */
  say(bytes: Uint8Array): this {
    return this.run(this.session.receive(bytes, this.nowMs));
  }

  start(): this {
    return this.run(this.session.start(this.nowMs));
  }

  setUp(
    transports: readonly RtspTransport[] = [TCP],
    tracks: readonly RtspClientTrack[] = this.tracks.slice(0, 2),
  ): this {
    return this.run(
      this.session.setUp(
        tracks.map((track) => ({ track, transports })),
        this.nowMs,
      ),
    );
  }

  play(): this {
    return this.run(this.session.play({}, this.nowMs));
  }

  /** Lets time go by, stopping wherever the session wants to be called. */
  wait(ms: number): this {
    const end = this.nowMs + ms;
    for (let turns = 0; ; turns++) {
      const due = this.session.nextTimeoutMs();
      if (due === undefined || due > end) break;
      if (turns > 1000) throw new RangeError('the session wants to be called again and again');
      this.nowMs = Math.max(this.nowMs, due);
      this.run(this.session.handleTimeout(this.nowMs));
    }
    this.nowMs = end;
    return this;
  }

  get tracks(): readonly RtspClientTrack[] {
    const found = this.events.findLast((event) => event.type === 'described');
    if (found === undefined) throw new RangeError('nothing was described');
    return found.tracks;
  }

  get asked(): string[] {
    return this.requests.map(({ method, url }) => `${method} ${url}`);
  }

  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  get heard(): string[] {
    return this.events.map((event) =>
      event.type === 'failed' ? `${event.error.code} ${event.statusCode}` : event.type,
    );
  }
}

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

describe('RtspClientSession, transports', () => {
  it('tells that a track is refused, and tries again another way', () => {
    const pair = new Pair(
      script((request) => {
        const isTcp = request.headers.get('Transport')?.includes('TCP');
        return request.method === 'SETUP' && isTcp !== true ? { statusCode: 461 } : 'usual';
      }),
    )
      .start()
      .setUp([UDP]);
    expect(pair.events.at(-1)).toMatchObject({ type: 'track-refused', statusCode: 461, track: { index: 0 } });
    expect(pair.requests).toHaveLength(3);
    pair.setUp([TCP]);
    expect(pair.heard.slice(-3)).toEqual(['track-ready', 'track-ready', 'ready']);
  });

  it('can play without a track that was refused', () => {
    const pair = new Pair(script(({ url }) => (url.endsWith('2') ? { statusCode: 404 } : 'usual')))
      .start()
      .setUp()
      .play();
    expect(pair.heard.slice(1)).toEqual(['track-ready', 'track-refused', 'playing']);
  });

  it.each<[string, string | undefined, readonly RtspTransport[], Partial<RtspTransport> | undefined]>([
    [
      'other channels',
      'RTP/AVP/TCP;interleaved=4-5',
      [UDP, TCP],
      { interleaved: { first: 4, last: 5 }, delivery: 'unicast' },
    ],
    ['no channels', 'RTP/AVP/TCP', [TCP], { interleaved: { first: 0, last: 1 } }],
    [
      'ports',
      'RTP/AVP/UDP;unicast;server_port=6000-6001;ssrc=0000000A',
      [UDP],
      { clientPort: { first: 5000, last: 5001 }, serverPort: { first: 6000, last: 6001 }, ssrc: 10 },
    ],
    ['no transport', undefined, [TCP], TCP],
    ['no transport, of two', undefined, [UDP, TCP], undefined],
    ['another transport', 'RTP/AVP/TCP;interleaved=0-1', [UDP], undefined],
    ['a group', 'RTP/AVP;multicast;destination=232.0.0.1;port=7000-7001', [UDP], undefined],
  ])('understands an answer with %s', (_, answer, asked, expected) => {
    const headers: [string, string][] = [['Session', '1']];
    if (answer !== undefined) headers.push(['Transport', answer]);
    const pair = new Pair(script(({ method }) => (method === 'SETUP' ? { headers } : 'usual'))).start().setUp(asked);
    const event = pair.events[1]!;
    if (expected === undefined) expect(event).toMatchObject({ type: 'track-refused', statusCode: 461 });
    else expect(event).toMatchObject({ type: 'track-ready', transport: expected });
  });
});

describe('RtspClientSession, publishing', () => {
  const announcement = parseSessionDescription(SDP)!;

  it('announces, sets up for recording, records, pauses, goes on and ends', () => {
    const pair = new Pair(script(), { announcement }).start().setUp();
    for (const step of ['record', 'pause', 'record', 'teardown'] as const) pair.run(pair.session[step](pair.nowMs));
    expect(pair.asked).toEqual([
      'OPTIONS rtsp://h/a',
      'ANNOUNCE rtsp://h/a',
      'SETUP rtsp://h/a/trackID=1',
      'SETUP rtsp://h/a/trackID=2',
      'RECORD rtsp://h/a',
      'PAUSE rtsp://h/a',
      'RECORD rtsp://h/a',
      'TEARDOWN rtsp://h/a',
    ]);
    expect(pair.heard.slice(1)).toEqual([
      'track-ready',
      'track-ready',
      'ready',
      'recording',
      'paused',
      'recording',
      'ended',
    ]);
    expect(parseSessionDescription(pair.requests[1]!.body)?.media).toEqual(announcement.media);
    expect(pair.requests[1]!.headers.get('Content-Type')).toBe('application/sdp');
    expect(parseTransports(pair.requests[2]!.headers.get('Transport')!)).toEqual([{ ...TCP, mode: ['RECORD'] }]);
    expect(pair.requests.map(({ headers }) => headers.get('Range')).slice(4, 7)).toEqual([
      'npt=0.000-',
      undefined,
      undefined,
    ]);
  });

  it('fails when it may not', () => {
    const pair = new Pair(
      script(({ method }) => (method === 'ANNOUNCE' ? { statusCode: 403 } : 'usual')),
      { announcement },
    );
    expect(pair.start().heard).toEqual(['rtsp/refused 403']);
  });
});

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

describe('RtspClientSession, back channel', () => {
  it('asks for it everywhere and tells which track it is', () => {
    const pair = new Pair(script(), { wantsBackChannel: true }).start();
    expect(pair.tracks.map(({ isBackChannel }) => isBackChannel)).toEqual([false, false, true]);
    pair.setUp([TCP], pair.tracks).play();
    expect(pair.requests.map(({ headers }) => headers.get('Require') !== undefined)).toEqual([
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
  });

  it('plays without when the device has none, and knows none when it was not asked for', () => {
    const answers = script(({ headers }) => (headers.has('Require') ? { statusCode: 551 } : 'usual'));
    const pair = new Pair(answers, { wantsBackChannel: true }).start().setUp().play();
    expect(pair.methods).toEqual(['OPTIONS', 'DESCRIBE', 'DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
    expect(pair.heard.at(-1)).toBe('playing');
    expect(pair.tracks.some(({ isBackChannel }) => isBackChannel)).toBe(false);
    expect(new Pair().start().tracks.some(({ isBackChannel }) => isBackChannel)).toBe(false);
  });
});

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

describe('RtspClientSession, its caller', () => {
  const url = parseRtspUrl('rtsp://h/a')!;
  const wrongState = expect.objectContaining({ code: 'rtsp/wrong-state' });

  it('may not do things out of order', () => {
    const idle = new RtspClientSession({ url, crypto, cnonce: 'c' });
    expect(() => idle.receive(new Uint8Array(1), 0)).toThrow(wrongState);
    expect(() => idle.setUp([], 0)).toThrow(wrongState);
    idle.start(0);
    expect(() => idle.start(0)).toThrow(wrongState);
    expect(() => idle.play({}, 0)).toThrow(wrongState);
    expect(() => idle.record(0)).toThrow(wrongState);
    expect(() => idle.pause(0)).toThrow(wrongState);
    const pair = new Pair().start().setUp();
    expect(() => pair.session.record(0)).toThrow(wrongState);
    expect(() => pair.session.setUp([], 0)).toThrow(wrongState);
  });

  it('may not pile requests up', () => {
    const pair = new Pair(script(({ method }) => (method === 'PLAY' ? undefined : 'usual'))).start().setUp();
    const playOn = (): void => {
      for (let i = 0; i < 1000; i++) pair.play();
    };
    expect(playOn).toThrow(expect.objectContaining({ code: 'rtsp/too-many-requests' }));
  });
});

describe('RtspClientSession, any input', () => {
  it('says the same wherever the input is cut, and never throws', () => {
    const parts = [
      'RTSP/1.0 200 OK\r\n',
      'RTSP/1.0 401 No\r\n',
      'RTSP/1.0 302 x\r\nLocation: rtsp://h/b\r\n',
      'OPTIONS * RTSP/1.0\r\n',
      'TEARDOWN * RTSP/1.0\r\n',
      'CSeq: 1\r\n',
      'CSeq: 2\r\n',
      'CSeq: 3\r\n',
      'Session: 1\r\n',
      'Public: GET_PARAMETER\r\n',
      'WWW-Authenticate: Digest nonce="n"\r\n',
      '\r\n',
      '$\0\0\u0002ab',
      'x',
    ];
    const answers = [1, 2, 3].flatMap((cSeq) => [
      `RTSP/1.0 200 OK\r\nCSeq: ${cSeq}\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`,
      `RTSP/1.0 401 No\r\nCSeq: ${cSeq}\r\nWWW-Authenticate: Digest nonce="n"\r\n\r\n`,
    ]);
    const part = fc.constantFrom(...parts, ...answers);
    const run = (bytes: Uint8Array, sizeBytes: number): unknown[] => {
      const session = new RtspClientSession({ url: parseRtspUrl('rtsp://u:p@h/a')!, crypto, cnonce: 'c' });
      const told: unknown[] = [];
      const tell = (events: readonly RtspClientEvent[]): void => {
        for (const event of events) {
          if (event.type === 'interleaved') told.push(event.payload.slice());
          else
            told.push(
              event.type === 'failed'
                ? event.error.code
                : event.type === 'send'
                  ? Buffer.from(event.bytes).toString()
                  : event.type,
            );
        }
      };
      tell(session.start(0));
      for (let at = 0; at < bytes.length; at += sizeBytes) tell(session.receive(bytes.slice(at, at + sizeBytes), 0));
      return told;
    };
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), fc.integer({ min: 1, max: 50 }), (parts, sizeBytes) => {
        const bytes = new Uint8Array(Buffer.from(parts.join(''), 'latin1'));
        expect(run(bytes, sizeBytes)).toEqual(run(bytes, bytes.length + 1));
      }),
      { numRuns: 300 },
    );
  });
});
