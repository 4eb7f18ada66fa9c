/** Size of the first segment, bytes; each further one is twice as large up to `MAX_SEGMENT_BYTES`. */
const MIN_SEGMENT_BYTES = 8_192;
const MAX_SEGMENT_BYTES = 131_072;
/** A piece larger than this gets a segment of its own. */
const LARGE_PIECE_BYTES: number = MAX_SEGMENT_BYTES / 2;
/** Empty segments kept for what comes next, as part of those in use (a GOP leaves at once) and at least. */
const SPARE_PART = 1 / 2;
const MIN_SPARE_SEGMENTS = 2;

/**
 * Bytes of pieces that come and go in the same order, copied into segments that are used again and again: whatever runs
 * through a stream, the collector sees the same few buffers.
 */
export class PayloadStore {
  /** Segments in use in the order they were begun; the last one is being filled. */
  readonly #segments: Uint8Array[] = [];
  readonly #spare: Uint8Array[] = [];
  #used = 0;
  #sizeBytes = 0;

  /** Where `put` has put the piece. */
  segment: Uint8Array = new Uint8Array(0);
  offset = 0;

  /** Memory held, bytes, spare segments included. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Copies `piece` in and leaves its place in `segment` and `offset`. */
  put(piece: Uint8Array): void {
    let segment = this.#segments[this.#segments.length - 1];
    if (segment === undefined || segment.length - this.#used < piece.length) segment = this.#begin(piece.length);
    segment.set(piece, this.#used);
    this.segment = segment;
    this.offset = this.#used;
    this.#used += piece.length;
  }

  /** Gives back every piece older than the first one in `oldest`, a segment `put` has named. */
  releaseBefore(oldest: Uint8Array): void {
    while (this.#segments.length > 1 && this.#segments[0] !== oldest) this.#recycle(this.#segments.shift()!);
  }

  /** Gives back all pieces and all memory. */
  clear(): void {
    this.#segments.length = 0;
    this.#spare.length = 0;
    this.#used = 0;
    this.#sizeBytes = 0;
    this.segment = new Uint8Array(0);
  }

  #begin(neededBytes: number): Uint8Array {
    const last = this.#segments[this.#segments.length - 1];
    const doubled = Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, 2 * (last?.length ?? 0)));
    const isLarge = neededBytes > LARGE_PIECE_BYTES;
    const spare = isLarge ? undefined : this.#spare.pop();
    const segment = spare ?? new Uint8Array(isLarge ? neededBytes : Math.max(doubled, neededBytes));
    if (spare === undefined) this.#sizeBytes += segment.length;
    this.#segments.push(segment);
    this.#used = 0;
    return segment;
  }

  #recycle(segment: Uint8Array): void {
    const spareWanted = Math.max(MIN_SPARE_SEGMENTS, this.#segments.length * SPARE_PART);
    if (segment.length === MAX_SEGMENT_BYTES && this.#spare.length < spareWanted) this.#spare.push(segment);
    else this.#sizeBytes -= segment.length;
  }
}
