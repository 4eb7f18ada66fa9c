import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WorkerClosedError } from '../../../src/mediasoup/errors.ts';
import { createWorker, extras } from '../../../src/mediasoup/index.ts';
import type { Worker } from '../../../src/mediasoup/types.ts';
import { MediaPath, opus } from './media-path.ts';
import { record } from './scripted-worker.ts';

/** A dead worker is known to be so within this, milliseconds. */
const DEATH_MS = 1000;

const listenInfo = { protocol: 'udp', ip: '127.0.0.1' } as const;
const rtpParameters = { codecs: [{ ...opus, payloadType: 100 }], encodings: [{ ssrc: 1 }] };

const workers: Worker[] = [];
const paths: MediaPath[] = [];

async function start(): Promise<Worker> {
  const worker = await createWorker();
  workers.push(worker);
  return worker;
}

async function openPath(worker: Worker): Promise<MediaPath> {
  const path = await MediaPath.open(worker);
  paths.push(path);
  return path;
}

afterEach(async () => {
  vi.useRealTimers();
  for (const path of paths.splice(0)) path.close();
  const left = workers.splice(0);
  for (const worker of left) worker.close();
  for (const worker of stopped) resume(worker);
  for (const worker of left) if (!worker.subprocessClosed) await extras.enhancedOnce(worker, 'subprocessclose');
});

/** Those that were stopped, and not killed since. */
const stopped = new Set<Worker>();

function stop(worker: Worker): void {
  process.kill(worker.pid, 'SIGSTOP');
  stopped.add(worker);
}

function resume(worker: Worker): void {
  process.kill(worker.pid, 'SIGCONT');
  stopped.delete(worker);
}

/** How a promise ends: what it gives, or the class of its error. */
async function ending(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'fulfilled',
    (error: unknown) => (error as Error).constructor,
  );
}

/** Kills a worker and waits for it. @returns milliseconds until it was known */
async function kill(worker: Worker): Promise<number> {
  const died = extras.enhancedOnce(worker, 'died');
  const startMs = performance.now();
  process.kill(worker.pid, 'SIGKILL');
  await died;
  stopped.delete(worker);
  return performance.now() - startMs;
}

