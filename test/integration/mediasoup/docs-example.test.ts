/** The pages about the SFU: their examples are programs, which compile and run. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const entry = join(root, 'src/mediasoup/index.ts');

/** The page's blocks of TypeScript, one after the other, with what is published taken from its sources. */
async function programOf(page: string): Promise<string> {
  const text = await readFile(join(root, 'docs', page), 'utf8');
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
  return blocks.join('\n').replaceAll(/'millrace\/mediasoup'/g, `'${entry}'`);
}

describe.each([
  {
    page: 'sfu.md',
    prints: ['candidates 2', 'a=rtpmap:101 VP8/90000', 'tea at four', 'same id true', '0 undefined'],
  },
  {
    page: 'migrating-from-mediasoup.md',
    prints: ['203.0.113.7 100000', '127.0.0.1 true', '3.27.1 true', 'function'],
  },
])('docs/$page', ({ page, prints }) => {
  it('has a program that compiles, runs, and prints what it says', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-docs-'));
    const file = join(folder, 'example.mts');
    await writeFile(file, await programOf(page));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const strict = ['--strict', '--noUncheckedIndexedAccess', '--noImplicitReturns', '--erasableSyntaxOnly'];
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), '--skipLibCheck'];
    const modules = ['--module', 'nodenext', '--target', 'es2024', '--allowImportingTsExtensions', '--noEmit'];
    const args = [tsc, '--ignoreConfig', ...strict, ...types, ...modules, file];
    const compiled = await run(process.execPath, args, { cwd: root }).catch((error: { stdout: string }) => error);
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file]);
    await rm(folder, { recursive: true });
    expect(compiled.stdout.split('\n').filter((line) => line.includes('example.mts'))).toEqual([]);
    for (const line of prints) expect(stdout.split('\n')).toContain(line);
  });
});
