import { describe, expect, it } from 'vitest';
import { parseRtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { FIRST_RETRY_MS, LAST_RETRY_MS, redirectTarget, retryDelayMs } from './client-attempts.ts';

describe('time between two attempts', () => {
  it.each([
    [1, 0, FIRST_RETRY_MS],
    [1, 1, FIRST_RETRY_MS / 2],
    [2, 0, 2 * FIRST_RETRY_MS],
    [5, 0, 16 * FIRST_RETRY_MS],
    [6, 0, LAST_RETRY_MS],
    [5000, 0, LAST_RETRY_MS],
    [5000, 1, LAST_RETRY_MS / 2],
  ])('after %i failures, chance %d, is %i ms', (failures, random, expected) => {
    expect(retryDelayMs(failures, random)).toBe(expected);
  });
});

describe('a redirect', () => {
  const username = (from: string, to: string) => redirectTarget(parseRtspUrl(from)!, to)?.username;

  it.each([
    ['rtsp://u:p@a/x', 'rtsp://a:8554/y', 'u'],
    ['rtsp://u:p@a/x', 'rtsps://a/y', 'u'],
    ['rtsps://u:p@a/x', 'rtsp://a/y', undefined],
    ['rtsp://u:p@a/x', 'rtsp://b/y', undefined],
    ['rtsp://u:p@a/x', 'rtsp://v:q@b/y', 'v'],
  ])('from %s to %s goes as %s', (from, to, expected) => {
    expect(username(from, to)).toBe(expected);
  });

  it('leads to nothing but RTSP over TCP or TLS', () => {
    expect(redirectTarget(parseRtspUrl('rtsp://a/x')!, 'rtspu://a/y')).toBeUndefined();
    expect(redirectTarget(parseRtspUrl('rtsp://a/x')!, 'http://a/y')).toBeUndefined();
  });
});
