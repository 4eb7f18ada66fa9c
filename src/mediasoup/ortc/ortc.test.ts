import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../errors.ts';
import {
  canConsume,
  generateRouterRtpCapabilities,
  getConsumableRtpParameters,
  getConsumerRtpParameters,
  getPipeConsumerRtpParameters,
  getProducerRtpParametersMapping,
  validateAndNormalizeRtpParameters,
} from '../ortc.ts';
import type {
  NormalizedRtpCapabilities,
  NormalizedRtpParameters,
  RouterRtpCodecCapability,
  RtpCapabilities,
  RtpParameters,
} from '../rtp-parameters.ts';
import { getSupportedRtpCapabilities } from './supported-rtp-capabilities.ts';

const opus: RouterRtpCodecCapability = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
const vp8: RouterRtpCodecCapability = { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 };
const vp9: RouterRtpCodecCapability = { kind: 'video', mimeType: 'video/VP9', clockRate: 90000 };
const h264: RouterRtpCodecCapability = {
  kind: 'video',
  mimeType: 'video/H264',
  clockRate: 90000,
  parameters: { 'level-asymmetry-allowed': 1, 'packetization-mode': 1, 'profile-level-id': '42e01f' },
};

function withParameters(codec: RouterRtpCodecCapability, parameters: object): RouterRtpCodecCapability {
  return { ...codec, parameters: { ...codec.parameters, ...parameters } };
}

describe('getSupportedRtpCapabilities', () => {
  it('gives copies', () => {
    getSupportedRtpCapabilities().codecs.length = 0;
    expect(getSupportedRtpCapabilities().codecs.length).toBeGreaterThan(20);
  });
});

describe('generateRouterRtpCapabilities', () => {
  it('gives dynamic payload types in order, and RTX to video', () => {
    const caps = generateRouterRtpCapabilities([opus, { ...vp8, rtcpFeedback: [] }, h264]);
    expect(caps.codecs.map((codec) => [codec.preferredPayloadType, codec.mimeType, codec.parameters?.['apt']])).toEqual(
      [
        [100, 'audio/opus', undefined],
        [101, 'video/VP8', undefined],
        [102, 'video/rtx', 101],
        [103, 'video/H264', undefined],
        [104, 'video/rtx', 103],
      ],
    );
    expect(caps.codecs[1]!.rtcpFeedback).toEqual([
      { type: 'nack', parameter: '' },
      { type: 'nack', parameter: 'pli' },
      { type: 'ccm', parameter: 'fir' },
      { type: 'goog-remb', parameter: '' },
      { type: 'transport-cc', parameter: '' },
    ]);
    expect(caps.headerExtensions.length).toBe(18);
  });

  it('keeps payload types asked for and those fixed by name', () => {
    const caps = generateRouterRtpCapabilities([
      { ...opus, preferredPayloadType: 100 },
      { ...vp8, preferredPayloadType: 102 },
      { kind: 'audio', mimeType: 'audio/pcmu', clockRate: 8000 },
    ]);
    expect(caps.codecs.map((codec) => codec.preferredPayloadType)).toEqual([100, 102, 101, 0]);
  });

  it('joins parameters with those of the codec', () => {
    const caps = generateRouterRtpCapabilities([withParameters(h264, { foo: 'bar' })]);
    expect(caps.codecs[0]!.parameters).toEqual({ ...h264.parameters, foo: 'bar' });
  });

  it.each([
    ['an object', {}],
    ['a codec that is none', [1]],
    ['no MIME type', [{ kind: 'audio', clockRate: 48000 }]],
    ['a MIME type of neither kind', [{ ...opus, mimeType: 'chicken/opus' }]],
    ['no clock rate', [{ kind: 'audio', mimeType: 'audio/opus' }]],
    [
      'a payload type twice',
      [
        { ...opus, preferredPayloadType: 110 },
        { ...vp8, preferredPayloadType: 110 },
      ],
    ],
    ['a wrong parameter', [withParameters(opus, { x: [] })]],
    ['a wrong apt', [withParameters(opus, { apt: 'x' })]],
    ['a wrong payload type', [{ ...opus, preferredPayloadType: '1' }]],
    ['wrong feedback', [{ ...opus, rtcpFeedback: [{}] }]],
  ])('refuses %s', (_, codecs) => {
    expect(() => generateRouterRtpCapabilities(codecs as RouterRtpCodecCapability[])).toThrow(TypeError);
  });

  it.each([
    ['an unknown codec', [{ kind: 'audio', mimeType: 'audio/chicken', clockRate: 8000, channels: 4 }]],
    ['another clock', [{ ...opus, clockRate: 8000 }]],
    ['another number of channels', [{ ...opus, channels: 1 }]],
    ['H.265', [{ ...vp8, mimeType: 'video/H265' }]],
    [
      'multiopus of other streams',
      [{ ...opus, mimeType: 'audio/multiopus', channels: 4, parameters: { num_streams: 3 } }],
    ],
    ['more codecs than payload types', Array.from({ length: 20 }, () => ({ ...vp8 }))],
  ])('has no support for %s', (_, codecs) => {
    expect(() => generateRouterRtpCapabilities(codecs as RouterRtpCodecCapability[])).toThrow(UnsupportedError);
  });
});

