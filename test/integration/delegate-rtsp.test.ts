import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import type { RtspRequest } from '../../src/protocol/rtsp/rtsp-message.ts';
import { writeInterleavedFrame } from '../../src/protocol/rtsp/rtsp-message-writer.ts';
import { RtspDelegateServer, type RtspDelegateServerOptions } from '../../src/server/delegate/rtsp-delegate-server.ts';
import { type DelegateHooks, RecordingDelegate } from './delegate/recording-delegate.ts';
import { TestPeer } from './delegate/test-peer.ts';
import { until } from './robustness/until.ts';

const DATE =
  /^Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/m;
const options = (cSeq: number | string): string => `OPTIONS * RTSP/1.0\r\nCSeq: ${cSeq}\r\n\r\n`;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const frame = (channel: number, text: string): Uint8Array => writeInterleavedFrame(channel, utf8(text));

describe('RtspDelegateServer', () => {
  let server: RtspDelegateServer;
  let delegate: RecordingDelegate<RtspRequest>;
  let peer: TestPeer;

  const listen = async (
    hooks: DelegateHooks<RtspRequest> = {},
    settings: Partial<RtspDelegateServerOptions> = {},
  ): Promise<void> => {
    delegate = new RecordingDelegate<RtspRequest>({
      onRequest: (id) => {
        server.send(id, { statusCode: 200 });
      },
      ...hooks,
    });
    server = await RtspDelegateServer.listen({ address: '127.0.0.1:0', ...settings, delegate });
    peer = await TestPeer.connect(server.port);
  };

  afterEach(async () => {
    peer.close();
    await server.close();
    expect(delegate.violations).toEqual([]);
  });

  it('answers with CSeq, Date, Server, and Content-Length for a body', async () => {
    await listen({
      onRequest: (id) => {
        server.send(id, { statusCode: 200, headers: { 'Content-Type': 'application/sdp' }, body: 'v=0\r\n' });
      },
    });
    peer.send('DESCRIBE rtsp://x/a RTSP/1.0\r\nCSeq: 7\r\n\r\n');
    await peer.receives('v=0');
    expect(peer.text).toMatch(DATE);
    expect(peer.text.replace(DATE, 'Date: now')).toBe(
      'RTSP/1.0 200 OK\r\nCSeq: 7\r\nDate: now\r\nServer: Millrace\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n',
    );
  });

  it('writes what it is told in place of Server and Date, but never another CSeq', async () => {
    await listen({
      onRequest: (id) => {
        server.send(id, {
          statusCode: 454,
          reason: 'Gone Fishing',
          headers: [
            ['CSEQ', '99'],
            ['server', 'me'],
            ['date', 'today'],
            ['WWW-Authenticate', 'Basic'],
            ['WWW-Authenticate', 'Digest'],
          ],
        });
      },
    });
    peer.send(options(1));
    await peer.receives('\r\n\r\n');
    expect(peer.text).toBe(
      'RTSP/1.0 454 Gone Fishing\r\nCSeq: 1\r\ndate: today\r\nserver: me\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: Digest\r\n\r\n',
    );
  });

  it.each([
    ['no CSeq', 'OPTIONS * RTSP/1.0\r\n\r\n', '400 Bad Request', undefined],
    ['a CSeq that is no number', options('abc'), '400 Bad Request', undefined],
    ['a negative CSeq', options('-1'), '400 Bad Request', undefined],
    ['an empty CSeq', options(''), '400 Bad Request', undefined],
    ['a CSeq of eleven digits', options('12345678901'), '400 Bad Request', undefined],
    ['RTSP/2.0', options(5).replace('1.0', '2.0'), '505 RTSP Version not supported', 5],
    ['RTSP/9.9', options(5).replace('1.0', '9.9'), '505 RTSP Version not supported', 5],
    ['RTSP/1.1 without CSeq', 'OPTIONS * RTSP/1.1\r\n\r\n', '505 RTSP Version not supported', undefined],
    ['a line that is none', 'hello there\r\n\r\n', '400 Bad Request', undefined],
    ['a line that is none, with a CSeq', 'hello there\r\nCSeq: 3\r\n\r\n', '400 Bad Request', 3],
    ['another protocol', 'OPTIONS sip:x SIP/2.0\r\nCSeq: 3 OPTIONS\r\n\r\n', '400 Bad Request', undefined],
    ['a length that is none', 'OPTIONS * RTSP/1.0\r\nCSeq: 3\r\nContent-Length: x\r\n\r\n', '400 Bad Request', 3],
  ])('answers %s by itself and goes on', async (_, text, status, cSeq) => {
    await listen();
    peer.send(text + options(77));
    await peer.receives('CSeq: 77');
    const [answer] = peer.text.split('\r\n\r\n');
    expect(answer!.startsWith(`RTSP/1.0 ${status}\r\n`)).toBe(true);
    expect(/^CSeq: (.*)$/m.exec(answer!)?.[1]).toBe(cSeq === undefined ? undefined : String(cSeq));
    expect(answer).toMatch(DATE);
    expect(delegate.log.slice(1)).toEqual(['OPTIONS * 1']);
    expect(server.counters.malformed).toBe(1);
  });

  it.each([
    ['a body that is too large', 'ANNOUNCE * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 2000\r\n\r\n', 'RTSP/1.0 413 '],
    ['a head that is too large', `OPTIONS * RTSP/1.0\r\nA: ${'a'.repeat(5000)}\r\n\r\n`, ''],
    ['chunks', 'ANNOUNCE * RTSP/1.0\r\nCSeq: 1\r\nTransfer-Encoding: chunked\r\n\r\n', ''],
  ])('ends the connection at %s', async (_, text, answer) => {
    await listen({}, { maxHeaderSizeBytes: 4096, maxBodySizeBytes: 1000 });
    peer.send(text + options(2));
    await peer.isClosed();
    expect(peer.text.slice(0, 13)).toBe(answer);
    expect(delegate.count('OPTIONS')).toBe(0);
  });

  it('understands bare LF and hands over bodies', async () => {
    let body = '';
    await listen({
      onRequest: (id, request) => {
        body = new TextDecoder().decode(request.body);
        server.send(id, { statusCode: 200 });
      },
    });
    peer.send('ANNOUNCE rtsp://x/a RTSP/1.0\ncseq: 1\nContent-length: 5\n\nhello');
    await peer.receives('CSeq: 1');
    expect(body).toBe('hello');
  });

  it('hands over frames and requests in their order, and frames while a request is open, but not those behind the next', async () => {
    const answers: (() => void)[] = [];
    await listen({
      onRequest: (id) => {
        answers.push(() => server.send(id, { statusCode: 200 }));
      },
    });
    const parts = [frame(0, 'a'), utf8(options(1)), frame(1, 'b'), frame(255, ''), utf8(options(2)), frame(0, 'c')];
    peer.send(Buffer.concat(parts));
    await until('all it may say', () => delegate.count('$255') === 1);
    await delay(20);
    expect(delegate.log).toEqual(['connect 1', '$0 a 1', 'OPTIONS * 1', '$1 b 1', '$255  1']);
    answers[0]!();
    await until('the rest', () => delegate.count('$0 c') === 1);
    expect(delegate.log.slice(-2)).toEqual(['OPTIONS * 1', '$0 c 1']);
    answers[1]!();
    await peer.receives('CSeq: 2');
  });

  it('takes frames and requests byte by byte', async () => {
    await listen();
    for (const byte of Buffer.concat([frame(2, 'abc'), utf8(options(1)), frame(3, 'd')])) {
      peer.send(Uint8Array.of(byte));
      await delay(1);
    }
    await until('the last', () => delegate.count('$3') === 1);
    expect(delegate.log).toEqual(['connect 1', '$2 abc 1', 'OPTIONS * 1', '$3 d 1']);
  });

  it('sends frames and answers in the order they were given, sharing the bytes', async () => {
    const shared = frame(0, 'media');
    await listen({
      onRequest: (id) => {
        server.sendRaw(id, shared);
        server.send(id, { statusCode: 200 });
        server.sendRaw(id, shared);
      },
    });
    peer.send(options(1) + options(2));
    await peer.receivesTimes('$\0\0\x05media', 4);
    expect(peer.text.replaceAll(/RTSP[^$]*/g, 'R')).toBe(Array(2).fill('$\0\0\x05mediaR$\0\0\x05media').join(''));
  });

  it('takes a megabyte of frames while requests are answered late', async () => {
    let bytes = 0;
    await listen({
      onRequest: async (id) => {
        await delay(5);
        server.send(id, { statusCode: 200 });
      },
      onInterleaved: (_, channel, payload) => {
        if (payload.every((byte) => byte === channel)) bytes += payload.length;
      },
    });
    for (let n = 0; n < 64; n++) {
      const payload = new Uint8Array(16_384).fill(n);
      peer.send(Buffer.concat([writeInterleavedFrame(n, payload), utf8(options(n)), utf8(options(n))]));
    }
    await peer.receivesTimes('200 OK', 128);
    expect(bytes).toBe(64 * 16_384);
  });

  it('sends requests to the peer and hands over its answers, also while a request is open', async () => {
    await listen({
      onRequest: (id) => {
        sent.push(server.sendRequest(id, { method: 'OPTIONS', url: 'rtsp://x/', headers: { Session: '1' } }));
        sent.push(server.sendRequest(id, { method: 'ANNOUNCE', url: '*', headers: { CSeq: '9' }, body: 'v=0' }));
      },
      onResponse: (id, { body }) => {
        if (body.length > 0) server.send(id, { statusCode: 200 });
      },
    });
    const sent: (number | false)[] = [];
    peer.send(options(50));
    await peer.receives('v=0');
    expect(sent).toEqual([1, 2]);
    expect(peer.text).toBe(
      'OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nSession: 1\r\n\r\nANNOUNCE * RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nv=0',
    );
    peer.send('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nRTSP/1.0 454 No\r\nCSeq: 2\r\nContent-Length: 1\r\n\r\nx');
    await peer.receives('CSeq: 50');
    expect(delegate.log).toEqual(['connect 1', 'OPTIONS * 1', 'response 200 1 1', 'response 454 2 1']);
    peer.close();
    await until('gone', () => !server.isOpen(1));
    expect(server.sendRequest(1, { method: 'OPTIONS', url: '*' })).toBe(false);
  });

  it('answers HTTP requests in their own form and version', async () => {
    await listen({
      onRequest: (id, { protocol, version }) => {
        server.send(id, { statusCode: 404, headers: { 'X-Was': `${protocol} ${version}` }, body: 'no' });
        server.closeAfterFlush(id);
      },
    });
    peer.send('GET /a HTTP/1.0\r\nHost: x\r\n\r\n');
    await peer.isClosed();
    expect(peer.text).toMatch(
      /^HTTP\/1\.0 404 Not Found\r\nDate: .*\r\nServer: Millrace\r\nX-Was: HTTP 1\.0\r\nContent-Length: 2\r\n\r\nno$/,
    );
  });

  it('carries RTSP in a tunnel of two connections: raw input of one is received on the other', async () => {
    const gets = new Map<string, number>();
    const log: string[] = [];
    await listen({
      onRequest: async (id, { protocol, method, headers }) => {
        const cookie = headers.get('x-sessioncookie') ?? '';
        log.push(`${protocol} ${method} ${id}`);
        if (protocol === 'RTSP') {
          server.send(id, { statusCode: 200 });
        } else if (method === 'GET') {
          gets.set(cookie, id);
          server.send(id, { statusCode: 200, headers: { 'Content-Type': 'application/x-rtsp-tunnelled' } });
        } else {
          // As a service would that has to ask somebody first.
          await delay(10);
          let base64 = '';
          server.setRawInput(id, (bytes) => {
            base64 += new TextDecoder().decode(bytes);
            const whole = base64.slice(0, base64.length - (base64.length % 4));
            base64 = base64.slice(whole.length);
            server.receive(gets.get(cookie)!, Buffer.from(whole, 'base64'));
          });
        }
      },
    });
    peer.send('GET /a HTTP/1.0\r\nx-sessioncookie: c\r\n\r\n');
    await peer.receives('tunnelled\r\n\r\n');
    const post = await TestPeer.connect(server.port);
    const tunnelled = Buffer.from(options(1) + options(2)).toString('base64');
    post.send(`POST /a HTTP/1.0\r\nx-sessioncookie: c\r\nContent-Length: 32767\r\n\r\n${tunnelled.slice(0, 10)}`);
    await delay(50);
    post.send(tunnelled.slice(10));
    await peer.receives('CSeq: 2');
    expect(log).toEqual(['HTTP GET 1', 'HTTP POST 2', 'RTSP OPTIONS 1', 'RTSP OPTIONS 1']);
    expect(post.text).toBe('');
    post.close();
    await until('only the POST is gone', () => delegate.log.at(-1) === 'close 2');
    expect(server.isOpen(1)).toBe(true);
  });

  it('hands a socket out for a WebSocket, and adopts the stream inside it', async () => {
    const acceptor = new WebSocketServer({ noServer: true });
    const accepted: WebSocket[] = [];
    await listen({
      onRequest: (id, request) => {
        if (request.protocol === 'RTSP') {
          server.send(id, { statusCode: 200 });
          return;
        }
        const [remote, local] = [server.remote(id)!, server.local(id)!];
        const { socket, head } = server.takeSocket(id)!;
        const headers = Object.fromEntries([...request.headers].map(([name, value]) => [name.toLowerCase(), value]));
        const upgrade = { method: request.method, url: request.url, headers } as Parameters<
          WebSocketServer['handleUpgrade']
        >[0];
        acceptor.handleUpgrade(upgrade, socket, Buffer.from(head), (webSocket) => {
          accepted.push(webSocket);
          server.adopt(createWebSocketStream(webSocket), { remote, local, secure: false });
        });
      },
    });
    peer.close();
    await until('gone', () => delegate.count('close') === 1);
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/a`);
    let text = '';
    client.on('message', (data: Buffer) => {
      text += data.toString('latin1');
    });
    await new Promise((resolve) => {
      client.once('open', resolve);
    });
    client.send(Buffer.from(options(1)));
    client.send(frame(0, 'in'));
    client.send(Buffer.from(options(2).slice(0, 10)));
    client.send(Buffer.from(options(2).slice(10)));
    await until('answered', () => text.includes('CSeq: 2'));
    expect(delegate.log.filter((line) => line.endsWith('2'))).toEqual(['connect 2', 'GET /a 2', 'close 2']);
    expect(delegate.log.filter((line) => line.endsWith('3'))).toEqual([
      'connect 3',
      'OPTIONS * 3',
      '$0 in 3',
      'OPTIONS * 3',
    ]);
    server.close(3);
    await new Promise((resolve) => {
      client.once('close', resolve);
    });
    await until('told', () => delegate.count('close 3') === 1);
  });

  it('closes an upgrade nobody wanted behind its answer', async () => {
    await listen({
      onRequest: (id) => {
        server.send(id, { statusCode: 404 });
      },
    });
    peer.send('GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n\x81\x00');
    await peer.isClosed();
    expect(peer.text).toContain('HTTP/1.1 404');
  });
});
