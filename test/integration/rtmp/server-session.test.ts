import { describe, expect, it } from 'vitest';
import { type AmfValue, toAmfObject } from '../../../src/protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../../../src/protocol/amf/amf0-writer.ts';
import { writeCommand } from '../../../src/protocol/rtmp/command.ts';
import { connectObject, joinBytes, ServerBench } from '../../rtmp-test-kit.ts';

const status = (sid: number, code: string, description: string, more: object = { clientid: 'ASAICiss' }) => ({
  command: 'onStatus',
  sid,
  tid: 0,
  values: [null, { level: 'status', code, description, ...more }],
});
const refusal = (sid: number, code: string) => ({
  command: 'onStatus',
  sid,
  tid: 0,
  values: [null, expect.objectContaining({ level: 'error', code })],
});
const result = (tid: number, value: unknown) => ({ command: '_result', sid: 0, tid, values: [null, value] });
const onFcPublish = (sid: number) => ({
  command: 'onFCPublish',
  sid,
  tid: 0,
  values: [null, { code: 'NetStream.Publish.Start', description: 'Started publishing stream.' }],
});
const publishStart = (sid: number) => status(sid, 'NetStream.Publish.Start', 'Started publishing stream.');
const unpublished = (sid: number) => status(sid, 'NetStream.Unpublish.Success', 'Stream is now unpublished');
const onFcUnpublish = (sid: number) => ({
  command: 'onFCUnpublish',
  sid,
  tid: 0,
  values: [null, { code: 'NetStream.Unpublish.Success', description: 'Stop publishing stream.' }],
});

