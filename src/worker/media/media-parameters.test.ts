import { describe, expect, it } from 'vitest';
import {
  readConsumableEncodings,
  readDtlsParameters,
  readLayers,
  readMediaKind,
  readRtpMapping,
  readRtpParameters,
  readSctpStreamParameters,
  readSrtpParameters,
  readStreamsType,
} from './media-parameters.ts';
import { RequestData } from './request-data.ts';

const codec = { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 };
const complete = {
  mid: '0',
  codecs: [{ ...codec, channels: 1, parameters: { a: 1 }, rtcpFeedback: [{ type: 'nack', parameter: 'pli' }] }],
  headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1, encrypt: false, parameters: {} }],
  encodings: [
    { ssrc: 1, rid: 'a', codecPayloadType: 96, rtx: { ssrc: 2 }, dtx: true, scalabilityMode: 'L1T3', maxBitrate: 5e5 },
  ],
  rtcp: { cname: 'c', reducedSize: true },
  msid: 'a b',
};
const mapping = {
  codecs: [{ payloadType: 96, mappedPayloadType: 101 }],
  encodings: [{ ssrc: 1, rid: 'a', mappedSsrc: 5 }],
};

const rtpParameters = (value: unknown): unknown => readRtpParameters(new RequestData({ rtpParameters: value }));
const rtpMapping = (value: unknown): unknown => readRtpMapping(new RequestData({ rtpMapping: value }));

/** `complete` with another codec, header extension or encoding. */
const withCodec = (fields: object): object => ({ ...complete, codecs: [{ ...codec, ...fields }] });
const withExtension = (fields: object): object => ({
  ...complete,
  headerExtensions: [{ uri: 'u', id: 1, ...fields }],
});
const withEncoding = (fields: object): object => ({ ...complete, encodings: [{ ssrc: 1, ...fields }] });

describe('what control tells of media', () => {
  it('is read as it is when it is right', () => {
    expect(rtpParameters(complete)).toEqual(complete);
    expect(rtpMapping(mapping)).toEqual(mapping);
    expect(readConsumableEncodings(new RequestData({ consumableRtpEncodings: complete.encodings }))).toEqual(
      complete.encodings,
    );
  });

  it('loses what is null and what nobody knows', () => {
    expect(rtpParameters({ mid: null, codecs: [{ ...codec, channels: null, more: 1 }], encodings: null })).toEqual({
      codecs: [codec],
    });
  });

  it.each([
    [undefined],
    [null],
    [[]],
    ['text'],
    [{}],
    [{ codecs: {} }],
    [{ codecs: [] }],
    [{ codecs: [null] }],
    [{ codecs: [{ ...codec, mimeType: 'video/rtx' }] }],
    [{ codecs: Array.from({ length: 256 }, () => codec) }],
    [{ ...complete, mid: 7 }],
    [{ ...complete, headerExtensions: {} }],
    [{ ...complete, encodings: [7] }],
    [{ ...complete, rtcp: 'x' }],
    [{ ...complete, rtcp: { cname: 7 } }],
    [{ ...complete, msid: {} }],
    [withCodec({ mimeType: 7 })],
    [withCodec({ payloadType: 128 })],
    [withCodec({ payloadType: '96' })],
    [withCodec({ clockRate: 0 })],
    [withCodec({ channels: -1 })],
    [withCodec({ parameters: 'x' })],
    [withCodec({ rtcpFeedback: [{}] })],
    [withExtension({ uri: '' })],
    [withExtension({ id: 0 })],
    [withExtension({ id: 256 })],
    [withExtension({ encrypt: 1 })],
    [withEncoding({ ssrc: 0x1_0000_0000 })],
    [withEncoding({ ssrc: 1.5 })],
    [withEncoding({ rid: 1 })],
    [withEncoding({ rtx: { ssrc: -1 } })],
    [withEncoding({ rtx: 3 })],
    [withEncoding({ dtx: 'yes' })],
    [withEncoding({ scalabilityMode: 3 })],
    [withEncoding({ maxBitrate: -1 })],
  ])('refuses RTP parameters like %j', (value) => {
    expect(() => rtpParameters(value)).toThrow(TypeError);
  });

  it.each([
    [undefined],
    [{}],
    [{ ...mapping, codecs: [{ payloadType: 96 }] }],
    [{ ...mapping, encodings: [{}] }],
    [{ ...mapping, encodings: [{ mappedSsrc: 'x' }] }],
    [{ ...mapping, encodings: [null] }],
  ])('refuses a mapping like %j', (value) => {
    expect(() => rtpMapping(value)).toThrow(TypeError);
  });

  it.each<readonly [string, (fields: RequestData) => unknown, object]>([
    ['a kind', readMediaKind, { kind: 'chicken' }],
    ['a type', readStreamsType, { type: 'chicken' }],
    ['encodings without SSRC', readConsumableEncodings, { consumableRtpEncodings: [{}] }],
    ['layers', readLayers, { spatialLayer: 'x' }],
    ['layers', readLayers, { spatialLayer: 0, temporalLayer: -1 }],
    ['a stream of SCTP', readSctpStreamParameters, { sctpStreamParameters: { streamId: 65_535 } }],
    ['a stream of SCTP', readSctpStreamParameters, { sctpStreamParameters: { streamId: 0, ordered: 'x' } }],
    ['keys of SRTP', readSrtpParameters, { srtpParameters: { cryptoSuite: 'AEAD_AES_256_GCM' } }],
    ['DTLS', readDtlsParameters, { dtlsParameters: { role: 'chicken', fingerprints: [] } }],
    ['DTLS', readDtlsParameters, { dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256' }] } }],
  ])('refuses %s', (_, read, fields) => {
    expect(() => read(new RequestData(fields))).toThrow(TypeError);
  });

  it('reads what else there is', () => {
    expect(readLayers(new RequestData({ spatialLayer: 2 }))).toEqual({ spatialLayer: 2 });
    expect(readSctpStreamParameters(new RequestData({}))).toBeUndefined();
    expect(
      readSctpStreamParameters(new RequestData({ sctpStreamParameters: { streamId: 7, maxRetransmits: 3 } })),
    ).toEqual({ streamId: 7, maxRetransmits: 3 });
    const fingerprints = [{ algorithm: 'sha-256', value: 'AB' }];
    expect(readDtlsParameters(new RequestData({ dtlsParameters: { fingerprints } }))).toEqual({
      role: 'auto',
      fingerprints,
    });
  });
});
