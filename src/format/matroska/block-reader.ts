import type { FileWindow } from '../file-window.ts';
import { type EbmlHeader, readEbmlHeader, readVint, toUnsigned } from './ebml-element.ts';
import { MAX_BLOCK_BYTES, MAX_SKIPPED_ELEMENTS, matroskaError } from './matroska-error.ts';
import { ID, LEVEL_1 } from './matroska-ids.tables.ts';

/** Header of a block: track number of up to 8 bytes, timestamp, flags. */
const MAX_BLOCK_HEADER_BYTES = 11;
const MAX_INTEGER_BYTES = 8;
const FLAG_KEY_FRAME = 0x80;

/** A block, of which only the header was read (RFC 9559 §10). */
export interface Block {
  readonly trackNumber: number;
  /** In units of the segment's timestamp scale. */
  readonly timestamp: number;
  readonly isKeyFrame: boolean;
  /** 0 none, 1 Xiph, 2 fixed, 3 EBML. */
  readonly lacing: number;
  /** BlockDuration, in the same units; undefined when not told. */
  readonly duration: number | undefined;
  readonly payloadOffset: number;
  readonly payloadBytes: number;
  /** From where reading gives this block again. */
  readonly place: BlockPlace;
}

/** A place in a cluster. */
export interface BlockPlace {
  readonly offset: number;
  readonly clusterEnd: number;
  readonly clusterTimestamp: number;
}

/** Goes through the blocks of a file, from any cluster or block on. */
export class BlockReader {
  readonly #window: FileWindow;
  #at = 0;
  /** End of the cluster that is being read; infinite when it does not tell; 0 outside of one. */
  #clusterEnd = 0;
  #clusterTimestamp = 0;

  /** Call `moveTo` or `moveToElement` before reading. */
  constructor(window: FileWindow) {
    this.#window = window;
  }

  /** Timestamp of the cluster of the last block. */
  get clusterTimestamp(): number {
    return this.#clusterTimestamp;
  }

  moveTo(place: BlockPlace): void {
    this.#at = place.offset;
    this.#clusterEnd = place.clusterEnd;
    this.#clusterTimestamp = place.clusterTimestamp;
  }

  /** Moves to an element of the segment, as a cluster is. */
  moveToElement(offset: number): void {
    this.#at = offset;
    this.#clusterEnd = 0;
  }