describe('connect', () => {
  it('is answered with window, bandwidth, chunk size, _result and onBWDone, in this order', () => {
    const bench = new ServerBench({ serverInfo: [['srs_id', 'x']] }).shake();
    expect(bench.hear(bench.say.command(0, 'connect', 1, connectObject()))).toMatchObject([
      { type: 'connect', request: { app: 'live', tcUrl: 'rtmp://h/live', transactionId: 1 } },
    ]);
    expect(bench.session.outChunkSize).toBe(128);
    expect(bench.take(bench.session.acceptConnect())).toEqual([
      { type: 'window-acknowledgement-size', sizeBytes: 2_500_000 },
      { type: 'set-peer-bandwidth', sizeBytes: 2_500_000, limitType: 2 },
      {
        command: '_result',
        sid: 0,
        tid: 1,
        values: [
          { fmsVer: 'FMS/3,5,3,888', capabilities: 127, mode: 1 },
          {
            level: 'status',
            code: 'NetConnection.Connect.Success',
            description: 'Connection succeeded',
            objectEncoding: 0,
            data: { version: '3,5,3,888', server: 'Millrace/test', srs_id: 'x' },
          },
        ],
      },
      { command: 'onBWDone', sid: 0, tid: 0, values: [null] },
    ]);
    expect(bench.session.outChunkSize).toBe(60_000);
  });

  it('echoes object encoding 3 and tells Enhanced RTMP capabilities to those who told theirs', () => {
    const bench = new ServerBench().shake();
    const object = connectObject({ objectEncoding: 3, fourCcList: ['hvc1'], capsEx: 1 });
    const payload = Uint8Array.of(0, ...writeCommand({ name: 'connect', transactionId: 1, object, args: [] }));
    expect(bench.hear(bench.say.message(17, 0, 0, payload))).toMatchObject([
      { type: 'connect', request: { capabilities: { fourCcList: ['hvc1'], capsEx: 1 } } },
    ]);
    const [, , answer] = bench.take(bench.session.acceptConnect());
    expect(answer).toMatchObject({
      values: [
        {},
        {
          objectEncoding: 3,
          capsEx: 15,
          fourCcList: expect.arrayContaining(['hvc1', 'av01', 'Opus']),
          videoFourCcInfoMap: { hvc1: 4 },
          audioFourCcInfoMap: { Opus: 4 },
        },
      ],
    });
  });

  it('is rejected with a status, and that ends the session', () => {
    const bench = new ServerBench().shake();
    bench.hear(bench.say.command(0, 'connect', 1, connectObject()));
    expect(bench.take(bench.session.rejectConnect('no such app'))).toEqual([
      {
        command: 'onStatus',
        sid: 0,
        tid: 0,
        values: [null, { level: 'error', code: 'NetConnection.Connect.Rejected', description: 'no such app' }],
      },
      { type: 'end', reason: 'rejected' },
    ]);
    expect(bench.hear(bench.say.command(0, 'createStream', 2, null))).toEqual([]);
    expect(bench.session.nextTimeoutMs()).toBeUndefined();
  });

  it('is redirected with 302, and the session ends when the client reacts', () => {
    const bench = new ServerBench().shake();
    bench.hear(bench.say.command(0, 'connect', 1, connectObject()));
    expect(bench.take(bench.session.redirectConnect('rtmp://other/live/s'))).toMatchObject([
      {
        command: 'onStatus',
        values: [
          null,
          {
            code: 'NetConnection.Connect.Rejected',
            ex: { code: 302, redirect: 'rtmp://other/live', redirect2: 'rtmp://other/live/s' },
          },
        ],
      },
    ]);
    expect(bench.hear(bench.say.command(0, 'accepted', 2, null))).toEqual([{ type: 'end', reason: 'redirected' }]);
  });

  it('may be redirected while something plays, and ends by itself after 3 s', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'play', 0, null, 's'));
    bench.session.redirectConnect('rtmp://other/live/s');
    expect(bench.session.endPlay(1, 'stopped')).toEqual([]);
    expect(bench.session.nextTimeoutMs()).toBe(bench.nowMs + 3000);
    expect(bench.session.handleTimeout(bench.nowMs + 2999)).toEqual([]);
    expect(bench.session.handleTimeout(bench.nowMs + 3000)).toEqual([{ type: 'end', reason: 'redirected' }]);
  });

  it.each<[string, AmfValue]>([
    ['without tcUrl', toAmfObject({ app: 'live' })],
    ['without a command object', null],
  ])('%s is refused', (_name, object) => {
    const bench = new ServerBench().shake();
    expect(bench.hear(bench.say.command(0, 'connect', 1, object))).toMatchObject([
      { command: 'onStatus', values: [null, { code: 'NetConnection.Connect.Rejected' }] },
      { type: 'failed', error: { code: 'rtmp/bad-connect' } },
    ]);
  });

  it('makes what the client sends meanwhile wait', () => {
    const bench = new ServerBench().shake();
    const { say } = bench;
    expect(
      bench.hear(
        say.command(0, 'connect', 1, connectObject()),
        say.command(0, 'createStream', 2, null),
        say.command(0, 'play', 3, null, 's'),
      ),
    ).toMatchObject([{ type: 'connect' }]);
    expect(bench.take(bench.session.acceptConnect()).slice(-2)).toEqual([
      result(2, 1),
      expect.objectContaining({ type: 'play', messageStreamId: 1, streamName: 's' }),
    ]);
  });

  it('keeps a buffer length behind the play it waits with, and answers pings at once', () => {
    const bench = new ServerBench().shake();
    const { say } = bench;
    expect(
      bench.hear(
        say.command(0, 'connect', 1, connectObject()),
        say.command(0, 'play', 2, null, 's'),
        say.control({ type: 'set-buffer-length', messageStreamId: 1, bufferMs: 1000 }),
        say.control({ type: 'ping-request', timestamp: 5 }),
      ),
    ).toMatchObject([{ type: 'connect' }, { type: 'ping-response', timestamp: 5 }]);
    expect(bench.take(bench.session.acceptConnect()).slice(-2)).toMatchObject([
      { type: 'play' },
      { type: 'set-buffer-length', bufferMs: 1000 },
    ]);
  });

  it('does not let wait without end', () => {
    const bench = new ServerBench().shake();
    bench.hear(bench.say.command(0, 'connect', 1, connectObject()));
    const call = bench.say.command(0, 'createStream', 2, null);
    expect(bench.hear(...Array.from({ length: 300 }, () => call)).at(-1)).toMatchObject({
      type: 'failed',
      error: { code: 'rtmp/too-many-held-messages' },
    });
  });

  it('comes first: other commands before it are ignored', () => {
    const bench = new ServerBench().shake();
    expect(bench.hear(bench.say.command(0, 'play', 2, null, 's'))).toEqual([]);
  });
});

