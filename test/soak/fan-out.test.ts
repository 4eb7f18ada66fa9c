import { afterEach, beforeEach, describe, it } from 'vitest';
import { expectUndisturbed, tryFanOut } from '../integration/robustness/fan-out-trial.ts';
import { NetworkNamespace } from '../peers/network-namespace.ts';

/**
 * Most bytes the kernel may hold for one socket that is not read. With Linux's own 4 MiB, 500 stalled viewers on loopback
 * take 2 GB of kernel memory and put all of TCP under pressure, healthy sockets too: no server can help that, but its
 * operator can (docs/operations.md).
 */
const MAX_SEND_BUFFER_BYTES = 262_144;

describe.each(['realtime', 'normal'] as const)('500 viewers that do not read, with latency: %s', (latency) => {
  let namespace: NetworkNamespace;

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
    await namespace.setParameter('net.ipv4.tcp_wmem', `4096 16384 ${MAX_SEND_BUFFER_BYTES}`);
  });

  afterEach(() => namespace.close());

  it('change the latency of 500 others by less than 10 %, and leave no memory behind', {
    timeout: 900_000,
  }, async () => {
    const { name } = namespace;
    const trial = await tryFanOut({ latency, viewers: 500, windowMs: 3000, roundCount: 12, namespace: name });
    expectUndisturbed(trial, { p50: 1.1, p99: 1.1 });
  });
});
