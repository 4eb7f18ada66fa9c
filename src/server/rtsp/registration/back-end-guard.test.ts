import { describe, expect, it } from 'vitest';
import { BackEndGuard } from './back-end-guard.ts';

describe('a host that may be registered', () => {
  it.each([
    [[], '192.0.2.7', '192.0.2.7', true],
    [[], '192.0.2.8', '192.0.2.7', false],
    [[], '::ffff:192.0.2.7', '192.0.2.7', true],
    [[], '0:0:0:0:0:0:0:1', '::1', true],
    [[], 'localhost', '127.0.0.1', false],
    [[], '2130706433', '127.0.0.1', false],
    [[], '127.0.0.1', '', false],
    [['192.0.2.0/24'], '192.0.2.9', '198.51.100.1', true],
    [['192.0.2.0/24'], '198.51.100.1', '198.51.100.1', false],
    [['Cam.Example.com'], 'cam.example.com', '198.51.100.1', true],
    [['cam.example.com'], 'evil.cam.example.com', '198.51.100.1', false],
    [['0.0.0.0/0'], 'cam.example.com', '198.51.100.1', false],
  ])('with %j %s, asked from %s: %s', (allow, host, from, expected) => {
    expect(new BackEndGuard(allow).allows(host, from)).toBe(expected);
  });
});
