/**
 * Absolute path of the worker's entry: `main.ts` beside this file when TypeScript runs as it is, `main.js` when built. A
 * script named by the environment variable MEDIASOUP_WORKER_BIN takes its place; a native worker cannot, since it speaks
 * another language on its channel.
 */
export function workerEntryPath(environment: Readonly<Record<string, string | undefined>>): string {
  const named = environment['MEDIASOUP_WORKER_BIN'];
  if (named !== undefined && /\.[cm]?[jt]s$/.test(named)) return named;
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return decodeURIComponent(new URL(`./main.${extension}`, import.meta.url).pathname);
}
