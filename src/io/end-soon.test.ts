import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CLOSE_LINGER_MS, endSoon, LINGER_MS } from './end-soon.ts';

/** A connection over loopback: both of its ends. The client ends its half itself. */
async function connect(): Promise<{ readonly server: net.Socket; readonly client: net.Socket }> {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = net.connect({ port: (listener.address() as net.AddressInfo).port, allowHalfOpen: true });
  const [server] = (await once(listener, 'connection')) as [net.Socket];
  onTestFinished(() => {
    client.destroy();
    server.destroy();
    listener.close();
  });
  return { server, client };
}

describe('a connection that is ended', () => {
  it('lets the peer say its goodbye after it has read the end', async () => {
    const { server, client } = await connect();
    const heard: string[] = [];
    const errors: unknown[] = [];
    server.on('data', (bytes) => heard.push(bytes.toString()));
    client.on('error', (error) => errors.push(error));
    client.resume();
    const closed = once(server, 'close');
    endSoon(server);
    await once(client, 'end');
    // The first to a connection that is gone brings its reset, the second finds it.
    for (const word of ['leaving ', 'now']) {
      client.write(word);
      await sleep(50);
    }
    client.end();
    await closed;
    expect([heard.join(''), errors]).toEqual(['leaving now', []]);
  });

  it('gives all that was written to a peer that talks and reads late', async () => {
    const { server, client } = await connect();
    // What is in the kernel when the connection is closed and the peer then writes would be lost.
    const sizeBytes = 300_000;
    client.pause();
    const closed = once(server, 'close');
    server.write(Buffer.alloc(sizeBytes));
    endSoon(server);
    await once(server, 'finish');
    client.write('still here');
    await sleep(100);
    let received = 0;
    client.on('data', (bytes) => {
      received += bytes.length;
    });
    client.resume();
    await once(client, 'end');
    client.end();
    await closed;
    expect(received).toBe(sizeBytes);
  });

  it('is closed at once when the peer has closed its half', async () => {
    const { server, client } = await connect();
    client.end();
    server.resume();
    await once(server, 'end');
    const beginMs = performance.now();
    endSoon(server);
    if (!server.closed) await once(server, 'close');
    expect(performance.now() - beginMs).toBeLessThan(CLOSE_LINGER_MS / 2);
  });

  it.each([
    ['at once', 0],
    ['while it is waited for longer', 200],
  ])('is cut when the peer does not close its half, ended %s', async (_when, afterMs) => {
    const { server, client } = await connect();
    client.resume();
    if (afterMs > 0) endSoon(server, LINGER_MS);
    await sleep(afterMs);
    const beginMs = performance.now();
    endSoon(server);
    await once(server, 'close');
    const tookMs = performance.now() - beginMs;
    expect(tookMs).toBeGreaterThan(CLOSE_LINGER_MS * 0.9);
    expect(tookMs).toBeLessThan(CLOSE_LINGER_MS * 3);
  });
});
