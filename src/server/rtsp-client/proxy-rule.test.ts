import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeRtspUrl } from '../../protocol/rtsp/rtsp-url.ts';
import { MAX_PROXIED_NAME_LENGTH, type ProxyRule, parseProxyRule, proxiedUrl } from './proxy-rule.ts';

function rule(match: string, url: string): ProxyRule {
  const parsed = parseProxyRule(match, url);
  if (typeof parsed === 'string') throw new TypeError(parsed);
  return parsed;
}

function urlFor(match: string, url: string, name: string): string | undefined {
  const found = proxiedUrl(rule(match, url), name);
  return found === undefined ? undefined : writeRtspUrl(found);
}

describe('a rule', () => {
  it.each([
    ['cams', 'rtsp://h/*', 'expected app/stream'],
    ['cams/', 'rtsp://h/*', 'expected app/stream'],
    ['*', 'rtsp://h/*', 'expected app/stream'],
    ['a/*/*', 'rtsp://h/*', 'expected one * or ** at most'],
    ['a/***', 'rtsp://h/*', 'expected one * or ** at most'],
    ['a/b', 'rtsp://h/*', 'expected a * in the URL for the one of the name'],
    ['a/*', 'rtsp://h/*/*', 'expected a * in the URL for the one of the name'],
    ['a/*', 'rtsp://*/x', 'expected the * of the URL behind its host'],
    ['a/*', 'rtsp://*', 'expected the * of the URL behind its host'],
    ['a/*', 'rtsp://u:*@h/x', 'expected the * of the URL behind its host'],
    ['a/*', 'rtsp://h:*/x', 'expected the * of the URL behind its host'],
    ['a/*', 'http://h/*', 'expected an rtsp:// or rtsps:// URL'],
    ['a/*', 'rtspu://h/*', 'expected an rtsp:// or rtsps:// URL'],
    ['a/*', 'rtsp:///*', 'expected an rtsp:// or rtsps:// URL'],
  ])('%s from %s is none: %s', (match, url, problem) => {
    expect(parseProxyRule(match, url)).toBe(problem);
  });
});

describe('a name', () => {
  it.each([
    ['cams/*', 'rtsp://h:8554/path/*', 'cams/door', 'rtsp://h:8554/path/door'],
    ['cams/*', 'rtsp://h/path/*/low', 'cams/door', 'rtsp://h/path/door/low'],
    ['cams/*', 'rtsp://h/live?channel=*&q=1', 'cams/1&q=2', 'rtsp://h/live?channel=1%26q%3D2&q=1'],
    ['*/main', 'rtsp://h/*', 'door/main', 'rtsp://h/door'],
    ['nvr/cam*-low', 'rtsp://h/c*', 'nvr/cam7-low', 'rtsp://h/c7'],
    ['far/**', 'rtsps://h/live/**', 'far/a/b/c', 'rtsps://h/live/a/b/c'],
    ['far/**', 'rtsp://h/*', 'far/a/b', 'rtsp://h/a/b'],
    ['one/door', 'rtsp://h/x?y=1', 'one/door', 'rtsp://h/x?y=1'],
    ['all/*', 'rtsp://h/same', 'all/any', 'rtsp://h/same'],
    ['cams/*', 'rtsp://h/*', 'cams/a b', 'rtsp://h/a%20b'],
    ['cams/*', 'rtsp://h/*', 'cams/dóor', 'rtsp://h/d%C3%B3or'],
    ['cams/*', 'rtsp://h/*', 'cams/u:p@other', 'rtsp://h/u%3Ap%40other'],
    ['cams/*', 'rtsp://h/*', 'cams/a%2Fb', 'rtsp://h/a%252Fb'],
    ['cams/*', 'rtsp://h/*', 'cams/%2e%2e', 'rtsp://h/%252e%252e'],
    ['cams/*', 'rtsp://h/*', 'cams/x?y#z', 'rtsp://h/x%3Fy%23z'],
    ['cams/*', 'rtsp://h/*', "cams/$&$'", "rtsp://h/%24%26%24'"],
    ['cams/*', 'rtsp://h/*', 'cams/...', 'rtsp://h/...'],
  ])('%s from %s: %s is %s', (match, url, name, expected) => {
    expect(urlFor(match, url, name)).toBe(expected);
  });

  it.each([
    ['cams/*', 'rtsp://h/*', 'cams/a/b'],
    ['cams/*', 'rtsp://h/*', 'cams/'],
    ['cams/*', 'rtsp://h/*', 'other/a'],
    ['cams/*', 'rtsp://h/*', 'cams/..'],
    ['cams/*', 'rtsp://h/*', 'cams/.'],
    ['cams/*', 'rtsp://h/*', 'cams/a\r\nX: y'],
    ['cams/*', 'rtsp://h/*', 'cams/a\0'],
    ['cams/*', 'rtsp://h/*', 'cams/..\\a'],
    ['cams/*', 'rtsp://h/*', 'cams/\ud800'],
    ['cams/*', 'rtsp://h/.*', 'cams/.'],
    ['far/**', 'rtsp://h/live/**', 'far/a/../../b'],
    ['far/**', 'rtsp://h/live/**', 'far/a//b'],
    ['far/**', 'rtsp://h/live/**', 'far/a/'],
    ['x/aa*aa', 'rtsp://h/*', 'x/aaa'],
    ['x/a*a', 'rtsp://h/*', 'x/aa'],
    ['one/door', 'rtsp://h/x', 'one/doors'],
    ['cams/*', 'rtsp://h/*', `cams/${'a'.repeat(MAX_PROXIED_NAME_LENGTH)}`],
  ])('%s from %s: %j is not had', (match, url, name) => {
    expect(urlFor(match, url, name)).toBeUndefined();
  });

  it('of any kind stays on the host and below the path of its rule', () => {
    const far = rule('far/**', 'rtsp://u:p@back.end:8554/live/**');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: fc.constantFrom('.', '/', '\\', '%', '2', 'e', 'F', '@', ':', '?', '#') }),
        ),
        (text) => {
          const url = proxiedUrl(far, `far/${text}`);
          if (url === undefined) return;
          expect([url.scheme, url.host, url.port, url.username, url.query]).toEqual([
            'rtsp',
            'back.end',
            8554,
            'u',
            '',
          ]);
          expect(new URL(writeRtspUrl(url).replace('rtsp:', 'http:')).pathname).toMatch(/^\/live\/[^/]/);
          expect(url.path).toBe(`/live/${text}`);
        },
      ),
    );
  });
});
