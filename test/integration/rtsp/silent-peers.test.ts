import pino from 'pino';
import { describe, it } from 'vitest';
import { Millrace } from '../../../src/app/millrace.ts';
import { LocalServer, type TestConfiguration, testConfiguration } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer } from './rtsp-peer.ts';
import { startScriptedRtspServer } from './scripted-rtsp-server.ts';

const SLOW_MS = 40_000;
const MUTE_SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\n';

interface LoggedServer {
  readonly millrace: Millrace;
  /** Whether a line with these fields was logged. */
  readonly isLogged: (fields: Record<string, unknown>) => boolean;
}

async function startLogged(given: TestConfiguration): Promise<LoggedServer> {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const millrace = await Millrace.start({
    configuration: testConfiguration({ latency: 'realtime', ...given }),
    log: pino({ level: 'debug' }, { write }),
  });
  return {
    millrace,
    isLogged: (fields) => lines.some((line) => Object.entries(fields).every(([name, value]) => line[name] === value)),
  };
}

/** Answers SETUP with the transport asked for. */
function setUpAnswer(request: string, session: string, more = ''): readonly [string] {
  const transport = /^Transport: *(.*)$/im.exec(request)![1]!.trim();
  return [`200 OK\r\nSession: ${session}\r\nTransport: ${transport}${more}`];
}

// Each waits many seconds for something else: so they wait together.
describe.concurrent('of peers that fall silent', () => {
  it('a source that sends no packet is given up and asked again', { timeout: SLOW_MS }, async ({
    expect,
    onTestFinished,
  }) => {
    let plays = 0;
    const camera = await startScriptedRtspServer((method, request) => {
      if (method === 'PLAY') plays++;
      if (method === 'SETUP') return setUpAnswer(request, '12345678');
      return method === 'DESCRIBE' ? ['200 OK\r\nContent-Type: application/sdp', MUTE_SDP] : ['200 OK'];
    });
    onTestFinished(() => camera.close());
    const url = `rtsp://127.0.0.1:${camera.port}/x`;
    const { millrace, isLogged } = await startLogged({ sources: [{ name: 'copy/cam', url, transport: 'tcp' }] });
    onTestFinished(() => millrace.close());
    await until('a second attempt', () => plays >= 2, SLOW_MS);
    expect(isLogged({ msg: 'pulling' })).toBe(false);
    expect(isLogged({ code: 'pull/silent' })).toBe(true);
  });

  it('a server that is pushed to is left', { timeout: SLOW_MS }, async ({ onTestFinished }) => {
    const target = await startScriptedRtspServer((method, request) =>
      method === 'SETUP' ? setUpAnswer(request, '12345678;timeout=1', ';server_port=9000-9001') : ['200 OK'],
    );
    onTestFinished(() => target.close());
    const push = { stream: 'live/x', url: `rtsp://127.0.0.1:${target.port}/copy/x`, transport: 'udp' } as const;
    const { millrace, isLogged } = await startLogged({ pushes: [push] });
    onTestFinished(() => millrace.close());
    const stream = new LiveStream({ millrace } as LocalServer, 'live/x');
    onTestFinished(() => stream.end());
    stream.run();
    await until('pushing', () => isLogged({ msg: 'pushing' }));
    // Not a word from here on, but the connection stands.
    target.sockets.at(-1)!.removeAllListeners('data');
    await until('left', () => isLogged({ code: 'push/silent' }), SLOW_MS);
  });

  it('one that registered is left after ten seconds, and viewers of it', { timeout: SLOW_MS }, async ({
    expect,
    onTestFinished,
  }) => {
    const proxy = await LocalServer.start({ latency: 'realtime', rtsp: { register: { enabled: true } } });
    onTestFinished(() => proxy.close());
    const peer = await RtspPeer.connect(proxy.rtspPort);
    onTestFinished(() => peer.close());
    await peer.request('REGISTER', 'rtsp://10.0.0.1/x', { Transport: 'reuse_connection; proxy_url_suffix=cam' });
    const watching = fetch(`http://127.0.0.1:${proxy.httpPort}/proxy/cam.flv`);
    await peer.until(() => peer.oddities.includes('request'), 'it was asked');
    expect((await watching).status).toBe(404);
  });
});
