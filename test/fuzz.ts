/**
 * `npm run fuzz -- <target> [seconds] [seed]`: runs mutations of a target's corpus until the time is up. A run that throws
 * or takes over a second ends it: the input is kept in the corpus as `crash-<hash>.bin`, where the unit tests replay it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  corpusFolder,
  type FuzzTarget,
  faultOf,
  fuzzTargetNames,
  loadFuzzTarget,
  runBounded,
} from './fuzz/bounded-run.ts';
import { mutate, Random } from './fuzz/mutator.ts';

const RUN_LIMIT_MS = 1000;
/** Runs go in batches, since arming the time limit costs as much as a run. */
const BATCH_MS = 100;

function readCorpus(name: string): readonly Uint8Array[] {
  const folder = corpusFolder(name);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const inputs = files.map((file) => new Uint8Array(readFileSync(join(folder, file))));
  return inputs.length > 0 ? inputs : [new Uint8Array()];
}

function keepCrash(name: string, input: Uint8Array): string {
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const file = join(corpusFolder(name), `crash-${hash}.bin`);
  mkdirSync(corpusFolder(name), { recursive: true });
  writeFileSync(file, input);
  return relative(process.cwd(), file);
}

/** Returns the exit code: 1 when an input broke the target. */
async function fuzz(target: FuzzTarget, seconds: number, seed: number): Promise<number> {
  const corpus = readCorpus(target.name);
  const random = new Random(seed);
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let runs = 0;
  let nextReportMs = startMs + 5000;
  let input: Uint8Array = new Uint8Array();
  let fault: string | undefined;
  let later: void | Promise<void>;

  const batch = (): void => {
    const batchEndMs = performance.now() + BATCH_MS;
    let nowMs = performance.now();
    while (nowMs < batchEndMs && fault === undefined) {
      input = mutate(corpus, random);
      const runStartMs = performance.now();
      later = target.run(input);
      nowMs = performance.now();
      runs++;
      if (later !== undefined) return;
      if (nowMs - runStartMs > RUN_LIMIT_MS) fault = `took ${Math.round(nowMs - runStartMs)} ms`;
    }
  };
  const report = (nowMs: number): void => {
    const rate = Math.round((runs * 1000) / (nowMs - startMs));
    process.stdout.write(`${target.name}: ${runs} runs, ${rate} executions/s, seed ${seed}\n`);
  };

  while (performance.now() < endMs && fault === undefined) {
    const batchStartMs = performance.now();
    later = undefined;
    fault = runBounded(batch, BATCH_MS + RUN_LIMIT_MS) ?? fault ?? (await faultOf(later));
    const batchMs = performance.now() - batchStartMs;
    if (batchMs > BATCH_MS + RUN_LIMIT_MS) fault ??= `took ${Math.round(batchMs)} ms`;
    if (performance.now() < nextReportMs) continue;
    nextReportMs += 5000;
    report(performance.now());
  }
  report(performance.now());
  if (fault === undefined) return 0;
  process.stderr.write(`${target.name}: ${fault}\n${target.name}: input kept as ${keepCrash(target.name, input)}\n`);
  return 1;
}

const [name = '', seconds = '60', seed = String(Date.now() >>> 0)] = process.argv.slice(2);
if (!fuzzTargetNames().includes(name) || !(Number(seconds) > 0) || !Number.isInteger(Number(seed))) {
  process.stderr.write(`usage: npm run fuzz -- <${fuzzTargetNames().join('|')}> [seconds] [seed]\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await fuzz(await loadFuzzTarget(name), Number(seconds), Number(seed));
}
