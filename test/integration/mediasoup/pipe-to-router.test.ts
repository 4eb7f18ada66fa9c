import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { NotFoundError } from '../../../src/mediasoup/errors.ts';
import type { DirectTransport, PipeTransport, Router, Worker } from '../../../src/mediasoup/types.ts';
import { audio, codecs, listenInfo, sendAudio, simulcast, startRouter, startWorker } from './media-kit.ts';

interface Scene {
  readonly worker: Worker;
  readonly near: Router;
  readonly far: Router;
  readonly source: DirectTransport;
}

/** A router with a direct transport, and one of another worker. */
async function start(): Promise<Scene> {
  const worker = await startWorker();
  const near = await worker.createRouter({ mediaCodecs: [...codecs] });
  return { worker, near, far: await startRouter(), source: await near.createDirectTransport() };
}

const pipesOf = (router: Router): PipeTransport[] => {
  const { transportsForTesting } = router as unknown as { transportsForTesting: Map<string, PipeTransport> };
  return [...transportsForTesting.values()].filter(({ type }) => type === 'pipe');
};

describe('pipeToRouter', () => {
  it('brings a producer to another router, with its packets', async () => {
    const { near, far, source } = await start();
    const producer = await source.produce({ ...audio, appData: { foo: 1 } });
    const { pipeConsumer, pipeProducer } = await near.pipeToRouter({ producerId: producer.id, router: far });
    expect(pipeProducer).toMatchObject({ id: producer.id, kind: 'audio', type: 'simple', appData: { foo: 1 } });
    expect(pipeConsumer).toMatchObject({ producerId: producer.id, type: 'pipe', paused: false });
    expect(pipeProducer!.rtpParameters).toMatchObject({ rtcp: { cname: 'me' }, msid: 's t' });
    const target = await far.createDirectTransport();
    const consumer = await target.consume({ producerId: producer.id, rtpCapabilities: far.rtpCapabilities });
    const heard = once(consumer, 'rtp');
    await vi.waitFor(async () => {
      sendAudio(producer, 1, (await producer.getStats())[0]?.packetCount ?? 0);
      expect(await pipeProducer!.getStats()).not.toEqual([]);
    });
    await heard;
  });

  it('uses one pair of transports for everything between two routers, both ways', async () => {
    const { near, far, source } = await start();
    const back = await far.createDirectTransport();
    const [one, two] = [await source.produce(audio), await source.produce(simulcast)];
    const three = await back.produce(audio);
    const data = await source.produceData({ label: 'l' });
    await Promise.all([
      near.pipeToRouter({ producerId: one.id, router: far }),
      near.pipeToRouter({ producerId: two.id, router: far }),
      far.pipeToRouter({ producerId: three.id, router: near }),
      near.pipeToRouter({ dataProducerId: data.id, router: far }),
    ]);
    const [[first], [second]] = [pipesOf(near), pipesOf(far)];
    expect([pipesOf(near).length, pipesOf(far).length]).toEqual([1, 1]);
    expect(first!.tuple.localPort).toBe(second!.tuple.remotePort);
    expect(second!.tuple.localPort).toBe(first!.tuple.remotePort);
    await vi.waitFor(() => expect([first!.sctpState, second!.sctpState]).toEqual(['connected', 'connected']));
    near.close();
    expect(second!.closed).toBe(true);
  });

  it('follows pause, resume and the end of the producer', async () => {
    const { near, far, source } = await start();
    const producer = await source.produce({ ...audio, paused: true });
    const { pipeConsumer, pipeProducer } = await near.pipeToRouter({ producerId: producer.id, router: far });
    expect(pipeProducer!.paused).toBe(true);
    expect(pipeConsumer!.producerPaused).toBe(true);
    await producer.resume();
    await vi.waitFor(() => expect(pipeProducer!.paused).toBe(false));
    await producer.pause();
    await vi.waitFor(() => expect(pipeProducer!.paused).toBe(true));
    producer.close();
    await vi.waitFor(() => expect(pipeProducer!.closed).toBe(true));
    expect(pipeConsumer!.closed).toBe(true);
  });

  it('carries messages, to those they are for', async () => {
    const { near, far, source } = await start();
    const producer = await source.produceData({ label: 'l', protocol: 'p' });
    const { pipeDataConsumer, pipeDataProducer } = await near.pipeToRouter({
      dataProducerId: producer.id,
      router: far,
    });
    expect(pipeDataProducer).toMatchObject({ id: producer.id, type: 'sctp', label: 'l', protocol: 'p' });
    // Who has piped may send at once.
    expect(pipesOf(near)[0]!.sctpState).toBe('connected');
    const target = await far.createDirectTransport();
    const consumer = await target.consumeData({ dataProducerId: producer.id, subchannels: [1] });
    const texts: string[] = [];
    consumer.on('message', (message) => texts.push(message.toString()));
    producer.send('mine', undefined, [1]);
    producer.send('not mine', undefined, [2]);
    producer.send('ignored', undefined, undefined, undefined, 1);
    producer.send('end');
    await vi.waitFor(() => expect(texts).toContain('end'));
    expect(texts).toEqual(['mine', 'end']);
    pipeDataProducer!.close();
    expect(pipeDataConsumer!.closed).toBe(true);
    expect(producer.closed).toBe(false);
  });

  it('reaches a router of its own worker under another id', async () => {
    const { worker, near, source } = await start();
    const beside = await worker.createRouter({ mediaCodecs: [...codecs] });
    const { id: producerId } = await source.produce(audio);
    await expect(near.pipeToRouter({ producerId, router: beside })).rejects.toThrow(TypeError);
    const { pipeProducer } = await near.pipeToRouter({ producerId, router: beside, keepId: false });
    expect(pipeProducer!.id).not.toBe(producerId);
    expect((await beside.dump()).mapProducerIdConsumerIds).toEqual([{ key: pipeProducer!.id, values: [] }]);
  });

  it.each([
    ['SRTP', { enableSrtp: true }, (pipe: PipeTransport) => pipe.srtpParameters?.cryptoSuite, 'AEAD_AES_256_GCM'],
    ['no SRTP', {}, (pipe: PipeTransport) => pipe.srtpParameters, undefined],
    ['SCTP', {}, (pipe: PipeTransport) => pipe.sctpParameters?.isDataChannel, false],
    ['no SCTP', { enableSctp: false }, (pipe: PipeTransport) => pipe.sctpParameters, undefined],
    [
      'a place',
      { listenInfo: { ...listenInfo, ip: '127.0.0.2' } },
      ({ tuple }: PipeTransport) => tuple.localIp,
      '127.0.0.2',
    ],
    ['an old place', { listenIp: '127.0.0.3' }, ({ tuple }: PipeTransport) => tuple.localIp, '127.0.0.3'],
  ])('makes transports with %s', async (_, options, read, expected) => {
    const { near, far, source } = await start();
    const { id: producerId } = await source.produce(audio);
    await near.pipeToRouter({ producerId, router: far, ...options });
    for (const pipe of [...pipesOf(near), ...pipesOf(far)]) expect(read(pipe)).toBe(expected);
  });

  it('repairs losses by RTX where it is wanted', async () => {
    const { near, far, source } = await start();
    const { id: producerId } = await source.produce(simulcast);
    const { pipeConsumer } = await near.pipeToRouter({ producerId, router: far, enableRtx: true });
    expect(pipeConsumer!.rtpParameters.codecs.map(({ mimeType }) => mimeType)).toEqual(['video/VP8', 'video/rtx']);
    expect(pipeConsumer!.rtpParameters.encodings!.every(({ rtx }) => rtx !== undefined)).toBe(true);
    expect(await pipesOf(near)[0]!.dump()).toMatchObject({ rtx: true });
  });

  it('refuses routers that are closed, and leaves nothing behind', async () => {
    const { near, far, source } = await start();
    const { id: producerId } = await source.produce(audio);
    far.close();
    await expect(near.pipeToRouter({ producerId, router: far })).rejects.toBeInstanceOf(NotFoundError);
    await expect(near.pipeToRouter({ producerId: 'x', router: await startRouter() })).rejects.toBeInstanceOf(
      NotFoundError,
    );
    expect(pipesOf(near)).toEqual([]);
    expect((await near.dump()).transportIds).toEqual([source.id]);
  });
});
