import { describe, expect, it } from 'vitest';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import { MAX_UNAUTHENTICATED_ERRORS_PER_SECOND } from '../../../src/protocol/ice/binding-request.ts';
import { makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { IceLiteAgent, type IceLiteEvent, MAX_TUPLES } from '../../../src/protocol/ice/ice-lite-agent.ts';
import type { IceTuple } from '../../../src/protocol/ice/ice-tuple.ts';
import { TupleTable, UfragTable } from '../../../src/protocol/ice/tuple-table.ts';
import { isIntegrityValid } from '../../../src/protocol/stun/message-integrity.ts';
import { StunAttribute } from '../../../src/protocol/stun/stun-attributes.ts';
import type { StunKey } from '../../../src/protocol/stun/stun-crypto.ts';
import { parseStunMessage, StunClass, type StunMessage } from '../../../src/protocol/stun/stun-message.ts';
import { StunWriter } from '../../../src/protocol/stun/stun-writer.ts';
import { Random } from '../../fuzz/mutator.ts';
import { seededBytes } from './ice-network.ts';

const random = seededBytes(42);
const parameters = makeIceParameters(seededBytes(1));
const laterParameters = makeIceParameters(seededBytes(2));
const keyOf = (password: string): StunKey => nodeStunCrypto.importKey(new TextEncoder().encode(password));

/** The peer's path from one of its ports. */
const path = (remotePort: number, protocol: 'udp' | 'tcp' = 'udp'): IceTuple => ({
  protocol,
  localAddress: '192.0.2.1',
  localPort: 40_000,
  remoteAddress: '198.51.100.1',
  remotePort,
});

interface RequestOptions {
  readonly username?: string;
  readonly password?: string;
  readonly nominates?: boolean;
  readonly nomination?: number;
  readonly isControlled?: boolean;
  readonly hasPriority?: boolean;
  readonly integrity?: 'sha1' | 'sha256' | 'none';
  readonly unknown?: number;
  readonly hasFingerprint?: boolean;
  readonly messageClass?: StunClass;
}

function request(options: RequestOptions = {}): Uint8Array {
  const writer = new StunWriter(options.messageClass ?? StunClass.request, 1, random(12)).text(
    StunAttribute.username,
    options.username ?? `${parameters.usernameFragment}:theirs`,
  );
  if (options.hasPriority !== false) writer.u32(StunAttribute.priority, 1_845_501_695);
  writer.u64(options.isControlled === true ? StunAttribute.iceControlled : StunAttribute.iceControlling, 7n);
  if (options.nominates === true) writer.flag(StunAttribute.useCandidate);
  if (options.nomination !== undefined) writer.u32(StunAttribute.nomination, options.nomination);
  if (options.unknown !== undefined) writer.flag(options.unknown);
  const key = keyOf(options.password ?? parameters.password);
  if (options.integrity === 'sha256') writer.messageIntegritySha256(key);
  else if (options.integrity !== 'none') writer.messageIntegrity(key);
  return (options.hasFingerprint === false ? writer : writer.fingerprint()).finish();
}

const newAgent = (consentTimeoutMs?: number): IceLiteAgent<IceTuple> =>
  new IceLiteAgent({
    parameters,
    crypto: nodeStunCrypto,
    ...(consentTimeoutMs === undefined ? {} : { consentTimeoutMs }),
  });

/** What was answered, parsed. */
function answers(events: readonly IceLiteEvent<IceTuple>[]): StunMessage[] {
  return events.flatMap((event) => (event.type === 'send' ? [parseStunMessage(event.bytes)!] : []));
}

/** Events but answers, in short. */
function told(events: readonly IceLiteEvent<IceTuple>[]): string[] {
  return events.flatMap((event) => {
    if (event.type === 'send') return [];
    if (event.type === 'state') return [event.state];
    if (event.type === 'fragment-retired') return [`retired ${event.usernameFragment}`];
    return [`${event.type} ${event.tuple?.remotePort ?? 'none'}`];
  });
}

describe('an ICE-lite agent', () => {
  it.each(['sha1', 'sha256'] as const)('answers a genuine check with the address it came from (%s)', (integrity) => {
    const agent = newAgent();
    const bytes = request({ integrity });
    const events = agent.receive(bytes, path(1), 0);
    const [answer] = answers(events);
    expect(answer?.messageClass).toBe(StunClass.success);
    expect(answer?.transactionId).toEqual(parseStunMessage(bytes)?.transactionId);
    expect(answer?.mappedAddress()).toEqual({ address: '198.51.100.1', port: 1 });
    expect(answer?.hasFingerprint).toBe(true);
    expect(isIntegrityValid(answer!, keyOf(parameters.password), nodeStunCrypto)).toBe(true);
    expect(answer?.has(StunAttribute.messageIntegritySha256)).toBe(integrity === 'sha256');
    expect(told(events)).toEqual(['tuple-added 1', 'selected-tuple 1', 'connected']);
  });

  it.each([
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:198.51.100.1', '198.51.100.1'],
    ['2001:db8::5', '2001:db8::5'],
  ])('tells %s as %s', (remoteAddress, expected) => {
    const [answer] = answers(newAgent().receive(request(), { ...path(1), remoteAddress }, 0));
    expect(answer?.mappedAddress()?.address).toBe(expected);
  });

  it('gives back the very tuple it was given first', () => {
    const agent = newAgent();
    const first = path(1);
    agent.receive(request(), first, 0);
    const events = agent.receive(request(), path(1), 5);
    expect(events.map((event) => event.type === 'send' && event.tuple === first)).toEqual([true]);
    expect(agent.selectedTuple).toBe(first);
    expect(agent.isKnown(path(1))).toBe(true);
    expect(agent.isKnown(path(2))).toBe(false);
    expect(agent.isKnown(path(1, 'tcp'))).toBe(false);
  });

  it.each([
    ['no integrity', { integrity: 'none' }, 400],
    ['a wrong password', { password: 'y'.repeat(32) }, 401],
    ['another username fragment', { username: 'other:theirs' }, 401],
    ['our fragment without a colon', { username: parameters.usernameFragment }, 401],
    ['a fragment ours only begins', { username: `${parameters.usernameFragment}x:theirs` }, 401],
  ] as const)('refuses %s and learns nothing', (_, options, code) => {
    const agent = newAgent();
    const bytes = request({ nominates: true, ...options });
    const events = agent.receive(bytes, path(1), 0);
    const [answer] = answers(events);
    expect(answer?.errorCode()).toBe(code);
    expect(answer?.integrityAt).toBe(0);
    expect(answer!.bytes.length).toBeLessThanOrEqual(bytes.length);
    expect(told(events)).toEqual([]);
    expect([agent.state, agent.tuples, agent.nextTimeoutMs()]).toEqual(['new', [], undefined]);
  });

  it.each([
    ['what it must understand and does not', { unknown: 0x7abc }, 420],
    ['a missing priority', { hasPriority: false }, 400],
    ['a peer that thinks it is controlled', { isControlled: true }, 487],
  ] as const)('refuses %s, signed', (_, options, code) => {
    const agent = newAgent();
    const events = agent.receive(request({ nominates: true, ...options }), path(1), 0);
    const [answer] = answers(events);
    expect(answer?.errorCode()).toBe(code);
    expect(isIntegrityValid(answer!, keyOf(parameters.password), nodeStunCrypto)).toBe(true);
    if (code === 420) expect(answer?.value(StunAttribute.unknownAttributes)).toEqual(Uint8Array.of(0x7a, 0xbc));
    expect(told(events)).toEqual([]);
    expect(agent.state).toBe('new');
  });

  it.each([
    ['an indication', request({ messageClass: StunClass.indication })],
    ['a success response', request({ messageClass: StunClass.success })],
    ['an error response', request({ messageClass: StunClass.error })],
    ['another method', new StunWriter(StunClass.request, 3, random(12)).finish()],
    ['a bare request, whose answer would be longer', new StunWriter(StunClass.request, 1, random(12)).finish()],
    ['something else', new Uint8Array(100)],
    ['nothing', new Uint8Array()],
  ])('does not react to %s', (_, bytes) => {
    expect(newAgent().receive(bytes, path(1), 0)).toEqual([]);
  });

  it('keeps no state of forged requests and answers few of them', () => {
    const agent = newAgent();
    agent.receive(request({ nominates: true }), path(1), 0);
    const dice = new Random(9);
    let errors = 0;
    let sentBytes = 0;
    for (let i = 0; i < 10_000; i++) {
      const tuple = { ...path(1024 + dice.below(60_000)), remoteAddress: `203.0.113.${dice.below(256)}` };
      const events = agent.receive(request({ password: `${i}`.padStart(32, 'z'), nominates: true }), tuple, i / 10);
      expect(told(events)).toEqual([]);
      for (const { bytes } of answers(events)) {
        errors++;
        sentBytes += bytes.length;
      }
    }
    expect(errors).toBeLessThanOrEqual(2 * MAX_UNAUTHENTICATED_ERRORS_PER_SECOND);
    expect(sentBytes).toBeLessThan(1000);
    expect(agent.tuples).toEqual([path(1)]);
    expect(agent.state).toBe('completed');
    expect(answers(agent.receive(request(), path(1), 1000))).toHaveLength(1);
  });

  it('does not believe a check that is repeated from another address, nor a nomination repeated later', () => {
    const agent = newAgent();
    const first = request({ nominates: true });
    agent.receive(first, path(1), 0);
    agent.receive(request({ nominates: true }), path(2), 10);
    expect(agent.receive(first, path(666), 20)).toEqual([]);
    const repeated = agent.receive(first, path(1), 30);
    expect(told(repeated)).toEqual([]);
    expect(answers(repeated)).toHaveLength(1);
    expect(agent.selectedTuple?.remotePort).toBe(2);
    expect(agent.nextTimeoutMs()).toBe(30_000);
  });

  it.each([
    [
      'selects its first path, then what is nominated',
      [[1], [2], [2, 'use']],
      ['connected 1', 'connected 1', 'completed 2'],
    ],
    ['takes a nomination at once', [[1, 'use'], [2], [2, 'use']], ['completed 1', 'completed 1', 'completed 2']],
    [
      'follows larger nominations only',
      [
        [1, 5],
        [2, 4],
        [2, 5],
        [2, 6],
        [1, 6],
      ],
      ['completed 1', 'completed 1', 'completed 1', 'completed 2', 'completed 2'],
    ],
    [
      'takes a nomination by use-candidate between counted ones',
      [
        [1, 5],
        [2, 'use'],
      ],
      ['completed 1', 'completed 2'],
    ],
  ] as const)('%s', (_, checks, expected) => {
    const agent = newAgent();
    const seen = checks.map(([port, choice]) => {
      const nominated = choice === 'use' ? { nominates: true } : { nomination: choice };
      agent.receive(request(choice === undefined ? {} : (nominated as RequestOptions)), path(port), 0);
      return `${agent.state} ${agent.selectedTuple?.remotePort}`;
    });
    expect(seen).toEqual(expected);
  });

  it('keeps eight paths, never dropping the selected one', () => {
    const agent = newAgent();
    agent.receive(request({ nominates: true }), path(1), 0);
    for (let port = 2; port <= MAX_TUPLES; port++) agent.receive(request(), path(port), port);
    agent.receive(request(), path(2), 50);
    const events = agent.receive(request(), path(100), 100);
    expect(told(events)).toEqual(['tuple-removed 3', 'tuple-added 100']);
    expect(agent.tuples).toHaveLength(MAX_TUPLES);
    expect(agent.selectedTuple?.remotePort).toBe(1);
    for (let port = 101; port < 200; port++) agent.receive(request(), path(port), port);
    expect(agent.tuples).toHaveLength(MAX_TUPLES);
    expect(agent.isKnown(path(1))).toBe(true);
  });

  it('falls back to another live path when one ends, and is disconnected without any', () => {
    const agent = newAgent();
    agent.receive(request({ nomination: 9 }), path(1, 'tcp'), 0);
    agent.receive(request(), path(2), 1000);
    agent.receive(request(), path(3), 500);
    expect(told(agent.removeTuple(path(1, 'tcp')))).toEqual(['tuple-removed 1', 'selected-tuple 2']);
    expect(agent.state).toBe('completed');
    expect(agent.removeTuple(path(1, 'tcp'))).toEqual([]);
    expect(told(agent.removeTuple(path(3)))).toEqual(['tuple-removed 3']);
    expect(told(agent.removeTuple(path(2)))).toEqual(['tuple-removed 2', 'selected-tuple none', 'disconnected']);
    // Counting begins anew.
    expect(told(agent.receive(request({ nomination: 1 }), path(4), 2000))).toEqual([
      'tuple-added 4',
      'selected-tuple 4',
      'completed',
    ]);
  });

  it('takes consent away from each path by itself', () => {
    const agent = newAgent();
    agent.receive(request({ nominates: true }), path(1), 0);
    agent.receive(request(), path(2), 10_000);
    expect(agent.nextTimeoutMs()).toBe(30_000);
    expect(agent.handleTimeout(29_999)).toEqual([]);
    expect(told(agent.handleTimeout(30_000))).toEqual(['tuple-removed 1', 'selected-tuple 2']);
    agent.receive(request(), path(2), 35_000);
    expect(agent.nextTimeoutMs()).toBe(65_000);
    expect(told(agent.handleTimeout(65_000))).toEqual(['tuple-removed 2', 'selected-tuple none', 'disconnected']);
    expect(agent.nextTimeoutMs()).toBeUndefined();
    expect(told(agent.receive(request(), path(1), 66_000))).toEqual(['tuple-added 1', 'selected-tuple 1', 'connected']);
  });

  it('takes no consent away when told so', () => {
    const agent = newAgent(0);
    agent.receive(request(), path(1), 0);
    expect(agent.nextTimeoutMs()).toBeUndefined();
    expect(agent.handleTimeout(10_000_000)).toEqual([]);
    expect(agent.state).toBe('connected');
  });

  it('takes the old parameters until the new ones are used', () => {
    const agent = newAgent();
    const later = { username: `${laterParameters.usernameFragment}:new`, password: laterParameters.password };
    agent.receive(request({ nomination: 3 }), path(1), 0);
    expect(agent.restart(laterParameters)).toEqual([]);
    expect(answers(agent.receive(request(), path(1), 10))[0]?.messageClass).toBe(StunClass.success);
    const crossed = request({ ...later, password: parameters.password });
    expect(answers(agent.receive(crossed, path(2), 20))[0]?.errorCode()).toBe(401);
    expect(told(agent.receive(request({ ...later, nomination: 1 }), path(2), 30))).toEqual([
      `retired ${parameters.usernameFragment}`,
      'tuple-added 2',
      'selected-tuple 2',
    ]);
    expect(answers(agent.receive(request(), path(1), 40))[0]?.errorCode()).toBe(401);
    expect(agent.state).toBe('completed');
  });

  it('retires a fragment no longer valid when it restarts again', () => {
    const agent = newAgent();
    agent.restart(laterParameters);
    expect(told(agent.restart(makeIceParameters(seededBytes(3))))).toEqual([`retired ${parameters.usernameFragment}`]);
  });

  it('ends for good', () => {
    const agent = newAgent();
    agent.receive(request(), path(1), 0);
    expect(told(agent.close())).toEqual(['tuple-removed 1', 'selected-tuple none', 'closed']);
    expect(agent.close()).toEqual([]);
    expect(agent.receive(request(), path(1), 0)).toEqual([]);
    expect(agent.nextTimeoutMs()).toBeUndefined();
    expect(() => agent.restart(parameters)).toThrow(expect.objectContaining({ code: 'ice/wrong-state' }));
  });

  it.each([
    ['a short password', { ...parameters, password: 'x' }],
    ['a short fragment', { ...parameters, usernameFragment: 'x' }],
    ['a colon', { ...parameters, usernameFragment: 'abc:def' }],
  ])('is not made with %s', (_, bad) => {
    expect(() => new IceLiteAgent({ parameters: bad, crypto: nodeStunCrypto })).toThrow(
      expect.objectContaining({ code: 'ice/bad-credentials' }),
    );
  });
});

describe('many transports on one port', () => {
  it('get what comes from their addresses, and requests that name them', () => {
    const fragments = new UfragTable<IceLiteAgent<IceTuple>>();
    const table = new TupleTable(fragments);
    const agents = Array.from({ length: 100 }, (_, i) => {
      const own = makeIceParameters(seededBytes(1000 + i));
      const agent = new IceLiteAgent<IceTuple>({ parameters: own, crypto: nodeStunCrypto });
      fragments.add(own.usernameFragment, agent);
      return { agent, own };
    });
    const media = new Uint8Array([0x80, 96, 0, 0]);
    for (const [i, { agent, own }] of agents.entries()) {
      const tuple = path(1000 + i);
      expect(table.find(media, tuple.remoteAddress, tuple.remotePort)).toBeUndefined();
      const check = request({ username: `${own.usernameFragment}:x`, password: own.password });
      const owner = table.find(check, tuple.remoteAddress, tuple.remotePort);
      expect(owner).toBe(agent);
      for (const event of agent.receive(check, tuple, 0)) {
        if (event.type === 'tuple-added') table.addRoute(event.tuple.remoteAddress, event.tuple.remotePort, agent);
      }
      expect(table.find(media, tuple.remoteAddress, tuple.remotePort)).toBe(agent);
    }
    expect(table.size).toBe(100);
    for (const { agent, own } of agents) {
      for (const event of agent.close()) {
        if (event.type === 'tuple-removed') table.removeRoute(event.tuple.remoteAddress, event.tuple.remotePort, agent);
      }
      fragments.remove(own.usernameFragment, agent);
    }
    expect([table.size, fragments.size]).toEqual([0, 0]);
  });
});
