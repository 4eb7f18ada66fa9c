import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LocalServer } from '../robustness/local-server.ts';
import { LiveStream, PCMU_TRACK } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';

const TCP = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };
const TCP2 = { Transport: 'RTP/AVP/TCP;unicast;interleaved=2-3' };
const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER, ANNOUNCE, RECORD';

let server: LocalServer;
let base: string;
let stream: LiveStream;
const peers: RtspPeer[] = [];

beforeAll(async () => {
  server = await LocalServer.start({ latency: 'realtime', publish: { normal_timeout: 600_000 } });
  base = `rtsp://127.0.0.1:${server.rtspPort}`;
  stream = new LiveStream(server, 'live/x');
  stream.push(30);
  const sound = new LiveStream(server, 'live/sound', { audio: PCMU_TRACK });
  sound.push(50);
  const odd = new LiveStream(server, 'líve/a b');
  odd.push(30);
  // A stream of one kind might get a second one: what has begun only now waits for it.
  await new Promise((resolve) => setTimeout(resolve, 1600));
});

afterAll(async () => {
  await server.close();
});

afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
});

async function connect(): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.rtspPort);
  peers.push(peer);
  return peer;
}

type State = 'none' | 'ready' | 'playing' | 'paused';

/** A client in a state, and its Session header. */
async function inState(state: State): Promise<{ readonly peer: RtspPeer; readonly session: Record<string, string> }> {
  const peer = await connect();
  if (state === 'none') return { peer, session: {} };
  const first = await peer.request('SETUP', `${base}/live/x/track1`, TCP);
  const session = { Session: sessionOf(first) };
  await peer.request('SETUP', `${base}/live/x/track2`, { ...TCP2, ...session });
  if (state !== 'ready') expect((await peer.request('PLAY', `${base}/live/x`, session)).statusCode).toBe(200);
  if (state === 'paused') expect((await peer.request('PAUSE', `${base}/live/x`, session)).statusCode).toBe(200);
  return { peer, session };
}

describe('every method in every state', () => {
  const all: readonly State[] = ['none', 'ready', 'playing', 'paused'];
  const table: readonly (readonly [method: string, answers: readonly number[]])[] = [
    ['OPTIONS', [200, 200, 200, 200]],
    ['DESCRIBE', [200, 200, 200, 200]],
    ['ANNOUNCE', [415, 415, 415, 415]],
    ['PLAY', [454, 200, 200, 200]],
    ['PAUSE', [454, 455, 200, 455]],
    ['RECORD', [454, 455, 455, 455]],
    ['GET_PARAMETER', [200, 200, 200, 200]],
    ['SET_PARAMETER', [200, 200, 200, 200]],
    ['TEARDOWN', [454, 200, 200, 200]],
    ['REDIRECT', [405, 405, 405, 405]],
    ['PLAY_NOTIFY', [501, 501, 501, 501]],
    ['play', [501, 501, 501, 501]],
  ];
  const cases = table.flatMap(([method, answers]) => all.map((state, i) => [method, state, answers[i]!] as const));

  it.each(cases)('%s when %s is answered %i', async (method, state, statusCode) => {
    const { peer, session } = await inState(state);
    const response = await peer.request(method, `${base}/live/x`, session);
    expect(response.statusCode).toBe(statusCode);
    if (statusCode === 405 || statusCode === 501) expect(response.headers.get('Allow')).toBe(METHODS);
    if (statusCode === 455) expect(response.headers.get('Allow')).toMatch(/^(SETUP, PLAY|PLAY, PAUSE), TEARDOWN/);
    expect((await peer.request('OPTIONS', '*')).statusCode).toBe(200);
  });

  it.each([
    ['none', 'track1', 200],
    ['ready', 'track1', 200],
    ['playing', 'track1', 455],
    ['paused', 'track1', 200],
    ['none', 'track3', 404],
    ['ready', 'track3', 404],
    ['none', '', 459],
    ['ready', '', 459],
  ] as const)('SETUP when %s of %j is answered %i', async (state, track, statusCode) => {
    const { peer, session } = await inState(state);
    const response = await peer.request('SETUP', `${base}/live/x/${track}`, { ...TCP, ...session });
    expect(response.statusCode).toBe(statusCode);
    if (statusCode === 455) expect(response.headers.get('Allow')).toMatch(/^PLAY, PAUSE, TEARDOWN/);
  });

  it.each(['PLAY', 'PAUSE', 'TEARDOWN'])('%s after TEARDOWN finds no session', async (method) => {
    const { peer, session } = await inState('playing');
    const torn = await peer.request('TEARDOWN', `${base}/live/x`, session);
    expect([torn.statusCode, torn.headers.get('Session')]).toEqual([200, session['Session']]);
    expect((await peer.request(method, `${base}/live/x`, session)).statusCode).toBe(454);
  });
});

