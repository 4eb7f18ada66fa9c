import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aggregateUrlOf,
  joinControl,
  parseRtspUrl,
  percentDecode,
  type RequestTarget,
  type RtspUrl,
  requestTarget,
  writeRtspUrl,
} from './rtsp-url.ts';

const plain: RtspUrl = {
  scheme: 'rtsp',
  username: undefined,
  password: undefined,
  host: 'h',
  port: 554,
  rawPath: '/a',
  path: '/a',
  query: '',
};

describe('parseRtspUrl', () => {
  it.each<[string, Partial<RtspUrl>]>([
    ['rtsp://h/a', {}],
    ['RTSP://H:8554/a', { port: 8554 }],
    ['rtsps://h/a', { scheme: 'rtsps', port: 322 }],
    ['rtspu://h/a', { scheme: 'rtspu' }],
    ['rtsp://h', { rawPath: '', path: '/' }],
    ['rtsp://h:/a', {}],
    ['rtsp://h?x=/1', { rawPath: '', path: '/', query: '?x=/1' }],
    ['rtsp://h/a%20b/%C3%A4?x=%20', { rawPath: '/a%20b/%C3%A4', path: '/a b/ä', query: '?x=%20' }],
    ['rtsp://h/100%/%zz', { rawPath: '/100%/%zz', path: '/100%/%zz' }],
    ['rtsp://[2001:DB8::1]:8554/a', { host: '2001:db8::1', port: 8554 }],
    ['rtsp://u:p@h/a', { username: 'u', password: 'p' }],
    ['rtsp://u@h/a', { username: 'u', password: '' }],
    ['rtsp://admin:p@ss:w%2Frd@h:554/a', { username: 'admin', password: 'p@ss:w/rd' }],
    ['rtsp://h/my file', { rawPath: '/my file', path: '/my file' }],
  ])('reads %j', (text, expected) => {
    expect(parseRtspUrl(text)).toEqual({ ...plain, ...expected });
  });

  it.each([
    '',
    '*',
    '/a',
    'http://h/a',
    'rtsp:/h/a',
    'rtsp:///a',
    'rtsp://:554/a',
    'rtsp://h:0/a',
    'rtsp://h:65536/a',
    'rtsp://h:x/a',
    'rtsp://[::1/a',
    'rtsp://a b/c',
    'rtsp://h/a\u0001',
    'rtsp://h/a\r\nEvil: 1',
    `rtsp://h/${'x'.repeat(4096)}`,
  ])('refuses %j', (text) => {
    expect(parseRtspUrl(text)).toBeUndefined();
  });

  it('never throws, and reads what it wrote', () => {
    const url = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => `rtsp://${text}`),
      fc.webUrl({ withQueryParameters: true }).map((text) => text.replace(/^http/, 'rtsp')),
    );
    fc.assert(
      fc.property(url, (text) => {
        const read = parseRtspUrl(text);
        if (read === undefined) return;
        const again = parseRtspUrl(writeRtspUrl(read));
        expect(again).toEqual({ ...read, username: undefined, password: undefined });
      }),
    );
  });
});

describe('writeRtspUrl', () => {
  it.each([
    ['rtsp://u:p@H:554/a%20b?x=1', 'rtsp://h/a%20b?x=1'],
    ['rtsps://[::1]:8322/', 'rtsps://[::1]:8322/'],
    ['rtsp://h', 'rtsp://h'],
  ])('writes %j as %j', (text, written) => {
    expect(writeRtspUrl(parseRtspUrl(text)!)).toBe(written);
  });
});

describe('percentDecode', () => {
  it('leaves what is no escape and replaces what is no UTF-8', () => {
    expect(percentDecode('%41%E4%B8%AD%%4g%ff')).toBe('A中%%4g\ufffd');
  });
});

describe('aggregateUrlOf', () => {
  const requestUrl = 'rtsp://h:8554/a/b?x=1';
  it.each([
    [{}, requestUrl],
    [{ contentBase: 'rtsp://i/c/', contentLocation: 'rtsp://j/d' }, 'rtsp://i/c/'],
    [{ contentLocation: 'rtsp://j/d' }, 'rtsp://j/d'],
    [{ contentBase: '/c/' }, 'rtsp://h:8554/c/'],
    [{ contentBase: 'nonsense' }, requestUrl],
    [{ contentBase: 'rtsp://i/c/', control: '*' }, 'rtsp://i/c/'],
    [{ contentBase: 'rtsp://i/c/', control: 'rtsp://k/e' }, 'rtsp://k/e'],
    [{ control: 'session' }, requestUrl],
  ])('with %j', (source, expected) => {
    expect(aggregateUrlOf({ requestUrl, ...source })).toBe(expected);
  });
});

describe('joinControl', () => {
  it.each([
    ['rtsp://h/a', 'trackID=1', 'rtsp://h/a/trackID=1'],
    ['rtsp://h/a/', 'trackID=1', 'rtsp://h/a/trackID=1'],
    ['rtsp://h/a?x=1', 'trackID=1', 'rtsp://h/a?x=1/trackID=1'],
    ['rtsp://h/a?x=1/', 'trackID=1', 'rtsp://h/a?x=1/trackID=1'],
    ['rtsp://h', 'trackID=1', 'rtsp://h/trackID=1'],
    ['rtsp://h/a', '*', 'rtsp://h/a'],
    ['rtsp://h/a', '', 'rtsp://h/a'],
    ['rtsp://h/a', undefined, 'rtsp://h/a'],
    ['rtsp://h/a', 'rtsp://i/b', 'rtsp://i/b'],
    ['rtsp://h/a', '/trackID=1', 'rtsp://h/a/trackID=1'],
    ['rtsp://h/a/', '/trackID=1', 'rtsp://h/a/trackID=1'],
    ['rtsp://h:1/a/b', '/a/b/trackID=1', 'rtsp://h:1/a/b/trackID=1'],
    ['rtsp://h/a', '?ctype=video', 'rtsp://h/a?ctype=video'],
    ['rtsp://h/a', 'x\u0001\t\u0085y', 'rtsp://h/a/x%01%09%C2%85y'],
  ])('%s with %j is %s', (base, control, joined) => {
    expect(joinControl(base, control)).toBe(joined);
  });
});

describe('requestTarget', () => {
  const isControl = (part: string): boolean => /^trackID=\d+$/.test(part);
  it.each<[string, RequestTarget]>([
    ['rtsp://h/a/b', { path: '/a/b', query: '', control: undefined }],
    ['rtsp://h/a/b/', { path: '/a/b', query: '', control: undefined }],
    ['rtsp://h/a/b/trackID=1', { path: '/a/b', query: '', control: 'trackID=1' }],
    ['rtsp://h/a/b//trackID%3D1/', { path: '/a/b', query: '', control: 'trackID=1' }],
    ['rtsp://h/a?x=1/trackID=2', { path: '/a', query: '?x=1', control: 'trackID=2' }],
    ['rtsp://h/a/?x=1/', { path: '/a', query: '?x=1', control: undefined }],
    ['rtsp://h/a/trackID=2?x=1/2', { path: '/a', query: '?x=1/2', control: 'trackID=2' }],
    ['rtsp://h/a?/trackID=2', { path: '/a', query: '', control: 'trackID=2' }],
    ['rtsp://h', { path: '', query: '', control: undefined }],
  ])('of %s', (text, target) => {
    expect(requestTarget(parseRtspUrl(text)!, isControl)).toEqual(target);
  });
});
