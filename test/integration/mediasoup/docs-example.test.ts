import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/sfu.md'), 'utf8');

describe('docs/sfu.md', () => {
  it('has an example that runs', async () => {
    const [imports, program] = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
    const folder = mkdtempSync(join(tmpdir(), 'millrace-example-'));
    const file = join(folder, 'example.mts');
    // What is published is built from it.
    const source = `${imports}${program}`.replace('millrace/mediasoup', join(root, 'src/mediasoup/index.ts'));
    writeFileSync(file, source);
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file]);
    rmSync(folder, { recursive: true });
    expect(stdout).toMatch(/^3 \{\s+usernameFragment/);
    expect(stdout).toContain("tcpType: 'passive'");
  });
});
