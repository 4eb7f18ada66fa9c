import { readdirSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { NotFoundError, WorkerClosedError } from '../../../src/mediasoup/errors.ts';
import { createWorker, extras, setLogEventListeners } from '../../../src/mediasoup/index.ts';
import { Random } from '../../fuzz/mutator.ts';
import { type Call, type CallContext, makeCall } from './api-model-calls.ts';
import { problemsOf } from './api-model-check.ts';
import { ApiModel, type ModelNode } from './api-model-state.ts';

/** Calls that are made. */
const CALLS = Number(process.env['MILLRACE_MODEL_CALLS'] ?? 10_000);
const SEED = Number(process.env['MILLRACE_MODEL_SEED'] ?? Math.floor(Math.random() * 0x7fff_ffff));

/** Most calls that are under way at a time. */
const MAX_TOGETHER = 10;
/** How often everything is looked at, calls. */
const CHECK_INTERVAL = 250;
/** How often a worker ends in the middle of all, and another takes its place, in looks. */
const DEATH_INTERVAL = 4;
/** Longest time for calls to end, milliseconds. */
const HANG_MS = 30_000;

/** What is logged where nothing is wrong: a worker was killed, and a producer that is not there is asked for. */
const EXPECTED_LOG = /^worker process died unexpectedly|^canConsume\(\) \| Producer with id/;

/** Issues calls by chance, and compares their outcomes with the model's. */
class Trial {
  readonly model = new ApiModel();
  readonly #context: CallContext;
  readonly #random: Random;
  readonly #inProcess: boolean;
  #number = 0;
  /** Names of the calls made last, for whoever has to find out. */
  readonly #diary: string[] = [];

  constructor(seed: number, inProcess: boolean) {
    this.#random = new Random(seed);
    this.#inProcess = inProcess;
    this.#context = {
      model: this.model,
      random: this.#random,
      ownPipes: new Set(),
      reserved: new Set(),
      next: () => ++this.#number,
    };
  }

  async start(): Promise<void> {
    this.model.addWorker(await createWorker({ inProcess: this.#inProcess, logLevel: 'none' }));
  }

  async run(count: number): Promise<void> {
    let unchecked = 0;
    let checks = 0;
    for (let made = 0; made < count; ) {
      const together = Math.min(count - made, 1 + this.#random.below(MAX_TOGETHER));
      const isDue = unchecked + together >= CHECK_INTERVAL;
      await this.#together(together, isDue && ++checks % DEATH_INTERVAL === 0);
      made += together;
      unchecked = isDue ? 0 : unchecked + together;
      if (isDue || made === count) await this.check();
    }
  }

  /** A worker is closed or killed, with what was asked of it on its way. */
  async #end(): Promise<void> {
    const worker = this.#random.pick(this.model.all('worker'));
    this.#diary.push('END OF A WORKER');
    if (this.#inProcess || this.#random.below(2) === 0) {
      this.model.close(worker);
    } else {
      this.model.expectClosed(worker);
      const died = extras.enhancedOnce(worker.real, 'died');
      process.kill(worker.real.pid, 'SIGKILL');
      await died;
    }
    await this.start();
  }

  async #together(count: number, withDeath: boolean): Promise<void> {
    const calls: { readonly call: Call; readonly closedBefore: boolean }[] = [];
    this.#context.reserved.clear();
    for (let i = 0; i < count; i++) {
      const call = makeCall(this.#context);
      // What closes since something in a worker did, is closed here as soon as that is told.
      calls.push({ call, closedBefore: call.about.some((node) => node?.isClosed === true && node.real.closed) });
      this.#diary.push(`${call.name} ${call.about.map((node) => node?.id.slice(0, 8)).join(' ')}`);
    }
    this.#diary.splice(0, this.#diary.length - 60);
    const ended = Promise.allSettled(calls.map(({ call }) => call.outcome));
    if (withDeath) await this.#end();
    const outcomes = await Promise.race([ended, hang(calls.map(({ call }) => call.name))]);
    this.model.settle(this.#context.ownPipes);
    for (const [index, outcome] of outcomes.entries()) this.#judge(outcome, calls[index]!);
  }

  #judge(
    outcome: PromiseSettledResult<unknown>,
    { call, closedBefore }: { readonly call: Call; readonly closedBefore: boolean },
  ): void {
    const { name, about, refusals, isHarmless } = call;
    const fail = (why: string): never => {
      throw new RangeError(`${name} ${why}; before: ${this.#diary.join(', ')}`);
    };
    if (outcome.status === 'fulfilled') {
      if (refusals !== undefined) fail('should have been refused');
      if (closedBefore && isHarmless !== true) fail('should have been refused, for something is closed');
      return;
    }
    const error: unknown = outcome.reason;
    if (refusals?.some((refusal) => error instanceof refusal) === true) return;
    const isClosed = about.some((node) => node?.isClosed);
    const isWorkerClosed = about.some((node) => node?.worker?.isClosed === true || closedWorker(node));
    if (isClosed && error instanceof NotFoundError) return;
    if (isWorkerClosed && error instanceof WorkerClosedError) return;
    fail(`was refused: ${String(error)} (${error instanceof Error ? error.constructor.name : ''})`);
  }

  /** Everything as expected, at the latest when what is on its way has come. */
  async check(): Promise<void> {
    let problems: string[] = [];
    for (let turn = 0; turn < 120; turn++) {
      problems = await problemsOf(this.model);
      if (problems.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, turn));
    }
    throw new RangeError(`${problems.join('; ')}; before: ${this.#diary.join(', ')}`);
  }
}

function closedWorker(node: ModelNode | undefined): boolean {
  return node?.kind === 'worker' && node.isClosed;
}

/** Files and sockets of this process. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

async function hang(names: readonly string[]): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, HANG_MS).unref());
  throw new RangeError(`no end of ${names.join()}`);
}

describe.each([
  ['this process', true, CALLS],
  // There each answer takes its time.
  ['processes of their own', false, CALLS / 4],
] as const)('workers in %s', (_, inProcess, count) => {
  it(`stand ${count} calls by chance (MILLRACE_MODEL_SEED=${SEED})`, { timeout: 300_000 }, async () => {
    const trial = new Trial(SEED, inProcess);
    const filesBefore = openFiles();
    const faults: string[] = [];
    // Listeners that throw, events nobody knows, answers to nothing.
    setLogEventListeners({
      onerror: (namespace, log, error) => {
        if (!EXPECTED_LOG.test(log)) faults.push(`${namespace} ${log} ${error?.stack}`);
      },
    });
    try {
      await Promise.all([trial.start(), trial.start()]);
      await trial.run(count);
      // What is left goes with its routers, then with the workers.
      for (const router of trial.model.all('router').slice(0, 2)) trial.model.close(router);
      await trial.check();
    } finally {
      for (const worker of trial.model.all('worker')) trial.model.close(worker);
    }
    setLogEventListeners();
    expect(faults).toEqual([]);
    expect(await problemsOf(trial.model)).toEqual([]);
    expect(trial.model.open()).toEqual([]);
    // Sockets that were being opened for what was closed meanwhile, too.
    await vi.waitFor(() => expect(openFiles()).toBeLessThanOrEqual(filesBefore), 15_000);
  });
});
