import type { SfuTimer } from '../../sfu/router-environment.ts';

/** Timers of at least so many milliseconds wait for the next moment. */
export const LONG_TIMER_MS = 100;
/** Between moments, milliseconds. */
export const MOMENT_MS = 20;
/** Most tasks that run in one turn of the event loop: packets are taken between turns. */
export const TASKS_PER_TURN = 8;

/** What moments are made of. */
export interface MomentWorld {
  /** Milliseconds on a clock that does not go back. */
  nowMs(): number;
  /** Calls `task` once after `delayMs` unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
  /** Calls `task` once when what has arrived meanwhile was taken. */
  nextTurn(task: () => void): void;
}

/**
 * The timers of all transports of a worker. Long ones, of which each transport always has some, end at moments they share,
 * since waking up for one at a time costs more than what is then done; they are set again without making an object.
 */
export class MomentTimers {
  readonly world: MomentWorld;
  /** By the number of the moment; some may have been stopped or set to another since. */
  readonly #waiting = new Map<number, MomentTimer[]>();
  readonly #due: MomentTimer[] = [];
  #dueMoment = 0;
  #wakeMoment = Number.POSITIVE_INFINITY;
  #stopWaking: (() => void) | undefined;

  constructor(world: MomentWorld) {
    this.world = world;
  }

  /** A timer that is not set yet. */
  timer(task: () => void): SfuTimer {
    return new MomentTimer(this, task);
  }

  /** Has `timer` looked at when this moment comes. */
  add(timer: MomentTimer, moment: number): void {
    const others = this.#waiting.get(moment);
    if (others === undefined) this.#waiting.set(moment, [timer]);
    else others.push(timer);
    if (moment < this.#wakeMoment) this.#wakeAt(moment);
  }

  #wakeAt(moment: number): void {
    this.#stopWaking?.();
    this.#wakeMoment = moment;
    const delayMs = Math.max(0, moment * MOMENT_MS - this.world.nowMs());
    // Node counts from the beginning of its turn, in whole milliseconds: what was early would have to wait once more.
    this.#stopWaking = this.world.after(Math.ceil(delayMs) + 1, this.#onWake);
  }

  readonly #onWake = (): void => {
    this.#stopWaking = undefined;
    this.#wakeMoment = Number.POSITIVE_INFINITY;
    this.#dueMoment = Math.floor(this.world.nowMs() / MOMENT_MS);
    const wasIdle = this.#due.length === 0;
    let next = Number.POSITIVE_INFINITY;
    for (const [moment, timers] of this.#waiting) {
      if (moment > this.#dueMoment) {
        next = Math.min(next, moment);
        continue;
      }
      this.#waiting.delete(moment);
      this.#due.push(...timers);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#wakeAt(next);
    if (wasIdle) this.#runSome();
  };

  readonly #runSome = (): void => {
    const some = this.#due.splice(0, TASKS_PER_TURN);
    if (this.#due.length > 0) this.world.nextTurn(this.#runSome);
    for (const timer of some) timer.runIfDue(this.#dueMoment);
  };
}

/** One timer, set again and again. */
class MomentTimer implements SfuTimer {
  readonly #timers: MomentTimers;
  #task: () => void;
  /** The moment it ends at; infinite when it does not. */
  #moment = Number.POSITIVE_INFINITY;
  /** The moment it was added to last, and so need not be again. */
  #added = -1;
  #stopShort: (() => void) | undefined;

  constructor(timers: MomentTimers, task: () => void) {
    this.#timers = timers;
    this.#task = task;
  }

  start(dueMs: number): void {
    this.#stop();
    const { world } = this.#timers;
    const delayMs = dueMs - world.nowMs();
    if (delayMs < LONG_TIMER_MS) {
      this.#stopShort = world.after(Math.max(0, delayMs), this.#onShort);
      return;
    }
    this.#moment = Math.ceil(dueMs / MOMENT_MS);
    if (this.#moment === this.#added) return;
    this.#added = this.#moment;
    this.#timers.add(this, this.#moment);
  }

  close(): void {
    this.#stop();
    // Its moment may come long after: until then nothing is kept alive.
    this.#task = nothing;
  }

  runIfDue(dueMoment: number): void {
    if (this.#added <= dueMoment) this.#added = -1;
    if (this.#moment > dueMoment) return;
    this.#moment = Number.POSITIVE_INFINITY;
    this.#task();
  }

  #stop(): void {
    this.#moment = Number.POSITIVE_INFINITY;
    this.#stopShort?.();
    this.#stopShort = undefined;
  }

  readonly #onShort = (): void => {
    this.#stopShort = undefined;
    this.#task();
  };
}

function nothing(): void {
  // What a closed timer runs.
}
