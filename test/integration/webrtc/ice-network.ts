/** ICE agents with sockets, NATs and STUN servers on the simulated network. */
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import type { IceCandidate } from '../../../src/protocol/ice/candidate.ts';
import type { IceBase, IceRole } from '../../../src/protocol/ice/candidate-pair.ts';
import { type IceParameters, makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { IceAgent, type IceAgentEvent, type IceAgentOptions } from '../../../src/protocol/ice/ice-agent.ts';
import { IceLiteAgent, type IceLiteEvent } from '../../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../../src/protocol/ice/ice-tuple.ts';
import { parseStunMessage, StunClass } from '../../../src/protocol/stun/stun-message.ts';
import { StunWriter } from '../../../src/protocol/stun/stun-writer.ts';
import { Random } from '../../fuzz/mutator.ts';
import { type Link, type LinkOptions, type NetPeer, SimulatedNetwork } from '../../peers/netem.ts';

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

type Receiver = (bytes: Uint8Array, from: Endpoint, nowMs: number) => void;

/** Ports a NAT gives are these more than those behind it. */
const NAT_PORT_OFFSET = 10_000;
const SIGNALLING_MS = 40;

/** Repeatable random bytes. */
export function seededBytes(seed: number): (sizeBytes: number) => Uint8Array {
  const random = new Random(seed);
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => random.below(256));
}

/** Addresses joined by links of their own, all of the same kind. */
export class IceNetwork {
  readonly network = new SimulatedNetwork();
  readonly #options: LinkOptions;
  readonly #links = new Map<string, Link>();
  readonly #receivers = new Map<string, Receiver>();
  /** Public address by private one. */
  readonly #nats = new Map<string, string>();
  /** Addresses nothing gets to or from any more. */
  readonly cut = new Set<string>();

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  bind({ address, port }: Endpoint, receiver: Receiver): void {
    this.#receivers.set(`${address} ${port}`, receiver);
  }

  /** Whoever has `privateAddress` is seen as `publicAddress`, and reached there by everybody (full cone). */
  addNat(privateAddress: string, publicAddress: string): void {
    this.#nats.set(privateAddress, publicAddress);
  }

  /** A STUN server that answers everybody. */
  addStunServer(at: Endpoint): void {
    this.bind(at, (bytes, from) => {
      const request = parseStunMessage(bytes);
      if (request === undefined) return;
      const answer = new StunWriter(StunClass.success, 1, request.transactionId).xorMappedAddress(from).finish();
      this.send(answer, at, from);
    });
  }

