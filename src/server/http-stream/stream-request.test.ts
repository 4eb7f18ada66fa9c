import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_VHOST } from '../../media/stream-name.ts';
import { parseStreamRequest, type StreamRequest } from './stream-request.ts';

const KNOWN_VHOSTS: ReadonlySet<string> = new Set(['video.example']);

function parse(pathAndQuery: string, host = 'server.example'): StreamRequest | string | undefined {
  const resolve = (asked: string | undefined): string =>
    asked !== undefined && KNOWN_VHOSTS.has(asked) ? asked : DEFAULT_VHOST;
  return parseStreamRequest(new URL(`http://${host}:8080${pathAndQuery}`), resolve);
}

const PLAIN: StreamRequest = {
  name: { vhost: DEFAULT_VHOST, app: 'live', stream: 'a' },
  container: 'flv',
  selection: { audio: true, video: true, multitrack: false },
  secondsAgo: undefined,
  waitSeconds: 0,
};

describe('parseStreamRequest', () => {
  it.each<[string, Partial<StreamRequest>]>([
    ['/live/a.flv', {}],
    ['/live/a.ts', { container: 'ts' }],
    ['/live/a.aac', { container: 'aac' }],
    ['/live/a.mp3', { container: 'mp3' }],
    ['/live/room1/a.flv', { name: { ...PLAIN.name, app: 'live/room1' } }],
    ['/live/a.b.flv', { name: { ...PLAIN.name, stream: 'a.b' } }],
    ['/l%C3%ADve/a%20b.flv', { name: { ...PLAIN.name, app: 'líve', stream: 'a b' } }],
    ['/live/a.flv?start=-10', { secondsAgo: 10 }],
    ['/live/a.flv?start=-0.5', { secondsAgo: 0.5 }],
    ['/live/a.flv?wait=10', { waitSeconds: 10 }],
    ['/live/a.flv?wait=0', {}],
    ['/live/a.flv?audio=0', { selection: { audio: false, video: true, multitrack: false } }],
    ['/live/a.flv?audio=1&video=0', { selection: { audio: true, video: false, multitrack: false } }],
    ['/live/a.flv?tracks=all', { selection: { audio: true, video: true, multitrack: true } }],
    ['/live/a.flv?tracks=none&token=x', {}],
    ['/live/a.flv?vhost=video.example', { name: { ...PLAIN.name, vhost: 'video.example' } }],
    ['/live/a.flv?vhost=unknown.example', {}],
  ])('reads %s', (path, change) => {
    expect(parse(path)).toEqual({ ...PLAIN, ...change });
  });

  it.each(['///v/live/a.flv', '/live//a.flv', '/live/b%2F.flv', '/%2Flive/a.flv'])(
    'refuses the empty part in %s',
    (path) => {
      expect(parse(path)).toBe('the path has an empty part');
    },
  );

  it('takes the virtual host from the host name when it is one of those configured', () => {
    expect(parse('/live/a.flv', 'video.example')).toMatchObject({ name: { vhost: 'video.example' } });
  });

  it('starts at the present with start=0', () => {
    expect(parse('/live/a.flv?start=0')).toMatchObject({ container: 'flv' });
    expect(Math.abs((parse('/live/a.flv?start=0') as StreamRequest).secondsAgo!)).toBe(0);
  });

  it.each([
    '/',
    '/a.flv',
    '/live/',
    '/live/a',
    '/live/a.m3u8',
    '/live/a.FLV',
    '/live/.flv',
    '/assets/index.js',
    '/live/a.flv/',
  ])('leaves %s to others', (path) => {
    expect(parse(path)).toBeUndefined();
  });

  it.each([
    ['/live/a.flv?start=10', 'start'],
    ['/live/a.flv?start=', 'start'],
    ['/live/a.flv?start=x', 'start'],
    ['/live/a.flv?wait=-1', 'wait'],
    ['/live/a.flv?wait=soon', 'wait'],
    ['/live/a.flv?audio=2', 'audio'],
    ['/live/a.flv?video=no', 'video'],
    ['/live/a.flv?video=', 'video'],
    ['/live/a.flv?audio=0&video=0', 'nothing to send'],
    ['/live/%ff.flv', 'percent-encoding'],
    ['/%e0%a4/a.flv', 'percent-encoding'],
  ])('says what is wrong with %s', (path, word) => {
    const answer = parse(path);
    expect(typeof answer).toBe('string');
    expect(answer).toContain(word);
  });

  it('gives a request, a sentence or nothing for any path and query', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), fc.constantFrom('', '.flv', '.ts'), (path, query, end) => {
        const answer = parse(`/${path.replace(/^\/+/, '')}${end}?${query}`);
        if (typeof answer !== 'object') return;
        expect(answer.waitSeconds).toBeGreaterThanOrEqual(0);
        expect(answer.secondsAgo ?? 0).toBeGreaterThanOrEqual(-0);
        expect(answer.name.stream.length).toBeGreaterThan(0);
      }),
    );
  });
});
