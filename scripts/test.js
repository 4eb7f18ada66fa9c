/**
 * `npm test [-- [--soak] [vitest arguments]]`: installs what tests need, builds, runs the unit and end-to-end tests (or,
 * with `--soak`, the long ones) and closes with a line `N passed, N failed`.
 */
import { ensureBuilt } from './lib/build.js';
import { ensureDebianPackages } from './lib/debian-packages.js';
import { ensureDependencies, nodeForCheckout } from './lib/dependencies.js';
import { runScript, say } from './lib/shell.js';
import { closingLine, runVitest } from './lib/vitest.js';

runScript(() => {
  const args = process.argv.slice(2).filter((arg) => arg !== '--soak');
  const isSoak = args.length < process.argv.length - 2;
  const projects = isSoak ? ['--project=soak'] : ['--project=unit', '--project=e2e'];
  const choosesProject = args.some((arg) => arg.startsWith('--project'));
  ensureDependencies();
  ensureDebianPackages();
  ensureBuilt();
  const totals = runVitest({
    node: nodeForCheckout(),
    label: isSoak ? 'soak' : 'test',
    args: choosesProject ? args : [...projects, ...args],
  });
  if (totals.skipped > 0) say(`${totals.skipped} tests were skipped`);
  process.stdout.write(`${closingLine(totals)}\n`);
  return totals.failed === 0 ? 0 : 1;
});
