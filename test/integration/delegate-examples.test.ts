import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { TestPeer } from './delegate/test-peer.ts';
import { until } from './robustness/until.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/embedding-rtsp-http.md'), 'utf8');
const examples = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly default: string } | string>>;
};

/** The source of an entry point of the package: what is published is built from it. */
function sourceOf(subpath: string): string {
  const entry = manifest.exports[`./${subpath}`];
  if (typeof entry !== 'object') throw new RangeError(`no entry point ${subpath}`);
  return join(root, entry.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));
}

/** An example with its imports of the package as imports of what is published in it. */
function withSources(example: string): string {
  return example.replace(/from 'millrace\/(\w+)'/g, (_, subpath: string) => `from '${sourceOf(subpath)}'`);
}

describe('docs/embedding-rtsp-http.md', () => {
  let child: ChildProcess | undefined;
  let folder: string | undefined;

  /** Starts an example just as it stands on the page; resolves with its port. */
  const start = async (example: string): Promise<number> => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-example-'));
    const file = join(folder, 'example.mts');
    writeFileSync(file, withSources(example));
    child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
      env: { ...process.env, PORT: '127.0.0.1:0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (bytes: Buffer) => {
        output += bytes.toString();
      });
    }
    await until(
      `the example says its address, not ${output}`,
      () => /localhost:\d+\//.test(output) || child!.exitCode !== null,
    );
    expect(child.exitCode, output).toBeNull();
    return Number(/localhost:(\d+)/.exec(output)![1]);
  };

  afterEach(() => {
    child?.kill('SIGKILL');
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it('has two examples of about 30 lines', () => {
    expect(examples).toHaveLength(2);
    for (const example of examples) expect(example.split('\n').length).toBeLessThanOrEqual(45);
  });

  it('has examples that satisfy the strict compiler', async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-example-'));
    for (const [n, example] of examples.entries()) writeFileSync(join(folder, `example${n}.mts`), withSources(example));
    const compilerOptions = {
      noEmit: true,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      isolatedDeclarations: false,
      declaration: false,
      typeRoots: [join(root, 'node_modules/@types')],
    };
    const settings = { extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['*.mts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    const { stdout } = await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch((failed) => failed);
    expect(stdout).toBe('');
  });

  it('plays a tone over RTSP', async () => {
    const port = await start(examples.find((example) => example.includes('millrace/rtsp'))!);
    const url = `rtsp://127.0.0.1:${port}/tone`;
    const tcp = ['-v', 'error', '-rtsp_transport', 'tcp', '-i', url];
    const { stderr } = await run('ffmpeg', [...tcp, '-t', '1', '-f', 'null', '-']);
    expect(stderr).toBe('');
    const { stdout } = await run('ffprobe', [
      ...tcp,
      '-show_entries',
      'stream=codec_name,sample_rate',
      '-of',
      'csv=p=0',
    ]);
    expect(stdout.trim()).toBe('pcm_mulaw,8000');
    const peer = await TestPeer.connect(port);
    peer.send('SETUP * RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP;unicast;client_port=5000-5001\r\n\r\n');
    await peer.receives('461');
    peer.send('RECORD * RTSP/1.0\r\nCSeq: 2\r\n\r\n');
    await peer.receives('405');
    peer.close();
  });

  it('tells waiting HTTP clients what another one wrote', async () => {
    const port = await start(examples.find((example) => example.includes('millrace/http'))!);
    const url = `http://127.0.0.1:${port}/`;
    const peer = await TestPeer.connect(port);
    peer.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const written = await fetch(url, { method: 'POST', body: 'hello' });
    expect(await written.text()).toBe('told 1\n');
    await peer.receives('"text":"hello"');
    expect(peer.text).toContain('Content-Type: application/json');
    expect((await fetch(`${url}no`)).status).toBe(404);
    expect((await fetch(url, { method: 'PUT' })).status).toBe(405);
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(10_001) })).status).toBe(413);
    peer.close();
  });
});
