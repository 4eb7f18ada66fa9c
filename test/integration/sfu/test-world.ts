/** What routers in virtual time have around them, whoever's the time is. */
import type { RouterEnvironment, SfuTimer } from '../../../src/sfu/router-environment.ts';

const UNIX_MS = 1_700_000_000_000;

/** What control would have been told. */
interface Notification {
  readonly targetId: string;
  readonly event: string;
  readonly data: unknown;
  readonly payload?: Uint8Array;
}

/** A world that is the same every time, and that keeps what it is told. */
export abstract class TestWorld implements RouterEnvironment {
  readonly notifications: Notification[] = [];
  abstract readonly clock: RouterEnvironment['clock'];
  #seed = 1;
  #packets = 0;

  /** Packets come one by one here. */
  afterBurst(task: () => void): void {
    task();
  }

  unixMs(): number {
    return UNIX_MS + this.clock.nowMs();
  }

  random(): number {
    this.#seed = (this.#seed * 48_271) % 0x7fff_ffff;
    return this.#seed / 0x7fff_ffff;
  }

  nextPacketId(): number {
    return ++this.#packets;
  }

  notify(targetId: string, event: string, data?: unknown): void {
    this.notifications.push({ targetId, event, data });
  }

  notifyPayload(targetId: string, event: string, data: unknown, payload: Uint8Array): void {
    this.notifications.push({ targetId, event, data, payload });
  }

  /** Events of one object. */
  eventsOf(targetId: string, event: string): unknown[] {
    return this.notifications.filter((one) => one.targetId === targetId && one.event === event).map(({ data }) => data);
  }
}

/** A timer of a world that can call once after some time. */
export function timerOf(
  nowMs: () => number,
  after: (delayMs: number, task: () => void) => () => void,
  task: () => void,
): SfuTimer {
  let stop: (() => void) | undefined;
  const stopIt = (): void => {
    stop?.();
    stop = undefined;
  };
  return {
    start: (dueMs) => {
      stopIt();
      stop = after(Math.max(0, dueMs - nowMs()), () => {
        stop = undefined;
        task();
      });
    },
    close: stopIt,
  };
}
