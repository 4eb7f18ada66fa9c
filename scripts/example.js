/**
 * `npm run example:conference`: from a fresh clone to an example that runs. Installs and builds what is missing, then
 * runs `examples/<name>/main.ts` with whatever arguments were given.
 */
import { join } from 'node:path';
import { replaceBy } from '../bin/runtime.js';
import { ensureBuilt } from './lib/build.js';
import { ensureDependencies, nodeForCheckout } from './lib/dependencies.js';
import { root, runScript } from './lib/shell.js';

runScript(() => {
  const [name = '', ...args] = process.argv.slice(2);
  ensureDependencies();
  ensureBuilt();
  replaceBy(nodeForCheckout(), [join(root, 'examples', name, 'main.ts'), ...args]);
  return undefined;
});
