import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_APP,
  parseRtmpUrl,
  parseStreamUrl,
  RTMP_MAX_URL_LENGTH,
  resolveReconnectUrl,
  withoutMediaExtension,
} from './stream-url.ts';

describe('tcUrl and stream name', () => {
  it.each<[string, string, string, object]>([
    [
      'the usual',
      'rtmp://h/live',
      's',
      { schema: 'rtmp', host: 'h', vhost: 'h', app: 'live', stream: 's', port: 1935, param: '' },
    ],
    ['a port', 'rtmp://h:19350/live', 's', { port: 19_350 }],
    ['an empty port', 'rtmp://h:/live', 's', { port: 1935 }],
    ['rtmps', 'rtmps://h/live', 's', { schema: 'rtmps', port: 443 }],
    ['http', 'http://h/live', 's', { port: 80 }],
    ['capitals', 'RTMP://Example.COM/Live', 'S', { schema: 'rtmp', host: 'example.com', app: 'Live', stream: 'S' }],
    ['user and password', 'rtmp://u:p@h:1/live', 's', { host: 'h', port: 1 }],
    ['IPv6', 'rtmp://[2001:DB8::1]/live', 's', { host: '2001:db8::1', vhost: '2001:db8::1', port: 1935 }],
    ['IPv6 with a port', 'rtmp://[::1]:19350/live', 's', { host: '::1', port: 19_350 }],
    [
      'parameters behind the stream',
      'rtmp://h/live',
      's?token=1&vhost=v',
      { vhost: 'v', stream: 's', param: '?token=1&vhost=v' },
    ],
    [
      'parameters behind the app',
      'rtmp://h/live?vhost=v',
      's',
      { vhost: 'v', app: 'live', stream: 's', param: '?vhost=v' },
    ],
    ['parameters behind both', 'rtmp://h/live?a=1', 's?b=2', { param: '?b=2&a=1' }],
    ['& instead of ?', 'rtmp://h/live', 's&vhost=v', { vhost: 'v', stream: 's', param: '?vhost=v' }],
    ['domain instead of vhost', 'rtmp://h/live?domain=v', 's', { vhost: 'v' }],
    ['vhost before domain', 'rtmp://h/live?domain=d&vhost=v', 's', { vhost: 'v' }],
    ['an empty vhost', 'rtmp://h/live?vhost=', 's', { vhost: 'h' }],
    ['the default vhost alone', 'rtmp://h/live?vhost=__defaultVhost__', 's', { vhost: '__defaultVhost__', param: '' }],
    ['a parameter that only ends in vhost', 'rtmp://h/live?xvhost=v', 's', { vhost: 'h', param: '?xvhost=v' }],
    [
      'a slash in a parameter of the stream',
      'rtmp://h/live',
      's?u=http://a/b',
      { stream: 's', param: '?u=http://a/b' },
    ],
    ["FMLE's dots in the app", 'rtmp://h/live...vhost...v', 's', { vhost: 'v', app: 'live', stream: 's' }],
    ["FMLE's dots in the stream", 'rtmp://h/live', 's...vhost...v', { vhost: 'v', stream: 's' }],
    ['_definst_', 'rtmp://h/live/_definst_', 's', { app: 'live', stream: 's' }],
    ['_definst_ and parameters', 'rtmp://h/live/_definst_?vhost=v', 's', { app: 'live', vhost: 'v' }],
    ['an app of two parts', 'rtmp://h/live/room', 's', { app: 'live/room', stream: 's' }],
    ['a stream of two parts', 'rtmp://h/live', 'room/s', { app: 'live/room', stream: 's' }],
    ['no app', 'rtmp://h', 's', { app: DEFAULT_APP, stream: 's' }],
    ['no app but a slash', 'rtmp://h/', 's', { app: DEFAULT_APP, stream: 's' }],
    ['no stream', 'rtmp://h/live', '', { app: 'live', stream: '' }],
    ['a stream that is all parameters', 'rtmp://h/live', '?token=1', { app: 'live', stream: '', param: '?token=1' }],
    ['the stream in the tcUrl', 'rtmp://h/live/s', '', { app: 'live', stream: 's' }],
    [
      'the stream in the tcUrl behind parameters',
      'rtmp://h/live?vhost=v/s',
      '',
      { app: 'live', stream: 's', vhost: 'v', param: '?vhost=v' },
    ],
    ['spaces and slashes around the stream', 'rtmp://h/live/', ' /s/ ', { app: 'live', stream: 's' }],
    ['spaces around the tcUrl', ' rtmp://h/live ', 's', { app: 'live' }],
    ['more slashes than needed', 'rtmp://h//live//', '//s', { app: 'live', stream: 's' }],
    ['an extension', 'rtmp://h/live', 's.flv', { stream: 's.flv' }],
    ['a fragment', 'rtmp://h/live', 's#x', { stream: 's', param: '?x' }],
  ])('%s', (_name, tcUrl, streamName, expected) => {
    expect(parseStreamUrl(tcUrl, streamName)).toMatchObject(expected);
  });

  it.each([
    ['nothing', ''],
    ['no scheme', 'h/live'],
    ['no host', 'rtmp:///live'],
    ['a port that is none', 'rtmp://h:99999/live'],
    ['port 0', 'rtmp://h:0/live'],
    ['an IPv6 address without its end', 'rtmp://[::1/live'],
    ['an IPv6 address without brackets', 'rtmp://::1/live'],
    ['too long', `rtmp://h/${'a'.repeat(RTMP_MAX_URL_LENGTH)}`],
  ])('refuses %s', (_name, tcUrl) => {
    expect(parseStreamUrl(tcUrl, 's')).toBeUndefined();
  });

  it('survives any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (tail, streamName) => {
        const url = parseStreamUrl(`rtmp://h${tail}`, streamName);
        if (url !== undefined) expect(url.app).not.toBe('');
        parseRtmpUrl(`rtmp://${tail}`);
      }),
    );
  });

  it('takes no longer for long runs of anything', () => {
    for (const character of [' ', '/', '?', '&', '.', 'a', '[', '@']) {
      const text = character.repeat(RTMP_MAX_URL_LENGTH - 10);
      const startMs = performance.now();
      parseStreamUrl(`rtmp://h/${text}`, `${text}x`);
      expect(performance.now() - startMs).toBeLessThan(100);
    }
  });
});

