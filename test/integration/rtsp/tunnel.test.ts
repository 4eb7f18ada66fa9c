import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RtspMessageReader } from '../../../src/protocol/rtsp/rtsp-message-reader.ts';
import { makeSelfSignedCertificate } from '../../peers/self-signed-certificate.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';

let server: LocalServer;
let base: string;
let stream: LiveStream;
let nextCookie = 0;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  server = await LocalServer.start({ latency: 'realtime' });
  base = `rtsp://127.0.0.1:${server.rtspPort}`;
  stream = new LiveStream(server, 'live/x');
  stream.push(30);
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await server.close();
});

function counters() {
  return server.millrace.counters.rtsp!;
}

async function connect(port = server.rtspPort, secure = false): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(port, { secure });
  closers.push(() => peer.close());
  return peer;
}

function get(cookie: string): string {
  return `GET /live/x HTTP/1.0\r\nx-sessioncookie: ${cookie}\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n`;
}

function post(cookie: string): string {
  return `POST /live/x HTTP/1.0\r\nx-sessioncookie: ${cookie}\r\nContent-Type: application/x-rtsp-tunnelled\r\nContent-Length: 32767\r\n\r\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The two connections of a tunnel. */
interface Tunnel {
  readonly cookie: string;
  /** Where answers come; its `text` numbers the requests. */
  readonly down: RtspPeer;
  readonly up: RtspPeer;
}

async function openTunnel(port = server.rtspPort, secure = false): Promise<Tunnel> {
  const cookie = `cookie-${nextCookie++}`;
  const down = await connect(port, secure);
  down.send(get(cookie));
  const response = await down.response();
  expect([response.protocol, response.version, response.statusCode]).toEqual(['HTTP', '1.0', 200]);
  expect(response.headers.get('Content-Type')).toBe('application/x-rtsp-tunnelled');
  const up = await connect(port, secure);
  up.send(post(cookie));
  return { cookie, down, up };
}

async function ask(
  { down, up }: Tunnel,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): ReturnType<RtspPeer['response']> {
  up.send(base64(down.text(method, `${base}${path}`, headers)));
  return down.response();
}

describe('RTSP over HTTP', () => {
  it('plays, also when the client asks for UDP, which would not get through', async () => {
    const tunnel = await openTunnel();
    expect((await ask(tunnel, 'DESCRIBE', '/live/x')).body.length).toBeGreaterThan(100);
    const setUp = await ask(tunnel, 'SETUP', '/live/x/track1', { Transport: 'RTP/AVP;unicast;client_port=5000-5001' });
    expect(setUp.headers.get('Transport')).toMatch(/^RTP\/AVP\/TCP;unicast;interleaved=0-1;/);
    const played = await ask(tunnel, 'PLAY', '/live/x', { Session: sessionOf(setUp) });
    expect(played.statusCode).toBe(200);
    await tunnel.down.until(() => tunnel.down.on(0).length === 5, 'media came');
    expect(counters()).toMatchObject({ connections: 2, sessions: 1, malformed: 0 });
    expect(tunnel.up.order).toEqual([]);
  });

  it.each([
    ['byte by byte', (text: string) => base64(text).split('')],
    ['in lines', (text: string) => [base64(text).replace(/.{60}/g, '$&\r\n')]],
    ['in two encodings, the first padded', (text: string) => [base64(text.slice(0, 20)), base64(text.slice(20))]],
  ])('takes requests %s', async (_, cut) => {
    const { down, up } = await openTunnel();
    const texts = ['OPTIONS', 'DESCRIBE'].map((method) => down.text(method, `${base}/live/x`));
    for (const part of texts.flatMap(cut)) {
      up.send(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answers = [await down.response(), await down.response()];
    expect(answers.map(({ statusCode, headers }) => [statusCode, headers.get('CSeq')])).toEqual([
      [200, '1'],
      [200, '2'],
    ]);
  });

  it('goes on in another POST, wherever the one before was cut', async () => {
    const { cookie, down, up } = await openTunnel();
    const encoded = base64(down.text('DESCRIBE', `${base}/live/x`));
    up.send(encoded.slice(0, 33));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await connect();
    second.send(post(cookie) + encoded.slice(33));
    expect((await down.response()).statusCode).toBe(200);
    await up.untilClosed();
    second.close();
    await until('the POST is gone', () => counters().connections === 1);
    const third = await connect();
    third.send(post(cookie) + base64(down.text('OPTIONS', '*')));
    expect((await down.response()).statusCode).toBe(200);
  });

  it('ends whole with its GET', async () => {
    const tunnel = await openTunnel();
    await ask(tunnel, 'SETUP', '/live/x/track1', { Transport: 'RTP/AVP/TCP' });
    tunnel.down.close();
    await tunnel.up.untilClosed();
    await until('all of it is gone', () => counters().connections === 0 && counters().sessions === 0);
  });

  it('ends when what comes is not base64', async () => {
    const { down, up } = await openTunnel();
    up.send('OPTIONS * RTSP/1.0\r\n');
    await down.untilClosed();
    await up.untilClosed();
  });

  it.each<[string, () => string, number]>([
    ['POST with a cookie nobody has', () => post('unknown'), 404],
    ['GET without a cookie', () => 'GET /live/x HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['GET with a cookie that is too long', () => get('x'.repeat(257)), 400],
    ['another method', () => 'PUT /live/x HTTP/1.1\r\n\r\n', 405],
    ['an upgrade to something else', () => 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', 400],
  ])('%s is answered and closed', async (_, text, statusCode) => {
    const peer = await connect();
    peer.send(text());
    expect((await peer.response()).statusCode).toBe(statusCode);
    await peer.untilClosed();
  });

  it('a cookie is of one GET only', async () => {
    const { cookie, down } = await openTunnel();
    const second = await connect();
    second.send(get(cookie));
    expect((await second.response()).statusCode).toBe(409);
    expect(down.isClosed).toBe(false);
  });

  it('comes to the HTTP port as well', async () => {
    const tunnel = await openTunnel(server.httpPort);
    const setUp = await ask(tunnel, 'SETUP', '/live/x/track1', { Transport: 'RTP/AVP/TCP' });
    await ask(tunnel, 'PLAY', '/live/x', { Session: sessionOf(setUp) });
    await tunnel.down.until(() => tunnel.down.on(0).length === 5, 'media came');
    const { cookie, down, up } = tunnel;
    up.close();
    const second = await connect(server.httpPort);
    for (const byte of post(cookie) + base64(down.text('OPTIONS', '*'))) {
      second.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await down.response()).statusCode).toBe(200);
  });
});

describe('RTSP over TLS', () => {
  it('is served on its port, tunnels too, and rtsp:// URLs are not minded there', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-rtsps-'));
    closers.push(() => rm(directory, { recursive: true }));
    const secure = await LocalServer.start({
      rtsps: { listen: '127.0.0.1:0', ...(await makeSelfSignedCertificate(directory)) },
    });
    closers.push(() => secure.close());
    new LiveStream(secure, 'live/x').push(30);
    const [port] = secure.millrace.ports.rtsps;
    const peer = await connect(port, true);
    for (const scheme of ['rtsp', 'rtsps']) {
      expect((await peer.request('DESCRIBE', `${scheme}://127.0.0.1:${port}/live/x`)).statusCode).toBe(200);
    }
    expect((await ask(await openTunnel(port, true), 'DESCRIBE', '/live/x')).statusCode).toBe(200);
    const plain = await connect(port);
    plain.send('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n');
    await plain.untilClosed();
    expect(secure.millrace.counters.rtsp?.failedHandshakes).toBe(1);
  });
});

