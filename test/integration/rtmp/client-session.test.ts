import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AmfValue, toAmfObject } from '../../../src/protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../../../src/protocol/amf/amf0-writer.ts';
import type { RtmpClientEvent } from '../../../src/protocol/rtmp/client-events.ts';
import { RtmpClientSession, type RtmpClientSessionOptions } from '../../../src/protocol/rtmp/client-session.ts';
import type { RtmpServerEvent } from '../../../src/protocol/rtmp/server-events.ts';
import { RtmpServerSession } from '../../../src/protocol/rtmp/server-session.ts';
import { parseRtmpUrl } from '../../../src/protocol/rtmp/stream-url.ts';
import { joinBytes, Listener, Speaker, testCrypto } from '../../rtmp-test-kit.ts';

const url = parseRtmpUrl('rtmp://h/live/s?token=1')!;
const failed = (code: string) => expect.objectContaining({ type: 'failed', error: expect.objectContaining({ code }) });

/** A client session with a hand-made server behind it. */
class ClientBench {
  readonly session: RtmpClientSession;
  readonly mode: 'publish' | 'play';
  readonly say = new Speaker();
  readonly #listener = new Listener();

  constructor(mode: 'publish' | 'play', options: Partial<RtmpClientSessionOptions> = {}) {
    this.mode = mode;
    this.session = new RtmpClientSession({ crypto: testCrypto(), mode, url, ...options });
    this.session.start(1000);
    const events = this.session.receive(new Uint8Array(1 + 2 * 1536).fill(3, 0, 1), 1000);
    const [c2, handshake, connect] = events;
    if (c2?.type !== 'send' || handshake?.type !== 'handshake' || connect?.type !== 'send') throw events;
    this.connectCommand = this.#listener.hear(connect.bytes)[0];
  }

  readonly connectCommand: unknown;

  hear(...input: readonly Uint8Array[]): unknown[] {
    return this.take(this.session.receive(joinBytes(input), 1000));
  }

