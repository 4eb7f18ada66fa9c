import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientHandshake } from '../../../src/protocol/rtmp/client-handshake.ts';
import type { RtmpServerEvent } from '../../../src/protocol/rtmp/server-events.ts';
import { RtmpServerSession } from '../../../src/protocol/rtmp/server-session.ts';
import { connectObject, cutAt, joinBytes, Listener, ServerBench, sentBytes, testCrypto } from '../../rtmp-test-kit.ts';

const failed = (code: string) => expect.objectContaining({ type: 'failed', error: expect.objectContaining({ code }) });

describe('time limits', () => {
  it('close a connection that sends nothing, or half a handshake', () => {
    for (const bytes of [
      new Uint8Array(0),
      Uint8Array.of(3),
      new Uint8Array(1000).fill(3),
      new Uint8Array(2000).fill(3),
    ]) {
      const bench = new ServerBench({ handshakeTimeoutMs: 5000 });
      bench.session.receive(bytes, 2000);
      expect(bench.session.nextTimeoutMs()).toBe(6000);
      expect(bench.session.handleTimeout(5999)).toEqual([]);
      expect(bench.session.handleTimeout(6000)).toEqual([failed('rtmp/handshake-timeout')]);
      expect(bench.session.nextTimeoutMs()).toBeUndefined();
      expect(bench.session.handleTimeout(7000)).toEqual([]);
      expect(bench.session.receive(bytes, 7000)).toEqual([]);
    }
  });

  it('close a connection that never says connect', () => {
    const bench = new ServerBench({ connectTimeoutMs: 5000 }).shake();
    bench.hear(bench.say.control({ type: 'window-acknowledgement-size', sizeBytes: 1 }));
    expect(bench.session.handleTimeout(6000)).toEqual([failed('rtmp/connect-timeout')]);
  });

  it('do not count the time the server takes to decide', () => {
    const bench = new ServerBench().shake();
    bench.hear(bench.say.command(0, 'connect', 1, connectObject()));
    expect(bench.session.nextTimeoutMs()).toBeUndefined();
  });

  it('close a connection that never publishes nor plays, and one that stops and does nothing more', () => {
    const bench = new ServerBench({ setupTimeoutMs: 5000, republishTimeoutMs: 60_000 }).connect();
    expect(bench.session.nextTimeoutMs()).toBe(6000);
    bench.nowMs = 2000;
    bench.hear(bench.say.command(1, 'publish', 0, null, 's', 'live'));
    expect(bench.session.nextTimeoutMs()).toBeUndefined();
    bench.nowMs = 3000;
    bench.hear(bench.say.command(0, 'FCUnpublish', 0, null, 's'));
    expect(bench.session.nextTimeoutMs()).toBe(63_000);
    expect(bench.session.handleTimeout(63_000)).toEqual([failed('rtmp/setup-timeout')]);
  });

  it('count from the refusal too', () => {
    const bench = new ServerBench({ republishTimeoutMs: 60_000 }).connect();
    bench.hear(bench.say.command(1, 'play', 0, null, 's'));
    bench.session.rejectPlay(1, 'NetStream.Play.StreamNotFound', 'none');
    expect(bench.session.nextTimeoutMs()).toBe(61_000);
  });
});

describe('ping', () => {
  const pinging = (): ServerBench => {
    const bench = new ServerBench({ pingIntervalMs: 60_000, pingTimeoutMs: 10_000 }).connect();
    bench.hear(bench.say.command(1, 'play', 0, null, 's'));
    return bench;
  };

  it('goes out when nothing came for the interval; any input answers it', () => {
    const bench = pinging();
    expect(bench.session.nextTimeoutMs()).toBe(61_000);
    expect(bench.session.handleTimeout(60_999)).toEqual([]);
    expect(bench.take(bench.session.handleTimeout(61_000))).toEqual([{ type: 'ping-request', timestamp: 61_000 }]);
    expect(bench.session.nextTimeoutMs()).toBe(71_000);
    bench.nowMs = 62_000;
    bench.hear(bench.say.control({ type: 'ping-response', timestamp: 61_000 }));
    expect(bench.session.nextTimeoutMs()).toBe(122_000);
  });

  it('without an answer ends the session', () => {
    const bench = pinging();
    bench.session.handleTimeout(61_000);
    expect(bench.session.handleTimeout(71_000)).toEqual([failed('rtmp/ping-timeout')]);
  });

  it('goes out when asked for', () => {
    const bench = pinging();
    expect(bench.take(bench.session.ping(5000))).toEqual([{ type: 'ping-request', timestamp: 5000 }]);
    expect(bench.session.nextTimeoutMs()).toBe(15_000);
  });

  it('of the peer is answered with its own time, also before connect', () => {
    const bench = new ServerBench().shake();
    expect(bench.hear(bench.say.control({ type: 'ping-request', timestamp: 0x12345678 }))).toEqual([
      { type: 'ping-response', timestamp: 0x12345678 },
    ]);
  });
});

