import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../codec/frame.ts';
import type { Track } from '../codec/track.ts';
import { FrameRing } from './frame-ring.ts';

const TRACKS: readonly Track[] = ['video', 'audio'].map((kind) => ({
  kind: kind as 'video' | 'audio',
  trackId: 0,
  codec: 'aac',
  config: new Uint8Array(0),
}));

describe('FrameRing', () => {
  it('gives back what a list would, however it is filled and dropped from', () => {
    const message = new Uint8Array(64).map((_, i) => i);
    const frame = fc.record({
      track: fc.constantFrom(...TRACKS),
      dtsUs: fc.nat(2 ** 50),
      shiftUs: fc.integer({ min: -(2 ** 24), max: 2 ** 24 }),
      isKeyFrame: fc.boolean(),
      from: fc.nat(32),
      size: fc.nat(32),
    });
    const steps = fc.array(fc.oneof({ weight: 9, arbitrary: frame }, { weight: 1, arbitrary: fc.nat(400) }), {
      maxLength: 400,
      size: 'max',
    });
    fc.assert(
      fc.property(steps, (list) => {
        const ring = new FrameRing();
        const frames: Frame[] = [];
        let first = 0;
        for (const step of list) {
          if (typeof step === 'number') {
            ring.dropBefore(step);
            first = Math.max(first, Math.min(step, frames.length));
          } else {
            const { track, dtsUs, shiftUs, isKeyFrame, from, size } = step;
            const payload = message.subarray(from, from + size);
            const added = { track, dtsUs, ptsUs: dtsUs + shiftUs, isKeyFrame, payload };
            expect(ring.append(added, dtsUs + 1)).toBe(frames.length);
            frames.push(added);
          }
        }
        expect([ring.first, ring.end, ring.length]).toEqual([first, frames.length, frames.length - first]);
        for (let i = -1; i <= frames.length; i++) {
          const expected = i < first ? undefined : frames[i];
          const found = ring.at(i);
          expect(found).toEqual(expected);
          expect(found?.track).toBe(expected?.track);
          expect(ring.ageUs(i)).toBe(expected === undefined ? undefined : expected.dtsUs + 1);
          expect(ring.sizeBytes(i)).toBe(expected?.payload.length ?? 0);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('keeps payloads of any size through wraps and growth', () => {
    const sizes = fc.oneof(fc.nat(2000), fc.nat(40_000));
    const steps = fc.array(fc.record({ size: sizes, keep: fc.integer({ min: 0, max: 12 }) }), {
      maxLength: 300,
      size: 'max',
    });
    fc.assert(
      fc.property(steps, (list) => {
        const ring = new FrameRing();
        list.forEach(({ size, keep }, i) => {
          const payload = new Uint8Array(size).fill(i);
          ring.append({ track: TRACKS[0]!, dtsUs: i, ptsUs: i, isKeyFrame: true, payload }, i);
          payload.fill(0xee);
          ring.dropBefore(ring.end - keep);
          for (let held = ring.first; held < ring.end; held++) {
            const found = ring.at(held)!.payload;
            expect(found.length).toBe(list[held]!.size);
            if (found.length > 0) expect([found[0], found[found.length - 1]]).toEqual([held & 255, held & 255]);
          }
        });
      }),
      { numRuns: 30 },
    );
  });

  it('gives its memory back when cleared', () => {
    const ring = new FrameRing();
    const frame = { track: TRACKS[0]!, dtsUs: 0, ptsUs: 0, isKeyFrame: true };
    ring.append({ ...frame, payload: new Uint8Array(100_000) }, 0);
    expect(ring.capacityBytes).toBeGreaterThanOrEqual(100_000);
    ring.clear();
    expect(ring.capacityBytes).toBe(0);
    ring.append({ ...frame, payload: Uint8Array.of(7) }, 0);
    expect(ring.at(1)!.payload).toEqual(Uint8Array.of(7));
  });
});
