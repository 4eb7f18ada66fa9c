import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { TestPeer } from './delegate/test-peer.ts';
import { until } from './robustness/until.ts';

const DESCRIPTORS = 64;
const CONNECTIONS = 200;
const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('an embedded server without file descriptors left', () => {
  let child: ChildProcess | undefined;
  const peers: TestPeer[] = [];

  afterEach(() => {
    child?.kill('SIGKILL');
    for (const peer of peers.splice(0)) peer.close();
  });

  it('lets those wait or go who are too many, serves the others, and takes new ones when some have left', async () => {
    let output = '';
    const script = fileURLToPath(new URL('./delegate/low-descriptor-server.ts', import.meta.url));
    child = spawn('sh', ['-c', `ulimit -n ${DESCRIPTORS} && exec "$0" "$1"`, process.execPath, script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdout!.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
    await until('it listens', () => /port \d+\n/.test(output));
    const port = Number(/port (\d+)/.exec(output)![1]);
    const connect = async (): Promise<TestPeer> => {
      const peer = await TestPeer.connect(port);
      peers.push(peer);
      return peer;
    };

    for (let n = 0; n < CONNECTIONS; n++) await connect();
    for (const peer of peers) peer.send(REQUEST);
    const isServed = (peer: TestPeer): boolean => peer.text.includes('here');
    await until('some are served', () => peers.filter(isServed).length > 10);
    // Time for an accept loop that would not give up, to show in the CPU it took.
    await delay(1500);
    const served = peers.filter(isServed);
    expect(served.length).toBeLessThan(DESCRIPTORS);

    for (const peer of peers.splice(0)) if (peer !== served[0]) peer.close();
    await delay(200);
    served[0]!.send(REQUEST);
    await served[0]!.receivesTimes('here', 2);
    const late = await connect();
    late.send(REQUEST);
    await late.receives('here');
    served[0]!.close();

    child.stdin!.end();
    await until('its last words', () => output.includes('cpu'));
    const [, cpuMs] = /cpu (\d+)/.exec(output)!;
    expect(Number(cpuMs)).toBeLessThan(1500);
  });
});
