/** The page, bundled when the server starts: nothing is written to disk. */
import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

export interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

const PAGE_FOLDER = fileURLToPath(new URL('../page', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** Every file of the page, by its path: `/index.html`, `/assets/…`. */
export async function buildPage(): Promise<ReadonlyMap<string, PageFile>> {
  const result = await build({
    root: PAGE_FOLDER,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    build: { write: false, target: 'es2022', modulePreload: { polyfill: false } },
  });
  const files = new Map<string, PageFile>();
  for (const file of (result as Rolldown.RolldownOutput).output) {
    const type = TYPES[file.fileName.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
    files.set(`/${file.fileName}`, { type, body: file.type === 'chunk' ? file.code : file.source });
  }
  return files;
}
