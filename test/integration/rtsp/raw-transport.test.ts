import { mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeSelfSignedCertificate } from '../../peers/self-signed-certificate.ts';
import { makeWithFfmpeg, ScratchFolder } from '../ffmpeg-files.ts';
import { LocalServer } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { LiveStream } from './live-stream.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { UdpPeer } from './udp-peer.ts';

const PROFILES = ['RAW/RAW/UDP', 'MP2T/H2221/UDP'] as const;
const TS_PACKET_BYTES = 188;
const RTP_HEADER_BYTES = 12;

const scratch = new ScratchFolder();
const media = scratch.file('media');
let directory: string;
let certificate: { readonly cert: string; readonly key: string };
let server: LocalServer;
let base: string;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-raw-'));
  certificate = await makeSelfSignedCertificate(directory);
  mkdirSync(media);
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=4'];
  makeWithFfmpeg(join(media, 'clip.ts'), [...picture, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-f', 'mpegts']);
  makeWithFfmpeg(join(media, 'clip.mp4'), ['-i', join(media, 'clip.ts'), '-c', 'copy']);
});

afterAll(async () => {
  scratch.remove();
  await rm(directory, { recursive: true });
});

beforeEach(async () => {
  server = await LocalServer.start({
    latency: 'realtime',
    rtsp: { files: media, multicast: true },
    rtsps: { listen: '127.0.0.1:0', ...certificate },
  });
  closers.push(() => server.close());
  base = `rtsp://127.0.0.1:${server.rtspPort}`;
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function connect(): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.rtspPort);
  closers.push(() => peer.close());
  return peer;
}

async function openUdp(): Promise<UdpPeer> {
  const udp = await UdpPeer.open();
  closers.push(() => udp.close());
  return udp;
}

function startLive(): LiveStream {
  const stream = new LiveStream(server, 'live/x');
  closers.push(() => stream.end());
  stream.push(30);
  return stream;
}

function expectTransportPackets(datagrams: readonly Uint8Array[]): void {
  for (const datagram of datagrams) {
    expect(datagram.length % TS_PACKET_BYTES).toBe(0);
    expect(datagram.length).toBeLessThanOrEqual(7 * TS_PACKET_BYTES);
    for (let at = 0; at < datagram.length; at += TS_PACKET_BYTES) expect(datagram[at]).toBe(0x47);
  }
}

