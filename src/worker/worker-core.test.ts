import { describe, expect, it } from 'vitest';
import { memoryChannel } from './channel/memory-pipe.ts';
import { RequestChannel } from './channel/request-channel.ts';
import { NotFoundError, RequestError } from './channel/request-errors.ts';
import type { MediaContext, MediaEntity, MediaHandlersFactory } from './media-handlers.ts';
import { WorkerCore } from './worker-core.ts';
import { parseWorkerSettings } from './worker-settings.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A media side of routers that know their dump and nothing else. */
const bareMedia: MediaHandlersFactory = () => ({
  createRouter: (id) => ({
    request: ({ method }) => {
      if (method !== 'router.dump') throw new RequestError(`method '${method}' is not available`);
      return { id, transportIds: [] };
    },
    close: () => undefined,
  }),
  createWebRtcServer: () => {
    throw new RequestError('not available');
  },
  close: () => undefined,
});

function setUp(media: MediaHandlersFactory = bareMedia, args: readonly string[] = []) {
  const pipes = memoryChannel();
  const seen: string[] = [];
  const logs: string[] = [];
  const channel = new RequestChannel({
    pipes: pipes.control,
    onNotification: (id, event) => seen.push(`${id} ${event}`),
    onLog: (letter, text) => logs.push(letter + text),
    onProblem: (text) => seen.push(`problem: ${text}`),
  });
  let closes = 0;
  const core = new WorkerCore({
    pipes: pipes.worker,
    settings: parseWorkerSettings(args),
    pid: 42,
    resourceUsage: () => process.resourceUsage(),
    media,
    onClose: () => {
      closes++;
      core.close();
    },
  });
  core.start();
  return { channel, core, seen, logs, closes: () => closes };
}

/** A media side that keeps a diary, with transports that answer what they are asked. */
function diaryMedia(diary: string[]): MediaHandlersFactory {
  return (context: MediaContext) => {
    const entity = (id: string): MediaEntity => ({
      request: ({ method, data }) => {
        diary.push(`${id} ${method}`);
        if (method === 'router.createDirectTransport') {
          const { transportId } = data as { transportId: string };
          context.registry.register(transportId, entity(transportId));
          context.notify(transportId, 'born');
        }
        return { id };
      },
      command: ({ method, payload }) => void diary.push(`${id} ${method} ${payload?.length}`),
      close: () => void diary.push(`${id} closed`),
    });
    return {
      createRouter: async (id) => entity(id),
      createWebRtcServer: (id) => entity(id),
      close: () => void diary.push('media closed'),
    };
  };
}

describe('WorkerCore', () => {
  it('says that it runs', async () => {
    const { seen } = setUp();
    await turn();
    await turn();
    expect(seen).toEqual(['42 running']);
  });

  it('creates, dumps and closes routers', async () => {
    const { channel } = setUp();
    expect(await channel.request('worker.createRouter', { routerId: 'r' })).toBeUndefined();
    expect(await channel.request('worker.dump')).toEqual({
      pid: 42,
      webRtcServerIds: [],
      routerIds: ['r'],
      channelMessageHandlers: { channelRequestHandlers: ['r'], channelNotificationHandlers: [] },
    });
    expect(await channel.request('router.dump', { routerId: 'r' })).toMatchObject({ id: 'r', transportIds: [] });
    await expect(channel.request('worker.createRouter', { routerId: 'r' })).rejects.toThrow('exists already');
    await channel.request('worker.closeRouter', { routerId: 'r' });
    await expect(channel.request('worker.closeRouter', { routerId: 'r' })).rejects.toBeInstanceOf(NotFoundError);
    await expect(channel.request('router.dump', { routerId: 'r' })).rejects.toBeInstanceOf(NotFoundError);
  });

  it('gives resource usage in the names of getrusage', async () => {
    const usage = (await setUp().channel.request('worker.getResourceUsage')) as Record<string, number>;
    expect(Object.keys(usage)).toHaveLength(16);
    expect(usage['ru_maxrss']).toBeGreaterThan(0);
  });

  it.each([
    ['worker.chicken', {}, RequestError],
    ['chicken', {}, RequestError],
    ['worker.createRouter', {}, TypeError],
    ['worker.createWebRtcServer', { webRtcServerId: 's' }, RequestError],
    ['transport.dump', { transportId: 't' }, NotFoundError],
    ['producer.pause', {}, NotFoundError],
  ])('answers %s with an error', async (method, internal, kind) => {
    await expect(setUp().channel.request(method, internal)).rejects.toBeInstanceOf(kind);
  });

  it('answers a method its media side lacks with an error', async () => {
    const { channel } = setUp();
    await channel.request('worker.createRouter', { routerId: 'r' });
    await expect(channel.request('router.createWebRtcTransport', { routerId: 'r' })).rejects.toThrow('not available');
  });

  it('updates log settings and refuses wrong ones', async () => {
    const { channel, core, logs } = setUp();
    core.logger.warn(undefined, 'silent');
    await channel.request('worker.updateSettings', undefined, { logLevel: 'debug', logTags: ['ice'] });
    core.logger.debug('ice', 'heard');
    core.logger.debug('dtls', 'not asked for');
    core.logger.warn(undefined, 'without a tag');
    core.logger.error('loud');
    await expect(channel.request('worker.updateSettings', undefined, { logLevel: 'chicken' })).rejects.toThrow(
      TypeError,
    );
    expect(logs).toEqual(['Dheard', 'Wwithout a tag', 'Eloud']);
  });

  it('gives requests and commands to the entity they are for, and closes each once', async () => {
    const diary: string[] = [];
    const { channel, core, seen, closes } = setUp(diaryMedia(diary));
    await channel.request('worker.createWebRtcServer', { webRtcServerId: 's' }, { listenInfos: [] });
    await channel.request('worker.createRouter', { routerId: 'r' });
    await channel.request('router.createDirectTransport', { routerId: 'r' }, { transportId: 't' });
    expect(await channel.request('transport.dump', { transportId: 't' })).toEqual({ id: 't' });
    channel.notify('transport.sendRtcp', { transportId: 't' }, undefined, new Uint8Array(3));
    expect(await channel.request('worker.dump')).toMatchObject({
      webRtcServerIds: ['s'],
      channelMessageHandlers: { channelRequestHandlers: ['s', 'r', 't'] },
    });
    await turn();
    expect(seen).toEqual(['42 running', 't born']);
    await channel.request('worker.close');
    await expect(channel.request('worker.dump')).rejects.toThrow('closing');
    core.close();
    expect(closes()).toBe(1);
    expect(diary).toEqual([
      'r router.createDirectTransport',
      't transport.dump',
      't transport.sendRtcp 3',
      'r closed',
      's closed',
      'media closed',
    ]);
  });

  it('closes when the control side is gone', async () => {
    const diary: string[] = [];
    const { channel } = setUp(diaryMedia(diary));
    await channel.request('worker.createRouter', { routerId: 'r' });
    channel.close();
    await turn();
    expect(diary).toEqual(['r closed', 'media closed']);
  });
});
