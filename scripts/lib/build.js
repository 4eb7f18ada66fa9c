/** dist/: the compiled server, the console's page and the demo clip, each rebuilt only when its sources changed. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { nodeForCheckout } from './dependencies.js';
import { mustRun, root, say } from './shell.js';

const dist = join(root, 'dist');
/** Which sources the contents of dist/ were made from, as one hash a part. */
const stampFile = join(dist, '.build.json');

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} output a file that is there when the part is built
 * @property {readonly string[]} sources files and folders, relative to the checkout
 * @property {() => void} build
 */

/** @type {readonly Part[]} */
const parts = [
  {
    name: 'server',
    output: 'app/main.js',
    sources: ['src', 'tsconfig.base.json', 'tsconfig.build.json', 'package-lock.json'],
    build: buildServer,
  },
  {
    name: 'console',
    output: 'console/index.html',
    sources: ['console', 'package-lock.json'],
    build: () => mustRun('npm', ['run', 'build', '--workspace=console']),
  },
  {
    name: 'demo clip',
    output: 'demo/bbb.flv',
    sources: ['test/fixtures/bbb.flv'],
    build: () => {
      mkdirSync(join(dist, 'demo'), { recursive: true });
      copyFileSync(join(root, 'test/fixtures/bbb.flv'), join(dist, 'demo/bbb.flv'));
    },
  },
];

/**
 * Every file under a path, sorted; tests and build products left out.
 *
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist' && !name.endsWith('.test.ts'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => filesUnder(join(path, name)));
}

/**
 * By content, not by date: `git checkout` and clones change dates without changing anything.
 *
 * @param {readonly string[]} sources
 * @returns {string}
 */
function hashOf(sources) {
  const hash = createHash('sha256');
  for (const file of sources.flatMap((source) => filesUnder(join(root, source)))) {
    const bytes = readFileSync(file);
    hash.update(`${relative(root, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** @returns {Record<string, string>} */
function readStamps() {
  return existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {};
}

function buildServer() {
  mustRun(nodeForCheckout(), [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']);
  removeOrphans(dist);
}

/**
 * Removes compiled files whose source is gone: tsc does not, and the published package would carry them.
 *
 * @param {string} folder
 */
function removeOrphans(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (path !== join(dist, 'console')) removeOrphans(path);
      continue;
    }
    const source = join(root, 'src', relative(dist, path).replace(/\.(js|js\.map|d\.ts)$/, '.ts'));
    if (/\.(js|js\.map|d\.ts)$/.test(path) && !existsSync(source)) rmSync(path);
  }
}

/**
 * Builds what is missing or stale.
 *
 * @param {{ readonly force?: boolean }} [options] `force`: build everything
 */
export function ensureBuilt({ force = false } = {}) {
  const stamps = readStamps();
  for (const part of parts) {
    const hash = hashOf(part.sources);
    if (!force && stamps[part.name] === hash && existsSync(join(dist, part.output))) continue;
    say(`building ${part.name}`);
    part.build();
    mkdirSync(dirname(stampFile), { recursive: true });
    stamps[part.name] = hash;
    writeFileSync(stampFile, `${JSON.stringify(stamps, null, 2)}\n`);
  }
}
