import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { SendQueueResult } from './udp-send-queue.ts';

const SCRIPT = fileURLToPath(new URL('./udp-send-queue.ts', import.meta.url));
/** The loopback interface takes whatever comes; in a namespace of its own it can be made slow. */
const SLOW_INTERFACE =
  'ip link set lo up && tc qdisc add dev lo root tbf rate 20mbit burst 10k latency 10s && exec "$@"';

function sendBursts(environment: Readonly<Record<string, string>>): SendQueueResult {
  const command = ['--net', 'sh', '-c', SLOW_INTERFACE, 'sh', process.execPath, '--no-warnings', SCRIPT];
  const env = { ...process.env, ...environment };
  return JSON.parse(execFileSync('unshare', command, { env, encoding: 'utf8', timeout: 20_000 })) as SendQueueResult;
}

it('packets the kernel has no room for are kept as they were put, whatever is put after them', () => {
  const { provider, received, dropped } = sendBursts({ MILLRACE_FFI: 'off' });
  expect(provider).toBe('portable');
  expect(received).toEqual(Array.from({ length: 500 }, (_, number) => number));
  expect(dropped).toBe(0);
});

it('packets the kernel has no room for are dropped and counted where they go past Node, and the others come whole', () => {
  const { provider, received, dropped } = sendBursts({});
  // Where there is no faster way, Node keeps them here too.
  if (provider === 'sendmmsg') expect(dropped).toBeGreaterThan(0);
  expect(received).toEqual(received.toSorted((left, right) => left - right));
  expect(received).not.toContain(-1);
  expect(received.length + dropped).toBe(500);
});
