/** Plain transports as an application and strangers meet them, over real sockets. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nodeSrtpCrypto } from '../../../src/io/srtp-cipher.ts';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type {
  PlainTransport,
  PlainTransportOptions,
  Producer,
  Router,
  SrtpParameters,
  TransportListenInfo,
  Worker,
} from '../../../src/mediasoup/types.ts';
import { isRtcp } from '../../../src/protocol/rtp/rtcp-packet.ts';
import { writeReceiverReport } from '../../../src/protocol/rtp/rtcp-report.ts';
import { SignalledSrtp } from '../../../src/sfu/transports/srtp-parameters.ts';
import { ByteWriter } from '../../../src/wire/byte-writer.ts';
import { freePortPair, freePorts } from '../../peers/free-ports.ts';
import { plainTransport, VP8_MAPPING, VP8_SENDER, VP8_VIEWER, virtualRouter, vp8Packet } from './sfu-kit.ts';

const IP = '127.0.0.1';
const listenInfo: TransportListenInfo = { protocol: 'udp', ip: IP };
const closing: (() => void)[] = [];

let worker: Worker;
let router: Router;

beforeAll(async () => {
  worker = await createWorker({ inProcess: true });
});

afterAll(() => worker.close());

beforeEach(async () => {
  router = await worker.createRouter({ mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }] });
  closing.push(() => router.close());
});

afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new RangeError('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A socket that remembers what comes. */
class Stranger {
  readonly received: Buffer[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => this.received.push(bytes));
  }

  static async open(ip = IP): Promise<Stranger> {
    const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4').bind(0, ip);
    await once(socket, 'listening');
    closing.push(() => socket.close());
    return new Stranger(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Resolves when the system has taken it. */
  send(bytes: Uint8Array, port: number, ip = IP): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, port, ip, (error) => (error === null ? resolve() : reject(error)));
    });
  }
}

function open(options: Partial<PlainTransportOptions> = {}): Promise<PlainTransport> {
  return router.createPlainTransport({ listenInfo, ...options });
}

function produce(transport: PlainTransport): Promise<Producer> {
  const rtcpFeedback = [{ type: 'nack', parameter: 'pli' }];
  const codec = { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, rtcpFeedback };
  return transport.produce({ kind: 'video', rtpParameters: { codecs: [codec], encodings: [{ ssrc: 1000 }] } });
}

async function packetCount(producer: Producer): Promise<number> {
  return (await producer.getStats())[0]?.packetCount ?? 0;
}

function receiverReport(): Uint8Array {
  const out = new ByteWriter();
  writeReceiverReport({ ssrc: 77, reports: [] }, out);
  return out.finish();
}

const KEY: SrtpParameters = {
  cryptoSuite: 'AES_CM_128_HMAC_SHA1_80',
  keyBase64: Buffer.alloc(30, 7).toString('base64'),
};

describe('connect() refuses with a TypeError', () => {
  const address = { ip: IP, port: 5004 };
  it.each<[string, Partial<PlainTransportOptions>, Parameters<PlainTransport['connect']>[0]]>([
    ['nothing', {}, {}],
    ['no port', {}, { ip: IP }],
    ['no address', {}, { port: 5004 }],
    ['what is no address', {}, { ip: '::::1234', port: 5004 }],
    ['a name', {}, { ip: 'localhost', port: 5004 }],
    ['an address of the other family', {}, { ip: '::1', port: 5004 }],
    ['port 0', {}, { ip: IP, port: 0 }],
    ['port 65536', {}, { ip: IP, port: 65_536 }],
    ['half a port', {}, { ip: IP, port: 5004.5 }],
    ['a port in words', {}, { ip: IP, port: 'five thousand' as never }],
    ['a port for RTCP where it has none of its own', {}, { ...address, rtcpPort: 5005 }],
    ['no port for RTCP where it has one', { rtcpMux: false }, address],
    ['keys where there is no SRTP', {}, { ...address, srtpParameters: KEY }],
    ['no keys where there is SRTP', { enableSrtp: true }, address],
    ['no keys, nor an address', { enableSrtp: true, comedia: true }, {}],
    [
      'an unknown suite',
      { enableSrtp: true },
      { ...address, srtpParameters: { ...KEY, cryptoSuite: 'ARIA_128' as never } },
    ],
    ['a short key', { enableSrtp: true }, { ...address, srtpParameters: { ...KEY, keyBase64: 'AAAA' } }],
  ])('%s', async (_, options, wrong) => {
    const transport = await open(options);
    await expect(transport.connect(wrong)).rejects.toBeInstanceOf(TypeError);
    // And it can be done right afterwards, once.
    const right = {
      ...(options.comedia === true ? {} : address),
      ...(options.rtcpMux === false ? { rtcpPort: 5005 } : {}),
      ...(options.enableSrtp === true ? { srtpParameters: KEY } : {}),
    };
    await transport.connect(right);
    await expect(transport.connect(right)).rejects.toThrow(/before/);
  });
});