describe.each(PROFILES)('over %s', (profile) => {
  it('a live stream has the transport packets of RTP, and nothing else', async () => {
    const stream = startLive();
    const url = `${base}/live/x.ts`;
    const [peer, rtp, udp] = [await connect(), await connect(), await openUdp()];
    const Transport = `${profile};unicast;client_port=${udp.port}-${udp.port + 1}`;
    const setUp = await peer.request('SETUP', `${url}/track1`, { Transport });
    expect(setUp.statusCode).toBe(200);
    const ports = `client_port=${udp.port}-${udp.port + 1};server_port=\\d+-\\d+`;
    expect(setUp.headers.get('Transport')).toMatch(new RegExp(`^${profile};unicast;source=127\\.0\\.0\\.1;${ports}$`));
    const beside = await rtp.request('SETUP', url, { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' });
    const played = await peer.request('PLAY', url, { Session: sessionOf(setUp) });
    expect(played.statusCode).toBe(200);
    expect(played.headers.get('RTP-Info')).toBeUndefined();
    await rtp.request('PLAY', url, { Session: sessionOf(beside) });
    stream.push(50, 5000);
    const payloads = (): string =>
      Buffer.concat(rtp.on(0).map((packet) => packet.subarray(RTP_HEADER_BYTES))).toString('hex');
    const received = (): string => Buffer.concat(udp.rtp).toString('hex');
    await rtp.until(() => payloads().length > 50 * 5000, 'the stream came by RTP');
    await until('the same came without', () => received().length >= payloads().length);
    expectTransportPackets(udp.rtp);
    expect(received()).toBe(payloads());
    stream.end();
    await rtp.until(() => rtp.on(1).length >= 2, 'RTP said goodbye');
    expect(udp.rtcp).toEqual([]);
  });

  it('a file comes as it is', async () => {
    const [peer, udp] = [await connect(), await openUdp()];
    const url = `${base}/clip.ts`;
    const setUp = await peer.request('SETUP', url, { Transport: `${profile};unicast;client_port=${udp.port}` });
    expect(setUp.headers.get('Transport')).toMatch(new RegExp(`^${profile};unicast;`));
    await peer.request('PLAY', url, { Session: sessionOf(setUp), Speed: '8' });
    const file = readFileSync(join(media, 'clip.ts'));
    const received = (): Buffer => Buffer.concat(udp.rtp);
    await until('all of it came', () => received().length >= file.length);
    expect(received().equals(file)).toBe(true);
    expectTransportPackets(udp.rtp);
    expect(udp.rtcp).toEqual([]);
  });

  it.each([
    ['the tracks of a live stream', '/live/x/track1', 'unicast;client_port=5000-5001'],
    ['a file that is no transport stream', '/clip.mp4/track1', 'unicast;client_port=5000-5001'],
    ['TCP', '/live/x.ts', 'unicast;interleaved=0-1'],
    ['multicast', '/live/x.ts', 'multicast'],
    ['no ports', '/live/x.ts', 'unicast'],
  ])('there is nothing for %s: 461', async (what, path, parameters) => {
    startLive();
    const peer = await connect();
    const specifier = what === 'TCP' ? profile.replace('UDP', 'TCP') : profile;
    const answered = await peer.request('SETUP', `${base}${path}`, { Transport: `${specifier};${parameters}` });
    expect(answered.statusCode).toBe(461);
  });

  it('SRTP is not left out: 461', async () => {
    startLive();
    const peer = await RtspPeer.connect(server.millrace.ports.rtsps[0]!, { secure: true });
    closers.push(() => peer.close());
    const url = `rtsps://127.0.0.1:${server.millrace.ports.rtsps[0]}/live/x.ts?srtp`;
    const Transport = `${profile};unicast;client_port=5000-5001`;
    expect((await peer.request('SETUP', url, { Transport })).statusCode).toBe(461);
  });

  it('nothing is recorded: 461', async () => {
    const peer = await connect();
    const sdp = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:a\r\n';
    const announced = await peer.request('ANNOUNCE', `${base}/live/y`, { 'Content-Type': 'application/sdp' }, sdp);
    const headers = {
      Session: sessionOf(announced),
      Transport: `${profile};unicast;client_port=5000-5001;mode=record`,
    };
    expect((await peer.request('SETUP', `${base}/live/y/a`, headers)).statusCode).toBe(461);
  });

  it('is taken when it is the first alternative that can be had', async () => {
    startLive();
    const peer = await connect();
    const udp = await openUdp();
    const Transport = `${profile.replace('UDP', 'TCP')};unicast;interleaved=0-1,${profile};unicast;client_port=${udp.port}`;
    const answered = await peer.request('SETUP', `${base}/live/x.ts`, { Transport });
    expect(answered.headers.get('Transport')).toMatch(new RegExp(`^${profile};unicast;`));
  });
});

describe('Scale and Speed', () => {
  it.each(['Scale', 'Speed'])('%s on RECORD is refused with 456', async (header) => {
    const peer = await connect();
    const url = `${base}/live/y`;
    const sdp = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\n';
    const announced = await peer.request('ANNOUNCE', url, { 'Content-Type': 'application/sdp' }, sdp);
    const session = { Session: sessionOf(announced) };
    await peer.request('SETUP', `${url}/a`, {
      ...session,
      Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1;mode=record',
    });
    expect((await peer.request('RECORD', url, { ...session, [header]: '1' })).statusCode).toBe(456);
    expect((await peer.request('RECORD', url, session)).statusCode).toBe(200);
  });
});
