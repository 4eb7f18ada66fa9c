import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Millrace } from '../../../src/app/millrace.ts';
import type { Stream } from '../../../src/media/stream.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import { FilePublisher } from '../../../src/server/file-source/file-publisher.ts';
import { makeSelfSignedCertificate } from '../../peers/self-signed-certificate.ts';
import { testConfiguration } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { CLIP } from '../short-clip.ts';
import { expectCopy } from './copied-frames.ts';

type PushInput = NonNullable<ConfigurationInput['pushes']>[number];

const ORIGIN = { vhost: DEFAULT_VHOST, app: 'live', stream: 'x' };
const COPY = { vhost: DEFAULT_VHOST, app: 'copy', stream: 'x' };
const SLOW_MS = 20_000;

let directory: string;
let certificate: { readonly cert: string; readonly key: string };
let lines: Record<string, unknown>[];
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-srtp-'));
  certificate = await makeSelfSignedCertificate(directory);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

beforeEach(() => {
  lines = [];
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const log = pino(
  { level: 'info' },
  {
    write: (line: string): void => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  },
);

async function startTarget(): Promise<Millrace> {
  const server = await Millrace.start({
    configuration: testConfiguration({ latency: 'realtime', rtsps: { listen: '127.0.0.1:0', ...certificate } }),
    log,
  });
  closers.push(() => server.close());
  return server;
}

/** A server that pushes `live/x`, a clip. */
async function startOrigin(push: Omit<PushInput, 'stream'>): Promise<Millrace> {
  const pushes = [{ stream: 'live/x', insecure: true, srtp: true, ...push }];
  const server = await Millrace.start({ configuration: testConfiguration({ latency: 'realtime', pushes }), log });
  closers.push(() => server.close());
  const publisher = new FilePublisher({ hub: server.hub, log, name: ORIGIN, path: CLIP });
  closers.push(() => publisher.close());
  return server;
}

describe('a stream pushed as SRTP', () => {
  it.each(['tcp', 'udp'] as const)('has the frames of its origin, by %s', { timeout: SLOW_MS }, async (transport) => {
    const target = await startTarget();
    const origin = await startOrigin({ url: `rtsps://127.0.0.1:${target.ports.rtsps[0]}/copy/x`, transport });
    const copy = (): Stream | undefined => target.hub.get(COPY);
    await expectCopy(copy, () => origin.hub.get(ORIGIN));
    await origin.close();
    // Counted only of what came as SRTP.
    await until('the publication ended', () => lines.some((line) => 'srtp' in line));
    expect(lines.find((line) => 'srtp' in line)!['srtp']).toEqual({
      malformed: 0,
      replayed: 0,
      unauthentic: 0,
      overLimit: 0,
    });
  });

  it('does not tell its key where others can read it: not by settings', async () => {
    const pushes = [{ stream: 'live/x', url: 'rtsp://127.0.0.1:1/copy/x', srtp: true }];
    await expect(Millrace.start({ configuration: testConfiguration({ pushes }), log })).rejects.toThrow(
      /pushes.*srtp.*rtsps/s,
    );
  });

  it('does not tell its key where others can read it: not behind a redirect', async () => {
    let connections = 0;
    const open = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    open.listen(0, '127.0.0.1');
    await once(open, 'listening');
    closers.push(() => open.close());
    const location = `rtsp://127.0.0.1:${(open.address() as AddressInfo).port}/copy/x`;
    const [cert, key] = await Promise.all([readFile(certificate.cert), readFile(certificate.key)]);
    const secure = createTlsServer({ cert, key }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes) => {
        const sequence = /^CSeq: *(\d+)/im.exec(bytes.toString('latin1'))?.[1];
        if (sequence !== undefined) {
          socket.write(`RTSP/1.0 302 Found\r\nCSeq: ${sequence}\r\nLocation: ${location}\r\n\r\n`);
        }
      });
    });
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    closers.push(() => secure.close());
    await startOrigin({ url: `rtsps://127.0.0.1:${(secure.address() as AddressInfo).port}/copy/x` });
    await until('given up', () => lines.some(({ code }) => code === 'push/key-in-clear'));
    expect(connections).toBe(0);
  });
});
