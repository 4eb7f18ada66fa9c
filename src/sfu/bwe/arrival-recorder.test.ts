import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArrivalRecorder, MAX_RECORDED_PACKETS } from './arrival-recorder.ts';

describe('ArrivalRecorder', () => {
  it('has nothing to tell before anything came', () => {
    const recorder = new ArrivalRecorder();
    expect(recorder.nextTimeoutMs()).toBeUndefined();
    expect(recorder.takeFeedback(1e6)).toEqual([]);
  });

  it.each([0, 32_767, 65_534])('tells what came and what did not, from %i on', (start) => {
    const recorder = new ArrivalRecorder();
    for (const [i, ms] of [
      [0, 10],
      [1, 11],
      [4, 20],
    ] as const) {
      recorder.onPacket((start + i) & 0xffff, ms * 1000);
    }
    expect(recorder.nextTimeoutMs()).toBe(60);
    expect(recorder.takeFeedback(59)).toEqual([]);
    expect(recorder.takeFeedback(60)).toEqual([
      { baseSequenceNumber: start, feedbackCount: 0, arrivalsUs: [10_000, 11_000, undefined, undefined, 20_000] },
    ]);
    recorder.onPacket((start + 6) & 0xffff, 70_000);
    expect(recorder.takeFeedback(120)).toEqual([
      { baseSequenceNumber: (start + 5) & 0xffff, feedbackCount: 1, arrivalsUs: [undefined, 70_000] },
    ]);
  });

  it('is due at once after many packets', () => {
    const recorder = new ArrivalRecorder({ maxPackets: 10 });
    for (let i = 0; i < 10; i++) recorder.onPacket(i, i * 100);
    expect(recorder.nextTimeoutMs()).toBe(0.9);
  });

  it('tells again from a packet on that comes late', () => {
    const recorder = new ArrivalRecorder();
    for (const number of [10, 12]) recorder.onPacket(number, 1000);
    recorder.takeFeedback(100);
    recorder.onPacket(11, 110_000);
    expect(recorder.takeFeedback(200)).toMatchObject([{ baseSequenceNumber: 11, arrivalsUs: [110_000, 1000] }]);
  });

  it('takes a packet from before the first one, and a doubled one at its first time', () => {
    const recorder = new ArrivalRecorder();
    recorder.onPacket(65_535, 1000);
    recorder.onPacket(65_533, 2000);
    recorder.onPacket(65_535, 3000);
    expect(recorder.takeFeedback(100)).toMatchObject([
      { baseSequenceNumber: 65_533, arrivalsUs: [2000, undefined, 1000] },
    ]);
  });

  it('gives packets that came far apart feedback of their own', () => {
    const recorder = new ArrivalRecorder({ intervalMs: 20_000 });
    recorder.onPacket(0, 0);
    recorder.onPacket(1, 9_000_000);
    expect(recorder.takeFeedback(20_000)).toMatchObject([
      { baseSequenceNumber: 0, arrivalsUs: [0] },
      { baseSequenceNumber: 1, arrivalsUs: [9_000_000] },
    ]);
  });

  it('counts feedback modulo 256', () => {
    const recorder = new ArrivalRecorder();
    const counts = Array.from({ length: 300 }, (_, i) => {
      recorder.onPacket(i, i * 100_000);
      return recorder.takeFeedback(i * 100 + 60)[0]!.feedbackCount;
    });
    expect(counts[255]).toBe(255);
    expect(counts[256]).toBe(0);
  });

  it('tells at most of what it holds after any numbers, and begins and ends with a packet that came', () => {
    const packets = fc.array(fc.tuple(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 20_000_000 })));
    fc.assert(
      fc.property(packets, (arrivals) => {
        const recorder = new ArrivalRecorder();
        let atUs = 0;
        for (const [number, stepUs] of arrivals) {
          atUs += stepUs;
          recorder.onPacket(number, atUs);
          for (const { arrivalsUs } of recorder.takeFeedback(atUs / 1000)) {
            expect(arrivalsUs.length).toBeLessThanOrEqual(MAX_RECORDED_PACKETS);
            expect(arrivalsUs.some((arrivalUs) => arrivalUs !== undefined)).toBe(true);
          }
        }
      }),
    );
  });
});
