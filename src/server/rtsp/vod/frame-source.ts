import type { Frame } from '../../../codec/frame.ts';
import type { MediaFile } from '../../../format/media-file.ts';

/** Up to this scale every picture is sent, above it key frames only: more would be a multiple of the file's own rate. */
export const MAX_WHOLE_SCALE = 2;

/** Largest scale and speed, also backwards; asked for more, this is played. */
export const MAX_SCALE = 32;

/** A frame and where it stands in the file. */
export interface PositionedFrame {
  readonly frame: Frame;
  /** Microseconds from the start of the file: decode time where all frames are sent, else presentation time. */
  readonly positionUs: number;
}

/** Frames of a file in the order in which a scale shows them. Made for one position and direction. */
export interface FrameSource {
  /** The next frame; undefined when there are no more. */
  next(): Promise<PositionedFrame | undefined>;
}

/** Whether a file can be played at a scale at all: backwards only from picture to picture, and by seeking. */
export function canPlayAt(file: MediaFile, scale: number): boolean {
  if (scale === 1) return true;
  if (scale > 0) return true;
  return file.isSeekable && hasVideo(file);
}

/**
 * The frames of a file from where it stands on.
 * @param fromUs what `seek` gave for it
 */
export function frameSourceOf(file: MediaFile, fromUs: number, scale: number): FrameSource {
  if (scale === 1) return new WholeSource(file);
  if (scale < 0) return new BackwardSource(file, fromUs);
  if (!hasVideo(file)) return new ThinnedSource(file, scale);
  return scale <= MAX_WHOLE_SCALE ? new PictureSource(file, false) : new PictureSource(file, true);
}

function hasVideo(file: MediaFile): boolean {
  return file.tracks.some((track) => track.kind === 'video');
}

/** Every frame. */
class WholeSource implements FrameSource {
  readonly #file: MediaFile;

  constructor(file: MediaFile) {
    this.#file = file;
  }

  async next(): Promise<PositionedFrame | undefined> {
    const frame = await this.#file.next();
    return frame && { frame, positionUs: frame.dtsUs };
  }
}

/** Pictures without sound, which would have another pitch. */
class PictureSource implements FrameSource {
  readonly #file: MediaFile;
  readonly #keyFramesOnly: boolean;

  constructor(file: MediaFile, keyFramesOnly: boolean) {
    this.#file = file;
    this.#keyFramesOnly = keyFramesOnly;
  }

  async next(): Promise<PositionedFrame | undefined> {
    for (;;) {
      const frame = await this.#file.next();
      if (frame === undefined) return undefined;
      if (frame.track.kind !== 'video' || (this.#keyFramesOnly && !frame.isKeyFrame)) continue;
      return { frame, positionUs: this.#keyFramesOnly ? frame.ptsUs : frame.dtsUs };
    }
  }
}

/** Sound alone: as many frames as fit, evenly taken out of all. */
class ThinnedSource implements FrameSource {
  readonly #file: MediaFile;
  readonly #scale: number;
  #due = 0;

  constructor(file: MediaFile, scale: number) {
    this.#file = file;
    this.#scale = scale;
  }

  async next(): Promise<PositionedFrame | undefined> {
    for (;;) {
      const frame = await this.#file.next();
      if (frame === undefined) return undefined;
      this.#due += 1;
      if (this.#due < this.#scale) continue;
      this.#due -= this.#scale;
      return { frame, positionUs: frame.dtsUs };
    }
  }
}

/** Key frames from the position down to the start. */
class BackwardSource implements FrameSource {
  readonly #file: MediaFile;
  /** The next key frame shown lies before this. */
  #beforeUs: number;
  #isFirst = true;

  constructor(file: MediaFile, fromUs: number) {
    this.#file = file;
    this.#beforeUs = fromUs;
  }

  async next(): Promise<PositionedFrame | undefined> {
    if (this.#beforeUs <= 0 && !this.#isFirst) return undefined;
    const targetUs = this.#isFirst ? this.#beforeUs : this.#beforeUs - 1;
    const landedUs = await this.#file.seek(Math.max(0, targetUs));
    // A file whose first place to start lies behind 0 gives it again and again.
    if (!this.#isFirst && landedUs >= this.#beforeUs) return undefined;
    this.#isFirst = false;
    this.#beforeUs = landedUs;
    for (;;) {
      const frame = await this.#file.next();
      if (frame === undefined) return undefined;
      if (frame.track.kind === 'video' && frame.isKeyFrame) return { frame, positionUs: landedUs };
    }
  }
}
