import { describe, expect, it } from 'vitest';
import { baseOf, controlWithQuery } from './description-urls.ts';

describe('the URLs of a description', () => {
  it.each([
    ['rtsp://h/live/x', 'rtsp://h/live/x/', 'rtsp://h/live/x/track2'],
    ['rtsp://h/live/x//', 'rtsp://h/live/x/', 'rtsp://h/live/x/track2'],
    ['rtsp://h/live/x?token=a/b', 'rtsp://h/live/x/?token=a/b', 'rtsp://h/live/x/track2?token=a/b'],
    ['rtsp://h/live/x/?token=1', 'rtsp://h/live/x/?token=1', 'rtsp://h/live/x/track2?token=1'],
  ])('of %s are %s and %s', (url, base, control) => {
    expect([baseOf(url), controlWithQuery(url, 1)]).toEqual([base, control]);
  });
});
