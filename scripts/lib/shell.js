/** Running other programs from the scripts. */
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's top folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Why a script gives up, said in one line to the person who ran it; no stack wanted. */
export class ScriptError extends Error {}

/**
 * Says what happens next.
 *
 * @param {string} line
 */
export function say(line) {
  process.stdout.write(`millrace: ${line}\n`);
}

/**
 * Runs a program in the checkout with our terminal and waits for it.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ readonly env?: NodeJS.ProcessEnv }} [options]
 * @returns {number} its exit code; 128 when a signal ended it
 */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, env: options.env ?? process.env, stdio: 'inherit' });
  if (result.error !== undefined) throw new ScriptError(`cannot run ${program}: ${result.error.message}`);
  return result.status ?? 128;
}

/**
 * Like {@link run}, but a failure ends the script.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function mustRun(program, args, env = process.env) {
  const code = run(program, args, { env });
  if (code !== 0) throw new ScriptError(`\`${[program, ...args].join(' ')}\` failed (exit code ${code})`);
}

/**
 * What a program prints, or `undefined` when it is not there or fails.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {string | undefined}
 */
export function outputOf(program, args) {
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return result.error === undefined && result.status === 0 ? result.stdout : undefined;
}

/**
 * The environment without the checkout's own `.bin` folder, which `npm run` puts first in PATH. `npm ci` deletes that
 * folder, so npm must not run on the Node inside it.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentOutsideCheckout() {
  const own = join(root, 'node_modules', '.bin');
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== own);
  return { ...process.env, PATH: path.join(delimiter) };
}

/**
 * The environment in which `node` is the given binary.
 *
 * @param {string} nodeFolder folder of the binary
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentWithNode(nodeFolder) {
  return { ...process.env, PATH: [nodeFolder, process.env['PATH'] ?? ''].join(delimiter) };
}

/**
 * Runs a script's body; a {@link ScriptError} becomes one line and exit code 1.
 *
 * @param {() => number | undefined} body returns the exit code, or `undefined` when it stays running
 */
export function runScript(body) {
  try {
    const code = body();
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    process.stderr.write(`millrace: ${error.message}\n`);
    process.exitCode = 1;
  }
}
