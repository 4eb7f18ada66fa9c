import { afterEach, expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import { writeExtensionElements } from '../../../src/protocol/rtp/header-extension.ts';
import { rtpPacketSize, writeRtpPacket } from '../../../src/protocol/rtp/rtp-packet.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { VP8_SENDER, vp8Packet } from './sfu-kit.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const mediaCodecs = [
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 },
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
] as const;

type Worker = Awaited<ReturnType<typeof createWorker>>;

async function newRouter(inProcess = true): Promise<Awaited<ReturnType<Worker['createRouter']>>> {
  const worker = await createWorker({ inProcess });
  closing.push(() => worker.close());
  return worker.createRouter({ mediaCodecs: [...mediaCodecs] });
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new RangeError('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it.each([
  { enableSrtp: false, enableRtx: false },
  { enableSrtp: true, enableRtx: true },
])('simulcast and data go through a pipe from one worker process to another (%o)', async (options) => {
  const [from, to] = [await newRouter(false), await newRouter(false)];
  const [input, output] = [await from.createDirectTransport(), await to.createDirectTransport()];
  const encodings = [{ ssrc: 1000 }, { ssrc: 2000 }];
  const producer = await input.produce({ kind: 'video', rtpParameters: { ...VP8_SENDER, encodings } as never });
  const { pipeProducer } = await from.pipeToRouter({ producerId: producer.id, router: to, ...options });
  expect(pipeProducer?.type).toBe('simulcast');
  const consumer = await output.consume({ producerId: pipeProducer!.id, rtpCapabilities: to.rtpCapabilities });
  const views: RtpPacketView[] = [];
  consumer.on('rtp', (packet) => {
    const view = new RtpPacketView();
    if (view.look(packet)) views.push(view);
  });
  await consumer.setPreferredLayers({ spatialLayer: 0 });
  for (let i = 0; views.length < 20 && i < 400; i++) {
    for (const ssrc of [1000, 2000]) {
      producer.send(Buffer.from(vp8Packet({ ssrc, sequenceNumber: i, isKeyFrame: i % 10 === 0 })));
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(views.length).toBeGreaterThanOrEqual(20);
  expect(consumer.currentLayers).toEqual({ spatialLayer: 0, temporalLayer: 0 });
  const dataProducer = await input.produceData({ label: 'chat' });
  const piped = await from.pipeToRouter({ dataProducerId: dataProducer.id, router: to, ...options });
  const dataConsumer = await output.consumeData({ dataProducerId: piped.pipeDataProducer!.id });
  const messages: string[] = [];
  dataConsumer.on('message', (message) => messages.push(message.toString()));
  for (let i = 0; messages.length === 0 && i < 100; i++) {
    dataProducer.send(`hello ${'x'.repeat(50_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(messages[0]).toBe(`hello ${'x'.repeat(50_000)}`);
  producer.close();
  await until(() => consumer.closed);
});

it('messages go to those who have subscribed', async () => {
  const router = await newRouter();
  const transport = await router.createDirectTransport();
  const producer = await transport.produceData();
  const received: string[] = [];
  for (const subchannels of [[1], [2], []]) {
    const consumer = await transport.consumeData({ dataProducerId: producer.id, subchannels });
    consumer.on('message', (message) => received.push(`${subchannels.join()}:${message.toString()}`));
  }
  producer.send('all');
  producer.send('two', undefined, [2]);
  await until(() => received.length === 4);
  expect(received).toEqual(['1:all', '2:all', ':all', '2:two']);
});

it('who is loud is told', async () => {
  const router = await newRouter();
  const transport = await router.createDirectTransport();
  const level = { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 6 };
  const codec = { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 };
  const rtpParameters = { codecs: [codec], headerExtensions: [level], encodings: [{ ssrc: 9 }] };
  const producer = await transport.produce({ kind: 'audio', rtpParameters: rtpParameters as never });
  const [levels, speakers] = [
    await router.createAudioLevelObserver({ interval: 250, threshold: -60 }),
    await router.createActiveSpeakerObserver(),
  ];
  const heard: unknown[] = [];
  levels.on('volumes', (volumes) => heard.push(volumes.map((one) => one.volume)));
  levels.on('silence', () => heard.push('silence'));
  speakers.on('dominantspeaker', ({ producer: speaker }) => heard.push(speaker.id));
  await levels.addProducer({ producerId: producer.id });
  await speakers.addProducer({ producerId: producer.id });
  for (let i = 0; !heard.some(Array.isArray) && i < 200; i++) {
    const elements = writeExtensionElements([{ id: 6, data: Uint8Array.of(0x80 | 20) }]);
    const fields = {
      marker: false,
      payloadType: 100,
      sequenceNumber: i,
      timestamp: i * 960,
      ssrc: 9,
      payload: new Uint8Array(40),
      ...elements,
    };
    const bytes = new Uint8Array(rtpPacketSize(fields));
    writeRtpPacket(fields, bytes);
    producer.send(Buffer.from(bytes));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(heard).toContainEqual([-20]);
  await until(() => heard.includes('silence') && heard.includes(producer.id));
  expect((await router.dump()).mapProducerIdObserverIds).toEqual([
    { key: producer.id, values: [levels.id, speakers.id] },
  ]);
});
