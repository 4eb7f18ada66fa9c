import type { Frame } from '../codec/frame.ts';
import type { Track } from '../codec/track.ts';
import { PayloadStore } from './payload-store.ts';

/**
 * Frames by number, as `IndexedRing` would hold them, but laid out in columns, their payloads in a few buffers. A log holds
 * some seconds of every stream, viewed or not; as objects (a frame, its payload view and buffer, boxed times) they were
 * most of what the garbage collector had to walk. Here a frame costs a few slots in typed arrays, and `at` makes the
 * object anew.
 */
export class FrameRing {
  readonly #payloads = new PayloadStore();
  #mask = 63;
  #first = 0;
  #end = 0;
  #tracks: (Track | undefined)[] = Array.from<Track | undefined>({ length: 64 });
  #segments: (Uint8Array | undefined)[] = Array.from<Uint8Array | undefined>({ length: 64 });
  #offsets = new Uint32Array(64);
  #lengths = new Uint32Array(64);
  #dtsUs = new Float64Array(64);
  #ptsUs = new Float64Array(64);
  #agesUs = new Float64Array(64);
  #isKeyFrame = new Uint8Array(64);

  /** Number of the oldest frame held; equal to `end` when empty. */
  get first(): number {
    return this.#first;
  }

  /** Number the next frame will get. */
  get end(): number {
    return this.#end;
  }

  /** Memory set aside for payloads, bytes. */
  get capacityBytes(): number {
    return this.#payloads.sizeBytes;
  }

  get length(): number {
    return this.#end - this.#first;
  }

  /** Takes a frame in; its payload is copied. `ageUs` is any time kept beside it. */
  append(frame: Frame, ageUs: number): number {
    if (this.#end - this.#first > this.#mask) this.#grow();
    const index = this.#end;
    const slot = index & this.#mask;
    const { payload } = frame;
    this.#payloads.put(payload);
    this.#segments[slot] = this.#payloads.segment;
    this.#offsets[slot] = this.#payloads.offset;
    this.#tracks[slot] = frame.track;
    this.#lengths[slot] = payload.length;
    this.#dtsUs[slot] = frame.dtsUs;
    this.#ptsUs[slot] = frame.ptsUs;
    this.#agesUs[slot] = ageUs;
    this.#isKeyFrame[slot] = frame.isKeyFrame ? 1 : 0;
    this.#end = index + 1;
    return index;
  }

  /**
   * The frame with this number in a new object; undefined when it is not held. Its payload is a view, valid until the
   * next `append`, `dropBefore` or `clear`.
   */
  at(index: number): Frame | undefined {
    if (!this.#has(index)) return undefined;
    const slot = index & this.#mask;
    const offset = this.#offsets[slot]!;
    return {
      track: this.#tracks[slot]!,
      dtsUs: this.#dtsUs[slot]!,
      ptsUs: this.#ptsUs[slot]!,
      isKeyFrame: this.#isKeyFrame[slot] === 1,
      payload: this.#segments[slot]!.subarray(offset, offset + this.#lengths[slot]!),
    };
  }

  /** The time given to `append`, or undefined when the frame is not held. */
  ageUs(index: number): number | undefined {
    return this.#has(index) ? this.#agesUs[index & this.#mask] : undefined;
  }

  /** Payload size of a frame, 0 when it is not held. */
  sizeBytes(index: number): number {
    return this.#has(index) ? this.#lengths[index & this.#mask]! : 0;
  }

  /** Drops every frame numbered below `index`. */
  dropBefore(index: number): void {
    const until = Math.min(index, this.#end);
    for (let i = this.#first; i < until; i++) {
      this.#tracks[i & this.#mask] = undefined;
      this.#segments[i & this.#mask] = undefined;
    }
    if (until <= this.#first) return;
    this.#first = until;
    this.#payloads.releaseBefore(this.#segments[until & this.#mask] ?? this.#payloads.segment);
  }

  /** Drops every frame and the memory they were in. */
  clear(): void {
    this.dropBefore(this.#end);
    this.#payloads.clear();
  }

  #has(index: number): boolean {
    return index >= this.#first && index < this.#end;
  }

  #grow(): void {
    const size = this.#tracks.length * 2;
    const old = {
      mask: this.#mask,
      tracks: this.#tracks,
      segments: this.#segments,
      offsets: this.#offsets,
      lengths: this.#lengths,
      dtsUs: this.#dtsUs,
      ptsUs: this.#ptsUs,
      agesUs: this.#agesUs,
      isKeyFrame: this.#isKeyFrame,
    };
    this.#mask = size - 1;
    this.#tracks = Array.from<Track | undefined>({ length: size });
    this.#segments = Array.from<Uint8Array | undefined>({ length: size });
    this.#offsets = new Uint32Array(size);
    this.#lengths = new Uint32Array(size);
    this.#dtsUs = new Float64Array(size);
    this.#ptsUs = new Float64Array(size);
    this.#agesUs = new Float64Array(size);
    this.#isKeyFrame = new Uint8Array(size);
    for (let i = this.#first; i < this.#end; i++) {
      const from = i & old.mask;
      const to = i & this.#mask;
      this.#tracks[to] = old.tracks[from];
      this.#segments[to] = old.segments[from];
      this.#offsets[to] = old.offsets[from]!;
      this.#lengths[to] = old.lengths[from]!;
      this.#dtsUs[to] = old.dtsUs[from]!;
      this.#ptsUs[to] = old.ptsUs[from]!;
      this.#agesUs[to] = old.agesUs[from]!;
      this.#isKeyFrame[to] = old.isKeyFrame[from]!;
    }
  }
}
