import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONG_TIMER_MS, MOMENT_MS, MomentTimers, type MomentWorld, TASKS_PER_TURN } from './moment-timers.ts';

/** Time that goes on when it is told to, in turns as an event loop has them. */
class World implements MomentWorld {
  now = 1000.5;
  /** Timers of the world that were set so far. */
  set = 0;
  turns = 0;
  readonly #timers = new Set<{ readonly dueMs: number; readonly task: () => void }>();
  #turn: (() => void)[] = [];

  nowMs(): number {
    return this.now;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { dueMs: this.now + delayMs, task };
    this.set++;
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  nextTurn(task: () => void): void {
    this.#turn.push(task);
  }

  runUntil(endMs: number): void {
    for (;;) {
      while (this.#runTurn());
      const next = [...this.#timers].toSorted((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers.delete(next);
      this.now = Math.max(this.now, next.dueMs);
      next.task();
    }
    this.now = Math.max(this.now, endMs);
  }

  /** One turn. @returns whether there was anything to do */
  #runTurn(): boolean {
    this.turns++;
    const tasks = this.#turn;
    this.#turn = [];
    for (const task of tasks) task();
    return tasks.length > 0;
  }
}

function recorded(timers: MomentTimers, world: World): { timer: ReturnType<MomentTimers['timer']>; ranMs: number[] } {
  const ranMs: number[] = [];
  return { timer: timers.timer(() => ranMs.push(world.now)), ranMs };
}

describe('timers of a worker', () => {
  it('of less than a tenth of a second end when they are due', () => {
    const world = new World();
    const { timer, ranMs } = recorded(new MomentTimers(world), world);
    timer.start(world.now + 33);
    world.runUntil(3000);
    timer.start(world.now - 5);
    world.runUntil(4000);
    expect(ranMs).toEqual([1033.5, 3000]);
  });

  it('that are longer end together, and wake the process once', () => {
    const world = new World();
    const timers = new MomentTimers(world);
    const all = Array.from({ length: 6 }, () => recorded(timers, world));
    for (const [i, { timer }] of all.entries()) timer.start(1400 + MOMENT_MS - i);
    world.runUntil(3000);
    const ran = all.flatMap(({ ranMs }) => ranMs);
    expect(ran).toEqual(all.map(() => ran[0]));
    expect(ran[0]).toBeGreaterThanOrEqual(1400 + MOMENT_MS);
    expect(ran[0]).toBeLessThan(1400 + MOMENT_MS + 2);
    expect(world.set).toBe(1);
  });

  it('run a few in a turn, so that packets need not wait for all of them', () => {
    const world = new World();
    const timers = new MomentTimers(world);
    const turns: number[] = [];
    const count = 2 * TASKS_PER_TURN + 1;
    for (let i = 0; i < count; i++) timers.timer(() => turns.push(world.turns)).start(1500);
    world.runUntil(3000);
    const [first] = turns;
    expect(turns).toEqual(Array.from({ length: count }, (_, i) => first! + Math.floor(i / TASKS_PER_TURN)));
  });

  it('that are started again end at the new time only, earlier or later', () => {
    const world = new World();
    const { timer, ranMs } = recorded(new MomentTimers(world), world);
    for (const dueMs of [2000, 1500, 2500, 1040]) timer.start(dueMs);
    world.runUntil(4000);
    expect(ranMs).toEqual([1040]);
    timer.start(6000);
    timer.start(5000);
    timer.start(6000);
    world.runUntil(9000);
    expect(ranMs.length).toBe(2);
    expect(ranMs[1]).toBeGreaterThanOrEqual(6000);
  });

  it('that are closed never end, the one whose turn comes in this moment too', () => {
    const world = new World();
    const timers = new MomentTimers(world);
    const second = recorded(timers, world);
    const first = timers.timer(() => second.timer.close());
    const short = recorded(timers, world);
    first.start(1500);
    second.timer.start(1500);
    short.timer.start(1010);
    short.timer.close();
    world.runUntil(4000);
    expect(second.ranMs).toEqual([]);
    expect(short.ranMs).toEqual([]);
  });

  it('end once for each time they were started last, never early, and late by less than a moment and a turn', () => {
    const step = fc.record({ timer: fc.nat(4), delayMs: fc.integer({ min: -10, max: 900 }), waitMs: fc.nat(400) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        const timers = new MomentTimers(world);
        const due = new Map<number, number>();
        const all = Array.from({ length: 5 }, (_, i) => {
          return timers.timer(() => {
            const dueMs = due.get(i);
            if (dueMs === undefined) expect.unreachable(`timer ${i} ended though it was not started`);
            due.delete(i);
            expect(world.now).toBeGreaterThanOrEqual(dueMs);
            expect(world.now).toBeLessThan(dueMs + MOMENT_MS + 2);
          });
        });
        for (const { timer, delayMs, waitMs } of steps) {
          const dueMs = world.now + delayMs;
          due.set(timer, Math.max(dueMs, world.now));
          all[timer]!.start(dueMs);
          world.runUntil(world.now + waitMs);
        }
        world.runUntil(world.now + 1000 + LONG_TIMER_MS);
        expect(due.size).toBe(0);
      }),
    );
  });
});
