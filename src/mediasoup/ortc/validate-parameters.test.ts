import { describe, expect, it } from 'vitest';
import type { RtpCapabilities, RtpParameters } from '../rtp-parameters.ts';
import { parseScalabilityMode } from '../scalability-modes.ts';
import type { SctpStreamParameters } from '../sctp-parameters.ts';
import {
  validateAndNormalizeRtpCapabilities,
  validateAndNormalizeRtpParameters,
  validateAndNormalizeSctpStreamParameters,
} from './validate-parameters.ts';

const codec = { mimeType: 'audio/opus', payloadType: 100, clockRate: 48000 };

describe('validateAndNormalizeRtpCapabilities', () => {
  it('fills in what is optional', () => {
    const caps: RtpCapabilities = {
      codecs: [
        {
          kind: 'audio',
          mimeType: 'Audio/opus',
          preferredPayloadType: 1,
          clockRate: 8000,
          rtcpFeedback: [{ type: 'nack' }],
        },
        {
          kind: 'video',
          mimeType: 'video/VP8',
          preferredPayloadType: 2,
          clockRate: 90000,
          channels: 2,
          // Clients of other languages send what they have nothing for.
          parameters: null as never,
          rtcpFeedback: 'x' as never,
        },
      ],
      headerExtensions: [{ kind: 'audio', uri: 'urn:x', preferredId: 3 }],
    };
    validateAndNormalizeRtpCapabilities(caps);
    expect(caps).toEqual({
      codecs: [
        {
          kind: 'audio',
          mimeType: 'Audio/opus',
          preferredPayloadType: 1,
          clockRate: 8000,
          channels: 1,
          parameters: {},
          rtcpFeedback: [{ type: 'nack', parameter: '' }],
        },
        {
          kind: 'video',
          mimeType: 'video/VP8',
          preferredPayloadType: 2,
          clockRate: 90000,
          parameters: {},
          rtcpFeedback: [],
        },
      ],
      headerExtensions: [
        { kind: 'audio', uri: 'urn:x', preferredId: 3, preferredEncrypt: false, direction: 'sendrecv' },
      ],
    });
  });

  it.each([
    [undefined],
    ['x'],
    [{ codecs: {} }],
    [{ headerExtensions: 'x' }],
    [{ codecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, preferredPayloadType: 'x' }] }],
    [{ codecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, parameters: { a: null } }] }],
    [{ headerExtensions: [{ kind: '', uri: 'urn:x', preferredId: 1 }] }],
    [{ headerExtensions: [{ kind: 'audio', preferredId: 1 }] }],
    [{ headerExtensions: [{ kind: 'audio', uri: 'urn:x', preferredId: 1.5 }] }],
    [{ headerExtensions: [{ kind: 'audio', uri: 'urn:x', preferredId: 1, preferredEncrypt: 1 }] }],
    [{ headerExtensions: [{ kind: 'audio', uri: 'urn:x', preferredId: 1, direction: 1 }] }],
  ])('refuses %j', (caps) => {
    expect(() => validateAndNormalizeRtpCapabilities(caps as RtpCapabilities)).toThrow(TypeError);
  });
});

describe('validateAndNormalizeRtpParameters', () => {
  it('fills in what is optional', () => {
    const params: RtpParameters = { codecs: [codec], encodings: [{ ssrc: 1 }] };
    validateAndNormalizeRtpParameters(params);
    expect(params).toEqual({
      codecs: [{ ...codec, channels: 1, parameters: {}, rtcpFeedback: [] }],
      headerExtensions: [],
      encodings: [{ ssrc: 1, dtx: false }],
      rtcp: { reducedSize: true },
    });
  });

  it.each([
    [{}],
    [{ codecs: [{ ...codec, payloadType: '1' }] }],
    [{ codecs: [codec], mid: 1 }],
    [{ codecs: [codec], headerExtensions: 1 }],
    [{ codecs: [codec], headerExtensions: [{ id: 1 }] }],
    [{ codecs: [codec], headerExtensions: [{ uri: 'urn:x' }] }],
    [{ codecs: [codec], headerExtensions: [{ uri: 'urn:x', id: 1, parameters: { a: {} } }] }],
    [{ codecs: [codec], encodings: 1 }],
    [{ codecs: [codec], encodings: [{ ssrc: '1' }] }],
    [{ codecs: [codec], encodings: [{ rid: 1 }] }],
    [{ codecs: [codec], encodings: [{ rtx: {} }] }],
    [{ codecs: [codec], encodings: [{ scalabilityMode: 1 }] }],
    [{ codecs: [codec], rtcp: 1 }],
    [{ codecs: [codec], rtcp: { cname: 1 } }],
    [{ codecs: [codec], rtcp: { reducedSize: 1 } }],
  ])('refuses %j', (params) => {
    expect(() => validateAndNormalizeRtpParameters(params as unknown as RtpParameters)).toThrow(TypeError);
  });
});

describe('validateAndNormalizeSctpStreamParameters', () => {
  it.each([
    [{ streamId: 1 }, true],
    [{ streamId: 1, ordered: false }, false],
    [{ streamId: 1, maxRetransmits: 0 }, true],
    [{ streamId: 1, ordered: true, maxRetransmits: 0 }, true],
    [{ streamId: 1, maxPacketLifeTime: 100 }, false],
  ])('%j is ordered: %s', (params: SctpStreamParameters, ordered) => {
    validateAndNormalizeSctpStreamParameters(params);
    expect(params.ordered).toBe(ordered);
  });

  it.each([
    [undefined],
    [{}],
    [{ streamId: 'x' }],
    [{ streamId: 1, maxPacketLifeTime: 'x' }],
    [{ streamId: 1, maxPacketLifeTime: 1, maxRetransmits: 1 }],
    [{ streamId: 1, ordered: true, maxRetransmits: 1 }],
  ])('refuses %j', (params) => {
    expect(() => validateAndNormalizeSctpStreamParameters(params as SctpStreamParameters)).toThrow(TypeError);
  });
});

describe('parseScalabilityMode', () => {
  it.each([
    [undefined, 1, 1, false],
    ['L1T3', 1, 3, false],
    ['L3T2_KEY', 3, 2, true],
    ['S2T3', 2, 3, false],
    ['foo', 1, 1, false],
    ['L0T3', 1, 1, false],
    ['S1T0', 1, 1, false],
    ['L20T3', 20, 3, false],
    ['S200T3', 1, 1, false],
    ['L4T7_KEY_SHIFT', 4, 7, true],
  ])('%s: %i spatial, %i temporal, K-SVC %s', (mode, spatialLayers, temporalLayers, ksvc) => {
    expect(parseScalabilityMode(mode)).toEqual({ spatialLayers, temporalLayers, ksvc });
  });
});