function video(): RtpParameters {
  return {
    mid: 'v',
    codecs: [
      {
        mimeType: 'video/h264',
        payloadType: 112,
        clockRate: 90000,
        parameters: { 'packetization-mode': 1, 'profile-level-id': '42e034', foo: 1 },
        rtcpFeedback: [{ type: 'nack' }],
      },
      { mimeType: 'video/rtx', payloadType: 113, clockRate: 90000, parameters: { apt: 112 } },
    ],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 10 }],
    encodings: [
      { ssrc: 1, rtx: { ssrc: 2 }, maxBitrate: 111111, scalabilityMode: 'L1T3' },
      { ssrc: 3, rtx: { ssrc: 4 }, maxBitrate: 333333, scalabilityMode: 'L1T3' },
      { rid: 'h', maxBitrate: 222222, scalabilityMode: 'L1T3' },
    ],
    rtcp: { cname: 'me' },
    msid: 'a b',
  };
}

function consumable(router: NormalizedRtpCapabilities, params = video()): NormalizedRtpParameters {
  validateAndNormalizeRtpParameters(params);
  const mapping = getProducerRtpParametersMapping(params, router);
  return getConsumableRtpParameters('video', params, router, mapping);
}

describe('getProducerRtpParametersMapping', () => {
  it('maps payload types and streams and agrees on the level', () => {
    const params = video();
    const router = generateRouterRtpCapabilities([opus, h264]);
    const mapping = getProducerRtpParametersMapping(params, router);
    const first = mapping.encodings[0]!.mappedSsrc;
    expect(mapping).toEqual({
      codecs: [
        { payloadType: 112, mappedPayloadType: 101 },
        { payloadType: 113, mappedPayloadType: 102 },
      ],
      encodings: [
        { ssrc: 1, mappedSsrc: first },
        { ssrc: 3, mappedSsrc: first + 1 },
        { rid: 'h', mappedSsrc: first + 2 },
      ],
    });
    expect(params.codecs[0]!.parameters?.['profile-level-id']).toBe('42e01f');
    expect(router.codecs[1]!.parameters?.['profile-level-id']).toBe('42e01f');
  });

  it.each([
    ['another packetization mode', withParameters(h264, { 'packetization-mode': 0 })],
    ['another profile', withParameters(h264, { 'profile-level-id': '640c1f' })],
    ['another codec', vp8],
  ])('has no support for a router of %s', (_, codec) => {
    expect(() => getProducerRtpParametersMapping(video(), generateRouterRtpCapabilities([codec]))).toThrow(
      UnsupportedError,
    );
  });

  it('has no support for RTX where the router has none', () => {
    const router = generateRouterRtpCapabilities([h264]);
    router.codecs.pop();
    expect(() => getProducerRtpParametersMapping(video(), router)).toThrow(UnsupportedError);
  });

  it('refuses RTX of no media codec', () => {
    const params = video();
    params.codecs[1]!.parameters = { apt: 111 };
    expect(() => getProducerRtpParametersMapping(params, generateRouterRtpCapabilities([h264]))).toThrow(TypeError);
  });

  it('tells VP9 profiles apart, as numbers and texts', () => {
    const router = generateRouterRtpCapabilities([withParameters(vp9, { 'profile-id': 2 })]);
    const codecs = (profile: unknown): RtpParameters => ({
      codecs: [{ mimeType: 'video/VP9', payloadType: 98, clockRate: 90000, parameters: { 'profile-id': profile } }],
    });
    expect(getProducerRtpParametersMapping(codecs('2'), router).codecs.length).toBe(1);
    expect(() => getProducerRtpParametersMapping(codecs(0), router)).toThrow(UnsupportedError);
  });

  it('maps surround Opus by its streams', () => {
    const parameters = { channel_mapping: '0,4,1,2,3,5', num_streams: 4, coupled_streams: 2 };
    const codec = { mimeType: 'audio/multiopus', clockRate: 48000, channels: 6, parameters };
    const router = generateRouterRtpCapabilities([{ ...codec, kind: 'audio' }]);
    expect(getProducerRtpParametersMapping({ codecs: [{ ...codec, payloadType: 111 }] }, router).codecs).toEqual([
      { payloadType: 111, mappedPayloadType: 100 },
    ]);
    const other = { ...codec, payloadType: 111, parameters: { ...parameters, coupled_streams: 1 } };
    expect(() => getProducerRtpParametersMapping({ codecs: [other] }, router)).toThrow(UnsupportedError);
  });
});

