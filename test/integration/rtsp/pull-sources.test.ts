import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Millrace } from '../../../src/app/millrace.ts';
import { joinLengthPrefixed } from '../../../src/codec/nal-unit.ts';
import type { Track } from '../../../src/codec/track.ts';
import { DEFAULT_VHOST } from '../../../src/media/stream-name.ts';
import type { ConfigurationInput } from '../../../src/server/config/configuration.ts';
import { makeSelfSignedCertificate } from '../../peers/self-signed-certificate.ts';
import { LocalServer, type TestConfiguration, testConfiguration } from '../robustness/local-server.ts';
import { RtmpPeer } from '../robustness/rtmp-peer.ts';
import { until } from '../robustness/until.ts';
import { h264Track, LiveStream, PCMU_TRACK } from './live-stream.ts';

type SourceInput = NonNullable<ConfigurationInput['sources']>[number];

const COPY = { vhost: DEFAULT_VHOST, app: 'copy', stream: 'cam' };
const SLOW_MS = 40_000;

let closers: (() => unknown)[];
let lines: Record<string, unknown>[];

beforeEach(() => {
  closers = [];
  lines = [];
});

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});

/** A server with `live/x`. */
async function startOrigin(given: TestConfiguration = {}): Promise<LocalServer> {
  const server = await LocalServer.start({ latency: 'realtime', ...given });
  closers.push(() => server.close());
  const stream = new LiveStream(server, 'live/x');
  stream.run();
  closers.push(() => stream.end());
  return server;
}

/** A server that pulls `url` as `copy/cam`; its log lines come to `lines`. */
async function startPull(
  url: string,
  source: Partial<SourceInput> = {},
  given: TestConfiguration = {},
): Promise<Millrace> {
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const server = await Millrace.start({
    configuration: testConfiguration({
      latency: 'realtime',
      ...given,
      sources: [{ name: 'copy/cam', url, ...source }],
    }),
    log: pino({ level: 'debug' }, { write }),
  });
  closers.push(() => server.close());
  return server;
}

function isLive(server: Millrace): boolean {
  return server.hub.get(COPY)?.state === 'live';
}

describe('the tracks of a source', () => {
  it.each(['tcp', 'udp'] as const)('have the distance its first reports tell, by %s', async (transport) => {
    const origin = await LocalServer.start({ latency: 'realtime' });
    closers.push(() => origin.close());
    const [video, audio] = [h264Track(), PCMU_TRACK];
    const info = { id: 'test', protocol: 'rtmp', remote: 'test' } as const;
    const publication = origin.millrace.hub
      .getOrCreate({ vhost: DEFAULT_VHOST, app: 'live', stream: 'x' })
      .publish(info, () => undefined);
    publication.track(video);
    publication.track(audio);
    // Sound comes by 200 ms too early: only reports can tell.
    for (let atUs = 0; atUs < 1_000_000; atUs += 40_000) {
      const picture = joinLengthPrefixed([Uint8Array.of(atUs === 0 ? 0x65 : 0x41, 0x80, 0, 0)], 4);
      publication.frame({ track: video, dtsUs: atUs, ptsUs: atUs, isKeyFrame: atUs === 0, payload: picture });
      const soundUs = atUs + 200_000;
      const payload = new Uint8Array(320);
      publication.frame({ track: audio, dtsUs: soundUs, ptsUs: soundUs, isKeyFrame: true, payload });
    }
    const server = await startPull(`rtsp://127.0.0.1:${origin.rtspPort}/live/x`, { transport });
    await until('live', () => (server.hub.get(COPY)?.log.head ?? 0) === 50);
    const { log } = server.hub.get(COPY)!;
    const frames = Array.from({ length: 50 }, (_, i) => log.at(i)!);
    const firstUs = (kind: Track['kind']): number => frames.find((frame) => frame.track.kind === kind)!.dtsUs;
    expect((firstUs('audio') - firstUs('video')) / 1000).toBeCloseTo(200, 0);
  });
});

