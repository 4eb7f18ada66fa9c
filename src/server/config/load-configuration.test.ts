import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../wire/errors.ts';
import { checkConfiguration, parseConfiguration } from './load-configuration.ts';

function errorOf(task: () => unknown): ConfigError {
  try {
    task();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new TypeError('nothing was thrown');
}

describe('parseConfiguration', () => {
  it.each(['', '# nothing\n', '{}', 'rtmp:\n  {}\n'])('gives the defaults for %j', (text) => {
    expect(parseConfiguration(text)).toEqual(checkConfiguration({}));
  });

  it('reads what is set and keeps the other defaults', () => {
    const configuration = parseConfiguration(
      'latency: low\nhttp:\n  listen: 127.0.0.1:0\nplay: { gop_cache: false }\n',
    );
    expect(configuration.latency).toBe('low');
    expect(configuration.http.listen).toEqual([{ host: '127.0.0.1', port: 0 }]);
    expect(configuration.play).toMatchObject({ gop_cache: false, mix_correct: false });
    expect(configuration.rtmp.listen).toEqual([{ host: undefined, port: 1935 }]);
  });

  it.each([
    ['listen: 1936', [{ host: undefined, port: 1936 }]],
    ['listen: "[::1]:1936"', [{ host: '::1', port: 1936 }]],
    [
      'listen: [1935, "127.0.0.1:1936"]',
      [
        { host: undefined, port: 1935 },
        { host: '127.0.0.1', port: 1936 },
      ],
    ],
  ])('reads %s', (line, expected) => {
    expect(parseConfiguration(`rtmp:\n  ${line}\n`).rtmp.listen).toEqual(expected);
  });

  it.each([
    ['an unknown setting', 'rtmp:\n  chunk_sizes: 4096\n', 'config/unknown-setting', 'rtmp.chunk_sizes', 2, 3],
    ['an unknown section', 'rtpm:\n  listen: 1935\n', 'config/unknown-setting', 'rtpm', 1, 1],
    ['a wrong type', 'latency: low\nplay:\n  gop_cache: "yes"\n', 'config/invalid', 'play.gop_cache', 3, 3],
    ['a number out of range', 'rtmp:\n  chunk_size: 1\n', 'config/invalid', 'rtmp.chunk_size', 2, 3],
    ['a wrong word', 'latency: fast\n', 'config/invalid', 'latency', 1, 1],
    ['a wrong address', 'http:\n  listen: nowhere\n', 'config/invalid', 'http.listen', 2, 3],
    ['a missing setting', 'rtmps:\n  cert: a.pem\n', 'config/invalid', 'rtmps.key', 1, 1],
    ['a wrong shape', 'rtmp: 1935\n', 'config/invalid', 'rtmp', 1, 1],
  ])('tells where %s stands', (_, text, code, path, line, column) => {
    const error = errorOf(() => parseConfiguration(text));
    expect([error.code, error.path, error.line, error.column]).toEqual([code, path, line, column]);
    expect(error.message).toContain(path);
  });

  it.each([
    ['broken YAML', 'rtmp:\n  listen: [1935\n'],
    ['a name twice', 'latency: low\nlatency: low\n'],
    ['tabs for indentation', 'rtmp:\n\tlisten: 1935\n'],
  ])('refuses %s with its line', (_, text) => {
    const error = errorOf(() => parseConfiguration(text));
    expect(error.code).toBe('config/syntax');
    expect(error.line).toBeGreaterThan(0);
    expect(error.column).toBeGreaterThan(0);
  });

  it.each(['just text', '- a\n- b\n', '42'])('refuses %j, which is no set of names', (text) => {
    const error = errorOf(() => parseConfiguration(text));
    expect(error.code).toBe('config/invalid');
    expect(error.message).toContain('the configuration');
  });
});

describe('checkConfiguration', () => {
  it('names the setting without a line', () => {
    const error = errorOf(() => checkConfiguration({ play: { queue_length: -1 } }));
    expect([error.code, error.path, error.line]).toEqual(['config/invalid', 'play.queue_length', undefined]);
  });

  it('refuses names it does not know', () => {
    const input = JSON.parse('{ "http": { "port": 80 } }') as object;
    expect(errorOf(() => checkConfiguration(input)).path).toBe('http.port');
  });
});