  take(events: readonly RtmpClientEvent[]): unknown[] {
    return events.flatMap((event): unknown[] => (event.type === 'send' ? this.#listener.hear(event.bytes) : [event]));
  }

  status(sid: number, fields: Readonly<Record<string, AmfValue>>): unknown[] {
    return this.hear(this.say.command(sid, 'onStatus', 0, null, toAmfObject(fields)));
  }

  /** Until publish or play was called. */
  upToStart(streamId = 1): this {
    this.hear(this.say.command(0, '_result', 1, null, toAmfObject({ level: 'status' })));
    this.hear(this.say.command(0, '_result', 4, null, streamId));
    return this;
  }

  running(): this {
    this.upToStart();
    this.status(1, {
      level: 'status',
      code: this.mode === 'publish' ? 'NetStream.Publish.Start' : 'NetStream.Play.Start',
    });
    return this;
  }
}

describe('publishing client', () => {
  it('connects with what servers want to know', () => {
    expect(new ClientBench('publish').connectCommand).toMatchObject({
      command: 'connect',
      sid: 0,
      tid: 1,
      values: [
        {
          app: 'live',
          type: 'nonprivate',
          tcUrl: 'rtmp://h/live',
          flashVer: expect.stringContaining('FMLE/3.0'),
          objectEncoding: 0,
          fourCcList: expect.arrayContaining(['hvc1']),
          capsEx: 15,
        },
      ],
    });
    const plain = new ClientBench('play', { capabilities: null, flashVer: 'x', pageUrl: 'p', swfUrl: 'w' });
    expect(plain.connectCommand).toMatchObject({ values: [{ flashVer: 'x', pageUrl: 'p', swfUrl: 'w' }] });
    expect(plain.connectCommand).not.toMatchObject({ values: [{ capsEx: 15 }] });
  });

  it('goes the way of FMLE', () => {
    const bench = new ClientBench('publish');
    const info = toAmfObject({ level: 'status', code: 'NetConnection.Connect.Success', capsEx: 1 });
    const properties = toAmfObject({ fmsVer: 'x' });
    expect(
      bench.hear(bench.say.command(0, '_result', 1, properties, info), bench.say.command(0, 'onBWDone', 0, null)),
    ).toEqual([
      { type: 'connected', capabilities: expect.objectContaining({ capsEx: 1 }) },
      { type: 'window-acknowledgement-size', sizeBytes: 2_500_000 },
      { command: 'releaseStream', sid: 0, tid: 2, values: [null, 's?token=1'] },
      { command: 'FCPublish', sid: 0, tid: 3, values: [null, 's?token=1'] },
      { command: 'createStream', sid: 0, tid: 4, values: [null] },
    ]);
    expect(
      bench.hear(bench.say.command(0, '_result', 2, null, undefined), bench.say.command(0, '_result', 4, null, 7)),
    ).toEqual([{ command: 'publish', sid: 7, tid: 5, values: [null, 's?token=1', 'live'] }]);
    expect(bench.status(7, { level: 'status', code: 'NetStream.Publish.Start' })).toEqual([
      { type: 'publishing', messageStreamId: 7 },
    ]);
    expect(bench.session.nextTimeoutMs()).toBeUndefined();
    expect(bench.take(bench.session.writeMedia(9, 40, [Uint8Array.of(1), new Uint8Array(70_000)]))).toEqual([
      { typeId: 9, sid: 7, timestamp: 40, size: 70_001 },
    ]);
    expect(bench.take(bench.session.unpublish())).toEqual([
      { command: 'FCUnpublish', sid: 0, tid: 6, values: [null, 's?token=1'] },
    ]);
    expect(bench.session.unpublish()).toEqual([]);
    expect(bench.status(7, { level: 'status', code: 'NetStream.Unpublish.Success' })).toEqual([
      { type: 'ended', code: 'NetStream.Unpublish.Success' },
    ]);
    expect(bench.session.writeMedia(9, 80, [])).toEqual([]);
  });

  it('does not mind servers that do not know releaseStream and FCPublish', () => {
    const bench = new ClientBench('publish');
    bench.hear(bench.say.command(0, '_result', 1, null, null));
    const error = toAmfObject({ level: 'error', code: 'NetConnection.Call.Failed' });
    expect(
      bench.hear(bench.say.command(0, '_error', 2, null, error), bench.say.command(0, '_error', 3, null, error)),
    ).toEqual([]);
    expect(bench.hear(bench.say.command(0, '_result', 4, null, 1))).toMatchObject([{ command: 'publish' }]);
  });

  it.each([
    ['NetStream.Publish.BadName', 'error'],
    ['NetStream.Publish.Denied', 'status'],
    ['Some.Other', 'error'],
  ])('fails on %s with level %s', (code, level) => {
    const bench = new ClientBench('publish').upToStart();
    const [event] = bench.status(1, { level, code, description: 'why' });
    expect(event).toEqual(failed('rtmp/refused'));
    expect(event).toMatchObject({ error: { message: `${code}: why` } });
  });

  it('says good-bye when it closes, once', () => {
    const bench = new ClientBench('publish').running();
    expect(bench.take(bench.session.close())).toMatchObject([
      { command: 'FCUnpublish' },
      { command: 'deleteStream', values: [null, 1] },
      { type: 'ended', code: 'NetConnection.Connect.Closed' },
    ]);
    expect(bench.session.close()).toEqual([]);
  });
});

describe('playing client', () => {
  it('creates a stream, tells its buffer and plays', () => {
    const bench = new ClientBench('play');
    expect(bench.hear(bench.say.command(0, '_result', 1, null, null))).toMatchObject([
      { type: 'connected', capabilities: undefined },
      { type: 'window-acknowledgement-size' },
      { command: 'createStream', tid: 4 },
    ]);
    expect(bench.hear(bench.say.command(0, '_result', 4, null, 0))).toEqual([
      { type: 'set-buffer-length', messageStreamId: 0, bufferMs: 1000 },
      { command: 'play', sid: 0, tid: 5, values: [null, 's?token=1', -2000] },
    ]);
    expect(bench.status(0, { level: 'status', code: 'NetStream.Play.Reset' })).toEqual([]);
    expect(bench.status(0, { level: 'status', code: 'NetStream.Play.Start' })).toEqual([
      { type: 'playing', messageStreamId: 0 },
    ]);
  });

  it('plays what comes, without Play.Start too', () => {
    const bench = new ClientBench('play').upToStart();
    const data = writeAmf0Values(['onMetaData', toAmfObject({})]);
    expect(
      bench.hear(
        bench.say.message(18, 1, 0, data),
        bench.say.message(9, 1, 40, Uint8Array.of(1)),
        bench.say.message(8, 1, 41, Uint8Array.of(2)),
      ),
    ).toEqual([
      { type: 'message', typeId: 18, timestamp: 0, payload: data },
      { type: 'playing', messageStreamId: 1 },
      { type: 'message', typeId: 9, timestamp: 40, payload: Uint8Array.of(1) },
      { type: 'message', typeId: 8, timestamp: 41, payload: Uint8Array.of(2) },
    ]);
  });

  it('keeps what is said to players, not part of the stream, to itself', () => {
    const bench = new ClientBench('play').running();
    const access = writeAmf0Values(['|RtmpSampleAccess', true, true]);
    const start = writeAmf0Values(['onStatus', toAmfObject({ code: 'NetStream.Data.Start' })]);
    expect(bench.hear(bench.say.message(18, 1, 0, access), bench.say.message(18, 1, 0, start))).toEqual([]);
  });

  it.each([
    'NetStream.Play.Stop',
    'NetStream.Play.Complete',
    'NetStream.Play.UnpublishNotify',
    'NetConnection.Connect.Closed',
  ])('ends with %s', (code) => {
    expect(new ClientBench('play').running().status(1, { level: 'status', code })).toEqual([{ type: 'ended', code }]);
  });

  it('ends with a recording', () => {
    const bench = new ClientBench('play').running();
    const data = writeAmf0Values(['onPlayStatus', null, toAmfObject({ code: 'NetStream.Play.Complete' })]);
    expect(bench.hear(bench.say.message(18, 1, 0, data)).at(-1)).toEqual({
      type: 'ended',
      code: 'NetStream.Play.Complete',
    });
  });

  it('fails when there is no such stream', () => {
    expect(
      new ClientBench('play').upToStart().status(1, { level: 'status', code: 'NetStream.Play.StreamNotFound' }),
    ).toEqual([failed('rtmp/refused')]);
  });

  it('pauses', () => {
    const bench = new ClientBench('play').running();
    expect(bench.take(bench.session.pause(true, 1500))).toEqual([
      { command: 'pause', sid: 1, tid: 0, values: [null, true, 1500] },
    ]);
  });

  it('tells a stream gone dry, answers pings and calls, acknowledges', () => {
    const bench = new ClientBench('play').running();
    const { say } = bench;
    expect(
      bench.hear(
        say.control({ type: 'stream-dry', messageStreamId: 1 }),
        say.control({ type: 'ping-request', timestamp: 9 }),
        say.command(0, '_onbwcheck', 8, null),
        say.control({ type: 'window-acknowledgement-size', sizeBytes: 2 }),
      ),
    ).toEqual([
      { type: 'dry' },
      { type: 'ping-response', timestamp: 9 },
      { command: '_result', sid: 0, tid: 8, values: [null, null] },
    ]);
    expect(bench.hear(say.message(8, 1, 0, Uint8Array.of(1))).at(-1)).toMatchObject({ type: 'acknowledgement' });
  });
});

describe('being sent elsewhere', () => {
  const ex = (fields: Readonly<Record<string, AmfValue>>): AmfValue =>
    toAmfObject({ level: 'error', code: 'NetConnection.Connect.Rejected', ex: toAmfObject({ code: 302, ...fields }) });

  it.each<[string, 'onStatus' | '_error', Readonly<Record<string, AmfValue>>, string]>([
    ['whole URL', 'onStatus', { redirect: 'rtmp://o/live', redirect2: 'rtmp://o/live/s?x=1' }, 'rtmp://o/live/s?x=1'],
    ['tcUrl alone', '_error', { redirect: 'rtmp://o/live' }, 'rtmp://o/live/s?token=1'],
    [
      'the same twice',
      'onStatus',
      { redirect: 'rtmp://o/live', redirect2: 'rtmp://o/live' },
      'rtmp://o/live/s?token=1',
    ],
  ])('by 302 with the %s', (_name, command, fields, expected) => {
    const bench = new ClientBench('play');
    expect(bench.hear(bench.say.command(0, command, command === '_error' ? 1 : 0, null, ex(fields)))).toEqual([
      { type: 'redirect', url: expected },
    ]);
    expect(bench.hear(bench.say.command(0, '_result', 1, null, null))).toEqual([]);
  });

  it('by a reconnect request, while the stream goes on', () => {
    const bench = new ClientBench('publish').running();
    const code = 'NetConnection.Connect.ReconnectRequest';
    expect(bench.status(0, { level: 'status', code, tcUrl: 'rtmp://o/live', description: 'd' })).toEqual([
      { type: 'reconnect-request', url: 'rtmp://o/live/s?token=1', description: 'd' },
    ]);
    expect(bench.status(0, { level: 'status', code })).toEqual([
      { type: 'reconnect-request', url: 'rtmp://h/live/s?token=1', description: undefined },
    ]);
    expect(bench.session.writeMedia(9, 0, [])).toHaveLength(1);
  });

  it('is no reason to go on after a plain rejection', () => {
    const bench = new ClientBench('play');
    const info = toAmfObject({ level: 'error', code: 'NetConnection.Connect.Rejected' });
    expect(bench.hear(bench.say.command(0, '_error', 1, null, info))).toEqual([failed('rtmp/refused')]);
  });
});

describe('a server that breaks the protocol', () => {
  it('is given up after the time limit', () => {
    const bench = new ClientBench('play', { setupTimeoutMs: 5000 });
    expect(bench.session.nextTimeoutMs()).toBe(6000);
    expect(bench.session.handleTimeout(5999)).toEqual([]);
    expect(bench.session.handleTimeout(6000)).toEqual([failed('rtmp/setup-timeout')]);
    expect(bench.session.nextTimeoutMs()).toBeUndefined();
  });

  it.each<[string, (say: Speaker) => Uint8Array, string]>([
    ['chunks that are none', () => Uint8Array.of(0xff), 'rtmp/bad-chunk-header'],
    ['a command that is none', (say) => say.message(20, 0, 0, Uint8Array.of(1)), 'rtmp/bad-command'],
    ['a control message cut short', (say) => say.message(5, 0, 0, Uint8Array.of(1)), 'rtmp/bad-control-message'],
  ])('fails the session: %s', (_name, bytes, code) => {
    const bench = new ClientBench('play');
    expect(bench.hear(bytes(bench.say))).toEqual([failed(code)]);
    expect(bench.hear(bench.say.command(0, '_result', 1, null, null))).toEqual([]);
  });

  it.each<AmfValue>(['x', null, -1, Number.NaN, 2 ** 33])('fails the session: stream id %s', (id) => {
    const bench = new ClientBench('play');
    bench.hear(bench.say.command(0, '_result', 1, null, null));
    expect(bench.hear(bench.say.command(0, '_result', 4, null, id))).toEqual([failed('rtmp/bad-command')]);
  });
});

describe('our own mistakes throw', () => {
  it.each<[string, (session: RtmpClientSession) => void]>([
    ['input before start', (session) => session.receive(new Uint8Array(1), 0)],
    ['media before publishing', (session) => session.writeMedia(9, 0, [])],
    ['unpublish before publishing', (session) => session.unpublish()],
    ['pause before playing', (session) => session.pause(true, 0)],
    ['two starts', (session) => [session.start(0), session.start(0)]],
  ])('%s', (_name, act) => {
    const session = new RtmpClientSession({ crypto: testCrypto(), mode: 'publish', url });
    expect(() => act(session)).toThrow(expect.objectContaining({ name: 'StateError' }));
  });
});

/** Runs a client against a server over a wire that cuts as `cuts` says; the server accepts everything. */
function converse(options: { readonly mode: 'publish' | 'play'; readonly sizes: readonly number[] }) {
  const client = new RtmpClientSession({ crypto: testCrypto(1), mode: options.mode, url, outChunkSize: 300 });
  const server = new RtmpServerSession({ crypto: testCrypto(2), nowMs: 0, serverVersion: 'x', outChunkSize: 500 });
  const clientEvents: RtmpClientEvent[] = [];
  const serverEvents: RtmpServerEvent[] = [];
  const toServer: Uint8Array[] = [];
  const toClient: Uint8Array[] = [];
  let turn = 0;
  const hearClient = (events: readonly RtmpClientEvent[]): void => {
    for (const event of events) {
      if (event.type === 'send') toServer.push(event.bytes);
      else clientEvents.push(event);
      if (event.type === 'publishing') {
        hearClient(client.writeMedia(18, 0, [writeAmf0Values(['onMetaData'])]));
        for (const timestamp of [0, 40, 0xffffffff])
          hearClient(client.writeMedia(9, timestamp, [new Uint8Array(1000)]));
        hearClient(client.unpublish());
      }
    }
  };
  const hearServer = (events: readonly RtmpServerEvent[]): void => {
    for (const event of events) {
      if (event.type === 'send') toClient.push(event.bytes);
      else serverEvents.push(event);
      if (event.type === 'connect') hearServer(server.acceptConnect());
      if (event.type === 'publish') hearServer(server.acceptPublish(event.messageStreamId));
      if (event.type === 'play') {
        hearServer(server.acceptPlay(event.messageStreamId));
        hearServer(server.endPlay(event.messageStreamId, 'unpublished'));
      }
    }
  };
  const deliver = (queue: Uint8Array[], take: (piece: Uint8Array) => void): void => {
    const all = joinBytes(queue.splice(0));
    const size = options.sizes[turn++ % options.sizes.length]!;
    const piece = all.slice(0, size);
    if (all.length > size) queue.unshift(all.subarray(size));
    if (piece.length > 0) take(piece);
  };
  hearClient(client.start(0));
  while (toServer.length > 0 || toClient.length > 0) {
    deliver(toServer, (piece) => hearServer(server.receive(piece, 0)));
    deliver(toClient, (piece) => hearClient(client.receive(piece, 0)));
  }
  return { clientEvents, serverEvents };
}

describe('client and server', () => {
  const anySizes = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 10 });

  it('publish to each other whatever the pieces', () => {
    fc.assert(
      fc.property(anySizes, (sizes) => {
        const { clientEvents, serverEvents } = converse({ mode: 'publish', sizes });
        expect(clientEvents.map((event) => event.type)).toEqual(['handshake', 'connected', 'publishing', 'ended']);
        expect(serverEvents).toMatchObject([
          { type: 'handshake', kind: 'complex-schema-1' },
          { type: 'connect', request: { capabilities: { capsEx: 15 } } },
          { type: 'publish', publisherKind: 'fmle', streamName: 's?token=1' },
          { type: 'message', typeId: 18, timestamp: 0 },
          { type: 'message', typeId: 9, timestamp: 0 },
          { type: 'message', typeId: 9, timestamp: 40 },
          { type: 'message', typeId: 9, timestamp: 0xffffffff },
          { type: 'unpublish' },
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it('play from each other whatever the pieces', () => {
    fc.assert(
      fc.property(anySizes, (sizes) => {
        const { clientEvents, serverEvents } = converse({ mode: 'play', sizes });
        expect(clientEvents).toMatchObject([
          { type: 'handshake' },
          { type: 'connected', capabilities: { capsEx: 15 } },
          { type: 'playing', messageStreamId: 1 },
          { type: 'ended', code: 'NetStream.Play.UnpublishNotify' },
        ]);
        expect(serverEvents).toMatchObject([
          { type: 'handshake' },
          { type: 'connect' },
          { type: 'set-buffer-length', bufferMs: 1000 },
          { type: 'play', start: -2000 },
        ]);
      }),
      { numRuns: 40 },
    );
  });
});