describe('a worker that is killed', () => {
  it('is known to be dead within a second, and all that was in it closes from inside out', async () => {
    const worker = await start();
    const server = await worker.createWebRtcServer({ listenInfos: [listenInfo] });
    const router = await worker.createRouter({ mediaCodecs: [opus] });
    const webRtc = await router.createWebRtcTransport({ webRtcServer: server, enableSctp: true });
    const direct = await router.createDirectTransport();
    const producer = await webRtc.produce({ kind: 'audio', rtpParameters });
    const { rtpCapabilities } = router;
    const consumer = await direct.consume({ producerId: producer.id, rtpCapabilities });
    const dataProducer = await webRtc.produceData({ sctpStreamParameters: { streamId: 0 } });
    const dataConsumer = await direct.consumeData({ dataProducerId: dataProducer.id });
    const audioLevels = await router.createAudioLevelObserver();
    await audioLevels.addProducer({ producerId: producer.id });
    const diary: string[] = [];
    const objects = {
      worker,
      server,
      router,
      webRtc,
      direct,
      producer,
      consumer,
      dataProducer,
      dataConsumer,
      audioLevels,
    };
    const events = ['died', 'workerclose', 'routerclose', 'listenserverclose', 'transportclose', 'producerclose'];
    for (const [name, object] of Object.entries(objects)) {
      record(diary, name, object, [...events, 'dataproducerclose', '@close', 'icestatechange', 'dtlsstatechange']);
      record(diary, `${name}.observer`, object.observer, ['close']);
    }
    const pending = [worker.dump(), router.dump(), webRtc.getStats(), producer.pause(), consumer.resume()].map(ending);
    pending.push(ending(direct.produceData()), ending(worker.createRouter()), ending(server.dump()));
    const [error] = await Promise.all([extras.enhancedOnce(worker, 'died'), kill(worker)]).then(
      ([[reason], tookMs]) => {
        expect(tookMs).toBeLessThan(DEATH_MS);
        return [reason as Error];
      },
    );
    expect(error).toBeInstanceOf(Error);
    expect(error!.message).toContain('signal:SIGKILL');
    expect(diary).toEqual([
      // A router's transports in the order they were made, and what is on each: media before data, in before out.
      'producer transportclose',
      'producer.observer close',
      'dataProducer transportclose',
      'dataProducer.observer close',
      'webRtc @close',
      'webRtc routerclose',
      'webRtc.observer close',
      'consumer transportclose',
      'consumer.observer close',
      'dataConsumer transportclose',
      'dataConsumer.observer close',
      'direct @close',
      'direct routerclose',
      'direct.observer close',
      'audioLevels routerclose',
      'audioLevels.observer close',
      'router workerclose',
      'router.observer close',
      'server workerclose',
      'server.observer close',
      'worker died',
      'worker.observer close',
    ]);
    for (const object of Object.values(objects)) expect(object.closed).toBe(true);
    expect(worker).toMatchObject({ died: true });
    for (const end of await Promise.all(pending)) expect(['fulfilled', WorkerClosedError]).toContain(end);
    expect(webRtc).toMatchObject({ iceState: 'closed', dtlsState: 'closed', sctpState: 'closed' });
    await expect(producer.resume()).rejects.toBeInstanceOf(WorkerClosedError);
    expect(worker.channelForTesting.subscribedIds).toEqual([]);
  });

  it('does not disturb the media of another, and a new one carries media at once', { timeout: 60_000 }, async () => {
    const [dying, other] = await Promise.all([start(), start()]);
    const [lost, going] = await Promise.all([openPath(dying), openPath(other)]);
    await Promise.all([lost.flow(20, 10_000), going.flow(20, 10_000)]);
    const missing = going.sent - going.received;
    going.longestGapMs = 0;
    await kill(dying);
    const serving = await openPath(await start());
    await serving.flow(20, 10_000);
    await going.flow(100, 10_000);
    // Not one packet more is lost than was on its way.
    await vi.waitFor(() => expect(going.sent - going.received).toBeLessThanOrEqual(missing + 5), 10_000);
    expect(going.longestGapMs).toBeLessThan(2 * DEATH_MS);
    const receivedAtDeath = lost.received;
    await serving.flow(20, 10_000);
    expect(lost.received).toBe(receivedAtDeath);
    expect(other).toMatchObject({ closed: false, died: false });
    expect((await other.dump()).routerIds).toEqual([going.router.id]);
  });

  it('answers none of a thousand requests that wait, and all of them end', async () => {
    const worker = await start();
    const router = await worker.createRouter({ mediaCodecs: [opus] });
    // It can't be quicker than the kill.
    stop(worker);
    const ends = Array.from({ length: 500 }, () => [ending(router.dump()), ending(router.createDirectTransport())]);
    expect(await kill(worker)).toBeLessThan(DEATH_MS);
    expect(new Set(await Promise.all(ends.flat()))).toEqual(new Set([WorkerClosedError]));
    expect(router.transportsForTesting.size).toBe(0);
  });

  it('ends a connect() that waits', async () => {
    const worker = await start();
    const router = await worker.createRouter({ mediaCodecs: [opus] });
    const transport = await router.createWebRtcTransport({ listenInfos: [listenInfo] });
    const fingerprint = { algorithm: 'sha-256' as const, value: Array.from({ length: 32 }, () => 'AB').join(':') };
    stop(worker);
    const end = ending(transport.connect({ dtlsParameters: { role: 'client', fingerprints: [fingerprint] } }));
    await kill(worker);
    expect(await end).toBe(WorkerClosedError);
    expect(transport).toMatchObject({ closed: true, dtlsState: 'closed' });
  });

  it.each([
    ['the one it comes from', 0],
    ['the one it goes to', 1],
  ])(
    'in the middle of pipeToRouter, %s, leaves nothing of the pipe in the other',
    async (_, index) => {
      const left = await start();
      const ends = new Set<unknown>();
      // While a transport is made, while it is connected, while a consumer or a producer is made, and after all that.
      for (const fatalRequest of [1, 2, 3, 4]) {
        const victim = await start();
        const [near, far] = await Promise.all(
          (index === 0 ? [victim, left] : [left, victim]).map((worker) => worker.createRouter({ mediaCodecs: [opus] })),
        );
        const source = await near!.createDirectTransport();
        const producer = await source.produce({ kind: 'audio', rtpParameters });
        const died = extras.enhancedOnce(victim, 'died');
        const channel = victim.channelForTesting;
        const request = channel.request.bind(channel);
        let requests = 0;
        vi.spyOn(channel, 'request').mockImplementation((...what) => {
          if (++requests === fatalRequest) process.kill(victim.pid, 'SIGKILL');
          return request(...what);
        });
        const end = ending(near!.pipeToRouter({ producerId: producer.id, router: far! }));
        if (fatalRequest === 4) await end.then(() => process.kill(victim.pid, 'SIGKILL'));
        ends.add(await end);
        await died;
        const router = index === 0 ? far! : near!;
        const expected = index === 0 ? [] : [source.id];
        expect([...router.transportsForTesting.keys()]).toEqual(expected);
        expect(await router.dump()).toMatchObject({ transportIds: expected, mapConsumerIdProducerId: [] });
        // The producer may go elsewhere.
        if (index === 1)
          await near!.pipeToRouter({
            producerId: producer.id,
            router: await left.createRouter({ mediaCodecs: [opus] }),
            keepId: false,
          });
      }
      expect(ends).toEqual(new Set([WorkerClosedError, 'fulfilled']));
    },
    60_000,
  );
});