  send(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    const publicAddress = this.#nats.get(from.address);
    // Private addresses can't be reached from elsewhere.
    if (this.#nats.has(to.address) && to.address !== from.address) return;
    const source = publicAddress === undefined ? from : { address: publicAddress, port: from.port + NAT_PORT_OFFSET };
    let target = to;
    for (const [privateAddress, address] of this.#nats) {
      if (address === to.address) target = { address: privateAddress, port: to.port - NAT_PORT_OFFSET };
    }
    const framed = new Uint8Array(4 + bytes.length);
    new DataView(framed.buffer).setUint16(0, source.port);
    new DataView(framed.buffer).setUint16(2, target.port);
    framed.set(bytes, 4);
    this.#link(source.address, target.address).send(framed);
  }

  #link(from: string, to: string): Link {
    const key = `${from} ${to}`;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link = this.network.link({ ...this.#options, seed: this.#options.seed * 31 + this.#links.size });
    link.onDatagram = (bytes, nowMs) => {
      if (this.cut.has(from) || this.cut.has(to)) return;
      const view = new DataView(bytes.buffer);
      const source = { address: from, port: view.getUint16(0) };
      this.#receivers.get(`${to} ${view.getUint16(2)}`)?.(bytes.subarray(4), source, nowMs);
    };
    this.#links.set(key, link);
    return link;
  }
}

/** What both kinds of agents are to a test. */
abstract class IcePeer implements NetPeer {
  transmit: ((bytes: Uint8Array) => void) | undefined;
  readonly net: IceNetwork;
  parameters: IceParameters;
  /** Sent datagrams. */
  readonly sent: { readonly bytes: Uint8Array; readonly tuple: IceTuple }[] = [];
  readonly states: string[] = [];
  readonly selected: (IceTuple | undefined)[] = [];

  constructor(net: IceNetwork, parameters: IceParameters) {
    this.net = net;
    this.parameters = parameters;
    net.network.add(this);
  }

  protected send(bytes: Uint8Array, tuple: IceTuple): void {
    this.sent.push({ bytes: bytes.slice(), tuple });
    this.net.send(
      bytes,
      { address: tuple.localAddress, port: tuple.localPort },
      { address: tuple.remoteAddress, port: tuple.remotePort },
    );
  }

  protected listen(at: Endpoint): void {
    this.net.bind(at, (bytes, from, nowMs) => this.receiveFrom(bytes, udpTuple(at, from), nowMs));
  }

  abstract receiveFrom(bytes: Uint8Array, tuple: IceTuple, nowMs: number): void;

  receive(): void {}
  abstract nextTimeoutMs(): number | undefined;
  abstract handleTimeout(nowMs: number): void;
}

export function udpTuple(local: Endpoint, remote: Endpoint): IceTuple {
  return {
    protocol: 'udp',
    localAddress: local.address,
    localPort: local.port,
    remoteAddress: remote.address,
    remotePort: remote.port,
  };
}

/** A full agent. */
export class AgentPeer extends IcePeer {
  readonly agent: IceAgent;
  readonly candidates: IceCandidate[] = [];
  /** Gets our candidates after the time signalling takes. */
  other: AgentPeer | undefined;

  constructor(
    net: IceNetwork,
    options: { readonly seed: number; readonly role: IceRole } & Partial<
      Pick<IceAgentOptions, 'stunServers' | 'nomination' | 'nominationAttribute'>
    >,
  ) {
    const { seed, ...rest } = options;
    const random = seededBytes(seed);
    const parameters = makeIceParameters(random);
    super(net, parameters);
    this.agent = new IceAgent({ ...rest, parameters, crypto: nodeStunCrypto, random });
  }

  addBase(base: Endpoint & Partial<IceBase>): void {
    this.listen(base);
    this.handle(this.agent.addBase({ protocol: 'udp', ...base }));
  }

  handle(events: readonly IceAgentEvent[]): void {
    for (const event of events) {
      if (event.type === 'send') this.send(event.bytes, event.tuple);
      else if (event.type === 'state') this.states.push(event.state);
      else if (event.type === 'selected-tuple') this.selected.push(event.tuple);
      else if (event.type === 'candidate') this.#tell(event.candidate);
      else if (event.type === 'gathered') this.#signal((other) => other.handle(other.agent.endOfRemoteCandidates()));
    }
  }

  #tell(candidate: IceCandidate): void {
    this.candidates.push(candidate);
    this.#signal((other) => other.handle(other.agent.addRemoteCandidate(candidate)));
  }

  #signal(tell: (other: AgentPeer) => void): void {
    const { other } = this;
    if (other !== undefined) this.net.network.schedule(SIGNALLING_MS, () => tell(other));
  }

  /** Tells our parameters. */
  offer(): void {
    const { parameters } = this;
    this.#signal((other) => other.handle(other.agent.setRemoteParameters(parameters, other.net.network.nowMs)));
  }

  restart(seed: number): void {
    this.parameters = makeIceParameters(seededBytes(seed));
    const events = this.agent.restart(this.parameters);
    this.offer();
    this.handle(events);
  }

  override receiveFrom(bytes: Uint8Array, tuple: IceTuple, nowMs: number): void {
    this.handle(this.agent.receive(bytes, tuple, nowMs));
  }

  override nextTimeoutMs(): number | undefined {
    return this.agent.nextTimeoutMs();
  }