it('connect() tells where the peer is, and its suite is taken', async () => {
  const transport = await open({ rtcpMux: false, enableSrtp: true });
  const before = transport.srtpParameters!;
  expect(before.cryptoSuite).toBe('AES_CM_128_HMAC_SHA1_80');
  const srtpParameters: SrtpParameters = {
    cryptoSuite: 'AEAD_AES_256_GCM',
    keyBase64: Buffer.alloc(44, 1).toString('base64'),
  };
  await transport.connect({ ip: '127.0.0.3', port: 7000, rtcpPort: 7001, srtpParameters });
  expect(transport.tuple).toMatchObject({ remoteIp: '127.0.0.3', remotePort: 7000, localAddress: IP, protocol: 'udp' });
  expect(transport.rtcpTuple).toMatchObject({ remoteIp: '127.0.0.3', remotePort: 7001 });
  const { cryptoSuite, keyBase64 } = transport.srtpParameters!;
  expect(cryptoSuite).toBe('AEAD_AES_256_GCM');
  expect(Buffer.from(keyBase64, 'base64')).toHaveLength(44);
  expect(await transport.dump()).toMatchObject({ rtcpMux: false, comedia: false, srtpParameters: { cryptoSuite } });
});

describe('it listens', () => {
  it('in a range of ports, until they are taken', async () => {
    const wanted = await freePorts(4);
    const [min, max] = [wanted[0]!, wanted[3]!];
    const ranged: TransportListenInfo = { ...listenInfo, portRange: { min, max } };
    const first = await open({ listenInfo: ranged, rtcpMux: false });
    const ports = [first.tuple.localPort, first.rtcpTuple!.localPort];
    for (let i = 0; i < 2; i++) ports.push((await open({ listenInfo: ranged })).tuple.localPort);
    expect(ports.toSorted((a, b) => a - b)).toEqual(wanted);
    await expect(open({ listenInfo: ranged })).rejects.toThrow(Error);
    first.close();
    await until(async () => {
      try {
        return ports.slice(0, 2).includes((await open({ listenInfo: ranged })).tuple.localPort);
      } catch {
        return false;
      }
    });
  });

  it('on the port it is told, with RTCP on the next or where it is told', async () => {
    const taken = (await Stranger.open()).port;
    await expect(open({ listenInfo: { ...listenInfo, port: taken } })).rejects.toThrow(Error);
    const [port, next] = await freePortPair();
    const transport = await open({ listenInfo: { ...listenInfo, port }, rtcpMux: false });
    expect([transport.tuple.localPort, transport.rtcpTuple!.localPort]).toEqual([port, next]);
    const rtcpListenInfo: TransportListenInfo = { ...listenInfo, ip: '127.0.0.2' };
    expect((await open({ rtcpMux: false, rtcpListenInfo })).rtcpTuple!.localAddress).toBe('127.0.0.2');
  });

  it('under the address it is announced by', async () => {
    const transport = await open({ listenInfo: { ...listenInfo, announcedAddress: 'media.example.com' } });
    expect(transport.tuple).toMatchObject({ localAddress: 'media.example.com', localIp: 'media.example.com' });
    expect(transport.tuple).not.toHaveProperty('remoteIp');
  });

  it.each([
    ['::1', '::1', '::1'],
    ['::', '::1', '::1'],
  ])('on %s, to %s, who is then %s', async (ip, to, shown) => {
    const transport = await open({ listenInfo: { protocol: 'udp', ip }, comedia: true });
    const producer = await produce(transport);
    const stranger = await Stranger.open('::1');
    await stranger.send(vp8Packet({ sequenceNumber: 1 }), transport.tuple.localPort, to);
    await until(async () => (await packetCount(producer)) === 1);
    expect(transport.tuple).toMatchObject({ remoteIp: shown, remotePort: stranger.port });
    await expect(
      (await open({ listenInfo: { protocol: 'udp', ip: '::1' } })).connect({ ip: to, port: 9 }),
    ).resolves.toBe(undefined);
  });

  it('not on an address that is not here', async () => {
    await expect(open({ listenInfo: { ...listenInfo, ip: '8.8.8.8' } })).rejects.toThrow(Error);
  });
});

