import { IndexedRing } from '../wire/indexed-ring.ts';
import { joinNeighbours } from '../wire/join-neighbours.ts';
import type { ContainerWriter } from './container-writer.ts';
import type { FrameLog } from './frame-log.ts';
import type { StreamHeader } from './stream-header.ts';

/** Readers that catch up meet at places about this many bytes apart, so that they share what is joined for them. */
export const CUT_BYTES: number = 256 * 1024;

/**
 * The frames of a log as the bytes of one container, each made once however many viewers read it. Entry `i` belongs to
 * frame `i` of the log. It starts at the oldest place a viewer could start at, so that rewinding needs nothing more.
 */
export class Rendition {
  readonly #log: FrameLog;
  readonly #writer: ContainerWriter;
  readonly #entries: IndexedRing<Uint8Array>;
  /** Headers and the first entry written under each. */
  readonly #headers: { readonly from: number; readonly header: StreamHeader }[] = [];
  readonly #cuts: number[] = [];
  #sinceCutBytes = 0;
  #startCache: HeaderBytes | undefined;
  #updateCache: HeaderBytes | undefined;

  /** Makes the bytes of what is in the log already; throws what the writer throws. */
  constructor(log: FrameLog, writer: ContainerWriter) {
    this.#log = log;
    this.#writer = writer;
    this.#entries = new IndexedRing<Uint8Array>(log.oldestJoinPoint() ?? log.head);
    this.advance();
  }

  get first(): number {
    return this.#entries.first;
  }

  get head(): number {
    return this.#entries.end;
  }

  /**
   * Makes the bytes of every frame that came since the last call, and drops those the log has dropped. Throws what the
   * writer throws, and is of no use afterwards.
   */
  advance(): void {
    for (let i = this.#entries.end; i < this.#log.head; i++) {
      const frame = this.#log.at(i);
      let bytes = frame === undefined ? EMPTY : this.#write(i);
      if (i === this.#log.head - 1) bytes = this.#withHeldBack(bytes);
      if (this.#sinceCutBytes > 0 && this.#sinceCutBytes + bytes.length > CUT_BYTES) this.#cut(i);
      this.#sinceCutBytes += bytes.length;
      this.#entries.append(bytes);
    }
    // Rather here than inside what the next call makes: there it would split the write to every viewer that keeps up.
    if (this.#sinceCutBytes > CUT_BYTES / 2) this.#cut(this.head);
    // After making, so that frames the log dropped before their bytes were made are seen to be gone, not empty.
    this.#dropBefore(this.#log.first);
  }

  /** Bytes of frame `index`; undefined when not held. Shared by all readers: never write into it. */
  at(index: number): Uint8Array | undefined {
    return this.#entries.at(index);
  }

  /** The header in force at entry `index`, which must be held. */
  headerAt(index: number): StreamHeader {
    let i = this.#headers.length - 1;
    while (i > 0 && this.#headers[i]!.from > index) i--;
    return this.#headers[i]?.header ?? this.#log.headerAt(index);
  }

  /** Where a reader that stands at `index` should end its next piece: an entry after `index`, at most `head`. */
  cutAfter(index: number): number {
    const cuts = this.#cuts;
    let low = 0;
    let high = cuts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cuts[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    return cuts[low] ?? this.head;
  }

  /** What a viewer that starts at frame `index` gets first. */
  startBytes(index: number): Uint8Array {
    const cached = this.#startCache;
    const header = this.#log.headerAt(index);
    if (cached?.header === header && cached.index === index) return cached.bytes;
    const bytes = this.#writer.writeHeader(header, this.#log.at(index)?.dtsUs ?? 0);
    this.#startCache = { header, index, bytes };
    return bytes;
  }

  /** What a viewer gets first that knows the header `known` and goes on at frame `index`: nothing when it is still in force. */
  updateBytes(known: StreamHeader, index: number): Uint8Array {
    const header = this.#log.headerAt(index);
    if (known === header) return EMPTY;
    const cached = this.#updateCache;
    if (cached?.header === header && cached.index === index) return cached.bytes;
    const bytes = this.#writer.writeHeaderUpdate(header, this.#log.at(index)?.dtsUs ?? 0);
    this.#updateCache = { header, index, bytes };
    return bytes;
  }

  #write(index: number): Uint8Array {
    const header = this.#log.headerAt(index);
    if (this.#headers[this.#headers.length - 1]?.header !== header) this.#headers.push({ from: index, header });
    return this.#writer.writeFrame(this.#log.at(index)!, header);
  }

  /** The last entry of a round and what the writer held back in it. */
  #withHeldBack(bytes: Uint8Array): Uint8Array {
    const heldBack = this.#writer.writeHeldBack?.() ?? EMPTY;
    if (heldBack.length === 0) return bytes;
    return bytes.length === 0 ? heldBack : joinNeighbours([bytes, heldBack]);
  }

  #cut(index: number): void {
    this.#cuts.push(index);
    this.#sinceCutBytes = 0;
  }

  #dropBefore(index: number): void {
    this.#entries.dropBefore(index);
    while (this.#headers.length > 1 && this.#headers[1]!.from <= index) this.#headers.shift();
    while (this.#cuts.length > 0 && this.#cuts[0]! <= index) this.#cuts.shift();
  }
}

interface HeaderBytes {
  readonly header: StreamHeader;
  readonly index: number;
  readonly bytes: Uint8Array;
}

const EMPTY = new Uint8Array(0);
