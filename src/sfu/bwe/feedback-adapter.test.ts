import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARRIVAL_WRAP_US, FeedbackAdapter, MAX_FEEDBACK_PACKETS } from './feedback-adapter.ts';
import { SentPacketHistory } from './sent-packet-history.ts';

function sent(count: number, start = 0): { readonly history: SentPacketHistory; readonly adapter: FeedbackAdapter } {
  const history = new SentPacketHistory();
  for (let i = 0; i < count; i++) history.add((start + i) & 0xffff, 1000, i * 10_000, undefined);
  return { history, adapter: new FeedbackAdapter(history) };
}

describe('FeedbackAdapter', () => {
  it('joins feedback with what was sent, across the wrap of the numbers', () => {
    const { adapter } = sent(4, 65_534);
    const report = adapter.adapt({ baseSequenceNumber: 65_534, arrivalsUs: [500, undefined, 20_500, 30_500] }, 50_000);
    expect(report.results.map(({ sentUs, arrivalUs }) => [sentUs, arrivalUs])).toEqual([
      [0, 500],
      [10_000, undefined],
      [20_000, 20_500],
      [30_000, 30_500],
    ]);
  });

  it('takes what the receiver waited off the round trip', () => {
    const { adapter } = sent(2);
    expect(adapter.adapt({ baseSequenceNumber: 0, arrivalsUs: [7000, 47_000] }, 60_000).rttUs).toBe(20_000);
    const late = sent(2).adapter;
    expect(late.adapt({ baseSequenceNumber: 0, arrivalsUs: [undefined, undefined] }, 60_000).rttUs).toBeUndefined();
  });

  it.each([
    ['doubled', [1, 2, 3], [1, 2, 3], 0],
    ['of packets never sent', [1], [1, 2, 3, 4, 5, 6, 7], 0],
  ])('lets feedback that is %s change nothing more', (_, first, again) => {
    const { adapter } = sent(3);
    adapter.adapt({ baseSequenceNumber: 0, arrivalsUs: first }, 50_000);
    const { results } = adapter.adapt({ baseSequenceNumber: 0, arrivalsUs: again }, 50_000);
    expect(results).toHaveLength(3 - first.length);
    expect(adapter.adapt({ baseSequenceNumber: 500, arrivalsUs: again }, 50_000).results).toEqual([]);
  });

  it('tells a packet that comes after it was called lost', () => {
    const { adapter } = sent(2);
    adapter.adapt({ baseSequenceNumber: 0, arrivalsUs: [undefined, 10_500] }, 50_000);
    const { results } = adapter.adapt({ baseSequenceNumber: 0, arrivalsUs: [11_000] }, 60_000);
    expect(results).toMatchObject([{ arrivalUs: 11_000, isRecovered: true }]);
  });

  it('counts packets between two feedbacks as passed over, and late when they are told of after all', () => {
    const { adapter } = sent(6);
    expect(adapter.adapt({ baseSequenceNumber: 0, arrivalsUs: [1, 2] }, 50_000).passedOverBytes).toBe(0);
    expect(adapter.adapt({ baseSequenceNumber: 4, arrivalsUs: [5, 6] }, 60_000).passedOverBytes).toBe(2000);
    const { results, passedOverBytes } = adapter.adapt({ baseSequenceNumber: 2, arrivalsUs: [3, 4] }, 70_000);
    expect(results.map(({ isLate }) => isLate)).toEqual([true, true]);
    expect(passedOverBytes).toBe(0);
  });

  it('unwraps the clock of the receiver both ways', () => {
    const { adapter } = sent(3);
    const arrivalsUs = [ARRIVAL_WRAP_US - 1000, 2000, ARRIVAL_WRAP_US - 500];
    const { results } = adapter.adapt({ baseSequenceNumber: 0, arrivalsUs }, 50_000);
    expect(results.map(({ arrivalUs }) => arrivalUs! - ARRIVAL_WRAP_US)).toEqual([-1000, 2000, -500]);
  });

  it('looks at a bounded number of packets', () => {
    const { adapter } = sent(10);
    const arrivalsUs = Array.from({ length: MAX_FEEDBACK_PACKETS + 10 }, () => 1);
    const baseSequenceNumber = (65_536 - MAX_FEEDBACK_PACKETS) & 0xffff;
    expect(adapter.adapt({ baseSequenceNumber, arrivalsUs }, 50_000).results).toEqual([]);
  });

  it('takes anything for feedback and tells of each packet at most as lost and as received', () => {
    const time = fc.oneof(fc.double(), fc.constant(undefined), fc.integer());
    const feedback = fc.record({ baseSequenceNumber: fc.integer({ min: 0, max: 65_535 }), arrivalsUs: fc.array(time) });
    fc.assert(
      fc.property(fc.array(feedback, { maxLength: 30 }), (feedbacks) => {
        const { history, adapter } = sent(40, 65_520);
        let told = 0;
        for (const each of feedbacks) told += adapter.adapt(each, 1_000_000).results.length;
        expect(told).toBeLessThanOrEqual(80);
        expect(history.outstandingBytes).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
