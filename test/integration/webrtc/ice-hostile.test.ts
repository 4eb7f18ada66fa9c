import { describe, expect, it } from 'vitest';
import { nodeStunCrypto } from '../../../src/io/stun-crypto.ts';
import { MAX_UNAUTHENTICATED_ERRORS_PER_SECOND } from '../../../src/protocol/ice/binding-request.ts';
import { type IceParameters, makeIceParameters } from '../../../src/protocol/ice/credentials.ts';
import { IceAgent, type IceAgentEvent } from '../../../src/protocol/ice/ice-agent.ts';
import { type IceTuple, tupleKey } from '../../../src/protocol/ice/ice-tuple.ts';
import { MAX_REMOTE_CANDIDATES } from '../../../src/protocol/ice/remote-addresses.ts';
import { StunAttribute } from '../../../src/protocol/stun/stun-attributes.ts';
import type { StunKey } from '../../../src/protocol/stun/stun-crypto.ts';
import { parseStunMessage, StunClass } from '../../../src/protocol/stun/stun-message.ts';
import { StunWriter } from '../../../src/protocol/stun/stun-writer.ts';
import { seededBytes } from './ice-network.ts';

const ours = makeIceParameters(seededBytes(1));
const theirs = makeIceParameters(seededBytes(2));
const random = seededBytes(3);
const keyOf = ({ password }: IceParameters): StunKey => nodeStunCrypto.importKey(new TextEncoder().encode(password));
const stranger: IceParameters = { usernameFragment: 'some', password: 'q'.repeat(32) };

const path: IceTuple = {
  protocol: 'udp',
  localAddress: '192.0.2.1',
  localPort: 5000,
  remoteAddress: '198.51.100.1',
  remotePort: 6000,
};

type Sent = Extract<IceAgentEvent, { type: 'send' }>;
const sentOf = (events: readonly IceAgentEvent[]): Sent[] => events.filter((event) => event.type === 'send');
const isRequest = ({ bytes }: Sent): boolean => parseStunMessage(bytes)?.messageClass === StunClass.request;

/** A controlling agent whose first check is on its way. */
function checkingAgent(): { agent: IceAgent; check: Uint8Array } {
  const agent = new IceAgent({ parameters: ours, role: 'controlling', crypto: nodeStunCrypto, random: seededBytes(4) });
  agent.addBase({ protocol: 'udp', address: '192.0.2.1', port: 5000 });
  agent.setRemoteParameters(theirs, 0);
  agent.addRemoteCandidate({
    foundation: '1',
    component: 1,
    transport: 'udp',
    priority: 2_130_706_431,
    address: '198.51.100.1',
    port: 6000,
    type: 'host',
  });
  agent.endOfRemoteCandidates();
  const [first] = sentOf(agent.handleTimeout(0));
  expect(first?.tuple).toEqual(path);
  return { agent, check: first!.bytes };
}

/** @param required an attribute whoever answers must understand */
function answer(
  check: Uint8Array,
  signedBy: IceParameters | undefined,
  { code, required }: { readonly code?: number; readonly required?: number } = {},
): Uint8Array {
  const { transactionId } = parseStunMessage(check)!;
  const writer = new StunWriter(code === undefined ? StunClass.success : StunClass.error, 1, transactionId);
  if (code === undefined) writer.xorMappedAddress({ address: '192.0.2.1', port: 5000 });
  else writer.errorCode(code);
  if (required !== undefined) writer.flag(required);
  if (signedBy !== undefined) writer.messageIntegrity(keyOf(signedBy));
  return writer.fingerprint().finish();
}

function request(signedBy: IceParameters): Uint8Array {
  return new StunWriter(StunClass.request, 1, random(12))
    .text(StunAttribute.username, `${ours.usernameFragment}:${theirs.usernameFragment}`)
    .u32(StunAttribute.priority, 1000)
    .u64(StunAttribute.iceControlled, 0n)
    .flag(StunAttribute.useCandidate)
    .messageIntegrity(keyOf(signedBy))
    .fingerprint()
    .finish();
}

/** Answers everything the agent asks for so long. */
function serve(agent: IceAgent, fromMs: number, untilMs: number): { nowMs: number; answers: Uint8Array[] } {
  const answers: Uint8Array[] = [];
  let nowMs = fromMs;
  for (;;) {
    const nextMs = agent.nextTimeoutMs();
    if (nextMs === undefined || nextMs > untilMs) return { nowMs, answers };
    nowMs = Math.max(nextMs, nowMs);
    for (const sent of sentOf(agent.handleTimeout(nowMs)).filter(isRequest)) {
      answers.push(answer(sent.bytes, theirs));
      agent.receive(answers.at(-1)!, path, nowMs + 1);
    }
  }
}

