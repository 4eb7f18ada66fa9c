import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_NETSTRING_BYTES } from '../../protocol/netstring/netstring-reader.ts';
import { writeNetstring } from '../../protocol/netstring/netstring-writer.ts';
import { memoryChannel } from './memory-pipe.ts';
import { RequestChannel } from './request-channel.ts';
import { NotFoundError, RequestError, UnsupportedError, WorkerClosedError } from './request-errors.ts';
import { type IncomingRequest, ResponseChannel } from './response-channel.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Both ends, what came to them, and what the worker answers. */
function setUp(onRequest: (request: IncomingRequest) => unknown = () => undefined, lastId = 0) {
  const pipes = memoryChannel();
  const seen: string[] = [];
  const commands: IncomingRequest[] = [];
  let ended = 0;
  const channel = new RequestChannel({
    pipes: pipes.control,
    onNotification: (id, event, data, payload) =>
      seen.push(`${id} ${event} ${JSON.stringify(data)} ${payload === undefined ? '' : payload.join()}`),
    onLog: (letter, text) => seen.push(`${letter}:${text}`),
    onProblem: (text) => seen.push(`problem: ${text}`),
    lastId,
  });
  const worker = new ResponseChannel({
    pipes: pipes.worker,
    onRequest,
    onCommand: (command) => {
      if (command.method === 'throw') throw new TypeError('no such thing');
      commands.push(command);
    },
    onEnd: () => ended++,
  });
  return { pipes, channel, worker, seen, commands, ended: () => ended };
}

