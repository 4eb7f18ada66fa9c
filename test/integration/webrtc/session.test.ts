import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeClock } from '../../../src/io/node-clock.ts';
import type { WebRtcPort } from '../../../src/server/webrtc/webrtc-port.ts';
import { LOOPBACK, openMember, openPair, openPort, type Pair, packetWithRoom } from './session-kit.ts';

const WAIT = { timeout: 10_000, interval: 5 };
const SESSIONS = 1000;
const AT_A_TIME = 50;
/** One of so many connects, by UDP and TCP in turn; the rest waits in vain. */
const CONNECTED_EACH = 5;

let port: WebRtcPort;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  port = await openPort();
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await port.close();
});

async function connectPair(transport: 'udp' | 'tcp-active', role: 'client' | 'server' = 'server'): Promise<Pair> {
  const pair = await openPair(port, { transport, role });
  closers.push(() => pair.client.close());
  await expect.poll(() => pair.atPort.channels.length + pair.atClient.channels.length, WAIT).toBe(2);
  return pair;
}

const rtp = Buffer.from('80600001000003e80000002a68656c6c6f', 'hex');
const rtcp = Buffer.from('81ce00020000002a0000002b', 'hex');

function sendText({ session }: Pair['member'] | Pair['client'], channelId: number, text: string): void {
  session.withDataChannels((channels, nowMs) =>
    channels.send(channelId, 'string', new TextEncoder().encode(text), nowMs),
  );
}

describe.each(['udp', 'tcp-active'] as const)('over %s', (transport) => {
  it.each(['client', 'server'] as const)('media and data go both ways, the port being the %s of DTLS', async (role) => {
    const { member, client, atPort, atClient } = await connectPair(transport, role);
    expect(member.session.selectedTuple?.protocol).toBe(transport === 'udp' ? 'udp' : 'tcp');
    for (const { session } of [member, client]) {
      expect(session.sendRtp(packetWithRoom(rtp), rtp.length)).toBe(true);
      expect(session.sendRtcp(packetWithRoom(rtcp), rtcp.length)).toBe(true);
    }
    for (const log of [atPort, atClient]) {
      await expect.poll(() => log.rtp, WAIT).toEqual([rtp.toString('hex')]);
      await expect.poll(() => log.rtcp, WAIT).toEqual([rtcp.toString('hex')]);
    }
    member.session.withDataChannels((channels, nowMs) => channels.open({ label: 'x' }, nowMs).events);
    const channelId = role === 'client' ? 0 : 1;
    sendText(member, channelId, 'to the client');
    await expect.poll(() => atClient.messages, WAIT).toEqual(['to the client']);
    sendText(client, channelId, 'to the port');
    await expect.poll(() => atPort.messages, WAIT).toEqual(['to the port']);
  });

  it('a restart of ICE retires the old fragment, and data goes on', async () => {
    const { member, client, atClient } = await connectPair(transport);
    client.restartIce();
    client.setRemoteIce(member.restartIce());
    expect(port.tables.fragments).toBe(2);
    for (const candidate of port.candidates) client.addRemoteCandidate(candidate);
    client.endOfRemoteCandidates();
    await expect.poll(() => port.tables.fragments, WAIT).toBe(1);
    member.session.withDataChannels((channels, nowMs) => channels.open({ label: 'x' }, nowMs).events);
    sendText(member, 1, 'after');
    await expect.poll(() => atClient.messages, WAIT).toEqual(['after']);
    expect(atClient.iceStates).not.toContain('disconnected');
  });

  it('a client that closes is seen by the port', async () => {
    const { client, atPort } = await connectPair(transport);
    await client.close();
    await expect.poll(() => atPort.dtlsStates, WAIT).toEqual(['connecting', 'connected', 'closed']);
    expect(atPort.channels.at(-1)?.type).toMatch(/closed|failed/);
  });

  it('a session that closes is seen by the client, and leaves no routes', async () => {
    const { member, atClient } = await connectPair(transport);
    member.close();
    await expect.poll(() => atClient.dtlsStates, WAIT).toEqual(['connecting', 'connected', 'closed']);
    await expect.poll(() => port.tables, WAIT).toEqual({ routes: 0, fragments: 0, connections: 0 });
    expect(port.sessions).toBe(0);
  });
});

it('counts what a connection of TCP has no room for', async () => {
  const { member, atClient } = await connectPair('tcp-active');
  const packet = Buffer.concat([rtp, Buffer.alloc(10_000)]);
  // All of them in one turn: the connection takes what the kernel and its buffer hold.
  for (let i = 0; i < 2000; i++) {
    packet.writeUInt16BE(i, 2);
    expect(member.session.sendRtp(packetWithRoom(packet), packet.length)).toBe(true);
  }
  const { unsent } = member.session.dropped;
  expect(unsent).toBeGreaterThan(0);
  await expect.poll(() => atClient.rtp.length, WAIT).toBe(2000 - unsent);
});

it.each(['udp', 'tcp-active'] as const)('sessions connect over IPv6 and %s', async (transport) => {
  const ipv6 = await openPort('::1');
  closers.push(() => ipv6.close());
  const pair = await openPair(ipv6, { transport, role: 'server' });
  closers.push(() => pair.client.close());
  await expect.poll(() => pair.atClient.dtlsStates, WAIT).toContain('connected');
  expect(pair.member.session.selectedTuple?.remoteAddress).toBe('::1');
});

