import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/mediasoup/errors.ts';
import type { RouterImpl } from '../../../src/mediasoup/router.ts';
import { record, ScriptedWorker, turns } from './scripted-worker.ts';

const listenInfo = { protocol: 'udp' as const, ip: '127.0.0.1' };
const rtpParameters = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 1, clockRate: 48000, channels: 2 }],
  encodings: [{ ssrc: 1 }],
};

describe('data over SCTP', () => {
  it('has stream parameters from the producer, its own streams, and other limits if wanted', async () => {
    const worker = new ScriptedWorker();
    const transport = await worker.router().createPlainTransport({ listenInfo, enableSctp: true });
    const producer = await transport.produceData({
      sctpStreamParameters: { streamId: 666, ordered: false, maxPacketLifeTime: 5000 },
      label: 'foo',
      protocol: 'bar',
    });
    expect(producer).toMatchObject({ type: 'sctp', label: 'foo', protocol: 'bar', paused: false });
    const { dataConsumerId: _, ...consume } = { dataConsumerId: 0, dataProducerId: producer.id };
    const first = await transport.consumeData(consume);
    expect(first).toMatchObject({
      dataProducerId: producer.id,
      type: 'sctp',
      sctpStreamParameters: { streamId: 0, ordered: false, maxPacketLifeTime: 5000 },
      label: 'foo',
      protocol: 'bar',
      paused: false,
      dataProducerPaused: false,
      subchannels: [],
    });
    const second = await transport.consumeData({ ...consume, maxRetransmits: 3, subchannels: [5, 5, 6] });
    expect(second.sctpStreamParameters).toEqual({ streamId: 1, ordered: false, maxRetransmits: 3 });
    expect(second.subchannels).toEqual([5, 6]);
    const third = await transport.consumeData({ ...consume, ordered: true });
    expect(third.sctpStreamParameters).toEqual({ streamId: 2, ordered: true });
    first.close();
    await worker.notify(second.id, 'dataproducerclose');
    expect((await transport.consumeData(consume)).sctpStreamParameters?.streamId).toBe(3);
  });

  it.each([
    [undefined],
    [{ sctpStreamParameters: {} }],
    [{ sctpStreamParameters: { streamId: 1, ordered: true, maxRetransmits: 1 } }],
    [{ sctpStreamParameters: { streamId: 1 }, appData: 'x' }],
  ])('is not produced with %j', async (options) => {
    const transport = await new ScriptedWorker().router().createPlainTransport({ listenInfo, enableSctp: true });
    await expect(transport.produceData(options as never)).rejects.toThrow(TypeError);
  });

  it('is consumed only where SCTP is on, from a producer there is', async () => {
    const router = new ScriptedWorker().router();
    const direct = await router.createDirectTransport();
    const { id: dataProducerId } = await direct.produceData();
    const transport = await router.createPlainTransport({ listenInfo });
    await expect(transport.consumeData({ dataProducerId })).rejects.toThrow(TypeError);
    await expect(transport.consumeData({ dataProducerId: 'x' })).rejects.toBeInstanceOf(NotFoundError);
    await expect(transport.consumeData({} as never)).rejects.toThrow(TypeError);
    await expect(direct.consumeData({ dataProducerId, subchannels: 1 as never })).rejects.toThrow(TypeError);
    expect((await direct.consumeData({ dataProducerId, subchannels: [70000, 1, 1] })).subchannels).toEqual([1]);
    await expect(direct.produceData({ id: dataProducerId })).rejects.toThrow(TypeError);
  });
});

