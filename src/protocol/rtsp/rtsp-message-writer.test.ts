import { describe, expect, it } from 'vitest';
import { RtspHeaders } from './rtsp-headers.ts';
import { writeInterleavedFrame, writeRtspRequest, writeRtspResponse } from './rtsp-message-writer.ts';
import { RTSP_STATUS_REASONS, reasonOf } from './status-codes.ts';

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('writeRtspRequest', () => {
  it('writes the headers in order and the length of the body last', () => {
    const headers = new RtspHeaders([
      ['CSeq', '1'],
      ['Content-Type', 'text/parameters'],
    ]);
    expect(toText(writeRtspRequest({ method: 'SET_PARAMETER', url: 'rtsp://h/a', headers, body: 'é' }))).toBe(
      'SET_PARAMETER rtsp://h/a RTSP/1.0\r\nCSeq: 1\r\nContent-Type: text/parameters\r\nContent-Length: 2\r\n\r\né',
    );
    expect(headers.has('Content-Length')).toBe(false);
  });

  it('corrects a wrong Content-Length where there is a body, and leaves it where there is none', () => {
    const headers = [['Content-Length', '32767']] as const;
    expect(toText(writeRtspRequest({ method: 'POST', url: '/', protocol: 'HTTP', headers }))).toBe(
      'POST / HTTP/1.0\r\nContent-Length: 32767\r\n\r\n',
    );
    expect(toText(writeRtspRequest({ method: 'POST', url: '/', headers, body: new Uint8Array() }))).toBe(
      'POST / RTSP/1.0\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it.each([
    ['OPTIONS', 'a\r\nEvil: 1'],
    ['OPTIONS', ''],
    ['A B', '*'],
    ['RTSP/1.0', '*'],
  ])('refuses %j %j', (method, url) => {
    expect(() => writeRtspRequest({ method, url })).toThrow(expect.objectContaining({ code: 'rtsp/bad-message' }));
  });
});

describe('writeRtspResponse', () => {
  it('knows the reasons', () => {
    expect(toText(writeRtspResponse({ statusCode: 454 }))).toBe('RTSP/1.0 454 Session Not Found\r\n\r\n');
    expect(toText(writeRtspResponse({ statusCode: 200, reason: '' }))).toBe('RTSP/1.0 200 \r\n\r\n');
    expect(toText(writeRtspResponse({ statusCode: 599 }))).toBe('RTSP/1.0 599 Server Error\r\n\r\n');
  });

  it.each([20, 1000, -200, Number.NaN])('refuses the status code %j', (statusCode) => {
    expect(() => writeRtspResponse({ statusCode })).toThrow(expect.objectContaining({ code: 'rtsp/bad-message' }));
  });
});

describe('reasonOf', () => {
  it.each([
    [299, 'Success'],
    [399, 'Redirection'],
    [499, 'Client Error'],
    [999, 'Unknown'],
    [0, 'Unknown'],
  ])('names the class of %i', (code, reason) => {
    expect(reasonOf(code)).toBe(reason);
  });

  it('has all 44 codes of RFC 2326', () => {
    const codes = [100, 200, 201, 250, 300, 301, 302, 303, 304, 305, 500, 501, 502, 503, 504, 505, 551];
    for (let code = 400; code <= 415; code++) if (code !== 409) codes.push(code);
    for (let code = 451; code <= 462; code++) codes.push(code);
    expect(codes.filter((code) => !RTSP_STATUS_REASONS.has(code))).toEqual([]);
    expect(codes).toHaveLength(44);
  });
});

describe('writeInterleavedFrame', () => {
  it('puts channel and length in front', () => {
    expect([...writeInterleavedFrame(3, new Uint8Array(258)).subarray(0, 4)]).toEqual([0x24, 3, 1, 2]);
    expect(() => writeInterleavedFrame(0, new Uint8Array(65_536))).toThrow('do not fit');
  });
});
