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

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  plugins: [contentSecurityPolicy],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The page ships other people's code: their licences go with it.
    license: { fileName: 'licenses.md' },
    reportCompressedSize: false,
    // mpegts.js is one file of 275 kB, fetched on the first play only.
    chunkSizeWarningLimit: 320,
  },
});

export default config;
