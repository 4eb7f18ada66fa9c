import { describe, expect, it } from 'vitest';
import { commonHost, formatListenAddress, parseListenAddress } from './listen-address.ts';

describe('parseListenAddress', () => {
  it.each([
    ['1935', undefined, 1935],
    [':1935', undefined, 1935],
    ['*:1935', undefined, 1935],
    ['0', undefined, 0],
    ['65535', undefined, 65535],
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['0.0.0.0:8080', '0.0.0.0', 8080],
    ['localhost:0', 'localhost', 0],
    ['[::1]:1935', '::1', 1935],
    ['[::]:1935', '::', 1935],
    ['[fe80::1%1]:1935', 'fe80::1%1', 1935],
    ['[::ffff:192.0.2.1]:1935', '::ffff:192.0.2.1', 1935],
    ['  1935\n', undefined, 1935],
  ])('reads %j', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
  });

  it.each([
    '',
    ':',
    'localhost',
    'localhost:',
    '65536',
    '99999',
    '123456',
    '-1',
    '1.5',
    '1935x',
    '0x10',
    '::1:1935',
    '[::1]',
    '[]:1935',
    '[::1]1935',
    'a b:1935',
    'a:b:1935',
    'http://x:80',
    '1935:1936:1937',
  ])('refuses %j', (text) => {
    expect(parseListenAddress(text)).toBeUndefined();
  });
});

describe('formatListenAddress', () => {
  it.each(['1935', '127.0.0.1:80', '[::1]:443', 'localhost:0'])('writes %s as it is read', (text) => {
    expect(formatListenAddress(parseListenAddress(text)!)).toBe(text);
  });
});

describe('commonHost', () => {
  it.each([
    ['127.0.0.1:8554', '127.0.0.1'],
    ['127.0.0.1:8554 127.0.0.1:8322', '127.0.0.1'],
    ['[::1]:8554', '::1'],
    ['127.0.0.1:8554 10.0.0.1:8554', undefined],
    ['127.0.0.1:8554 8322', undefined],
    ['8554', undefined],
    ['', undefined],
  ])('of %s is %s', (texts, expected) => {
    expect(commonHost(texts.split(' ').flatMap((text) => parseListenAddress(text) ?? []))).toBe(expected);
  });
});