describe('data of a direct transport', () => {
  it.each([
    ['hello', undefined, 51, [104, 101, 108, 108, 111]],
    ['', undefined, 56, [32]],
    [Buffer.from([1, 2]), undefined, 53, [1, 2]],
    [Buffer.alloc(0), undefined, 57, [0]],
    ['x', 54, 54, [120]],
  ])('sends %j as kind %s: %s', async (message, ppid, expected, bytes) => {
    const worker = new ScriptedWorker();
    const transport = await worker.router().createDirectTransport();
    const producer = await transport.produceData();
    const sctp = await worker.router().createPlainTransport({ listenInfo, enableSctp: true });
    const sctpProducer = await sctp.produceData({ sctpStreamParameters: { streamId: 1 } });
    const consumer = await sctp.consumeData({ dataProducerId: sctpProducer.id });
    producer.send(message, ppid, [1], 2, 3);
    expect(await consumer.send(message, ppid)).toBe(77);
    expect(worker.commands).toMatchObject([
      {
        method: 'dataProducer.send',
        internal: { dataProducerId: producer.id },
        data: { ppid: expected, subchannels: [1], requiredSubchannel: 2, ignoredSubchannel: 3 },
        payload: Uint8Array.from(bytes),
      },
    ]);
    expect(worker.requests.at(-1)).toMatchObject({ data: { ppid: expected }, payload: Uint8Array.from(bytes) });
    expect(() => producer.send(1 as never)).toThrow(TypeError);
    await expect(consumer.send(undefined as never)).rejects.toThrow(TypeError);
    const direct = await transport.consumeData({ dataProducerId: producer.id });
    await expect(direct.send(message)).rejects.toThrow(TypeError);
  });

  it('leaves as it was, whatever is written into the bytes next', async () => {
    const worker = new ScriptedWorker();
    const router = worker.router();
    const direct = await router.createDirectTransport();
    const sctp = await router.createPlainTransport({ listenInfo, enableSctp: true });
    const sctpProducer = await sctp.produceData({ sctpStreamParameters: { streamId: 1 } });
    const consumer = await sctp.consumeData({ dataProducerId: sctpProducer.id });
    const dataProducer = await direct.produceData();
    const producer = await direct.produce({ kind: 'audio', rtpParameters });
    const bytes = Buffer.from([1, 2]);
    dataProducer.send(bytes);
    producer.send(bytes);
    direct.sendRtcp(bytes);
    const sent = consumer.send(bytes);
    bytes.fill(9);
    await sent;
    const commands = worker.commands.map(({ method, payload }) => [method, payload]);
    expect([...commands, ['dataConsumer.send', worker.requests.at(-1)?.payload]]).toEqual(
      ['dataProducer.send', 'producer.send', 'transport.sendRtcp', 'dataConsumer.send'].map((method) => [
        method,
        Uint8Array.of(1, 2),
      ]),
    );
  });

  it('emits messages and what happens to the buffer and the producer', async () => {
    const worker = new ScriptedWorker();
    const transport = await worker.router().createDirectTransport();
    const producer = await transport.produceData({ paused: true });
    const consumer = await transport.consumeData({ dataProducerId: producer.id });
    expect(consumer.dataProducerPaused).toBe(true);
    const diary: string[] = [];
    const events = ['dataproducerresume', 'dataproducerpause', 'sctpsendbufferfull', 'dataproducerclose'];
    record(diary, 'consumer', consumer, events);
    record(diary, 'observer', consumer.observer, ['pause', 'resume', 'close']);
    consumer.on('bufferedamountlow', (amount) => diary.push(`low ${amount}`));
    consumer.on('message', (message, ppid) => diary.push(`${message.toString()} ${ppid}`));
    await worker.notify(consumer.id, 'dataproducerresume');
    await worker.notify(consumer.id, 'dataproducerpause');
    await worker.notify(consumer.id, 'sctpsendbufferfull');
    await worker.notify(consumer.id, 'bufferedamountlow', { bufferedAmount: 9 });
    await worker.notify(consumer.id, 'message', { ppid: 51 }, new TextEncoder().encode('hi'));
    await worker.notify(consumer.id, 'dataproducerclose');
    expect(diary).toEqual([
      'consumer dataproducerresume',
      'observer resume',
      'consumer dataproducerpause',
      'observer pause',
      'consumer sctpsendbufferfull',
      'low 9',
      'hi 51',
      'consumer dataproducerclose',
      'observer close',
    ]);
  });

  it('has subchannels, thresholds and pauses', async () => {
    const worker = new ScriptedWorker();
    const transport = await worker.router().createDirectTransport();
    const producer = await transport.produceData();
    const consumer = await transport.consumeData({ dataProducerId: producer.id });
    await consumer.setSubchannels([1, 65538]);
    expect(consumer.subchannels).toEqual([1, 2]);
    await expect(consumer.addSubchannel('1' as never)).rejects.toThrow(TypeError);
    await consumer.addSubchannel(9);
    expect(consumer.subchannels).toEqual([1, 9]);
    await consumer.removeSubchannel(9);
    expect(consumer.subchannels).toEqual([]);
    expect(await consumer.getBufferedAmount()).toBe(77);
    await consumer.setBufferedAmountLowThreshold(5);
    expect(worker.last('dataConsumer.setBufferedAmountLowThreshold')).toEqual({ threshold: 5 });
    await expect(consumer.setBufferedAmountLowThreshold('x' as never)).rejects.toThrow(TypeError);
    await expect(consumer.setSubchannels(1 as never)).rejects.toThrow(TypeError);
    const diary: string[] = [];
    record(diary, 'producer', producer.observer, ['pause', 'resume', 'close']);
    record(diary, 'consumer', consumer.observer, ['pause', 'resume', 'close']);
    for (const entity of [producer, consumer]) {
      await entity.pause();
      await entity.pause();
      await entity.resume();
      entity.close();
    }
    expect(diary.map((line) => line.split(' ')[1])).toEqual(['pause', 'resume', 'close', 'pause', 'resume', 'close']);
  });
});

