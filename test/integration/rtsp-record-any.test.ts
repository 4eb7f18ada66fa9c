import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nodeAuthenticationCrypto } from '../../src/io/authentication-crypto.ts';
import { StreamHub } from '../../src/media/stream-hub.ts';
import { RtspHeaders } from '../../src/protocol/rtsp/rtsp-headers.ts';
import type { RtspRequest } from '../../src/protocol/rtsp/rtsp-message.ts';
import { createLogger } from '../../src/server/log/logger.ts';
import { AccessControl } from '../../src/server/rtsp/access-control.ts';
import { ClientSessions } from '../../src/server/rtsp/client-sessions.ts';
import { DatagramPacer } from '../../src/server/rtsp/datagram-pacer.ts';
import { announcedTracks } from '../../src/server/rtsp/ingest/announced-tracks.ts';
import { IngestSessions } from '../../src/server/rtsp/ingest/ingest-sessions.ts';
import { MediaSessionRegistry } from '../../src/server/rtsp/media-session-registry.ts';
import { RtspConnection } from '../../src/server/rtsp/rtsp-connection.ts';
import { RtspRequestHandler } from '../../src/server/rtsp/rtsp-request-handler.ts';
import { FakeClock, LIVE } from '../media-test-kit.ts';

const LENGTH = { maxLength: 40, size: 'max' } as const;
const log = createLogger({ level: 'silent', format: 'json' });
const CODES = [200, 400, 403, 404, 405, 415, 453, 454, 455, 459, 460, 461];

const LINES = [
  'v=0',
  's=x',
  'm=video 0 RTP/AVP 96',
  'm=audio 0 RTP/AVP 0',
  'm=audio 0 RTP/AVP 97',
  'm=video 0 RTP/SAVP 96',
  'm=video 0 RTP/AVP 33',
  'a=rtpmap:96 H264/90000',
  'a=rtpmap:96 H264/0',
  'a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkDxWg=,aM48gA==',
  'a=fmtp:96 sprop-parameter-sets=,,=',
  'a=rtpmap:97 MPEG4-GENERIC/44100/2',
  'a=fmtp:97 mode=AAC-hbr;config=1210;sizelength=13;indexlength=3;indexdeltalength=3',
  'a=control:track1',
  'a=control:a',
  'a=control:rtsp://h/live/x/b',
  'a=control:*',
];
const sdp = fc
  .array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...LINES) }, { weight: 1, arbitrary: fc.string() }))
  .map((lines) => new TextEncoder().encode(['v=0', ...lines].join('\r\n')));

it('any description has tracks or none', () => {
  fc.assert(
    fc.property(fc.oneof(sdp, fc.uint8Array()), (bytes) => {
      expect(announcedTracks(bytes)?.length ?? 0).toBeLessThanOrEqual(32);
    }),
    { numRuns: 1000 },
  );
});

function setUp() {
  const clock = new FakeClock();
  const registry = new MediaSessionRegistry();
  const hub = new StreamHub({ clock, settingsFor: () => LIVE });
  const sessions = new ClientSessions({
    clock,
    log,
    maxSessions: 3,
    services: {
      registry,
      udp: undefined,
      pacer: new DatagramPacer(clock),
      clock,
      multicastGroupOf: () => Promise.resolve(undefined),
      timeoutMs: 60_000,
    },
  });
  const handler = new RtspRequestHandler({
    sessions,
    sources: [],
    access: new AccessControl({ realm: 'x', users: [], crypto: nodeAuthenticationCrypto, nonceSecret: '00' }),
    ingest: new IngestSessions({ hub, clock, registry, resolveVhost: () => 'v', random32: () => 7 }),
    multicastGroupOf: () => Promise.resolve(undefined),
    nowMs: () => clock.nowMs(),
  });
  const connect = (id: number): RtspConnection =>
    new RtspConnection({
      id,
      remote: { address: '192.0.2.1', port: id },
      local: { address: '192.0.2.2', port: 2 },
      isSecure: false,
      isTunnelled: false,
      log,
      output: { send: () => undefined, bufferedBytes: 0, abort: () => undefined },
    });
  return { clock, hub, registry, sessions, handler, connections: [connect(1), connect(2)] as const };
}

const request = fc.record({
  type: fc.constant('request' as const),
  connection: fc.constantFrom(0, 1),
  method: fc.constantFrom('ANNOUNCE', 'ANNOUNCE', 'SETUP', 'SETUP', 'RECORD', 'RECORD', 'PAUSE', 'PLAY', 'TEARDOWN'),
  url: fc.constantFrom('', '/track1', '/a', '/b', '/track2').map((end) => `rtsp://h/live/x${end}`),
  body: sdp,
});
const GOOD = new TextEncoder().encode(
  'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:a\r\nm=audio 0 RTP/AVP 0\r\na=control:b\r\n',
);
/** A publisher that knows what it does. */
const BEGIN = (
  [
    ['ANNOUNCE', ''],
    ['SETUP', '/a'],
    ['SETUP', '/b'],
    ['RECORD', ''],
  ] as const
).map(([method, end]) => ({
  type: 'request' as const,
  connection: 0,
  method,
  url: `rtsp://h/live/x${end}`,
  body: GOOD,
}));
const frame = fc.record({
  type: fc.constant('frame' as const),
  connection: fc.constantFrom(0, 1),
  channel: fc.nat(4),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.constantFrom(0, 33, 96, 97), fc.nat(9), fc.uint8Array({ maxLength: 60 }))
      .map(([type, number, rest]) => Uint8Array.of(0x80, 0x80 | type, 0, number, 0, 0, 0, number, 0, 0, 0, 1, ...rest)),
  ),
  afterMs: fc.nat(3000),
});

it('whatever publishers ask for and send in whatever order is answered, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(BEGIN.length), fc.array(fc.oneof(request, frame), LENGTH), async (known, wild) => {
      const steps = [...BEGIN.slice(0, known), ...wild];
      const { clock, hub, registry, sessions, handler, connections } = setUp();
      const told = new Map<RtspConnection, string>();
      for (const step of steps) {
        const connection = connections[step.connection]!;
        if (step.type === 'frame') {
          connection.receive(step.channel, step.bytes);
          clock.advance(step.afterMs);
          continue;
        }
        const headers = new RtspHeaders([
          ['Content-Type', 'application/sdp'],
          ['Transport', 'RTP/AVP/TCP;mode=record'],
        ]);
        const session = told.get(connection);
        if (session !== undefined && step.method !== 'ANNOUNCE') headers.set('Session', session);
        const asked: RtspRequest = {
          type: 'request',
          method: step.method,
          url: step.url,
          protocol: 'RTSP',
          version: '1.0',
          headers,
          body: step.method === 'ANNOUNCE' ? step.body : new Uint8Array(0),
        };
        const answered = await handler.handle(connection, asked);
        expect(CODES).toContain(answered.statusCode);
        answered.afterwards?.();
        const header = answered.headers.find(([key]) => key === 'Session')?.[1].split(';', 1)[0];
        if (header !== undefined) told.set(connection, header);
      }
      for (const connection of connections) connection.ended();
      expect([sessions.size, registry.referenced, registry.size]).toEqual([0, 0, 0]);
      expect(hub.list().filter(({ publisher }) => publisher !== undefined)).toEqual([]);
      sessions.close();
      hub.close();
    }),
    { numRuns: 500 },
  );
});