  override handleTimeout(nowMs: number): void {
    this.handle(this.agent.handleTimeout(nowMs));
  }
}

/** A server's side that only answers. */
export class LitePeer extends IcePeer {
  readonly agent: IceLiteAgent<IceTuple>;
  readonly events: IceLiteEvent<IceTuple>[] = [];
  readonly at: Endpoint;

  constructor(
    net: IceNetwork,
    options: { readonly seed: number; readonly at: Endpoint; readonly consentTimeoutMs?: number },
  ) {
    const parameters = { ...makeIceParameters(seededBytes(options.seed)), iceLite: true };
    super(net, parameters);
    this.at = options.at;
    const { consentTimeoutMs } = options;
    const timeout = consentTimeoutMs === undefined ? {} : { consentTimeoutMs };
    this.agent = new IceLiteAgent({ parameters, crypto: nodeStunCrypto, ...timeout });
    this.listen(options.at);
  }

  /** Its candidate as it is told to others. */
  get candidate(): IceCandidate {
    return { foundation: 'lite', component: 1, transport: 'udp', priority: 1_076_302_079, ...this.at, type: 'host' };
  }

  handle(events: readonly IceLiteEvent<IceTuple>[]): void {
    for (const event of events) {
      this.events.push(event);
      if (event.type === 'send') this.send(event.bytes, event.tuple);
      else if (event.type === 'state') this.states.push(event.state);
      else if (event.type === 'selected-tuple') this.selected.push(event.tuple);
    }
  }

  override receiveFrom(bytes: Uint8Array, tuple: IceTuple, nowMs: number): void {
    this.handle(this.agent.receive(bytes, tuple, nowMs));
  }

  override nextTimeoutMs(): number | undefined {
    return this.agent.nextTimeoutMs();
  }

  override handleTimeout(nowMs: number): void {
    this.handle(this.agent.handleTimeout(nowMs));
  }
}

/** An agent and a lite one that know of each other. */
export function agentAndLite(
  net: IceNetwork,
  options: Partial<ConstructorParameters<typeof AgentPeer>[1]> & { readonly consentTimeoutMs?: number } = {},
): { agent: AgentPeer; lite: LitePeer } {
  const { consentTimeoutMs, ...rest } = options;
  const lite = new LitePeer(net, {
    seed: 901,
    at: { address: '192.0.2.1', port: 40_000 },
    ...(consentTimeoutMs === undefined ? {} : { consentTimeoutMs }),
  });
  const agent = new AgentPeer(net, { seed: 902, role: 'controlled', ...rest });
  agent.addBase({ address: '198.51.100.1', port: 50_000 });
  agent.handle(agent.agent.setRemoteParameters(lite.parameters, net.network.nowMs));
  agent.handle(agent.agent.addRemoteCandidate(lite.candidate));
  agent.handle(agent.agent.endOfRemoteCandidates());
  return { agent, lite };
}

/** Two full agents that tell each other what they find. */
export function twoAgents(
  net: IceNetwork,
  ours: Partial<ConstructorParameters<typeof AgentPeer>[1]> = {},
  theirs: Partial<ConstructorParameters<typeof AgentPeer>[1]> = {},
): { a: AgentPeer; b: AgentPeer } {
  const a = new AgentPeer(net, { seed: 11, role: 'controlling', ...ours });
  const b = new AgentPeer(net, { seed: 12, role: 'controlled', ...theirs });
  a.other = b;
  b.other = a;
  a.offer();
  b.offer();
  return { a, b };
}

/** Whether both send to each other by one path. */
export function areJoined(a: IcePeer & { agent: { selectedTuple: IceTuple | undefined } }, b: typeof a): boolean {
  const ours = a.agent.selectedTuple;
  const theirs = b.agent.selectedTuple;
  return (
    ours !== undefined &&
    theirs !== undefined &&
    ours.localAddress === theirs.remoteAddress &&
    ours.remoteAddress === theirs.localAddress
  );
}
