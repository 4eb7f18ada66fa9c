import { describe, expect, it } from 'vitest';
import { watchIdle } from './idle-watch.ts';

/** Gives `count` items and then nothing until `stop` is called. */
function stuckAfter(count: number): { readonly items: AsyncIterable<number>; readonly stop: () => void } {
  const stopped = Promise.withResolvers<void>();
  async function* items(): AsyncGenerator<number> {
    for (let i = 0; i < count; i++) yield i;
    await stopped.promise;
  }
  return { items: items(), stop: stopped.resolve };
}

async function take(items: AsyncIterable<number>, into: number[]): Promise<void> {
  for await (const item of items) into.push(item);
}

describe('idle watch', () => {
  it.each([
    [0, 'it: nothing has come for 0.02 s; perhaps nobody publishes it'],
    [3, 'it: nothing has come for 0.02 s'],
  ])('fails when nothing comes after %d items', async (count, message) => {
    const { items, stop } = stuckAfter(count);
    const taken: number[] = [];
    const watched = watchIdle(items, { timeoutMs: 20, what: 'it', onIdle: stop });
    await expect(take(watched, taken)).rejects.toMatchObject({ code: 'connect/timeout', message });
    expect(taken).toHaveLength(count);
  });

  it('passes the end on', async () => {
    const { items, stop } = stuckAfter(2);
    stop();
    const taken: number[] = [];
    await take(watchIdle(items, { timeoutMs: 10_000, what: 'it', onIdle: stop }), taken);
    expect(taken).toEqual([0, 1]);
  });

  it('lets the source go when its reader stops', async () => {
    let isClosed = false;
    async function* items(): AsyncGenerator<number> {
      try {
        yield 1;
      } finally {
        isClosed = true;
      }
    }
    for await (const _item of watchIdle(items(), { timeoutMs: 10_000, what: 'it', onIdle: () => undefined })) break;
    expect(isClosed).toBe(true);
  });
});
