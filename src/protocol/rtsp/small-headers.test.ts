import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRtpInfo, RTSP_MAX_RTP_INFO_STREAMS, type RtpInfo, writeRtpInfo } from './rtp-info.ts';
import { parseScale, parseSpeed, writeScale } from './scale-and-speed.ts';
import { parseSession, type SessionHeader, writeSession } from './session-header.ts';

describe('parseSession', () => {
  it.each<[string, SessionHeader]>([
    ['12345678', { id: '12345678', timeoutSeconds: undefined }],
    ['12345678;timeout=60', { id: '12345678', timeoutSeconds: 60 }],
    [' a.b-c ; Timeout = 65.5 ', { id: 'a.b-c', timeoutSeconds: 65 }],
    ['a;x=1;timeout="30"', { id: 'a', timeoutSeconds: 30 }],
    ['a;timeout=', { id: 'a', timeoutSeconds: undefined }],
    ['a;timeout=0', { id: 'a', timeoutSeconds: undefined }],
    ['a;timeout=-1', { id: 'a', timeoutSeconds: undefined }],
    ['a;', { id: 'a', timeoutSeconds: undefined }],
  ])('reads %j', (text, expected) => {
    expect(parseSession(text)).toEqual(expected);
  });

  it.each(['', ';timeout=60', 'a b', 'a"', 'x'.repeat(257)])('refuses %j', (text) => {
    expect(parseSession(text)).toBeUndefined();
  });

  it('reads what was written', () => {
    for (const session of [
      { id: 'a', timeoutSeconds: undefined },
      { id: 'b', timeoutSeconds: 60 },
    ]) {
      expect(parseSession(writeSession(session))).toEqual(session);
    }
  });
});

describe('parseRtpInfo', () => {
  it.each<[string, RtpInfo[]]>([
    [
      'url=rtsp://h/a/trackID=1;seq=45102;rtptime=2890844526,url=rtsp://h/a/trackID=2;seq=30211',
      [
        { url: 'rtsp://h/a/trackID=1', sequenceNumber: 45102, rtpTime: 2890844526 },
        { url: 'rtsp://h/a/trackID=2', sequenceNumber: 30211, rtpTime: undefined },
      ],
    ],
    [
      ' URL = trackID=0 ; rtptime = 7 ; seq = 1 , url="b,c;d"',
      [
        { url: 'trackID=0', sequenceNumber: 1, rtpTime: 7 },
        { url: 'b,c;d', sequenceNumber: undefined, rtpTime: undefined },
      ],
    ],
    [
      'url=rtsp://h/a?x=1,2;y=seq/trackID=1;seq=65535;rtptime=4294967295',
      [{ url: 'rtsp://h/a?x=1,2;y=seq/trackID=1', sequenceNumber: 65_535, rtpTime: 4_294_967_295 }],
    ],
    ['url=a;seq=65536;rtptime=4294967296', [{ url: 'a', sequenceNumber: undefined, rtpTime: undefined }]],
    ['url=a;seq=-1;rtptime=x,', [{ url: 'a', sequenceNumber: undefined, rtpTime: undefined }]],
    ['', []],
    ['seq=1', []],
  ])('reads %j', (text, expected) => {
    expect(parseRtpInfo(text)).toEqual(expected);
  });

  it('reads a bounded number of streams', () => {
    expect(parseRtpInfo('url=a,'.repeat(1000))).toHaveLength(RTSP_MAX_RTP_INFO_STREAMS);
  });

  it('takes a time in proportion to the length', () => {
    const start = performance.now();
    for (const part of [';', ' ', ',', ';seq ', ', url ']) parseRtpInfo(`url=a${part.repeat(60_000 / part.length)}x`);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('reads what was written', () => {
    const info = fc.record({
      url: fc.webUrl({ withQueryParameters: true }).filter((url) => !/[,;]\s*(url|seq|rtptime|ssrc)=|[,;]$/i.test(url)),
      sequenceNumber: fc.option(fc.nat(0xffff), { nil: undefined }),
      rtpTime: fc.option(fc.nat(0xffffffff), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(info, { maxLength: 4 }), (infos) => {
        expect(parseRtpInfo(writeRtpInfo(infos))).toEqual(infos);
      }),
    );
  });
});

describe('Scale and Speed', () => {
  it.each([
    ['2', 2],
    ['-3.5', -3.5],
    [' 1.000000 ', 1],
    ['+.5', 0.5],
    ['0', undefined],
    ['-0.0', undefined],
    ['', undefined],
    ['x', undefined],
    ['1e3', undefined],
    ['.', undefined],
    ['99999999', undefined],
  ])('reads Scale %j as %j', (text, scale) => {
    expect(parseScale(text)).toBe(scale);
    expect(parseSpeed(text)).toBe(scale !== undefined && scale < 0 ? undefined : scale);
  });

  it.each([
    [2, '2'],
    [-3.5, '-3.5'],
    [100, '100'],
    [1 / 3, '0.333333'],
  ])('writes %j as %j', (scale, text) => {
    expect(writeScale(scale)).toBe(text);
  });
});
