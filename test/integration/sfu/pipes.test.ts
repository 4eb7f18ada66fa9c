/** Pipes between two worker processes. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type { DirectTransport, Producer, Router, Worker } from '../../../src/mediasoup/types.ts';
import { isPictureLossIndication } from '../../../src/protocol/rtp/rtcp-feedback.ts';
import { isRtcp, parseRtcp } from '../../../src/protocol/rtp/rtcp-packet.ts';
import { RtpPacketView } from '../../../src/protocol/rtp/rtp-packet-view.ts';
import { VP8_SENDER, vp8Packet } from './sfu-kit.ts';

const IP = '127.0.0.1';
const closing: (() => void)[] = [];

/** Two processes on a machine that has other things to do. */
const START_TIMEOUT_MS = 60_000;

let workers: readonly Worker[] = [];
let from: Router;
let to: Router;
let input: DirectTransport;
let output: DirectTransport;

beforeAll(async () => {
  workers = await Promise.all([createWorker(), createWorker()]);
}, START_TIMEOUT_MS);

afterAll(() => {
  for (const worker of workers) worker.close();
});

beforeEach(async () => {
  [from, to] = await Promise.all([newRouter(0), newRouter(1)]);
  [input, output] = await Promise.all([from.createDirectTransport(), to.createDirectTransport()]);
});

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function newRouter(worker: 0 | 1): Promise<Router> {
  const mediaCodecs = [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }] as const;
  const router = await workers[worker]!.createRouter({ mediaCodecs: [...mediaCodecs] });
  closing.push(() => router.close());
  return router;
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new RangeError('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function produceVideo(): Promise<Producer> {
  return input.produce({ kind: 'video', rtpParameters: VP8_SENDER as never });
}

describe('what becomes of a producer becomes of what is piped', () => {
  it('paused, resumed and closed', async () => {
    const producer = await produceVideo();
    await producer.pause();
    const { pipeConsumer, pipeProducer } = await from.pipeToRouter({ producerId: producer.id, router: to });
    expect(pipeProducer).toMatchObject({ id: producer.id, paused: true });
    const consumer = await output.consume({ producerId: producer.id, rtpCapabilities: to.rtpCapabilities });
    const diary: string[] = [];
    for (const event of ['producerpause', 'producerresume', 'producerclose'] as const) {
      consumer.on(event, () => diary.push(event));
    }
    expect(consumer.producerPaused).toBe(true);
    await producer.resume();
    // Who asks for it hears of it after those whom it happens to.
    await until(() => !consumer.producerPaused && !pipeConsumer!.producerPaused && !pipeProducer!.paused);
    await producer.pause();
    await until(() => consumer.producerPaused && pipeConsumer!.producerPaused && pipeProducer!.paused);
    producer.close();
    await until(() => consumer.closed && pipeConsumer!.closed && pipeProducer!.closed);
    expect(diary).toEqual(['producerresume', 'producerpause', 'producerclose']);
  });

  it('closed on the other side, on this one it is only the pipe that ends', async () => {
    const producer = await produceVideo();
    const { pipeConsumer, pipeProducer } = await from.pipeToRouter({ producerId: producer.id, router: to });
    pipeProducer!.close();
    await until(() => pipeConsumer!.closed);
    expect(producer.closed).toBe(false);
    const again = await from.pipeToRouter({ producerId: producer.id, router: to });
    expect(again.pipeProducer!.id).toBe(producer.id);
  });

  it('with another id in a router of the same worker', async () => {
    const other = await newRouter(0);
    const { id: producerId } = await produceVideo();
    const { id: dataProducerId } = await input.produceData({ label: 'x' });
    await expect(from.pipeToRouter({ producerId, router: other })).rejects.toThrow(TypeError);
    await expect(from.pipeToRouter({ dataProducerId, router: other })).rejects.toThrow(TypeError);
    const { pipeProducer } = await from.pipeToRouter({ producerId, router: other, keepId: false });
    const { pipeDataProducer } = await from.pipeToRouter({ dataProducerId, router: other, keepId: false });
    expect(pipeProducer!.id).not.toBe(producerId);
    expect(pipeDataProducer!.id).not.toBe(dataProducerId);
    expect(pipeDataProducer!.label).toBe('x');
    // One pair of transports for both, and the direct one.
    expect((await from.dump()).transportIds).toHaveLength(2);
  });

  it('data too', async () => {
    const dataProducer = await input.produceData({ label: 'chat', protocol: 'p' });
    const { pipeDataConsumer, pipeDataProducer } = await from.pipeToRouter({
      dataProducerId: dataProducer.id,
      router: to,
    });
    const dataConsumer = await output.consumeData({ dataProducerId: dataProducer.id });
    expect([dataConsumer.label, dataConsumer.protocol]).toEqual(['chat', 'p']);
    await dataProducer.pause();
    const areAll = (isPaused: boolean): boolean =>
      dataConsumer.dataProducerPaused === isPaused &&
      pipeDataConsumer!.dataProducerPaused === isPaused &&
      pipeDataProducer!.paused === isPaused;
    await until(() => areAll(true));
    await dataProducer.resume();
    await until(() => areAll(false));
    dataProducer.close();
    await until(() => dataConsumer.closed && pipeDataConsumer!.closed && pipeDataProducer!.closed);
  });
});

