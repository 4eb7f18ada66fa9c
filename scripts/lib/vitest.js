/** Running vitest and counting what it found. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { environmentWithNode, root, run } from './shell.js';

/** @typedef {{ readonly passed: number, readonly failed: number, readonly skipped: number }} Totals */

/**
 * Counts tests in vitest's JSON report. A file that fails outside its tests (an import that throws, a failing hook) has
 * no failed test to count and counts as one.
 *
 * @param {any} report
 * @returns {Totals}
 */
export function totalsOf(report) {
  const brokenFiles = report.testResults.filter(
    (/** @type {any} */ file) =>
      file.status === 'failed' && !file.assertionResults.some((/** @type {any} */ test) => test.status === 'failed'),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * Runs vitest on one Node; its own output goes to the terminal.
 *
 * @param {{ readonly node: string, readonly label: string, readonly args: readonly string[] }} options `label` names the
 *   report file under .cache/test-results/
 * @returns {Totals} with at least one failure whenever vitest was not content
 */
export function runVitest({ node, label, args }) {
  const reportFile = join(root, '.cache', 'test-results', `${label}.json`);
  mkdirSync(dirname(reportFile), { recursive: true });
  rmSync(reportFile, { force: true });
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const code = run(node, [vitest, 'run', ...reporters, ...args], { env: environmentWithNode(dirname(node)) });
  const totals = existsSync(reportFile)
    ? totalsOf(JSON.parse(readFileSync(reportFile, 'utf8')))
    : { passed: 0, failed: 0, skipped: 0 };
  // Vitest also fails for errors outside every test (an unhandled rejection, no test at all).
  return code === 0 ? totals : { ...totals, failed: Math.max(totals.failed, 1) };
}

/**
 * The line that closes a test run.
 *
 * @param {Totals} totals
 * @returns {string}
 */
export function closingLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
