/**
 * `npm run test:matrix [-- [22|24|26 …] [vitest arguments]]`: the unit and end-to-end tests on every supported Node, each
 * fetched from npm into .cache/runtimes/ the first time.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './lib/build.js';
import { ensureDebianPackages } from './lib/debian-packages.js';
import { ensureDependencies } from './lib/dependencies.js';
import { environmentOutsideCheckout, mustRun, root, runScript, ScriptError, say } from './lib/shell.js';
import { closingLine, runVitest } from './lib/vitest.js';

/** The Nodes tested with, by npm package (`node-linux-<arch>`) and major version. */
const runtimes = {
  x64: { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' },
  arm64: { 22: '22.23.3', 24: '24.22.0', 26: '26.10.0' },
};

/**
 * @param {string} major
 * @param {string} version
 * @returns {string} path of the binary
 */
function installRuntime(major, version) {
  const folder = join(root, '.cache', 'runtimes', major);
  const name = `node-linux-${process.arch}`;
  const manifest = join(folder, 'node_modules', name, 'package.json');
  if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).version !== version) {
    say(`installing Node ${version}`);
    mkdirSync(folder, { recursive: true });
    // A package.json of its own keeps npm from taking the folder for a part of the checkout.
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    mustRun('npm', ['install', '--no-save', '--prefix', folder, `${name}@${version}`], environmentOutsideCheckout());
  }
  return join(folder, 'node_modules', name, 'bin', 'node');
}

runScript(() => {
  const versions = process.platform === 'linux' ? runtimes[/** @type {'x64'} */ (process.arch)] : undefined;
  if (versions === undefined) throw new ScriptError('the matrix needs Linux on x64 or arm64');
  const given = process.argv.slice(2);
  const chosen = given.filter((arg) => arg in versions);
  const rest = given.filter((arg) => !(arg in versions));
  const args = rest.some((arg) => arg.startsWith('--project')) ? rest : ['--project=unit', '--project=e2e', ...rest];
  ensureDependencies();
  ensureDebianPackages();
  ensureBuilt();
  const results = Object.entries(versions)
    .filter(([major]) => chosen.length === 0 || chosen.includes(major))
    .map(([major, version]) => {
      const node = installRuntime(major, version);
      say(`testing on Node ${version}`);
      return { version, totals: runVitest({ node, label: `node-${major}`, args }) };
    });
  process.stdout.write('\n');
  for (const { version, totals } of results) process.stdout.write(`Node ${version}: ${closingLine(totals)}\n`);
  return results.every(({ totals }) => totals.failed === 0) ? 0 : 1;
});
