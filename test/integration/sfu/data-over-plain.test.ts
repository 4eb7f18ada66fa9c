/** Messages over SCTP on plain transports, and to and from control. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type { DataConsumer, DirectTransport, PlainTransport, Router, Worker } from '../../../src/mediasoup/types.ts';

const IP = '127.0.0.1';
const listenInfo = { protocol: 'udp', ip: IP } as const;
const closing: (() => void)[] = [];

let worker: Worker;
let router: Router;
let direct: DirectTransport;

beforeAll(async () => {
  worker = await createWorker({ inProcess: true });
});

afterAll(() => worker.close());

beforeEach(async () => {
  router = await worker.createRouter();
  closing.push(() => router.close());
  direct = await router.createDirectTransport();
});

afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new RangeError('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function whenConnected(...transports: readonly PlainTransport[]): Promise<void> {
  await until(() => transports.every(({ sctpState }) => sctpState === 'connected'));
}

/** What a data consumer on the direct transport hears of a stream of SCTP that ends at `transport`. */
async function listen(transport: PlainTransport, streamId: number): Promise<{ messages: [Buffer, number][] }> {
  const producer = await transport.produceData({ sctpStreamParameters: { streamId, ordered: true }, label: 'x' });
  const consumer = await direct.consumeData({ dataProducerId: producer.id });
  const messages: [Buffer, number][] = [];
  consumer.on('message', (message, ppid) => messages.push([message, ppid]));
  return { messages };
}

/** A way from control into a stream of SCTP that begins at `transport`. */
async function speak(transport: PlainTransport): Promise<DataConsumer> {
  const producer = await direct.produceData({ label: 'x' });
  return transport.consumeData({ dataProducerId: producer.id });
}

const KINDS: readonly (readonly [sent: string | Buffer, ppid: number, received: Buffer])[] = [
  ['text', 51, Buffer.from('text')],
  [Buffer.from([0, 1, 2]), 53, Buffer.from([0, 1, 2])],
  ['', 56, Buffer.from(' ')],
  [Buffer.alloc(0), 57, Buffer.from([0])],
  [Buffer.alloc(200_000, 7), 53, Buffer.alloc(200_000, 7)],
];

describe.each([
  ['that know each other', false],
  ['of which one waits to see who comes', true],
])('two plain transports %s', (_, comedia) => {
  it('carry messages of every kind both ways, in order', async () => {
    const options = { listenInfo, enableSctp: true };
    const one = await router.createPlainTransport(options);
    const other = await router.createPlainTransport({ ...options, comedia });
    const states: string[] = [];
    other.on('sctpstatechange', (state) => states.push(state));
    await one.connect({ ip: IP, port: other.tuple.localPort });
    if (!comedia) await other.connect({ ip: IP, port: one.tuple.localPort });
    await whenConnected(one, other);
    expect(states).toEqual(['connecting', 'connected']);
    expect(other.tuple.remotePort).toBe(one.tuple.localPort);
    expect(other.sctpNegotiatedCapabilities?.negotiatedMaxInboundStreams).toBeGreaterThan(1000);
    for (const [near, far] of [
      [one, other],
      [other, one],
    ] as const) {
      const mouth = await speak(near);
      const ear = await listen(far, mouth.sctpStreamParameters!.streamId);
      let sentBytes = 0;
      for (const [message] of KINDS) await mouth.send(message as string);
      for (const [, , bytes] of KINDS) sentBytes += bytes.length;
      await until(() => ear.messages.length === KINDS.length);
      expect(ear.messages.map(([, ppid]) => ppid)).toEqual(KINDS.map(([, ppid]) => ppid));
      for (const [i, [message]] of ear.messages.entries()) expect(message.equals(KINDS[i]![2])).toBe(true);
      expect(await mouth.getStats()).toMatchObject([
        { type: 'data-consumer', label: 'x', messagesSent: KINDS.length, bytesSent: sentBytes, bufferedAmount: 0 },
      ]);
    }
    const [stats] = await one.getStats();
    expect(stats).toMatchObject({ type: 'plain-rtp-transport', sctpState: 'connected' });
    expect(stats!.bytesSent).toBeGreaterThan(200_000);
    expect(stats!.bytesReceived).toBeGreaterThan(200_000);
    other.close();
    await until(() => one.sctpState === 'failed' || one.sctpState === 'closed');
  });
});

/** Between two ports of UDP; nothing passes while it is shut. */
class Gate {
  isShut = false;
  readonly #sockets: readonly [Socket, Socket];

  private constructor(sockets: readonly [Socket, Socket], ports: readonly [number, number]) {
    this.#sockets = sockets;
    for (const [i, socket] of sockets.entries()) {
      socket.on('message', (bytes) => {
        if (!this.isShut) sockets[1 - i]!.send(bytes, ports[1 - i]!, IP);
      });
    }
  }

  static async open(ports: readonly [number, number]): Promise<Gate> {
    const sockets = [createSocket('udp4').bind(0, IP), createSocket('udp4').bind(0, IP)] as const;
    await Promise.all(sockets.map((socket) => once(socket, 'listening')));
    return new Gate(sockets, ports);
  }