describe('getConsumableRtpParameters', () => {
  it('has the payload types, extensions and SSRCs of the router', () => {
    const params = consumable(generateRouterRtpCapabilities([opus, h264]));
    expect(params.codecs.map(({ mimeType, payloadType, parameters }) => [mimeType, payloadType, parameters])).toEqual([
      ['video/H264', 101, { 'packetization-mode': 1, 'profile-level-id': '42e01f', foo: 1 }],
      ['video/rtx', 102, { apt: 101 }],
    ]);
    expect(params.codecs[0]!.rtcpFeedback?.length).toBe(5);
    expect(params.headerExtensions.map(({ id }) => id)).toEqual([1, 4, 5, 8, 9, 11, 12]);
    const ssrc = params.encodings[0]!.ssrc!;
    expect(params.encodings).toEqual([
      { ssrc, dtx: false, maxBitrate: 111111, scalabilityMode: 'L1T3' },
      { ssrc: ssrc + 1, dtx: false, maxBitrate: 333333, scalabilityMode: 'L1T3' },
      { ssrc: ssrc + 2, dtx: false, maxBitrate: 222222, scalabilityMode: 'L1T3' },
    ]);
    expect(params.rtcp).toEqual({ cname: 'me', reducedSize: true });
    expect(params.msid).toBe('a b');
  });

  it('has the capture time only of a producer that has it', () => {
    const uri = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';
    const params = consumable(generateRouterRtpCapabilities([h264]), {
      ...video(),
      headerExtensions: [{ uri, id: 3 }],
    });
    expect(params.headerExtensions.map(({ id }) => id)).toEqual([1, 4, 5, 8, 9, 10, 11, 12]);
  });
});

