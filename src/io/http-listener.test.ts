import { once } from 'node:events';
import { request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CLOSE_GRACE_MS, type HttpInterceptor, HttpListener, type HttpListenerOptions } from './http-listener.ts';

/** Takes nothing, but looks at every connection first. */
const NOSY: HttpInterceptor = { mayWant: () => true, wants: () => false, take: () => undefined };

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

function listen(given: Partial<HttpListenerOptions>): Promise<HttpListener> {
  return HttpListener.listen({
    address: { host: '127.0.0.1', port: 0 },
    noDelay: true,
    maxConnections: 10,
    headersTimeoutMs: 10_000,
    onRequest: (_, response) => response.end('whole'),
    onUpgrade: (_, socket) => socket.destroy(),
    ...given,
  });
}

async function open(port: number, text: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

async function closingMs(listener: HttpListener): Promise<number> {
  const startMs = performance.now();
  await listener.close();
  return performance.now() - startMs;
}

describe('closing an HTTP port', () => {
  it.each([
    ['a silent connection', '', undefined],
    ['a silent connection somebody looks at', '', NOSY],
    ['half a request', 'GET / HT', undefined],
    ['half a request somebody looks at', 'GET / HT', NOSY],
  ])('does not wait for %s', async (_, text, interceptor) => {
    const listener = await listen({ interceptor });
    await open(listener.port, text);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await closingMs(listener)).toBeLessThan(500);
  });

  it('does not wait for a connection whose request was answered', async () => {
    const listener = await listen({});
    const socket = await open(listener.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    expect(await closingMs(listener)).toBeLessThan(500);
  });

  it.each([
    ['', undefined],
    [' somebody looked at', NOSY],
  ])('lets an answer end on a connection%s', async (_, interceptor) => {
    const answers: ServerResponse[] = [];
    const listener = await listen({
      interceptor,
      onRequest: (_request, response) => {
        response.write('first');
        answers.push(response);
      },
    });
    const asked = request({ port: listener.port, host: '127.0.0.1' });
    asked.end();
    const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
    const closing = closingMs(listener);
    setTimeout(() => answers[0]!.end(' last'), 200);
    let text = '';
    for await (const chunk of response) text += String(chunk);
    expect(text).toBe('first last');
    expect(await closing).toBeLessThan(1_000);
  });

  it('cuts an answer that does not end', async () => {
    const listener = await listen({ onRequest: (_request, response) => response.write('first') });
    const socket = await open(listener.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    const tookMs = await closingMs(listener);
    expect(tookMs).toBeGreaterThan(CLOSE_GRACE_MS - 100);
    expect(tookMs).toBeLessThan(CLOSE_GRACE_MS + 1_000);
  });
});
