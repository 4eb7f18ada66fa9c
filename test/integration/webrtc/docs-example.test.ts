import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/webrtc-transport.md'), 'utf8');

describe('docs/webrtc-transport.md', () => {
  it('has an example that connects and ends', async () => {
    const [, example] = /^```ts\n(.*?)^```$/ms.exec(page)!;
    const folder = mkdtempSync(join(tmpdir(), 'millrace-example-'));
    const file = join(folder, 'example.mts');
    // What is published is built from it.
    writeFileSync(file, example!.replace('millrace/webrtc', join(root, 'src/server/webrtc/webrtc-entry.ts')));
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file]);
    rmSync(folder, { recursive: true });
    expect(stdout).toBe('hello, says the port\n');
  });

  it('names files that are there', () => {
    const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => join(root, 'docs', path!));
    const paths = [...page.matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(([, path]) => join(root, path!));
    expect(links.length).toBeGreaterThan(10);
    for (const path of [...links, ...paths]) expect(existsSync(path), path).toBe(true);
  });

  it('names limits that are there', async () => {
    const { stdout } = await run('grep', ['-rhoE', 'export const [A-Z_0-9]+', join(root, 'src')]);
    const known = new Set(stdout.split('\n').map((line) => line.replace('export const ', '')));
    const named = [...page.matchAll(/`([A-Z]+(?:_[A-Z0-9]+)+)`/g)].map(([, name]) => name!);
    const others = new Set(['MILLRACE_FFI', 'UDP_GRO']);
    expect(named.filter((name) => !known.has(name) && !others.has(name))).toEqual([]);
  });
});