describe('with comedia', () => {
  it('who sends first is the peer, of media and of reports each, and nobody else', async () => {
    const transport = await open({ comedia: true, rtcpMux: false });
    const producer = await produce(transport);
    const told: unknown[] = [];
    for (const event of ['tuple', 'rtcptuple'] as const) {
      transport.on(event, ({ remotePort }) => told.push([event, remotePort]));
      transport.observer.on(event, ({ remotePort }) => told.push([`observer ${event}`, remotePort]));
    }
    const [media, reports, other] = await Promise.all([Stranger.open(), Stranger.open(), Stranger.open()]);
    const { localPort } = transport.tuple;
    const rtcpPort = transport.rtcpTuple!.localPort;
    await media.send(vp8Packet({ sequenceNumber: 1 }), localPort);
    await until(() => told.length === 2);
    // It asks for a key frame at once, and there is nowhere to ask yet: not where media comes from.
    const viewer = await router.createDirectTransport();
    await viewer.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
    await reports.send(receiverReport(), rtcpPort);
    await until(() => told.length === 4);
    expect(told).toEqual([
      ['tuple', media.port],
      ['observer tuple', media.port],
      ['rtcptuple', reports.port],
      ['observer rtcptuple', reports.port],
    ]);
    for (let i = 2; i < 20; i++) await other.send(vp8Packet({ sequenceNumber: i }), localPort);
    await other.send(receiverReport(), rtcpPort);
    await media.send(vp8Packet({ sequenceNumber: 2 }), localPort);
    await until(async () => (await packetCount(producer)) === 2);
    expect(transport.tuple.remotePort).toBe(media.port);
    expect(transport.rtcpTuple!.remotePort).toBe(reports.port);
    // Its receiver reports go where reports come from, and only there.
    await until(() => reports.received.some((bytes) => isRtcp(bytes)));
    expect([media.received.length, other.received.length]).toEqual([0, 0]);
    expect(told).toHaveLength(4);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a STUN message', Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)],
    ['RTP that is cut off', vp8Packet({ sequenceNumber: 1 }).subarray(0, 11)],
    ['RTP with more contributors than bytes', Uint8Array.of(0x8f, 96, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0xe8)],
    ['RTCP longer than itself', Uint8Array.of(0x80, 201, 0, 99, 0, 0, 0, 1)],
    ['SCTP that begins nothing', new Uint8Array(64).fill(0x13)],
    ['noise', new Uint8Array(65_000).fill(0xff)],
  ])('%s makes nobody the peer', async (_, bytes) => {
    const transport = await open({ comedia: true, enableSctp: true });
    const producer = await produce(transport);
    const [peer, other] = await Promise.all([Stranger.open(), Stranger.open()]);
    await other.send(bytes, transport.tuple.localPort);
    await peer.send(vp8Packet({ sequenceNumber: 1 }), transport.tuple.localPort);
    await until(async () => (await packetCount(producer)) === 1);
    expect(transport.tuple.remotePort).toBe(peer.port);
  });

  it('and SRTP, only who has the keys is the peer', async () => {
    const transport = await open({ comedia: true, enableSrtp: true, enableSctp: true });
    const producer = await produce(transport);
    const support = { crypto: nodeSrtpCrypto, randomBytes: (size: number) => new Uint8Array(size).fill(size) };
    const keys = new SignalledSrtp('AES_CM_128_HMAC_SHA1_80', support);
    const [peer, other] = await Promise.all([Stranger.open(), Stranger.open()]);
    const protect = (sequenceNumber: number): Uint8Array => {
      const packet = vp8Packet({ sequenceNumber });
      const room = new Uint8Array(packet.length + keys.sender.rtpOverheadBytes);
      room.set(packet);
      return room.subarray(0, keys.sender.protectRtp(room, 0, packet.length));
    };
    const { localPort } = transport.tuple;
    await transport.connect({ srtpParameters: keys.localParameters as SrtpParameters });
    await other.send(vp8Packet({ sequenceNumber: 2 }), localPort);
    await other.send(receiverReport(), localPort);
    const forged = protect(3);
    forged[20] = forged[20]! ^ 1;
    await other.send(forged, localPort);
    await peer.send(protect(4), localPort);
    await until(async () => (await packetCount(producer)) === 1);
    expect(transport.tuple.remotePort).toBe(peer.port);
    // Nor does it help to have them later.
    await other.send(protect(5), localPort);
    await peer.send(protect(6), localPort);
    await until(async () => (await packetCount(producer)) === 2);
  });
});

