import { describe, expect, it, vi } from 'vitest';
import type { ConsumerImpl } from '../../../src/mediasoup/consumer.ts';
import { NotFoundError, UnsupportedError } from '../../../src/mediasoup/errors.ts';
import type { ProducerImpl } from '../../../src/mediasoup/producer.ts';
import type { RouterImpl } from '../../../src/mediasoup/router.ts';
import type { TransportImpl } from '../../../src/mediasoup/transport.ts';
import type { ProducerOptions, RtpParameters } from '../../../src/mediasoup/types.ts';
import { record, ScriptedWorker, turns } from './scripted-worker.ts';

const audio: RtpParameters = {
  mid: 'AUDIO',
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2, parameters: { usedtx: 1 } }],
  encodings: [{ ssrc: 11111111 }],
  rtcp: { cname: 'FOOBAR' },
};
const video: RtpParameters = {
  mid: 'VIDEO',
  codecs: [
    { mimeType: 'video/VP8', payloadType: 112, clockRate: 90000 },
    { mimeType: 'video/rtx', payloadType: 113, clockRate: 90000, parameters: { apt: 112 } },
  ],
  encodings: [
    { ssrc: 1, rtx: { ssrc: 2 } },
    { ssrc: 3, rtx: { ssrc: 4 } },
  ],
};

interface Scene {
  readonly worker: ScriptedWorker;
  readonly router: RouterImpl;
  readonly transport: TransportImpl;
  readonly producer: ProducerImpl;
  readonly consume: (options?: object) => Promise<ConsumerImpl>;
}

async function scene(options: Partial<ProducerOptions> = {}): Promise<Scene> {
  const worker = new ScriptedWorker();
  const router = worker.router();
  const transport = await router.createDirectTransport();
  const producer = await transport.produce({ kind: 'video', rtpParameters: video, ...options });
  return {
    worker,
    router,
    transport,
    producer,
    consume: async (more = {}) =>
      transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities, ...more }),
  };
}