describe('publish', () => {
  it('of FMLE, OBS and FFmpeg is answered as they wait for it', () => {
    const bench = new ServerBench().connect();
    const { say } = bench;
    expect(bench.hear(say.command(0, 'releaseStream', 2, null, 's'))).toEqual([result(2, undefined)]);
    expect(bench.hear(say.command(0, 'FCPublish', 3, null, 's'))).toEqual([result(3, undefined)]);
    expect(bench.hear(say.command(0, 'createStream', 4, null))).toEqual([result(4, 1)]);
    expect(bench.hear(say.command(1, 'publish', 5, null, 's?token=1', 'live'))).toEqual([
      onFcPublish(1),
      expect.objectContaining({
        type: 'publish',
        messageStreamId: 1,
        streamName: 's?token=1',
        publishType: 'live',
        publisherKind: 'fmle',
        url: expect.objectContaining({ app: 'live', stream: 's', param: '?token=1' }),
      }),
    ]);
    expect(bench.take(bench.session.acceptPublish(1))).toEqual([publishStart(1)]);
    expect(bench.hear(say.command(0, 'FCUnpublish', 6, null, 's?token=1'))).toEqual([
      onFcUnpublish(1),
      result(6, undefined),
      unpublished(1),
      { type: 'unpublish', messageStreamId: 1 },
    ]);
    expect(bench.hear(say.command(0, 'deleteStream', 7, null, 1))).toEqual([result(7, null)]);
  });

  it('of Haivision is answered as it waits for it', () => {
    const bench = new ServerBench().connect();
    const { say } = bench;
    expect(bench.hear(say.command(0, 'createStream', 2, null))).toEqual([result(2, 1)]);
    expect(bench.hear(say.command(0, 'FCPublish', 3, null, 's'))).toEqual([result(3, undefined)]);
    expect(bench.hear(say.command(1, 'publish', 4, null, 's', 'live'))).toEqual([
      onFcPublish(1),
      expect.objectContaining({ type: 'publish', publisherKind: 'haivision' }),
    ]);
    expect(bench.take(bench.session.acceptPublish(1))).toEqual([publishStart(1)]);
  });

  it('of Flash gets no onFCPublish', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'createStream', 2, null));
    expect(bench.hear(bench.say.command(1, 'publish', 3, null, 's', 'record'))).toEqual([
      expect.objectContaining({ type: 'publish', publisherKind: 'flash', publishType: 'record' }),
    ]);
    expect(bench.take(bench.session.acceptPublish(1))).toEqual([publishStart(1)]);
    expect(bench.hear(bench.say.command(1, 'publish', 0, null, false))).toEqual([
      unpublished(1),
      { type: 'unpublish', messageStreamId: 1 },
    ]);
  });

  it('needs no FCPublish behind releaseStream, and may be sent all in one piece', () => {
    const bench = new ServerBench().connect();
    const { say } = bench;
    expect(
      bench.hear(
        say.command(0, 'releaseStream', 2, null, 's'),
        say.command(0, 'createStream', 3, null),
        say.command(0, '_checkbw', 4, null),
        say.command(1, 'publish', 5, null, 's', 'live'),
        say.message(9, 1, 0, Uint8Array.of(0x17, 0)),
      ),
    ).toEqual([
      result(2, undefined),
      result(3, 1),
      result(4, null),
      onFcPublish(1),
      expect.objectContaining({ type: 'publish', publisherKind: 'fmle' }),
      { type: 'message', messageStreamId: 1, typeId: 9, timestamp: 0, payload: Uint8Array.of(0x17, 0) },
    ]);
  });

  it('is refused by the server with its code, and may be tried again', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'createStream', 2, null), bench.say.command(1, 'publish', 3, null, 's', 'live'));
    expect(bench.take(bench.session.rejectPublish(1, 'NetStream.Publish.BadName', 'busy'))).toEqual([
      refusal(1, 'NetStream.Publish.BadName'),
    ]);
    expect(bench.hear(bench.say.command(1, 'publish', 4, null, 't', 'live'))).toMatchObject([
      { type: 'publish', streamName: 't' },
    ]);
  });

  it.each(['', ' ', '/', '?token=1', ' / ?a=1'])('of "%s" is refused as a bad name without an event', (name) => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'createStream', 2, null));
    expect(bench.hear(bench.say.command(1, 'publish', 3, null, name, 'live'))).toEqual([
      refusal(1, 'NetStream.Publish.BadName'),
    ]);
  });

  it('finds the name in the tcUrl when it is not sent', () => {
    const bench = new ServerBench().connect({ tcUrl: 'rtmp://h/live/s' });
    bench.hear(bench.say.command(0, 'createStream', 2, null));
    expect(bench.hear(bench.say.command(1, 'publish', 3, null, '', 'live'))).toMatchObject([
      { type: 'publish', url: { app: 'live', stream: 's' } },
    ]);
  });

  it('goes on with another name on the same connection after FCUnpublish', () => {
    const bench = new ServerBench().connect();
    const { say } = bench;
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      bench.hear(say.command(0, 'releaseStream', 2, null, name), say.command(0, 'FCPublish', 3, null, name));
      const id = i + 1;
      expect(bench.hear(say.command(0, 'createStream', 4, null))).toEqual([result(4, id)]);
      expect(bench.hear(say.command(id, 'publish', 5, null, name, 'live'))).toEqual([
        onFcPublish(id),
        expect.objectContaining({ type: 'publish', streamName: name, publisherKind: 'fmle' }),
      ]);
      bench.session.acceptPublish(id);
      expect(bench.hear(say.command(0, 'FCUnpublish', 6, null, name)).at(-1)).toEqual({
        type: 'unpublish',
        messageStreamId: id,
      });
    }
  });

  it('goes on a hundred times without deleteStream', () => {
    const bench = new ServerBench().connect();
    for (let i = 0; i < 100; i++) {
      const [answer] = bench.hear(bench.say.command(0, 'createStream', 4, null)) as unknown as { values: number[] }[];
      const id = answer!.values[1]!;
      expect(bench.hear(bench.say.command(id, 'publish', 5, null, `s${i}`, 'live'))).toMatchObject([
        { type: 'publish' },
      ]);
      bench.hear(bench.say.command(0, 'FCUnpublish', 6, null, `s${i}`));
    }
  });

  it('with a new name on a stream that publishes ends the old one first', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'createStream', 2, null), bench.say.command(1, 'publish', 3, null, 'a', 'live'));
    expect(bench.hear(bench.say.command(1, 'publish', 4, null, 'b', 'live'))).toMatchObject([
      { type: 'unpublish', messageStreamId: 1 },
      { type: 'publish', streamName: 'b' },
    ]);
  });

  it('ends when the encoder starts over with the same name', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'createStream', 2, null), bench.say.command(1, 'publish', 3, null, 's', 'live'));
    expect(bench.hear(bench.say.command(0, 'releaseStream', 4, null, 's'))).toEqual([
      { type: 'unpublish', messageStreamId: 1 },
      result(4, undefined),
    ]);
  });

  it.each(['deleteStream', 'closeStream'])('ends at once with %s', (name) => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'createStream', 2, null), bench.say.command(1, 'publish', 3, null, 's', 'live'));
    const bytes =
      name === 'deleteStream' ? bench.say.command(0, name, 0, null, 1) : bench.say.command(1, name, 0, null);
    expect(bench.hear(bytes)).toEqual([{ type: 'unpublish', messageStreamId: 1 }]);
    expect(() => bench.session.acceptPublish(1)).toThrow('not publishing');
  });

  it('of several streams on one connection is kept apart', () => {
    const bench = new ServerBench().connect();
    const { say } = bench;
    for (const name of ['a', 'b'])
      bench.hear(say.command(0, 'FCPublish', 3, null, name), say.command(0, 'createStream', 4, null));
    bench.hear(say.command(1, 'publish', 5, null, 'a', 'live'), say.command(2, 'publish', 6, null, 'b', 'live'));
    const media = (sid: number) => say.message(8, sid, 7, Uint8Array.of(sid));
    expect(bench.hear(media(2), media(1), media(9))).toMatchObject([
      { type: 'message', messageStreamId: 2 },
      { type: 'message', messageStreamId: 1 },
    ]);
    expect(bench.hear(say.command(0, 'FCUnpublish', 7, null, 'a')).at(-1)).toEqual({
      type: 'unpublish',
      messageStreamId: 1,
    });
    expect(bench.hear(say.command(0, 'deleteStream', 0, null, 1), say.command(0, 'deleteStream', 0, null, 1))).toEqual(
      [],
    );
    // One publisher is left, so there is no doubt whose a stray id is.
    expect(bench.hear(media(2), media(9))).toMatchObject([{ messageStreamId: 2 }, { messageStreamId: 2 }]);
  });

  it('hands on audio, video and data, parts of aggregates too, and no timecodes', () => {
    const bench = new ServerBench().connect();
    const { say } = bench;
    bench.hear(say.command(0, 'createStream', 2, null), say.command(1, 'publish', 3, null, 's', 'live'));
    const data = writeAmf0Values(['@setDataFrame', 'onMetaData', toAmfObject({ width: 1 })]);
    const aggregate = joinBytes([
      Uint8Array.of(8, 0, 0, 1, 0, 0, 10, 0, 0, 0, 0, 0xaa, 0, 0, 0, 12),
      Uint8Array.of(9, 0, 0, 1, 0, 0, 30, 0, 0, 0, 0, 0xbb, 0, 0, 0, 12),
    ]);
    expect(
      bench.hear(
        say.message(18, 1, 0, data),
        say.message(15, 1, 5, Uint8Array.of(0, ...data)),
        say.message(18, 1, 6, Uint8Array.of(0, 0, 0, 1)),
        say.message(19, 1, 6, Uint8Array.of(0)),
        say.message(22, 1, 100, aggregate),
      ),
    ).toEqual([
      { type: 'message', messageStreamId: 1, typeId: 18, timestamp: 0, payload: data },
      { type: 'message', messageStreamId: 1, typeId: 18, timestamp: 5, payload: data },
      { type: 'message', messageStreamId: 1, typeId: 8, timestamp: 100, payload: Uint8Array.of(0xaa) },
      { type: 'message', messageStreamId: 1, typeId: 9, timestamp: 120, payload: Uint8Array.of(0xbb) },
    ]);
  });

  it('is needed for media: what comes without is dropped', () => {
    const bench = new ServerBench().connect();
    expect(bench.hear(bench.say.message(9, 1, 0, Uint8Array.of(0x17)))).toEqual([]);
  });
});

