import { describe, expect, it } from 'vitest';
import { toMediaEvent } from './media-error.ts';

describe('errors of mpegts.js', () => {
  it.each([
    ['NetworkError', 'HttpStatusCodeInvalid', { code: 404 }, 'lost', 'The server does not have this stream (404)'],
    [
      'NetworkError',
      'HttpStatusCodeInvalid',
      { code: 403 },
      'lost',
      'The server does not allow watching this stream (403)',
    ],
    ['NetworkError', 'HttpStatusCodeInvalid', { code: 503 }, 'lost', 'The server has no room for another viewer (503)'],
    ['NetworkError', 'HttpStatusCodeInvalid', { code: 418 }, 'lost', 'The server answered 418'],
    ['NetworkError', 'UnrecoverableEarlyEof', { code: -1, msg: 'x' }, 'lost', 'Connection lost'],
    ['NetworkError', 'Exception', undefined, 'lost', 'Connection lost'],
    [
      'MediaError',
      'CodecUnsupported',
      { msg: 'Flv: no vp09.' },
      'unplayable',
      'This browser cannot play this stream: Flv: no vp09',
    ],
    [
      'MediaError',
      'MediaMSEError',
      { msg: 'The type is unsupported' },
      'unplayable',
      'This browser cannot play this stream: The type is unsupported',
    ],
    ['MediaError', 'FormatError', { msg: 7 }, 'decoder-failed', 'The stream could not be decoded'],
  ])('%s %s %j means %s: %s', (type, detail, info, event, reason) => {
    expect(toMediaEvent(type, detail, info)).toEqual({ type: event, reason });
  });
});
