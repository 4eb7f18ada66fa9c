import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/mediasoup/errors.ts';
import { audio, listenInfo, startRouter } from './media-kit.ts';
import { record } from './scripted-worker.ts';

const keys = {
  AES_CM_128_HMAC_SHA1_80: 30,
  AES_CM_128_HMAC_SHA1_32: 30,
  AEAD_AES_128_GCM: 28,
  AEAD_AES_256_GCM: 44,
} as const;

describe('PlainTransport', () => {
  it.each([
    ['one port', {}, false],
    ['two ports', { rtcpMux: false }, true],
    ['two ports, one of them listed for RTCP', { rtcpListenInfo: listenInfo }, true],
  ])('listens on %s', async (_, options, hasRtcp) => {
    const transport = await (await startRouter()).createPlainTransport({ listenInfo, ...options });
    const own = { localAddress: '127.0.0.1', localIp: '127.0.0.1', localPort: expect.any(Number), protocol: 'udp' };
    expect(transport.tuple).toEqual(own);
    expect(transport.rtcpTuple).toEqual(hasRtcp ? own : undefined);
    expect(transport.rtcpTuple?.localPort).not.toBe(transport.tuple.localPort);
    expect(await transport.dump()).toMatchObject({ rtcpMux: !hasRtcp, comedia: false, tuple: transport.tuple });
  });

  it('announces an address, whatever it was called', async () => {
    const router = await startRouter();
    for (const options of [
      { listenInfo: { ...listenInfo, announcedAddress: '4.4.4.4' } },
      { listenInfo: { ...listenInfo, announcedIp: '4.4.4.4' } },
      { listenIp: { ip: '127.0.0.1', announcedIp: '4.4.4.4' } },
    ]) {
      const { tuple } = await router.createPlainTransport(options);
      expect(tuple).toMatchObject({ localAddress: '4.4.4.4', localIp: '4.4.4.4' });
    }
  });

  it('knows its peer when it is told, once', async () => {
    const transport = await (await startRouter()).createPlainTransport({ listenInfo, rtcpMux: false });
    await expect(transport.connect({ ip: '127.0.0.1' })).rejects.toThrow(TypeError);
    await expect(transport.connect({ ip: '127.0.0.1', port: 4000 })).rejects.toThrow(TypeError);
    expect(await transport.connect({ ip: '127.0.0.1', port: 4000, rtcpPort: 4001 })).toBeUndefined();
    expect(transport.tuple).toMatchObject({ remoteIp: '127.0.0.1', remotePort: 4000 });
    expect(transport.rtcpTuple).toMatchObject({ remoteIp: '127.0.0.1', remotePort: 4001 });
    await expect(transport.connect({ ip: '127.0.0.1', port: 4000, rtcpPort: 4001 })).rejects.toThrow(Error);
  });

  it('learns its peer from what comes', async () => {
    const transport = await (await startRouter()).createPlainTransport({ listenInfo, comedia: true });
    await transport.produce(audio);
    const diary: string[] = [];
    record(diary, 'transport', transport, ['tuple']);
    record(diary, 'observer', transport.observer, ['tuple']);
    const socket = createSocket('udp4');
    const heard = once(transport, 'tuple');
    const packet = Buffer.alloc(20);
    packet.writeUInt32BE(0x806f_0001, 0);
    packet.writeUInt32BE(1111, 8);
    socket.send(packet, transport.tuple.localPort, '127.0.0.1');
    await heard;
    expect(diary).toEqual(['transport tuple', 'observer tuple']);
    expect(transport.tuple).toMatchObject({ remoteIp: '127.0.0.1', remotePort: socket.address().port });
    expect((await transport.getStats())[0]).toMatchObject({ tuple: transport.tuple, bytesReceived: 20 });
    socket.close();
  });

  it.each(Object.entries(keys))('has keys of %s', async (srtpCryptoSuite, bytes) => {
    const suite = srtpCryptoSuite as keyof typeof keys;
    const options = { listenInfo, enableSrtp: true, srtpCryptoSuite: suite };
    const transport = await (await startRouter()).createPlainTransport(options);
    expect(transport.srtpParameters?.cryptoSuite).toBe(suite);
    expect(Buffer.from(transport.srtpParameters!.keyBase64, 'base64')).toHaveLength(bytes);
    const srtpParameters = { cryptoSuite: suite, keyBase64: Buffer.alloc(bytes, 1).toString('base64') };
    expect(await transport.connect({ ip: '127.0.0.1', port: 4000, srtpParameters })).toBeUndefined();
    expect(await transport.dump()).toMatchObject({ srtpParameters: { cryptoSuite: suite } });
  });

  it('takes the suite its peer chose, with keys for it', async () => {
    const transport = await (await startRouter()).createPlainTransport({ listenInfo, enableSrtp: true });
    expect(transport.srtpParameters?.cryptoSuite).toBe('AES_CM_128_HMAC_SHA1_80');
    const cryptoSuite = 'AEAD_AES_256_GCM';
    const srtpParameters = { cryptoSuite, keyBase64: Buffer.alloc(44, 1).toString('base64') } as const;
    await transport.connect({ ip: '127.0.0.1', port: 4000, srtpParameters });
    expect(transport.srtpParameters?.cryptoSuite).toBe(cryptoSuite);
    expect(Buffer.from(transport.srtpParameters!.keyBase64, 'base64')).toHaveLength(44);
  });

  it.each([
    [{ enableSrtp: true }, { ip: '127.0.0.1', port: 4000 }],
    [{ enableSrtp: true }, { ip: '127.0.0.1', port: 4000, srtpParameters: { cryptoSuite: 'x', keyBase64: 'AAAA' } }],
    [{}, { ip: '127.0.0.1', port: 4000, srtpParameters: { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: 'AAAA' } }],
    [{}, { ip: 'foo', port: 4000 }],
    [{}, { ip: '127.0.0.1', port: 70_000 }],
    [{}, { ip: '127.0.0.1', port: 4000, rtcpPort: 4001 }],
    [{}, {}],
  ])('made with %j does not connect with %j', async (options, connect) => {
    const transport = await (await startRouter()).createPlainTransport({ listenInfo, ...options });
    await expect(transport.connect(connect as never)).rejects.toThrow(TypeError);
    expect(transport.tuple.remoteIp).toBeUndefined();
  });

  it('cannot be where the machine is not, and is nowhere once closed', async () => {
    const router = await startRouter();
    await expect(router.createPlainTransport({ listenInfo: { ...listenInfo, ip: '8.8.8.8' } })).rejects.toThrow(Error);
    const transport = await router.createPlainTransport({ listenInfo });
    transport.close();
    await expect(transport.connect({ ip: '127.0.0.1', port: 4000 })).rejects.toBeInstanceOf(NotFoundError);
    const { localPort: port } = transport.tuple;
    expect((await router.createPlainTransport({ listenInfo: { ...listenInfo, port } })).tuple.localPort).toBe(port);
  });
});
