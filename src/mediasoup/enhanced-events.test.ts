import { afterEach, describe, expect, it, vi } from 'vitest';
import { EnhancedEventEmitter, enhancedOnce } from './enhanced-events.ts';
import { Logger, setLogEventListeners } from './logger.ts';

afterEach(() => {
  setLogEventListeners();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('EnhancedEventEmitter', () => {
  it('logs what a listener throws, and tells of it', () => {
    const emitter = new EnhancedEventEmitter<{ a: [number] }>();
    const errors: unknown[] = [];
    setLogEventListeners({ onerror: (namespace, _, error) => errors.push(namespace, error) });
    const error = new TypeError('mine');
    emitter.on('a', () => {
      throw error;
    });
    expect(() => emitter.emit('a', 1)).toThrow(error);
    const told: unknown[] = [];
    emitter.on('listenererror', (name, given) => told.push(name, given));
    expect(emitter.safeEmit('a', 1)).toBe(true);
    expect(told).toEqual(['a', error]);
    expect(errors).toEqual(['mediasoup:EnhancedEventEmitter', error]);
    emitter.on('listenererror', () => {
      throw error;
    });
    expect(emitter.safeEmit('a', 1)).toBe(true);
  });

  it.each([{ ofItself: true }, 1n, 'text', null])('goes on whatever a listener throws', (thrown) => {
    const emitter = new EnhancedEventEmitter<{ a: [] }>();
    const cause: unknown = typeof thrown === 'object' && thrown !== null ? Object.assign(thrown, { thrown }) : thrown;
    emitter.on('a', () => {
      throw cause;
    });
    expect(emitter.safeEmit('a')).toBe(true);
  });

  it('says whether anybody listened', () => {
    const emitter = new EnhancedEventEmitter();
    expect(emitter.safeEmit('a')).toBe(false);
    emitter.once('a', () => undefined);
    expect(emitter.safeEmit('a')).toBe(true);
    expect(emitter.safeEmit('a')).toBe(false);
  });

  it('waits for one event, or for none any more', async () => {
    const emitter = new EnhancedEventEmitter<{ a: [number, string] }>();
    const promise = enhancedOnce(emitter, 'a');
    emitter.emit('a', 1, 'x');
    expect(await promise).toEqual([1, 'x']);
    const controller = new AbortController();
    const aborted = enhancedOnce(emitter, 'a', { signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toThrow('aborted');
  });
});

describe('Logger', () => {
  it.each([
    ['', []],
    ['mediasoup*', ['mediasoup:X d', 'mediasoup:WARN:X w', 'mediasoup:ERROR:X e: Error: c']],
    ['mediasoup:WARN* mediasoup:X', ['mediasoup:X d', 'mediasoup:WARN:X w']],
    ['*,-mediasoup:X', ['mediasoup:WARN:X w', 'mediasoup:ERROR:X e: Error: c']],
    ['other', []],
  ])('prints with DEBUG=%s %j', (debug, expected) => {
    vi.stubEnv('DEBUG', debug);
    const lines: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      lines.push(String(text).trim());
      return true;
    });
    const logger = new Logger('X');
    logger.debug('d');
    logger.warn('w');
    logger.error('e', new Error('c'));
    expect(lines).toEqual(expected);
  });

  it('tells its listeners', () => {
    const told: string[] = [];
    setLogEventListeners({
      ondebug: (namespace, log) => told.push(`${namespace} ${log}`),
      onwarn: (namespace, log) => told.push(`${namespace} ${log}`),
      onerror: (namespace, log, error) => told.push(`${namespace} ${log} ${error?.message}`),
    });
    const logger = new Logger('X');
    logger.debug('d');
    logger.warn('w');
    logger.error('e', new TypeError('c'));
    expect(told).toEqual(['mediasoup:X d', 'mediasoup:X w', 'mediasoup:X e c']);
  });
});
