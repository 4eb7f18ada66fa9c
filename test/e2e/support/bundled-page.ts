/** A page of a browser whose script is bundled from a file of ours, and whose questions the test answers. */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build } from 'vite';

/** A page that may use WebRTC and a camera: of the loopback, and nobody answers for it but the test. */
const PAGE_URL = 'http://localhost/';

/** Answers what a page asks by `callServer`: of a method, with what the page sends. */
type PageAnswer = (method: string, data: never) => unknown;

/**
 * @param entry of the page's script, in `test/peers`
 * @param name of the bundle in the page's global scope
 * @returns the text of a script
 * @throws RangeError when the bundler makes nothing of it
 */
export async function bundlePage(entry: string, name: string): Promise<string> {
  const path = fileURLToPath(new URL(`../../peers/${entry}`, import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, lib: { entry: path, formats: ['iife'], name } },
  });
  const [output] = [result].flat();
  if (output === undefined || !('output' in output)) throw new RangeError('no bundle');
  return output.output[0].code;
}

/** Once for a page: it can be loaded from now on, and `answer` is asked for every one of its calls. */
export async function servePage(page: Page, answer: PageAnswer): Promise<void> {
  await page.route(PAGE_URL, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.exposeFunction('callServer', answer);
}

/** Loads a page anew, with a script of `bundlePage`. */
export async function loadPage(page: Page, script: string): Promise<void> {
  await page.goto(PAGE_URL);
  await page.addScriptTag({ content: script });
}
