import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRoute, writeRoute } from './route.ts';
import { TRANSPORTS } from './transport.ts';

describe('the address of the page', () => {
  it.each([
    ['', '', undefined, 'flv'],
    ['#', '', undefined, 'flv'],
    ['#/', '', undefined, 'flv'],
    ['#/live/demo', '', 'live/demo', 'flv'],
    ['#live/demo', '', 'live/demo', 'flv'],
    ['#/live/demo?via=ws', '', 'live/demo', 'ws'],
    ['#/live/demo', '?via=ts', 'live/demo', 'ts'],
    ['#/live/demo?via=flv', '?via=ts', 'live/demo', 'flv'],
    ['#/live/demo?via=carrier-pigeon', '', 'live/demo', 'flv'],
    ['#/live/a%2Fb%3Fc', '', 'live/a/b?c', 'flv'],
    ['#/live/100%', '', 'live/100%', 'flv'],
  ])('reads %j with %j', (hash, search, streamKey, transport) => {
    expect(parseRoute(hash, search)).toEqual({ streamKey, transport });
  });

  it('names the transport only when the address would mean another', () => {
    expect(writeRoute({ streamKey: 'live/demo', transport: 'flv' }, '')).toBe('#/live/demo');
    expect(writeRoute({ streamKey: 'live/demo', transport: 'flv' }, '?via=ws')).toBe('#/live/demo?via=flv');
    expect(writeRoute({ streamKey: 'live/demo', transport: 'ws' }, '?via=ws')).toBe('#/live/demo');
    expect(writeRoute({ streamKey: undefined, transport: 'ws' }, '')).toBe('#/');
  });

  it('reads back what it wrote, whatever the key', () => {
    const keys = fc.string({ unit: 'grapheme', minLength: 1 }).filter((key) => !key.startsWith('/'));
    const transports = fc.constantFrom(...TRANSPORTS.map((entry) => entry.transport));
    fc.assert(
      fc.property(keys, transports, (streamKey, transport) => {
        const route = { streamKey, transport };
        expect(parseRoute(writeRoute(route, ''), '')).toEqual(route);
      }),
    );
  });
});
