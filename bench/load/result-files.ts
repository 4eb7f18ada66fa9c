import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Writes a run to `<out>.md` and `<out>.json`, and shows the page.
 * @param out as given on the command line, of the repository's root
 */
export function writeResults(out: string, report: object, markdown: string): void {
  const path = resolve(ROOT, out);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.md`, markdown);
  writeFileSync(`${path}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(`\n${markdown}\nwritten: ${path}.md, ${path}.json\n`);
}