describe('Producer', () => {
  it('asks the worker with every default', async () => {
    const { worker, transport, producer } = await scene({ appData: { a: 1 } });
    const data = worker.last('transport.produce');
    expect(data).toMatchObject({
      kind: 'video',
      rtpParameters: { mid: 'VIDEO', rtcp: { cname: expect.stringMatching(/^.{8}$/), reducedSize: true } },
      rtpMapping: {
        codecs: [
          { payloadType: 112, mappedPayloadType: 101 },
          { payloadType: 113, mappedPayloadType: 102 },
        ],
      },
      keyFrameRequestDelay: 0,
      paused: false,
      enableMediasoupPacketIdHeaderExtension: false,
    });
    expect(producer).toMatchObject({ kind: 'video', type: 'simulcast', paused: false, score: [], appData: { a: 1 } });
    expect(producer.constructor.name).toBe('ProducerImpl');
    expect(producer.consumableRtpParameters.encodings).toHaveLength(2);
    producer.rtpParameters.codecs.length = 0;
    expect(producer.rtpParameters.codecs).toHaveLength(2);
    // All producers of a transport are one sender.
    await transport.produce({ kind: 'audio', rtpParameters: audio });
    const { rtpParameters } = data as { rtpParameters: RtpParameters };
    expect(worker.last('transport.produce')).toMatchObject({
      rtpParameters: { rtcp: { cname: rtpParameters.rtcp?.cname } },
    });
    expect(audio.rtcp?.cname).toBe('FOOBAR');
  });

  it.each([
    [{ kind: 'chicken' }, TypeError],
    [{ rtpParameters: {} }, TypeError],
    [{ rtpParameters: undefined }, TypeError],
    [{ rtpParameters: { ...video, encodings: [{ ssrc: '1' }] } }, TypeError],
    [{ appData: 'x' }, TypeError],
    [{ id: 1 }, TypeError],
    [{ rtpParameters: { codecs: [{ mimeType: 'audio/ISAC', payloadType: 1, clockRate: 32000 }] } }, UnsupportedError],
  ])('is not made of %j', async (options, kind) => {
    await expect(scene(options as never)).rejects.toBeInstanceOf(kind);
  });

  it('cannot have the id of another', async () => {
    const { transport } = await scene({ id: 'p' });
    await expect(transport.produce({ id: 'p', kind: 'video', rtpParameters: video })).rejects.toThrow(TypeError);
  });

  it('tells each change of pause once, however often it is asked', async () => {
    const { producer } = await scene();
    const diary: string[] = [];
    record(diary, 'observer', producer.observer, ['pause', 'resume']);
    const asked = [
      producer.pause(),
      producer.resume(),
      producer.pause(),
      producer.pause(),
      producer.pause(),
      producer.resume(),
    ];
    await Promise.all(asked);
    expect(diary).toEqual(['observer pause', 'observer resume', 'observer pause', 'observer resume']);
    expect(producer.paused).toBe(false);
  });

  it('emits what the worker tells', async () => {
    const { worker, producer } = await scene();
    const diary: string[] = [];
    const events = ['score', 'videoorientationchange', 'trace'];
    record(diary, 'producer', producer, events);
    record(diary, 'observer', producer.observer, events);
    const score = [{ encodingIdx: 0, ssrc: 1, score: 10 }];
    await worker.notify(producer.id, 'score', score);
    await worker.notify(producer.id, 'videoorientationchange', { camera: true, flip: false, rotation: 90 });
    await worker.notify(producer.id, 'trace', { type: 'pli', timestamp: 1, direction: 'out', info: { ssrc: 1 } });
    await worker.notify(producer.id, 'chicken');
    expect(diary).toEqual(events.flatMap((event) => [`producer ${event}`, `observer ${event}`]));
    expect(producer.score).toEqual(score);
  });

  it('sends packets, traces, and closes once', async () => {
    const { worker, producer, transport, router } = await scene();
    producer.send(Buffer.from([1, 2]));
    expect(() => producer.send('x' as never)).toThrow(TypeError);
    await producer.enableTraceEvent(['rtp', 'pli']);
    await expect(producer.enableTraceEvent(['fir', 123.123] as never)).rejects.toThrow(TypeError);
    const diary: string[] = [];
    record(diary, 'observer', producer.observer, ['close']);
    producer.close();
    producer.close();
    transport.close();
    await turns();
    expect(diary).toEqual(['observer close']);
    expect(worker.commands).toMatchObject([{ method: 'producer.send', payload: Uint8Array.of(1, 2) }]);
    expect(worker.methods.slice(2)).toEqual([
      'producer.enableTraceEvent',
      'transport.closeProducer',
      'router.closeTransport',
    ]);
    expect(router.canConsume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities })).toBe(false);
  });
});

