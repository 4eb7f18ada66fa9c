/** Chromium and our full agent, each in control once, over UDP, without anything above ICE. */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import type { DatagramSocket } from '../../src/io/datagram-socket.ts';
import { nodeStunCrypto } from '../../src/io/stun-crypto.ts';
import { UdpSocket } from '../../src/io/udp-socket.ts';
import { parseCandidate, writeCandidate } from '../../src/protocol/ice/candidate.ts';
import { type IceParameters, makeIceParameters } from '../../src/protocol/ice/credentials.ts';
import { IceAgent, type IceAgentEvent } from '../../src/protocol/ice/ice-agent.ts';
import { packetKindOf } from '../../src/protocol/ice/packet-kind.ts';
import { ChromiumPage } from '../peers/chromium.ts';

/** An agent with a socket and a clock. */
class RunningAgent {
  readonly parameters: IceParameters = makeIceParameters(randomBytes);
  readonly agent: IceAgent;
  readonly states: string[] = [];
  candidateLine = '';
  readonly #socket: DatagramSocket;
  #timer: NodeJS.Timeout | undefined;
  #onState: () => void = () => undefined;

  constructor(socket: DatagramSocket, role: 'controlling' | 'controlled') {
    this.#socket = socket;
    this.agent = new IceAgent({ parameters: this.parameters, role, crypto: nodeStunCrypto, random: randomBytes });
    socket.onMessage = (bytes, { address, port }) => {
      if (packetKindOf(bytes) !== 'stun') return;
      const local = { localAddress: socket.address, localPort: socket.port };
      const tuple = { protocol: 'udp', ...local, remoteAddress: address, remotePort: port } as const;
      this.handle(this.agent.receive(bytes, tuple, performance.now()));
    };
    this.handle(this.agent.addBase({ protocol: 'udp', address: socket.address, port: socket.port }));
  }

  handle(events: readonly IceAgentEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') {
        this.#socket.send(event.bytes, this.#socket.target(event.tuple.remoteAddress, event.tuple.remotePort));
      } else if (event.type === 'candidate') {
        this.candidateLine = writeCandidate(event.candidate);
      } else if (event.type === 'state') {
        this.states.push(event.state);
      }
    }
    clearTimeout(this.#timer);
    const dueMs = this.agent.nextTimeoutMs();
    if (dueMs !== undefined) {
      const waitMs = Math.max(dueMs - performance.now(), 0) + 1;
      this.#timer = setTimeout(() => this.handle(this.agent.handleTimeout(performance.now())), waitMs);
    }
    this.#onState();
  }

  async untilCompleted(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onState = () => {
        if (this.agent.state === 'completed') resolve();
      };
      this.#onState();
    });
  }

  async close(): Promise<void> {
    this.handle(this.agent.close());
    await this.#socket.close();
  }

  /** A description of a data channel; its fingerprint is nobody's, since no handshake is meant to end. */
  describe(setup: 'actpass' | 'passive'): string {
    return [
      'v=0',
      'o=- 1 1 IN IP4 0.0.0.0',
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'c=IN IP4 0.0.0.0',
      'a=mid:0',
      `a=ice-ufrag:${this.parameters.usernameFragment}`,
      `a=ice-pwd:${this.parameters.password}`,
      `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
      `a=setup:${setup}`,
      'a=sctp-port:5000',
      `a=${this.candidateLine}`,
      'a=end-of-candidates',
      '',
    ].join('\r\n');
  }

  /** Takes the page's description: its candidates are names, so its addresses are learnt from its checks. */
  accept(sdp: string): void {
    const attribute = (name: string): string => new RegExp(`^a=${name}:(.*)$`, 'm').exec(sdp)?.[1]?.trim() ?? '';
    const theirs = { usernameFragment: attribute('ice-ufrag'), password: attribute('ice-pwd') };
    this.handle(this.agent.setRemoteParameters(theirs, performance.now()));
    for (const line of sdp.split('\r\n').filter((text) => text.startsWith('a=candidate:'))) {
      const candidate = parseCandidate(line);
      expect(candidate, line).toBeDefined();
      this.handle(this.agent.addRemoteCandidate(candidate!));
    }
  }
}

const offer = `async () => {
  window.peer = new RTCPeerConnection();
  window.peer.createDataChannel('test');
  await window.peer.setLocalDescription(await window.peer.createOffer());
  return window.peer.localDescription.sdp;
}`;
const takeAnswer = `(sdp) => window.peer.setRemoteDescription({ type: 'answer', sdp })`;
const answer = `async (sdp) => {
  window.peer = new RTCPeerConnection();
  await window.peer.setRemoteDescription({ type: 'offer', sdp });
  await window.peer.setLocalDescription(await window.peer.createAnswer());
  return window.peer.localDescription.sdp;
}`;

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

it.each(['controlling', 'controlled'] as const)('Chromium connects to our agent that is %s', async (role) => {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const host = all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
  const running = new RunningAgent(await UdpSocket.open({ address: { host, port: 0 } }), role);
  closers.push(() => running.close());
  const browser = await ChromiumPage.open();
  closers.push(() => browser.close());
  const call = (code: string, argument?: string): Promise<string> =>
    browser.page.evaluate(`(${code})(${argument === undefined ? '' : JSON.stringify(argument)})`);

  if (role === 'controlled') {
    running.accept(await call(offer));
    await call(takeAnswer, running.describe('passive'));
  } else {
    running.accept(await call(answer, running.describe('actpass')));
  }
  await running.untilCompleted();
  expect(running.agent.role).toBe(role);
  expect(running.states).not.toContain('failed');
});
