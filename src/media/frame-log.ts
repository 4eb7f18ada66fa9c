import type { Frame } from '../codec/frame.ts';
import { IndexedRing } from '../wire/indexed-ring.ts';
import { EMPTY_STREAM_HEADER, type StreamHeader } from './stream-header.ts';

/** Audio frames in a row after which a stream that once had video counts as audio only (about 3 s of AAC). */
export const PURE_AUDIO_FRAMES = 115;

/** What one frame is counted for beside its payload, in bytes: the objects around it. */
const FRAME_OVERHEAD_BYTES = 200;

export interface FrameLogOptions {
  /** Most bytes held, default 32 MiB. */
  readonly maxBytes?: number;
  /** Whole GOPs are kept while the rest spans less than this many seconds, default 10. */
  readonly maxSeconds?: number;
  /** A GOP with more frames than this can no longer be joined, default 2500 (SRS `gop_cache_max_frames`). */
  readonly maxGopFrames?: number;
}

/**
 * The newest frames of a stream in the order they came, numbered from 0 for ever, with an index of the places a viewer
 * may start at: video key frames, or every audio frame when there is no video. The oldest GOPs go when the log spans
 * more than its seconds or bytes; the newest GOP stays unless it alone breaks `maxBytes` or `maxGopFrames`.
 */
export class FrameLog {
  readonly #frames = new IndexedRing<Frame>();
  readonly #joinPoints: number[] = [];
  /** Headers and the frame number from which each holds; the last one is in force. */
  readonly #headers: { readonly from: number; readonly header: StreamHeader }[] = [
    { from: 0, header: EMPTY_STREAM_HEADER },
  ];
  readonly #maxBytes: number;
  readonly #maxUs: number;
  readonly #maxGopFrames: number;
  #sizeBytes = 0;
  #audioFramesSinceVideo = PURE_AUDIO_FRAMES;
  #newestDtsUs = 0;

  constructor(options: FrameLogOptions = {}) {
    this.#maxBytes = options.maxBytes ?? 32 * 1024 * 1024;
    this.#maxUs = (options.maxSeconds ?? 10) * 1_000_000;
    this.#maxGopFrames = options.maxGopFrames ?? 2500;
  }

  /** Number of the oldest frame held. */
  get first(): number {
    return this.#frames.first;
  }

  /** Number the next frame will get. */
  get head(): number {
    return this.#frames.end;
  }

  /** Payload bytes and bookkeeping held. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Highest decode time appended so far, microseconds. */
  get newestDtsUs(): number {
    return this.#newestDtsUs;
  }

  /** The header in force for frames appended from now on. */
  get header(): StreamHeader {
    return this.#headers[this.#headers.length - 1]!.header;
  }

  at(index: number): Frame | undefined {
    return this.#frames.at(index);
  }

  /** The header that held when frame `index` was appended (the oldest known one for frames that are gone). */
  headerAt(index: number): StreamHeader {
    for (let i = this.#headers.length - 1; i > 0; i--) {
      const entry = this.#headers[i]!;
      if (entry.from <= index) return entry.header;
    }
    return this.#headers[0]!.header;
  }

  setHeader(header: StreamHeader): void {
    const last = this.#headers[this.#headers.length - 1]!;
    if (last.from === this.head) this.#headers.pop();
    this.#headers.push({ from: this.head, header });
    const hasVideo = header.tracks.some((track) => track.kind === 'video');
    // Video that was just announced takes over from audio frames as the place to start, without waiting for a frame.
    if (hasVideo && !last.header.tracks.some((track) => track.kind === 'video')) this.#audioFramesSinceVideo = 0;
  }

  /** Appends a frame and drops what goes over the budget. Returns the frame's number. */
  append(frame: Frame): number {
    const index = this.#frames.append(frame);
    this.#sizeBytes += frame.payload.length + FRAME_OVERHEAD_BYTES;
    if (frame.dtsUs > this.#newestDtsUs) this.#newestDtsUs = frame.dtsUs;
    if (frame.track.kind === 'video') {
      this.#audioFramesSinceVideo = 0;
      if (frame.isKeyFrame) this.#joinPoints.push(index);
    } else if (frame.track.kind === 'audio') {
      if (this.#audioFramesSinceVideo >= PURE_AUDIO_FRAMES) this.#joinPoints.push(index);
      else this.#audioFramesSinceVideo++;
    }
    this.#evict();
    return index;
  }

  /** Forgets all frames (their numbers are not used again) but keeps the header. */
  clear(): void {
    this.#dropBefore(this.head);
  }

  /** The newest place to start at, or undefined while there is none. */
  newestJoinPoint(): number | undefined {
    return this.#joinPoints[this.#joinPoints.length - 1];
  }

  /** The oldest place to start at that is held, or undefined. */
  oldestJoinPoint(): number | undefined {
    return this.#joinPoints[0];
  }

  /** The first place to start at that is not before frame `index`, or undefined. */
  joinPointFrom(index: number): number | undefined {
    const points = this.#joinPoints;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return points[low];
  }

  /** The newest place to start at that is at least `secondsAgo` back; the oldest one when the log does not go back so far. */
  joinPointAgo(secondsAgo: number): number | undefined {
    const wantedUs = this.#newestDtsUs - secondsAgo * 1_000_000;
    for (let i = this.#joinPoints.length - 1; i >= 0; i--) {
      const index = this.#joinPoints[i]!;
      if (this.#frames.at(index)!.dtsUs <= wantedUs) return index;
    }
    return this.#joinPoints[0];
  }

  #evict(): void {
    for (;;) {
      const next = this.#joinPoints[1];
      if (next === undefined) break;
      const spanAfterUs = this.#newestDtsUs - this.#frames.at(next)!.dtsUs;
      if (this.#sizeBytes <= this.#maxBytes && spanAfterUs < this.#maxUs) break;
      this.#dropBefore(next);
    }
    // One endless GOP, or no key frame yet: the budget holds all the same, and joiners wait for the next key frame.
    while (this.#sizeBytes > this.#maxBytes || this.#frames.length > this.#maxFramesHeld()) {
      this.#dropBefore(this.first + 1);
    }
  }

  #maxFramesHeld(): number {
    return this.#joinPoints.length > 1 ? Number.POSITIVE_INFINITY : this.#maxGopFrames;
  }

  #dropBefore(index: number): void {
    for (let i = this.first; i < index; i++) {
      this.#sizeBytes -= this.#frames.at(i)!.payload.length + FRAME_OVERHEAD_BYTES;
    }
    this.#frames.dropBefore(index);
    while (this.#joinPoints.length > 0 && this.#joinPoints[0]! < index) this.#joinPoints.shift();
    while (this.#headers.length > 1 && this.#headers[1]!.from <= this.first) this.#headers.shift();
  }
}
