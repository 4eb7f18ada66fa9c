/**
 * `npm start`: from a fresh clone to a running server with the demo stream. Installs and builds what is missing, then
 * runs `millrace --demo` and whatever arguments were given.
 */
import { join } from 'node:path';
import { replaceBy } from '../bin/runtime.js';
import { ensureBuilt } from './lib/build.js';
import { ensureDependencies, nodeForCheckout } from './lib/dependencies.js';
import { root, runScript } from './lib/shell.js';

runScript(() => {
  ensureDependencies();
  ensureBuilt();
  // A process of its own even on the right Node: on Ctrl-C, npm sends this one a second SIGINT after the terminal's.
  replaceBy(nodeForCheckout(), [join(root, 'bin', 'millrace.js'), '--demo', ...process.argv.slice(2)]);
  return undefined;
});