it('with SRTP, producers and consumers may come and go as often as in a long call', () => {
  const { router: virtual, world } = virtualRouter();
  const srtp = { srtpCryptoSuite: 'AES_CM_128_HMAC_SHA1_80' };
  const [from, to] = [plainTransport(virtual, 'from', srtp), plainTransport(virtual, 'to', srtp)];
  const support = { crypto: nodeSrtpCrypto, randomBytes: (size: number) => new Uint8Array(size).fill(7) };
  const keys = new SignalledSrtp(srtp.srtpCryptoSuite, support);
  for (const { transport } of [from, to]) {
    transport.connect({ ip: '192.0.2.1', port: 5004, srtpParameters: keys.localParameters });
  }
  const ENDED = 600;
  for (let i = 0; i < ENDED; i++) {
    const ssrc = 1000 + i;
    const before = to.peer.datagrams.length;
    from.transport.produce({
      id: `p${i}`,
      kind: 'video',
      rtpParameters: { ...VP8_SENDER, encodings: [{ ssrc }] },
      rtpMapping: { ...VP8_MAPPING, encodings: [{ ssrc, mappedSsrc: 5000 + i }] },
    });
    to.transport.consume(`p${i}`, {
      id: `c${i}`,
      kind: 'video',
      type: 'simple',
      rtpParameters: { ...VP8_VIEWER, encodings: [{ ssrc: 7000 + i }] },
      consumableRtpEncodings: [{ ssrc: 5000 + i }],
    });
    const packet = vp8Packet({ sequenceNumber: 1, ssrc, isKeyFrame: true });
    const room = new Uint8Array(packet.length + keys.sender.rtpOverheadBytes);
    room.set(packet);
    from.peer.send(room.subarray(0, keys.sender.protectRtp(room, 0, packet.length)));
    world.run(10);
    expect(to.peer.datagrams.length, `of producer ${i}`).toBeGreaterThan(before);
    from.transport.closeProducer(`p${i}`);
  }
  virtual.close();
  expect(world.timers).toBe(0);
});