  /** What the first end takes for the second, and the other way round. */
  get ports(): readonly [number, number] {
    return [this.#sockets[0].address().port, this.#sockets[1].address().port];
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

it('what waits to be sent is told, bounded, and told again when it has become little', async () => {
  const options = { listenInfo, enableSctp: true, sctpSendBufferSize: 500_000, sctpPerStreamSendQueueLimit: 400_000 };
  const [one, other] = [await router.createPlainTransport(options), await router.createPlainTransport(options)];
  const gate = await Gate.open([one.tuple.localPort, other.tuple.localPort]);
  closing.push(() => gate.close());
  await one.connect({ ip: IP, port: gate.ports[0] });
  await other.connect({ ip: IP, port: gate.ports[1] });
  await whenConnected(one, other);
  const mouth = await speak(one);
  const ear = await listen(other, mouth.sctpStreamParameters!.streamId);
  const diary: string[] = [];
  mouth.on('sctpsendbufferfull', () => diary.push('full'));
  mouth.on('bufferedamountlow', (bytes) => diary.push(bytes <= 100_000 ? 'low' : `low at ${bytes}`));
  await mouth.setBufferedAmountLowThreshold(100_000);
  expect((await mouth.dump()).bufferedAmountLowThreshold).toBe(100_000);
  gate.isShut = true;
  let sent = 0;
  let waiting = 0;
  for (let isRefused = false; !isRefused; ) {
    try {
      waiting = await mouth.send(Buffer.alloc(50_000, sent));
      sent++;
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      isRefused = true;
    }
  }
  await until(() => diary.includes('full'));
  expect(waiting).toBeGreaterThan(300_000);
  expect(waiting).toBeLessThanOrEqual(400_000);
  expect(await mouth.getBufferedAmount()).toBe(waiting);
  gate.isShut = false;
  await until(() => ear.messages.length === sent);
  expect(ear.messages.map(([message]) => message[0])).toEqual(Array.from({ length: sent }, (_, i) => i));
  expect(diary).toEqual(['full', 'low']);
  expect(await mouth.getBufferedAmount()).toBe(0);
});

describe('data of a direct transport', () => {
  it('comes as it was given, of every kind', async () => {
    const producer = await direct.produceData({ label: 'l', protocol: 'p' });
    const consumer = await direct.consumeData({ dataProducerId: producer.id });
    const messages: [Buffer, number][] = [];
    consumer.on('message', (message, ppid) => messages.push([message, ppid]));
    for (const [message] of KINDS) producer.send(message);
    await until(() => messages.length === KINDS.length);
    expect(messages.map(([, ppid]) => ppid)).toEqual(KINDS.map(([, ppid]) => ppid));
    for (const [i, [message]] of messages.entries()) expect(message.equals(KINDS[i]![2])).toBe(true);
    expect(await producer.getStats()).toMatchObject([
      { type: 'data-producer', label: 'l', protocol: 'p', messagesReceived: KINDS.length, bytesReceived: 200_009 },
    ]);
    expect(await consumer.getStats()).toMatchObject([
      { type: 'data-consumer', messagesSent: KINDS.length, bytesSent: 200_009, bufferedAmount: 0 },
    ]);
  });

  it('is dropped when it is longer than either side takes', async () => {
    const [small, large] = await Promise.all([
      router.createDirectTransport({ maxReceiveMessageSize: 10, maxSendMessageSize: 20 }),
      router.createDirectTransport({ maxReceiveMessageSize: 100, maxSendMessageSize: 100 }),
    ]);
    const heard: string[] = [];
    const connect = async (from: DirectTransport, to: DirectTransport): Promise<(size: number) => void> => {
      const producer = await from.produceData();
      const consumer = await to.consumeData({ dataProducerId: producer.id });
      consumer.on('message', (message) => heard.push(`${from === small ? 'small' : 'large'} ${message.length}`));
      return (size) => producer.send(Buffer.alloc(size, 1));
    };
    const [up, down] = [await connect(small, large), await connect(large, small)];
    for (const size of [10, 11]) up(size);
    for (const size of [20, 21, 100, 1]) down(size);
    await until(() => heard.includes('large 1'));
    expect(heard).toEqual(['small 10', 'large 20', 'large 1']);
  });

  it('goes to whom it is for, as that changes', async () => {
    const producer = await direct.produceData();
    const consumer = await direct.consumeData({ dataProducerId: producer.id, subchannels: [1, 1, 2] });
    const heard: string[] = [];
    consumer.on('message', (message) => heard.push(message.toString()));
    let turn = 0;
    /** Sends one of each, and gives those that came. */
    const sendAll = async (): Promise<string> => {
      heard.length = 0;
      producer.send('a');
      producer.send('b', undefined, [1]);
      producer.send('c', undefined, [2, 7]);
      producer.send('d', undefined, [], 1);
      producer.send('e', undefined, [1, 2], 3);
      producer.send('f', undefined, [], undefined, 2);
      const mark = `end ${turn++}`;
      const others = await direct.consumeData({ dataProducerId: producer.id });
      const isOver = once(others, 'message');
      producer.send(mark);
      await isOver;
      others.close();
      return heard.filter((one) => !one.startsWith('end')).join('');
    };
    expect(await sendAll()).toBe('abcd');
    await consumer.removeSubchannel(1);
    expect(consumer.subchannels).toEqual([2]);
    expect(await sendAll()).toBe('ac');
    await consumer.addSubchannel(3);
    await consumer.addSubchannel(3);
    expect(new Set(consumer.subchannels)).toEqual(new Set([2, 3]));
    expect(await sendAll()).toBe('ace');
    await consumer.setSubchannels([]);
    expect(await sendAll()).toBe('af');
    await consumer.pause();
    expect(await sendAll()).toBe('');
    await consumer.resume();
    await producer.pause();
    producer.send('x');
    await producer.resume();
    expect(await sendAll()).toBe('af');
    expect(heard).not.toContain('x');
    expect(await consumer.dump()).toMatchObject({ paused: false, dataProducerPaused: false, subchannels: [] });
  });
});