describe('stream name without a container extension', () => {
  it.each([
    ['s', 's'],
    ['s.flv', 's'],
    ['s.FLV', 's'],
    ['.flv', '.flv'],
    ['s.m3u8', 's'],
    ['cam.1', 'cam.1'],
  ])('of %s is %s', (name, stripped) => {
    expect(withoutMediaExtension(name)).toBe(stripped);
  });
});

describe('URL of a client', () => {
  it.each<[string, object]>([
    [
      'rtmp://h/live/s',
      { schema: 'rtmp', host: 'h', port: 1935, app: 'live', streamName: 's', tcUrl: 'rtmp://h/live' },
    ],
    ['rtmp://h:1935/live/s', { port: 1935, tcUrl: 'rtmp://h/live' }],
    ['rtmp://h:19350/live/s?a=1&b=2', { port: 19_350, streamName: 's?a=1&b=2', tcUrl: 'rtmp://h:19350/live' }],
    ['rtmp://h/live/s?u=http://a/b', { app: 'live', streamName: 's?u=http://a/b' }],
    ['rtmps://h/live/s', { schema: 'rtmps', port: 443, tcUrl: 'rtmps://h/live' }],
    ['rtmps://h:443/rtmp/FB-1?s_bl=1', { app: 'rtmp', streamName: 'FB-1?s_bl=1', tcUrl: 'rtmps://h/rtmp' }],
    ['rtmp://[::1]:19350/live/s', { host: '::1', tcUrl: 'rtmp://[::1]:19350/live' }],
    ['rtmp://h/live/room/s', { app: 'live/room', streamName: 's' }],
    ['rtmp://h/live?vhost=v/s', { app: 'live?vhost=v', streamName: 's', tcUrl: 'rtmp://h/live?vhost=v' }],
    ['rtmp://h/live', { app: 'live', streamName: '' }],
    ['rtmp://h', { app: '', streamName: '' }],
  ])('%s', (url, expected) => {
    expect(parseRtmpUrl(url)).toMatchObject(expected);
  });

  it.each(['http://h/live/s', 'rtmpe://h/live/s', 'h/live/s', '', `rtmp://h/${'a'.repeat(RTMP_MAX_URL_LENGTH)}`])(
    'is not %s',
    (url) => {
      expect(parseRtmpUrl(url)).toBeUndefined();
    },
  );
});

describe('URL after a reconnect request', () => {
  it.each([
    [undefined, 'rtmp://h:19350/live/s?a=1'],
    ['', 'rtmp://h:19350/live/s?a=1'],
    ['rtmps://other/app', 'rtmps://other/app/s?a=1'],
    ['//other:1/app', 'rtmp://other:1/app/s?a=1'],
    ['/app', 'rtmp://h:19350/app/s?a=1'],
    ['app', 'rtmp://h:19350/app/s?a=1'],
  ])('%s leads to %s', (tcUrl, expected) => {
    expect(resolveReconnectUrl(parseRtmpUrl('rtmp://h:19350/live/s?a=1')!, tcUrl)).toBe(expected);
  });
});
