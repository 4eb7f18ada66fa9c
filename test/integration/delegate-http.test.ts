import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../src/protocol/http1/http-request.ts';
import {
  type HttpAnswer,
  HttpDelegateServer,
  type HttpDelegateServerOptions,
} from '../../src/server/delegate/http-delegate-server.ts';
import { type DelegateHooks, RecordingDelegate } from './delegate/recording-delegate.ts';
import { TestPeer } from './delegate/test-peer.ts';
import { until } from './robustness/until.ts';

const run = promisify(execFile);
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const GET_10 = 'GET / HTTP/1.0\r\n';
const DATE = /^Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/m;

describe('HttpDelegateServer', () => {
  let server: HttpDelegateServer;
  let delegate: RecordingDelegate<HttpRequest>;
  let peer: TestPeer;

  const listen = async (
    hooks: DelegateHooks<HttpRequest> = {},
    settings: Partial<HttpDelegateServerOptions> = {},
  ): Promise<void> => {
    delegate = new RecordingDelegate<HttpRequest>({
      onRequest: (id, { body }) => {
        server.send(id, { statusCode: 200, body: `got ${body.length}` });
      },
      ...hooks,
    });
    server = await HttpDelegateServer.listen({ address: '127.0.0.1:0', ...settings, delegate });
    peer = await TestPeer.connect(server.port);
  };
  const listenFor = (answer: HttpAnswer): Promise<void> =>
    listen({
      onRequest: (id) => {
        server.send(id, answer);
      },
    });

  afterEach(async () => {
    peer.close();
    await server.close();
    expect(delegate.violations).toEqual([]);
  });

  const plain = 'Content-Type: text/plain; charset=utf-8\r\n';
  it.each<readonly [what: string, request: string, answer: HttpAnswer, head: string, body: string, closes: boolean]>([
    ['a text', GET, { statusCode: 200, body: 'hi' }, `200 OK\r\n${plain}Content-Length: 2\r\n`, 'hi', false],
    ['UTF-8', GET, { statusCode: 200, body: 'ü' }, `200 OK\r\n${plain}Content-Length: 2\r\n`, 'Ã¼', false],
    [
      'bytes',
      GET,
      { statusCode: 201, body: Uint8Array.of(1, 2, 3) },
      '201 Created\r\nContent-Type: application/octet-stream\r\nContent-Length: 3\r\n',
      '\x01\x02\x03',
      false,
    ],
    [
      'a content type',
      GET,
      { statusCode: 200, body: '{}', contentType: 'application/json' },
      '200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n',
      '{}',
      false,
    ],
    [
      'headers, repeated ones too, but not a length of the caller’s',
      GET,
      {
        statusCode: 200,
        headers: {
          'content-type': 'a/b',
          'Set-Cookie': ['a', 'b'],
          'Content-Length': '9',
          'Transfer-Encoding': 'chunked',
        },
        body: 'x',
      },
      '200 OK\r\ncontent-type: a/b\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 1\r\n',
      'x',
      false,
    ],
    ['nothing', GET, { statusCode: 404 }, '404 Not Found\r\nContent-Length: 0\r\n', '', false],
    [
      '204',
      GET,
      { statusCode: 204, body: 'x', contentType: 'a/b' },
      '204 No Content\r\nContent-Type: a/b\r\n',
      '',
      false,
    ],
    ['304', GET, { statusCode: 304 }, '304 Not Modified\r\n', '', false],
    [
      'HEAD',
      GET.replace('GET', 'HEAD'),
      { statusCode: 200, body: 'hello' },
      `200 OK\r\n${plain}Content-Length: 5\r\n`,
      '',
      false,
    ],
    [
      'Connection: close of the client',
      GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
      { statusCode: 200, body: 'a' },
      `200 OK\r\n${plain}Content-Length: 1\r\nConnection: close\r\n`,
      'a',
      true,
    ],
    [
      'Connection: close of the answer',
      GET,
      { statusCode: 200, headers: { connection: 'Close' }, body: 'a' },
      `200 OK\r\n${plain}Content-Length: 1\r\nConnection: close\r\n`,
      'a',
      true,
    ],
    [
      'HTTP/1.0',
      `${GET_10}\r\n`,
      { statusCode: 200, body: 'a' },
      `200 OK\r\n${plain}Content-Length: 1\r\nConnection: close\r\n`,
      'a',
      true,
    ],
    [
      'HTTP/1.0 that stays',
      `${GET_10}Connection: keep-alive\r\n\r\n`,
      { statusCode: 200, body: 'a' },
      `200 OK\r\n${plain}Content-Length: 1\r\nConnection: keep-alive\r\n`,
      'a',
      false,
    ],
  ])('answers with %s', async (_, request, answer, head, body, closes) => {
    await listenFor(answer);
    peer.send(request);
    await peer.receives(`\r\n\r\n${body}`);
    await delay(20);
    expect(peer.text).toMatch(DATE);
    expect(peer.text.replace(DATE, '')).toBe(`HTTP/1.1 ${head.replace('\r\n', '\r\nServer: Millrace\r\n')}\r\n${body}`);
    expect(peer.ended).toBe(closes);
  });

  it('sends large bodies without cutting them', async () => {
    const body = new Uint8Array(900_000).map((_, i) => 0x30 + (i % 10));
    await listenFor({ statusCode: 200, body });
    peer.send(GET + GET);
    await until('all', () => peer.text.length > 1_800_000);
    expect(peer.text.split('0123456789'.repeat(90_000))).toHaveLength(3);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
    ['RTSP', 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n', '400 Bad Request'],
    ['HTTP/1.1 without Host', 'GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '505 HTTP Version Not Supported'],
    [
      'a head over the limit',
      `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
    ],
    ['a body over the limit', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n', '413 Content Too Large'],
    [
      'a body over the limit that waits for a word',
      'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n',
      '413 Content Too Large',
    ],
    [
      'chunks over the limit',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n',
      '413 Content Too Large',
    ],
    ['another coding', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n', '501 Not Implemented'],
  ])('refuses %s by itself and closes, after the answers before it', async (_, text, status) => {
    await listen({}, { maxHeaderSizeBytes: 16_384, maxBodySizeBytes: 1000 });
    peer.send(GET + text + GET);
    await peer.isClosed();
    const [first, second, ...more] = peer.text.split(/(?=HTTP\/1\.1)/);
    expect(first).toContain('got 0');
    expect(second).toMatch(`HTTP/1.1 ${status}\r\nDate`);
    expect(second).toContain('Connection: close');
    expect(more).toEqual([]);
    expect(delegate.count('GET')).toBe(1);
    expect(server.counters.malformed).toBe(1);
  });

  it('answers 408 to a head and to a body that do not come', async () => {
    await listen({}, { headerTimeoutMs: 300, bodyTimeoutMs: 500 });
    const startMs = performance.now();
    const body = await TestPeer.connect(server.port);
    body.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    peer.send('GET / HT');
    await peer.receives('HTTP/1.1 408 Request Timeout\r\n');
    expect(performance.now() - startMs).toBeLessThan(800);
    await body.receives('HTTP/1.1 408 Request Timeout\r\n');
    expect(performance.now() - startMs).toBeGreaterThan(800);
    await Promise.all([peer.isClosed(), body.isClosed()]);
    expect(server.counters).toMatchObject({ timedOut: 2, malformed: 0 });
    body.close();
  });

  it('says nothing to who says nothing, and closes', async () => {
    await listen({}, { headerTimeoutMs: 100 });
    await peer.isClosed();
    expect(peer.text).toBe('');
  });

  it('takes bodies by length and in chunks, and tells who waits to go on', async () => {
    await listen();
    peer.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello');
    await peer.receives('got 5');
    peer.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nchunks\r\n0\r\n\r\n');
    await peer.receives('got 6');
    peer.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n');
    await peer.receives('HTTP/1.1 100 Continue\r\n\r\n');
    peer.send('waiting');
    await peer.receives('got 7');
  });

  it.each([
    [{ statusCode: 100 }],
    [{ statusCode: 600 }],
    [{ statusCode: 200, headers: { 'A B': 'c' } }],
    [{ statusCode: 200, headers: { A: 'b\r\nC: d' } }],
    [{ statusCode: 200, contentType: 'a\r\nb: c' }],
  ] as const)('throws at who wants to send %j, and can still be told something else', async (answer) => {
    await listen({
      onRequest: (id) => {
        expect(() => server.send(id, answer)).toThrow(expect.objectContaining({ code: 'http/bad-response' }));
        server.send(id, { statusCode: 500 });
      },
    });
    peer.send(GET);
    await peer.receives('HTTP/1.1 500 ');
  });

  it('hands over exactly the bytes behind a request that becomes something else', async () => {
    let text = '';
    await listen({
      onRequest: async (id) => {
        await delay(20);
        server.setRawInput(id, (bytes) => {
          text += new TextDecoder().decode(bytes);
        });
        server.sendRaw(id, new TextEncoder().encode('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
      },
    });
    peer.send(`${GET}GET / HTTP/1.1 and`);
    await peer.receives('101');
    peer.send(' more');
    await until('all of it', () => text === 'GET / HTTP/1.1 and more');
  });

  it('serves Node’s client with keep-alive, and fetch', async () => {
    await listen();
    const url = `http://127.0.0.1:${server.port}/a?b`;
    const responses = await Promise.all([fetch(url, { method: 'POST', body: 'x'.repeat(100_000) }), fetch(url)]);
    expect(await Promise.all(responses.map((response) => response.text()))).toEqual(['got 100000', 'got 0']);
    const statusCode = await new Promise((resolve, reject) => {
      const request = httpRequest(url, { method: 'PUT' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.write('chunked');
      request.end(' body');
    });
    expect(statusCode).toBe(200);
  });

  it('serves curl: waiting uploads, HTTP/1.0, HEAD, pipelines of one connection', async () => {
    await listen();
    const url = `http://127.0.0.1:${server.port}/`;
    const curl = async (...args: string[]): Promise<string> => (await run('curl', ['-s', '-S', ...args])).stdout;
    expect(await curl('-H', 'Expect: 100-continue', '-d', 'x'.repeat(2000), url)).toBe('got 2000');
    expect(await curl('-0', url)).toBe('got 0');
    expect(await curl('-I', url)).toContain('Content-Length: 5');
    const before = delegate.count('connect');
    expect(await curl(url, url, url)).toBe('got 0got 0got 0');
    expect(delegate.count('connect')).toBe(before + 1);
  });

  it('speaks TLS, and counts who does not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
    ];
    await run('openssl', ['req', '-x509', ...subject, '-keyout', keyFile, '-out', certFile]);
    const tls = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
    rmSync(folder, { recursive: true });
    await listen({}, { tls });
    peer.send(GET);
    await peer.isClosed();
    expect(server.counters.failedHandshakes).toBe(1);
    const secure = TestPeer.of(tlsConnect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false }));
    secure.send(GET + GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await secure.receivesTimes('got 0', 2);
    await secure.isClosed();
    expect(delegate.log.slice(0, 3)).toEqual(['connect 1', 'GET / 1', 'GET / 1']);
    expect(delegate.count('connect')).toBe(1);
    secure.close();
  });
});
