import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UdpSocket } from '../../../src/io/udp-socket.ts';
import { freePortPair } from '../../peers/free-ports.ts';
import { LocalServer, type TestConfiguration } from '../robustness/local-server.ts';
import { until } from '../robustness/until.ts';
import { LiveStream } from './live-stream.ts';
import { expectConsecutive } from './rtp-order.ts';
import { RtspPeer, sessionOf } from './rtsp-peer.ts';
import { rtcpTypes, UdpPeer } from './udp-peer.ts';

const SR = 200;
const SDES = 202;
const BYE = 203;
/** An RTP header without payload. */
const HOLE_PUNCH = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

let server: LocalServer;
let base: string;
const closers: (() => unknown)[] = [];

async function start(configuration: TestConfiguration = {}): Promise<void> {
  server = await LocalServer.start({ latency: 'realtime', ...configuration });
  base = `rtsp://127.0.0.1:${server.rtspPort}`;
  closers.push(() => server.close());
}

async function connect(): Promise<RtspPeer> {
  const peer = await RtspPeer.connect(server.rtspPort);
  closers.push(() => peer.close());
  return peer;
}

async function udpPeer(): Promise<UdpPeer> {
  const peer = await UdpPeer.open();
  closers.push(() => peer.close());
  return peer;
}

function publish(): LiveStream {
  const stream = new LiveStream(server, 'live/x');
  closers.push(() => stream.end());
  return stream;
}

function counters() {
  return server.millrace.counters.rtsp!;
}

