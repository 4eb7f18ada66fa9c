/** Chromium as the full agent of our lite one, over UDP and TCP, without anything above ICE. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { nodeStunCrypto } from '../../src/io/stun-crypto.ts';
import { UdpSocket } from '../../src/io/udp-socket.ts';
import { type IceParameters, makeIceParameters } from '../../src/protocol/ice/credentials.ts';
import { IceLiteAgent } from '../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../src/protocol/ice/ice-tuple.ts';
import { type PacketKind, packetKindOf } from '../../src/protocol/ice/packet-kind.ts';
import { TcpFrameReader, writeTcpFrame } from '../../src/protocol/ice/tcp-framing.ts';
import { ChromiumPage } from '../peers/chromium.ts';

/** Chromium takes no candidates on the loopback interface. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

interface TestTuple extends IceTuple {
  send(bytes: Uint8Array): void;
}

/** A lite agent behind a port of its own. */
class LiteServer {
  agent: IceLiteAgent<TestTuple>;
  parameters: IceParameters = makeIceParameters(randomBytes);
  readonly told: string[] = [];
  readonly received = new Map<PacketKind, number>();
  port = 0;
  close: () => Promise<void> = () => Promise.resolve();
  #onTold: () => void = () => undefined;

  constructor() {
    this.agent = new IceLiteAgent({ parameters: this.parameters, crypto: nodeStunCrypto });
  }

  async listenUdp(host: string): Promise<void> {
    const socket = await UdpSocket.open({ address: { host, port: 0 } });
    this.port = socket.port;
    socket.onMessage = (bytes, { address, port }) => {
      const target = socket.target(address, port);
      this.#receive(bytes, {
        protocol: 'udp',
        localAddress: host,
        localPort: socket.port,
        remoteAddress: address,
        remotePort: port,
        send: (answer) => socket.send(answer, target),
      });
    };
    this.close = () => socket.close();
  }

  async listenTcp(host: string): Promise<void> {
    const connections = new Set<Socket>();
    const server = createServer((connection) => {
      connections.add(connection);
      const reader = new TcpFrameReader();
      const { remoteAddress = '', remotePort = 0 } = connection;
      const tuple: TestTuple = {
        protocol: 'tcp',
        localAddress: host,
        localPort: this.port,
        remoteAddress,
        remotePort,
        send: (answer) => connection.write(writeTcpFrame(answer)),
      };
      connection.on('data', (bytes: Buffer) => {
        for (const packet of reader.read(bytes)) this.#receive(packet, tuple);
      });
      connection.on('error', () => connection.destroy());
    });
    server.listen(0, host);
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.close = async () => {
      for (const connection of connections) connection.destroy();
      server.close();
      await once(server, 'close');
    };
  }

  #receive(bytes: Uint8Array, tuple: TestTuple): void {
    const kind = packetKindOf(bytes);
    this.received.set(kind, (this.received.get(kind) ?? 0) + 1);
    if (kind !== 'stun') return;
    for (const event of this.agent.receive(bytes, tuple, performance.now())) {
      if (event.type === 'send') event.tuple.send(event.bytes);
      else this.told.push(event.type === 'state' ? event.state : event.type);
    }
    this.#onTold();
  }

  /** Until `isTrue`, asked after each message. */
  async until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return;
    await new Promise<void>((resolve) => {
      this.#onTold = () => {
        if (isTrue()) resolve();
      };
    });
  }

  /** The answer to a data channel's offer; its fingerprint is nobody's, since no handshake is meant to end. */
  answer(host: string, protocol: 'udp' | 'tcp'): string {
    const tcpType = protocol === 'tcp' ? ' tcptype passive' : '';
    return [
      'v=0',
      'o=- 1 1 IN IP4 0.0.0.0',
      's=-',
      't=0 0',
      'a=ice-lite',
      'a=group:BUNDLE 0',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'c=IN IP4 0.0.0.0',
      'a=mid:0',
      `a=ice-ufrag:${this.parameters.usernameFragment}`,
      `a=ice-pwd:${this.parameters.password}`,
      `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
      'a=setup:passive',
      'a=sctp-port:5000',
      `a=candidate:lite 1 ${protocol} 1076302079 ${host} ${this.port} typ host${tcpType}`,
      'a=end-of-candidates',
      '',
    ].join('\r\n');
  }
}

/** What the page is asked to run: an offer, or another one after `restartIce`, answered with `sdp`. */
const negotiate = `async (sdp) => {
  if (window.peer === undefined) {
    window.peer = new RTCPeerConnection();
    window.peer.createDataChannel('test');
  } else {
    window.peer.restartIce();
  }
  await window.peer.setLocalDescription(await window.peer.createOffer());
  await window.peer.setRemoteDescription({ type: 'answer', sdp });
}`;

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

it.each(['udp', 'tcp'] as const)('Chromium connects over %s, restarts, and goes on', async (protocol) => {
  const host = ownAddress();
  const server = new LiteServer();
  await (protocol === 'udp' ? server.listenUdp(host) : server.listenTcp(host));
  closers.push(() => server.close());
  const browser = await ChromiumPage.open();
  closers.push(() => browser.close());

  await browser.page.evaluate(`(${negotiate})(${JSON.stringify(server.answer(host, protocol))})`);
  await server.until(() => server.agent.state === 'completed');
  expect(server.agent.selectedTuple?.protocol).toBe(protocol);
  await server.until(() => (server.received.get('dtls') ?? 0) > 0);

  server.parameters = makeIceParameters(randomBytes);
  server.agent.restart(server.parameters);
  await browser.page.evaluate(`(${negotiate})(${JSON.stringify(server.answer(host, protocol))})`);
  await server.until(() => server.told.includes('fragment-retired'));
  expect(server.agent.state).toBe('completed');
  const state = await browser.page.evaluate('window.peer.iceConnectionState');
  expect(state).not.toBe('failed');
});
