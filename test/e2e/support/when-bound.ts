import { readFile } from 'node:fs/promises';

const POLL_MS = 20;
const TIMEOUT_MS = 15_000;

/** Waits until some program receives on a UDP port of this machine. */
export async function whenBound(port: number): Promise<void> {
  const name = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  for (let waitedMs = 0; waitedMs < TIMEOUT_MS; waitedMs += POLL_MS) {
    const tables = await Promise.all(['/proc/net/udp', '/proc/net/udp6'].map((file) => readFile(file, 'utf8')));
    // The second column is the local address.
    const isBound = tables.some((table) => table.split('\n').some((line) => line.slice(0, 50).includes(name)));
    if (isBound) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new RangeError(`nobody has bound UDP port ${port}`);
}
