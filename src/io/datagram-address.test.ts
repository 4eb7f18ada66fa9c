import { describe, expect, it } from 'vitest';
import { toDatagramTarget } from './datagram-address.ts';

describe('toDatagramTarget', () => {
  it.each([
    [4, '192.0.2.1', '192.0.2.1', '0200 1f90 c0000201 0000000000000000'],
    [4, '::ffff:192.0.2.1', '192.0.2.1', '0200 1f90 c0000201 0000000000000000'],
    [6, '192.0.2.1', '::ffff:192.0.2.1', '0a00 1f90 00000000 00000000000000000000ffffc0000201 00000000'],
    [6, '0:0:0:0:0:0:0:1', '::1', '0a00 1f90 00000000 00000000000000000000000000000001 00000000'],
    [6, '2001:DB8::5:0:7', '2001:db8::5:0:7', '0a00 1f90 00000000 20010db8000000000000000500000007 00000000'],
    [6, '::', '::', '0a00 1f90 00000000 00000000000000000000000000000000 00000000'],
    [6, 'fe80::1%3', 'fe80::1%3', '0a00 1f90 00000000 fe800000000000000000000000000001 03000000'],
  ] as const)('writes for family %i the address %s as %s', (family, address, canonical, bytes) => {
    const target = toDatagramTarget(family, address, 8080);
    expect(target).toMatchObject({ address: canonical, port: 8080 });
    expect(Buffer.from(target.socketAddress).toString('hex')).toBe(bytes.replaceAll(' ', ''));
  });

  it.each([
    [4, 'localhost', 1],
    [4, '', 1],
    [4, '1.2.3', 1],
    [4, '::1', 1],
    [6, '[::1]', 1],
    [6, 'fe80::1%no-such-interface', 1],
    [4, '1.2.3.4', 0],
    [4, '1.2.3.4', 65_536],
    [4, '1.2.3.4', 1.5],
  ] as const)('refuses for family %i the address %s port %d', (family, address, port) => {
    expect(() => toDatagramTarget(family, address, port)).toThrow(
      expect.objectContaining({ code: 'datagram/bad-address' }),
    );
  });
});
