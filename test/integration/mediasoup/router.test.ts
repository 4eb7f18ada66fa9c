import { describe, expect, it } from 'vitest';
import { NotFoundError, UnsupportedError, WorkerClosedError } from '../../../src/mediasoup/errors.ts';
import { audio, codecs, listenInfo, simulcast, startRouter, startWorker } from './media-kit.ts';
import { record } from './scripted-worker.ts';

describe('Router', () => {
  it('shows who consumes whom', async () => {
    const router = await startRouter();
    const transport = await router.createDirectTransport();
    const producer = await transport.produce(audio);
    const idle = await transport.produce(simulcast);
    const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
    const observer = await router.createAudioLevelObserver();
    await observer.addProducer({ producerId: producer.id });
    const dataProducer = await transport.produceData();
    const dataConsumer = await transport.consumeData({ dataProducerId: dataProducer.id });
    expect(await router.dump()).toEqual({
      id: router.id,
      transportIds: [transport.id],
      rtpObserverIds: [observer.id],
      mapProducerIdConsumerIds: [
        { key: producer.id, values: [consumer.id] },
        { key: idle.id, values: [] },
      ],
      mapConsumerIdProducerId: [{ key: consumer.id, value: producer.id }],
      mapProducerIdObserverIds: [
        { key: producer.id, values: [observer.id] },
        { key: idle.id, values: [] },
      ],
      mapDataProducerIdDataConsumerIds: [{ key: dataProducer.id, values: [dataConsumer.id] }],
      mapDataConsumerIdDataProducerId: [{ key: dataConsumer.id, value: dataProducer.id }],
    });
    transport.close();
    observer.close();
    expect(await router.dump()).toMatchObject({ transportIds: [], rtpObserverIds: [], mapConsumerIdProducerId: [] });
  });

  it('tells its observer of transports and RTP observers', async () => {
    const router = await startRouter();
    const diary: string[] = [];
    record(diary, 'observer', router.observer, ['newtransport', 'newrtpobserver', 'close']);
    await router.createWebRtcTransport({ listenInfos: [listenInfo] });
    await router.createPlainTransport({ listenInfo });
    await router.createPipeTransport({ listenInfo });
    await router.createDirectTransport();
    await router.createActiveSpeakerObserver();
    await router.createAudioLevelObserver();
    router.close();
    expect(diary.map((line) => line.slice('observer '.length))).toEqual([
      ...Array.from({ length: 4 }, () => 'newtransport'),
      ...Array.from({ length: 2 }, () => 'newrtpobserver'),
      'close',
    ]);
  });

  it('gets other codecs for what is to come', async () => {
    const router = await startRouter();
    const transport = await router.createDirectTransport();
    const before = router.rtpCapabilities;
    router.updateMediaCodecs([{ kind: 'audio', mimeType: 'audio/PCMU', clockRate: 8000 }]);
    expect(router.rtpCapabilities.codecs).toMatchObject([{ mimeType: 'audio/PCMU', preferredPayloadType: 0 }]);
    expect(before.codecs).toHaveLength(3);
    await expect(transport.produce(audio)).rejects.toBeInstanceOf(UnsupportedError);
    expect(() => router.updateMediaCodecs([{ kind: 'audio', mimeType: 'audio/x', clockRate: 1 }])).toThrow(
      UnsupportedError,
    );
    expect(() => router.updateMediaCodecs('x' as never)).toThrow(TypeError);
  });

  it('gives copies, and keeps data of the application', async () => {
    const worker = await startWorker();
    const router = await worker.createRouter({ mediaCodecs: [...codecs], appData: { foo: 1 } });
    router.rtpCapabilities.codecs!.length = 0;
    expect(router.rtpCapabilities.codecs).toHaveLength(3);
    router.appData = { foo: 2 };
    expect(router.appData).toEqual({ foo: 2 });
  });

  it.each([
    [{ maxEntries: 0 }],
    [{ maxEntries: 'x' }],
    [{ threshold: 1 }],
    [{ threshold: -128 }],
    [{ interval: 'x' }],
    [{ appData: 'x' }],
  ])('makes no audio level observer of %j', async (options) => {
    await expect((await startRouter()).createAudioLevelObserver(options as never)).rejects.toThrow(TypeError);
  });

  it.each([[{ interval: false }], [{ appData: 1 }]])('makes no active speaker observer of %j', async (options) => {
    await expect((await startRouter()).createActiveSpeakerObserver(options as never)).rejects.toThrow(TypeError);
  });

  it('is unknown when it is closed, and its worker too', async () => {
    const worker = await startWorker();
    const [closed, open] = [await worker.createRouter(), await worker.createRouter()];
    closed.close();
    for (const promise of [
      closed.dump(),
      closed.createDirectTransport(),
      closed.createWebRtcTransport({ listenInfos: [listenInfo] }),
      closed.createAudioLevelObserver(),
    ]) {
      await expect(promise).rejects.toBeInstanceOf(NotFoundError);
    }
    worker.close();
    await expect(open.dump()).rejects.toBeInstanceOf(WorkerClosedError);
  });
});
