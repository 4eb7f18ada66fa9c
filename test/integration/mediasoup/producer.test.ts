import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { NotFoundError, UnsupportedError } from '../../../src/mediasoup/errors.ts';
import type { DirectTransport, ProducerOptions, RtpEncodingParameters } from '../../../src/mediasoup/types.ts';
import { AUDIO_SSRC, audio, fieldsOf, names, sendAudio, simulcast, startRouter } from './media-kit.ts';
import { record } from './scripted-worker.ts';

async function start(): Promise<DirectTransport> {
  return (await startRouter()).createDirectTransport();
}

const withEncodings = (encodings: RtpEncodingParameters[]): ProducerOptions => ({
  kind: 'video',
  rtpParameters: { codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90000 }], encodings },
});

describe('Producer', () => {
  it.each([
    ['simple', [{ ssrc: 1 }]],
    ['svc', [{ ssrc: 1, scalabilityMode: 'L1T3' }]],
    ['svc', [{ ssrc: 1, scalabilityMode: 'L3T3_KEY' }]],
    ['simulcast', [{ ssrc: 1 }, { ssrc: 2 }]],
    ['simulcast', [{ rid: 'a' }, { rid: 'b' }]],
  ])('is %s with encodings %j', async (type, encodings) => {
    expect((await (await start()).produce(withEncodings(encodings))).type).toBe(type);
  });

  it('shows audio as it was given, completed', async () => {
    const producer = await (await start()).produce(audio);
    expect(producer.rtpParameters).toMatchObject({ mid: 'a', msid: 's t', rtcp: { cname: 'me', reducedSize: true } });
    const [mappedPayloadType, mappedSsrc] = [100, producer.consumableRtpParameters.encodings[0]!.ssrc];
    expect(await producer.dump()).toEqual({
      id: producer.id,
      kind: 'audio',
      type: 'simple',
      rtpParameters: {
        mid: 'a',
        codecs: [
          {
            mimeType: 'audio/opus',
            payloadType: 111,
            clockRate: 48000,
            channels: 2,
            parameters: { useinbandfec: 1, usedtx: 1 },
            rtcpFeedback: [],
          },
        ],
        headerExtensions: [
          { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1, encrypt: false, parameters: {} },
        ],
        encodings: [{ codecPayloadType: 111, ssrc: AUDIO_SSRC, dtx: false }],
        rtcp: { cname: 'me', reducedSize: true },
        msid: 's t',
      },
      rtpMapping: {
        codecs: [{ payloadType: 111, mappedPayloadType }],
        encodings: [{ ssrc: AUDIO_SSRC, mappedSsrc }],
      },
      rtpStreams: [],
      traceEventTypes: [],
      paused: false,
    });
  });

  it('shows codecs by their usual names, and feedback without what is empty', async () => {
    const { rtpParameters } = await (await (await start()).produce(simulcast)).dump();
    expect(rtpParameters.codecs.map(({ mimeType }) => mimeType)).toEqual(['video/VP8', 'video/rtx']);
    expect(rtpParameters.codecs[0]!.rtcpFeedback).toEqual([
      { type: 'nack' },
      { type: 'nack', parameter: 'pli' },
      { type: 'goog-remb' },
    ]);
    expect(rtpParameters.encodings!.map(({ codecPayloadType }) => codecPayloadType)).toEqual([112, 112]);
  });

  it('has streams and statistics once packets come', async () => {
    const transport = await start();
    const producer = await transport.produce(audio);
    expect(await producer.getStats()).toEqual([]);
    const diary: string[] = [];
    record(diary, 'producer', producer, ['score']);
    record(diary, 'observer', producer.observer, ['score']);
    const scored = once(producer, 'score');
    sendAudio(producer, 3);
    await scored;
    expect(diary).toEqual(['producer score', 'observer score']);
    expect(producer.score).toEqual([{ encodingIdx: 0, ssrc: AUDIO_SSRC, score: 10 }]);
    const stats = await producer.getStats();
    expect(fieldsOf(stats[0]!)).toEqual(
      [
        ...names('type timestamp ssrc kind mimeType packetsLost fractionLost jitter'),
        ...names('packetsDiscarded packetsRetransmitted packetsRepaired nackCount nackPacketCount pliCount'),
        ...names('firCount score packetCount byteCount bitrate bitrateByLayer'),
      ].sort(),
    );
    expect(stats).toMatchObject([
      { type: 'inbound-rtp', ssrc: AUDIO_SSRC, kind: 'audio', mimeType: 'audio/opus', packetCount: 3, byteCount: 186 },
    ]);
    expect((await producer.dump()).rtpStreams).toEqual([
      {
        params: {
          encodingIdx: 0,
          ssrc: AUDIO_SSRC,
          payloadType: 111,
          mimeType: 'audio/opus',
          clockRate: 48000,
          cname: 'me',
          useNack: false,
          usePli: false,
          useFir: false,
          useInBandFec: true,
          useDtx: true,
          spatialLayers: 1,
          temporalLayers: 1,
        },
        score: 10,
      },
    ]);
    expect((await transport.getStats())[0]).toMatchObject({ bytesReceived: 186, rtpBytesReceived: 186 });
  });

  it('traces packets and what is asked for', async () => {
    const producer = await (await start()).produce(audio);
    await producer.enableTraceEvent(['rtp', 'pli', 'foo'] as never);
    expect((await producer.dump()).traceEventTypes).toEqual(['rtp', 'pli']);
    const traced = once(producer, 'trace');
    sendAudio(producer, 1, 5);
    expect(await traced).toEqual([
      {
        type: 'rtp',
        timestamp: expect.any(Number),
        direction: 'in',
        info: {
          rtpPacket: {
            payloadType: 111,
            sequenceNumber: 5,
            timestamp: 4800,
            marker: false,
            ssrc: AUDIO_SSRC,
            isKeyFrame: false,
            size: 62,
            payloadSize: 50,
            spatialLayer: 0,
            temporalLayer: 0,
            mid: 'a',
          },
          isRtx: false,
        },
      },
    ]);
    await producer.enableTraceEvent();
    expect((await producer.dump()).traceEventTypes).toEqual([]);
  });

  it('pauses, in the worker too', async () => {
    const producer = await (await start()).produce({ ...audio, paused: true });
    expect(producer.paused).toBe(true);
    expect((await producer.dump()).paused).toBe(true);
    await producer.resume();
    expect((await producer.dump()).paused).toBe(false);
    await producer.pause();
    expect((await producer.dump()).paused).toBe(true);
  });

  it.each([
    ['no encoding', withEncodings([]), TypeError],
    ['one that nothing tells', withEncodings([{}]), TypeError],
    ['a codec the router lacks', { ...audio, rtpParameters: codecOf('audio/PCMU', 8000) }, UnsupportedError],
    ['RTX of nothing', { ...simulcast, rtpParameters: rtxOf(111) }, TypeError],
  ])('cannot be made of %s', async (_, options, kind) => {
    const transport = await start();
    await expect(transport.produce(options)).rejects.toBeInstanceOf(kind);
    expect((await transport.dump()).producerIds).toEqual([]);
  });

  it.each([
    ['the SSRC', { rtpParameters: { ...audio.rtpParameters, mid: 'other' } }],
    ['the MID', { rtpParameters: { ...audio.rtpParameters, encodings: [{ ssrc: 2222 }] } }],
    ['the id', { id: 'p', rtpParameters: { ...audio.rtpParameters, mid: 'b', encodings: [{ ssrc: 2222 }] } }],
  ])('cannot have %s of another', async (_, options) => {
    const transport = await start();
    const first = await transport.produce({ ...audio, id: 'p' });
    await expect(transport.produce({ ...audio, ...options })).rejects.toThrow(Error);
    expect((await transport.dump()).producerIds).toEqual([first.id]);
  });

  it('is unknown once closed', async () => {
    const transport = await start();
    const producer = await transport.produce(audio);
    producer.close();
    for (const promise of [
      producer.dump(),
      producer.getStats(),
      producer.pause(),
      producer.enableTraceEvent(['rtp']),
    ]) {
      await expect(promise).rejects.toBeInstanceOf(NotFoundError);
    }
    expect((await transport.produce(audio)).closed).toBe(false);
  });
});

function codecOf(mimeType: string, clockRate: number): ProducerOptions['rtpParameters'] {
  return { codecs: [{ mimeType, payloadType: 0, clockRate }], encodings: [{ ssrc: 1 }] };
}

function rtxOf(apt: number): ProducerOptions['rtpParameters'] {
  const [video, rtx] = simulcast.rtpParameters.codecs;
  return { ...simulcast.rtpParameters, codecs: [video!, { ...rtx!, parameters: { apt } }] };
}
