import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ffmpegPublish } from '../peers/ffmpeg.ts';
import { BBB_CLIP, makeBFrameClip } from './support/clips.ts';
import { FlvCollector } from './support/flv-file.ts';
import { FlvViewer } from './support/flv-viewer.ts';
import { requestHttp } from './support/http-request.ts';
import { Stage, type TestServer } from './support/stage.ts';

let stage: Stage;
let server: TestServer;
/** Sees `live/x` from its beginning on. */
let witness: FlvViewer;

/** `live/x` runs all the time with a key frame a second. */
beforeAll(async () => {
  stage = await Stage.open();
  server = await stage.server({ http: { max_wait: 3 } });
  await makeBFrameClip(stage.path('clip.flv'), 10);
  stage.run(
    ffmpegPublish({ input: stage.path('clip.flv'), url: server.rtmp('live/x'), loop: true, timeoutMs: 80_000 }),
  );
  await server.whenLive('live/x');
  witness = await FlvViewer.open(server.http('live/x.flv'));
  stage.own(() => witness.close());
  await witness.moreVideo(10);
});

afterAll(async () => {
  await stage.close();
});

/** Publishes two seconds of Big Buck Bunny and returns when it is live. */
async function publishShortly(path: string): Promise<void> {
  stage.run(ffmpegPublish({ input: BBB_CLIP, url: server.rtmp(path), seconds: 2 }));
  await server.whenLive(path);
}

/** Sends bytes on a connection of their own and returns everything that comes until it ends. */
async function exchange(request: string): Promise<Buffer> {
  const socket = net.connect({ host: server.host, port: server.millrace.ports.http[0]! });
  socket.write(request);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Watches until `enough` video or audio frames have come. */
async function watch(query: string, enough = 10): Promise<FlvCollector> {
  const viewer = await FlvViewer.open(server.http(`live/x.flv${query}`));
  await viewer.until(({ video, audio }) => video.length >= enough || audio.length >= enough * 3, 'enough frames came');
  viewer.close();
  return viewer.content;
}

// They wait for real time more than for anything else, so they wait together.
describe.concurrent('HTTP', () => {
  it.each([
    ['flv', 'video/x-flv'],
    ['ts', 'video/mp2t'],
    ['aac', 'audio/aac'],
  ])('HEAD of a .%s says what GET would and leaves the connection usable', async (extension, contentType) => {
    // By hand: Node's agent gives up a connection after every HEAD whose answer has no length.
    const head = `HEAD /live/x.${extension} HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`;
    const last = `GET /console/streams.json HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`;
    const answer = (await exchange(`${head}${head}${last}`)).toString();
    const [first = '', second = '', third = '', ...more] = answer.split(/(?=HTTP\/1\.1 )/);
    expect(more).toEqual([]);
    for (const headers of [first, second]) {
      expect(headers).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(headers).toContain(`Content-Type: ${contentType}\r\n`);
      expect(headers).toContain('Cache-Control: no-store\r\n');
      expect(headers.endsWith('\r\n\r\n')).toBe(true);
    }
    expect(third).toContain('"live/x"');
  });

  it('404 says what is missing and leaves the connection usable', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const missing = await requestHttp(server.http('live/nobody.flv'), { agent });
    const headless = await requestHttp(server.http('live/nobody.flv'), { method: 'HEAD', agent });
    const page = await requestHttp(server.http('no/such/page'), { agent });
    const listed = await requestHttp(server.http('console/streams.json'), { agent });
    agent.destroy();
    expect(missing.status).toBe(404);
    expect(missing.body.toString()).toContain('live/nobody');
    expect(headless.status).toBe(404);
    expect(headless.body).toHaveLength(0);
    expect(page.status).toBe(404);
    expect(listed.status).toBe(200);
    expect(new Set([missing, headless, page, listed].map(({ localPort }) => localPort)).size).toBe(1);
  });

  it('a stream that ends leaves the connection usable', async () => {
    await publishShortly('live/short');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const stream = await requestHttp(server.http('live/short.flv'), { agent });
    const after = await requestHttp(server.http('console/streams.json'), { agent });
    const other = await requestHttp(server.http('live/short.ts'), { agent });
    agent.destroy();
    expect(stream).toMatchObject({ status: 200, headers: { 'transfer-encoding': 'chunked' } });
    const content = new FlvCollector();
    content.receive(stream.body);
    expect(content.video.length).toBeGreaterThanOrEqual(45);
    expect(after).toMatchObject({ status: 200, localPort: stream.localPort });
    expect(other).toMatchObject({ status: 404, localPort: stream.localPort });
  });

  it('a viewer on HTTP/1.0 gets bare bytes until the connection ends', async () => {
    await publishShortly('live/old');
    const answer = await exchange('GET /live/old.flv HTTP/1.0\r\n\r\n');
    const bodyAt = answer.indexOf('\r\n\r\n') + 4;
    const header = answer.subarray(0, bodyAt).toString();
    expect(header).toMatch(/^HTTP\/1\.[01] 200 /);
    expect(header).not.toMatch(/transfer-encoding/i);
    const content = new FlvCollector();
    content.receive(answer.subarray(bodyAt));
    expect(content.video.length).toBeGreaterThanOrEqual(45);
  });

  it('?wait= waits for a publisher', async () => {
    const waiting = FlvViewer.open(server.http('live/later.flv?wait=10'));
    await publishShortly('live/later');
    const viewer = await waiting;
    await viewer.ended;
    expect(viewer.content.video[0]!.isKeyFrame).toBe(true);
    expect(viewer.content.video.length).toBeGreaterThanOrEqual(45);
  });

  it.each([
    ['the time asked for', 'wait=1', 1],
    ['http.max_wait', 'wait=10', 3],
  ])('?wait= ends with 404 after %s', async (_limit, query, seconds) => {
    const startMs = performance.now();
    const { status, body } = await requestHttp(server.http(`live/never.flv?${query}`));
    const tookMs = performance.now() - startMs;
    expect(status).toBe(404);
    expect(body.toString()).toContain(`within ${seconds} s`);
    expect(tookMs).toBeGreaterThan(seconds * 1000 - 50);
    expect(tookMs).toBeLessThan(seconds * 1000 + 1000);
  });

  it('?start=-5 starts five seconds back, at a key frame', async () => {
    await witness.until(({ video }) => video.at(-1)!.dtsUs >= 7_000_000, 'the stream was 7 s old');
    const now = await watch('');
    const earlier = await watch('?start=-5');
    const headUs = witness.content.video.at(-1)!.dtsUs;
    expect(now.video[0]!.isKeyFrame).toBe(true);
    expect(earlier.video[0]!.isKeyFrame).toBe(true);
    expect(headUs - now.video[0]!.dtsUs).toBeLessThan(1_600_000);
    expect(headUs - earlier.video[0]!.dtsUs).toBeGreaterThan(4_600_000);
    expect(headUs - earlier.video[0]!.dtsUs).toBeLessThan(6_600_000);
  });

  it('?audio=0 and ?video=0 leave one out, in the FLV header too', async () => {
    const [silent, blind] = await Promise.all([watch('?audio=0', 30), watch('?video=0', 30)]);
    expect(silent.video.length).toBeGreaterThanOrEqual(30);
    expect(silent).toMatchObject({ audio: [], flags: { hasAudio: false, hasVideo: true } });
    expect(blind.audio.length).toBeGreaterThanOrEqual(30);
    expect(blind).toMatchObject({ video: [], flags: { hasAudio: true, hasVideo: false } });
  });

  it.each(['audio=0&video=0', 'audio=2', 'start=5', 'start=', 'wait=-1', 'wait=soon'])(
    '?%s is refused',
    async (query) => {
      const { status, body } = await requestHttp(server.http(`live/x.flv?${query}`));
      expect(status).toBe(400);
      expect(body.toString()).not.toBe('');
    },
  );

  it('only answers GET, HEAD and OPTIONS', async () => {
    const { status, headers } = await requestHttp(server.http('live/x.flv'), { method: 'POST' });
    expect(status).toBe(405);
    expect(headers.allow).toBe('GET, HEAD, OPTIONS');
  });

  it('lets pages of other origins in', async () => {
    const origin = { origin: 'https://player.example' };
    const preflight = await requestHttp(server.http('live/x.flv'), {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'range' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': 'range',
    });
    const head = await requestHttp(server.http('live/x.flv'), { method: 'HEAD', headers: origin });
    expect(head.headers['access-control-allow-origin']).toBe('*');
  });

  it('keeps other origins out where http.crossdomain is off', async () => {
    const closed = await stage.server({ http: { crossdomain: false } });
    const headers = { origin: 'https://player.example' };
    const { headers: answered } = await requestHttp(closed.http('console/streams.json'), { headers });
    expect(answered['access-control-allow-origin']).toBeUndefined();
  });
});

