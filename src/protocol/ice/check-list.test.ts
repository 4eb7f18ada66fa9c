import { describe, expect, it } from 'vitest';
import { CandidatePair, type LocalAddress, tupleOf } from './candidate-pair.ts';
import { CheckList, MAX_CANDIDATE_PAIRS } from './check-list.ts';

const local: LocalAddress = {
  base: { protocol: 'udp', address: '192.0.2.1', port: 5000 },
  foundation: '1',
  priority: 1000,
  peerReflexivePriority: 900,
};

function pairOf(port: number, priority: number, foundation: string): CandidatePair {
  const remote = { transport: 'udp', address: '198.51.100.1', port, priority, foundation, type: 'host' } as const;
  return new CandidatePair(local, remote, tupleOf(local.base, remote.address, port));
}

function listOf(...pairs: readonly CandidatePair[]): CheckList {
  const list = new CheckList();
  for (const pair of pairs) list.add(pair, 'controlling');
  return list;
}

/** Ports of the pairs in the order of their checks, none of which is answered. */
function order(list: CheckList): number[] {
  const ports: number[] = [];
  for (let pair = list.next('controlling'); pair !== undefined; pair = list.next('controlling')) {
    pair.state = 'in-progress';
    ports.push(pair.tuple.remotePort);
  }
  return ports;
}

describe('CheckList', () => {
  it('begins with one pair of each foundation, the most preferred first', () => {
    const list = listOf(pairOf(1, 10, 'a'), pairOf(2, 30, 'a'), pairOf(3, 20, 'b'));
    expect([...list.pairs].map(({ state }) => state)).toEqual(['waiting', 'frozen', 'waiting']);
    expect(order(list)).toEqual([3, 1, 2]);
    expect(list.hasNext).toBe(false);
  });

  it('thaws a foundation when one of its pairs works', () => {
    const list = listOf(pairOf(1, 10, 'a'), pairOf(2, 30, 'a'), pairOf(3, 5, 'b'), pairOf(4, 40, 'b'));
    list.unfreeze('1 a');
    expect([...list.pairs].map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting', 'frozen']);
  });

  it('takes triggered pairs before all others, each once', () => {
    const late = pairOf(3, 1, 'c');
    const list = listOf(pairOf(1, 10, 'a'), pairOf(2, 30, 'b'), late);
    list.trigger(late);
    list.trigger(late);
    expect(order(list)).toEqual([3, 2, 1]);
  });

  it('keeps one pair of a path', () => {
    const first = pairOf(1, 10, 'a');
    const list = listOf(first);
    expect(list.add(pairOf(1, 20, 'b'), 'controlling')).toBe(first);
    expect(list.find(first.tuple)).toBe(first);
  });

  it('makes room for a better pair, not for a worse one, and never drops one being checked', () => {
    const list = new CheckList();
    for (let i = 0; i < MAX_CANDIDATE_PAIRS; i++) list.add(pairOf(1 + i, 100 + i, String(i)), 'controlling');
    expect(list.add(pairOf(500, 1, 'x'), 'controlling')).toBeUndefined();
    expect(list.add(pairOf(501, 5000, 'y'), 'controlling')).toBeDefined();
    expect([...list.pairs].some(({ tuple }) => tuple.remotePort === 1)).toBe(false);
    expect([...list.pairs]).toHaveLength(MAX_CANDIDATE_PAIRS);
    for (const pair of list.pairs) pair.state = 'in-progress';
    expect(list.add(pairOf(502, 9000, 'z'), 'controlling')).toBeUndefined();
    [...list.pairs][7]!.state = 'failed';
    expect(list.add(pairOf(503, 1, 'z'), 'controlling')).toBeDefined();
  });

  it('forgets what was not checked once a pair is chosen', () => {
    const chosen = pairOf(1, 10, 'a');
    const list = listOf(chosen, pairOf(2, 30, 'a'), pairOf(3, 20, 'b'));
    chosen.state = 'succeeded';
    list.trigger(chosen);
    list.dropUnchecked();
    expect([...list.pairs]).toEqual([chosen]);
    expect(list.hasNext).toBe(false);
    expect(list.best('succeeded', 'controlled')).toBe(chosen);
  });
});
