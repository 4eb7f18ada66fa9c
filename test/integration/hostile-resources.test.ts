/** Peers that ask for much and take nothing: what they can make the server hold. */
import { once } from 'node:events';
import { connect } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Millrace } from '../../src/app/millrace.ts';
import { AmfObject, type AmfValue } from '../../src/protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../../src/protocol/amf/amf0-writer.ts';
import { MAX_PIPELINED_REQUESTS } from '../../src/server/http/http-server.ts';
import { HostilePeer } from './robustness/hostile-peer.ts';
import { afterHandshake, command, concat, connectCommand, text } from './robustness/hostile-rtmp.ts';
import { testConfiguration } from './robustness/local-server.ts';
import { until } from './robustness/until.ts';

const lines: string[] = [];
const peers: HostilePeer[] = [];
let server: Millrace;

beforeEach(async () => {
  lines.length = 0;
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
  server = await Millrace.start({ configuration: testConfiguration({ latency: 'low' }), log });
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await server.close();
});

function attack(on: 'rtmp' | 'http', ...send: readonly Uint8Array[]): HostilePeer {
  const peer = new HostilePeer({ port: server.ports[on][0]!, send: concat(...send) });
  peers.push(peer);
  return peer;
}

/** What the server answers to `request` until it closes the connection. */
async function answerTo(request: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: server.ports.http[0]! });
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    answer += part;
  });
  socket.end(request);
  await once(socket, 'close');
  return answer;
}

describe('what a client says of itself', () => {
  it('goes into the log as short text, whatever it would be when taken apart', async () => {
    const object = new AmfObject([
      ['app', 'live'],
      ['tcUrl', 'rtmp://127.0.0.1/live'],
      ['flashVer', 'x'.repeat(60_000)],
      ['pageUrl', 'http://page/?token=secret'],
    ]);
    // Written by reference, ten times the array before: a hundred million entries when taken apart.
    let bomb: AmfValue = [null];
    for (let depth = 0; depth < 8; depth++) bomb = Array.from<AmfValue>({ length: 10 }).fill(bomb);
    const args = new AmfObject([['srs_id', bomb]]);
    attack('rtmp', afterHandshake(command(writeAmf0Values(['connect', 1, object, args]))));
    await until('it is connected', () => lines.some((line) => line.includes('"connected"')));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1000);
    expect(lines.join('')).not.toContain('secret');
  });
});

describe('answers that nobody reads', () => {
  it('end an RTMP session before they pile up', async () => {
    const peer = attack('rtmp', afterHandshake(connectCommand()));
    await until('connect is answered', () => peer.received > 3400);
    peer.socket.pause();
    const calls = concat(...Array.from({ length: 2000 }, () => command(writeAmf0Values(['x'.repeat(20), 9, null]))));
    const flood = setInterval(() => {
      if (peer.socket.writableLength === 0) peer.socket.write(calls);
    }, 1);
    try {
      await until('it is cut off', () => server.counters.rtmp?.failed.get('rtmp/unread-replies') === 1, 15_000);
      await until('it is closed', () => server.counters.rtmp?.connections === 0);
    } finally {
      clearInterval(flood);
    }
  });

  it('to pings of a WebSocket are one at a time', async () => {
    const path = `ws://127.0.0.1:${server.ports.http[0]}/live/x.flv?wait=10`;
    const webSocket = new WebSocket(path);
    await until('it waits', () => server.hub.list().length === 1);
    const publication = server.hub.list()[0]!.publish({ id: 'p', protocol: 'file', remote: 'f' }, () => undefined);
    await once(webSocket, 'open');
    webSocket.ping('hello');
    const [data] = (await once(webSocket, 'pong')) as [Buffer];
    expect(data.toString()).toBe('hello');
    publication.end('unpublished');
    await once(webSocket, 'close');
    await until('its end is in the log', () => lines.some((line) => line.includes('viewer closed')));
    expect(lines.filter((line) => line.includes('viewer left'))).toEqual([]);
  });
});

describe('viewers that wait for streams nobody publishes', () => {
  const wait = (name: number | string): string => `GET /live/${name}.flv?wait=60 HTTP/1.1\r\nHost: a\r\n\r\n`;

  it('are a few on one connection', async () => {
    attack('http', text(Array.from({ length: 500 }, (_, i) => wait(i)).join('')));
    await until('they wait', () => server.hub.list().length >= MAX_PIPELINED_REQUESTS);
    attack('http', text(wait('last')));
    await until('another one waits', () => server.hub.list().some((stream) => stream.key === 'live/last'));
    expect(server.hub.list().length).toBe(MAX_PIPELINED_REQUESTS + 1);
  });

  it('are gone with their connection', async () => {
    const peer = attack('http', text([1, 2, 3].map(wait).join('')));
    await until('they wait', () => server.hub.list().length === 3);
    peer.close();
    await until('nobody waits', () => server.hub.list().every((stream) => stream.isIdle), 1000);
  });
});

describe('a request', () => {
  const PAGE = /^HTTP\/1\.1 (?:200|503) /;

  it.each([
    [
      'that offers HTTP/2',
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
      PAGE,
    ],
    ['for a whole URL', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', PAGE],
    ['for a path that looks like a host', 'GET //a/live/x.flv HTTP/1.1\r\nHost: a\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['with a path in its Host', 'GET / HTTP/1.1\r\nHost: a/live/x.flv?\r\n\r\n', PAGE],
    [
      'with bytes above ASCII in what it wants to send',
      'OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\nAccess-Control-Request-Headers: \xfc\t\x80\r\n\r\n',
      /^HTTP\/1\.1 204 /,
    ],
    [
      'with an expectation',
      'GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 (?:200|503) /,
    ],
    [
      'with a name that would end a header',
      'GET /live/%0d%0aX-A:%20b.flv HTTP/1.1\r\nHost: a\r\n\r\n',
      /^HTTP\/1\.1 404 (?:(?!\r\n\r\n|\r\nX-A)[\s\S])*\r\n\r\n/,
    ],
    ['with an unfinished escape', 'GET /live/%e0%a4.flv HTTP/1.1\r\nHost: a\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['of another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', /^HTTP\/1\.1 400 /],
  ])('%s is answered', async (_name, request, expected) => {
    expect(await answerTo(request)).toMatch(expected);
  });
});