describe.concurrent('WebSocket', () => {
  /** Collects binary messages until `enough` bytes have come. */
  async function receive(webSocket: WebSocket, enough: number): Promise<Buffer[]> {
    const messages: Buffer[] = [];
    let received = 0;
    await new Promise<void>((resolve, reject) => {
      webSocket.on('message', (bytes: Buffer, isBinary: boolean) => {
        if (!isBinary) reject(new assert.AssertionError({ message: 'a text message came' }));
        messages.push(bytes);
        received += bytes.length;
        if (received >= enough) resolve();
      });
      webSocket.once('error', reject);
      webSocket.once('close', () => reject(new assert.AssertionError({ message: 'closed too early' })));
    });
    return messages;
  }

  it('.flv is a file header and tags in binary messages, and pings are answered', async () => {
    const webSocket = new WebSocket(server.ws('live/x.flv'));
    const messages = receive(webSocket, 20_000);
    await once(webSocket, 'open');
    const ponged = once(webSocket, 'pong');
    webSocket.ping('still there?');
    const content = new FlvCollector();
    for (const message of await messages) content.receive(message);
    expect(content.video[0]!.isKeyFrame).toBe(true);
    expect(String((await ponged)[0])).toBe('still there?');
    webSocket.close(1000);
    const [code] = await once(webSocket, 'close');
    expect(code).toBe(1000);
  });

  it('.ts is whole packets in binary messages', async () => {
    const webSocket = new WebSocket(server.ws('live/x.ts'));
    const bytes = Buffer.concat(await receive(webSocket, 20_000));
    webSocket.terminate();
    expect(bytes.length % 188).toBe(0);
    for (let at = 0; at < bytes.length; at += 188) assert.equal(bytes[at], 0x47, `no sync byte at ${at}`);
  });

  it('?wait= waits for a publisher here too, and the end is a normal closure', async () => {
    const waiting = FlvViewer.open(server.ws('live/wslater.flv?wait=10'));
    await publishShortly('live/wslater');
    const viewer = await waiting;
    await viewer.ended;
    expect(viewer.content.video.length).toBeGreaterThanOrEqual(45);
  });

  it.each([
    ['live/nobody.flv', 404],
    ['no/such/thing', 404],
    ['live/x.flv?start=5', 400],
  ])('%s is refused with %i before the upgrade', async (path, status) => {
    const webSocket = new WebSocket(server.ws(path));
    const [request, response] = (await once(webSocket, 'unexpected-response')) as [
      http.ClientRequest,
      http.IncomingMessage,
    ];
    request.destroy();
    expect(response.statusCode).toBe(status);
  });
});
