import { describe, expect, it } from 'vitest';
import { StunAttribute } from '../stun/stun-attributes.ts';
import { StunClass } from '../stun/stun-message.ts';
import { StunWriter } from '../stun/stun-writer.ts';
import { localUfragOf, MAX_ROUTES_PER_TRANSPORT, TupleTable, UfragTable } from './tuple-table.ts';

const id = new Uint8Array(12);
const media = Uint8Array.of(0x80, 0);
const requestOf = (username: string): Uint8Array =>
  new StunWriter(StunClass.request, 1, id).text(StunAttribute.username, username).finish();

describe('TupleTable', () => {
  it('finds by address and port first, then by fragment', () => {
    const fragments = new UfragTable<{ name: string }>();
    const table = new TupleTable(fragments);
    const a = { name: 'a' };
    const b = { name: 'b' };
    fragments.add('aaaa', a);
    fragments.add('bbbb', b);
    expect(table.addRoute('192.0.2.1', 5, a)).toBe(true);
    expect(table.find(media, '192.0.2.1', 5)).toBe(a);
    expect(table.find(requestOf('bbbb:x'), '192.0.2.1', 5)).toBe(a);
    expect(table.find(requestOf('bbbb:x'), '192.0.2.1', 6)).toBe(b);
    expect(table.find(media, '192.0.2.1', 6)).toBeUndefined();
    expect(table.find(requestOf('cccc:x'), '192.0.2.2', 5)).toBeUndefined();
  });

  it('gives no route to another while it is somebody’s', () => {
    const table = new TupleTable(new UfragTable<object>());
    const a = {};
    const b = {};
    table.addRoute('192.0.2.1', 5, a);
    expect(table.addRoute('192.0.2.1', 5, b)).toBe(false);
    expect(table.addRoute('192.0.2.1', 5, a)).toBe(true);
    table.removeRoute('192.0.2.1', 5, b);
    expect(table.find(media, '192.0.2.1', 5)).toBe(a);
    table.removeRoute('192.0.2.1', 5, a);
    expect(table.addRoute('192.0.2.1', 5, b)).toBe(true);
    expect(table.size).toBe(1);
  });

  it('bounds the routes of a transport and forgets all of them with it', () => {
    const table = new TupleTable(new UfragTable<object>());
    const a = {};
    for (let port = 1; port <= MAX_ROUTES_PER_TRANSPORT; port++) expect(table.addRoute('::1', port, a)).toBe(true);
    expect(table.addRoute('::1', 100, a)).toBe(false);
    table.addRoute('::1', 200, table);
    table.removeTransport(a);
    expect(table.size).toBe(1);
    expect(table.find(media, '::1', 1)).toBeUndefined();
    expect(table.find(media, '::1', 200)).toBe(table);
  });
});

describe('UfragTable', () => {
  it('keeps each fragment for one transport', () => {
    const fragments = new UfragTable<object>();
    const a = {};
    expect(fragments.add('aaaa', a)).toBe(true);
    expect(fragments.add('aaaa', {})).toBe(false);
    fragments.remove('aaaa', {});
    expect(fragments.size).toBe(1);
    fragments.remove('aaaa', a);
    expect(fragments.size).toBe(0);
  });
});

describe('localUfragOf', () => {
  it.each([
    ['a request', requestOf('local:remote'), 'local'],
    ['a request without a remote fragment', requestOf('local:'), 'local'],
    ['a request without a colon', requestOf('local'), undefined],
    ['a request without a fragment', requestOf(':remote'), undefined],
    ['a request without a user name', new StunWriter(StunClass.request, 1, id).finish(), undefined],
    ['a user name too long', requestOf(`local:${'x'.repeat(600)}`), undefined],
    [
      'a response',
      new StunWriter(StunClass.success, 1, id).text(StunAttribute.username, 'local:remote').finish(),
      undefined,
    ],
    ['media', media, undefined],
  ])('of %s', (_, bytes, expected) => {
    expect(localUfragOf(bytes)).toBe(expected);
  });
});
