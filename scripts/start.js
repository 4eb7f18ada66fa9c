/**
 * `npm start`: from a fresh clone to a running server with the demo stream. Installs and builds what is missing, then
 * runs `millrace --demo` and whatever arguments were given.
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { replaceBy } from '../bin/runtime.js';
import { ensureBuilt } from './lib/build.js';
import { ensureDependencies, nodeForCheckout } from './lib/dependencies.js';
import { root, runScript } from './lib/shell.js';

const launcher = join(root, 'bin', 'millrace.js');

runScript(() => {
  ensureDependencies();
  ensureBuilt();
  const node = nodeForCheckout();
  const args = [launcher, '--demo', ...process.argv.slice(2)];
  if (realpathSync(node) === realpathSync(process.execPath)) {
    // Already on the right Node, as under `npm start` in a built checkout: no second process in the way of signals.
    process.argv.splice(1, Infinity, ...args);
    void import('../bin/millrace.js');
  } else {
    replaceBy(node, args);
  }
  return undefined;
});