it('closing during a restart of ICE leaves neither fragment', async () => {
  const { member } = await connectPair('udp');
  member.restartIce();
  member.close();
  expect(port.tables).toEqual({ routes: 0, fragments: 0, connections: 0 });
});

it('a peer that falls silent loses consent, and its route', async () => {
  const relay = createSocket('udp4');
  relay.bind(0, LOOPBACK);
  await once(relay, 'listening');
  let clientPort = 0;
  let isCut = false;
  relay.on('message', (bytes, { port: from }) => {
    if (from !== port.udpPort) clientPort = from;
    if (!isCut) relay.send(bytes, from === port.udpPort ? clientPort : port.udpPort!, LOOPBACK);
  });
  const [candidate] = port.candidates;
  const candidates = [{ ...candidate!, port: relay.address().port }];
  // Checks for consent come every 4 to 6 seconds.
  const pair = await openPair(port, { transport: 'udp', role: 'server', consentTimeoutMs: 7000, candidates });
  closers.push(() => pair.client.close());
  await expect.poll(() => pair.atPort.dtlsStates, WAIT).toContain('connected');
  isCut = true;
  await expect.poll(() => pair.atPort.iceStates.at(-1), WAIT).toBe('disconnected');
  expect(port.tables.routes).toBe(0);
  expect(pair.member.session.sendRtp(packetWithRoom(rtp), rtp.length)).toBe(false);
  relay.close();
});

it('a connection that says nothing genuine is closed', async () => {
  vi.spyOn(nodeClock, 'after').mockImplementation((_, task) => {
    const timer = setTimeout(task, 50);
    return () => clearTimeout(timer);
  });
  const stranger = connectTcp(port.tcpPort!, LOOPBACK);
  stranger.resume();
  await once(stranger, 'close');
  vi.restoreAllMocks();
  await expect.poll(() => port.tables.connections, WAIT).toBe(0);
});

it(`${SESSIONS} sessions opened and closed leave no routes, timers and sockets`, { timeout: 60_000 }, async () => {
  const resources = (): readonly string[] => process.getActiveResourcesInfo().filter((name) => /UDP|TCP/.test(name));
  const before = resources().length;
  let timers = 0;
  const after = nodeClock.after.bind(nodeClock);
  vi.spyOn(nodeClock, 'after').mockImplementation((delayMs, task) => {
    timers++;
    let isOver = false;
    const end = (): void => {
      if (!isOver) timers--;
      isOver = true;
    };
    const stop = after(delayMs, () => {
      end();
      task();
    });
    return () => {
      end();
      stop();
    };
  });
  for (let opened = 0; opened < SESSIONS; opened += AT_A_TIME) {
    const members = Array.from({ length: AT_A_TIME - AT_A_TIME / CONNECTED_EACH }, () => openMember(port));
    const pairs = await Promise.all(
      Array.from({ length: AT_A_TIME / CONNECTED_EACH }, (_, i) =>
        openPair(port, { transport: i % 2 === 0 ? 'udp' : 'tcp-active', role: 'server' }),
      ),
    );
    for (const { atPort } of pairs) await expect.poll(() => atPort.dtlsStates, WAIT).toContain('connected');
    expect(port.sessions).toBe(AT_A_TIME);
    for (const member of members) member.close();
    for (const [i, { member, client }] of pairs.entries()) {
      if (i % 3 === 0) await client.close();
      member.close();
      await client.close();
    }
  }
  await expect.poll(() => port.tables, WAIT).toEqual({ routes: 0, fragments: 0, connections: 0 });
  expect(port.sessions).toBe(0);
  // Those of tests before may have been on their way out.
  await expect.poll(() => resources().length, WAIT).toBeLessThanOrEqual(before);
  expect(timers).toBe(0);
  vi.restoreAllMocks();
});

it('commands before their time are refused, and those after the end do nothing', async () => {
  const member = openMember(port);
  const { session } = member;
  expect(session.sendRtp(packetWithRoom(rtp), rtp.length)).toBe(false);
  expect(() => session.withDataChannels(() => [])).toThrow('there are no data channels');
  expect(() => session.withSctp(() => [])).toThrow('there is no SCTP association');
  const fingerprint = { algorithm: 'sha-256', value: new Uint8Array(32) };
  session.connect('server', [fingerprint]);
  expect(() => session.connect('server', [fingerprint])).toThrow('DTLS was started before');
  member.close();
  member.close();
  session.connect('client', [fingerprint]);
  expect(member.restartIce()).toBe(member.iceParameters);
  expect(session.secure.state).toBe('closed');
});

it('a peer with another certificate than its fingerprint says is refused by both sides', async () => {
  const pair = await openPair(port, { transport: 'udp', role: 'server', portFingerprint: new Uint8Array(32) });
  closers.push(() => pair.client.close());
  await expect.poll(() => pair.atClient.dtlsStates, WAIT).toEqual(['connecting', 'failed']);
  await expect.poll(() => pair.atPort.dtlsStates, WAIT).toEqual(['connecting', 'failed']);
  expect(pair.client.session.sendRtp(packetWithRoom(rtp), rtp.length)).toBe(false);
});

it('closing the port ends all sessions', async () => {
  const members = [openMember(port), openMember(port)];
  expect(port.sessions).toBe(2);
  await port.close();
  expect(port.sessions).toBe(0);
  for (const member of members) expect(member.session.secure.state).toBe('closed');
});
