import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/mediasoup/errors.ts';
import type { Producer, Router, RtpObserver } from '../../../src/mediasoup/types.ts';
import { audio, sendAudio, simulcast, startRouter } from './media-kit.ts';
import { record } from './scripted-worker.ts';

const kinds: [string, string, (router: Router) => Promise<RtpObserver>][] = [
  ['AudioLevelObserverImpl', 'audiolevel', (router) => router.createAudioLevelObserver({ appData: { foo: 1 } })],
  [
    'ActiveSpeakerObserverImpl',
    'activespeaker',
    (router) => router.createActiveSpeakerObserver({ appData: { foo: 1 } }),
  ],
];

async function producersOf(router: Router, ...ssrcs: number[]): Promise<Producer[]> {
  const transport = await router.createDirectTransport();
  return Promise.all(
    ssrcs.map((ssrc) => {
      const rtpParameters = { ...audio.rtpParameters, mid: String(ssrc), encodings: [{ ssrc }] };
      return transport.produce({ ...audio, rtpParameters });
    }),
  );
}

describe.each(kinds)('%s', (name, type, make) => {
  it('is open and runs', async () => {
    const observer = await make(await startRouter());
    expect(observer.constructor.name).toBe(name);
    expect(observer).toMatchObject({ type, closed: false, paused: false, appData: { foo: 1 } });
  });

  it('watches producers of sound, and tells its observer', async () => {
    const router = await startRouter();
    const observer = await make(router);
    const [producer] = await producersOf(router, 5);
    const told: unknown[] = [];
    observer.observer.on('addproducer', (one) => told.push(one));
    observer.observer.on('removeproducer', (one) => told.push(one));
    await observer.addProducer({ producerId: producer!.id });
    expect((await router.dump()).mapProducerIdObserverIds).toEqual([{ key: producer!.id, values: [observer.id] }]);
    await observer.removeProducer({ producerId: producer!.id });
    expect((await router.dump()).mapProducerIdObserverIds).toEqual([{ key: producer!.id, values: [] }]);
    expect(told).toEqual([producer, producer]);
    await expect(observer.addProducer({ producerId: 'x' })).rejects.toBeInstanceOf(NotFoundError);
    await expect(observer.removeProducer({ producerId: 'x' })).rejects.toBeInstanceOf(NotFoundError);
  });

  it('takes no pictures', async () => {
    const router = await startRouter();
    const observer = await make(router);
    const { id: producerId } = await (await router.createDirectTransport()).produce(simulcast);
    await expect(observer.addProducer({ producerId })).rejects.toThrow(TypeError);
  });

  it('pauses and resumes once', async () => {
    const observer = await make(await startRouter());
    const diary: string[] = [];
    record(diary, 'observer', observer.observer, ['pause', 'resume']);
    await observer.pause();
    await observer.pause();
    expect(observer.paused).toBe(true);
    await observer.resume();
    await observer.resume();
    expect(observer.paused).toBe(false);
    expect(diary).toEqual(['observer pause', 'observer resume']);
  });

  it.each(['itself', 'its router', 'its worker'])('is closed by %s', async (by) => {
    const router = await startRouter();
    const observer = await make(router);
    const diary: string[] = [];
    record(diary, 'observer', observer, ['routerclose']);
    record(diary, 'observer of it', observer.observer, ['close']);
    if (by === 'itself') {
      observer.close();
      observer.close();
      expect(await router.dump()).toMatchObject({ rtpObserverIds: [] });
    } else {
      router.close();
    }
    expect(diary).toEqual([...(by === 'itself' ? [] : ['observer routerclose']), 'observer of it close']);
    expect(observer.closed).toBe(true);
    await expect(observer.pause()).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('what observers tell', () => {
  it('is how loud producers are, the loudest first, and when they are silent', async () => {
    const router = await startRouter();
    const observer = await router.createAudioLevelObserver({ maxEntries: 2, threshold: -60, interval: 250 });
    const [loud, louder, quiet] = await producersOf(router, 1, 2, 3);
    for (const { id: producerId } of [loud!, louder!, quiet!]) await observer.addProducer({ producerId });
    const told = once(observer, 'volumes');
    sendAudio(loud!, 12, 0, -40);
    sendAudio(louder!, 12, 0, -20);
    sendAudio(quiet!, 12, 0, -70);
    const [volumes] = (await told) as [{ producer: Producer; volume: number }[]];
    expect(volumes.map(({ producer, volume }) => [producer.id, volume])).toEqual([
      [louder!.id, -20],
      [loud!.id, -40],
    ]);
    await once(observer, 'silence');
  });

  it('is who speaks', async () => {
    const router = await startRouter();
    const observer = await router.createActiveSpeakerObserver({ interval: 100 });
    const [quiet, speaker] = await producersOf(router, 1, 2);
    for (const { id: producerId } of [quiet!, speaker!]) await observer.addProducer({ producerId });
    const told = once(observer, 'dominantspeaker');
    let at = 0;
    const timer = setInterval(() => {
      sendAudio(quiet!, 1, at, -120);
      sendAudio(speaker!, 1, at, -15);
      at++;
    }, 10);
    const [{ producer }] = (await told) as [{ producer: Producer }];
    clearInterval(timer);
    expect(producer.id).toBe(speaker!.id);
  });
});