describe('Consumer', () => {
  it('asks the worker with every default, and numbers MIDs', async () => {
    const { worker, transport, producer, consume, router } = await scene();
    const onNew = vi.fn<(consumer: unknown) => void>();
    transport.observer.on('newconsumer', onNew);
    expect(router.canConsume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities })).toBe(true);
    expect(router.canConsume({ producerId: producer.id, rtpCapabilities: { codecs: [] } })).toBe(false);
    expect(router.canConsume({ producerId: producer.id, rtpCapabilities: 1 as never })).toBe(false);
    const consumer = await consume();
    expect(onNew).toHaveBeenCalledExactlyOnceWith(consumer);
    expect(worker.requests.at(-1)).toMatchObject({
      method: 'transport.consume',
      internal: { routerId: 'router', transportId: transport.id, consumerId: consumer.id, producerId: producer.id },
      data: {
        kind: 'video',
        type: 'simulcast',
        rtpParameters: { mid: '0', encodings: [{ rtx: {}, scalabilityMode: 'L2T1' }] },
        consumableRtpEncodings: producer.consumableRtpParameters.encodings,
        paused: false,
        ignoreDtx: false,
      },
    });
    expect(consumer).toMatchObject({
      producerId: producer.id,
      kind: 'video',
      type: 'simulcast',
      paused: false,
      producerPaused: false,
      priority: 1,
      score: { score: 10, producerScore: 10, producerScores: [] },
      preferredLayers: undefined,
      currentLayers: undefined,
      appData: {},
    });
    expect(consumer.constructor.name).toBe('ConsumerImpl');
    expect((await consume({ mid: 'mine' })).rtpParameters.mid).toBe('mine');
    expect((await consume()).rtpParameters.mid).toBe('1');
    const pipe = await consume({ pipe: true });
    expect(pipe.type).toBe('pipe');
    expect(pipe.rtpParameters.mid).toBeUndefined();
    expect(pipe.rtpParameters.encodings).toHaveLength(2);
    expect((await consume({ enableRtx: false })).rtpParameters.codecs).toHaveLength(1);
    expect((await consume({ paused: true, ignoreDtx: true, preferredLayers: { spatialLayer: 1 } })).paused).toBe(true);
    expect(worker.last('transport.consume')).toMatchObject({ ignoreDtx: true, preferredLayers: { spatialLayer: 1 } });
  });

  it.each([
    [{ producerId: undefined }, TypeError],
    [{ producerId: 'x' }, NotFoundError],
    [{ mid: '' }, TypeError],
    [{ mid: 1 }, TypeError],
    [{ appData: 'x' }, TypeError],
    [{ rtpCapabilities: undefined }, TypeError],
    [{ rtpCapabilities: { codecs: [] } }, UnsupportedError],
  ])('is not made of %j', async (options, kind) => {
    await expect((await scene()).consume(options)).rejects.toBeInstanceOf(kind);
  });

  it('has audio without NACK unless asked for', async () => {
    const { consume } = await scene({ kind: 'audio', rtpParameters: audio });
    expect((await consume()).rtpParameters.codecs[0]?.rtcpFeedback).toEqual([]);
    expect((await consume({ enableRtx: true })).rtpParameters.codecs[0]?.rtcpFeedback).toEqual([
      { type: 'nack', parameter: '' },
    ]);
  });

  it('sets layers and priority', async () => {
    const { worker, consume } = await scene();
    const consumer = await consume();
    await consumer.setPreferredLayers({ spatialLayer: 1, temporalLayer: 2 });
    expect(consumer.preferredLayers).toEqual({ spatialLayer: 1, temporalLayer: 2 });
    await consumer.setPriority(5);
    expect(consumer.priority).toBe(5);
    await consumer.unsetPriority();
    expect(consumer.priority).toBe(1);
    await consumer.requestKeyFrame();
    expect(worker.methods.at(-1)).toBe('consumer.requestKeyFrame');
    for (const promise of [
      consumer.setPreferredLayers({} as never),
      consumer.setPreferredLayers({ spatialLayer: 1, temporalLayer: 'x' } as never),
      consumer.setPriority('x' as never),
      consumer.setPriority(0),
      consumer.enableTraceEvent(1 as never),
    ]) {
      await expect(promise).rejects.toThrow(TypeError);
    }
  });

  it('tells pause of its own and of its producer apart, and their sum to its observer', async () => {
    const { worker, consume } = await scene();
    const consumer = await consume();
    const diary: string[] = [];
    record(diary, 'consumer', consumer, ['producerpause', 'producerresume']);
    record(diary, 'observer', consumer.observer, ['pause', 'resume']);
    await worker.notify(consumer.id, 'producerpause');
    await worker.notify(consumer.id, 'producerpause');
    expect(consumer).toMatchObject({ paused: false, producerPaused: true });
    await consumer.pause();
    await worker.notify(consumer.id, 'producerresume');
    await consumer.resume();
    await consumer.resume();
    expect(diary).toEqual(['consumer producerpause', 'observer pause', 'consumer producerresume', 'observer resume']);
  });

  it('emits what the worker tells', async () => {
    const { worker, consume, transport } = await scene();
    const consumer = await consume();
    const diary: string[] = [];
    const events = ['score', 'layerschange', 'trace'];
    record(diary, 'consumer', consumer, events);
    record(diary, 'observer', consumer.observer, [...events, 'close']);
    record(diary, 'consumer', consumer, ['producerclose']);
    const packets: Buffer[] = [];
    consumer.on('rtp', (packet) => packets.push(packet));
    await worker.notify(consumer.id, 'score', { score: 9, producerScore: 8, producerScores: [8] });
    await worker.notify(consumer.id, 'layerschange', { spatialLayer: 1, temporalLayer: 0 });
    expect(consumer.currentLayers).toEqual({ spatialLayer: 1, temporalLayer: 0 });
    await worker.notify(consumer.id, 'trace', { type: 'rtp', timestamp: 1, direction: 'out', info: {} });
    await worker.notify(consumer.id, 'rtp', undefined, Uint8Array.of(128, 0));
    await worker.notify(consumer.id, 'layerschange', null);
    expect(consumer.currentLayers).toBeUndefined();
    await worker.notify(consumer.id, 'producerclose');
    await worker.notify(consumer.id, 'producerclose');
    transport.close();
    consumer.close();
    expect(consumer.closed).toBe(true);
    expect(consumer.score).toEqual({ score: 9, producerScore: 8, producerScores: [8] });
    expect(packets).toEqual([Buffer.from([128, 0])]);
    expect(diary).toEqual([
      ...events.flatMap((event) => [`consumer ${event}`, `observer ${event}`]),
      'consumer layerschange',
      'observer layerschange',
      'consumer producerclose',
      'observer close',
    ]);
  });

  it('survives a listener that throws, and tells', async () => {
    const { worker, consume } = await scene();
    const consumer = await consume();
    const failed: unknown[] = [];
    consumer.on('listenererror', (name, error) => failed.push(name, error));
    const error = new TypeError('mine');
    consumer.on('producerpause', () => {
      throw error;
    });
    await worker.notify(consumer.id, 'producerpause');
    expect(consumer.producerPaused).toBe(true);
    expect(failed).toEqual(['producerpause', error]);
  });
});

