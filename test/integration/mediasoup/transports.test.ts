import { describe, expect, it, vi } from 'vitest';
import { NotFoundError, UnsupportedError, WorkerClosedError } from '../../../src/mediasoup/errors.ts';
import type { DtlsParameters, PlainTransportOptions, SrtpParameters } from '../../../src/mediasoup/types.ts';
import { WebRtcServerImpl } from '../../../src/mediasoup/web-rtc-server.ts';
import { record, ScriptedWorker, turns } from './scripted-worker.ts';

const listenInfos = [{ protocol: 'udp' as const, ip: '127.0.0.1' }];
const listenInfo = listenInfos[0]!;
const sctpDefaults = {
  enableSctp: false,
  maxSendMessageSize: 262144,
  maxReceiveMessageSize: 262144,
  sctpSendBufferSize: 2000000,
  sctpPerStreamSendQueueLimit: 2000000,
  sctpMaxReceiverWindowBufferSize: 5242880,
  sctpDefaultStreamBufferedAmountLowThreshold: 1024,
};
const dtlsParameters: DtlsParameters = { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: 'AA:BB' }] };
const srtpParameters: SrtpParameters = {
  cryptoSuite: 'AEAD_AES_256_GCM',
  keyBase64: Buffer.alloc(44, 1).toString('base64'),
};