  /**
   * The next block; undefined at the end of the file, which a block that is cut short counts as: so a recording ends whose
   * recorder was killed.
   *
   * @throws ProtocolError `matroska/bad-element`, `matroska/bad-block`, `matroska/block-too-large`
   */
  async next(): Promise<Block | undefined> {
    for (let count = 0; count < MAX_SKIPPED_ELEMENTS; count++) {
      const element = await this.#element();
      if (element === undefined) return undefined;
      switch (element.id) {
        case ID.cluster:
          this.#enterCluster(element);
          break;
        case ID.timestamp:
          this.#clusterTimestamp = await this.#unsigned(element);
          this.#at = element.end;
          break;
        case ID.simpleBlock: {
          this.#at = element.end;
          if (this.#isCut(element)) return undefined;
          return this.#block(element, element, undefined, undefined);
        }
        case ID.blockGroup: {
          this.#at = element.end;
          if (this.#isCut(element)) return undefined;
          const block = await this.#blockGroup(element);
          if (block !== undefined) return block;
          break;
        }
        default:
          this.#at = element.end;
      }
    }
    throw matroskaError('matroska/bad-element', `${MAX_SKIPPED_ELEMENTS} elements in a row without a block`);
  }

  /**
   * The next cluster at or behind the place, and its timestamp; the blocks in between are passed over. Undefined at the end.
   * @throws ProtocolError `matroska/bad-element`
   */
  async nextCluster(): Promise<{ offset: number; timestamp: number } | undefined> {
    let offset = -1;
    // Blocks of clusters that do not tell their size are many.
    for (let count = 0; count < MAX_SKIPPED_ELEMENTS * 16; count++) {
      const element = await this.#element();
      if (element === undefined) return undefined;
      if (element.id === ID.cluster) {
        offset = element.offset;
        this.#enterCluster(element);
      } else if (element.id === ID.timestamp && offset >= 0) {
        const timestamp = await this.#unsigned(element);
        this.#clusterTimestamp = timestamp;
        // With a size, what is in the cluster need not be looked at.
        this.#at = this.#clusterEnd === Number.POSITIVE_INFINITY ? element.end : this.#clusterEnd;
        return { offset, timestamp };
      } else this.#at = element.end;
    }
    throw matroskaError('matroska/bad-element', 'no cluster within a million elements');
  }

  /** The element at the place; undefined at the end of what can be played. */
  async #element(): Promise<EbmlHeader | undefined> {
    const window = this.#window;
    if (this.#at >= this.#clusterEnd) this.#clusterEnd = 0;
    if (this.#at >= window.sizeBytes) return undefined;
    const element = await readEbmlHeader(window, this.#at);
    if (element === undefined) {
      // A recording may have been cut in the middle of a header.
      if (window.sizeBytes - this.#at < MAX_BLOCK_HEADER_BYTES) return undefined;
      throw matroskaError('matroska/bad-element', `there is no element at byte ${this.#at}`);
    }
    // Another file behind this one.
    if (element.id === ID.ebml || element.id === ID.segment) return undefined;
    if (element.end === Number.POSITIVE_INFINITY && element.id !== ID.cluster) {
      throw matroskaError('matroska/bad-element', `the element at byte ${this.#at} does not tell its size`);
    }
    if (this.#clusterEnd === Number.POSITIVE_INFINITY && LEVEL_1.has(element.id)) this.#clusterEnd = 0;
    return element;
  }

  #enterCluster(element: EbmlHeader): void {
    this.#clusterEnd = element.end;
    this.#clusterTimestamp = 0;
    this.#at = element.bodyOffset;
  }

  #isCut(element: EbmlHeader): boolean {
    return element.end > this.#window.sizeBytes;
  }

  async #unsigned(element: EbmlHeader): Promise<number> {
    const size = element.end - element.bodyOffset;
    return size > MAX_INTEGER_BYTES ? 0 : toUnsigned(await this.#window.view(element.bodyOffset, size));
  }

  /** Finds the block of a group (RFC 9559 §5.1.3.5); the payload in it is not read. */
  async #blockGroup(group: EbmlHeader): Promise<Block | undefined> {
    let block: EbmlHeader | undefined;
    let duration: number | undefined;
    let hasReference = false;
    let at = group.bodyOffset;
    for (let count = 0; at < group.end && count < MAX_SKIPPED_ELEMENTS; count++) {
      const child = await readEbmlHeader(this.#window, at);
      if (child === undefined || child.end > group.end) break;
      if (child.id === ID.block) block = child;
      else if (child.id === ID.blockDuration) duration = await this.#unsigned(child);
      else if (child.id === ID.referenceBlock) hasReference = true;
      at = child.end;
    }
    return block && (await this.#block(block, group, !hasReference, duration));
  }

  /**
   *     track(vint) timestamp(16, signed) flags(8): key(1) reserved(3) invisible(1) lacing(2) discardable(1)
   *
   * @param outer what has to be read again to have this block
   * @param isKeyFrame when the block's own flags do not tell
   */
  async #block(
    element: EbmlHeader,
    outer: EbmlHeader,
    isKeyFrame: boolean | undefined,
    duration: number | undefined,
  ): Promise<Block> {
    const sizeBytes = element.end - element.bodyOffset;
    if (sizeBytes > MAX_BLOCK_BYTES) {
      throw matroskaError('matroska/block-too-large', `a block of ${sizeBytes} bytes is over the limit`);
    }
    const bytes = await this.#window.view(element.bodyOffset, Math.min(sizeBytes, MAX_BLOCK_HEADER_BYTES));
    const track = readVint(bytes, 0);
    const headerBytes = (track?.bytes ?? 0) + 3;
    if (track === undefined || headerBytes > bytes.length) {
      throw matroskaError('matroska/bad-block', `the block at byte ${element.offset} is too short`);
    }
    const relative = ((bytes[track.bytes]! << 24) >> 16) | bytes[track.bytes + 1]!;
    const flags = bytes[track.bytes + 2]!;
    return {
      trackNumber: track.value,
      timestamp: this.#clusterTimestamp + relative,
      isKeyFrame: isKeyFrame ?? (flags & FLAG_KEY_FRAME) !== 0,
      lacing: (flags >>> 1) & 3,
      duration,
      payloadOffset: element.bodyOffset + headerBytes,
      payloadBytes: sizeBytes - headerBytes,
      place: {
        offset: outer.offset,
        clusterEnd: this.#clusterEnd,
        clusterTimestamp: this.#clusterTimestamp,
      },
    };
  }
}
