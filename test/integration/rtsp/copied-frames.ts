import { expect } from 'vitest';

import type { Frame } from '../../../src/codec/frame.ts';
import type { Stream } from '../../../src/media/stream.ts';
import { until } from '../robustness/until.ts';

/** Longest wait for a copy, milliseconds. */
const COPY_MS = 15_000;
/** Frames of each kind before the copy is compared. */
const ENOUGH_FRAMES = 20;

/** Payloads of the frames of one kind that a stream's log holds, base64. */
export function framesOf(stream: Stream | undefined, kind: Frame['track']['kind']): string[] {
  const frames: string[] = [];
  if (stream === undefined) return frames;
  for (let i = stream.log.first; i < stream.log.head; i++) {
    const frame = stream.log.at(i);
    if (frame?.track.kind === kind) frames.push(Buffer.from(frame.payload).toString('base64'));
  }
  return frames;
}

/** Waits until a stream has copied enough of another, and expects picture and sound without a gap or a change. */
export async function expectCopy(copy: () => Stream | undefined, origin: () => Stream | undefined): Promise<void> {
  const kinds = ['video', 'audio'] as const;
  const isEnough = (): boolean => kinds.every((kind) => framesOf(copy(), kind).length > ENOUGH_FRAMES);
  await until('enough frames', isEnough, COPY_MS);
  for (const kind of kinds) {
    const frames = framesOf(copy(), kind);
    const expected = framesOf(origin(), kind);
    const from = expected.indexOf(frames[0]!);
    expect(from).toBeGreaterThanOrEqual(0);
    expect(frames).toEqual(expected.slice(from, from + frames.length));
  }
}
