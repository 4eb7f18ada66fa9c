import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_SUFFIX_LENGTH,
  nameOfSuffix,
  parseRegisterTransport,
  writeRegisterTransport,
} from './register-transport.ts';

describe('the Transport of a REGISTER', () => {
  it.each([
    ['', false, undefined, undefined],
    ['preferred_delivery_protocol=udp', false, 'udp', undefined],
    ['reuse_connection; preferred_delivery_protocol=interleaved; proxy_url_suffix=cam', true, 'interleaved', 'cam'],
    ['proxy_url_suffix=a/b;reuse_connection', true, undefined, 'a/b'],
    ['PROXY_URL_SUFFIX="a b"; Preferred_Delivery_Protocol=UDP', false, 'udp', 'a b'],
    ['preferred_delivery_protocol=smoke; proxy_url_suffix=', false, undefined, undefined],
    ['RTP/AVP;unicast;client_port=1-2', false, undefined, undefined],
  ])('%j', (text, reusesConnection, preferred, suffix) => {
    expect(parseRegisterTransport(text)).toEqual({ reusesConnection, preferred, suffix });
  });

  it('may be anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 4096 }), (text) => {
        const { suffix } = parseRegisterTransport(text);
        if (suffix !== undefined) expect(suffix.length).toBeLessThanOrEqual(text.length);
      }),
    );
  });

  it('is read as it was written', () => {
    for (const reusesConnection of [true, false]) {
      for (const preferred of ['udp', 'interleaved'] as const) {
        for (const suffix of [undefined, 'cam', 'a/b']) {
          const transport = { reusesConnection, preferred, suffix };
          expect(parseRegisterTransport(writeRegisterTransport(transport))).toEqual(transport);
        }
      }
    }
  });
});

describe('a suffix', () => {
  it.each([
    ['cam', 'proxy/cam'],
    ['/cam', 'proxy/cam'],
    ['live/cam', 'live/cam'],
    ['/a/b/c', 'a/b/c'],
    ['u@h:1', 'proxy/u@h:1'],
  ])('%s is %s', (suffix, name) => {
    expect(nameOfSuffix(suffix, 'proxy')).toBe(name);
  });

  it.each([
    '',
    '/',
    '//cam',
    'a//b',
    'a/',
    '.',
    '../x',
    'a/../b',
    'a b',
    'a?b',
    'a%2Fb',
    'a\\b',
    'a*',
    'clip.ts',
    'a\0',
    'x'.repeat(MAX_SUFFIX_LENGTH + 1),
  ])('%j is none', (suffix) => {
    expect(nameOfSuffix(suffix, 'proxy')).toBeUndefined();
  });

  it('of any kind has an application and no part that leads elsewhere', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('.', '/', '%', '\\', 'a', '?') })),
        (text) => {
          const name = nameOfSuffix(text, 'proxy');
          if (name !== undefined) expect(name).toMatch(/^(?!\.{1,2}(?:\/|$))[^/]+(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/u);
        },
      ),
    );
  });
});
