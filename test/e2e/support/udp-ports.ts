import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

const TRIES = 100;
const POLL_MS = 20;
const TIMEOUT_MS = 15_000;

/** Two ports of the loopback that nobody has at the moment, one after the other, the first of them even. */
export async function freePortPair(): Promise<readonly [number, number]> {
  for (let i = 0; i < TRIES; i++) {
    const first = await bound(0);
    const { port } = first!.address();
    const second = port % 2 === 0 && port < 65_535 ? await bound(port + 1) : undefined;
    first!.close();
    second?.close();
    if (second !== undefined) return [port, port + 1];
  }
  throw new RangeError('no two ports are free');
}

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

async function bound(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  try {
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
