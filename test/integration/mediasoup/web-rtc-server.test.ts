import { describe, expect, it } from 'vitest';
import { NotFoundError, WorkerClosedError } from '../../../src/mediasoup/errors.ts';
import { listenInfo, startWorker } from './media-kit.ts';
import { record } from './scripted-worker.ts';

const listenInfos = [listenInfo, { protocol: 'tcp' as const, ip: '127.0.0.1' }];

describe('WebRtcServer', () => {
  it('shows its ports and the transports on it', async () => {
    const worker = await startWorker();
    const server = await worker.createWebRtcServer({ listenInfos, appData: { foo: 1 } });
    expect(server.constructor.name).toBe('WebRtcServerImpl');
    const empty = await server.dump();
    expect(empty).toEqual({
      id: server.id,
      udpSockets: [{ ip: '127.0.0.1', port: expect.any(Number) }],
      tcpServers: [{ ip: '127.0.0.1', port: expect.any(Number) }],
      webRtcTransportIds: [],
      localIceUsernameFragments: [],
      dropped: { foreign: 0, overflowed: 0 },
    });
    const router = await worker.createRouter();
    const transport = await router.createWebRtcTransport({ webRtcServer: server });
    expect(transport.iceCandidates.map(({ protocol, port }) => [protocol, port])).toEqual([
      ['udp', empty.udpSockets[0]!.port],
      ['tcp', empty.tcpServers[0]!.port],
    ]);
    const { usernameFragment: first } = transport.iceParameters;
    const { usernameFragment: second } = await transport.restartIce();
    const entry = { webRtcTransportId: transport.id };
    expect(await server.dump()).toEqual({
      ...empty,
      webRtcTransportIds: [transport.id],
      localIceUsernameFragments: [
        { localIceUsernameFragment: first, ...entry },
        { localIceUsernameFragment: second, ...entry },
      ],
    });
    transport.close();
    expect(await server.dump()).toEqual(empty);
  });

  it.each([
    [{ preferUdp: true }, ['udp', 'tcp']],
    [{ preferTcp: true }, ['tcp', 'udp']],
    [{ enableTcp: false }, ['udp']],
    [{ enableUdp: false }, ['tcp']],
  ])('has with %j candidates of %j', async (options, expected) => {
    const worker = await startWorker();
    const webRtcServer = await worker.createWebRtcServer({ listenInfos });
    const transport = await (await worker.createRouter()).createWebRtcTransport({ webRtcServer, ...options });
    const { iceCandidates } = transport;
    expect(iceCandidates.map(({ protocol }) => protocol)).toEqual(expected);
    expect(iceCandidates.map(({ priority }) => priority)).toEqual(
      iceCandidates.map(({ priority }) => priority).sort((a, b) => b - a),
    );
  });

  it('closes its transports before itself, in the worker too', async () => {
    const worker = await startWorker();
    const server = await worker.createWebRtcServer({ listenInfos });
    const router = await worker.createRouter();
    const transport = await router.createWebRtcTransport({ webRtcServer: server });
    const diary: string[] = [];
    record(diary, 'transport', transport, ['listenserverclose', 'routerclose']);
    record(diary, 'transport observer', transport.observer, ['close']);
    record(diary, 'server observer', server.observer, ['webrtctransportunhandled', 'close']);
    server.close();
    expect(diary).toEqual([
      'transport listenserverclose',
      'transport observer close',
      'server observer webrtctransportunhandled',
      'server observer close',
    ]);
    expect(await router.dump()).toMatchObject({ transportIds: [] });
    expect(await worker.dump()).toMatchObject({ webRtcServerIds: [], routerIds: [router.id] });
    await expect(server.dump()).rejects.toBeInstanceOf(NotFoundError);
    await expect(router.createWebRtcTransport({ webRtcServer: server })).rejects.toBeInstanceOf(NotFoundError);
  });

  it('is closed with its worker', async () => {
    const worker = await startWorker();
    const server = await worker.createWebRtcServer({ listenInfos });
    const diary: string[] = [];
    record(diary, 'server', server, ['workerclose']);
    record(diary, 'observer', server.observer, ['close']);
    worker.close();
    expect(diary).toEqual(['server workerclose', 'observer close']);
    await expect(worker.createWebRtcServer({ listenInfos })).rejects.toBeInstanceOf(WorkerClosedError);
  });

  it.each([
    [{}, TypeError],
    [{ listenInfos: [] }, TypeError],
    [{ listenInfos: 'x' }, TypeError],
    [{ listenInfos: ['127.0.0.1'] }, TypeError],
    [{ listenInfos: [{ protocol: 'sctp', ip: '127.0.0.1' }] }, TypeError],
    [{ listenInfos: [{ protocol: 'udp', ip: 'chicken' }] }, TypeError],
    [{ listenInfos, appData: 'x' }, TypeError],
    [{ listenInfos: [{ protocol: 'udp', ip: '8.8.8.8' }] }, Error],
  ])('is not made of %j', async (options, kind) => {
    await expect((await startWorker()).createWebRtcServer(options as never)).rejects.toBeInstanceOf(kind);
  });

  it('has its ports to itself', async () => {
    const worker = await startWorker();
    const { udpSockets } = await (await worker.createWebRtcServer({ listenInfos })).dump();
    const taken = { listenInfos: [{ ...listenInfo, port: udpSockets[0]!.port }] };
    await expect(worker.createWebRtcServer(taken)).rejects.toThrow(/port/);
    expect((await worker.dump()).webRtcServerIds).toHaveLength(1);
  });
});