describe('WebRtcTransport', () => {
  it('asks the worker with every default, and shows what it answers', async () => {
    const worker = new ScriptedWorker();
    const router = worker.router();
    const onNew = vi.fn<(transport: unknown) => void>();
    router.observer.on('newtransport', onNew);
    const transport = await router.createWebRtcTransport({ listenInfos, appData: { a: 1 } });
    expect(onNew).toHaveBeenCalledExactlyOnceWith(transport);
    expect(worker.requests).toEqual([
      {
        method: 'router.createWebRtcTransport',
        internal: { routerId: 'router', transportId: transport.id },
        data: {
          listenInfos,
          enableUdp: true,
          enableTcp: true,
          preferUdp: false,
          preferTcp: false,
          initialAvailableOutgoingBitrate: 600000,
          iceConsentTimeout: 30,
          ...sctpDefaults,
          isDataChannel: true,
        },
        payload: undefined,
      },
    ]);
    expect(transport).toMatchObject({
      type: 'webrtc',
      closed: false,
      appData: { a: 1 },
      iceRole: 'controlled',
      iceState: 'new',
      iceSelectedTuple: undefined,
      dtlsState: 'new',
      dtlsRemoteCert: undefined,
      sctpParameters: undefined,
      sctpState: undefined,
    });
    expect(transport.constructor.name).toBe('WebRtcTransportImpl');
    expect(transport.iceCandidates[0]).toMatchObject({ ip: '127.0.0.1', address: '127.0.0.1' });
    transport.iceParameters.password = 'changed';
    transport.appData = { a: 2 };
    expect(transport.iceParameters.password).toBe('p');
    expect(transport.appData).toEqual({ a: 2 });
  });

  it('takes the names other versions had', async () => {
    const worker = new ScriptedWorker();
    await worker.router().createWebRtcTransport({
      listenIps: [{ ip: '127.0.0.1', announcedIp: '9.9.9.1' }, '::1'],
      port: 5,
      enableTcp: true,
      preferTcp: true,
      enableSctp: true,
      numSctpStreams: { OS: 1024, MIS: 1024 },
      maxSctpMessageSize: 1000,
    });
    expect(worker.last('router.createWebRtcTransport')).toMatchObject({
      listenInfos: [
        { protocol: 'tcp', ip: '127.0.0.1', announcedAddress: '9.9.9.1', port: 5 },
        { protocol: 'udp', ip: '127.0.0.1', announcedAddress: '9.9.9.1', port: 5 },
        { protocol: 'tcp', ip: '::1', port: 5 },
        { protocol: 'udp', ip: '::1', port: 5 },
      ],
      enableSctp: true,
      maxSendMessageSize: 1000,
      maxReceiveMessageSize: 1000,
      numSctpStreams: { OS: 1024, MIS: 1024 },
    });
    await worker.router().createWebRtcTransport({ listenInfos: [{ ...listenInfo, announcedIp: '9.9.9.2' }] });
    expect(worker.last('router.createWebRtcTransport')['listenInfos']).toEqual([
      { ...listenInfo, announcedAddress: '9.9.9.2' },
    ]);
  });

  it.each([
    [{}],
    [{ listenInfos: [] }],
    [{ listenInfos: '127.0.0.1' }],
    [{ listenIps: '127.0.0.1' }],
    [{ listenIps: [123] }],
    [{ listenInfos, listenIps: ['127.0.0.1'] }],
    [{ listenInfos: [{ ...listenInfo, portRange: { min: 4000, max: 3000 } }] }],
    [{ listenInfos: [{ ...listenInfo, protocol: 'sctp' }] }],
    [{ listenInfos: [{ ...listenInfo, ip: '123' }] }],
    [{ listenInfos: [{ ...listenInfo, port: 65536 }] }],
    [{ listenInfos, appData: 'x' }],
    [{ listenInfos, iceConsentTimeout: 5 }],
    [{ listenInfos, initialAvailableOutgoingBitrate: 'x' }],
    [{ webRtcServer: 'x' }],
  ])('is not created with %j', async (options) => {
    const worker = new ScriptedWorker();
    await expect(worker.router().createWebRtcTransport(options as never)).rejects.toThrow(TypeError);
    expect(worker.requests).toEqual([]);
  });

  it('connects, restarts ICE, and sets limits', async () => {
    const worker = new ScriptedWorker();
    const transport = await worker.router().createWebRtcTransport({ listenInfos });
    expect(await transport.connect({ dtlsParameters })).toBeUndefined();
    expect(transport.dtlsParameters.role).toBe('server');
    expect(await transport.restartIce()).toEqual({ usernameFragment: 'u2', password: 'p2', iceLite: true });
    expect(transport.iceParameters.usernameFragment).toBe('u2');
    await transport.setMaxIncomingBitrate(1);
    await transport.setMaxOutgoingBitrate(2);
    await transport.setMinOutgoingBitrate(0);
    await transport.enableTraceEvent(['bwe']);
    await transport.enableTraceEvent();
    expect(worker.requests.slice(3).map(({ method, data }) => [method, data])).toEqual([
      ['transport.setMaxIncomingBitrate', { bitrate: 1 }],
      ['transport.setMaxOutgoingBitrate', { bitrate: 2 }],
      ['transport.setMinOutgoingBitrate', { bitrate: 0 }],
      ['transport.enableTraceEvent', { types: ['bwe'] }],
      ['transport.enableTraceEvent', { types: [] }],
    ]);
    await expect(transport.setMaxIncomingBitrate('x' as never)).rejects.toThrow(TypeError);
    await expect(transport.enableTraceEvent('bwe' as never)).rejects.toThrow(TypeError);
    await expect(transport.enableTraceEvent([1] as never)).rejects.toThrow(TypeError);
  });

  it.each([
    [{}],
    [{ dtlsParameters: { ...dtlsParameters, role: 'chicken' } }],
    [{ dtlsParameters: { role: 'client', fingerprints: [] } }],
    [{ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256000', value: 'AA' }] } }],
    [{ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256' }] } }],
  ])('does not connect with %j', async (options) => {
    const transport = await new ScriptedWorker().router().createWebRtcTransport({ listenInfos });
    await expect(transport.connect(options as never)).rejects.toThrow(TypeError);
    expect(transport.dtlsParameters.role).toBe('auto');
  });

  it('emits what happens to it, to its observer, too', async () => {
    const worker = new ScriptedWorker();
    const transport = await worker.router().createWebRtcTransport({ listenInfos, enableSctp: true });
    const diary: string[] = [];
    const events = ['icestatechange', 'iceselectedtuplechange', 'dtlsstatechange', 'sctpstatechange', 'trace'];
    record(diary, 'transport', transport, events);
    record(diary, 'observer', transport.observer, events);
    const tuple = { localAddress: '1.1.1.1', localPort: 1, remoteIp: '2.2.2.2', remotePort: 2, protocol: 'udp' };
    await worker.notify(transport.id, 'icestatechange', { iceState: 'completed' });
    await worker.notify(transport.id, 'iceselectedtuplechange', { iceSelectedTuple: tuple });
    await worker.notify(transport.id, 'dtlsstatechange', { dtlsState: 'connected', dtlsRemoteCert: 'PEM' });
    const sctpNegotiatedCapabilities = { negotiatedMaxOutboundStreams: 1, negotiatedMaxInboundStreams: 2 };
    await worker.notify(transport.id, 'sctpstatechange', { sctpState: 'connected', sctpNegotiatedCapabilities });
    await worker.notify(transport.id, 'trace', { type: 'bwe', timestamp: 1, direction: 'out', info: {} });
    await worker.notify(transport.id, 'chicken');
    expect(diary).toEqual(events.flatMap((event) => [`transport ${event}`, `observer ${event}`]));
    expect(transport).toMatchObject({
      iceState: 'completed',
      iceSelectedTuple: { ...tuple, localIp: '1.1.1.1' },
      dtlsState: 'connected',
      dtlsRemoteCert: 'PEM',
      sctpState: 'connected',
      sctpNegotiatedCapabilities,
    });
    transport.close();
    expect(transport).toMatchObject({
      iceState: 'closed',
      iceSelectedTuple: undefined,
      dtlsState: 'closed',
      sctpState: 'closed',
    });
    await worker.notify(transport.id, 'icestatechange', { iceState: 'new' });
    expect(transport.iceState).toBe('closed');
  });

  it('belongs to a WebRTC server, which tells of it', async () => {
    const worker = new ScriptedWorker();
    const server = new WebRtcServerImpl({
      channel: worker.channel,
      internal: { webRtcServerId: 's' },
      id: 's',
      appData: undefined,
    });
    const diary: string[] = [];
    record(diary, 'server', server.observer, ['close', 'webrtctransporthandled', 'webrtctransportunhandled']);
    const router = worker.router();
    const first = await router.createWebRtcTransport({ webRtcServer: server });
    expect(worker.last('router.createWebRtcTransport')).toMatchObject({ webRtcServerId: 's', enableTcp: true });
    const second = await router.createWebRtcTransport({ webRtcServer: server });
    first.close();
    record(diary, 'transport', second, ['listenserverclose']);
    record(diary, 'transport', second.observer, ['close']);
    server.close();
    server.close();
    expect(second.closed).toBe(true);
    expect(router.transportsForTesting.size).toBe(0);
    expect(diary).toEqual([
      'server webrtctransporthandled',
      'server webrtctransporthandled',
      'server webrtctransportunhandled',
      'transport listenserverclose',
      'transport close',
      'server webrtctransportunhandled',
      'server close',
    ]);
    await turns();
    expect(worker.methods.at(-1)).toBe('worker.closeWebRtcServer');
  });
});

describe('PlainTransport', () => {
  it('asks the worker with every default, connects, and emits', async () => {
    const worker = new ScriptedWorker();
    const transport = await worker.router().createPlainTransport({ listenIp: '127.0.0.1', rtcpListenInfo: listenInfo });
    expect(worker.last('router.createPlainTransport')).toEqual({
      listenInfo,
      rtcpListenInfo: listenInfo,
      rtcpMux: false,
      comedia: false,
      ...sctpDefaults,
      isDataChannel: false,
      enableSrtp: false,
      srtpCryptoSuite: 'AES_CM_128_HMAC_SHA1_80',
    });
    expect(transport).toMatchObject({ type: 'plain', rtcpTuple: undefined, srtpParameters: undefined });
    expect(transport.tuple.localIp).toBe('127.0.0.1');
    const tuple = { localAddress: '127.0.0.1', localPort: 9, remoteIp: '1.2.3.4', remotePort: 7, protocol: 'udp' };
    worker.answers.set('transport.connect', () => ({ tuple }));
    await transport.connect({ ip: '1.2.3.4', port: 7, rtcpPort: 8 });
    expect(worker.last('transport.connect')).toEqual({ ip: '1.2.3.4', port: 7, rtcpPort: 8 });
    expect(transport.tuple).toEqual({ ...tuple, localIp: '127.0.0.1' });
    const diary: string[] = [];
    const events = ['tuple', 'rtcptuple', 'sctpstatechange'];
    record(diary, 'transport', transport, events);
    record(diary, 'observer', transport.observer, events);
    await worker.notify(transport.id, 'tuple', { tuple: { ...tuple, remotePort: 70 } });
    await worker.notify(transport.id, 'rtcptuple', { rtcpTuple: tuple });
    await worker.notify(transport.id, 'sctpstatechange', { sctpState: 'connecting' });
    expect(diary).toEqual(events.flatMap((event) => [`transport ${event}`, `observer ${event}`]));
    expect(transport.tuple.remotePort).toBe(70);
    expect(transport.rtcpTuple?.localIp).toBe('127.0.0.1');
  });

  it.each([
    [{}],
    [{ listenIp: '123' }],
    [{ listenIp: ['127.0.0.1'] }],
    [{ listenInfo: { protocol: 'tcp', ip: '127.0.0.1' } }],
    [{ listenInfo, rtcpListenInfo: { protocol: 'tcp', ip: '127.0.0.1' } }],
    [{ listenInfo, listenIp: '127.0.0.1' }],
    [{ listenInfo, srtpCryptoSuite: 'FOO' }],
    [{ listenInfo, appData: 'x' }],
  ])('is not created with %j', async (options) => {
    await expect(new ScriptedWorker().router().createPlainTransport(options as PlainTransportOptions)).rejects.toThrow(
      TypeError,
    );
  });
});

describe('SRTP of pipes', () => {
  it.each([
    [true, undefined],
    [true, 1],
    [true, { keyBase64: srtpParameters.keyBase64 }],
    [true, { cryptoSuite: 'AEAD_AES_256_GCM' }],
    [true, { ...srtpParameters, cryptoSuite: 'FOO' }],
    [true, { ...srtpParameters, cryptoSuite: 123 }],
    [true, { ...srtpParameters, keyBase64: [] }],
    [true, { ...srtpParameters, keyBase64: 'AAAA' }],
    [false, srtpParameters],
    [false, 'invalid'],
  ])('enabled: %s, refuses %j', async (enableSrtp, parameters) => {
    const pipe = await new ScriptedWorker().router().createPipeTransport({ listenInfo, enableSrtp });
    const options = { ip: '127.0.0.2', port: 9, srtpParameters: parameters };
    await expect(pipe.connect(options as never)).rejects.toThrow(TypeError);
  });

  it('takes a whole key', async () => {
    const pipe = await new ScriptedWorker().router().createPipeTransport({ listenInfo, enableSrtp: true });
    expect(pipe.srtpParameters?.keyBase64).toHaveLength(60);
    expect(await pipe.connect({ ip: '127.0.0.2', port: 9, srtpParameters })).toBeUndefined();
  });
});

describe('DirectTransport', () => {
  it('sends and receives RTCP and knows no bitrates', async () => {
    const worker = new ScriptedWorker();
    const transport = await worker.router().createDirectTransport({ maxMessageSize: 5, maxSendMessageSize: 6 });
    expect(worker.last('router.createDirectTransport')).toEqual({ maxSendMessageSize: 6, maxReceiveMessageSize: 5 });
    expect(await transport.connect()).toBeUndefined();
    for (const promise of [
      transport.setMaxIncomingBitrate(1),
      transport.setMaxOutgoingBitrate(1),
      transport.setMinOutgoingBitrate(1),
    ]) {
      await expect(promise).rejects.toBeInstanceOf(UnsupportedError);
    }
    const packets: Buffer[] = [];
    transport.on('rtcp', (packet) => packets.push(packet));
    await worker.notify(transport.id, 'rtcp', undefined, Uint8Array.of(1, 2));
    expect(packets).toEqual([Buffer.from([1, 2])]);
    transport.sendRtcp(Buffer.from([3]));
    expect(() => transport.sendRtcp('x' as never)).toThrow(TypeError);
    await turns();
    expect(worker.commands).toMatchObject([{ method: 'transport.sendRtcp', internal: { transportId: transport.id } }]);
  });
});

describe('closing', () => {
  it('goes down from the router, in order, once', async () => {
    const worker = new ScriptedWorker();
    const router = worker.router();
    const transport = await router.createDirectTransport();
    const producer = await transport.produce({
      kind: 'audio',
      rtpParameters: { codecs: [{ mimeType: 'audio/opus', payloadType: 1, clockRate: 48000, channels: 2 }] },
    });
    const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
    const dataProducer = await transport.produceData();
    const dataConsumer = await transport.consumeData({ dataProducerId: dataProducer.id });
    const levels = await router.createAudioLevelObserver();
    const diary: string[] = [];
    record(diary, 'transport', transport, ['routerclose']);
    for (const [name, entity] of Object.entries({ producer, consumer, dataProducer, dataConsumer })) {
      record(diary, name, entity, ['transportclose']);
      record(diary, name, entity.observer, ['close']);
    }
    record(diary, 'levels', levels, ['routerclose']);
    record(diary, 'router', router.observer, ['close']);
    router.close();
    router.close();
    transport.close();
    producer.close();
    consumer.close();
    expect(diary).toEqual([
      'producer transportclose',
      'producer close',
      'consumer transportclose',
      'consumer close',
      'dataProducer transportclose',
      'dataProducer close',
      'dataConsumer transportclose',
      'dataConsumer close',
      'transport routerclose',
      'levels routerclose',
      'router close',
    ]);
    await turns();
    expect(worker.methods.filter((method) => method.includes('close'))).toEqual(['worker.closeRouter']);
    await expect(transport.consume({ producerId: producer.id, rtpCapabilities: {} })).rejects.toBeInstanceOf(
      NotFoundError,
    );
    worker.channel.close();
    await expect(transport.dump()).rejects.toBeInstanceOf(WorkerClosedError);
  });
});
