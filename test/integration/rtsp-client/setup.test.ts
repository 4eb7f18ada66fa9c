import { describe, expect, it } from 'vitest';
import { parseTransports, type RtspTransport } from '../../../src/protocol/rtsp/transport-header.ts';
import { parseSessionDescription } from '../../../src/protocol/sdp/session-description-parser.ts';
import { Pair, SDP, script, TCP, UDP } from '../../rtsp-client-test-kit.ts';

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

  it.each(['SETUP', 'PLAY'])('is not asked for again of a device that does not know it at %s', (method) => {
    const pair = new Pair(
      script((request) =>
        request.method === method && request.headers.has('Require') ? { statusCode: 551 } : 'usual',
      ),
      { wantsBackChannel: true },
    ).start();
    pair.setUp().play();
    expect(pair.heard).toEqual(['described', 'track-ready', 'track-ready', 'ready', 'playing']);
  });

  it('that is refused leaves the tracks before it', () => {
    const pair = new Pair(
      script((request) => (request.url.endsWith('trackID=3') ? { statusCode: 551 } : 'usual')),
      { wantsBackChannel: true },
    ).start();
    pair.setUp([TCP], pair.tracks).play();
    expect(pair.heard).toEqual(['described', 'track-ready', 'track-ready', 'track-refused', 'playing']);
  });

  it('is not asked for at SETUP where none is described', () => {
    const body = 'v=0\ns=x\nm=video 0 RTP/AVP 96\na=control:trackID=1';
    const pair = new Pair(
      script((request) => (request.method === 'DESCRIBE' ? { body } : 'usual')),
      { wantsBackChannel: true },
    ).start();
    pair.setUp([TCP], pair.tracks).play();
    const withIt = pair.requests.filter(({ headers }) => headers.has('Require'));
    expect(withIt.map(({ method }) => method)).toEqual(['DESCRIBE']);
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
