import { describe, expect, it } from 'vitest';
import { FuzzedWorker } from '../../fuzz/fuzzed-worker.ts';
import { Random } from '../../fuzz/mutator.ts';
import { broken, readScripts, type ScriptMessage } from './broken-messages.ts';

/** Runs that one wrong message each is sent in. `MILLRACE_FAULT_SEED` is that of the first; a failure names its own. */
const RUNS = 1000;
const FIRST_SEED = Number(process.env['MILLRACE_FAULT_SEED'] ?? 1);

const scripts = readScripts();

function send(worker: FuzzedWorker, { message, payload }: ScriptMessage): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  if (payload === undefined) worker.send(bytes);
  else worker.sendWithPayload(bytes, payload);
  return worker.settle();
}

/** All that can be seen of a worker, timestamps and counters apart. */
async function lookAt(worker: FuzzedWorker): Promise<unknown> {
  const dump = (await worker.ask('worker.dump')).data as { routerIds: string[] };
  const routers: unknown[] = [];
  for (const routerId of dump.routerIds) {
    const router = (await worker.ask('router.dump', { routerId })).data as { transportIds: string[] };
    routers.push(router);
    for (const transportId of router.transportIds) {
      const transport = (await worker.ask('transport.dump', { transportId })).data as Record<string, string[]>;
      routers.push(transport);
      for (const producerId of transport['producerIds']!) {
        routers.push((await worker.ask('producer.dump', { producerId })).data);
      }
      for (const consumerId of transport['consumerIds']!) {
        routers.push((await worker.ask('consumer.dump', { consumerId })).data);
      }
      for (const dataConsumerId of transport['dataConsumerIds']!) {
        routers.push((await worker.ask('dataConsumer.dump', { dataConsumerId })).data);
      }
    }
  }
  return { dump, routers };
}

/** A right script with one message broken, before the right one, which must work all the same when that was refused. */
async function tryOne(seed: number): Promise<void> {
  const random = new Random(seed);
  const [name, script] = random.pick([...scripts]);
  const at = random.below(script.length);
  const worker = new FuzzedWorker();
  for (const one of script.slice(0, at)) await send(worker, one);
  const right = script[at]!;
  const wrong = { message: broken(right.message, random), payload: right.payload };
  const before = await lookAt(worker);
  const answered = worker.answers.length;
  await send(worker, wrong);
  const answer = worker.answers[answered];
  if (answer?.error !== undefined) {
    const what = `${name}: ${JSON.stringify(wrong.message).slice(0, 500)} was refused (${answer.reason})`;
    expect(await lookAt(worker), `${what} and left traces`).toEqual(before);
    const from = worker.answers.length;
    for (const one of script.slice(at)) await send(worker, one);
    const refused = worker.answers.slice(from).filter(({ error }) => error !== undefined);
    expect(refused.map(({ reason }) => reason).join(), `${what}, and what is right then too`).toBe('');
  } else {
    for (const one of script.slice(at)) await send(worker, one);
  }
  await worker.closeAll();
}

describe('a worker that is told something wrong', () => {
  it(`refuses it, or lives with it, and nothing of it is left (${RUNS} times)`, { timeout: 60_000 }, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      try {
        await tryOne(seed);
      } catch (error) {
        throw new RangeError(`MILLRACE_FAULT_SEED=${seed}`, { cause: error });
      }
    }
  });
});