describe('RTP observers', () => {
  it('of audio levels', async () => {
    const { worker, router, producer } = await scene({ kind: 'audio', rtpParameters: audio });
    const observer = await router.createAudioLevelObserver();
    expect(worker.last('router.createAudioLevelObserver')).toEqual({ maxEntries: 1, threshold: -80, interval: 1000 });
    expect(observer).toMatchObject({ type: 'audiolevel', paused: false, closed: false });
    const diary: string[] = [];
    record(diary, 'observer', observer.observer, [
      'addproducer',
      'removeproducer',
      'pause',
      'resume',
      'silence',
      'close',
    ]);
    const volumes: unknown[] = [];
    observer.on('volumes', (given) => volumes.push(given));
    await observer.addProducer({ producerId: producer.id });
    await expect(observer.addProducer({ producerId: 'x' })).rejects.toBeInstanceOf(NotFoundError);
    await worker.notify(observer.id, 'volumes', [
      { producerId: producer.id, volume: -20 },
      { producerId: 'gone', volume: -10 },
    ]);
    await worker.notify(observer.id, 'volumes', [{ producerId: 'gone', volume: -10 }]);
    await worker.notify(observer.id, 'silence');
    await observer.pause();
    await observer.resume();
    await observer.removeProducer({ producerId: producer.id });
    observer.close();
    expect(volumes).toEqual([[{ producer, volume: -20 }]]);
    expect(diary.map((line) => line.slice(9))).toEqual([
      'addproducer',
      'silence',
      'pause',
      'resume',
      'removeproducer',
      'close',
    ]);
    for (const wrong of [{ maxEntries: 0 }, { threshold: 1 }, { interval: 'x' }, { appData: 'x' }]) {
      await expect(router.createAudioLevelObserver(wrong as never)).rejects.toThrow(TypeError);
    }
  });

  it('of the active speaker', async () => {
    const { worker, router, producer } = await scene({ kind: 'audio', rtpParameters: audio });
    const observer = await router.createActiveSpeakerObserver({ interval: 500 });
    expect(worker.last('router.createActiveSpeakerObserver')).toEqual({ interval: 500 });
    expect(observer.type).toBe('activespeaker');
    const speakers: unknown[] = [];
    observer.on('dominantspeaker', (speaker) => speakers.push(speaker));
    await worker.notify(observer.id, 'dominantspeaker', { producerId: producer.id });
    await worker.notify(observer.id, 'dominantspeaker', { producerId: 'gone' });
    expect(speakers).toEqual([{ producer }]);
  });
});
