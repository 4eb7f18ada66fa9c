import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { HALF_CLOSED_MS } from '../../src/server/delegate/delegate-connection.ts';
import { type AnyHooks, type ServerUnderTest, serverKinds } from './delegate/any-server.ts';
import { TestPeer } from './delegate/test-peer.ts';
import { until } from './robustness/until.ts';

const IDLE_CONNECTIONS = 2000;

describe.each(serverKinds)('an embedded $name server', ({ request, ok, writeQueueLimit, start }) => {
  let tested: ServerUnderTest;
  let peers: TestPeer[] = [];

  const listen = async (...args: Parameters<typeof start>): Promise<ServerUnderTest> => {
    tested = await start(...args);
    return tested;
  };
  const connect = async (host?: string): Promise<TestPeer> => {
    const peer = await TestPeer.connect(tested.server.port, host);
    peers.push(peer);
    return peer;
  };

  afterEach(async () => {
    for (const peer of peers) peer.close();
    peers = [];
    await tested.server.close();
    expect(tested.delegate.violations).toEqual([]);
    expect(tested.delegate.count('close')).toBe(tested.delegate.count('connect'));
    expect(tested.server.connectionCount).toBe(0);
  });

  it('numbers connections from 1 and never uses a number twice', async () => {
    const { delegate } = await listen();
    for (let n = 1; n <= 3; n++) {
      const peer = await connect();
      peer.send(request(0));
      await peer.receives(ok);
      peer.close();
      await until('noticed', () => delegate.count('close') === n);
    }
    expect(delegate.log).toEqual(
      [1, 2, 3].flatMap((id) => [`connect ${id}`, expect.stringContaining(`/0 ${id}`), `close ${id}`]),
    );
  });

  it('answers 100 pipelined requests in order, one at a time, though each is answered later', async () => {
    let open = 0;
    let mostOpen = 0;
    await listen({}, (server) => ({
      onRequest: async (id, { url }) => {
        mostOpen = Math.max(mostOpen, ++open);
        await delay(Number(url.slice(1)) % 3);
        open--;
        server().send(id, { statusCode: 200, body: url });
      },
    }));
    const peer = await connect();
    peer.send(Array.from({ length: 100 }, (_, n) => request(n)).join(''));
    await peer.receivesTimes(ok, 100);
    await peer.receives('\r\n\r\n/99');
    expect([...peer.text.matchAll(/\r\n\r\n\/(\d+)/g)].map((match) => Number(match[1]))).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
    expect(mostOpen).toBe(1);
  });

  it('hands over what is injected inside a callback when that has returned', async () => {
    let raw = 0;
    const { delegate } = await listen({}, (server) => ({
      onConnect: (id) => {
        server().receive(id, Buffer.from(request(1)));
      },
      onRequest: (id, { url }) => {
        if (url === '/1') {
          server().receive(id, Buffer.from(request(2)));
          while (server().bufferedBytes(id) === 0) server().sendRaw(id, new Uint8Array(200_000));
        } else if (url === '/3') {
          server().setRawInput(id, () => {
            if (raw++ < 3) server().receive(id, new Uint8Array(1));
          });
          server().receive(id, new Uint8Array(1));
        }
        if (url !== '/3') server().send(id, { statusCode: 200 });
      },
      onDrain: (id) => {
        server().receive(id, Buffer.from(request(3)));
      },
    }));
    await connect();
    await until('all', () => raw === 4);
    expect(delegate.log.map((line) => line.replace(/^(GET|OPTIONS) /, ''))).toEqual([
      'connect 1',
      '/1 1',
      '/2 1',
      'drain 1',
      '/3 1',
    ]);
  });

  it('stops reading from a peer that sends requests and does not wait for answers', async () => {
    const answers: (() => void)[] = [];
    const { delegate } = await listen({}, (server) => ({
      onRequest: (id) => {
        answers.push(() => server().send(id, { statusCode: 200 }));
      },
    }));
    const peer = await connect();
    const flood = Buffer.from(request(1).repeat(10_000));
    let sent = 0;
    const more = (): void => {
      while (sent < 200 && peer.socket.write(flood)) sent++;
    };
    peer.socket.on('drain', more);
    more();
    await until('the first', () => delegate.count('GET') + delegate.count('OPTIONS') === 1);
    let before = -1;
    await until('nothing more is taken', () => {
      const isStill = before === peer.socket.bytesWritten - peer.socket.writableLength;
      before = peer.socket.bytesWritten - peer.socket.writableLength;
      return isStill && peer.socket.writableLength > 0;
    });
    // What is not taken waits with the sender and in the kernel, not here.
    expect(process.memoryUsage().heapUsed).toBeLessThan(400_000_000);
    for (let n = 0; n < 50; n++) {
      await until('the next', () => answers.length > n);
      answers[n]!();
    }
    await peer.receivesTimes(ok, 50);
  });

  it('takes requests byte by byte', async () => {
    await listen();
    const peer = await connect();
    peer.socket.setNoDelay(true);
    for (const byte of Buffer.from(request(1) + request(2))) {
      peer.send(Uint8Array.of(byte));
      await delay(1);
    }
    await peer.receivesTimes(ok, 2);
  });

  it('takes a head of 20,000 bytes', async () => {
    await listen();
    const peer = await connect();
    peer.send(request(1).replace('\r\n\r\n', `\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`));
    await peer.receives(ok);
  });

  it('ends a connection with a head of 20,000 bytes when only 16,384 may be', async () => {
    const { server, delegate } = await listen({ maxHeaderSizeBytes: 16_384 });
    const peer = await connect();
    peer.send(request(1).replace('\r\n\r\n', `\r\nX: ${'a'.repeat(20_000)}`));
    await peer.isClosed();
    expect(peer.text).not.toContain(ok);
    expect(delegate.count('close')).toBe(0);
    peer.close();
    await until('gone', () => delegate.count('close') === 1);
    expect(server.counters.malformed).toBe(1);
  });

  it('says nothing and returns false for connections that never were, are closing or are gone', async () => {
    const { server, delegate } = await listen({}, (running) => ({
      onRequest: (id) => {
        const now = running();
        now.close(id);
        gone.push(...everyCall(id));
      },
    }));
    const everyCall = (id: number): unknown[] => [
      server.send(id, { statusCode: 200 }),
      server.sendRaw(id, new Uint8Array(1)),
      server.receive(id, new Uint8Array(1)),
      server.setRawInput(id, () => undefined),
      server.closeAfterFlush(id),
      server.close(id),
      server.isOpen(id),
    ];
    const gone: unknown[] = [];
    const peer = await connect();
    peer.send(request(1));
    await until('closed', () => delegate.count('close') === 1);
    for (const id of [1, 99, -1, Number.NaN]) gone.push(...everyCall(id));
    expect(gone).toEqual(Array.from({ length: 35 }, () => false));
    expect([server.takeSocket(1), server.remote(1), server.local(1), server.bufferedBytes(1)]).toEqual([
      undefined,
      undefined,
      undefined,
      0,
    ]);
  });

  it('throws at who answers what nobody asked', async () => {
    const { server } = await listen();
    const peer = await connect();
    await until('connected', () => server.isOpen(1));
    expect(() => server.send(1, { statusCode: 200 })).toThrow(
      expect.objectContaining({ code: 'delegate/no-open-request' }),
    );
    peer.send(request(1));
    await peer.receives(ok);
  });

  const everywhere: readonly (readonly [where: string, hooks: (act: (id: number) => void) => AnyHooks])[] = [
    ['onConnect', (act) => () => ({ onConnect: act })],
    ['onRequest', (act) => () => ({ onRequest: act })],
    [
      'onRequest, after an answer',
      (act) => (server) => ({
        onRequest: (id) => {
          server().send(id, { statusCode: 200 });
          act(id);
        },
      }),
    ],
    [
      'onDrain',
      (act) => (server) => ({
        onRequest: (id) => {
          while (server().bufferedBytes(id) === 0) server().sendRaw(id, new Uint8Array(200_000));
        },
        onDrain: act,
      }),
    ],
    [
      'a raw input handler',
      (act) => (server) => ({
        onRequest: (id) => {
          server().setRawInput(id, () => act(id));
        },
      }),
    ],
  ];

  it.each(everywhere)('may be told to close in %s', async (_, hooks) => {
    let closedInside: boolean | undefined;
    const { server, delegate } = await listen(
      {},
      hooks((id) => {
        tested.server.close(id);
        tested.server.close(id);
        tested.server.closeAfterFlush(id);
        closedInside = delegate.count('close') > 0;
      }),
    );
    const peer = await connect();
    peer.send(request(1));
    setTimeout(() => peer.send(request(2)), 20);
    await peer.isClosed();
    await until('told', () => delegate.count('close') === 1);
    expect(closedInside).toBe(false);
    expect(server.counters.faults).toBe(0);
    expect(delegate.log.at(-1)).toBe('close 1');
  });

  it.each(everywhere)('goes on without the connection whose delegate throws in %s', async (_, hooks) => {
    const { server, delegate, errors } = await listen(
      {},
      hooks((id) => {
        if (id === 1) throw new RangeError('mine');
      }),
    );
    const peer = await connect();
    peer.send(request(1));
    setTimeout(() => peer.send(request(2)), 20);
    await until('told', () => delegate.count('close') === 1);
    await connect();
    await until('another', () => server.isOpen(2));
    expect(errors).toEqual(['mine (1)']);
    expect(server.counters.faults).toBe(1);
  });

  it('goes on without the connection whose delegate rejects, and after one that throws in onClose', async () => {
    const { delegate, errors } = await listen({}, () => ({
      onRequest: async () => {
        await delay(1);
        throw new RangeError('late');
      },
      onClose: () => {
        throw new RangeError('last');
      },
    }));
    const peer = await connect();
    peer.send(request(1));
    await peer.isClosed();
    await until('told', () => delegate.count('close') === 1);
    expect(errors).toEqual(['late (1)', 'last (1)']);
  });

  it('sends what was written before it closes, also to a peer that goes on sending', async () => {
    await listen({ maxBodySizeBytes: 100 }, (server) => ({
      onRequest: (id) => {
        server().sendRaw(id, Buffer.alloc(300_000, 'x'));
        server().sendRaw(id, Buffer.from('the end'));
        server().closeAfterFlush(id);
      },
    }));
    const peer = await connect();
    peer.send(request(1));
    const more = setInterval(() => peer.send(new Uint8Array(1000)), 1);
    await peer.isClosed();
    clearInterval(more);
    expect(peer.text).toMatch(/x{300000}the end$/);
  });

  it('cuts a peer that does not close its half after the last answer', async () => {
    const { delegate } = await listen({}, (server) => ({
      onRequest: (id) => {
        server().closeAfterFlush(id);
      },
    }));
    const peer = await connect();
    peer.send(request(1));
    await until('gone', () => delegate.count('close') === 1, 3000);
    expect(peer.socket.writableEnded).toBe(false);
  });

  it('gives up a peer that does not read when more waits than the queue may hold', async () => {
    const chunk = new Uint8Array(100_000);
    const { server, delegate } = await listen();
    const peer = await connect();
    peer.socket.pause();
    await until('connected', () => server.isOpen(1));
    let taken = 0;
    let most = 0;
    while (server.sendRaw(1, chunk)) {
      taken++;
      most = Math.max(most, server.bufferedBytes(1));
      if (taken % 10 === 0) await delay(0);
    }
    expect(most).toBeGreaterThan(writeQueueLimit - 2 * chunk.length);
    expect(most).toBeLessThanOrEqual(writeQueueLimit);
    expect(server.isOpen(1)).toBe(false);
    expect(delegate.count('close')).toBe(0);
    await until('told', () => delegate.count('close') === 1);
    expect(server.counters.overflowed).toBe(1);
  });

  it('tells when a queue is empty again', async () => {
    const { server, delegate } = await listen();
    const peer = await connect();
    peer.socket.pause();
    await until('connected', () => server.isOpen(1));
    while (server.bufferedBytes(1) === 0) server.sendRaw(1, new Uint8Array(200_000));
    expect(delegate.count('drain')).toBe(0);
    peer.socket.resume();
    await until('drained', () => delegate.count('drain') === 1);
    expect(server.bufferedBytes(1)).toBe(0);
  });

  it('takes one answer larger than the queue when nothing waits', async () => {
    const size = writeQueueLimit + 1_000_000;
    await listen({}, (server) => ({
      onRequest: (id) => {
        server().send(id, { statusCode: 200, body: new Uint8Array(size) });
      },
    }));
    const peer = await connect();
    let received = 0;
    peer.socket.on('data', (bytes) => {
      received += bytes.length;
    });
    peer.send(request(1));
    await until('all of it', () => received > size);
  });

  it('serves half-closed peers before it closes', async () => {
    const { delegate } = await listen({}, (server) => ({
      onRequest: async (id) => {
        await delay(5);
        server().send(id, { statusCode: 200 });
      },
    }));
    const peer = await connect();
    peer.socket.end(request(1) + request(2));
    await peer.isClosed();
    expect(peer.text.split(ok)).toHaveLength(3);
    await until('told', () => delegate.count('close') === 1);
  });

  it('does not wait long for the answer to a peer that ended its half', async () => {
    const { delegate } = await listen({}, () => ({ onRequest: () => undefined }));
    const peer = await connect();
    peer.send(request(1) + request(2));
    await until('asked', () => delegate.log.length === 2);
    peer.close();
    await until('gone', () => delegate.count('close') === 1, HALF_CLOSED_MS + 2000);
  });

  it('hears that a peer ended, reset, or left in the middle of a request or an answer', async () => {
    const { delegate, server } = await listen({}, (running) => ({
      onRequest: (id, { url }) => {
        if (url === '/1') running().send(id, { statusCode: 200 });
      },
    }));
    const leaving: readonly ((peer: TestPeer) => void)[] = [
      (peer) => peer.close(),
      (peer) => peer.socket.end(),
      (peer) => peer.reset(),
      (peer) => peer.socket.end(request(1).slice(0, 9)),
      (peer) => {
        peer.send(request(2));
        setTimeout(() => peer.reset(), 20);
      },
      (peer) => {
        peer.send(request(1).slice(0, 9));
        setTimeout(() => peer.reset(), 20);
      },
    ];
    for (const [i, leave] of leaving.entries()) {
      const peer = await connect();
      peer.send(request(1));
      await peer.receives(ok);
      leave(peer);
      await until(`way ${i} of leaving is noticed`, () => delegate.count('close') === i + 1);
    }
    expect(server.connectionCount).toBe(0);
  });

  it('survives peers that reset at once', async () => {
    const { delegate } = await listen();
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const peer = await connect();
        peer.send(request(1));
        peer.reset();
      }),
    );
    await until('all are gone', () => delegate.count('connect') === 100 && delegate.count('close') === 100);
    const peer = await connect();
    peer.send(request(1));
    await peer.receives(ok);
  });

  it('cuts who is slow with a request or says nothing at all, but not who waits for an answer', async () => {
    const { server, delegate } = await listen({ headerTimeoutMs: 300, idleTimeoutMs: 0 }, (running) => ({
      onRequest: async (id, { url }) => {
        if (url === '/2') await delay(1000);
        running().send(id, { statusCode: 200 });
      },
    }));
    const silent = await connect();
    const slow = await connect();
    const drip = setInterval(() => slow.send('a'), 20);
    const slowSecond = await connect();
    slowSecond.send(request(1) + request(1).slice(0, 10));
    const waiting = await connect();
    waiting.send(request(1) + request(2));
    const idle = await connect();
    idle.send(request(1));
    await until('three are gone', () => delegate.count('close') === 3, 3000);
    clearInterval(drip);
    expect(server.counters.timedOut).toBe(3);
    await Promise.all([silent, slow, slowSecond].map((peer) => peer.isClosed()));
    await waiting.receivesTimes(ok, 2);
    await idle.receives(ok);
    expect([waiting.closed, idle.closed]).toEqual([false, false]);
  });

  it('cuts who is idle for long, unless something is sent to it', async () => {
    const { server, delegate } = await listen({ idleTimeoutMs: 400 });
    const [idle, fed] = [await connect(), await connect()];
    for (const peer of [idle, fed]) {
      peer.send(request(1));
      await peer.receives(ok);
    }
    const feed = setInterval(() => server.sendRaw(2, new Uint8Array(1)), 50);
    await until('the idle one is gone', () => delegate.count('close') === 1, 3000);
    await delay(300);
    clearInterval(feed);
    expect([server.isOpen(1), server.isOpen(2)]).toEqual([false, true]);
  });

  it('refuses more connections than it may have, and takes others when some have left', async () => {
    const { server, delegate } = await listen({ maxConnections: 2 });
    const [first] = [await connect(), await connect()];
    await until('two', () => server.connectionCount === 2);
    const third = await connect();
    await third.isClosed();
    expect(server.counters.refused).toBe(1);
    first!.close();
    await until('one has left', () => delegate.count('close') === 1);
    const fourth = await connect();
    fourth.send(request(1));
    await fourth.receives(ok);
    expect(delegate.count('connect')).toBe(3);
  });

  it(`keeps ${IDLE_CONNECTIONS} idle connections for little and still answers at once`, async () => {
    const { server } = await listen({ idleTimeoutMs: 0 });
    const before = process.memoryUsage();
    for (let made = 0; made < IDLE_CONNECTIONS; made += 100) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const peer = await connect();
          peer.send(request(1));
          await peer.receives(ok);
        }),
      );
    }
    expect(server.connectionCount).toBe(IDLE_CONNECTIONS);
    const after = process.memoryUsage();
    const perConnection = (after.heapUsed + after.external - before.heapUsed - before.external) / IDLE_CONNECTIONS;
    // Both ends of each connection, and what the garbage collector has not looked at, are in this process.
    expect(perConnection).toBeLessThan(40_000);
    const cpuBefore = process.cpuUsage();
    await delay(1000);
    const cpu = process.cpuUsage(cpuBefore);
    expect((cpu.user + cpu.system) / 1_000_000).toBeLessThan(0.2);
    const startMs = performance.now();
    peers[77]!.send(request(2));
    await peers[77]!.receivesTimes(ok, 2);
    expect(performance.now() - startMs).toBeLessThan(200);
  });

  it.each([
    ['127.0.0.1:0', '127.0.0.1', '127.0.0.1'],
    ['[::1]:0', '::1', '::1'],
    ['0', '127.0.0.1', '127.0.0.1'],
    ['0', '::1', '::1'],
  ])('listens on %s and knows both ends as %s', async (address, host, expected) => {
    const { server, delegate } = await listen({ address }, (running) => ({
      onClose: (id) => {
        ends.push(running().remote(id), running().local(id));
      },
    }));
    const ends: unknown[] = [];
    const peer = await connect(host);
    peer.send(request(1));
    await peer.receives(ok);
    const { localPort } = peer.socket;
    expect(server.remote(1)).toEqual({ address: expected, port: localPort });
    expect(server.local(1)).toEqual({ address: expected, port: server.port });
    expect(server.isSecure(1)).toBe(false);
    peer.close();
    await until('told', () => delegate.count('close') === 1);
    expect(ends).toEqual([
      { address: expected, port: localPort },
      { address: expected, port: server.port },
    ]);
  });

  it('numbers the connections of further ports with the others', async () => {
    const { server } = await listen();
    const second = await server.listenAlso('127.0.0.1:0');
    expect(server.ports).toEqual([server.port, second]);
    for (const port of [server.port, second]) {
      const peer = await TestPeer.connect(port);
      peers.push(peer);
      peer.send(request(1));
      await peer.receives(ok);
    }
    expect([server.local(1)?.port, server.local(2)?.port]).toEqual(server.ports);
  });

  it('says why it can’t listen', async () => {
    const { server } = await listen();
    await expect(start({ address: `127.0.0.1:${server.port}` })).rejects.toMatchObject({ code: 'listen/port-taken' });
    await expect(start({ address: 'here' })).rejects.toMatchObject({ code: 'delegate/bad-address' });
    await expect(start({ tls: { cert: 'no', key: 'no' } })).rejects.toMatchObject({ code: 'listen/bad-certificate' });
  });

  it('may be closed twice and in a callback, and takes no connection any more', async () => {
    const { server, delegate } = await listen({}, (running) => ({
      onRequest: () => {
        closing = running().close();
        void running().close();
      },
    }));
    let closing: Promise<void> | undefined;
    const others = [await connect(), await connect()];
    const peer = await connect();
    peer.send(request(1));
    await Promise.all([peer, ...others].map((each) => each.isClosed()));
    await closing;
    expect(delegate.count('close')).toBe(3);
    const late = await TestPeer.connect(server.port);
    expect(late.closed).toBe(true);
  });
});
