import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketIndex, REPLAY_WINDOW_PACKETS, rolloverCounterOf } from './packet-index.ts';

function stateAfter(...indices: readonly number[]): PacketIndex {
  const state = new PacketIndex();
  for (const index of indices) state.accept(index);
  return state;
}

describe('PacketIndex', () => {
  it.each([
    // First packet, whatever its sequence number.
    [[], 0, 0],
    [[], 65_535, 65_535],
    // One further, and across the wrap in either direction.
    [[0], 1, 1],
    [[65_535], 0, 65_536],
    [[65_535], 65_534, 65_534],
    [[65_536], 65_535, 65_535],
    [[65_536 * 7 + 3], 65_533, 65_536 * 7 - 3],
    // Half of the numbers away.
    [[32_767], 32_768, 32_768],
    [[32_768], 32_767, 32_767],
    [[0], 32_768, 32_768],
    [[0], 32_769, 32_769 - 65_536],
    [[32_768], 0, 0],
    [[32_769], 0, 65_536],
    [[65_535], 32_767, 32_767],
    [[65_535], 32_766, 32_766 + 65_536],
  ] as const)('after %j estimates for sequence number %i the index %i', (seen, sequenceNumber, expected) => {
    expect(stateAfter(...seen).estimate(sequenceNumber, 0)).toBe(expected);
  });

  it('starts with the rollover counter it is told', () => {
    expect(stateAfter().estimate(5, 9)).toBe(9 * 65_536 + 5);
    expect(stateAfter(3).estimate(5, 9)).toBe(5);
    expect(rolloverCounterOf(9 * 65_536 + 65_535)).toBe(9);
  });

  it('remembers as a set would, within its window', () => {
    const steps = fc.array(fc.integer({ min: -140, max: 200 }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.constantFrom(0, 60_000, 2 ** 32, 2 ** 48 - 300), steps, (start, moves) => {
        const state = stateAfter(start);
        const seen = new Set([start]);
        for (const move of moves) {
          const index = Math.max(0, state.highest + move);
          const isInWindow = index > state.highest - REPLAY_WINDOW_PACKETS && index < 2 ** 48;
          expect(state.isNew(index)).toBe(isInWindow && !seen.has(index));
          if (!state.isNew(index)) continue;
          state.accept(index);
          seen.add(index);
          expect(state.isNew(index)).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([-1, -65_536, 2 ** 48])('knows no packet of index %i', (index) => {
    expect(stateAfter().isNew(index)).toBe(false);
    expect(stateAfter(100).isNew(index)).toBe(false);
  });
});
