import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import * as mediasoup from '../../../src/mediasoup/index.ts';
import type { Worker } from '../../../src/mediasoup/types.ts';
import { audio, codecs, sendAudio } from './media-kit.ts';

const { enhancedOnce } = mediasoup.extras;
const folder = mkdtempSync(join(tmpdir(), 'millrace-worker-'));
const workers: Worker[] = [];

afterEach(async () => {
  mediasoup.setLogEventListeners();
  await Promise.all(
    workers.splice(0).map(async (worker) => {
      worker.close();
      if (!worker.subprocessClosed) await enhancedOnce(worker, 'subprocessclose');
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(options: Parameters<typeof mediasoup.createWorker>[0] = {}): Promise<Worker> {
  const worker = await mediasoup.createWorker(options);
  workers.push(worker);
  return worker;
}

let scripts = 0;
function scriptOf(text: string): string {
  const path = join(folder, `worker-${scripts++}.cjs`);
  writeFileSync(path, text);
  return path;
}

/** A worker of few words: what it says on its pipes, as it is said there. */
const talking = (onRequest: string): string => `
  const fs = require('node:fs');
  const net = require('node:net');
  const out = new net.Socket({ fd: 4 });
  const say = (text) => out.write(Buffer.byteLength(text) + ':' + text + ',');
  let rest = '';
  new net.Socket({ fd: 3 }).on('data', (bytes) => {
    rest += bytes.toString();
    for (let colon; (colon = rest.indexOf(':')) > 0 && rest.length > colon + 1 + Number(rest.slice(0, colon)); ) {
      const end = colon + 1 + Number(rest.slice(0, colon));
      const text = rest.slice(colon + 1, end);
      const request = JSON.parse(text);
      rest = rest.slice(end + 1);
      ${onRequest}
    }
  });
  process.on('SIGTERM', () => process.exit(0));
  say(JSON.stringify({ targetId: process.pid, event: 'running' }));
`;

describe('a worker that ends before it runs', () => {
  it.each([
    [42, TypeError, 'wrong settings'],
    [1, Error, 'worker process failed [pid:'],
    [0, Error, 'worker process failed [pid:'],
  ])('with code %d rejects', async (code, kind, message) => {
    const workerBin = scriptOf(`process.exit(${code})`);
    const starting = start({ workerBin });
    await expect(starting).rejects.toBeInstanceOf(kind);
    await expect(starting).rejects.toThrow(message);
    await expect(starting).rejects.not.toBeInstanceOf(kind === Error ? TypeError : RangeError);
  });

  it('does so by itself where nobody has set its variable, and with wrong arguments', () => {
    const run = (args: string[], env: Record<string, string>): ReturnType<typeof spawnSync> => {
      const { MEDIASOUP_VERSION: _, ...others } = process.env;
      return spawnSync(process.execPath, [mediasoup.workerBin, ...args], {
        encoding: 'utf8',
        env: { ...others, ...env },
      });
    };
    const alone = run([], {});
    expect(alone.status).toBe(41);
    expect(alone.stderr).toContain('not by hand');
    expect(run(['--logLevel=chicken'], { MEDIASOUP_VERSION: mediasoup.version }).status).toBe(42);
  });
});

describe('the channel of a worker', () => {
  it('has requests and answers as netstrings of JSON', async () => {
    const workerBin = scriptOf(talking('say(JSON.stringify({ id: request.id, accepted: true, data: { text } }));'));
    const worker = await start({ workerBin, logLevel: 'warn' });
    expect(await worker.dump()).toEqual({ text: '{"id":1,"method":"worker.dump"}' });
    const { text } = (await worker.getResourceUsage()) as unknown as { text: string };
    expect(JSON.parse(text)).toEqual({ id: 2, method: 'worker.getResourceUsage' });
    const router = await worker.createRouter();
    const { text: third } = (await router.dump()) as unknown as { text: string };
    expect(JSON.parse(third)).toEqual({ id: 4, method: 'router.dump', internal: { routerId: router.id } });
  });

  it.each([
    ['TypeError', TypeError],
    ['UnsupportedError', mediasoup.errors.UnsupportedError],
    ['NotFoundError', mediasoup.errors.NotFoundError],
    ['Error', Error],
  ])('brings back a %s with its reason', async (error, kind) => {
    const answer = `{ id: request.id, error: '${error}', reason: 'because' }`;
    const worker = await start({ workerBin: scriptOf(talking(`say(JSON.stringify(${answer}));`)) });
    const asking = worker.dump();
    await expect(asking).rejects.toBeInstanceOf(kind);
    await expect(asking).rejects.toThrow('because [method:worker.dump]');
  });

  it('goes on after garbage, answers to nobody and lines to be logged', async () => {
    const lines: string[] = [];
    mediasoup.setLogEventListeners({
      ondebug: (namespace, log) => lines.push(`debug ${namespace} ${log}`),
      onwarn: (namespace, log) => lines.push(`warn ${namespace} ${log}`),
      onerror: (namespace, log) => lines.push(`error ${namespace} ${log}`),
    });
    const words = `
      for (const line of ['Ddetail', 'Wcareful', 'Ebroken', 'what?']) say(line);
      say(JSON.stringify({ id: 77, accepted: true }));
      out.write('garbage');
      setTimeout(() => say(JSON.stringify({ id: request.id, accepted: true, data: 'still there' })), 100);
    `;
    const worker = await start({ workerBin: scriptOf(talking(words)) });
    expect(await worker.dump()).toBe('still there');
    const { pid } = worker;
    expect(lines).toEqual(
      expect.arrayContaining([
        `debug mediasoup:Worker [pid:${pid}] detail`,
        `warn mediasoup:Worker [pid:${pid}] careful`,
        `error mediasoup:Worker [pid:${pid}] broken`,
        'error mediasoup:Channel unexpected data: what?',
        'error mediasoup:Channel an answer to no request came [id:77]',
      ]),
    );
    expect(lines.filter((line) => line.startsWith('error mediasoup:Channel'))).toHaveLength(3);
  });

  it('forwards what the process writes', async () => {
    const lines: string[] = [];
    mediasoup.setLogEventListeners({
      ondebug: (_, log) => lines.push(log),
      onerror: (_, log) => lines.push(log),
    });
    const talk = talking(
      "console.log('hello'); console.error('oh no'); setTimeout(() => say(JSON.stringify({ id: request.id, accepted: true })), 100);",
    );
    await (await start({ workerBin: scriptOf(talk) })).dump();
    expect(lines).toEqual(expect.arrayContaining(['(stdout) hello', '(stderr) oh no']));
  });
});

describe('log lines of a worker', () => {
  it.each([
    ['none below the level', { logLevel: 'warn', logTags: ['info', 'score'] }, []],
    ['those of the tags that are wanted', { logLevel: 'debug', logTags: ['score'] }, ['score']],
    ['others as well', { logLevel: 'debug', logTags: ['info', 'dtls'] }, ['info']],
  ] as const)('are %s', async (_, { logLevel, logTags }, expected) => {
    const tags = new Set<string>();
    mediasoup.setLogEventListeners({
      ondebug: (namespace, log) => {
        if (namespace !== 'mediasoup:Worker') return;
        if (log.includes('router.createDirectTransport')) tags.add('info');
        if (log.includes(' score: [')) tags.add('score');
      },
    });
    const worker = await start({ inProcess: true, logLevel: 'none' });
    await worker.updateSettings({ logLevel, logTags: [...logTags] });
    const router = await worker.createRouter({ mediaCodecs: [...codecs] });
    const producer = await (await router.createDirectTransport()).produce(audio);
    const scored = enhancedOnce(producer, 'score');
    sendAudio(producer, 1);
    await scored;
    expect([...tags]).toEqual(expected);
  });
});
