import { describe, expect, it } from 'vitest';
import type { Router, Transport } from '../../../src/mediasoup/types.ts';
import { audio, fieldsOf, listenInfo, names, simulcast, startRouter } from './media-kit.ts';

const baseDump = [
  'direct',
  ...names('id producerIds consumerIds mapSsrcConsumerId mapRtxSsrcConsumerId recvRtpHeaderExtensions'),
  ...names('rtpListener maxSendMessageSize maxReceiveMessageSize dataProducerIds dataConsumerIds'),
  'traceEventTypes',
  'dropped',
];
const sctpDump = ['sctpParameters', 'sctpState', 'sctpNegotiatedCapabilities', 'sctpListener'];
const iceDump = ['iceRole', 'iceParameters', 'iceCandidates', 'iceState', 'dtlsParameters', 'dtlsState'];
const baseStats = [
  ...names('type transportId timestamp bytesReceived recvBitrate bytesSent sendBitrate'),
  ...names('rtpBytesReceived rtpRecvBitrate rtpBytesSent rtpSendBitrate rtxBytesReceived rtxRecvBitrate'),
  ...names('rtxBytesSent rtxSendBitrate probationBytesSent probationSendBitrate'),
];

type Make = (router: Router) => Promise<Transport>;
const webRtc: Make = (router) => router.createWebRtcTransport({ listenInfos: [listenInfo] });
const webRtcWithSctp: Make = (router) => router.createWebRtcTransport({ listenInfos: [listenInfo], enableSctp: true });
const plain: Make = (router) => router.createPlainTransport({ listenInfo });
const plainWithAll: Make = (router) =>
  router.createPlainTransport({ listenInfo, rtcpMux: false, enableSrtp: true, enableSctp: true });
const pipe: Make = (router) => router.createPipeTransport({ listenInfo, enableSrtp: true });
const direct: Make = (router) => router.createDirectTransport();

describe('a new transport', () => {
  it.each([
    ['webrtc', webRtc, iceDump],
    ['webrtc with SCTP', webRtcWithSctp, [...iceDump, ...sctpDump]],
    ['plain', plain, ['rtcpMux', 'comedia', 'tuple']],
    ['plain with all', plainWithAll, ['rtcpMux', 'comedia', 'tuple', 'rtcpTuple', 'srtpParameters', ...sctpDump]],
    ['pipe', pipe, ['tuple', 'rtx', 'srtpParameters']],
    ['direct', direct, []],
  ])('of kind %s has the fields of its dump', async (_, make, own) => {
    const dump = await (await make(await startRouter())).dump();
    expect(fieldsOf(dump)).toEqual([...baseDump, ...own].sort());
    expect(dump).toMatchObject({
      producerIds: [],
      consumerIds: [],
      mapSsrcConsumerId: [],
      mapRtxSsrcConsumerId: [],
      recvRtpHeaderExtensions: {},
      rtpListener: { ssrcTable: [], midTable: [], ridTable: [] },
      maxSendMessageSize: 262144,
      maxReceiveMessageSize: 262144,
      traceEventTypes: [],
      dropped: {
        foreign: 0,
        unauthentic: 0,
        malformed: 0,
        unclaimedPackets: 0,
        unclaimedMessages: 0,
        excessiveFeedback: 0,
        unsendable: 0,
        overflowed: 0,
      },
    });
  });

  it.each([
    ['webrtc-transport', webRtc, ['iceRole', 'iceState', 'dtlsState']],
    ['webrtc-transport', webRtcWithSctp, ['iceRole', 'iceState', 'dtlsState', 'sctpState']],
    ['plain-rtp-transport', plain, ['rtcpMux', 'comedia', 'tuple']],
    ['plain-rtp-transport', plainWithAll, ['rtcpMux', 'comedia', 'tuple', 'rtcpTuple', 'sctpState']],
    ['pipe-transport', pipe, ['tuple']],
    ['direct-transport', direct, []],
  ])('has statistics of type %s', async (type, make, own) => {
    const transport = await make(await startRouter());
    const stats = await transport.getStats();
    expect(stats).toHaveLength(1);
    expect(fieldsOf(stats[0]!)).toEqual([...baseStats, ...own].sort());
    expect(stats[0]).toMatchObject({ type, transportId: transport.id, bytesReceived: 0, sendBitrate: 0 });
  });

  it.each([
    ['WebRtcTransportImpl', 'webrtc', webRtc],
    ['PlainTransportImpl', 'plain', plain],
    ['PipeTransportImpl', 'pipe', pipe],
    ['DirectTransportImpl', 'direct', direct],
  ])('is a %s', async (name, type, make) => {
    const transport = await make(await startRouter());
    expect(transport.constructor.name).toBe(name);
    expect(transport).toMatchObject({ type, closed: false, appData: {} });
  });
});

describe('a transport in use', () => {
  it('shows producers by what tells them, and consumers by SSRC', async () => {
    const router = await startRouter();
    const transport = await router.createDirectTransport();
    const producer = await transport.produce(audio);
    const video = await transport.produce(simulcast);
    const consumer = await transport.consume({ producerId: video.id, rtpCapabilities: router.rtpCapabilities });
    const { ssrc, rtx } = consumer.rtpParameters.encodings![0]!;
    const ssrcTable = [{ key: 1111, value: producer.id }, ...[21, 22, 23, 24].map((key) => ({ key, value: video.id }))];
    expect(await transport.dump()).toMatchObject({
      producerIds: [producer.id, video.id],
      consumerIds: [consumer.id],
      mapSsrcConsumerId: [{ key: ssrc, value: consumer.id }],
      mapRtxSsrcConsumerId: [{ key: rtx!.ssrc, value: consumer.id }],
      rtpListener: {
        ssrcTable,
        midTable: [
          { key: 'a', value: producer.id },
          { key: 'v', value: video.id },
        ],
        ridTable: [],
      },
    });
  });

  it('shows the limits it was given, while there are any', async () => {
    const transport = await webRtc(await startRouter());
    await transport.setMaxIncomingBitrate(1_000_000);
    await transport.setMaxOutgoingBitrate(2_000_000);
    await transport.setMinOutgoingBitrate(100_000);
    expect((await transport.getStats())[0]).toMatchObject({
      maxIncomingBitrate: 1_000_000,
      maxOutgoingBitrate: 2_000_000,
      minOutgoingBitrate: 100_000,
    });
    await expect(transport.setMinOutgoingBitrate(3_000_000)).rejects.toThrow();
    await expect(transport.setMaxOutgoingBitrate(1)).rejects.toThrow();
    for (const method of ['setMaxIncomingBitrate', 'setMinOutgoingBitrate', 'setMaxOutgoingBitrate'] as const) {
      await transport[method](0);
    }
    expect(fieldsOf((await transport.getStats())[0]!)).not.toContain('maxOutgoingBitrate');
  });

  it('traces what it knows of', async () => {
    const transport = await webRtc(await startRouter());
    await transport.enableTraceEvent(['foo', 'probation'] as never);
    expect((await transport.dump()).traceEventTypes).toEqual(['probation']);
    await transport.enableTraceEvent(['bwe', 'probation']);
    expect((await transport.dump()).traceEventTypes).toEqual(['probation', 'bwe']);
    await transport.enableTraceEvent();
    expect((await transport.dump()).traceEventTypes).toEqual([]);
  });
});
