import { expect, it } from 'vitest';
import { Retransmission, type RetransmissionOptions } from './retransmission.ts';

/** When a request sent at 0 goes again, and at the end when it is given up. */
function times(options: RetransmissionOptions): number[] {
  const retransmission = new Retransmission(0, options);
  const all: number[] = [];
  for (;;) {
    const atMs = retransmission.dueMs;
    all.push(atMs);
    if (retransmission.next(atMs) === 'expired') return all;
  }
}

it.each([
  ['as the example of RFC 8489 §6.2.1 has it', {}, [500, 1500, 3500, 7500, 15_500, 31_500, 39_500]],
  ['with another first wait', { firstWaitMs: 1000, maxSendings: 3 }, [1000, 3000, 19_000]],
  ['with waits that stop growing', { maxWaitMs: 1000, maxSendings: 5 }, [500, 1500, 2500, 3500, 11_500]],
  ['with a first wait above the longest', { firstWaitMs: 3000, maxWaitMs: 1000, maxSendings: 2 }, [3000, 51_000]],
  ['once', { maxSendings: 1 }, [500]],
  ['once over TCP', { isReliable: true }, [39_500]],
] as const)('a request is sent again %s', (_, options, expected) => {
  expect(times(options)).toEqual(expected);
});
