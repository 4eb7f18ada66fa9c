import { describe, expect, it } from 'vitest';
import { AddressList } from './address-list.ts';

describe('a list of addresses', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['192.0.2.7', '::ffff:192.0.2.7', true],
    ['192.0.2.7', '::ffff:c000:207', true],
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['2001:db8::/32', '2001:DB8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['127.0.0.1', 'localhost', false],
    ['127.0.0.1', '0x7f000001', false],
    ['127.0.0.1', '2130706433', false],
    ['127.0.0.1', '127.1', false],
    ['127.0.0.1', '', false],
  ])('of %s has %s: %s', (entry, address, expected) => {
    const list = new AddressList();
    expect(list.add(entry)).toBe(true);
    expect(list.has(address)).toBe(expected);
  });

  it.each(['', 'cam.example.com', '192.0.2.0/33', '::/129', '192.0.2.0/', '192.0.2.0/8/8', '192.0.2.0/x', '192.0.2'])(
    'takes no %j',
    (entry) => {
      expect(new AddressList().add(entry)).toBe(false);
    },
  );
});
