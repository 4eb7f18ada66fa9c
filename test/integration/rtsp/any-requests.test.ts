import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nodeAuthenticationCrypto } from '../../../src/io/authentication-crypto.ts';
import { RtspHeaders } from '../../../src/protocol/rtsp/rtsp-headers.ts';
import type { RtspRequest } from '../../../src/protocol/rtsp/rtsp-message.ts';
import { createLogger } from '../../../src/server/log/logger.ts';
import { AccessControl } from '../../../src/server/rtsp/access-control.ts';
import { ClientSessions } from '../../../src/server/rtsp/client-sessions.ts';
import { DatagramPacer } from '../../../src/server/rtsp/datagram-pacer.ts';
import type { MediaSession, Playback } from '../../../src/server/rtsp/media-session.ts';
import { MediaSessionRegistry } from '../../../src/server/rtsp/media-session-registry.ts';
import { RtspConnection } from '../../../src/server/rtsp/rtsp-connection.ts';
import { RtspRequestHandler } from '../../../src/server/rtsp/rtsp-request-handler.ts';
import { FakeClock } from '../../media-test-kit.ts';

const log = createLogger({ level: 'silent', format: 'json' });
const CODES = [200, 301, 400, 403, 404, 405, 406, 415, 451, 453, 454, 455, 456, 457, 459, 460, 461, 501, 551];

/** A presentation of two tracks that counts what is played. */
class CountingSession implements MediaSession {
  readonly name = 'x';
  readonly trackCount = 2;
  readonly isAggregateOnly: boolean;
  open = 0;
  unreferenced = 0;

  constructor(isAggregateOnly: boolean) {
    this.isAggregateOnly = isAggregateOnly;
  }

  onUnreferenced(): void {
    this.unreferenced++;
  }

  describe(): string {
    return 'v=0\r\n';
  }

  openPlayback(): Playback {
    this.open++;
    return {
      play: (request) => ({
        scale: request.scale,
        speed: 1,
        tracks: [...request.tracks].map((track) => ({ track })),
        begin: () => undefined,
      }),
      pause: () => undefined,
      receiveRtcp: () => undefined,
      housekeep: () => undefined,
      close: () => {
        this.open--;
      },
    };
  }
}

function setUp(isAggregateOnly: boolean) {
  const clock = new FakeClock();
  const registry = new MediaSessionRegistry();
  const session = new CountingSession(isAggregateOnly);
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
    sources: [{ find: (target) => Promise.resolve(target.path === '/live/x' ? session : undefined) }],
    access: new AccessControl({ realm: 'x', users: [], crypto: nodeAuthenticationCrypto, nonceSecret: '00' }),
    ingest: undefined,
    multicastGroupOf: () => Promise.resolve(undefined),
    nowMs: () => clock.nowMs(),
  });
  const connection = new RtspConnection({
    id: 1,
    remote: { address: '192.0.2.1', port: 1 },
    local: { address: '192.0.2.2', port: 2 },
    isSecure: false,
    isTunnelled: false,
    log,
    output: { send: () => undefined, bufferedBytes: 0, abort: () => undefined },
  });
  return { handler, connection, session, sessions, registry };
}

const METHODS =
  'OPTIONS DESCRIBE ANNOUNCE SETUP SETUP SETUP PLAY PLAY PAUSE TEARDOWN RECORD GET_PARAMETER SET_PARAMETER REDIRECT SPEAK play';
const method = fc.constantFrom(...METHODS.split(' '));
const url = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('', '/track1', '/track2', '/track2/', '/track9', '?a=b')
      .map((end) => `rtsp://h/live/x${end}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('*', 'rtsp://h', 'rtsps://h/live/x', 'http://h/x', 'x', '', 'rtsp://h/live/y'),
  },
  { weight: 1, arbitrary: fc.string().map((end) => `rtsp://h/${end}`) },
);
const header = fc.oneof(
  fc.tuple(
    fc.constant('Transport'),
    fc.oneof(
      fc.constantFrom(
        'RTP/AVP/TCP',
        'RTP/AVP/TCP;interleaved=0-1',
        'RTP/AVP/TCP;interleaved=255',
        'RTP/AVP;unicast;client_port=9-10',
      ),
      fc.string(),
    ),
  ),
  fc.tuple(fc.constantFrom('Range', 'Scale', 'Speed'), fc.oneof(fc.constantFrom('npt=1-2', '2', '-1'), fc.string())),
  fc.tuple(fc.constantFrom('Require', 'Accept', 'Content-Type', 'Authorization', 'Session'), fc.string()),
);

it('whatever is asked for in whatever order is answered, and leaves nothing behind', async () => {
  const step = fc.record({
    method,
    url,
    headers: fc.array(header, { maxLength: 2 }),
    body: fc.oneof(fc.constant(''), fc.string()),
    /** Which of the sessions told so far is named. */
    session: fc.option(fc.nat(3), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 40 }), async (isAggregateOnly, steps) => {
      const { handler, connection, session, sessions, registry } = setUp(isAggregateOnly);
      const told: string[] = [];
      for (const { method: name, url: target, headers, body, session: named } of steps) {
        const request: RtspRequest = {
          type: 'request',
          method: name,
          url: target,
          protocol: 'RTSP',
          version: '1.0',
          headers: new RtspHeaders(headers),
          body: new TextEncoder().encode(body),
        };
        const id = named === undefined ? undefined : told.at(-1 - named);
        if (id !== undefined) request.headers.set('Session', id);
        const answered = await handler.handle(connection, request);
        expect(CODES).toContain(answered.statusCode);
        if (answered.statusCode === 405 || answered.statusCode === 455) {
          expect(answered.headers.map(([key]) => key)).toContain('Allow');
        }
        answered.afterwards?.();
        const header = answered.headers.find(([key]) => key === 'Session')?.[1].split(';', 1)[0];
        if (header !== undefined && !told.includes(header)) told.push(header);
        expect(sessions.size).toBeLessThanOrEqual(3);
        expect(session.open).toBeLessThanOrEqual(sessions.size);
        expect(registry.isReferenced(session)).toBe(sessions.size > 0);
      }
      connection.ended();
      // TCP alone was to be had, so every session ended with the connection.
      expect([sessions.size, session.open, registry.referenced]).toEqual([0, 0, 0]);
      sessions.close();
    }),
    { numRuns: 2000 },
  );
});