it('messages go over a pipe with who they are for, in order, and none are lost', async () => {
  const producer = await input.produceData();
  const { pipeDataConsumer } = await from.pipeToRouter({ dataProducerId: producer.id, router: to });
  const received: string[] = [];
  for (const subchannels of [[1], [1, 2], []]) {
    const consumer = await output.consumeData({ dataProducerId: producer.id, subchannels });
    consumer.on('message', (message, ppid) => {
      received.push(`${subchannels.join('+')} got ${message.toString().slice(0, 9)} ${ppid}`);
    });
  }
  // Nothing is sent before SCTP is up.
  for (let i = 0; received.length === 0 && i < 400; i++) {
    producer.send('first');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  producer.send('mark');
  await until(() => received.some((one) => one === ' got mark 51'));
  received.length = 0;
  const big = 'x'.repeat(200_000);
  producer.send(`to-one-${big}`, undefined, [1]);
  producer.send(Buffer.from('to-two---'), undefined, [2, 9]);
  producer.send('needs-two', undefined, [1], 2);
  producer.send('not-two--', undefined, [1], undefined, 2);
  producer.send('to-nine--', undefined, [9]);
  producer.send('end');
  await until(() => received.includes(' got end 51'));
  expect(received.sort()).toEqual([
    ' got end 51',
    '1 got end 51',
    '1 got not-two-- 51',
    '1 got to-one-xx 51',
    '1+2 got end 51',
    '1+2 got needs-two 51',
    '1+2 got to-one-xx 51',
    '1+2 got to-two--- 53',
  ]);
  expect(pipeDataConsumer!.subchannels).toEqual([]);
});

/** Datagrams between two ports, some of which are lost on their way there. */
class LossyPath {
  lost = 0;
  /** Packets of media that have come here while some get lost. */
  met = 0;
  readonly #near: Socket;
  readonly #far: Socket;

  private constructor(near: Socket, far: Socket, nearPort: number, farPort: number, isLossy: () => boolean) {
    this.#near = near;
    this.#far = far;
    near.on('message', (bytes) => {
      // SCTP does not begin like RTP.
      const isMedia = bytes[0]! >>> 6 === 2 && !isRtcp(bytes);
      if (isLossy() && isMedia && ++this.met % 10 === 7) this.lost++;
      else far.send(bytes, farPort, IP);
    });
    far.on('message', (bytes) => near.send(bytes, nearPort, IP));
  }

  static async open(nearPort: number, farPort: number, isLossy: () => boolean): Promise<LossyPath> {
    const sockets = [createSocket('udp4').bind(0, IP), createSocket('udp4').bind(0, IP)] as const;
    await Promise.all(sockets.map((socket) => once(socket, 'listening')));
    return new LossyPath(...sockets, nearPort, farPort, isLossy);
  }

  /** What each end takes for the other. */
  get ports(): readonly [near: number, far: number] {
    return [this.#near.address().port, this.#far.address().port];
  }

  close(): void {
    this.#near.close();
    this.#far.close();
  }
}

it.each([
  { enableRtx: true, enableSrtp: false },
  { enableRtx: true, enableSrtp: true },
  { enableRtx: false, enableSrtp: true },
])('what a pipe loses is sent again where it has RTX: %o', async ({ enableRtx, enableSrtp }) => {
  const options = { listenInfo: { protocol: 'udp', ip: IP }, enableRtx, enableSrtp } as const;
  const [near, far] = [await from.createPipeTransport(options), await to.createPipeTransport(options)];
  let isLossy = false;
  const path = await LossyPath.open(near.tuple.localPort, far.tuple.localPort, () => isLossy);
  closing.push(() => path.close());
  const keys = (transport: typeof near): object =>
    transport.srtpParameters === undefined ? {} : { srtpParameters: transport.srtpParameters };
  await near.connect({ ip: IP, port: path.ports[0], ...keys(far) });
  await far.connect({ ip: IP, port: path.ports[1], ...keys(near) });
  const producer = await produceVideo();
  const piped = await near.consume({ producerId: producer.id });
  const { kind, rtpParameters } = piped;
  const pipeProducer = await far.produce({ id: producer.id, kind, rtpParameters });
  const consumer = await output.consume({ producerId: pipeProducer.id, rtpCapabilities: to.rtpCapabilities });
  const timestamps = new Set<number>();
  let doubled = 0;
  consumer.on('rtp', (packet) => {
    const view = new RtpPacketView();
    if (!view.look(packet)) return;
    if (timestamps.has(view.timestamp)) doubled++;
    timestamps.add(view.timestamp);
  });
  let number = 0;
  const send = async (isKeyFrame: boolean): Promise<void> => {
    producer.send(Buffer.from(vp8Packet({ sequenceNumber: number++, isKeyFrame })));
    await new Promise((resolve) => setTimeout(resolve, 4));
  };
  while (timestamps.size === 0) await send(true);
  isLossy = true;
  const first = number;
  while (number < first + 150) await send(false);
  // They come here from another process, which may have other things to do.
  await until(() => path.met >= 150);
  isLossy = false;
  // What is lost last is missed only when something follows.
  const last = number;
  await send(false);
  await until(() => timestamps.has(last * 3000));
  const missing = (): number =>
    Array.from({ length: 150 }, (_, i) => (first + i) * 3000).filter((one) => !timestamps.has(one)).length;
  expect(path.lost).toBeGreaterThanOrEqual(15);
  if (enableRtx) await until(() => missing() === 0);
  else expect(missing()).toBe(path.lost);
  expect(doubled).toBe(0);
  const [sent] = await piped.getStats();
  expect(sent!.packetsRetransmitted > 0).toBe(enableRtx);
});

it.each([
  { enableSrtp: false, enableRtx: false },
  { enableSrtp: true, enableRtx: true },
])('simulcast goes through a pipe, and what the other side chooses is asked for: %o', async (options) => {
  const encodings = [{ ssrc: 1000 }, { ssrc: 2000 }];
  const producer = await input.produce({ kind: 'video', rtpParameters: { ...VP8_SENDER, encodings } as never });
  const { pipeConsumer, pipeProducer } = await from.pipeToRouter({ producerId: producer.id, router: to, ...options });
  expect([pipeConsumer!.type, pipeProducer!.type]).toEqual(['pipe', 'simulcast']);
  const [low, high] = pipeProducer!.rtpParameters.encodings!.map(({ ssrc }) => ssrc!);
  expect(low).not.toBe(high);
  const consumer = await output.consume({ producerId: producer.id, rtpCapabilities: to.rtpCapabilities });
  let received = 0;
  consumer.on('rtp', () => received++);
  /** Streams a key frame is wanted of, as the sender is told: it makes none otherwise. */
  const wanted = new Set<number>();
  input.on('rtcp', (compound) => {
    for (const packet of parseRtcp(compound, { reducedSize: true }).packets) {
      if (packet.type === 'payload-feedback' && isPictureLossIndication(packet)) wanted.add(packet.mediaSsrc);
    }
  });
  let number = 0;
  const sendUntil = async (condition: () => boolean): Promise<void> => {
    const end = number + 1000;
    for (; !condition(); number++) {
      if (number > end) throw new RangeError('it did not come');
      for (const ssrc of [1000, 2000]) {
        const isKeyFrame = wanted.delete(ssrc);
        producer.send(Buffer.from(vp8Packet({ ssrc, sequenceNumber: number, isKeyFrame })));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  for (const spatialLayer of [0, 1, 0]) {
    await consumer.setPreferredLayers({ spatialLayer });
    await sendUntil(() => consumer.currentLayers?.spatialLayer === spatialLayer);
    const before = received;
    await sendUntil(() => received >= before + 20);
  }
  const stats = await pipeProducer!.getStats();
  expect(stats.map(({ ssrc }) => ssrc)).toEqual([low, high]);
  for (const one of stats) expect(one).toMatchObject({ packetsLost: 0, score: 10 });
});
