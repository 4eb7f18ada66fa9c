import { describe, expect, it } from 'vitest';
import { parseMediaAddress, parseRtmpAddress, shownRtmpUrl } from './media-address.ts';

describe('media address', () => {
  it.each([
    ['rtmp://host/live/x', 'rtmp'],
    ['RTMPS://host:1936/live/x', 'rtmp'],
    ['http://host/live/x.flv', 'http'],
    ['https://host/live/x.ts', 'http'],
    ['ws://host/live/x.flv', 'web-socket'],
    ['wss://host/live/x.flv', 'web-socket'],
    ['x.flv', 'file'],
    ['/tmp/a:b/x.flv', 'file'],
  ])('%s is %s', (text, type) => {
    expect(parseMediaAddress(text)).toMatchObject({ type, text });
  });

  it.each([
    ['', 'an empty address'],
    ['srt://host:9000', 'srt:// is not supported'],
    ['rtmp://', 'is no URL like'],
    ['rtmp://host/live', 'names no stream'],
    ['http://', 'is no URL'],
  ])('refuses %j', (text, reason) => {
    expect(parseMediaAddress(text)).toContain(reason);
  });

  it('keeps the parameters of an RTMP stream to itself', () => {
    const url = parseRtmpAddress('rtmp://host/live/x?key=secret');
    expect(typeof url === 'string' ? url : shownRtmpUrl(url)).toBe('rtmp://host/live/x');
  });
});
