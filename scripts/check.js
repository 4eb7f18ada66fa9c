/** `npm run check`: types, format and lint, promises, dead code. Runs all of them, then says which failed. */
import { ensureDependencies } from './lib/dependencies.js';
import { run, runScript, say } from './lib/shell.js';

const checks = ['types', 'lint', 'promises', 'dead'];

runScript(() => {
  ensureDependencies();
  const failed = checks.filter((check) => {
    say(`check:${check}`);
    return run('npm', ['run', '--silent', `check:${check}`]) !== 0;
  });
  say(failed.length === 0 ? 'all checks passed' : `checks failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
});
