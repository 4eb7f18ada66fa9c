import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/mediasoup/errors.ts';
import type { DataConsumer, DirectTransport, Router } from '../../../src/mediasoup/types.ts';
import { listenInfo, startRouter } from './media-kit.ts';
import { record } from './scripted-worker.ts';

interface Scene {
  readonly router: Router;
  readonly direct: DirectTransport;
}

async function start(): Promise<Scene> {
  const router = await startRouter();
  return { router, direct: await router.createDirectTransport() };
}

/** The texts a consumer gets, up to `last`. */
async function textsOf(consumer: DataConsumer, last: string): Promise<string[]> {
  const texts: string[] = [];
  await new Promise<void>((resolve) => {
    consumer.on('message', (message) => {
      const text = message.toString();
      if (text === last) resolve();
      else texts.push(text);
    });
  });
  return texts;
}

describe('DataProducer', () => {
  it.each([
    [{ streamId: 12 }, { streamId: 12, ordered: true }],
    [
      { streamId: 12, ordered: true },
      { streamId: 12, ordered: true },
    ],
    [
      { streamId: 12, maxPacketLifeTime: 5000 },
      { streamId: 12, ordered: false, maxPacketLifeTime: 5000 },
    ],
    [
      { streamId: 12, ordered: false, maxRetransmits: 0 },
      { streamId: 12, ordered: false, maxRetransmits: 0 },
    ],
  ])('of stream %j shows it as %j', async (given, expected) => {
    const { router } = await start();
    const transport = await router.createPlainTransport({ listenInfo, enableSctp: true });
    const options = { sctpStreamParameters: given, label: 'l', protocol: 'p', paused: true, appData: { foo: 1 } };
    const producer = await transport.produceData(options);
    expect(producer.constructor.name).toBe('DataProducerImpl');
    expect(producer).toMatchObject({ type: 'sctp', sctpStreamParameters: expected, paused: true, appData: { foo: 1 } });
    expect(await producer.dump()).toEqual({
      id: producer.id,
      paused: true,
      type: 'sctp',
      sctpStreamParameters: expected,
      label: 'l',
      protocol: 'p',
    });
    expect(await producer.getStats()).toEqual([
      {
        type: 'data-producer',
        timestamp: expect.any(Number),
        label: 'l',
        protocol: 'p',
        messagesReceived: 0,
        bytesReceived: 0,
      },
    ]);
    expect(await transport.dump()).toMatchObject({
      dataProducerIds: [producer.id],
      sctpListener: { streamIdTable: [{ key: 12, value: producer.id }] },
    });
    await expect(transport.produceData(options)).rejects.toThrow(Error);
  });

  it('counts what it takes, and nothing goes on while it is paused', async () => {
    const { direct } = await start();
    const producer = await direct.produceData();
    expect(producer).toMatchObject({ type: 'direct', sctpStreamParameters: undefined, label: '', protocol: '' });
    const consumer = await direct.consumeData({ dataProducerId: producer.id });
    const texts = textsOf(consumer, 'end');
    producer.send('one');
    await producer.pause();
    producer.send('two');
    await producer.resume();
    producer.send(Buffer.from('three'));
    producer.send('end');
    expect(await texts).toEqual(['one', 'three']);
    expect(await producer.getStats()).toMatchObject([{ messagesReceived: 4, bytesReceived: 14 }]);
    expect(await consumer.getStats()).toMatchObject([{ messagesSent: 3, bytesSent: 11 }]);
  });

  it('is unknown once closed', async () => {
    const { direct } = await start();
    const producer = await direct.produceData();
    producer.close();
    for (const promise of [producer.dump(), producer.getStats(), producer.pause()]) {
      await expect(promise).rejects.toBeInstanceOf(NotFoundError);
    }
    await expect(direct.consumeData({ dataProducerId: producer.id })).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('DataConsumer', () => {
  it('over SCTP shows itself, with streams and thresholds of its own', async () => {
    const { router, direct } = await start();
    const transport = await router.createPlainTransport({ listenInfo, enableSctp: true });
    const producer = await direct.produceData({ label: 'l', protocol: 'p' });
    const options = { dataProducerId: producer.id, maxPacketLifeTime: 4000, subchannels: [1, 1, 65535, 65536] };
    const consumer = await transport.consumeData({ ...options, paused: true });
    const sctpStreamParameters = { streamId: 0, ordered: false, maxPacketLifeTime: 4000 };
    expect(consumer).toMatchObject({ type: 'sctp', sctpStreamParameters, paused: true, subchannels: [1, 65535] });
    expect(await consumer.dump()).toEqual({
      id: consumer.id,
      paused: true,
      dataProducerPaused: false,
      subchannels: [1, 65535],
      dataProducerId: producer.id,
      type: 'sctp',
      sctpStreamParameters,
      label: 'l',
      protocol: 'p',
      bufferedAmount: 0,
      bufferedAmountLowThreshold: 1024,
    });
    await consumer.setBufferedAmountLowThreshold(5);
    expect((await consumer.dump()).bufferedAmountLowThreshold).toBe(5);
    expect(await consumer.getBufferedAmount()).toBe(0);
    expect(await consumer.getStats()).toEqual([
      {
        type: 'data-consumer',
        timestamp: expect.any(Number),
        label: 'l',
        protocol: 'p',
        messagesSent: 0,
        bytesSent: 0,
        bufferedAmount: 0,
      },
    ]);
    await expect(consumer.send('nobody is connected')).rejects.toThrow(Error);
    const lower = await router.createPlainTransport({
      listenInfo,
      enableSctp: true,
      sctpDefaultStreamBufferedAmountLowThreshold: 7,
    });
    const other = await lower.consumeData({ dataProducerId: producer.id });
    expect((await other.dump()).bufferedAmountLowThreshold).toBe(7);
  });

  it('gets messages for its subchannels, in the order of requests and messages', async () => {
    const { direct } = await start();
    const producer = await direct.produceData();
    const [first, second] = [
      await direct.consumeData({ dataProducerId: producer.id, subchannels: [1, 9] }),
      await direct.consumeData({ dataProducerId: producer.id, subchannels: [2] }),
    ];
    const texts = Promise.all([textsOf(first, 'end'), textsOf(second, 'end')]);
    producer.send('all');
    producer.send('first', undefined, [1]);
    producer.send('second', undefined, [2, 3]);
    producer.send('none', undefined, [3]);
    producer.send('required', undefined, undefined, 9);
    producer.send('neither', undefined, [1], 2);
    producer.send('ignored', undefined, undefined, undefined, 9);
    // Not waited for: what is sent after it comes after it.
    void second.setSubchannels([2, 4]);
    producer.send('late', undefined, [4]);
    void second.removeSubchannel(4);
    producer.send('too late', undefined, [4]);
    producer.send('end');
    expect(await texts).toEqual([
      ['all', 'first', 'required'],
      ['all', 'second', 'ignored', 'late'],
    ]);
    await second.addSubchannel(65_537);
    expect(second.subchannels).toEqual([2, 1]);
  });

  it('tells of pauses and the end of its producer', async () => {
    const { direct } = await start();
    const producer = await direct.produceData();
    const consumer = await direct.consumeData({ dataProducerId: producer.id });
    const diary: string[] = [];
    record(diary, 'consumer', consumer, ['dataproducerpause', 'dataproducerresume', 'dataproducerclose']);
    record(diary, 'observer', consumer.observer, ['pause', 'resume', 'close']);
    for (const [method, event] of [
      ['pause', 'dataproducerpause'],
      ['resume', 'dataproducerresume'],
      ['close', 'dataproducerclose'],
    ] as const) {
      const heard = once(consumer, event);
      await producer[method]();
      await heard;
    }
    expect(diary).toEqual([
      'consumer dataproducerpause',
      'observer pause',
      'consumer dataproducerresume',
      'observer resume',
      'consumer dataproducerclose',
      'observer close',
    ]);
    await expect(consumer.dump()).rejects.toBeInstanceOf(NotFoundError);
    expect((await direct.dump()).dataConsumerIds).toEqual([]);
  });

  it('gets what was sent before its producer closed', async () => {
    const { direct } = await start();
    const producer = await direct.produceData();
    const consumer = await direct.consumeData({ dataProducerId: producer.id });
    const texts = textsOf(consumer, 'last words');
    producer.send('last words');
    producer.close();
    expect(await texts).toEqual([]);
  });

  it('gives its stream to the next when it ends', async () => {
    const { router, direct } = await start();
    const transport = await router.createPlainTransport({ listenInfo, enableSctp: true });
    const { id: dataProducerId } = await direct.produceData();
    const first = await transport.consumeData({ dataProducerId });
    const second = await transport.consumeData({ dataProducerId });
    expect([first, second].map(({ sctpStreamParameters }) => sctpStreamParameters?.streamId)).toEqual([0, 1]);
    first.close();
    await expect(first.dump()).rejects.toBeInstanceOf(NotFoundError);
    expect((await transport.dump()).dataConsumerIds).toEqual([second.id]);
  });
});