describe('a source behind rtsps://', () => {
  async function startSecure(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'rtsps-pull-'));
    closers.push(() => rm(folder, { recursive: true }));
    const { cert, key } = await makeSelfSignedCertificate(folder);
    const origin = await startOrigin({ rtsps: { listen: '127.0.0.1:0', cert, key } });
    return `rtsps://127.0.0.1:${origin.millrace.ports.rtsps[0]}/live/x`;
  }

  it.each(['tcp', 'udp'] as const)('is pulled by %s where its certificate needs no proof', async (transport) => {
    const server = await startPull(await startSecure(), { insecure: true, transport });
    await until('live', () => isLive(server));
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'pulling', transport }));
  });

  it('is not pulled with a certificate nobody signed', async () => {
    const server = await startPull(await startSecure());
    await until('refused', () => lines.some(({ reason }) => /certificate/.test(String(reason))));
    expect(isLive(server)).toBe(false);
  });
});

describe('a source on demand', () => {
  it('starts for an RTMP player, and stops after it', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    const url = `rtsp://127.0.0.1:${origin.rtspPort}/live/x`;
    const server = await startPull(url, { on_demand: true, linger: 0.5 });
    expect(server.hub.get(COPY)).toBeUndefined();
    const player = new RtmpPeer({ mode: 'play', port: server.ports.rtmp[0]!, path: 'copy/cam' });
    closers.push(() => player.vanish());
    await until('it gets media', () => player.messages > 20);
    expect(isLive(server)).toBe(true);
    player.leave();
    await until('stopped', () => !isLive(server));
  });

  it('starts for an HTTP-FLV viewer, and stops after it', { timeout: SLOW_MS }, async () => {
    const origin = await startOrigin();
    const url = `rtsp://127.0.0.1:${origin.rtspPort}/live/x`;
    const server = await startPull(url, { on_demand: true, linger: 0.5 });
    const request = get(`http://127.0.0.1:${server.ports.http[0]}/copy/cam.flv`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let sizeBytes = 0;
    response.on('error', () => request.destroy());
    response.on('data', (bytes: Uint8Array) => {
      sizeBytes += bytes.length;
    });
    expect(response.statusCode).toBe(200);
    await until('it gets media', () => sizeBytes > 5000);
    request.destroy();
    await until('stopped', () => !isLive(server));
  });
});

describe('a server that sends nothing', () => {
  const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\n';

  /** Answers everything, and sends so many packets of G.711 in each connection, 20 ms apart. */
  async function startMute(packets: number): Promise<{ readonly url: string; readonly plays: () => number }> {
    let plays = 0;
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes) => {
        for (const request of bytes.toString('latin1').split('\r\n\r\n')) {
          const sequence = /^CSeq: *(\d+)/im.exec(request)?.[1];
          if (sequence === undefined) continue;
          const method = request.split(' ')[0];
          const transport = /^Transport: *(.*)$/im.exec(request)?.[1]?.trim();
          const body = method === 'DESCRIBE' ? sdp : '';
          const headers = [
            `CSeq: ${sequence}`,
            ...(transport === undefined ? [] : [`Transport: ${transport}`, 'Session: 12345678']),
            ...(body === '' ? [] : ['Content-Type: application/sdp']),
            `Content-Length: ${body.length}`,
          ];
          socket.write(`RTSP/1.0 200 OK\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
          if (method === 'PLAY') {
            plays++;
            send(socket);
          }
        }
      });
    });
    const send = (socket: { write(bytes: Uint8Array): unknown }): void => {
      let sent = 0;
      const timer = setInterval(() => {
        if (sent++ >= packets) {
          clearInterval(timer);
          return;
        }
        const packet = Buffer.alloc(4 + 12 + 160);
        packet.set([0x24, 0, 0, 172, 0x80, 0]);
        packet.writeUInt16BE(sent, 6);
        packet.writeUInt32BE(sent * 160, 8);
        socket.write(packet);
      }, 20);
      closers.push(() => clearInterval(timer));
    };
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    return { url: `rtsp://127.0.0.1:${port}/x`, plays: () => plays };
  }

  it('any more is given up and asked again', { timeout: SLOW_MS }, async () => {
    const { url, plays } = await startMute(25);
    const server = await startPull(url, { transport: 'tcp' }, { publish: { normal_timeout: 1000 } });
    await until('live', () => isLive(server));
    await until('a second attempt', () => plays() >= 2, 30_000);
    await until('live again', () => isLive(server));
  });
});
