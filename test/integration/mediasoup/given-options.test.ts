/** Options as applications in JavaScript give them, which read them from files, requests and the environment. */
import { describe, expect, it } from 'vitest';
import { createWorker } from '../../../src/mediasoup/index.ts';
import type { WorkerOptions } from '../../../src/mediasoup/types.ts';
import { simulcast } from './media-kit.ts';
import { ScriptedWorker } from './scripted-worker.ts';

/** What a type forbids and a program in JavaScript does. */
function loose(options: unknown): never {
  return options as never;
}

const listenInfo = { protocol: 'udp' as const, ip: '127.0.0.1' };
const NOTHING = { port: null, portRange: null, flags: null, sendBufferSize: null, recvBufferSize: null };

describe('where to listen', () => {
  it.each([
    ['no announced address, by its old name', { announcedIp: null }, {}],
    ['an announced address of a variable that is not set', { announcedAddress: '' }, {}],
    ['nothing of all there is', NOTHING, {}],
    ['a port that is text', { port: '42999' }, { port: 42_999 }],
    [
      'a range that is text',
      { portRange: { min: '41000', max: '41999' } },
      { portRange: { min: 41_000, max: 41_999 } },
    ],
    ['a range of no numbers', { portRange: {} }, { portRange: { min: 0, max: 0 } }],
  ])('may say %s', async (_, given, understood) => {
    const worker = new ScriptedWorker();
    const info: typeof listenInfo = loose({ ...listenInfo, ...given });
    await worker.router().createWebRtcTransport({ listenInfos: [info] });
    expect(worker.last('router.createWebRtcTransport')['listenInfos']).toEqual([{ ...listenInfo, ...understood }]);
    await worker.router().createPlainTransport({ listenInfo: info });
    expect(worker.last('router.createPlainTransport')['listenInfo']).toEqual({ ...listenInfo, ...understood });
  });

  it('may be said by one name, with nothing under the other', async () => {
    const worker = new ScriptedWorker();
    const listenIps = [{ ip: '127.0.0.1', announcedIp: null }];
    await worker.router().createWebRtcTransport(loose({ listenIps, listenInfos: null, webRtcServer: null }));
    expect(worker.last('router.createWebRtcTransport')['listenInfos']).toEqual([listenInfo]);
    await worker
      .router()
      .createPlainTransport(loose({ listenIp: listenIps[0], listenInfo: null, rtcpListenInfo: null }));
    expect(worker.last('router.createPlainTransport')['listenInfo']).toEqual(listenInfo);
    await worker.router().createPipeTransport(loose({ listenIp: '127.0.0.1', listenInfo: null, enableRtx: null }));
    expect(worker.last('router.createPipeTransport')).toMatchObject({ listenInfo, enableRtx: false });
  });

  it.each([
    ['a negative port', { port: '-1' }],
    ['a port with a unit', { port: '5s' }],
    ['a range upside down', { portRange: { min: '9', max: '8' } }],
  ])('may not say %s', async (_, given) => {
    const info: typeof listenInfo = loose({ ...listenInfo, ...given });
    await expect(new ScriptedWorker().router().createPlainTransport({ listenInfo: info })).rejects.toThrow(TypeError);
  });
});

describe('ports and bitrates that are text', () => {
  it('are numbers to the worker', async () => {
    const worker = new ScriptedWorker();
    const router = worker.router();
    const plain = await router.createPlainTransport({ listenInfo, rtcpMux: false });
    await plain.connect(loose({ ip: '127.0.0.1', port: '5004', rtcpPort: '5005', srtpParameters: null }));
    expect(worker.last('transport.connect')).toMatchObject({ port: 5004, rtcpPort: 5005 });
    const pipe = await router.createPipeTransport({ listenInfo });
    await pipe.connect(loose({ ip: '127.0.0.1', port: '5006', srtpParameters: null }));
    expect(worker.last('transport.connect')).toMatchObject({ port: 5006 });
    const initialAvailableOutgoingBitrate = '800000';
    const options = { listenInfos: [listenInfo], initialAvailableOutgoingBitrate, iceConsentTimeout: '20' };
    const webRtc = await router.createWebRtcTransport(loose(options));
    expect(worker.last('router.createWebRtcTransport')).toMatchObject({
      initialAvailableOutgoingBitrate: 800_000,
      iceConsentTimeout: 20,
    });
    await webRtc.setMaxIncomingBitrate(loose('1500000'));
    expect(worker.last('transport.setMaxIncomingBitrate')).toEqual({ bitrate: 1_500_000 });
    await expect(webRtc.setMaxIncomingBitrate(loose('much'))).rejects.toThrow(TypeError);
  });
});

describe('what is null', () => {
  it('is as if it was left out', async () => {
    const worker = await createWorker({ inProcess: true });
    const router = await worker.createRouter({
      mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000 }],
    });
    const transport = await router.createWebRtcTransport({ listenInfos: [listenInfo], enableSctp: true });
    const none = { id: null, paused: null, keyFrameRequestDelay: null, appData: null };
    const producer = await transport.produce(loose({ ...simulcast, ...none }));
    expect(producer.id).toHaveLength(36);
    const { rtpCapabilities } = router;
    const empty = { mid: null, preferredLayers: null, enableRtx: null, ignoreDtx: null, paused: null };
    const consumer = await transport.consume(loose({ producerId: producer.id, rtpCapabilities, ...empty }));
    expect(consumer.rtpParameters).toMatchObject({ mid: '0', encodings: [{ rtx: expect.anything() }] });
    await consumer.setPreferredLayers(loose({ spatialLayer: 0, temporalLayer: null }));
    expect(consumer.preferredLayers).toEqual({ spatialLayer: 0, temporalLayer: 2 });
    const sctpStreamParameters = { streamId: 1 };
    const data = await transport.produceData(loose({ sctpStreamParameters, id: null, label: null, protocol: null }));
    expect(data).toMatchObject({ label: '', protocol: '' });
    const limits = { ordered: null, maxPacketLifeTime: null, maxRetransmits: null, subchannels: null };
    const taken = await transport.consumeData(loose({ dataProducerId: data.id, ...limits }));
    expect(taken.sctpStreamParameters).toEqual({ streamId: expect.any(Number), ordered: true });
    worker.close();
  });
});

/** Compiled, too: programs in TypeScript name them. */
const olderSettings: WorkerOptions = { disableLiburing: true, useBuiltInSctpStack: false };

describe('settings of a worker', () => {
  it.each([
    ['ports of variables that are not set', { rtcMinPort: Number.NaN, rtcMaxPort: Number.NaN }],
    ['files of variables that are empty', { dtlsCertificateFile: '', dtlsPrivateKeyFile: '' }],
    [
      'null',
      { logLevel: null, logTags: null, rtcMinPort: null, dtlsCertificateFile: null, libwebrtcFieldTrials: null },
    ],
    ['settings of older versions', olderSettings],
  ])('may be %s', async (_, settings) => {
    const worker = await createWorker(loose({ ...settings, inProcess: true }));
    expect(worker.closed).toBe(false);
    worker.close();
  });
});