describe('acknowledgement', () => {
  it('comes at half the window the peer asked for, handshake included', () => {
    const bench = new ServerBench().connect();
    expect(bench.hear(bench.say.control({ type: 'window-acknowledgement-size', sizeBytes: 10_000 }))).toEqual([]);
    const heard = bench.hear(bench.say.message(9, 1, 0, new Uint8Array(5000)));
    expect(heard).toEqual([{ type: 'acknowledgement', sequenceNumber: expect.any(Number) }]);
    expect(bench.hear(bench.say.message(9, 1, 0, new Uint8Array(100)))).toEqual([]);
  });

  it('of the peer is only counted', () => {
    const bench = new ServerBench().connect();
    bench.session.onSent(1_000_000_000);
    const before = bench.session.unacknowledgedBytes;
    expect(before).toBeGreaterThan(1_000_000_000);
    expect(bench.hear(bench.say.control({ type: 'acknowledgement', sequenceNumber: 1_000_000_000 }))).toEqual([]);
    expect(bench.session.unacknowledgedBytes).toBe(before - 1_000_000_000);
  });
});

describe('a peer that breaks the protocol', () => {
  it.each<[string, (bench: ServerBench) => Uint8Array, string]>([
    ['speaks RTMPE', () => Uint8Array.of(6), 'rtmp/encryption-unsupported'],
    ['speaks HTTP', () => new Uint8Array(Buffer.from('GET / HTTP/1.1\r\n\r\n')), 'rtmp/not-rtmp'],
  ])('%s', (_name, bytes, code) => {
    const bench = new ServerBench();
    expect(bench.session.receive(bytes(bench), 0).at(-1)).toEqual(failed(code));
  });

  it.each<[string, (bench: ServerBench) => Uint8Array, string]>([
    ['sends garbage for chunks', () => Uint8Array.of(0xff, 0xff, 0xff), 'rtmp/bad-chunk-header'],
    ['sets chunk size 0', (bench) => bench.say.message(1, 0, 0, new Uint8Array(4)), 'rtmp/bad-chunk-size'],
    [
      'sends a control message cut short',
      (bench) => bench.say.message(3, 0, 0, new Uint8Array(3)),
      'rtmp/bad-control-message',
    ],
    ['sends a command that is none', (bench) => bench.say.message(20, 0, 0, Uint8Array.of(0xff)), 'rtmp/bad-command'],
    [
      'claims a message over the limit',
      () => Uint8Array.of(6, 0, 0, 0, 0x10, 0, 1, 9, 1, 0, 0, 0),
      'rtmp/message-too-large',
    ],
  ])('%s', (_name, bytes, code) => {
    const bench = new ServerBench({ maxMessageSizeBytes: 1_048_576 }).connect();
    expect(bench.hear(bytes(bench))).toEqual([failed(code)]);
    expect(bench.hear(bench.say.command(0, 'createStream', 2, null))).toEqual([]);
  });

  it('still gets what was right before the fault', () => {
    const bench = new ServerBench().connect();
    expect(bench.hear(bench.say.command(0, 'createStream', 2, null), Uint8Array.of(0xff))).toEqual([
      expect.objectContaining({ command: '_result', tid: 2 }),
      failed('rtmp/bad-chunk-header'),
    ]);
  });
});

describe('our own mistakes', () => {
  it.each<[string, (session: RtmpServerSession) => void]>([
    ['accepting no connect', (session) => session.acceptConnect()],
    ['rejecting no connect', (session) => session.rejectConnect('x')],
    ['redirecting before connect', (session) => session.redirectConnect('rtmp://h/a/s')],
    ['accepting no publish', (session) => session.acceptPublish(1)],
    ['rejecting no publish', (session) => session.rejectPublish(1, 'x', 'x')],
    ['accepting no play', (session) => session.acceptPlay(1)],
    ['ending no play', (session) => session.endPlay(1, 'stopped')],
    ['pinging before connect', (session) => session.ping(0)],
    ['asking to reconnect before connect', (session) => session.requestReconnect()],
  ])('throw: %s', (_name, act) => {
    expect(() => act(new ServerBench().session)).toThrow(expect.objectContaining({ name: 'StateError' }));
  });

  it('throw: accepting twice', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(1, 'publish', 0, null, 's', 'live'));
    bench.session.acceptPublish(1);
    expect(() => bench.session.acceptPublish(1)).toThrow('accepted before');
  });

  it('do not throw once the session is over: answers may come late', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(1, 'publish', 0, null, 's', 'live'), Uint8Array.of(0xff));
    const { session } = bench;
    expect([
      session.acceptConnect(),
      session.rejectConnect('x'),
      session.redirectConnect('x'),
      session.acceptPublish(1),
      session.rejectPublish(1, 'x', 'x'),
      session.acceptPlay(1),
      session.rejectPlay(1, 'x', 'x'),
      session.endPlay(1, 'stopped'),
      session.streamDry(1),
      session.acceptPause(1, true),
      session.requestReconnect(),
      session.ping(0),
    ]).toEqual(Array.from({ length: 12 }, () => []));
  });
});

