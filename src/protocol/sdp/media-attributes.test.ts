import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseFormatParameters,
  type RtpMap,
  rtpMapAttributes,
  rtpMapsOf,
  SDP_MAX_FORMAT_PARAMETERS,
  writeFormatParameters,
} from './rtp-maps.ts';
import { cryptoAttribute, cryptosOf, keyManagementAttribute, keyManagementsOf } from './security-attributes.ts';
import type { AttributeHolder, MediaDescription } from './session-description.ts';
import { parseSessionDescription } from './session-description-parser.ts';
import { sourceFilterAttribute, sourceFiltersOf, ssrcsOf } from './source-attributes.ts';

function media(line: string, ...attributes: string[]): MediaDescription {
  const text = [`m=${line}`, ...attributes.map((attribute) => `a=${attribute}`)].join('\n');
  return parseSessionDescription(text)!.media[0]!;
}

const holder = (...attributes: string[]): AttributeHolder => media('video 0 RTP/AVP 96', ...attributes);

const map = (
  payloadType: number,
  encodingName: string,
  clockRate: number,
  channels?: number,
  parameters: Record<string, string> = {},
): RtpMap => ({
  payloadType,
  encodingName,
  clockRate,
  ...(channels === undefined ? {} : { channels }),
  parameters: new Map(Object.entries(parameters)),
});

const STATIC = new Map([[0, map(0, 'PCMU', 8000)]]);

describe('rtpMapsOf', () => {
  it.each<[string, MediaDescription, RtpMap[]]>([
    [
      'H.264',
      media(
        'video 0 RTP/AVP 96',
        'rtpmap:96 H264/90000',
        'fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0IAHp2Q,aM48gA==',
      ),
      [map(96, 'H264', 90_000, undefined, { 'packetization-mode': '1', 'sprop-parameter-sets': 'Z0IAHp2Q,aM48gA==' })],
    ],
    [
      'odd spacing and case',
      media(
        'audio 0 RTP/AVP 97',
        'RTPMAP: 97  mpeg4-generic / 48000 / 2',
        'fmtp: 97 streamtype = 5; Mode=AAC-hbr ;; sizeLength=13 ;',
      ),
      [map(97, 'mpeg4-generic', 48_000, 2, { streamtype: '5', mode: 'AAC-hbr', sizelength: '13' })],
    ],
    [
      'several payload types in the order of the m= line',
      media(
        'audio 0 RTP/AVP 8 0 101 96',
        'rtpmap:96 opus/48000/2',
        'rtpmap:101 telephone-event/8000',
        'fmtp:101 0-15',
        'fmtp:0 x',
      ),
      [
        map(0, 'PCMU', 8000, undefined, { x: '' }),
        map(101, 'telephone-event', 8000, undefined, { '0-15': '' }),
        map(96, 'opus', 48_000, 2),
      ],
    ],
    ['a static type given another meaning', media('audio 0 RTP/AVP 0', 'rtpmap:0 L16/16000'), [map(0, 'L16', 16_000)]],
    ['no clock rate', media('video 0 RTP/AVP 96', 'rtpmap:96 H265'), [map(96, 'H265', 90_000)]],
    ['no clock rate of audio', media('audio 0 RTP/AVP 96', 'rtpmap:96 PCMA/'), [map(96, 'PCMA', 8000)]],
    ['a clock rate that is none', media('video 0 RTP/AVP 96', 'rtpmap:96 H265/0'), []],
    ['channels that are none', media('audio 0 RTP/AVP 96', 'rtpmap:96 opus/48000/x'), [map(96, 'opus', 48_000)]],
    ['an m= line without payload types', media('video 0 RTP/AVP', 'rtpmap:96 H264/90000'), [map(96, 'H264', 90_000)]],
    [
      'two fmtp lines of one type',
      media(
        'video 0 RTP/AVP 96',
        'rtpmap:96 H264/90000',
        'fmtp:96 a=1',
        'fmtp:96 b=2;a=3',
        'fmtp:96',
        'fmtp:97 c=1',
        'fmtp:x',
      ),
      [map(96, 'H264', 90_000, undefined, { a: '3', b: '2' })],
    ],
    [
      'payload types that are none',
      media('video 0 RTP/AVP 128 x 96 96', 'rtpmap:128 H264/90000', 'rtpmap:', 'rtpmap:96'),
      [],
    ],
  ])('reads %s', (_, description, maps) => {
    expect(rtpMapsOf(description, STATIC)).toEqual(maps);
  });

  it('reads a bounded number of parameters', () => {
    const text = Array.from({ length: 1000 }, (_, i) => `p${i}=1`).join(';');
    expect(parseFormatParameters([text]).size).toBe(SDP_MAX_FORMAT_PARAMETERS);
  });

  it('reads what was written', () => {
    const name = fc.stringMatching(/^[a-z\d-]{1,10}$/);
    const written = fc.record({
      payloadType: fc.integer({ min: 0, max: 127 }),
      encodingName: fc.stringMatching(/^[A-Za-z\d.-]{1,12}$/),
      clockRate: fc.integer({ min: 1, max: 999_999_999 }),
      channels: fc.option(fc.integer({ min: 1, max: 255 }), { nil: undefined }),
      parameters: fc.array(fc.tuple(name, fc.stringMatching(/^[\w=,+/]{0,20}$/))).map((entries) => new Map(entries)),
    });
    fc.assert(
      fc.property(written, (value) => {
        const description: MediaDescription = {
          type: 'audio',
          port: 0,
          protocol: 'RTP/AVP',
          formats: [String(value.payloadType)],
          attributes: rtpMapAttributes(value),
        };
        expect(rtpMapsOf(description)).toEqual([value]);
      }),
    );
  });

  it('writes parameters as they stand in fmtp', () => {
    expect(
      writeFormatParameters(
        new Map([
          ['a', '1'],
          ['0-15', ''],
        ]),
      ),
    ).toBe('a=1;0-15');
  });
});

