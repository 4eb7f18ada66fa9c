import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
/** FLV signature (FLV v10.1 §E.2). */
const SIGNATURE = 'FLV';

let child: ChildProcess | undefined;
let folder: string | undefined;

afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

it('npm start, when built, prints where to open, publish and play, and its clip is there', {
  timeout: 60_000,
}, async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-start-'));
  const config = join(folder, 'millrace.yml');
  const listen = "{ listen: '127.0.0.1:0' }";
  writeFileSync(config, `rtmp: ${listen}\nhttp: ${listen}\nrtsp: ${listen}\nlog: { level: error }\n`);
  // What package.json says for `start`, without npm in front that would keep the signal to itself.
  const started = spawn('node', [join(ROOT, 'scripts', 'start.js'), config], { cwd: ROOT });
  child = started;
  let output = '';
  started.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  const playUrl = (): string | undefined => /http:\/\/\S+\/live\/demo\.flv/.exec(output)?.[0];
  while (playUrl() === undefined) {
    expect(started.exitCode, output).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(output).toMatch(/open +http:\/\/\S+\//);
  expect(output).toMatch(/publish +rtmp:\/\/\S+\/live\/<name>/);
  expect(output).toMatch(/play +rtmp:\/\/\S+\/live\/demo/);
  const answer = await fetch(`${playUrl()!}?wait=10`);
  expect(answer.status).toBe(200);
  const reader = answer.body!.getReader();
  const { value } = await reader.read();
  expect(Buffer.from(value!).toString('latin1', 0, 3)).toBe(SIGNATURE);
  await reader.cancel();
});
