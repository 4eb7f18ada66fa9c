/** `npm run build`: dist/ anew. */
import { ensureBuilt } from './lib/build.js';
import { ensureDependencies } from './lib/dependencies.js';
import { runScript } from './lib/shell.js';

runScript(() => {
  ensureDependencies();
  ensureBuilt({ force: true });
  return 0;
});
