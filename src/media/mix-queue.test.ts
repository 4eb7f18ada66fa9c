import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../codec/frame.ts';
import { MAX_UNMIXED_FRAMES, MixQueue } from './mix-queue.ts';

const KINDS = { V: 'video', A: 'audio', D: 'data' } as const;

/** `V40` is a video frame at 40 ms. */
function frame(name: string): Frame {
  const dtsUs = Number(name.slice(1)) * 1000;
  const kind = KINDS[name[0] as keyof typeof KINDS];
  const track = { kind, trackId: 0, codec: 'aac', config: new Uint8Array(0) } as const;
  return { track, dtsUs, ptsUs: dtsUs, isKeyFrame: true, payload: new Uint8Array(0) };
}

const name = ({ track, dtsUs }: Frame): string => `${track.kind[0]!.toUpperCase()}${dtsUs / 1000}`;

function run(input: string): string {
  const queue = new MixQueue();
  const out = input.split(' ').flatMap((item) => queue.push(frame(item)));
  return [...out, ...queue.drain()].map(name).join(' ');
}

describe('MixQueue', () => {
  it.each([
    ['V0 A0 V40 A20 A40', 'V0 A0 A20 V40 A40'],
    ['V0 V40 V80 A0 A20 A40 A60 A80', 'V0 A0 A20 V40 A40 A60 V80 A80'],
    ['A0 A20 A40 D10 V0 V40', 'A0 V0 D10 A20 A40 V40'],
    ['V0 V0 A0 V0 A0', 'V0 V0 A0 V0 A0'],
  ])('orders %s', (input, expected) => {
    expect(run(input)).toBe(expected);
  });

  it('lets frames of one kind go when more than ten wait', () => {
    const queue = new MixQueue();
    for (let i = 0; i < MAX_UNMIXED_FRAMES; i++) expect(queue.push(frame(`A${i}`))).toEqual([]);
    expect(queue.push(frame('A10')).map(name)).toEqual(['A0']);
    expect(queue.push(frame('A11')).map(name)).toEqual(['A1']);
  });

  it('is empty after it was drained', () => {
    const queue = new MixQueue();
    queue.push(frame('V0'));
    expect(queue.drain().map(name)).toEqual(['V0']);
    expect(queue.drain()).toEqual([]);
    expect(queue.push(frame('A0'))).toEqual([]);
  });

  it('loses nothing, holds little, and keeps the order within a kind', () => {
    const input = fc.array(fc.record({ kind: fc.constantFrom('V', 'A', 'D'), stepMs: fc.nat(50) }), { maxLength: 100 });
    fc.assert(
      fc.property(input, (list) => {
        const queue = new MixQueue();
        const times = { V: 0, A: 0, D: 0 };
        const pushed: Frame[] = [];
        const out: Frame[] = [];
        for (const { kind, stepMs } of list) {
          const key = kind as keyof typeof times;
          times[key] += stepMs;
          const added = frame(`${kind}${times[key]}`);
          pushed.push(added);
          out.push(...queue.push(added));
          expect(pushed.length - out.length).toBeLessThanOrEqual(MAX_UNMIXED_FRAMES);
        }
        out.push(...queue.drain());
        for (const kind of ['video', 'audio', 'data']) {
          const of = (frames: Frame[]): Frame[] => frames.filter(({ track }) => track.kind === kind);
          expect(of(out)).toEqual(of(pushed));
        }
      }),
    );
  });
});
