import { describe, expect, it } from 'vitest';
import { mediaUrl, rtmpAppUrl, rtmpPlayUrl, rtmpsAppUrl, rtspPlayUrl } from './stream-address.ts';
import { streamEntry } from './stream-entry.fixture.ts';

const PATHS = { flv: '/live/demo.flv', ts: '/live/demo.ts' };

describe('where a stream is', () => {
  it.each([
    ['http://host:8080/#/live/demo', 'flv', 'http://host:8080/live/demo.flv'],
    ['http://host:8080/#/live/demo', 'ws', 'ws://host:8080/live/demo.flv'],
    ['http://host:8080/?via=ts', 'ts', 'http://host:8080/live/demo.ts'],
    ['https://host/', 'ws', 'wss://host/live/demo.flv'],
    ['http://[::1]:8080/', 'flv', 'http://[::1]:8080/live/demo.flv'],
  ] as const)('is, from %s over %s, %s', (page, transport, url) => {
    expect(mediaUrl(page, PATHS, transport)?.href).toBe(url);
  });

  it.each(['//elsewhere.example/x.flv', 'https://elsewhere.example/x.flv', 'javascript:alert(1)', '/\\elsewhere/x'])(
    'is never %s',
    (flv) => {
      expect(mediaUrl('http://host:8080/', { ...PATHS, flv }, 'flv')).toBeUndefined();
    },
  );

  it('leaves out the usual ports', () => {
    expect(rtmpAppUrl('host', 1935, 'live')).toBe('rtmp://host/live');
    expect(rtmpAppUrl('[::1]', 19_350, 'live')).toBe('rtmp://[::1]:19350/live');
    expect(rtmpsAppUrl('host', 443, 'live')).toBe('rtmps://host/live');
    expect(rtmpsAppUrl('host', 1936, 'live')).toBe('rtmps://host:1936/live');
  });

  it.each([
    ['rtsp', 554, {}, 'rtsp://host/live/demo'],
    ['rtsp', 8554, {}, 'rtsp://host:8554/live/demo'],
    ['rtsps', 322, {}, 'rtsps://host/live/demo'],
    ['rtsps', 8322, { vhost: 'tv.example' }, 'rtsps://host:8322/live/demo?vhost=tv.example'],
    ['rtsp', 8554, { app: 'a/b', stream: 'c d?' }, 'rtsp://host:8554/a/b/c%20d%3F'],
  ] as const)('is, over %s at port %i, for %j, %s', (scheme, port, changes, url) => {
    expect(rtspPlayUrl(scheme, 'host', port, streamEntry(changes))).toBe(url);
  });

  it('names a vhost that is not the default', () => {
    expect(rtmpPlayUrl('host', 1935, streamEntry())).toBe('rtmp://host/live/demo');
    expect(rtmpPlayUrl('host', 1935, streamEntry({ vhost: 'tv.example' }))).toBe(
      'rtmp://host/live/demo?vhost=tv.example',
    );
  });
});