describe('a worker that is closed', () => {
  it('ends the requests that wait', async () => {
    const worker = await start();
    const router = await worker.createRouter({ mediaCodecs: [opus] });
    const onDied = vi.fn<() => void>();
    worker.on('died', onDied);
    stop(worker);
    const ends = Array.from({ length: 100 }, () => ending(router.createDirectTransport()));
    worker.close();
    expect(new Set(await Promise.all(ends))).toEqual(new Set([WorkerClosedError]));
    resume(worker);
    await extras.enhancedOnce(worker, 'subprocessclose');
    expect(onDied).not.toHaveBeenCalled();
  });

  it('is killed when it has not ended after 5 s: it hangs', async () => {
    const worker = await start();
    process.kill(worker.pid, 'SIGSTOP');
    const closed = extras.enhancedOnce(worker, 'subprocessclose');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    worker.close();
    vi.advanceTimersByTime(4999);
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(worker.subprocessClosed).toBe(false);
    vi.advanceTimersByTime(1);
    await closed;
  });

  it('ends them in this process, too', async () => {
    const worker = await createWorker({ inProcess: true });
    const router = await worker.createRouter({ mediaCodecs: [opus] });
    const ends = Array.from({ length: 100 }, (_, i) =>
      ending(i % 2 === 0 ? router.createDirectTransport() : router.createPlainTransport({ listenInfo })),
    );
    worker.close();
    expect(new Set(await Promise.all(ends))).toEqual(new Set([WorkerClosedError]));
  });
});

describe('a worker that is stopped', () => {
  it('makes requests time out, the later the more wait, and goes on when it may', async () => {
    const worker = await start();
    const path = await openPath(worker);
    await path.flow(10, 10_000);
    stop(worker);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ends: string[] = [];
    const ask = (name: string): Promise<unknown> =>
      worker.dump().catch((error: unknown) => ends.push(`${name}: ${String(error)}`));
    const asked = ['first', 'second', 'third'].map(ask);
    vi.advanceTimersByTime(14_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toEqual([]);
    vi.advanceTimersByTime(1);
    await asked[0];
    expect(ends).toEqual([expect.stringMatching(/^first: Error: Channel request timeout \[method:worker.dump/)]);
    vi.advanceTimersByTime(100);
    await asked[1];
    vi.advanceTimersByTime(100);
    await asked[2];
    expect(ends).toHaveLength(3);
    vi.useRealTimers();
    resume(worker);
    // The late answers are nobody's; new requests have theirs.
    expect((await worker.dump()).routerIds).toEqual([path.router.id]);
    await path.flow(50, 10_000);
    expect(worker.closed).toBe(false);
  });
});

describe('a worker whose control process is gone', () => {
  it.each([
    ['killed', "process.kill(process.pid, 'SIGKILL')"],
    ['ended', 'process.exit(0)'],
    ['ended by a fault', "setTimeout(() => { throw new TypeError('fault'); }, 1)"],
  ])('ends, too: %s', { timeout: 40_000 }, async (_, end) => {
    const library = JSON.stringify(join(import.meta.dirname, '../../../src/mediasoup/index.ts'));
    const script = `
      const { createWorker } = await import(${library});
      const worker = await createWorker();
      const opus = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
      const router = await worker.createRouter({ mediaCodecs: [opus] });
      const listenInfo = { protocol: 'udp', ip: '127.0.0.1' };
      await router.createPlainTransport({ listenInfo, comedia: true });
      await router.createWebRtcTransport({ listenInfos: [listenInfo, { ...listenInfo, protocol: 'tcp' }] });
      await router.createAudioLevelObserver();
      for (let i = 0; i < 100; i++) router.dump().catch(() => undefined);
      process.stdout.write(worker.pid + '\\n', () => { ${end}; });
    `;
    const control = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    control.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await once(control, 'exit');
    const pid = Number(text.trim());
    expect(pid).toBeGreaterThan(0);
    await vi.waitFor(() => expect(existsSync(`/proc/${pid}/exe`)).toBe(false), 15_000);
  });
});
