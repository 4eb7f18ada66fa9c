import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { defineConfig, type Plugin, type UserConfig } from 'vite';

/**
 * What the built page may load: itself, and nothing else from anywhere. `blob:` is the address of a MediaSource.
 * Only in the build, because the development server puts styles inline.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  'media-src blob:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const contentSecurityPolicy: Plugin = {
  name: 'millrace-content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
      injectTo: 'head-prepend',
    },
  ],
};

const LICENSES_FILE = 'licenses.md';

/** What the finished file of mpegts.js has inside it: the bundler cannot see that, so their licences are added here. */
const INSIDE_MPEGTS = ['es6-promise', 'events'] as const;

const innerLicenses: Plugin = {
  name: 'millrace-inner-licenses',
  apply: 'build',
  writeBundle({ dir = '.' }) {
    const fromMpegts = createRequire(createRequire(import.meta.url).resolve('mpegts.js'));
    for (const name of INSIDE_MPEGTS) {
      // With a path behind it, `events` is the package and not the module of Node.
      const folder = path.dirname(fromMpegts.resolve(`${name}/package.json`));
      const text = readFileSync(path.join(folder, 'LICENSE'), 'utf8').replaceAll('\r\n', '\n').trim();
      appendFileSync(path.join(dir, LICENSES_FILE), `\n## ${name} (inside mpegts.js)\n\n${text}\n`);
    }
  },
};

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  plugins: [contentSecurityPolicy, innerLicenses],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The page ships other people's code: their licences go with it.
    license: { fileName: LICENSES_FILE },
    reportCompressedSize: false,
    // mpegts.js is one file of 275 kB, fetched on the first play only.
    chunkSizeWarningLimit: 320,
  },
});

export default config;
