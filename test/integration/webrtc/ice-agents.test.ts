import { describe, expect, it } from 'vitest';
import { StunAttribute } from '../../../src/protocol/stun/stun-attributes.ts';
import { parseStunMessage, StunClass } from '../../../src/protocol/stun/stun-message.ts';
import type { LinkOptions } from '../../peers/netem.ts';
import { AgentPeer, agentAndLite, areJoined, IceNetwork, LitePeer, twoAgents } from './ice-network.ts';

const clean: LinkOptions = { seed: 1, delayMs: 20 };
const rough = (seed: number): LinkOptions => ({
  seed,
  delayMs: 20,
  jitterMs: 20,
  lossRate: 0.3,
  reorderRate: 0.2,
  reorderMs: 100,
  duplicateRate: 0.2,
});
const seeds = Array.from({ length: 15 }, (_, i) => i + 1);
const isCompleted = (...peers: { readonly agent: { readonly state: string } }[]): boolean =>
  peers.every(({ agent }) => agent.state === 'completed');

describe('a full agent and a lite one', () => {
  it.each(['regular', 'aggressive'] as const)('join within half a second (%s nomination)', (nomination) => {
    const net = new IceNetwork(clean);
    const { agent, lite } = agentAndLite(net, { nomination });
    expect(net.network.runUntil(() => isCompleted(agent, lite), 500)).toBe(true);
    expect(agent.agent.role).toBe('controlling');
    expect(areJoined(agent, lite)).toBe(true);
    expect(agent.states).toEqual(
      nomination === 'regular' ? ['checking', 'connected', 'completed'] : ['checking', 'completed'],
    );
    expect(lite.states).toEqual(nomination === 'regular' ? ['connected', 'completed'] : ['completed']);
    expect(lite.agent.tuples).toEqual([lite.agent.selectedTuple]);
  });

  it.each(seeds)('join over loss, reorder and duplicates and stay so (seed %i)', (seed) => {
    const net = new IceNetwork(rough(seed));
    const { agent, lite } = agentAndLite(net, { seed: seed + 100 });
    expect(net.network.runUntil(() => isCompleted(agent, lite), 20_000)).toBe(true);
    expect(areJoined(agent, lite)).toBe(true);
    net.network.runFor(20_000);
    expect(isCompleted(agent, lite)).toBe(true);
  });

  it('keep consent for an hour with few checks', () => {
    const net = new IceNetwork(clean);
    const { agent, lite } = agentAndLite(net);
    net.network.runUntil(3_600_000);
    expect(isCompleted(agent, lite)).toBe(true);
    expect(agent.sent.length).toBeGreaterThan(600);
    expect(agent.sent.length).toBeLessThan(900);
  });

  it('lose consent 30 s after the last answer, and connect again by a restart', () => {
    const net = new IceNetwork(clean);
    const { agent, lite } = agentAndLite(net);
    net.network.runUntil(10_000);
    net.cut.add('192.0.2.1');
    net.network.runUntil(34_000);
    expect(isCompleted(agent, lite)).toBe(true);
    net.network.runUntil(46_000);
    expect([agent.agent.state, lite.agent.state]).toEqual(['disconnected', 'disconnected']);
    expect([agent.agent.selectedTuple, lite.agent.selectedTuple]).toEqual([undefined, undefined]);
    expect(lite.agent.tuples).toEqual([]);
    const sent = agent.sent.length;
    net.network.runUntil(120_000);
    expect(agent.sent.length).toBe(sent);
    net.cut.clear();
    lite.parameters = { usernameFragment: 'afterRestart', password: 'x'.repeat(32), iceLite: true };
    lite.handle(lite.agent.restart(lite.parameters));
    agent.restart(77);
    agent.handle(agent.agent.setRemoteParameters(lite.parameters, net.network.nowMs));
    agent.handle(agent.agent.addRemoteCandidate(lite.candidate));
    expect(net.network.runUntil(() => isCompleted(agent, lite), 2000)).toBe(true);
  });

  it('go on sending by the old path through a restart', () => {
    const net = new IceNetwork(clean);
    const { agent, lite } = agentAndLite(net);
    net.network.runUntil(10_000);
    lite.parameters = { usernameFragment: 'afterRestart', password: 'x'.repeat(32), iceLite: true };
    lite.handle(lite.agent.restart(lite.parameters));
    agent.restart(77);
    // The peer's answer takes its time: checks for consent go on with what was valid before.
    net.network.runUntil(70_000);
    expect(agent.agent.selectedTuple).toBeDefined();
    expect(lite.agent.state).toBe('completed');
    agent.handle(agent.agent.setRemoteParameters(lite.parameters, net.network.nowMs));
    agent.handle(agent.agent.addRemoteCandidate(lite.candidate));
    expect(net.network.runUntil(() => agent.agent.state === 'completed', 2000)).toBe(true);
    expect(lite.events.filter(({ type }) => type === 'fragment-retired')).toHaveLength(1);
    expect(agent.selected).toHaveLength(1);
    net.network.runFor(60_000);
    expect(isCompleted(agent, lite)).toBe(true);
  });

  it.each([StunAttribute.nomination, StunAttribute.googNomination])(
    'move to a better path that comes later by renomination (attribute %i)',
    (nominationAttribute) => {
      const net = new IceNetwork(clean);
      const lite = new LitePeer(net, { seed: 5, at: { address: '192.0.2.1', port: 40_000 } });
      const agent = new AgentPeer(net, { seed: 6, role: 'controlling', nominationAttribute });
      agent.addBase({ address: '198.51.100.7', port: 50_000, localPreference: 1 });
      agent.handle(agent.agent.setRemoteParameters(lite.parameters, 0));
      agent.handle(agent.agent.addRemoteCandidate(lite.candidate));
      net.network.runUntil(5000);
      agent.addBase({ address: '198.51.100.8', port: 50_000, localPreference: 2 });
      net.network.runUntil(6000);
      expect(agent.agent.selectedTuple?.localAddress).toBe('198.51.100.8');
      expect(lite.agent.selectedTuple?.remoteAddress).toBe('198.51.100.8');
    },
  );
});