describe('the channel', () => {
  it('carries a request and its answer', async () => {
    const { channel } = setUp(({ method, internal, data, payload }) => ({
      method,
      internal,
      data,
      bytes: payload?.length,
    }));
    expect(await channel.request('router.dump', { routerId: 'r' }, { a: 1 })).toEqual({
      method: 'router.dump',
      internal: { routerId: 'r' },
      data: { a: 1 },
    });
    expect(await channel.request('dataConsumer.send', {}, undefined, Uint8Array.of(1, 2))).toMatchObject({ bytes: 2 });
  });

  it.each([
    [new TypeError('bad'), TypeError],
    [new UnsupportedError('bad'), UnsupportedError],
    [new NotFoundError('bad'), NotFoundError],
    [new RangeError('bad'), RequestError],
  ])('brings back %s, thrown or rejected', async (error, kind) => {
    for (const handler of [
      (): never => {
        throw error;
      },
      async (): Promise<never> => {
        throw error;
      },
    ]) {
      const promise = setUp(handler).channel.request('a.b');
      await expect(promise).rejects.toBeInstanceOf(kind);
      await expect(promise).rejects.toThrow('bad [method:a.b]');
    }
  });

  it('answers with an error what is too large for an answer', async () => {
    const { channel } = setUp(() => 'x'.repeat(MAX_NETSTRING_BYTES));
    await expect(channel.request('a.b')).rejects.toThrow('more than fit');
  });

  it('refuses a request that is too large, and nothing waits for it', async () => {
    const { channel, seen } = setUp();
    await expect(channel.request('a.b', {}, 'x'.repeat(MAX_NETSTRING_BYTES))).rejects.toThrow('more than fit');
    await expect(channel.request('a.b', {}, {}, new Uint8Array(MAX_NETSTRING_BYTES + 1))).rejects.toThrow(
      'more than fit',
    );
    expect(await channel.request('a.b')).toBeUndefined();
    expect(seen).toEqual([]);
  });

  it('numbers requests from 1 again after 4294967295, passing over those that wait', async () => {
    const ids: unknown[] = [];
    const pipes = memoryChannel();
    pipes.worker.messages.onBytes((bytes) => {
      const text = new TextDecoder().decode(bytes);
      ids.push((JSON.parse(text.slice(text.indexOf(':') + 1, -1)) as { id: number }).id);
    });
    const nothing = (): void => undefined;
    const channel = new RequestChannel({
      pipes: pipes.control,
      onNotification: nothing,
      onLog: nothing,
      onProblem: nothing,
      lastId: 4_294_967_293,
    });
    const waiting = [1, 2, 3].map(() => channel.request('a.b').catch(() => 'closed'));
    await turn();
    expect(ids).toEqual([4_294_967_294, 4_294_967_295, 1]);
    channel.close();
    expect(await Promise.all(waiting)).toEqual(['closed', 'closed', 'closed']);
  });

  it('emits notifications in a later turn than the answers before them', async () => {
    const order: string[] = [];
    const { channel, worker, seen } = setUp(() => {
      worker.notify('t', 'first', { a: 1 });
      worker.notify('t', 'bytes', undefined, Uint8Array.of(7, 8));
      return 'done';
    });
    await channel.request('a.b').then(() => order.push(`answer after ${seen.length}`));
    expect(order).toEqual(['answer after 0']);
    await turn();
    await turn();
    expect(seen).toEqual(['t first {"a":1} ', 't bytes undefined 7,8']);
  });

  it('carries log lines and commands, and logs what a command throws', async () => {
    const { channel, worker, seen, commands } = setUp();
    worker.log('D', 'hello');
    channel.notify('producer.send', { producerId: 'p' }, undefined, Uint8Array.of(1));
    channel.notify('throw', {}, undefined, new Uint8Array());
    await turn();
    expect(seen).toEqual(['D:hello', 'W:throw: no such thing']);
    expect(commands).toEqual([
      { method: 'producer.send', internal: { producerId: 'p' }, data: undefined, payload: Uint8Array.of(1) },
    ]);
  });

  it('drops a notification that is too large and says so', async () => {
    const { worker, seen } = setUp();
    worker.notify('t', 'big', undefined, new Uint8Array(MAX_NETSTRING_BYTES + 1));
    await turn();
    expect(seen).toEqual([expect.stringContaining("E:notification 'big' of t dropped")]);
  });

  it('goes on after garbage, in both directions', async () => {
    const { pipes, channel, seen } = setUp(() => 'ok');
    pipes.worker.messages.send(encode('garbage'));
    pipes.worker.messages.send(writeNetstring(encode('?what')));
    pipes.worker.messages.send(writeNetstring(encode('{"id":')));
    pipes.worker.messages.send(writeNetstring(encode('{"id":77,"accepted":true}')));
    pipes.worker.messages.send(writeNetstring(encode('{"x":77}')));
    pipes.worker.payloads.send(writeNetstring(encode('bytes without head')));
    pipes.control.messages.send(encode('garbage'));
    pipes.control.messages.send(writeNetstring(encode('{}')));
    pipes.control.payloads.send(encode('9999999999'));
    expect(await channel.request('a.b')).toBe('ok');
    await turn();
    expect(seen.map((line) => line.slice(0, 30))).toEqual([
      'problem: a netstring begins wi',
      'problem: unexpected data: ?wha',
      'problem: a message is no JSON ',
      'problem: an answer to no reque',
      'problem: a message is neither ',
      'problem: bytes came without th',
      'E:channel: a netstring begins ',
      'E:channel: a message is neithe',
      'E:channel: a netstring is long',
    ]);
  });

  it('rejects what waits when it closes, and what comes after', async () => {
    const { channel, ended } = setUp(() => new Promise(() => undefined));
    const waiting = channel.request('router.dump');
    channel.close();
    channel.close();
    await expect(waiting).rejects.toThrow(
      new WorkerClosedError('Channel closed, pending request aborted [method:router.dump, id:1]'),
    );
    await expect(channel.request('router.dump')).rejects.toBeInstanceOf(WorkerClosedError);
    expect(() => channel.notify('x', {}, undefined, new Uint8Array())).toThrow(WorkerClosedError);
    await turn();
    expect(ended()).toBe(1);
  });
});

describe('time limits', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('are 15 s and 0.1 s for each request that waits', async () => {
    const { channel } = setUp(() => new Promise(() => undefined));
    const failed: number[] = [];
    const waiting = [0, 1].map((index) => channel.request('a.b').catch(() => failed.push(index)));
    vi.advanceTimersByTime(14_999);
    await turn();
    expect(failed).toEqual([]);
    vi.advanceTimersByTime(1);
    await turn();
    expect(failed).toEqual([0]);
    vi.advanceTimersByTime(100);
    await Promise.all(waiting);
    expect(failed).toEqual([0, 1]);
  });
});
