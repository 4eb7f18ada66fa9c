import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { NotFoundError, UnsupportedError } from '../../../src/mediasoup/errors.ts';
import type { Consumer, ConsumerOptions, DirectTransport, Producer, Router } from '../../../src/mediasoup/types.ts';
import { audio, fieldsOf, listenInfo, names, sendAudio, simulcast, startRouter } from './media-kit.ts';
import { record } from './scripted-worker.ts';

interface Scene {
  readonly router: Router;
  readonly transport: DirectTransport;
  readonly sound: Producer;
  readonly picture: Producer;
  readonly consume: (producer: Producer, options?: Partial<ConsumerOptions>) => Promise<Consumer>;
}

async function start(): Promise<Scene> {
  const router = await startRouter();
  const transport = await router.createDirectTransport();
  return {
    router,
    transport,
    sound: await transport.produce(audio),
    picture: await transport.produce(simulcast),
    consume: async ({ id: producerId }, options = {}) =>
      transport.consume({ producerId, rtpCapabilities: router.rtpCapabilities, ...options }),
  };
}

const baseDump = [
  ...names('id producerId kind type rtpParameters consumableRtpEncodings supportedCodecPayloadTypes'),
  ...names('traceEventTypes paused producerPaused priority'),
];
const layerDump = ['preferred', 'target', 'current'].flatMap((which) => [
  `${which}SpatialLayer`,
  `${which}TemporalLayer`,
]);
const outbound = [
  ...names('type timestamp ssrc kind mimeType packetsLost fractionLost jitter packetsDiscarded'),
  ...names('packetsRetransmitted packetsRepaired nackCount nackPacketCount pliCount firCount score'),
  ...names('packetCount byteCount bitrate'),
];