describe('security attributes', () => {
  it('reads and writes key management', () => {
    const [mikey] = keyManagementsOf(
      holder('key-mgmt:MIKEY AQAFgM0=', 'key-mgmt:mikey', 'key-mgmt:mikey !!', 'key-mgmt:x '),
    );
    expect(mikey).toEqual({ protocol: 'mikey', data: Uint8Array.of(1, 0, 5, 0x80, 0xcd) });
    expect(keyManagementAttribute(mikey!)).toEqual({ name: 'key-mgmt', value: 'mikey AQAFgM0=' });
  });

  it('reads and writes crypto offers', () => {
    const value = '1 AES_CM_128_HMAC_SHA1_80 inline:WVNf|2^20|1:4;inline:Q2hh UNENCRYPTED_SRTCP';
    const cryptos = cryptosOf(
      holder(`crypto:${value}`, 'crypto:x A inline:B', 'crypto:1 A', 'crypto:', 'crypto:1 A ;'),
    );
    expect(cryptos).toEqual([
      {
        tag: 1,
        suite: 'AES_CM_128_HMAC_SHA1_80',
        keyParameters: ['inline:WVNf|2^20|1:4', 'inline:Q2hh'],
        sessionParameters: ['UNENCRYPTED_SRTCP'],
      },
    ]);
    expect(cryptoAttribute(cryptos[0]!)).toEqual({ name: 'crypto', value });
  });
});

describe('source attributes', () => {
  it('reads and writes source filters', () => {
    const value = 'incl IN IP4 232.3.4.5 192.0.2.10 192.0.2.11';
    const filters = sourceFiltersOf(
      holder(`source-filter: ${value}`, 'source-filter:x', 'source-filter:incl IN IP4 *'),
    );
    expect(filters).toEqual([
      {
        mode: 'incl',
        networkType: 'IN',
        addressType: 'IP4',
        destination: '232.3.4.5',
        sources: ['192.0.2.10', '192.0.2.11'],
      },
    ]);
    expect(sourceFilterAttribute(filters[0]!)).toEqual({ name: 'source-filter', value });
  });

  it('reads sources', () => {
    expect(ssrcsOf(holder('ssrc:1 cname:a b', 'ssrc:4294967295 x', 'ssrc:2', 'ssrc:4294967296 x', 'ssrc:x'))).toEqual([
      { ssrc: 1, attribute: { name: 'cname', value: 'a b' } },
      { ssrc: 4_294_967_295, attribute: { name: 'x' } },
      { ssrc: 2, attribute: { name: '' } },
    ]);
  });
});
