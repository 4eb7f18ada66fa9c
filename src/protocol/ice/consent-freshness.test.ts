import { describe, expect, it } from 'vitest';
import { CandidatePair, type LocalAddress, tupleOf } from './candidate-pair.ts';
import { CONSENT_INTERVAL_MS, ConsentFreshness } from './consent-freshness.ts';

const local: LocalAddress = {
  base: { protocol: 'udp', address: '192.0.2.1', port: 5000 },
  foundation: '1',
  priority: 1000,
  peerReflexivePriority: 900,
};
const remote = {
  transport: 'udp',
  address: '198.51.100.1',
  port: 1,
  priority: 1,
  foundation: '1',
  type: 'host',
} as const;
const pair = new CandidatePair(local, remote, tupleOf(local.base, remote.address, remote.port));

function consentWith(byte: number): ConsentFreshness {
  return new ConsentFreshness(pair, (sizeBytes) => new Uint8Array(sizeBytes).fill(byte), 0);
}

describe('ConsentFreshness', () => {
  it.each([
    [0, 0.8],
    [255, 1.2],
  ])('checks every 5 s ± 20 % (random byte %i)', (byte, factor) => {
    const consent = consentWith(byte);
    const everyMs = CONSENT_INTERVAL_MS * factor;
    expect(consent.nextTimeoutMs()).toBeCloseTo(everyMs, 5);
    expect(consent.poll(everyMs - 1)).toBeUndefined();
    expect(consent.poll(everyMs + 0.001)).toBe('check');
    expect(consent.nextTimeoutMs()).toBeCloseTo(2 * everyMs, 1);
  });

  it('expires 30 s after the last answer', () => {
    const consent = consentWith(128);
    consent.sent('a');
    consent.given('a', 7000);
    expect(consent.poll(36_999)).toBe('check');
    expect(consent.nextTimeoutMs()).toBe(37_000);
    expect(consent.poll(37_000)).toBe('expired');
  });

  it('takes an answer of an older check, and none of one before that or repeated', () => {
    const consent = consentWith(128);
    for (const transaction of ['a', 'b', 'c']) consent.sent(transaction);
    expect(consent.isOutstanding('b')).toBe(true);
    consent.given('b', 1000);
    expect(['a', 'b', 'c'].map((transaction) => consent.isOutstanding(transaction))).toEqual([false, false, true]);
  });

  it('remembers a bounded number of checks', () => {
    const consent = consentWith(128);
    for (let i = 0; i < 100; i++) consent.sent(String(i));
    expect(Array.from({ length: 100 }, (_, i) => consent.isOutstanding(String(i))).filter(Boolean)).toHaveLength(8);
  });
});
