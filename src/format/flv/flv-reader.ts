import type { ProtocolError } from '../../wire/errors.ts';
import type { FlvTypeId } from './flv-codecs.tables.ts';
import {
  FLV_HEADER_SIZE_BYTES,
  FLV_MAX_BODY_SIZE_BYTES,
  FLV_PREVIOUS_TAG_SIZE_BYTES,
  FLV_TAG_HEADER_SIZE_BYTES,
  flvError,
} from './flv-tag.ts';

/** Default of `FlvReaderOptions.maxTagSizeBytes`: 8 MiB, some twenty times a large 4K key frame. */
export const DEFAULT_MAX_TAG_SIZE_BYTES: number = 8 * 1024 * 1024;
/** How far a header may point ahead to the first tag; files of the field always say 9. */
export const MAX_DATA_OFFSET_BYTES = 4096;
/** A body this small is allocated whole when its header arrives; a larger one grows with what really comes. */
const EAGER_BODY_SIZE_BYTES: number = 64 * 1024;

export interface FlvReaderOptions {
  /** Largest tag body accepted, in bytes: 1–16,777,215, default 8 MiB. A larger tag fails with `flv/tag-too-large`. */
  readonly maxTagSizeBytes?: number;
}

export interface FlvTag {
  readonly typeId: FlvTypeId;
  /** Milliseconds, 32 bits without sign, extended byte included. */
  readonly timestamp: number;
  /** The tag body in a buffer of its own, given away with the event. */
  readonly body: Uint8Array;
}

export type FlvReaderEvent =
  | { readonly type: 'header'; readonly hasAudio: boolean; readonly hasVideo: boolean }
  | ({ readonly type: 'tag' } & FlvTag)
  /** A tag of a type the FLV text does not know was skipped. */
  | { readonly type: 'skipped'; readonly typeId: number; readonly sizeBytes: number }
  /** Final: everything received after it is dropped. */
  | { readonly type: 'failed'; readonly error: ProtocolError };

type State = 'header' | 'offset' | 'tag-header' | 'body' | 'skip' | 'failed';

/**
 * Reads an FLV byte stream (FLV v10.1 §E.2–§E.4.1) cut anywhere into tags.
 *
 * There is no resynchronisation: FLV has no start codes, so a byte that cannot begin a tag fails the stream. PreviousTagSize
 * is not compared (many writers get it wrong) and a StreamID other than zero is accepted. Encrypted tags (filter bit) fail
 * with a code of their own.
 */
export class FlvReader {
  readonly #maxTagSizeBytes: number;
  readonly #fixed: Uint8Array = new Uint8Array(FLV_TAG_HEADER_SIZE_BYTES + FLV_PREVIOUS_TAG_SIZE_BYTES);
  #fixedLength = 0;
  #state: State = 'header';
  #skipBytes = 0;
  #typeId = 0;
  #timestamp = 0;
  #body: Uint8Array = new Uint8Array(0);
  #bodySize = 0;
  #bodyLength = 0;

  constructor(options: FlvReaderOptions = {}) {
    this.#maxTagSizeBytes = Math.min(options.maxTagSizeBytes ?? DEFAULT_MAX_TAG_SIZE_BYTES, FLV_MAX_BODY_SIZE_BYTES);
  }