describe('play', () => {
  const playing = (): ServerBench => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'createStream', 2, null), bench.say.command(1, 'play', 3, null, 's'));
    bench.take(bench.session.acceptPlay(1));
    return bench;
  };

  it('is answered with Stream Begin, Reset, Start and sample access', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(0, 'createStream', 2, null));
    expect(bench.hear(bench.say.command(1, 'play', 3, null, 's?a=1', -1000, 5000, true))).toEqual([
      {
        type: 'play',
        messageStreamId: 1,
        streamName: 's?a=1',
        url: expect.objectContaining({ stream: 's', param: '?a=1' }),
        start: -1000,
        duration: 5000,
        reset: true,
      },
    ]);
    const more = { details: 'stream', clientid: 'ASAICiss' };
    expect(bench.take(bench.session.acceptPlay(1))).toEqual([
      { type: 'stream-begin', messageStreamId: 1 },
      status(1, 'NetStream.Play.Reset', 'Playing and resetting stream.', more),
      status(1, 'NetStream.Play.Start', 'Started playing stream.', more),
      { data: ['|RtmpSampleAccess', true, true], sid: 1 },
    ]);
  });

  it.each<[AmfValue[], object]>([
    [['s'], { start: -2, duration: -1, reset: true }],
    [['s', -2000], { start: -2000 }],
    [['s', 0, -1, false], { start: 0, reset: false }],
    [['s', 0, -1, 0], { reset: false }],
    [['s', 0, -1, 1], { reset: true }],
    [['s', Number.NaN, 'x'], { start: -2, duration: -1 }],
  ])('%j', (args, expected) => {
    const bench = new ServerBench().connect();
    expect(bench.hear(bench.say.command(1, 'play', 0, null, ...args))).toMatchObject([{ type: 'play', ...expected }]);
  });

  it('needs no createStream', () => {
    const bench = new ServerBench().connect();
    expect(bench.hear(bench.say.command(0, 'play', 0, null, 's'))).toMatchObject([
      { type: 'play', messageStreamId: 1 },
    ]);
  });

  it.each(['', '?a=1', null, 7])('of %j is refused as not found without an event', (name) => {
    const bench = new ServerBench().connect();
    expect(bench.hear(bench.say.command(1, 'play', 0, null, name))).toEqual([
      refusal(1, 'NetStream.Play.StreamNotFound'),
    ]);
  });

  it('is refused by the server with its code', () => {
    const bench = new ServerBench().connect();
    bench.hear(bench.say.command(1, 'play', 0, null, 's'));
    expect(bench.take(bench.session.rejectPlay(1, 'NetStream.Play.StreamNotFound', 'none'))).toEqual([
      refusal(1, 'NetStream.Play.StreamNotFound'),
    ]);
  });

  it('pauses and goes on', () => {
    const bench = playing();
    expect(bench.hear(bench.say.command(1, 'pause', 4, null, true, 1500))).toEqual([
      result(4, null),
      { type: 'pause', messageStreamId: 1, paused: true, positionMs: 1500 },
    ]);
    expect(bench.take(bench.session.acceptPause(1, true)).slice(-2)).toEqual([
      status(1, 'NetStream.Pause.Notify', 'Paused stream.'),
      { type: 'stream-eof', messageStreamId: 1 },
    ]);
    expect(bench.hear(bench.say.command(1, 'pauseRaw', 0, null, false, 1500))).toMatchObject([
      { type: 'pause', paused: false },
    ]);
    expect(bench.take(bench.session.acceptPause(1, false))).toEqual([
      status(1, 'NetStream.Unpause.Notify', 'Unpaused stream.'),
      { type: 'stream-begin', messageStreamId: 1 },
    ]);
  });

  it('answers what else players call', () => {
    const bench = playing();
    const { say } = bench;
    expect(
      bench.hear(
        say.command(1, 'seek', 0, null, 1000),
        say.command(1, 'receiveAudio', 0, null, false),
        say.command(1, 'receiveVideo', 0, null, true),
        say.command(0, 'getStreamLength', 8, null, 's'),
        say.command(0, 'whatever', 9, null),
        say.command(0, 'whatever', 0, null),
        say.command(0, '_result', 10, null),
        say.control({ type: 'set-buffer-length', messageStreamId: 1, bufferMs: 300 }),
      ),
    ).toMatchObject([
      { command: 'onStatus', sid: 1, values: [null, { code: 'NetStream.Seek.Notify' }] },
      { type: 'seek', positionMs: 1000 },
      { type: 'receive-audio', messageStreamId: 1, enabled: false },
      { type: 'receive-video', messageStreamId: 1, enabled: true },
      result(8, 0),
      result(9, null),
      { type: 'set-buffer-length', messageStreamId: 1, bufferMs: 300 },
    ]);
  });

  it('of another stream replaces the one that plays', () => {
    const bench = playing();
    expect(bench.hear(bench.say.command(1, 'play', 0, null, 't'))).toMatchObject([
      { type: 'stop', messageStreamId: 1 },
      { type: 'play', streamName: 't' },
    ]);
    const parameters = toAmfObject({ oldStreamName: 't', streamName: 'u', start: -1, len: -1, transition: 'switch' });
    expect(bench.hear(bench.say.command(1, 'play2', 0, null, parameters))).toMatchObject([
      { type: 'stop' },
      { type: 'play', streamName: 'u', start: -1 },
    ]);
    expect(bench.hear(bench.say.command(1, 'play', 0, null, false))).toEqual([{ type: 'stop', messageStreamId: 1 }]);
  });

  it('stops with closeStream, and the connection plays again', () => {
    const bench = playing();
    expect(bench.hear(bench.say.command(1, 'closeStream', 0, null))).toEqual([{ type: 'stop', messageStreamId: 1 }]);
    expect(bench.hear(bench.say.command(1, 'play', 0, null, 't'))).toMatchObject([{ type: 'play', streamName: 't' }]);
    expect(bench.hear(bench.say.command(0, 'deleteStream', 0, null, 1))).toEqual([
      { type: 'stop', messageStreamId: 1 },
    ]);
  });

  it('ends with the publisher, or when enough was played', () => {
    const unpublishedBench = playing();
    expect(unpublishedBench.take(unpublishedBench.session.endPlay(1, 'unpublished')).slice(-2)).toMatchObject([
      { command: 'onStatus', values: [null, { code: 'NetStream.Play.UnpublishNotify' }] },
      { type: 'stream-eof', messageStreamId: 1 },
    ]);
    const stopped = playing();
    expect(stopped.take(stopped.session.endPlay(1, 'stopped')).slice(-2)).toMatchObject([
      { command: 'onStatus', values: [null, { code: 'NetStream.Play.Stop' }] },
      { type: 'stream-eof', messageStreamId: 1 },
    ]);
  });

  it('is told when nothing comes for the moment', () => {
    const bench = playing();
    expect(bench.take(bench.session.streamDry(1)).at(-1)).toEqual({ type: 'stream-dry', messageStreamId: 1 });
  });
});