describe('two full agents', () => {
  const bases = ({ a, b }: { a: AgentPeer; b: AgentPeer }): { a: AgentPeer; b: AgentPeer } => {
    a.addBase({ address: '198.51.100.1', port: 5001 });
    b.addBase({ address: '198.51.100.2', port: 5002 });
    return { a, b };
  };

  it.each(['regular', 'aggressive'] as const)('join (%s nomination)', (nomination) => {
    const net = new IceNetwork(clean);
    const { a, b } = bases(twoAgents(net, { nomination }, { nomination }));
    expect(net.network.runUntil(() => isCompleted(a, b), 1000)).toBe(true);
    expect(areJoined(a, b)).toBe(true);
  });

  it.each(seeds)('join over loss, reorder and duplicates (seed %i)', (seed) => {
    const net = new IceNetwork(rough(seed));
    const { a, b } = bases(twoAgents(net, { seed }, { seed: seed + 50 }));
    expect(net.network.runUntil(() => isCompleted(a, b), 20_000)).toBe(true);
    expect(areJoined(a, b)).toBe(true);
    net.network.runFor(20_000);
    expect(isCompleted(a, b)).toBe(true);
  });

  it.each(['controlling', 'controlled'] as const)('settle it when both are %s', (role) => {
    const net = new IceNetwork(clean);
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { a, b } = bases(twoAgents(net, { role, seed }, { role, seed: seed + 20 }));
      expect(net.network.runUntil(() => isCompleted(a, b), 5000)).toBe(true);
      expect([a.agent.role, b.agent.role].sort()).toEqual(['controlled', 'controlling']);
      net.network.remove(a);
      net.network.remove(b);
    }
  });

  it('settle roles over loss too', () => {
    for (const seed of seeds) {
      const net = new IceNetwork(rough(seed));
      const { a, b } = bases(twoAgents(net, { seed }, { role: 'controlling', seed: seed + 20 }));
      expect(net.network.runUntil(() => isCompleted(a, b), 30_000)).toBe(true);
      expect(areJoined(a, b)).toBe(true);
    }
  });

  it('find each other behind NATs with the help of a server', () => {
    const net = new IceNetwork(clean);
    const stunServers = [{ address: '192.0.2.53', port: 3478 }];
    net.addStunServer(stunServers[0]!);
    net.addNat('10.0.0.1', '203.0.113.1');
    net.addNat('10.0.0.2', '203.0.113.2');
    const { a, b } = twoAgents(net, { stunServers }, { stunServers });
    a.addBase({ address: '10.0.0.1', port: 5001 });
    b.addBase({ address: '10.0.0.2', port: 5002 });
    expect(net.network.runUntil(() => isCompleted(a, b), 5000)).toBe(true);
    expect(a.candidates.map(({ type, address, port }) => [type, address, port])).toEqual([
      ['host', '10.0.0.1', 5001],
      ['srflx', '203.0.113.1', 15_001],
    ]);
    expect(a.agent.selectedTuple?.remoteAddress).toBe('203.0.113.2');
    expect(b.agent.selectedTuple?.remoteAddress).toBe('203.0.113.1');
  });

  it('join by an address only the checks have shown', () => {
    const net = new IceNetwork(clean);
    net.addNat('10.0.0.1', '203.0.113.1');
    const { a, b } = twoAgents(net);
    a.addBase({ address: '10.0.0.1', port: 5001 });
    b.addBase({ address: '198.51.100.2', port: 5002 });
    expect(net.network.runUntil(() => isCompleted(a, b), 5000)).toBe(true);
    expect(b.agent.selectedTuple).toMatchObject({ remoteAddress: '203.0.113.1', remotePort: 15_001 });
  });

  it('choose the pair both like best of many', () => {
    const net = new IceNetwork(clean);
    const { a, b } = twoAgents(net);
    for (const i of [1, 2, 3, 4]) {
      a.addBase({ address: `198.51.100.${i}`, port: 5001, localPreference: i * 10 });
      b.addBase({ address: `198.51.100.${10 + i}`, port: 5002, localPreference: i * 10 });
    }
    expect(net.network.runUntil(() => isCompleted(a, b), 5000)).toBe(true);
    expect(a.agent.selectedTuple).toMatchObject({ localAddress: '198.51.100.4', remoteAddress: '198.51.100.14' });
    expect(areJoined(a, b)).toBe(true);
  });

  it.each([
    ['controlling', 'controlled'],
    ['controlling', 'controlling'],
    ['controlled', 'controlled'],
  ] as const)('agree on one pair of nine over loss, beginning as %s and %s', (ours, theirs) => {
    for (let seed = 1; seed <= 60; seed++) {
      const net = new IceNetwork({ ...rough(seed), delayMs: 20 + (seed % 5) * 40 });
      const nomination = seed % 3 === 0 ? 'aggressive' : 'regular';
      const { a, b } = twoAgents(
        net,
        { seed, role: ours, nomination },
        { seed: seed + 5000, role: theirs, nomination },
      );
      for (const i of [1, 2, 3]) {
        a.addBase({ address: `198.51.100.${i}`, port: 5001 });
        b.addBase({ address: `198.51.101.${i}`, port: 5002 });
      }
      expect(
        net.network.runUntil(() => isCompleted(a, b) && areJoined(a, b), 40_000),
        `seed ${seed}`,
      ).toBe(true);
      // Each check of an aggressive agent nominates, so the path may still change, at one end before the other.
      net.network.runFor(nomination === 'regular' ? 5000 : 15_000);
      expect(areJoined(a, b), `seed ${seed}`).toBe(true);
    }
  });

  it('start no more than one check in 50 ms', () => {
    const net = new IceNetwork({ seed: 1, delayMs: 200 });
    const { a, b } = twoAgents(net);
    const times: number[] = [];
    for (const i of [1, 2, 3]) a.addBase({ address: `198.51.100.${i}`, port: 5001 });
    for (const i of [11, 12, 13]) b.addBase({ address: `198.51.100.${i}`, port: 5002 });
    const isCheck = (bytes: Uint8Array): boolean => parseStunMessage(bytes)?.messageClass === StunClass.request;
    let seen = 0;
    net.network.runUntil(() => {
      const checks = a.sent.filter(({ bytes }) => isCheck(bytes)).length;
      for (; seen < checks; seen++) times.push(net.network.nowMs);
      return false;
    }, 450);
    expect(times.length).toBeGreaterThan(4);
    expect(times.slice(1).every((time, i) => time - times[i]! >= 50)).toBe(true);
  });

  it('restart in the middle and stay joined', () => {
    for (const seed of seeds) {
      const net = new IceNetwork(rough(seed));
      const { a, b } = bases(twoAgents(net, { seed }, { seed: seed + 20 }));
      net.network.runUntil(() => isCompleted(a, b), 20_000);
      net.network.runFor(3000);
      a.restart(seed + 1000);
      b.restart(seed + 2000);
      expect(a.agent.selectedTuple).toBeDefined();
      net.network.runUntil(() => a.agent.state === 'checking' && b.agent.state === 'checking', 1000);
      expect(net.network.runUntil(() => isCompleted(a, b), 20_000)).toBe(true);
      expect(areJoined(a, b)).toBe(true);
      expect([...a.selected, ...b.selected]).not.toContain(undefined);
    }
  });

  it('give up after 40 s when nothing gets through', () => {
    const net = new IceNetwork({ seed: 1, lossRate: 1 });
    const { a, b } = bases(twoAgents(net));
    net.network.runUntil(39_000);
    expect([a.agent.state, b.agent.state]).toEqual(['checking', 'checking']);
    net.network.runUntil(42_000);
    expect([a.agent.state, b.agent.state]).toEqual(['failed', 'failed']);
  });

  it('notice when one of them falls silent', () => {
    const net = new IceNetwork(clean);
    const { a, b } = bases(twoAgents(net));
    net.network.runUntil(5000);
    b.handle(b.agent.close());
    net.network.runUntil(45_000);
    expect(a.agent.state).toBe('disconnected');
    expect(a.selected.at(-1)).toBeUndefined();
    expect(b.agent.nextTimeoutMs()).toBeUndefined();
  });
});
