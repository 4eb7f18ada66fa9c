import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as mediasoup from '../../../src/mediasoup/index.ts';
import type { Worker } from '../../../src/mediasoup/types.ts';

const { enhancedOnce } = mediasoup.extras;
const { WorkerClosedError, UnsupportedError, NotFoundError, InvalidStateError } = mediasoup.errors;

const workers: Worker[] = [];
async function start(options: Parameters<typeof mediasoup.createWorker>[0] = {}): Promise<Worker> {
  const worker = await mediasoup.createWorker(options);
  workers.push(worker);
  return worker;
}

async function gone(worker: Worker): Promise<void> {
  if (!worker.subprocessClosed) await enhancedOnce(worker, 'subprocessclose');
}

afterEach(async () => {
  for (const worker of workers) worker.close();
  await Promise.all(workers.map((worker) => gone(worker)));
  workers.length = 0;
});

const opus = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 } as const;
const vp8 = { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 } as const;

describe.each([
  ['a process of its own', {}],
  ['this process', { inProcess: true }],
])('a worker in %s', (_, where) => {
  it('starts, tells of itself and closes', async () => {
    const onNewWorker = vi.fn<(worker: Worker) => void>();
    mediasoup.observer.once('newworker', onNewWorker);
    const worker = await start({ ...where, logLevel: 'debug', logTags: ['info'], appData: { foo: 456 } });
    expect(onNewWorker).toHaveBeenCalledExactlyOnceWith(worker);
    expect(worker.constructor.name).toBe('WorkerImpl');
    expect(worker).toMatchObject({ closed: false, died: false, subprocessClosed: false, appData: { foo: 456 } });
    expect(worker.pid).toBeGreaterThan(0);
    const onClose = vi.fn<() => void>();
    worker.observer.on('close', onClose);
    worker.close();
    worker.close();
    expect(onClose).toHaveBeenCalledOnce();
    await gone(worker);
    expect(worker).toMatchObject({ closed: true, died: false, subprocessClosed: true });
  });

  it('creates, dumps and closes routers', async () => {
    const worker = await start(where);
    const onNewRouter = vi.fn<(router: unknown) => void>();
    worker.observer.once('newrouter', onNewRouter);
    const router = await worker.createRouter({ mediaCodecs: [opus, vp8], appData: { foo: 123 } });
    expect(onNewRouter).toHaveBeenCalledExactlyOnceWith(router);
    expect(router.constructor.name).toBe('RouterImpl');
    expect(router.rtpCapabilities.codecs).toHaveLength(3);
    expect(await worker.dump()).toEqual({
      pid: worker.pid,
      webRtcServerIds: [],
      routerIds: [router.id],
      channelMessageHandlers: {
        channelRequestHandlers: [router.id],
        channelNotificationHandlers: expect.any(Array),
      },
    });
    expect(await router.dump()).toEqual({
      id: router.id,
      transportIds: [],
      rtpObserverIds: [],
      mapProducerIdConsumerIds: [],
      mapConsumerIdProducerId: [],
      mapProducerIdObserverIds: [],
      mapDataProducerIdDataConsumerIds: [],
      mapDataConsumerIdDataProducerId: [],
    });
    const second = await worker.createRouter();
    router.close();
    expect((await worker.dump()).routerIds).toEqual([second.id]);
    await expect(router.dump()).rejects.toBeInstanceOf(NotFoundError);
    const events: string[] = [];
    second.on('workerclose', () => events.push('workerclose'));
    second.observer.on('close', () => events.push('close'));
    worker.observer.on('close', () => events.push('worker'));
    worker.close();
    expect(events).toEqual(['workerclose', 'close', 'worker']);
    expect(second.closed).toBe(true);
    expect(worker.routersForTesting.size).toBe(0);
  });

  it('answers with resource usage, and changes its log settings', async () => {
    const worker = await start(where);
    expect((await worker.getResourceUsage()).ru_maxrss).toBeGreaterThan(1000);
    expect(await worker.updateSettings({ logLevel: 'debug', logTags: ['ice'] })).toBeUndefined();
    await expect(worker.updateSettings({ logLevel: 'chicken' as 'none' })).rejects.toThrow(TypeError);
  });

  it.each([
    [{ logLevel: 'chicken' as 'none' }],
    [{ rtcMinPort: 1000, rtcMaxPort: 999 }],
    [{ rtcMinPort: 1000, rtcMaxPort: 65536 }],
    [{ appData: 'NOT-AN-OBJECT' as unknown as Record<string, unknown> }],
    [{ dtlsCertificateFile: '/notfound/cert.pem' }],
    [{ dtlsPrivateKeyFile: '/notfound/priv.pem' }],
  ])('does not start with %j', async (settings) => {
    await expect(start({ ...where, ...settings })).rejects.toThrow(TypeError);
  });

  it('refuses everything once closed', async () => {
    const worker = await start(where);
    const router = await worker.createRouter();
    worker.close();
    for (const promise of [
      worker.dump(),
      worker.getResourceUsage(),
      worker.updateSettings({ logLevel: 'error' }),
      worker.createRouter(),
      worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] }),
      router.dump(),
      router.createDirectTransport(),
    ]) {
      await expect(promise).rejects.toBeInstanceOf(WorkerClosedError);
    }
    expect(InvalidStateError).toBe(WorkerClosedError);
  });

  it('refuses wrong routers', async () => {
    const worker = await start(where);
    const wrong = [{ kind: 'audio', mimeType: 'audio/x-aiff', clockRate: 8000 }] as const;
    await expect(worker.createRouter({ mediaCodecs: [...wrong] })).rejects.toBeInstanceOf(UnsupportedError);
    await expect(worker.createRouter({ mediaCodecs: {} as [] })).rejects.toThrow(TypeError);
    await expect(worker.createRouter({ appData: 'x' as unknown as Record<string, unknown> })).rejects.toThrow(
      TypeError,
    );
  });
});