describe('requests that are refused', () => {
  it.each<[string, string, string, Record<string, string>, number, Record<string, string>?]>([
    ['a stream nobody publishes', 'DESCRIBE', '/live/none', {}, 404],
    ['neither stream nor file', 'DESCRIBE', '/none', {}, 404],
    ['the root', 'DESCRIBE', '/', {}, 404],
    ['an empty part', 'DESCRIBE', '/live//x', {}, 404],
    ['a way upwards', 'DESCRIBE', '/live/../live/x', {}, 404],
    ['SETUP of a stream nobody publishes', 'SETUP', '/live/none/track1', TCP, 404],
    ['an option', 'DESCRIBE', '/live/x', { Require: 'implicit-play' }, 551, { Unsupported: 'implicit-play' }],
    [
      'two options',
      'SETUP',
      '/live/x/track1',
      { Require: 'a, b', 'Proxy-Require': 'c' },
      551,
      { Unsupported: 'a, b, c' },
    ],
    ['another description', 'DESCRIBE', '/live/x', { Accept: 'text/html, application/mheg' }, 406],
    ['no Transport', 'SETUP', '/live/x/track1', {}, 461],
    ['an empty Transport', 'SETUP', '/live/x/track1', { Transport: '' }, 461],
    ['raw datagrams', 'SETUP', '/live/x/track1', { Transport: 'RAW/RAW/UDP;unicast;client_port=5000' }, 461],
    ['UDP without ports', 'SETUP', '/live/x/track1', { Transport: 'RTP/AVP;unicast' }, 461],
    ['UDP on port 0', 'SETUP', '/live/x/track1', { Transport: 'RTP/AVP;unicast;client_port=0-1' }, 461],
    ['multicast, which is off', 'SETUP', '/live/x/track1', { Transport: 'RTP/AVP;multicast' }, 461],
    ['recording', 'SETUP', '/live/x/track1', { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1;mode=record' }, 461],
    ['a session nobody has', 'OPTIONS', '/live/x', { Session: '0123456789abcdef' }, 454],
    ['an empty session', 'PLAY', '/live/x', { Session: '' }, 454],
    ['TLS on the plain port', 'DESCRIBE', 'rtsps:/live/x', {}, 301],
  ])('%s', async (_, method, path, headers, statusCode, expected = {}) => {
    const peer = await connect();
    const url = path.startsWith('rtsps:') ? `${base.replace('rtsp:', 'rtsps:')}${path.slice(6)}` : `${base}${path}`;
    const response = await peer.request(method, url, headers);
    expect(response.statusCode).toBe(statusCode);
    for (const [name, value] of Object.entries(expected)) expect(response.headers.get(name)).toBe(value);
    if (statusCode === 301) expect(response.headers.get('Location')).toBe(`${base}/live/x`);
    // Nobody was told of a session, so there is none.
    expect(server.millrace.counters.rtsp?.sessions).toBe(0);
  });

  it.each<[string, Record<string, string>, number]>([
    ['Range of 5 minutes to 1', { Range: 'npt=now-x' }, 457],
    ['no Range at all', { Range: 'npt=-' }, 457],
    ['a broken clock', { Range: 'clock=2020-' }, 457],
    ['Range in a unit nobody knows', { Range: 'parsecs=1-2' }, 501],
    ['Range without a unit', { Range: '1-2' }, 501],
    ['Scale of 0', { Scale: '0' }, 400],
    ['Scale of a word', { Scale: 'fast' }, 400],
    ['Speed backwards', { Speed: '-1' }, 400],
  ])('PLAY with %s', async (_, headers, statusCode) => {
    const { peer, session } = await inState('ready');
    expect((await peer.request('PLAY', `${base}/live/x`, { ...session, ...headers })).statusCode).toBe(statusCode);
    expect((await peer.request('PLAY', `${base}/live/x`, session)).statusCode).toBe(200);
  });

  it.each([
    ['another stream', 'PLAY', '/live/sound', 404],
    ['another stream', 'SETUP', '/live/sound/track1', 459],
    ['a track there is not', 'PLAY', '/live/x/track7', 404],
    ['a track there is not', 'TEARDOWN', '/live/x/track7', 404],
    ['no URL', 'PLAY', 'live/x', 400],
    ['everything', 'PLAY', '*', 405],
  ])('%s in a session: %s %s is answered %i', async (_, method, path, statusCode) => {
    const { peer, session } = await inState('ready');
    const url = path.startsWith('/') ? `${base}${path}` : path;
    const response = await peer.request(method, url, { ...TCP, ...session });
    expect(response.statusCode).toBe(statusCode);
  });

  it('a track that was not set up can neither be played nor paused', async () => {
    const peer = await connect();
    const session = { Session: sessionOf(await peer.request('SETUP', `${base}/live/x/track1`, TCP)) };
    expect((await peer.request('PLAY', `${base}/live/x/track2`, session)).statusCode).toBe(455);
    expect((await peer.request('PLAY', `${base}/live/x`, session)).statusCode).toBe(200);
    expect((await peer.request('PAUSE', `${base}/live/x/track2`, session)).statusCode).toBe(455);
  });

  it.each<[string, string, number, string]>([
    ['another version', 'OPTIONS * RTSP/2.0\r\nCSeq: 7\r\n\r\n', 505, '7'],
    ['no CSeq', 'OPTIONS * RTSP/1.0\r\n\r\n', 400, ''],
    ['a CSeq that is no number', 'OPTIONS * RTSP/1.0\r\nCSeq: one\r\n\r\n', 400, ''],
    ['nonsense', 'hello world\r\nCSeq: 3\r\n\r\n', 400, '3'],
  ])('%s', async (_, text, statusCode, cSeq) => {
    const peer = await connect();
    peer.send(text);
    const response = await peer.response();
    expect([response.statusCode, response.headers.get('CSeq') ?? '']).toEqual([statusCode, cSeq]);
    expect((await peer.request('OPTIONS', '*')).statusCode).toBe(200);
  });
});

describe('answers', () => {
  it('tell the time and who answers', async () => {
    const peer = await connect();
    const { headers } = await peer.request('OPTIONS', `${base}/live/x`);
    expect(headers.get('Public')).toBe(METHODS);
    expect(headers.get('Server')).toMatch(/^Millrace\//);
    expect(Math.abs(Date.parse(headers.get('Date')!) - Date.now())).toBeLessThan(5000);
    expect(headers.get('Date')).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  });

  it('to DESCRIBE hold the description and its base', async () => {
    const peer = await connect();
    const response = await peer.request('DESCRIBE', `${base}/live/x`, { Accept: 'application/sdp;q=0.5, */*;q=0' });
    expect(response.headers.get('Content-Type')).toBe('application/sdp');
    expect(response.headers.get('Content-Base')).toBe(`${base}/live/x/`);
    const lines = new TextDecoder().decode(response.body).split('\r\n');
    expect(lines.filter((line) => !line.startsWith('o='))).toEqual([
      'v=0',
      's=live/x',
      't=0 0',
      'a=tool:Millrace',
      'a=type:broadcast',
      'a=control:*',
      'a=range:npt=now-',
      'm=video 0 RTP/AVP 96',
      'c=IN IP4 0.0.0.0',
      'a=rtpmap:96 H264/90000',
      'a=fmtp:96 packetization-mode=1;profile-level-id=42c01e;sprop-parameter-sets=Z0LAHtkDxWg=,aM48gA==',
      'a=control:track1',
      'm=audio 0 RTP/AVP 0',
      'c=IN IP4 0.0.0.0',
      'a=rtpmap:0 PCMU/8000',
      'a=control:track2',
      '',
    ]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['TCP', TCP, /^RTP\/AVP\/TCP;unicast;interleaved=0-1;ssrc=[0-9A-F]{8}$/],
    ['TCP without channels', { Transport: 'RTP/AVP/TCP' }, /^RTP\/AVP\/TCP;unicast;interleaved=0-1;/],
    [
      'TCP on one channel',
      { Transport: 'rtp/avp/tcp;unicast;interleaved=7' },
      /^RTP\/AVP\/TCP;unicast;interleaved=7-8;/,
    ],
    [
      'what comes first of what it has',
      { Transport: 'RTP/SAVP;unicast;client_port=1-2,RTP/AVP/TCP;interleaved=4-5,RTP/AVP;unicast;client_port=9-10' },
      /^RTP\/AVP\/TCP;unicast;interleaved=4-5;/,
    ],
    [
      'UDP',
      { Transport: 'RTP/AVP/UDP;unicast;client_port=40000-40001;mode="PLAY"' },
      /^RTP\/AVP\/UDP;unicast;source=127\.0\.0\.1;client_port=40000-40001;server_port=(\d+)-\d+;ssrc=[0-9A-F]{8};mode="PLAY"$/,
    ],
    [
      'UDP to somebody else, which goes to oneself',
      { Transport: 'RTP/AVP;unicast;destination=192.0.2.1;client_port=40000' },
      /^RTP\/AVP;unicast;destination=127\.0\.0\.1;source=127\.0\.0\.1;client_port=40000-40001;server_port=/,
    ],
  ])('to SETUP over %s say what was agreed', async (_, headers, expected) => {
    const peer = await connect();
    const response = await peer.request('SETUP', `${base}/live/x/track1`, headers);
    expect(response.headers.get('Transport')).toMatch(expected);
    expect(response.headers.get('Session')).toMatch(/^[0-9a-f]{16};timeout=60$/);
    await peer.request('TEARDOWN', `${base}/live/x`, { Session: sessionOf(response) });
  });

  it('to SETUP give other channels than those that are taken', async () => {
    const peer = await connect();
    const session = { Session: sessionOf(await peer.request('SETUP', `${base}/live/x/track1`, TCP)) };
    const second = await peer.request('SETUP', `${base}/live/x/track2`, { ...TCP, ...session });
    expect(second.headers.get('Transport')).toMatch(/interleaved=2-3/);
    const other = await peer.request('SETUP', `${base}/live/sound`, TCP);
    expect(other.headers.get('Transport')).toMatch(/interleaved=4-5/);
    expect(sessionOf(other)).not.toBe(session.Session);
    const again = await peer.request('SETUP', `${base}/live/x/track1`, { ...TCP, ...session });
    expect(again.headers.get('Transport')).toMatch(/interleaved=0-1/);
  });

  it('to SETUP of a second track over another transport are refusals', async () => {
    const peer = await connect();
    const session = { Session: sessionOf(await peer.request('SETUP', `${base}/live/x/track1`, TCP)) };
    const udp = { Transport: 'RTP/AVP;unicast;client_port=40000-40001' };
    expect((await peer.request('SETUP', `${base}/live/x/track2`, { ...udp, ...session })).statusCode).toBe(461);
  });

  it('to PLAY say where the tracks begin, at one moment, and come before the media', async () => {
    const { peer, session } = await inState('ready');
    const response = await peer.request('PLAY', `${base}/live/x/`, {
      ...session,
      Range: 'npt=0.000-',
      Scale: '2',
      Speed: '1.5',
    });
    expect(response.headers.get('Range')).toBe('npt=now-');
    expect([response.headers.get('Scale'), response.headers.get('Speed')]).toEqual(['1', '1']);
    expect(response.headers.get('Session')).toBe(session['Session']);
    await peer.until(() => peer.on(0).length > 4 && peer.on(2).length > 4, 'media came');
    expect(peer.order.indexOf('$0')).toBeGreaterThan(peer.order.lastIndexOf('200'));
    const infos = response.headers
      .get('RTP-Info')!
      .split(',')
      .map((text) => /^url=(.+);seq=(\d+);rtptime=(\d+)$/.exec(text)!.slice(1));
    expect(infos.map(([url]) => url)).toEqual([`${base}/live/x/track1`, `${base}/live/x/track2`]);
    for (const [i, channel] of [0, 2].entries()) {
      const first = Buffer.from(peer.on(channel)[0]!);
      expect([first.readUInt16BE(2), first.readUInt32BE(4)]).toEqual([Number(infos[i]![1]), Number(infos[i]![2])]);
    }
    // The report that ties them together is of the same moment, and came first.
    const reports = [1, 3].map((channel) => Buffer.from(peer.on(channel)[0]!));
    expect(reports.map((report) => report.readUInt32BE(16))).toEqual(infos.map(([, , time]) => Number(time)));
    expect(reports[0]!.subarray(8, 16)).toEqual(reports[1]!.subarray(8, 16));
    expect(peer.order.indexOf('$1')).toBeLessThan(peer.order.indexOf('$0'));
  });

  it('to PLAY while playing change nothing', async () => {
    const { peer, session } = await inState('playing');
    await peer.until(() => peer.on(0).length > 0, 'media came');
    const before = peer.on(0).length;
    const response = await peer.request('PLAY', `${base}/live/x`, session);
    expect([response.statusCode, response.headers.has('RTP-Info')]).toEqual([200, false]);
    expect(peer.on(0).length).toBe(before);
  });

  it.each([
    ['', 'text/parameters', 200, ''],
    ['position\r\njitter: 1\r\n', 'text/parameters', 451, 'position\r\njitter\r\n'],
    ['position\n', '', 451, 'position\r\n'],
    ['\r\n', 'text/parameters', 200, ''],
    ['<x/>', 'text/xml', 415, ''],
  ])('to parameters %j of type %j: %i %j', async (body, contentType, statusCode, answered) => {
    const { peer, session } = await inState('ready');
    for (const method of ['GET_PARAMETER', 'SET_PARAMETER']) {
      const headers = { ...session, ...(contentType === '' ? {} : { 'Content-Type': contentType }) };
      const response = await peer.request(method, `${base}/live/x`, headers, body);
      expect([response.statusCode, new TextDecoder().decode(response.body)]).toEqual([statusCode, answered]);
    }
  });
});

describe('URLs and headers', () => {
  it.each([
    '/live/x/',
    '/live/x?token=1',
    '/live/x/?token=1',
    '/live/x?vhost=unknown.example',
    '/l%69ve/x',
    '/l%C3%ADve/a%20b',
    '/l%C3%ADve/a b',
  ])('DESCRIBE of %s', async (path) => {
    const peer = await connect();
    const response = await peer.request('DESCRIBE', `${base}${path}`);
    expect(response.statusCode).toBe(200);
    const contentBase = response.headers.get('Content-Base')!;
    const [, told = ''] =
      /^a=control:(.*track1.*)$/m.exec(new TextDecoder().decode(response.body).replaceAll('\r', '')) ?? [];
    const control = told === 'track1' ? `${contentBase}track1` : told;
    expect(control).toBe(`${base}${path.replace(/\/?(\?|$)/, '/track1$1')}`);
    const setUp = await peer.request('SETUP', control, TCP);
    expect(setUp.statusCode).toBe(200);
    const played = await peer.request('PLAY', contentBase, { Session: sessionOf(setUp) });
    expect(played.headers.get('RTP-Info')).toContain(`url=${control};`);
  });

  it('a track behind the query, where some clients put it', async () => {
    const peer = await connect();
    expect((await peer.request('SETUP', `${base}/live/x/?token=1/track2`, TCP)).statusCode).toBe(200);
    expect((await peer.request('SETUP', `${base}/live/x?token=1track2`, TCP)).statusCode).toBe(459);
  });

  it('a query behind the track as well', async () => {
    const peer = await connect();
    expect((await peer.request('SETUP', `${base}/live/x/track2?token=1`, TCP)).statusCode).toBe(200);
  });

  it('a stream of one track may be set up without naming it', async () => {
    const peer = await connect();
    const session = { Session: sessionOf(await peer.request('SETUP', `${base}/live/sound`, TCP)) };
    const response = await peer.request('PLAY', `${base}/live/sound`, session);
    expect(response.headers.get('RTP-Info')).toMatch(new RegExp(`^url=${base}/live/sound;seq=`));
  });

  it.each([
    ['with its timeout', (id: string) => ({ Session: `${id};timeout=60` })],
    ['with a blank', (id: string) => ({ Session: ` ${id} ; timeout=60` })],
    ['in lower case', (id: string) => ({ session: id })],
  ])('a session sent back %s is known', async (_, headers) => {
    const { peer, session } = await inState('ready');
    const response = await peer.request('PLAY', `${base}/live/x`, headers(session['Session']!));
    expect(response.statusCode).toBe(200);
  });

  it('line ends without CR', async () => {
    const peer = await connect();
    peer.send(`DESCRIBE ${base}/live/x RTSP/1.0\nCSeq: 4\n\n`);
    const response = await peer.response();
    expect([response.statusCode, response.headers.get('CSeq')]).toEqual([200, '4']);
  });

  it('requests sent at once are answered in order, frames between them are left', async () => {
    const peer = await connect();
    const frame = Buffer.from([0x24, 9, 0, 3, 1, 2, 3]);
    const requests = ['OPTIONS', 'DESCRIBE', 'GET_PARAMETER', 'DESCRIBE'].map((method) =>
      Buffer.from(peer.text(method, `${base}/live/x`)),
    );
    peer.send(Buffer.concat(requests.flatMap((request) => [frame, request, frame])));
    const answers = [await peer.response(), await peer.response(), await peer.response(), await peer.response()];
    expect(answers.map(({ headers }) => headers.get('CSeq'))).toEqual(['1', '2', '3', '4']);
    expect(answers.map(({ body }) => body.length > 0)).toEqual([false, true, false, true]);
  });

  it('requests cut anywhere are the same', async () => {
    const peer = await connect();
    const bytes = Buffer.from(peer.text('SETUP', `${base}/live/x/track1`, TCP));
    for (const byte of bytes) {
      peer.send(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await peer.response()).statusCode).toBe(200);
  });

  it('a client that asks for it is left after its answer', async () => {
    const peer = await connect();
    expect((await peer.request('OPTIONS', '*', { Connection: 'close' })).statusCode).toBe(200);
    await peer.untilClosed();
  });
});
