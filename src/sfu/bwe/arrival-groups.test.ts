import { describe, expect, it } from 'vitest';
import { ArrivalGroups, CLOCK_JUMP_US, type GroupDelta } from './arrival-groups.ts';

type Packet = readonly [sentMs: number, arrivalMs: number, heardMs?: number];

function deltas(packets: readonly Packet[], groups = new ArrivalGroups()): (readonly [number, number])[] {
  const found: GroupDelta[] = [];
  for (const [sentMs, arrivalMs, heardMs = arrivalMs] of packets) {
    const delta = groups.add(sentMs * 1000, arrivalMs * 1000, heardMs * 1000);
    if (delta !== undefined) found.push(delta);
  }
  return found.map(({ sendUs, arrivalUs }) => [sendUs / 1000, arrivalUs / 1000]);
}

describe('ArrivalGroups', () => {
  it.each<[string, readonly Packet[], readonly (readonly [number, number])[]]>([
    [
      'one group says nothing',
      [
        [0, 10],
        [2, 12],
        [5, 15],
      ],
      [],
    ],
    [
      'two say nothing before the third begins',
      [
        [0, 10],
        [10, 20],
      ],
      [],
    ],
    [
      'compares the last packets of two groups',
      [
        [0, 10],
        [4, 14],
        [20, 30],
        [24, 40],
        [40, 60],
      ],
      [[20, 26]],
    ],
    [
      'packets that come at once after a stall are one group',
      [
        [0, 10],
        [10, 60],
        [20, 61],
        [30, 62],
        [60, 100],
      ],
      [[30, 52]],
    ],
    [
      'a packet that was overtaken is left out',
      [
        [0, 10],
        [20, 30],
        [10, 31],
        [40, 50],
      ],
      [[20, 20]],
    ],
  ])('%s', (_, packets, expected) => {
    expect(deltas(packets)).toEqual(expected);
  });

  it('cuts a burst that goes on and on', () => {
    const packets = Array.from({ length: 60 }, (_, i): Packet => [i * 6, 100 + i * 4]);
    expect(deltas(packets).length).toBeGreaterThan(0);
  });

  it('forgets all when the clock of the receiver jumps', () => {
    const jumpMs = CLOCK_JUMP_US / 1000;
    const packets: Packet[] = [
      [0, 10],
      [20, 30],
      [40, 50],
      [60, 70 + jumpMs, 70],
      [80, 90 + jumpMs, 90],
      [100, 110 + jumpMs, 110],
      [120, 130 + jumpMs, 130],
    ];
    expect(deltas(packets).every(([, arrivalMs]) => arrivalMs === 20)).toBe(true);
    expect(deltas(packets).length).toBeGreaterThan(0);
  });

  it('begins anew when the clock is set back a little, after three groups', () => {
    const packets: Packet[] = Array.from({ length: 12 }, (_, i): Packet => [i * 20, i < 6 ? 1000 - i * 20 : i * 20, 0]);
    expect(deltas(packets).every(([, arrivalMs]) => arrivalMs >= 0)).toBe(true);
  });
});
