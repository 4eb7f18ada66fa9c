import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import { runMillrace } from '../millrace-process.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { RtspPeer } from './rtsp-peer.ts';
import { ScriptedBackEnd } from './scripted-back-end.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function startServer(rtsp: ConfigurationInput['rtsp'] = {}): Promise<string> {
  const server = await LocalServer.start({ rtsp: { register: { enabled: true }, ...rtsp } });
  closers.push(() => server.close());
  return `127.0.0.1:${server.rtspPort}`;
}

describe('millrace register', () => {
  it('has a server pull a stream, and lets it be again', async () => {
    const server = await startServer();
    const backEnd = await ScriptedBackEnd.start();
    closers.push(() => backEnd.close());
    const url = `rtsp://127.0.0.1:${backEnd.port}/x`;
    expect(await runMillrace('register', `rtsp://${server}`, url, 'cam', '--interleaved')).toEqual({
      exitCode: 0,
      stdout: `registered: rtsp://${server}/proxy/cam\n`,
      stderr: '',
    });
    const peer = await RtspPeer.connect(Number(server.split(':')[1]));
    closers.push(() => peer.close());
    expect((await peer.request('DESCRIBE', `rtsp://${server}/proxy/cam`)).statusCode).toBe(404);
    expect(backEnd.described).toEqual(['/x']);
    expect(await runMillrace('register', `rtsp://${server}`, url, 'cam')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'millrace: REGISTER was answered with 451 Parameter Not Understood\n',
    });
    const again = await runMillrace('register', '--deregister', `rtsp://${server}`, url, 'cam');
    expect(again).toEqual({ exitCode: 0, stdout: 'no longer registered\n', stderr: '' });
  });

  it.each([
    ['bob:bob@', 0, /^$/],
    ['bob:b0b@', 1, /^millrace: REGISTER was answered with 401 Unauthorized\n$/],
    ['', 1, /^millrace: REGISTER was answered with 401 Unauthorized\n$/],
    ['anna:anna@', 1, /^millrace: REGISTER was answered with 403 Forbidden\n$/],
  ])('as %j ends with %i', async (credentials, exitCode, stderr) => {
    const users = [
      { name: 'anna', password: 'anna' },
      { name: 'bob', password: 'bob', rights: ['publish'] as const },
    ];
    const server = await startServer({ users });
    const done = await runMillrace('register', `rtsp://${credentials}${server}`, 'rtsp://127.0.0.1/x');
    expect(done.exitCode).toBe(exitCode);
    expect(done.stderr).toMatch(stderr);
  });

  it('tells that nobody is there', async () => {
    const done = await runMillrace('register', 'rtsp://127.0.0.1:9', 'rtsp://127.0.0.1/x');
    expect(done).toEqual({ exitCode: 1, stdout: '', stderr: 'millrace: nothing listens on 127.0.0.1:9\n' });
  });

  it.each([
    [[]],
    [['rtsp://127.0.0.1']],
    [['rtsp://127.0.0.1', 'rtsp://127.0.0.1/x', 'cam', 'more']],
    [['http://127.0.0.1', 'rtsp://127.0.0.1/x']],
    [['rtsp://127.0.0.1', 'rtmp://127.0.0.1/x']],
    [['rtsp://127.0.0.1', 'rtsp://127.0.0.1/a b']],
    [['rtsp://127.0.0.1', 'rtsp://127.0.0.1/x', 'a;b']],
    [['rtsp://127.0.0.1', 'rtsp://127.0.0.1/x', '--timeout', '0']],
  ])('refuses the command line %j', async (args) => {
    const { exitCode, stdout, stderr } = await runMillrace('register', ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^millrace: [^\n]+\n$/);
  });

  it('tells what it is', async () => {
    expect((await runMillrace('register', '--help')).stdout).toMatch(/^millrace register /);
  });
});
