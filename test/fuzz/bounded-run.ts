/** Loading fuzz targets and running them so that a hang ends too. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

/** What a `test/fuzz/<name>.fuzz.ts` exports. */
export interface FuzzTarget {
  /** The file's own name without `.fuzz.ts`; its corpus is in `test/corpus/<name>/`. */
  readonly name: string;
  /**
   * Feeds any bytes to the code under test. Throws, or rejects, only for a bug. What runs after a first `await` can't be
   * interrupted, so targets that read files do it through a `BoundedFile`, which ends endless reading.
   */
  readonly run: (bytes: Uint8Array) => void | Promise<void>;
}

/** How one or more runs ended: `undefined` for well, otherwise what went wrong, for people. */
export type Fault = string | undefined;

const fuzzFolder: string = import.meta.dirname;

/** Names of all targets, sorted. */
export function fuzzTargetNames(): readonly string[] {
  return readdirSync(fuzzFolder)
    .filter((file) => file.endsWith('.fuzz.ts'))
    .map((file) => file.slice(0, -'.fuzz.ts'.length))
    .sort();
}

/** Folder with the stored inputs of a target. */
export function corpusFolder(name: string): string {
  return join(fuzzFolder, '..', 'corpus', name);
}

/** Imports a target. Rejects when there is none of that name. */
export async function loadFuzzTarget(name: string): Promise<FuzzTarget> {
  const target: FuzzTarget = await import(pathToFileURL(join(fuzzFolder, `${name}.fuzz.ts`)).href);
  return target;
}

/**
 * Calls `work` and stops it after `limitMs`, in the middle of an endless loop too: V8 interrupts everything that runs
 * inside a script with a timeout, whereas a timer would never get its turn.
 */
export function runBounded(work: () => void, limitMs: number): Fault {
  const slot = globalThis as { millraceFuzzWork?: () => void };
  slot.millraceFuzzWork = work;
  try {
    new Script('globalThis.millraceFuzzWork()').runInThisContext({ timeout: limitMs });
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      return `still running after ${limitMs} ms`;
    return error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}`;
  } finally {
    delete slot.millraceFuzzWork;
  }
}

/** Runs a target over one input: what it does at once within `limitMs`, then what it does later to its end. */
export async function runTarget(target: FuzzTarget, input: Uint8Array, limitMs: number): Promise<Fault> {
  const started: (void | Promise<void>)[] = [];
  const fault = runBounded(() => {
    started.push(target.run(input));
  }, limitMs);
  return fault ?? (await faultOf(started[0]));
}

/** How what a run does later ended. */
export async function faultOf(later: void | Promise<void>): Promise<Fault> {
  try {
    await later;
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : `threw ${String(error)}`;
  }
}
