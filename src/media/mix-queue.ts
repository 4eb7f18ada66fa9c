import type { Frame } from '../codec/frame.ts';

/** With frames of one kind only, the queue lets go at this many (SRS `mix_correct`). */
export const MAX_UNMIXED_FRAMES = 10;

/**
 * Orders audio and video by decode time before they enter the log, for publishers that interleave them badly
 * (SRS `mix_correct`). Frames leave when both kinds wait, or when ten of one kind do; the order within a kind stays.
 */
export class MixQueue {
  readonly #frames: Frame[] = [];
  #audio = 0;
  #video = 0;

  /** Takes a frame in and gives back the frames that may go on, in order. */
  push(frame: Frame): Frame[] {
    let at = this.#frames.length;
    while (at > 0 && this.#frames[at - 1]!.dtsUs > frame.dtsUs) at--;
    this.#frames.splice(at, 0, frame);
    this.#count(frame, 1);
    const out: Frame[] = [];
    while (this.#mayLeave()) {
      const first = this.#frames.shift()!;
      this.#count(first, -1);
      out.push(first);
    }
    return out;
  }

  /** Everything that still waits, in order; the queue is empty after. */
  drain(): Frame[] {
    this.#audio = 0;
    this.#video = 0;
    return this.#frames.splice(0);
  }

  #mayLeave(): boolean {
    if (this.#frames.length === 0) return false;
    return (this.#audio > 0 && this.#video > 0) || this.#frames.length > MAX_UNMIXED_FRAMES;
  }

  #count(frame: Frame, by: 1 | -1): void {
    if (frame.track.kind === 'audio') this.#audio += by;
    else if (frame.track.kind === 'video') this.#video += by;
  }
}