/** A publisher's whole life as its bytes, with the server's answers not awaited. */
function publisherBytes(): Uint8Array {
  const { say } = new ServerBench();
  const handshake = new ClientHandshake(testCrypto(5)).start(0);
  return joinBytes([
    Uint8Array.of(0xf3, 0, 4, 10, 0, 0, 1),
    handshake,
    new Uint8Array(1536),
    say.control({ type: 'set-chunk-size', sizeBytes: 200 }),
    say.command(0, 'connect', 1, connectObject({ fourCcList: ['*'] })),
    say.command(0, 'releaseStream', 2, null, 's'),
    say.command(0, 'FCPublish', 3, null, 's'),
    say.command(0, 'createStream', 4, null),
    say.command(1, 'publish', 5, null, 's', 'live'),
    say.message(18, 1, 0, Uint8Array.of(2, 0, 1, 0x61)),
    say.message(9, 1, 0xfffffff0, new Uint8Array(700).fill(1)),
    say.message(8, 1, 0xfffffff8, new Uint8Array(30).fill(2)),
    say.control({ type: 'ping-request', timestamp: 1 }),
    say.message(9, 1, 8, new Uint8Array(333).fill(3)),
    say.command(0, 'FCUnpublish', 6, null, 's'),
    say.command(0, 'deleteStream', 7, null, 1),
    say.command(0, 'createStream', 8, null),
    say.command(1, 'play', 9, null, 't'),
    say.command(1, 'closeStream', 0, null),
  ]);
}

/** Serves it, deciding at once; gives the events without the sent bytes, and all sent messages. */
function serve(pieces: readonly Uint8Array[]): { events: RtmpServerEvent[]; sent: unknown[] } {
  const session = new RtmpServerSession({ crypto: testCrypto(6), nowMs: 0, serverVersion: 'x' });
  const events: RtmpServerEvent[] = [];
  const handle = (batch: readonly RtmpServerEvent[]): void => {
    for (const event of batch) {
      events.push(event);
      if (event.type === 'connect') handle(session.acceptConnect());
      // A stream may be over before its turn comes when everything arrives at once: that is what `unpublish` is for.
      if (event.type === 'publish' && isStill(batch, event, 'unpublish'))
        handle(session.acceptPublish(event.messageStreamId));
      if (event.type === 'play' && isStill(batch, event, 'stop')) handle(session.acceptPlay(event.messageStreamId));
    }
  };
  for (const piece of pieces) handle(session.receive(piece, 0));
  const bytes = sentBytes(events).subarray(1 + 2 * 1536);
  return { events: events.filter((event) => event.type !== 'send'), sent: new Listener().hear(bytes) };
}

function isStill(batch: readonly RtmpServerEvent[], event: RtmpServerEvent, end: string): boolean {
  return !batch.slice(batch.indexOf(event)).some((later) => later.type === end);
}

describe('input cut anywhere', () => {
  const bytes = publisherBytes();
  const whole = serve([bytes]);

  it('tells a life', () => {
    expect(whole.events.map((event) => event.type)).toEqual([
      'proxied',
      'handshake',
      'connect',
      'publish',
      ...Array.from({ length: 4 }, () => 'message'),
      'unpublish',
      'play',
      'stop',
    ]);
  });

  it('gives the same events', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (cuts) => {
        expect(serve(cutAt(bytes, cuts)).events).toEqual(whole.events);
      }),
      { numRuns: 50 },
    );
    expect(serve(Array.from(bytes, (byte) => Uint8Array.of(byte))).events).toEqual(whole.events);
  });

  it('survives damage anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 3080, max: bytes.length - 1 }), fc.nat(255)), {
          minLength: 1,
          maxLength: 5,
        }),
        (damage) => {
          const damaged = bytes.slice();
          for (const [position, byte] of damage) damaged[position] = byte;
          const { events } = serve([damaged]);
          const last = events.findIndex((event) => event.type === 'failed' || event.type === 'end');
          expect(last === -1 || last === events.length - 1).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