describe('message streams', () => {
  it('are bounded', () => {
    const bench = new ServerBench({ maxMessageStreams: 3 }).connect();
    const answers = [2, 3, 4, 5].flatMap((tid) => bench.hear(bench.say.command(0, 'createStream', tid, null)));
    expect(answers).toMatchObject([
      result(2, 1),
      result(3, 2),
      result(4, 3),
      { command: '_error', tid: 5, values: [null, { code: 'NetConnection.Call.Failed' }] },
    ]);
    expect(bench.hear(bench.say.command(9, 'publish', 6, null, 's'))).toEqual([refusal(9, 'NetStream.Publish.Failed')]);
    expect(bench.hear(bench.say.command(9, 'play', 6, null, 's'))).toEqual([refusal(9, 'NetStream.Play.Failed')]);
  });
});

describe('reconnect request', () => {
  it('is a status of the connection, with or without another URL', () => {
    const bench = new ServerBench().connect();
    expect(bench.take(bench.session.requestReconnect('rtmp://other/live', 'upgrade'))).toEqual([
      {
        command: 'onStatus',
        sid: 0,
        tid: 0,
        values: [
          null,
          {
            level: 'status',
            code: 'NetConnection.Connect.ReconnectRequest',
            description: 'upgrade',
            tcUrl: 'rtmp://other/live',
          },
        ],
      },
    ]);
    expect(bench.take(bench.session.requestReconnect())).toMatchObject([
      { values: [null, { level: 'status', code: 'NetConnection.Connect.ReconnectRequest' }] },
    ]);
  });
});