describe('the worker process', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('has died after %s, everything in it closed first', async (signal) => {
    const worker = await start();
    const router = await worker.createRouter();
    const events: string[] = [];
    router.on('workerclose', () => events.push('workerclose'));
    worker.on('died', (error) => events.push(`died ${error instanceof Error} ${worker.closed} ${worker.died}`));
    worker.observer.on('close', () => events.push('close'));
    const died = enhancedOnce(worker, 'subprocessclose');
    const waiting = Promise.allSettled([worker.dump(), worker.dump()]);
    process.kill(worker.pid, signal);
    await died;
    await waiting;
    expect(events).toEqual(['workerclose', 'died true true true', 'close']);
    const other = await start();
    expect((await other.dump()).routerIds).toEqual([]);
  });

  it('minds no other signal', async () => {
    const worker = await start();
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGPIPE', 'SIGALRM', 'SIGUSR1', 'SIGUSR2'] as const) {
      process.kill(worker.pid, signal);
      expect((await worker.dump()).pid).toBe(worker.pid);
    }
    expect(worker.closed).toBe(false);
  });

  it('ends when its parent is gone', async () => {
    const script = `
      const { createWorker } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/mediasoup/index.ts'))});
      const worker = await createWorker();
      console.log(worker.pid);
      process.kill(process.pid, 'SIGKILL');
    `;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
    const pid = Number(stdout.trim());
    expect(pid).toBeGreaterThan(0);
    await vi.waitFor(() => expect(existsSync(`/proc/${pid}/exe`)).toBe(false), 5000);
  });

  it('gives its log lines to whoever listens', async () => {
    const lines: string[] = [];
    mediasoup.setLogEventListeners({ ondebug: (namespace, log) => lines.push(`${namespace} ${log}`) });
    const worker = await start({ logLevel: 'debug', logTags: ['info'] });
    await worker.dump();
    mediasoup.setLogEventListeners();
    expect(lines).toContainEqual(expect.stringContaining(`mediasoup:Worker [pid:${worker.pid}] worker runs`));
  });

  it('that cannot be started is an Error', async () => {
    await expect(start({ workerBin: '/notfound/worker' })).rejects.toThrow('could not be started');
    await expect(start({ workerBin: '/notfound/worker.js' })).rejects.toThrow('failed');
  });
});

describe('the module', () => {
  it('tells where its worker is and which version this is', () => {
    expect(existsSync(mediasoup.workerBin)).toBe(true);
    expect(mediasoup.version).toMatch(/^3\./);
    expect(mediasoup.parseScalabilityMode('L3T2_KEY')).toEqual({ spatialLayers: 3, temporalLayers: 2, ksvc: true });
    expect(typeof mediasoup.ortc.canConsume).toBe('function');
  });
});
