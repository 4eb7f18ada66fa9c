import { IndexedRing } from '../wire/indexed-ring.ts';
import type { ContainerWriter } from './container-writer.ts';
import type { FrameLog } from './frame-log.ts';
import type { StreamHeader } from './stream-header.ts';

/**
 * The frames of a log as the bytes of one container, each made once however many viewers read it. Entry `i` belongs to
 * frame `i` of the log. It starts at the oldest place a viewer could start at, so that rewinding needs nothing more.
 */
export class Rendition {
  readonly #log: FrameLog;
  readonly #writer: ContainerWriter;
  readonly #entries: IndexedRing<Uint8Array>;
  #headerCache: { readonly header: StreamHeader; readonly from: number; readonly bytes: Uint8Array } | undefined;

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

  /** Makes the bytes of every frame that came since the last call, and drops those the log has dropped. */
  advance(): void {
    this.#entries.dropBefore(this.#log.first);
    for (let i = this.#entries.end; i < this.#log.head; i++) {
      const frame = this.#log.at(i);
      // Frames the log dropped before their bytes were made keep their number here as nothing.
      this.#entries.append(frame === undefined ? EMPTY : this.#writer.writeFrame(frame, this.#log.headerAt(i)));
    }
  }

  /** Bytes of frame `index`; undefined when not held. Shared by all readers: never write into it. */
  at(index: number): Uint8Array | undefined {
    return this.#entries.at(index);
  }

  /** What a viewer that starts at frame `index` gets first. */
  headerFor(index: number): Uint8Array {
    const header = this.#log.headerAt(index);
    const cached = this.#headerCache;
    if (cached !== undefined && cached.header === header && cached.from === index) return cached.bytes;
    const bytes = this.#writer.writeHeader(header, this.#log.at(index)?.dtsUs ?? this.#log.newestDtsUs);
    this.#headerCache = { header, from: index, bytes };
    return bytes;
  }

  /** What a viewer that jumps from `from` to `to` gets first: nothing unless the header changed between the two. */
  headerBetween(from: number, to: number): Uint8Array {
    const header = this.#log.headerAt(to);
    if (this.#log.headerAt(from) === header) return EMPTY;
    return this.#writer.writeHeaderUpdate(header, this.#log.at(to)?.dtsUs ?? this.#log.newestDtsUs);
  }
}

const EMPTY = new Uint8Array(0);