  /** Takes the next bytes of the stream; `bytes` is not kept. Never throws. */
  receive(bytes: Uint8Array): FlvReaderEvent[] {
    const events: FlvReaderEvent[] = [];
    let at = 0;
    for (;;) {
      switch (this.#state) {
        case 'failed':
          return events;
        case 'header': {
          at = this.#fill(bytes, at, FLV_HEADER_SIZE_BYTES);
          if (this.#fixedLength < FLV_HEADER_SIZE_BYTES) return events;
          events.push(this.#parseHeader());
          break;
        }
        case 'offset':
        case 'skip': {
          const taken = Math.min(this.#skipBytes, bytes.length - at);
          at += taken;
          this.#skipBytes -= taken;
          if (this.#skipBytes > 0) return events;
          this.#state = 'tag-header';
          break;
        }
        case 'tag-header': {
          // A tag header is read together with the PreviousTagSize before it: one state less, and the one after the
          // last tag is never waited for.
          const size = FLV_PREVIOUS_TAG_SIZE_BYTES + FLV_TAG_HEADER_SIZE_BYTES;
          at = this.#fill(bytes, at, size);
          if (this.#fixedLength < size) return events;
          const event = this.#parseTagHeader();
          if (event !== undefined) events.push(event);
          break;
        }
        case 'body': {
          at = this.#fillBody(bytes, at);
          if (this.#bodyLength < this.#bodySize) return events;
          events.push({
            type: 'tag',
            typeId: this.#typeId as FlvTypeId,
            timestamp: this.#timestamp,
            body: this.#body,
          });
          this.#body = new Uint8Array(0);
          this.#state = 'tag-header';
          break;
        }
      }
    }
  }

  #fill(bytes: Uint8Array, at: number, size: number): number {
    const taken = Math.min(size - this.#fixedLength, bytes.length - at);
    this.#fixed.set(bytes.subarray(at, at + taken), this.#fixedLength);
    this.#fixedLength += taken;
    return at + taken;
  }

  #fillBody(bytes: Uint8Array, at: number): number {
    const taken = Math.min(this.#bodySize - this.#bodyLength, bytes.length - at);
    const needed = this.#bodyLength + taken;
    if (needed > this.#body.length) {
      // The size is the peer's word only, so the buffer follows what has come, by doubling.
      const grown = new Uint8Array(Math.min(this.#bodySize, Math.max(needed, this.#body.length * 2)));
      grown.set(this.#body.subarray(0, this.#bodyLength));
      this.#body = grown;
    }
    this.#body.set(bytes.subarray(at, at + taken), this.#bodyLength);
    this.#bodyLength = needed;
    return at + taken;
  }

  #parseHeader(): FlvReaderEvent {
    const fixed = this.#fixed;
    this.#fixedLength = 0;
    if (fixed[0] !== 0x46 || fixed[1] !== 0x4c || fixed[2] !== 0x56) {
      return this.#fail(flvError('flv/bad-signature', 'the stream does not begin with "FLV"'));
    }
    if (fixed[3] !== 1) return this.#fail(flvError('flv/bad-version', `FLV version ${fixed[3]} is not known`));
    const dataOffset = ((fixed[5]! << 24) | (fixed[6]! << 16) | (fixed[7]! << 8) | fixed[8]!) >>> 0;
    if (dataOffset < FLV_HEADER_SIZE_BYTES || dataOffset > MAX_DATA_OFFSET_BYTES) {
      return this.#fail(flvError('flv/bad-data-offset', `the header says that tags begin at byte ${dataOffset}`));
    }
    this.#skipBytes = dataOffset - FLV_HEADER_SIZE_BYTES;
    this.#state = 'offset';
    return { type: 'header', hasAudio: (fixed[4]! & 4) !== 0, hasVideo: (fixed[4]! & 1) !== 0 };
  }

  #parseTagHeader(): FlvReaderEvent | undefined {
    const b = this.#fixed;
    const h = FLV_PREVIOUS_TAG_SIZE_BYTES;
    this.#fixedLength = 0;
    const first = b[h]!;
    const size = (b[h + 1]! << 16) | (b[h + 2]! << 8) | b[h + 3]!;
    if ((first & 0xc0) !== 0) {
      return this.#fail(flvError('flv/bad-tag', `a tag cannot begin with byte 0x${first.toString(16)}`));
    }
    if ((first & 0x20) !== 0) {
      return this.#fail(
        flvError('flv/encrypted-tag', 'the stream is encrypted (filtered tags), which is not supported'),
      );
    }
    if (size > this.#maxTagSizeBytes) {
      return this.#fail(
        flvError('flv/tag-too-large', `a tag of ${size} bytes is over the limit of ${this.#maxTagSizeBytes}`),
      );
    }
    if (first !== 8 && first !== 9 && first !== 18) {
      this.#skipBytes = size;
      this.#state = 'skip';
      return { type: 'skipped', typeId: first, sizeBytes: size };
    }
    this.#typeId = first;
    this.#timestamp = ((b[h + 7]! << 24) | (b[h + 4]! << 16) | (b[h + 5]! << 8) | b[h + 6]!) >>> 0;
    this.#bodySize = size;
    this.#bodyLength = 0;
    this.#body = new Uint8Array(size <= EAGER_BODY_SIZE_BYTES ? size : 0);
    this.#state = 'body';
    return undefined;
  }

  #fail(error: ProtocolError): FlvReaderEvent {
    this.#state = 'failed';
    return { type: 'failed', error };
  }
}