describe('Consumer', () => {
  it('of one stream shows it', async () => {
    const { sound, consume } = await start();
    const consumer = await consume(sound);
    const { ssrc } = consumer.rtpParameters.encodings![0]!;
    const dump = await consumer.dump();
    expect(fieldsOf(dump)).toEqual([...baseDump, 'rtpStream'].sort());
    expect(dump).toMatchObject({
      id: consumer.id,
      producerId: sound.id,
      kind: 'audio',
      type: 'simple',
      rtpParameters: { mid: '0', encodings: [{ ssrc, codecPayloadType: 100 }], msid: 's t' },
      consumableRtpEncodings: sound.consumableRtpParameters.encodings,
      supportedCodecPayloadTypes: [100],
      traceEventTypes: [],
      paused: false,
      producerPaused: false,
      priority: 1,
      rtpStream: { params: { encodingIdx: 0, ssrc, payloadType: 100, mimeType: 'audio/opus', cname: 'me' }, score: 10 },
    });
  });

  it('of several shows layers', async () => {
    const { picture, consume } = await start();
    const consumer = await consume(picture);
    const { ssrc, rtx } = consumer.rtpParameters.encodings![0]!;
    const dump = await consumer.dump();
    expect(fieldsOf(dump)).toEqual([...baseDump, 'rtpStream', ...layerDump].sort());
    expect(dump).toMatchObject({
      type: 'simulcast',
      rtpParameters: { encodings: [{ ssrc, rtx, scalabilityMode: 'L2T3' }] },
      preferredSpatialLayer: 1,
      preferredTemporalLayer: 2,
      targetSpatialLayer: -1,
      currentSpatialLayer: -1,
      rtpStream: {
        params: { ssrc, rtxSsrc: rtx!.ssrc, rtxPayloadType: 102, spatialLayers: 2, temporalLayers: 3 },
        rtxStream: {
          params: { ssrc: rtx!.ssrc, payloadType: 102, mimeType: 'video/rtx', clockRate: 90000, cname: 'me' },
        },
      },
    });
  });

  it('for a pipe shows every stream', async () => {
    const { picture, router, consume } = await start();
    const pipe = await router.createPipeTransport({ listenInfo, enableRtx: true });
    const onPipe = await pipe.consume({ producerId: picture.id });
    for (const consumer of [onPipe, await consume(picture, { pipe: true })]) {
      const dump = await consumer.dump();
      expect(fieldsOf(dump)).toEqual([...baseDump, 'rtpStreams'].sort());
      expect(dump.rtpStreams).toHaveLength(2);
      expect(consumer).toMatchObject({ type: 'pipe', preferredLayers: undefined, currentLayers: undefined });
      expect(consumer.rtpParameters.mid).toBeUndefined();
    }
    expect(onPipe.score).toEqual({ score: 10, producerScore: 10, producerScores: [] });
    expect((await consume(picture, { pipe: true })).score).toEqual({
      score: 10,
      producerScore: 10,
      producerScores: [0, 0],
    });
  });

  it('gives packets on a direct transport, and statistics of both ends', async () => {
    const { sound, consume } = await start();
    const consumer = await consume(sound);
    expect(await consumer.getStats()).toMatchObject([{ type: 'outbound-rtp', packetCount: 0 }]);
    const packets: Buffer[] = [];
    consumer.on('rtp', (packet) => packets.push(packet));
    const diary: string[] = [];
    record(diary, 'consumer', consumer, ['score']);
    record(diary, 'observer', consumer.observer, ['score']);
    const scored = once(consumer, 'score');
    sendAudio(sound, 4);
    await scored;
    const stats = await consumer.getStats();
    expect(stats).toMatchObject([
      { type: 'outbound-rtp', ssrc: consumer.rtpParameters.encodings![0]!.ssrc, packetCount: 4 },
      { type: 'inbound-rtp', ssrc: 1111, packetCount: 4 },
    ]);
    expect(fieldsOf(stats[0]!)).toEqual([...outbound].sort());
    await vi.waitFor(() => expect(packets).toHaveLength(4));
    expect(packets.every((packet) => (packet[1]! & 0x7f) === 100)).toBe(true);
    expect(diary).toEqual(['consumer score', 'observer score']);
    expect(consumer.score).toEqual({ score: 10, producerScore: 10, producerScores: [10] });
  });

  it.each([
    [{ spatialLayer: 0 }, { spatialLayer: 0, temporalLayer: 2 }],
    [
      { spatialLayer: 1, temporalLayer: 0 },
      { spatialLayer: 1, temporalLayer: 0 },
    ],
    [
      { spatialLayer: 66, temporalLayer: 66 },
      { spatialLayer: 1, temporalLayer: 2 },
    ],
  ])('prefers layers %j as %j', async (layers, expected) => {
    const { sound, picture, consume } = await start();
    const consumer = await consume(picture);
    expect(consumer.preferredLayers).toEqual({ spatialLayer: 1, temporalLayer: 2 });
    await consumer.setPreferredLayers(layers);
    expect(consumer.preferredLayers).toEqual(expected);
    expect((await consume(picture, { preferredLayers: layers })).preferredLayers).toEqual(expected);
    const other = await consume(sound);
    await other.setPreferredLayers(layers);
    expect(other.preferredLayers).toBeUndefined();
  });

  it.each([
    ['setPreferredLayers', {}],
    ['setPreferredLayers', { spatialLayer: '1' }],
    ['setPreferredLayers', { spatialLayer: 1, temporalLayer: '1' }],
    ['setPreferredLayers', 'foo'],
    ['setPriority', 'foo'],
    ['setPriority', 0],
    ['setPriority', 256],
    ['enableTraceEvent', 'foo'],
    ['enableTraceEvent', [1]],
  ] as const)('refuses %s(%j)', async (method, argument) => {
    const { picture, consume } = await start();
    const consumer = await consume(picture);
    await expect((consumer[method] as (value: unknown) => Promise<void>)(argument)).rejects.toThrow(TypeError);
  });

  it('has a priority, 1 unless it is set', async () => {
    const { picture, consume } = await start();
    const consumer = await consume(picture);
    await consumer.setPriority(2);
    expect(consumer.priority).toBe(2);
    expect((await consumer.dump()).priority).toBe(2);
    await consumer.unsetPriority();
    expect(consumer.priority).toBe(1);
    expect((await consumer.dump()).priority).toBe(1);
  });

  it('tells of pauses of its own and of its producer, to its observer their sum', async () => {
    const { sound, consume } = await start();
    const consumer = await consume(sound);
    const diary: string[] = [];
    record(diary, 'consumer', consumer, ['producerpause', 'producerresume']);
    record(diary, 'observer', consumer.observer, ['pause', 'resume']);
    const paused = once(consumer, 'producerpause');
    await sound.pause();
    await paused;
    await consumer.pause();
    const resumed = once(consumer, 'producerresume');
    await sound.resume();
    await resumed;
    expect(await consumer.dump()).toMatchObject({ paused: true, producerPaused: false });
    await consumer.resume();
    expect(diary).toEqual(['consumer producerpause', 'observer pause', 'consumer producerresume', 'observer resume']);
  });

  it('closes with its producer', async () => {
    const { sound, transport, consume } = await start();
    const consumer = await consume(sound);
    const diary: string[] = [];
    record(diary, 'consumer', consumer, ['producerclose', 'transportclose']);
    record(diary, 'observer', consumer.observer, ['close']);
    const closed = once(consumer, 'producerclose');
    sound.close();
    await closed;
    expect(diary).toEqual(['consumer producerclose', 'observer close']);
    expect(consumer.closed).toBe(true);
    expect((await transport.dump()).consumerIds).toEqual([]);
    await expect(consumer.dump()).rejects.toBeInstanceOf(NotFoundError);
  });

  it.each([
    ['no capabilities', { rtpCapabilities: undefined }, TypeError],
    ['wrong capabilities', { rtpCapabilities: 'x' }, TypeError],
    ['other codecs', { rtpCapabilities: { codecs: [] } }, UnsupportedError],
    ['no producer', { producerId: undefined }, TypeError],
    ['an unknown producer', { producerId: 'x' }, NotFoundError],
    ['an empty MID', { mid: '' }, TypeError],
    ['wrong data of the application', { appData: 'x' }, TypeError],
  ])('is not made with %s', async (_, options, kind) => {
    const { sound, consume } = await start();
    await expect(consume(sound, options as never)).rejects.toBeInstanceOf(kind);
  });

  it('has RTX for video, and for audio when it is wanted', async () => {
    const { sound, picture, consume } = await start();
    const hasNack = ({ rtpParameters }: Consumer): boolean =>
      rtpParameters.codecs[0]!.rtcpFeedback!.some(({ type, parameter }) => type === 'nack' && parameter === '');
    expect(hasNack(await consume(sound))).toBe(false);
    expect(hasNack(await consume(sound, { enableRtx: true }))).toBe(true);
    expect((await consume(picture)).rtpParameters.codecs).toHaveLength(2);
    expect((await consume(picture, { enableRtx: false })).rtpParameters.codecs).toHaveLength(1);
  });
});
