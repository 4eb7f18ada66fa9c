import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cyclesOf, importsOf, type LayerRules, type SourceFile, violationsOf } from './import-checker.ts';

const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };

/** The layers, lowest first: a layer imports itself and what its row names. biome.json says the same to editors. */
const rules: LayerRules = {
  layers: {
    wire: [],
    codec: ['wire'],
    format: ['wire', 'codec'],
    protocol: ['wire', 'codec'],
    media: ['wire', 'codec', 'format', 'protocol'],
    sfu: ['wire', 'codec', 'protocol'],
    io: ['wire', 'codec', 'protocol', 'media', 'sfu'],
    server: ['wire', 'codec', 'format', 'protocol', 'media', 'sfu', 'io'],
    worker: ['wire', 'codec', 'format', 'protocol', 'media', 'sfu', 'io', 'server'],
    mediasoup: ['wire', 'codec', 'format', 'protocol', 'media', 'sfu', 'io', 'worker'],
    app: ['wire', 'codec', 'format', 'protocol', 'media', 'sfu', 'io', 'server', 'worker', 'mediasoup'],
  },
  separated: ['protocol'],
  // One carries the other.
  carriers: {
    'protocol/rtmp': ['protocol/amf'],
    'format/flv': ['protocol/amf'],
    'protocol/rtsp': ['protocol/rtp', 'protocol/sdp'],
    'protocol/mikey': ['protocol/srtp'],
    'protocol/ice': ['protocol/stun'],
  },
  mayUseNode: ['io', 'app'],
  mayUsePackages: ['io', 'server', 'app'],
  packages: Object.keys(manifest.dependencies),
};

const sources: readonly SourceFile[] = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(root, 'src', path), 'utf8') }));

describe('layers of src/', () => {
  it('are kept by every import', () => {
    expect(violationsOf(sources, rules)).toEqual([]);
  });

  it('have no import cycles', () => {
    expect(cyclesOf(sources)).toEqual([]);
  });
});

describe('import checker', () => {
  it.each([
    ["import { a } from './a.ts';", ['./a.ts']],
    ["import type { A } from '../b/a.ts';", ['../b/a.ts']],
    ["import {\n  a,\n  type B,\n} from '../a.ts';", ['../a.ts']],
    ["import './effect.ts';", ['./effect.ts']],
    ["import * as a from 'ws';", ['ws']],
    ["export { a } from './a.ts';", ['./a.ts']],
    ["export type * from './a.ts';", ['./a.ts']],
    ["const a = await import('./a.ts');", ['./a.ts']],
    ["export type A = import('../b.ts').B;", ['../b.ts']],
    ['const a = await import(name);', [undefined]],
    ["// import { a } from './a.ts';", []],
    ["/*\nimport { a } from './a.ts';\n*/", []],
    ["export const from = 'x';", []],
    ["export function f(from: 'x'): void {}", []],
    ["const url = 'http://x'; // see\nimport a from './a.ts';", ['./a.ts']],
  ])('finds the imports of %j', (text, expected) => {
    expect(importsOf(text).map(({ specifier }) => specifier)).toEqual(expected);
  });

  it.each([
    ['wire/a.ts', '../codec/track.ts'],
    ['codec/h264/a.ts', '../../format/flv/b.ts'],
    ['format/mpegts/a.ts', '../../protocol/amf/b.ts'],
    ['format/flv/a.ts', '../../protocol/rtmp/b.ts'],
    ['protocol/amf/a.ts', '../rtmp/b.ts'],
    ['protocol/rtsp/a.ts', '../rtmp/b.ts'],
    ['media/a.ts', '../io/b.ts'],
    ['sfu/a.ts', '../media/b.ts'],
    ['io/a.ts', '../format/flv/b.ts'],
    ['server/rtmp/a.ts', '../../worker/b.ts'],
    ['mediasoup/a.ts', '../server/b.ts'],
    ['app/a.ts', '../../test/b.ts'],
    ['elsewhere/a.ts', '../wire/b.ts'],
    ['wire/a.test.ts', '../media/b.ts'],
    ['media/a.ts', 'node:net'],
    ['server/rtmp/a.ts', 'node:net'],
    ['media/a.ts', 'ws'],
    ['io/a.ts', 'left-pad'],
    ['io/a.ts', '@scope/left-pad/deep'],
  ])('refuses that %s imports %s', (path, specifier) => {
    for (const text of [`import { x } from '${specifier}';`, `import type { X } from '${specifier}';`]) {
      expect(violationsOf([{ path, text }], rules)).toEqual([
        expect.stringContaining(`src/${path}:1 imports ${specifier}`),
      ]);
    }
  });

  it.each([
    ['wire/a.ts', './b.ts'],
    ['codec/h264/a.ts', '../h265/b.ts'],
    ['format/flv/a.ts', '../../protocol/amf/b.ts'],
    ['protocol/rtmp/a.ts', '../amf/b.ts'],
    ['protocol/rtmp/server/a.ts', '../chunk/b.ts'],
    ['io/a.ts', 'node:net'],
    ['server/api/a.ts', 'zod'],
    ['app/a.ts', 'node:fs'],
    ['app/a.ts', '../server/rtmp/b.ts'],
    ['wire/a.test.ts', 'vitest'],
    ['wire/a.test.ts', 'node:fs'],
  ])('allows that %s imports %s', (path, specifier) => {
    expect(violationsOf([{ path, text: `import { x } from '${specifier}';` }], rules)).toEqual([]);
  });

  it('refuses a computed import', () => {
    expect(violationsOf([{ path: 'app/a.ts', text: "await import('./' + name);" }], rules)).toHaveLength(1);
  });

  it('finds a cycle through types and several files once', () => {
    const files = [
      { path: 'media/a.ts', text: "import { b } from './b.ts';" },
      { path: 'media/b.ts', text: "import type { C } from './x/c.ts';" },
      { path: 'media/x/c.ts', text: "import { b } from '../b.ts';" },
    ];
    expect(cyclesOf(files)).toEqual(['media/b.ts → media/x/c.ts → media/b.ts']);
  });
});