describe('RTSP over WebSocket', () => {
  async function open(port: number): Promise<{ readonly socket: WebSocket; readonly order: string[] }> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live/x`, 'rtsp.onvif.org');
    closers.push(() => socket.terminate());
    const reader = new RtspMessageReader();
    const order: string[] = [];
    socket.on('message', (bytes: Buffer) => {
      for (const event of reader.receive(bytes)) {
        order.push(event.type === 'response' ? String(event.statusCode) : event.type);
        if (event.type === 'response' && event.headers.has('Session')) order.push(sessionOf(event));
      }
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return { socket, order };
  }

  it.each(['rtsp', 'http'] as const)('plays on the %s port', async (kind) => {
    const { socket, order } = await open(kind === 'rtsp' ? server.rtspPort : server.httpPort);
    expect(socket.protocol).toBe('rtsp.onvif.org');
    const setUp = `SETUP ${base}/live/x/track1 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n`;
    // Messages of the WebSocket and messages of RTSP need not begin together.
    socket.send(Buffer.from(setUp.slice(0, 30)));
    socket.send(Buffer.from(setUp.slice(30)));
    await until('it was set up', () => order.length === 2);
    socket.send(Buffer.from(`PLAY ${base}/live/x RTSP/1.0\r\nCSeq: 2\r\nSession: ${order[1]}\r\n\r\n`));
    await until('media came', () => order.filter((type) => type === 'interleaved').length >= 6);
    expect(counters()).toMatchObject({ connections: 1, sessions: 1 });
    socket.close();
    await until('it has ended', () => counters().connections === 0 && counters().sessions === 0);
  });
});