describe('pipeToRouter', () => {
  async function scene(): Promise<{
    near: ScriptedWorker;
    far: ScriptedWorker;
    first: RouterImpl;
    second: RouterImpl;
  }> {
    const near = new ScriptedWorker();
    const far = new ScriptedWorker();
    return { near, far, first: near.router('first'), second: far.router('second') };
  }

  it('keeps the id, and uses one pair of transports for all, both ways, at once', async () => {
    const { near, far, first, second } = await scene();
    const source = await first.createDirectTransport();
    const back = await second.createDirectTransport();
    const one = await source.produce({ kind: 'audio', rtpParameters, appData: { a: 1 } });
    const two = await source.produce({ kind: 'audio', rtpParameters });
    const three = await back.produce({ kind: 'audio', rtpParameters });
    const [result] = await Promise.all([
      first.pipeToRouter({ producerId: one.id, router: second }),
      first.pipeToRouter({ producerId: two.id, router: second }),
      second.pipeToRouter({ producerId: three.id, router: first }),
    ]);
    expect(result.pipeConsumer).toMatchObject({ type: 'pipe', kind: 'audio', appData: {} });
    expect(result.pipeProducer).toMatchObject({ id: one.id, kind: 'audio', appData: { a: 1 }, paused: false });
    expect(result.pipeConsumer!.rtpParameters.mid).toBeUndefined();
    expect(result.pipeConsumer!.rtpParameters.headerExtensions!.map(({ id }) => id)).toEqual([6, 7, 11, 12]);
    expect(far.last('transport.produce')).toMatchObject({ rtpParameters: { rtcp: { reducedSize: true } } });
    for (const worker of [near, far]) {
      expect(worker.methods.filter((method) => method === 'router.createPipeTransport')).toHaveLength(1);
      expect(worker.last('router.createPipeTransport')).toMatchObject({
        listenInfo,
        enableSctp: true,
        enableRtx: false,
      });
      expect(worker.last('transport.connect')).toMatchObject({ ip: '127.0.0.1', port: 40000 });
    }
  });

  it('forwards pause, resume and closing', async () => {
    const { near, far, first, second } = await scene();
    const source = await first.createDirectTransport();
    const producer = await source.produce({ kind: 'audio', rtpParameters });
    const { pipeConsumer, pipeProducer } = await first.pipeToRouter({ producerId: producer.id, router: second });
    await near.notify(pipeConsumer!.id, 'producerpause');
    expect(pipeProducer!.paused).toBe(true);
    await near.notify(pipeConsumer!.id, 'producerresume');
    expect(pipeProducer!.paused).toBe(false);
    await near.notify(pipeConsumer!.id, 'producerclose');
    expect(pipeProducer!.closed).toBe(true);
    await turns();
    expect(far.methods.at(-1)).toBe('transport.closeProducer');
    const again = await first.pipeToRouter({ producerId: producer.id, router: second });
    again.pipeProducer!.close();
    expect(again.pipeConsumer!.closed).toBe(true);
  });

  it('pipes data', async () => {
    const { near, first, second } = await scene();
    const source = await first.createDirectTransport();
    const producer = await source.produceData({ label: 'foo', protocol: 'bar' });
    const { pipeDataConsumer, pipeDataProducer } = await first.pipeToRouter({
      dataProducerId: producer.id,
      router: second,
    });
    expect(pipeDataProducer).toMatchObject({ id: producer.id, type: 'sctp', label: 'foo', protocol: 'bar' });
    expect(pipeDataConsumer!.sctpStreamParameters).toEqual({ streamId: 0, ordered: true });
    await near.notify(pipeDataConsumer!.id, 'dataproducerpause');
    expect(pipeDataProducer!.paused).toBe(true);
    await near.notify(pipeDataConsumer!.id, 'dataproducerclose');
    expect(pipeDataProducer!.closed).toBe(true);
  });

  it('closes both transports of a pair, and makes a new one when asked again', async () => {
    const { near, far, first, second } = await scene();
    const source = await first.createDirectTransport();
    const producer = await source.produce({ kind: 'audio', rtpParameters });
    const options = { producerId: producer.id, router: second };
    const { pipeProducer } = await first.pipeToRouter(options);
    second.close();
    expect(pipeProducer!.closed).toBe(true);
    expect([...first.transportsForTesting.values()]).toEqual([source]);
    far.answers.set('router.createPipeTransport', () => {
      throw new NotFoundError('no such router');
    });
    await expect(first.pipeToRouter(options)).rejects.toBeInstanceOf(NotFoundError);
    expect(near.methods.filter((method) => method === 'router.createPipeTransport')).toHaveLength(1);
    await expect(first.pipeToRouter({ ...options, router: far.router('third') })).rejects.toThrow('no such router');
    expect([...first.transportsForTesting.values()]).toEqual([source]);
    expect(near.methods.filter((method) => method === 'router.createPipeTransport')).toHaveLength(2);
  });

  it('reaches another router of the same worker under another id only', async () => {
    const worker = new ScriptedWorker();
    const [first, second] = [worker.router('first'), worker.router('second')];
    const producer = await (await first.createDirectTransport()).produce({ kind: 'audio', rtpParameters });
    await expect(first.pipeToRouter({ producerId: producer.id, router: second })).rejects.toThrow(TypeError);
    const { pipeProducer } = await first.pipeToRouter({ producerId: producer.id, router: second, keepId: false });
    expect(pipeProducer!.id).not.toBe(producer.id);
  });

  it.each([
    ['nothing to pipe', {}, TypeError],
    ['two things to pipe', { producerId: 'x', dataProducerId: 'x' }, TypeError],
    ['no router', { producerId: 'x', router: undefined }, TypeError],
    ['an unknown producer', { producerId: 'x' }, NotFoundError],
    ['an unknown data producer', { dataProducerId: 'x' }, NotFoundError],
  ])('refuses %s', async (_, options, kind) => {
    const { first, second } = await scene();
    await expect(first.pipeToRouter({ router: second, ...options } as never)).rejects.toBeInstanceOf(kind);
    await expect(first.pipeToRouter({ router: first, producerId: 'x' })).rejects.toThrow(TypeError);
  });
});