describe('consumers', () => {
  const router = generateRouterRtpCapabilities([opus, h264]);
  const params = consumable(router);

  /** An endpoint with the router's codecs and some of its extensions. */
  function endpoint(...ids: number[]): RtpCapabilities {
    return structuredClone({
      codecs: router.codecs,
      headerExtensions: router.headerExtensions.filter(({ preferredId }) => ids.includes(preferredId)),
    });
  }

  it('send one encoding of as many spatial layers as the producer has streams', () => {
    const caps = endpoint(1, 4, 5);
    const result = getConsumerRtpParameters({
      consumableRtpParameters: params,
      remoteRtpCapabilities: caps,
      pipe: false,
      enableRtx: true,
    });
    const ssrc = result.encodings[0]!.ssrc!;
    expect(result.encodings).toEqual([{ ssrc, rtx: { ssrc: ssrc + 1 }, scalabilityMode: 'L3T3', maxBitrate: 333333 }]);
    expect(result.codecs.map(({ payloadType }) => payloadType)).toEqual([101, 102]);
    expect(result.headerExtensions.map(({ id }) => id)).toEqual([1, 4, 5]);
    expect(result.msid).toBe('a b');
    expect(canConsume(params, caps)).toBe(true);
  });

  it.each([
    ['transport-wide feedback', [4, 5], ['nack', 'nack pli', 'ccm fir', 'transport-cc']],
    ['REMB', [4], ['nack', 'nack pli', 'ccm fir', 'goog-remb']],
    ['neither', [1], ['nack', 'nack pli', 'ccm fir']],
  ])('use %s', (_, ids, expected) => {
    const result = getConsumerRtpParameters({
      consumableRtpParameters: params,
      remoteRtpCapabilities: endpoint(...ids),
      pipe: false,
      enableRtx: true,
    });
    expect(result.codecs[0]!.rtcpFeedback?.map(({ type, parameter }) => `${type} ${parameter}`.trim())).toEqual(
      expected,
    );
  });

  it('have no NACK and no RTX without enableRtx', () => {
    const result = getConsumerRtpParameters({
      consumableRtpParameters: params,
      remoteRtpCapabilities: endpoint(4),
      pipe: false,
      enableRtx: false,
    });
    expect(result.codecs.map(({ mimeType }) => mimeType)).toEqual(['video/H264']);
    expect(result.codecs[0]!.rtcpFeedback).not.toContainEqual({ type: 'nack', parameter: '' });
    expect(result.encodings[0]!.rtx).toBeUndefined();
  });

  it('send every stream with pipe', () => {
    const result = getConsumerRtpParameters({
      consumableRtpParameters: params,
      remoteRtpCapabilities: endpoint(4),
      pipe: true,
      enableRtx: true,
    });
    expect(result.encodings.length).toBe(3);
    expect(result.encodings[2]!.ssrc).toBe(result.encodings[0]!.ssrc! + 2);
  });

  it('are refused without a codec in common, RTX alone being none', () => {
    const caps = endpoint(4);
    caps.codecs = caps.codecs!.filter(({ mimeType }) => mimeType === 'video/rtx');
    const options = { consumableRtpParameters: params, pipe: false, enableRtx: true };
    expect(() => getConsumerRtpParameters({ ...options, remoteRtpCapabilities: caps })).toThrow(UnsupportedError);
    expect(canConsume(params, caps)).toBe(false);
    expect(canConsume(params, { codecs: [] })).toBe(false);
    expect(() => canConsume(params, { codecs: 1 } as unknown as RtpCapabilities)).toThrow(TypeError);
  });

  it.each([
    [true, [101, 102], ['nack', 'nack pli', 'ccm fir']],
    [false, [101], ['nack pli', 'ccm fir']],
  ])('of pipes carry nothing of the transport (RTX %s)', (enableRtx, payloadTypes, feedback) => {
    const result = getPipeConsumerRtpParameters({ consumableRtpParameters: params, enableRtx });
    expect(result.codecs.map(({ payloadType }) => payloadType)).toEqual(payloadTypes);
    expect(result.codecs[0]!.rtcpFeedback?.map(({ type, parameter }) => `${type} ${parameter}`.trim())).toEqual(
      feedback,
    );
    expect(result.headerExtensions.map(({ id }) => id)).toEqual([7, 8, 9, 11, 12]);
    expect(result.encodings.map(({ rtx }) => rtx !== undefined)).toEqual([enableRtx, enableRtx, enableRtx]);
  });
});