describe('a full agent', () => {
  it.each([
    ['an answer nobody signed', (check: Uint8Array) => answer(check, undefined), path],
    ['an answer signed by a stranger', (check: Uint8Array) => answer(check, stranger), path],
    ['an answer signed with our own password', (check: Uint8Array) => answer(check, ours), path],
    ['an error nobody signed', (check: Uint8Array) => answer(check, undefined, { code: 401 }), path],
    ['a role conflict nobody signed', (check: Uint8Array) => answer(check, undefined, { code: 487 }), path],
    [
      'an answer with more than is understood',
      (check: Uint8Array) => answer(check, theirs, { required: 0x7abc }),
      path,
    ],
    ['a good answer from elsewhere', (check: Uint8Array) => answer(check, theirs), { ...path, remotePort: 6001 }],
    ['a good answer to another socket', (check: Uint8Array) => answer(check, theirs), { ...path, localPort: 5001 }],
    ['an answer to a check that was not sent', () => answer(request(theirs), theirs), path],
    ['its own check sent back', (check: Uint8Array) => check, path],
  ] as const)('ignores %s, and takes the genuine one after it', (_, forge, tuple) => {
    const { agent, check } = checkingAgent();
    const events = agent.receive(forge(check), tuple, 10);
    expect(events.every(({ type }) => type === 'send')).toBe(true);
    expect([agent.state, agent.role, agent.selectedTuple]).toEqual(['checking', 'controlling', undefined]);
    agent.receive(answer(check, theirs), path, 20);
    expect([agent.state, agent.selectedTuple]).toEqual(['connected', path]);
  });

  it('switches its role for a signed conflict only, and asks again', () => {
    const { agent, check } = checkingAgent();
    agent.receive(answer(check, theirs, { code: 487 }), path, 10);
    expect(agent.role).toBe('controlled');
    const [again] = sentOf(agent.handleTimeout(60));
    expect(parseStunMessage(again!.bytes)?.has(StunAttribute.iceControlled)).toBe(true);
  });

  it('gives a pair up after a signed error', () => {
    const { agent, check } = checkingAgent();
    agent.receive(answer(check, theirs, { code: 400 }), path, 10);
    expect(sentOf(agent.handleTimeout(5000))).toEqual([]);
  });

  it('takes no consent from answers repeated', () => {
    const { agent, check } = checkingAgent();
    agent.receive(answer(check, theirs), path, 10);
    const { answers } = serve(agent, 10, 20_000);
    expect(agent.state).toBe('completed');
    expect(answers.length).toBeGreaterThan(2);
    for (let nowMs = 20_000; nowMs < 52_000; nowMs += 500) {
      for (const bytes of answers) agent.receive(bytes, path, nowMs);
      agent.handleTimeout(nowMs);
    }
    expect(agent.state).toBe('disconnected');
  });

  it('keeps no state of 10,000 forged requests and answers few of them', () => {
    const { agent } = checkingAgent();
    let errors = 0;
    for (let i = 0; i < 10_000; i++) {
      const tuple = { ...path, remoteAddress: `203.0.113.${i % 250}`, remotePort: 1000 + i };
      const events = agent.receive(request(stranger), tuple, i / 10);
      errors += sentOf(events).length;
      expect(events.length).toBe(sentOf(events).length);
    }
    expect(errors).toBeLessThanOrEqual(2 * MAX_UNAUTHENTICATED_ERRORS_PER_SECOND);
    const targets = new Set<string>();
    for (let nowMs = 1000; nowMs < 30_000; nowMs += 50) {
      for (const { tuple } of sentOf(agent.handleTimeout(nowMs))) targets.add(tupleKey(tuple));
    }
    expect([...targets]).toEqual([tupleKey(path)]);
  });

  it('checks a bounded number of addresses of a peer that comes from everywhere', () => {
    const { agent } = checkingAgent();
    for (let i = 0; i < 10_000; i++) agent.receive(request(theirs), { ...path, remotePort: 1000 + i }, 1);
    // Signed with their password, which is not ours: strangers. Now with ours.
    for (let i = 0; i < 10_000; i++) agent.receive(request(ours), { ...path, remotePort: 1000 + i }, 2);
    const targets = new Set<string>();
    let sent = 0;
    for (let nowMs = 10; nowMs < 60_000; nowMs += 10) {
      for (const { tuple } of sentOf(agent.handleTimeout(nowMs))) {
        targets.add(tupleKey(tuple));
        sent++;
      }
    }
    expect(targets.size).toBeGreaterThan(10);
    expect(targets.size).toBeLessThanOrEqual(MAX_REMOTE_CANDIDATES);
    expect(sent).toBeLessThan(MAX_REMOTE_CANDIDATES * 20);
  });

  it('does not take the address of a STUN server’s answer from somebody else', () => {
    const stunServers = [{ address: '192.0.2.53', port: 3478 }];
    const options = { parameters: ours, crypto: nodeStunCrypto, random: seededBytes(4), stunServers } as const;
    const agent = new IceAgent({ ...options, role: 'controlling' });
    agent.addBase({ protocol: 'udp', address: '192.0.2.1', port: 5000 });
    const [question] = sentOf(agent.handleTimeout(0));
    const { transactionId } = parseStunMessage(question!.bytes)!;
    const reply = new StunWriter(StunClass.success, 1, transactionId)
      .xorMappedAddress({ address: '203.0.113.1', port: 7 })
      .finish();
    expect(agent.receive(reply, { ...question!.tuple, remotePort: 53 }, 1)).toEqual([]);
    const events = agent.receive(reply, question!.tuple, 2);
    expect(events.map(({ type }) => type)).toEqual(['candidate', 'gathered']);
    expect(agent.receive(reply, question!.tuple, 3)).toEqual([]);
  });

  it('gives up asking a server that is silent', () => {
    const stunServers = [{ address: '192.0.2.53', port: 3478 }];
    const options = { parameters: ours, crypto: nodeStunCrypto, random: seededBytes(4), stunServers } as const;
    const agent = new IceAgent({ ...options, role: 'controlling' });
    agent.addBase({ protocol: 'udp', address: '192.0.2.1', port: 5000 });
    const types: string[] = [];
    let nowMs = 0;
    for (let next = agent.nextTimeoutMs(); next !== undefined; next = agent.nextTimeoutMs()) {
      nowMs = next;
      types.push(...agent.handleTimeout(nowMs).map(({ type }) => type));
    }
    expect(types).toEqual(['send', 'send', 'send', 'send', 'send', 'gathered']);
    expect(nowMs).toBeLessThan(20_000);
  });
});
