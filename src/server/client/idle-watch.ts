import { connectError } from '../../io/connect-error.ts';
import { nodeClock } from '../../io/node-clock.ts';

export interface IdleWatchOptions {
  readonly timeoutMs: number;
  /** What it is that is silent, for the message. */
  readonly what: string;
  /** Must make `items` end, or fail, soon. */
  readonly onIdle: () => void;
}

/**
 * Passes `items` on, and fails when the next one does not come within `timeoutMs`.
 * @throws ResourceError `connect/timeout`
 */
export async function* watchIdle<T>(
  items: AsyncIterable<T>,
  options: IdleWatchOptions,
): AsyncGenerator<T, void, undefined> {
  let isIdle = false;
  let hasBegun = false;
  const arm = (): (() => void) =>
    nodeClock.after(options.timeoutMs, () => {
      isIdle = true;
      options.onIdle();
    });
  let disarm = arm();
  try {
    for await (const item of items) {
      disarm();
      if (isIdle) break;
      hasBegun = true;
      yield item;
      disarm = arm();
    }
  } catch (error) {
    if (!isIdle) throw error;
  } finally {
    disarm();
  }
  if (isIdle) {
    const hint = hasBegun ? '' : '; perhaps nobody publishes it';
    throw connectError('connect/timeout', `${options.what}: nothing has come for ${options.timeoutMs / 1000} s${hint}`);
  }
}
