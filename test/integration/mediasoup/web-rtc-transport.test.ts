import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/mediasoup/errors.ts';
import type { WebRtcTransport } from '../../../src/mediasoup/types.ts';
import { freePortPair } from '../../peers/free-ports.ts';
import { listenInfo, names, startRouter } from './media-kit.ts';

const tcp = { protocol: 'tcp' as const, ip: '127.0.0.1' };
const fingerprint = {
  algorithm: 'sha-256' as const,
  value: Array.from({ length: 32 }, () => '82').join(':'),
};

async function start(options: object = { listenInfos: [listenInfo] }): Promise<WebRtcTransport> {
  return (await startRouter()).createWebRtcTransport(options as never);
}

const addresses = ({ iceCandidates }: WebRtcTransport): string[] =>
  iceCandidates.map(({ protocol, address }) => `${protocol} ${address}`);

describe('WebRtcTransport', () => {
  it.each([
    ['UDP and TCP, where both are listed', { listenInfos: [listenInfo, tcp] }, ['udp 127.0.0.1', 'tcp 127.0.0.1']],
    ['the order of the list', { listenInfos: [tcp, listenInfo] }, ['tcp 127.0.0.1', 'udp 127.0.0.1']],
    [
      'that order, whatever is preferred',
      { listenInfos: [tcp, listenInfo], preferUdp: true },
      ['tcp 127.0.0.1', 'udp 127.0.0.1'],
    ],
    ['UDP alone of old addresses', { listenIps: ['127.0.0.1'] }, ['udp 127.0.0.1']],
    [
      'what is preferred of old addresses',
      { listenIps: ['127.0.0.1'], enableTcp: true, preferTcp: true },
      ['tcp 127.0.0.1', 'udp 127.0.0.1'],
    ],
    ['an announced address', { listenInfos: [{ ...listenInfo, announcedAddress: 'foo.org' }] }, ['udp foo.org']],
    ['an announced IP', { listenInfos: [{ ...listenInfo, announcedIp: '9.9.9.1' }] }, ['udp 9.9.9.1']],
    ['that of an old address', { listenIps: [{ ip: '127.0.0.1', announcedIp: '9.9.9.1' }] }, ['udp 9.9.9.1']],
    [
      'the internal address besides',
      { listenInfos: [{ ...listenInfo, announcedAddress: '9.9.9.1', exposeInternalIp: true }] },
      ['udp 9.9.9.1', 'udp 127.0.0.1'],
    ],
    ['IPv6 alone', { listenInfos: [{ ...listenInfo, ip: '::1', flags: { ipv6Only: true } }] }, ['udp ::1']],
    ['IPv4, of which IPv6 alone means nothing', { listenInfos: [{ ...tcp, flags: { ipv6Only: true } }] }, undefined],
  ])('has candidates of %s', async (_, options, expected) => {
    const transport = await start(options);
    if (expected !== undefined) expect(addresses(transport)).toEqual(expected);
    for (const candidate of transport.iceCandidates) {
      expect(candidate).toEqual({
        foundation: expect.any(String),
        priority: expect.any(Number),
        ip: candidate.address,
        address: candidate.address,
        protocol: candidate.protocol,
        port: expect.any(Number),
        type: 'host',
        ...(candidate.protocol === 'tcp' ? { tcpType: 'passive' } : {}),
      });
    }
    const priorities = transport.iceCandidates.map(({ priority }) => priority);
    expect(priorities).toEqual(priorities.toSorted((a, b) => b - a));
    expect(new Set(priorities).size).toBe(priorities.length);
  });

  it('listens in the range it is given, until that is full', async () => {
    const router = await startRouter();
    const [min, max] = await freePortPair();
    const options = { listenInfos: [{ ...listenInfo, portRange: { min, max } }] };
    const ports = [];
    for (let i = 0; i < 2; i++) ports.push((await router.createWebRtcTransport(options)).iceCandidates[0]!.port);
    expect(new Set(ports)).toEqual(new Set([min, max]));
    await expect(router.createWebRtcTransport(options)).rejects.toThrow(Error);
    expect(await router.dump()).toMatchObject({ transportIds: { length: 2 } });
  });

  describe('on a port that is taken', () => {
    let server: Server | undefined;
    afterEach(() => void server?.close());

    it('is not created, and closes what it had opened', async () => {
      server = createServer();
      await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      const router = await startRouter();
      const listenInfos = [
        { ...listenInfo, port },
        { ...tcp, port },
      ];
      await expect(router.createWebRtcTransport({ listenInfos })).rejects.toThrow(/port/);
      const [udp] = listenInfos;
      expect((await router.createWebRtcTransport({ listenInfos: [udp!] })).iceCandidates[0]!.port).toBe(port);
    });
  });

  it('has parameters for its client, and gives copies of them', async () => {
    const transport = await start({ listenInfos: [listenInfo], enableSctp: true });
    expect(transport).toMatchObject({
      iceRole: 'controlled',
      iceParameters: { usernameFragment: expect.any(String), password: expect.any(String), iceLite: true },
      iceState: 'new',
      iceSelectedTuple: undefined,
      dtlsState: 'new',
      dtlsRemoteCert: undefined,
      sctpState: 'new',
      sctpNegotiatedCapabilities: undefined,
    });
    expect(transport.dtlsParameters.role).toBe('auto');
    expect(transport.dtlsParameters.fingerprints.map(({ algorithm }) => algorithm)).toEqual([
      ...names('sha-1 sha-224 sha-256 sha-384 sha-512'),
    ]);
    expect(transport.sctpParameters).toEqual({
      port: 5000,
      OS: 65535,
      MIS: 65535,
      maxMessageSize: 262144,
      maxSendMessageSize: 262144,
      maxReceiveMessageSize: 262144,
      sendBufferSize: 2_000_000,
      perStreamSendQueueLimit: 2_000_000,
      maxReceiverWindowBufferSize: 5_242_880,
      isDataChannel: true,
    });
    transport.dtlsParameters.fingerprints.length = 0;
    expect(transport.dtlsParameters.fingerprints).toHaveLength(5);
  });

  it.each([
    [{ maxSctpMessageSize: 1000 }, { maxMessageSize: 1000, maxSendMessageSize: 1000, maxReceiveMessageSize: 1000 }],
    [
      { maxSendMessageSize: 1, maxReceiveMessageSize: 2 },
      { maxMessageSize: 2, maxSendMessageSize: 1 },
    ],
    [{ numSctpStreams: { OS: 1024, MIS: 2048 } }, { OS: 1024, MIS: 2048 }],
    [
      { sctpSendBufferSize: 3, sctpPerStreamSendQueueLimit: 4 },
      { sendBufferSize: 3, perStreamSendQueueLimit: 4 },
    ],
    [{ sctpMaxReceiverWindowBufferSize: 5000 }, { maxReceiverWindowBufferSize: 5000 }],
  ])('takes for SCTP %j', async (options, expected) => {
    expect((await start({ listenInfos: [listenInfo], enableSctp: true, ...options })).sctpParameters).toMatchObject(
      expected,
    );
  });

  it.each([
    ['client', 'server'],
    ['server', 'client'],
    ['auto', 'client'],
    [undefined, 'client'],
  ] as const)('is, for a client that wants to be %s, the %s', async (role, expected) => {
    const transport = await start();
    const dtlsParameters = { fingerprints: [fingerprint], ...(role === undefined ? {} : { role }) };
    expect(await transport.connect({ dtlsParameters })).toBeUndefined();
    expect(transport.dtlsParameters.role).toBe(expected);
    expect((await transport.dump()).dtlsParameters.role).toBe(expected);
    const again = transport.connect({ dtlsParameters });
    await expect(again).rejects.toThrow('called before');
    await expect(again).rejects.not.toBeInstanceOf(TypeError);
    expect(transport.dtlsParameters.role).toBe(expected);
  });

  it('restarts ICE with other credentials', async () => {
    const transport = await start();
    const before = transport.iceParameters;
    const after = await transport.restartIce();
    expect(after).toEqual(transport.iceParameters);
    expect(after.usernameFragment).not.toBe(before.usernameFragment);
    expect(after.password).not.toBe(before.password);
  });

  it('is closed with every state, and unknown to the worker', async () => {
    const transport = await start({ listenInfos: [listenInfo], enableSctp: true });
    transport.close();
    expect(transport).toMatchObject({ closed: true, iceState: 'closed', dtlsState: 'closed', sctpState: 'closed' });
    for (const promise of [
      transport.dump(),
      transport.getStats(),
      transport.restartIce(),
      transport.connect({ dtlsParameters: { fingerprints: [fingerprint] } }),
      transport.setMaxIncomingBitrate(1),
      transport.enableTraceEvent(['bwe']),
      transport.produceData({ sctpStreamParameters: { streamId: 1 } }),
    ]) {
      await expect(promise).rejects.toBeInstanceOf(NotFoundError);
    }
  });
});