beforeEach(() => {
  closers.length = 0;
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe('a live stream over UDP', () => {
  async function playUdp(
    peer: RtspPeer,
    udp: UdpPeer,
  ): Promise<{ readonly Session: string; readonly ports: number[] }> {
    const setUp = await peer.request('SETUP', `${base}/live/x/track1`, udp.transport);
    const session = { Session: sessionOf(setUp) };
    const ports = /server_port=(\d+)-(\d+)/.exec(setUp.headers.get('Transport')!)!.slice(1).map(Number);
    expect((await peer.request('PLAY', `${base}/live/x`, session)).statusCode).toBe(200);
    return { ...session, ports };
  }

  it.each([true, false])('comes in order, a large GOP paced (shared pair: %s)', async (udp_shared) => {
    await start({ rtsp: { udp_shared } });
    const stream = publish();
    stream.push(26, 100);
    stream.push(20, 30_000);
    const [peer, udp] = [await connect(), await udpPeer()];
    const { ports } = await playUdp(peer, udp);
    expect([ports[0]! % 2, ports[1]! - ports[0]!]).toEqual([0, 1]);
    await until('the GOP came', () => udp.rtp.length >= 20 * 21);
    stream.push(2, 30_000);
    await until('what followed came', () => udp.rtp.length >= 22 * 21);
    expectConsecutive(udp.rtp);
    expect(udp.rtcp.map(rtcpTypes)).toEqual([[SR, SDES]]);
  });

  it('is not reported of before it has packets, and then by the moment of the first', async () => {
    await start();
    const stream = publish();
    const [peer, udp] = [await connect(), await udpPeer()];
    await playUdp(peer, udp);
    // Sessions are looked after once a second.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(udp.rtcp).toEqual([]);
    stream.push(3);
    await until('the first packet came', () => udp.rtp.length > 0);
    expect(udp.rtcp.map(rtcpTypes)).toEqual([[SR, SDES]]);
    const reported = Buffer.from(udp.rtcp[0]!).readUInt32BE(16);
    expect(reported).toBe(Buffer.from(udp.rtp[0]!).readUInt32BE(4));
  });

  it('is reported of on one and the same clock though it begins with a burst', async () => {
    await start();
    const stream = publish();
    const [peer, udp] = [await connect(), await udpPeer()];
    await playUdp(peer, udp);
    stream.push(1);
    await until('the first packet came', () => udp.rtp.length > 0);
    stream.push(100);
    stream.run();
    await until('a second report came', () => udp.rtcp.length > 1, 10_000);
    const [first, second] = udp.rtcp.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
    const ntpMs = (report: DataView): number => report.getUint32(8) * 1000 + (report.getUint32(12) / 2 ** 32) * 1000;
    const rtpMs = ((second!.getUint32(16) - first!.getUint32(16)) >>> 0) / 90;
    expect(Math.abs(ntpMs(second!) - ntpMs(first!) - rtpMs)).toBeLessThan(10);
  });

  it('has its ports at the address the server listens at, and nowhere else', async () => {
    await start();
    publish().push(30);
    const [peer, udp] = [await connect(), await udpPeer()];
    const { ports } = await playUdp(peer, udp);
    for (const port of ports) {
      const other = await UdpSocket.open({ address: { host: '127.0.0.2', port } });
      closers.push(() => other.close());
    }
  });

  it('outlives its connection, is controlled from another one, and ends in silence with BYE', async () => {
    await start({ rtsp: { timeout: 1 } });
    const stream = publish();
    stream.push(30);
    stream.run();
    const [peer, udp] = [await connect(), await udpPeer()];
    const { Session } = await playUdp(peer, udp);
    peer.close();
    await until('the connection is gone', () => counters().connections === 0);
    const other = await connect();
    expect((await other.request('GET_PARAMETER', `${base}/live/x`, { Session })).statusCode).toBe(200);
    const received = udp.rtp.length;
    await until('packets still come', () => udp.rtp.length > received);
    await until('the session has ended', () => counters().sessions === 0);
    await until('the client was told', () => udp.rtcp.some((bytes) => rtcpTypes(bytes).includes(BYE)));
    expect((await other.request('PLAY', `${base}/live/x`, { Session })).statusCode).toBe(454);
  });

  it.each([
    ['from the port it named', false, true],
    ['from a port a translator gave it', true, true],
    ['from its own pair', false, false],
  ])('stays as long as reports come %s', async (_, isTranslated, udp_shared) => {
    await start({ rtsp: { timeout: 1, udp_shared } });
    publish().run();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [peer, udp] = [await connect(), await udpPeer()];
    const { ports } = await playUdp(peer, udp);
    const translator = await UdpSocket.open({ address: { host: '127.0.0.1', port: 0 } });
    closers.push(() => translator.close());
    for (let i = 0; i < 12; i++) {
      udp.report(ports[1]!, isTranslated ? translator : undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(counters().sessions).toBe(1);
    await until('the session has ended', () => counters().sessions === 0);
  });

  it.each([true, false])('goes where packets of a translated port come from (shared pair: %s)', async (udp_shared) => {
    await start({ rtsp: { udp_shared } });
    publish().run();
    const [peer, udp] = [await connect(), await udpPeer()];
    const { ports } = await playUdp(peer, udp);
    const translator = await UdpSocket.open({ address: { host: '127.0.0.1', port: 0 } });
    closers.push(() => translator.close());
    let translated = 0;
    translator.onMessage = () => translated++;
    translator.send(HOLE_PUNCH, translator.target('127.0.0.1', ports[0]!));
    await until('packets come through the translator', () => translated > 5);
    const named = udp.rtp.length;
    await until('more come there', () => translated > 15);
    expect(udp.rtp.length).toBe(named);
    udp.sendRtp(ports[0]!, HOLE_PUNCH);
    await until('packets come to the port named after all', () => udp.rtp.length > named);
  });

  it.each([
    ['its packets', (udp: UdpPeer, ports: readonly number[]) => udp.sendRtp(ports[0]!, HOLE_PUNCH)],
    ['its reports', (udp: UdpPeer, ports: readonly number[]) => udp.report(ports[1]!)],
  ])(
    'stays with a client %s of which come from the port it named, whatever else its address sends',
    async (_, speak) => {
      await start();
      publish().run();
      const [peer, udp] = [await connect(), await udpPeer()];
      const { ports } = await playUdp(peer, udp);
      speak(udp, ports);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const stray = await UdpSocket.open({ address: { host: '127.0.0.1', port: 0 } });
      closers.push(() => stray.close());
      let strayed = 0;
      stray.onMessage = () => strayed++;
      stray.send(HOLE_PUNCH, stray.target('127.0.0.1', ports[0]!));
      const received = udp.rtp.length;
      await until('packets still come', () => udp.rtp.length > received + 10);
      expect(strayed).toBe(0);
    },
  );

  it('does not follow what comes late from a client that has left', async () => {
    await start();
    publish().run();
    const [peer, former, udp] = [await connect(), await udpPeer(), await udpPeer()];
    const { Session } = await playUdp(peer, former);
    await peer.request('TEARDOWN', `${base}/live/x`, { Session });
    const { ports } = await playUdp(peer, udp);
    const before = former.rtp.length;
    former.sendRtp(ports[0]!, HOLE_PUNCH);
    const received = udp.rtp.length;
    await until('packets still come', () => udp.rtp.length > received + 10);
    expect(former.rtp.length).toBe(before);
  });

  it('is refused when it is switched off, and when there are no ports', async () => {
    await start({ rtsp: { udp: false } });
    publish().push(30);
    const udp = await udpPeer();
    expect((await (await connect()).request('SETUP', `${base}/live/x/track1`, udp.transport)).statusCode).toBe(461);
    await server.close();
    const pair = await freePortPair();
    await start({ rtsp: { udp_ports: pair.join('-'), udp_shared: false } });
    publish().push(30);
    const peer = await connect();
    const first = await peer.request('SETUP', `${base}/live/x/track1`, udp.transport);
    expect(first.statusCode).toBe(200);
    expect(
      (await peer.request('SETUP', `${base}/live/x/track2`, { ...udp.transport, Session: sessionOf(first) }))
        .statusCode,
    ).toBe(503);
    await peer.request('TEARDOWN', `${base}/live/x`, { Session: sessionOf(first) });
    // The ports take a moment to be free.
    const deadlineMs = performance.now() + 5_000;
    let statusCode = 503;
    while (statusCode === 503 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      statusCode = (await peer.request('SETUP', `${base}/live/x/track1`, udp.transport)).statusCode;
    }
    expect(statusCode).toBe(200);
  });
});
