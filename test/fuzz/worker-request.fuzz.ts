import { FuzzedWorker } from './fuzzed-worker.ts';

export const name = 'worker-request';

const NEWLINE = 0x0a;
const TAB = 0x09;

/** Most messages of one input: what is left out of it is not looked at. */
const MAX_MESSAGES = 200;

/**
 * Lines, each a message to a media worker; with a tab in it, what is behind the tab goes along as its payload. Every
 * request is answered once, by what it asked for or by an error; the worker lives on, and nothing is left of what it made
 * when its routers and servers have been closed.
 */
export async function run(bytes: Uint8Array): Promise<void> {
  const worker = new FuzzedWorker();
  let messages = 0;
  for (let at = 0; at < bytes.length && messages < MAX_MESSAGES; messages++) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.slice(at, end);
    at = end + 1;
    const tab = line.indexOf(TAB);
    if (tab < 0) worker.send(line);
    else worker.sendWithPayload(line.subarray(0, tab), line.subarray(tab + 1));
    // Ports are opened in order, as control, which waits for its answers, has it.
    await worker.settle();
  }
  await worker.closeAll();
}
