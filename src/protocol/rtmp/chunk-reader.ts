import { getU32 } from '../../wire/big-endian.ts';
import type { ProtocolError } from '../../wire/errors.ts';
import { type RtmpErrorCode, rtmpError } from './rtmp-error.ts';
import { RTMP_DEFAULT_CHUNK_SIZE, RTMP_MESSAGE_TYPE, type RtmpMessage } from './rtmp-message.ts';

/** Largest message taken, in bytes. The 24-bit length field cannot say more anyway. */
export const RTMP_MAX_MESSAGE_SIZE_BYTES = 16_777_216;
/** Most chunk streams one connection may open. Real peers use five or six. */
export const RTMP_MAX_CHUNK_STREAMS = 64;
/** Most memory the unfinished messages of one connection may hold together. */
export const RTMP_MAX_PARTIAL_BYTES = 33_554_432;
/** Largest chunk size a peer may set (RTMP 1.0 §5.4.1: 31 bits). */
export const RTMP_MAX_CHUNK_SIZE = 0x7fffffff;

/** A claimed length up to this is believed and allocated at once; beyond it the buffer grows with what arrives. */
const TRUSTED_LENGTH_BYTES = 16_384;
/** Messages up to this are laid side by side in slabs: one allocation for many messages instead of one for each. */
const SLAB_MESSAGE_BYTES = 16_384;
/**
 * Size of a slab: doubling from the first to the last as messages come, so that a player's few commands do not cost
 * 64 KiB. One is kept alive by any message in it, so it must not be much larger than what a GOP holds.
 */
const FIRST_SLAB_BYTES = 4096;
const LAST_SLAB_BYTES = 65_536;
/** A message that would take a larger part of a slab than this gets a buffer of its own. */
const SLAB_SHARE = 1 / 4;
/** Basic header 3, message header 11, extended timestamp 4. */
const MAX_HEADER_BYTES = 18;
/** Below this a plain loop copies faster than making a view and calling `set`. */
const LOOP_COPY_BYTES = 32;

const EXTENDED_TIMESTAMP = 0xffffff;
const NEED_MORE = -1;
const FAILED = -2;
const NOTHING = new Uint8Array(0);

/** The chunk stream on which FMLE starts with a chunk that has no header at all (`0xC4`). */
const FMLE_HEADERLESS_CHUNK_STREAM = 4;

/** Limits of a `ChunkReader`; each defaults to the constant of the same name. */
export interface ChunkReaderOptions {
  readonly maxMessageSizeBytes?: number;
  readonly maxChunkStreams?: number;
  readonly maxPartialBytes?: number;
  /**
   * Input may be written into, and messages may be views of it: they last as long as the caller leaves the input alone.
   * Saves a copy and an allocation of nearly every message. Default false.
   */
  readonly ownsInput?: boolean;
}

/** What is remembered of one chunk stream between its chunks. */
class ChunkStream {
  hasHeader = false;
  timestamp = 0;
  /** The timestamp field of the last header, extended or not: what a fmt 3 chunk that starts a message adds again. */
  timestampField = 0;
  isExtended = false;
  /** The last full header carried an absolute time, not a delta. */
  isAbsolute = false;
  length = 0;
  typeId = 0;
  messageStreamId = 0;
  /** A message has begun and is not complete. */
  isPartial = false;
  received = 0;
  payload: Uint8Array = NOTHING;
  /** Longest message completed so far: a sender that really sent that much is believed next time. */
  longest = 0;
}

/**
 * Puts messages together from the chunk stream (RTMP 1.0 §5.3), cut anywhere. Set Chunk Size and Abort act here and
 * are not handed on; everything else is.
 *
 *      0                   1                   2                   3
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |fmt|   cs id   | (cs id - 64)  |       (16 bits when cs id = 1)
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |         timestamp or delta (fmt 0, 1, 2)      | message length
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *       (fmt 0, 1)                    |message type id| message stream id, little-endian (fmt 0)
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     | extended timestamp, when the 24-bit field is 0xFFFFFF         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * The cost of a chunk is a header parse and a copy into the message's buffer: no allocation per chunk. A short message
 * gets a piece of a slab, a long one a buffer of its own (a few, growing, when its length is not yet to be believed).
 */
export class ChunkReader {
  /** Size of the peer's chunks in bytes, as last set by the peer. */
  chunkSize: number = RTMP_DEFAULT_CHUNK_SIZE;

  readonly #maxMessageSizeBytes: number;
  readonly #maxChunkStreams: number;
  readonly #maxPartialBytes: number;
  readonly #near: (ChunkStream | undefined)[] = Array.from({ length: 64 });
  readonly #far = new Map<number, ChunkStream>();
  #streamCount = 0;
  #partialBytes = 0;
  /** The chunk stream whose chunk is being read, or undefined between chunks. */
  #current: ChunkStream | undefined;
  #chunkLeft = 0;
  /** Start of a header that the last input cut off. */
  readonly #cut = new Uint8Array(2 * MAX_HEADER_BYTES);
  #cutSize = 0;
  #error: ProtocolError | undefined;
  readonly #ownsInput: boolean;
  /** The message whose bytes are being gathered in the input itself, and where they begin there. */
  #inPlace: ChunkStream | undefined;
  #inPlaceAt = 0;
  #slab: Uint8Array = NOTHING;
  #slabUsed = 0;
  #nextSlabBytes = FIRST_SLAB_BYTES;

  constructor(options: ChunkReaderOptions = {}) {
    this.#maxMessageSizeBytes = options.maxMessageSizeBytes ?? RTMP_MAX_MESSAGE_SIZE_BYTES;
    this.#maxChunkStreams = options.maxChunkStreams ?? RTMP_MAX_CHUNK_STREAMS;
    this.#maxPartialBytes = options.maxPartialBytes ?? RTMP_MAX_PARTIAL_BYTES;
    this.#ownsInput = options.ownsInput ?? false;
  }

  /** Bytes of memory held by unfinished messages. */
  get partialBytes(): number {
    return this.#partialBytes;
  }

  /**
   * Takes input and calls `onMessage` for each message that is complete, in order. Gives the error that ended reading,
   * now or earlier; after it nothing more is read. Keeps no view into `bytes` unless `ownsInput` is set.
   */
  receive(bytes: Uint8Array, onMessage: (message: RtmpMessage) => void): ProtocolError | undefined {
    if (this.#error !== undefined) return this.#error;
    let input = bytes;
    let at = 0;
    if (this.#cutSize > 0) {
      const resumed = this.#resumeHeader(bytes, onMessage);
      if (resumed === FAILED) return this.#error;
      if (resumed === NEED_MORE) return undefined;
      if (resumed < this.#cutSize) input = this.#joinCut(resumed, bytes);
      else at = resumed - this.#cutSize;
      this.#cutSize = 0;
    }
    const end = input.length;
    while (at < end) {
      const stream = this.#current;
      if (stream === undefined) {
        const next = this.#readHeader(input, at, end, onMessage);
        if (next === FAILED) return this.#error;
        if (next === NEED_MORE) {
          this.#cut.set(input.subarray(at));
          this.#cutSize = end - at;
          break;
        }
        at = next;
        continue;
      }
      const size = end - at < this.#chunkLeft ? end - at : this.#chunkLeft;
      const received = stream.received;
      if (this.#inPlace !== stream && !this.#mayStayInPlace(stream, at, end)) {
        if (this.#inPlace !== undefined && !this.#moveOut(input)) return this.#error;
        if (received + size > stream.payload.length && !this.#grow(stream, received + size)) return this.#error;
      }
      const payload = stream.payload;
      if (this.#inPlace === stream) {
        // The chunks of one message close up over the headers between them.
        const target = this.#inPlaceAt + received;
        if (target !== at) input.copyWithin(target, at, at + size);
      } else if (size <= LOOP_COPY_BYTES) {
        for (let i = 0; i < size; i++) payload[received + i] = input[at + i]!;
      } else payload.set(input.subarray(at, at + size), received);
      at += size;
      stream.received = received + size;
      this.#chunkLeft -= size;
      if (this.#chunkLeft === 0) {
        this.#current = undefined;
        if (stream.received === stream.length && this.#inPlace === stream) this.#takeInPlace(stream, input);
        if (stream.received === stream.length && !this.#complete(stream, onMessage)) return this.#error;
      }
    }
    if (this.#inPlace !== undefined && !this.#moveOut(input)) return this.#error;
    return undefined;
  }

  /** Begins a message in place when it may be given away as a view of the input and seems to be all there. */
  #mayStayInPlace(stream: ChunkStream, at: number, end: number): boolean {
    if (!this.#ownsInput || this.#inPlace !== undefined || stream.received > 0) return false;
    if (at + stream.length > end) return false;
    this.#inPlace = stream;
    this.#inPlaceAt = at;
    return true;
  }

  /** The message in place is complete: its bytes are a view of the input. */
  #takeInPlace(stream: ChunkStream, input: Uint8Array): void {
    this.#inPlace = undefined;
    stream.payload = input.subarray(this.#inPlaceAt, this.#inPlaceAt + stream.length);
    this.#partialBytes += stream.length;
  }

  /** The message in place goes on in other input, or another one comes between its chunks: it needs room of its own. */
  #moveOut(input: Uint8Array): boolean {
    const stream = this.#inPlace!;
    this.#inPlace = undefined;
    if (stream.received === 0) return true;
    if (!this.#grow(stream, stream.received)) return false;
    stream.payload.set(input.subarray(this.#inPlaceAt, this.#inPlaceAt + stream.received));
    return true;
  }

  #fail(code: RtmpErrorCode, message: string): typeof FAILED {
    this.#error = rtmpError(code, message);
    return FAILED;
  }

  /** Reads the header whose start is in `#cut`. Gives the position after it, counted from the start of `#cut`. */
  #resumeHeader(bytes: Uint8Array, onMessage: (message: RtmpMessage) => void): number {
    const size = Math.min(bytes.length, MAX_HEADER_BYTES);
    this.#cut.set(bytes.subarray(0, size), this.#cutSize);
    const next = this.#readHeader(this.#cut, 0, this.#cutSize + size, onMessage);
    // Eighteen more bytes complete any header, so here the input is used up.
    if (next === NEED_MORE) this.#cutSize += size;
    return next;
  }

  /** What of the cut bytes turned out to be no header after all, followed by the input. */
  #joinCut(from: number, bytes: Uint8Array): Uint8Array {
    const left = this.#cutSize - from;
    const joined = new Uint8Array(left + bytes.length);
    joined.set(this.#cut.subarray(from, this.#cutSize));
    joined.set(bytes, left);
    return joined;
  }

  /** Reads one chunk header at `start`; gives the position of the chunk's payload. Changes nothing on NEED_MORE. */
  #readHeader(b: Uint8Array, start: number, end: number, onMessage: (message: RtmpMessage) => void): number {
    const first = b[start]!;
    const fmt = first >> 6;
    let at = start + 1;
    let id = first & 0x3f;
    if (id === 0) {
      if (at >= end) return NEED_MORE;
      id = 64 + b[at]!;
      at += 1;
    } else if (id === 1) {
      if (at + 1 >= end) return NEED_MORE;
      id = 64 + b[at]! + b[at + 1]! * 256;
      at += 2;
    }
    const stream = (id < 64 ? this.#near[id] : this.#far.get(id)) ?? this.#open(id);
    if (stream === undefined) return FAILED;
    const after = fmt === 3 ? this.#readFmt3(stream, id, b, at, end) : this.#readFmt012(stream, id, fmt, b, at, end);
    if (after < 0) return after;
    if (!stream.hasHeader) return after;
    const left = stream.length - stream.received;
    if (left === 0) return this.#complete(stream, onMessage) ? after : FAILED;
    this.#current = stream;
    this.#chunkLeft = left < this.chunkSize ? left : this.chunkSize;
    return after;
  }

  #open(id: number): ChunkStream | undefined {
    if (this.#streamCount >= this.#maxChunkStreams) {
      this.#fail('rtmp/too-many-chunk-streams', `more than ${this.#maxChunkStreams} chunk streams`);
      return undefined;
    }
    this.#streamCount++;
    const stream = new ChunkStream();
    if (id < 64) this.#near[id] = stream;
    else this.#far.set(id, stream);
    return stream;
  }

  #readFmt3(stream: ChunkStream, id: number, b: Uint8Array, start: number, end: number): number {
    if (stream.isPartial) return stream.isExtended ? skipRepeatedTimestamp(stream, b, start, end) : start;
    if (!stream.hasHeader) {
      // Nothing says how long it is; like other servers we take it as an empty message and go on.
      if (id === FMLE_HEADERLESS_CHUNK_STREAM) return start;
      return this.#fail('rtmp/bad-chunk-header', `chunk stream ${id} starts with fmt 3`);
    }
    // A new message like the one before: the field counts again as delta (§5.3.1.2.4), also when it came with fmt 0.
    // An extended field is there again, with what the last header's field meant.
    let at = start;
    if (stream.isExtended) {
      if (at + 4 > end) return NEED_MORE;
      stream.timestampField = getU32(b, at);
      at += 4;
    }
    if (stream.isExtended && stream.isAbsolute) stream.timestamp = stream.timestampField;
    else stream.timestamp = (stream.timestamp + stream.timestampField) >>> 0;
    stream.isPartial = true;
    return at;
  }

  #readFmt012(stream: ChunkStream, id: number, fmt: number, b: Uint8Array, start: number, end: number): number {
    const headerEnd = start + (fmt === 0 ? 11 : fmt === 1 ? 7 : 3);
    if (headerEnd > end) return NEED_MORE;
    const field24 = (b[start]! << 16) | (b[start + 1]! << 8) | b[start + 2]!;
    const isExtended = field24 === EXTENDED_TIMESTAMP;
    const after = isExtended ? headerEnd + 4 : headerEnd;
    if (after > end) return NEED_MORE;
    const length = fmt <= 1 ? (b[start + 3]! << 16) | (b[start + 4]! << 8) | b[start + 5]! : stream.length;
    if (stream.isPartial) {
      // Some senders repeat a header instead of fmt 3 inside a message: harmless while it says the same.
      if (fmt !== 0 && length === stream.length) return after;
      return this.#fail('rtmp/chunk-inside-message', `chunk stream ${id}: fmt ${fmt} inside a message`);
    }
    if (!stream.hasHeader && fmt === 2) {
      return this.#fail('rtmp/bad-chunk-header', `chunk stream ${id} starts with fmt 2`);
    }
    if (length > this.#maxMessageSizeBytes) {
      return this.#fail('rtmp/message-too-large', `message of ${length} bytes, limit ${this.#maxMessageSizeBytes}`);
    }
    stream.hasHeader = true;
    stream.length = length;
    if (fmt <= 1) stream.typeId = b[start + 6]!;
    if (fmt === 0) {
      stream.messageStreamId =
        (b[start + 7]! | (b[start + 8]! << 8) | (b[start + 9]! << 16) | (b[start + 10]! << 24)) >>> 0;
    }
    const field = isExtended ? getU32(b, headerEnd) : field24;
    stream.timestampField = field;
    stream.isExtended = isExtended;
    stream.isAbsolute = fmt === 0;
    stream.timestamp = fmt === 0 ? field : (stream.timestamp + field) >>> 0;
    stream.isPartial = true;
    return after;
  }

  /** Makes room for `needed` bytes of the message, never more than its length. */
  #grow(stream: ChunkStream, needed: number): boolean {
    const old = stream.payload;
    const { length } = stream;
    const trusted = Math.max(TRUSTED_LENGTH_BYTES, 2 * stream.longest);
    const capacity =
      length <= trusted ? length : Math.min(length, Math.max(needed, 2 * old.length, TRUSTED_LENGTH_BYTES));
    this.#partialBytes += capacity - old.length;
    if (this.#partialBytes > this.#maxPartialBytes) {
      this.#fail('rtmp/too-many-partial-bytes', `unfinished messages hold more than ${this.#maxPartialBytes} bytes`);
      return false;
    }
    const grown =
      length <= SLAB_MESSAGE_BYTES && old.length === 0 ? this.#fromSlab(capacity) : new Uint8Array(capacity);
    if (old.length > 0) grown.set(old);
    stream.payload = grown;
    return true;
  }

  #fromSlab(sizeBytes: number): Uint8Array {
    if (this.#slabUsed + sizeBytes > this.#slab.length) {
      const slabBytes = this.#nextSlabBytes;
      this.#nextSlabBytes = Math.min(2 * slabBytes, LAST_SLAB_BYTES);
      if (sizeBytes > slabBytes * SLAB_SHARE) return new Uint8Array(sizeBytes);
      this.#slab = new Uint8Array(slabBytes);
      this.#slabUsed = 0;
    }
    const start = this.#slabUsed;
    this.#slabUsed = start + sizeBytes;
    return this.#slab.subarray(start, this.#slabUsed);
  }

  /** Hands on, or acts on, a message that is complete; false after a failure. */
  #complete(stream: ChunkStream, onMessage: (message: RtmpMessage) => void): boolean {
    const { payload, typeId, messageStreamId, timestamp } = stream;
    this.#drop(stream);
    if (payload.length > stream.longest) stream.longest = payload.length;
    if (typeId === RTMP_MESSAGE_TYPE.setChunkSize) return this.#setChunkSize(payload);
    if (typeId === RTMP_MESSAGE_TYPE.abort) return this.#abort(payload);
    onMessage({ typeId, messageStreamId, timestamp, payload });
    return true;
  }

  #drop(stream: ChunkStream): void {
    this.#partialBytes -= stream.payload.length;
    stream.payload = NOTHING;
    stream.received = 0;
    stream.isPartial = false;
  }

  #setChunkSize(payload: Uint8Array): boolean {
    const size = payload.length < 4 ? 0 : getU32(payload, 0);
    if (size < 1 || size > RTMP_MAX_CHUNK_SIZE) {
      this.#fail('rtmp/bad-chunk-size', `chunk size ${size}`);
      return false;
    }
    this.chunkSize = size;
    return true;
  }

  #abort(payload: Uint8Array): boolean {
    if (payload.length < 4) {
      this.#fail('rtmp/bad-control-message', 'Abort Message without a chunk stream id');
      return false;
    }
    const id = getU32(payload, 0);
    const stream = id < 64 ? this.#near[id] : this.#far.get(id);
    if (stream !== undefined) this.#drop(stream);
    return true;
  }
}

/**
 * After the basic header of a fmt 3 chunk inside a message whose timestamp was extended: the specification repeats the
 * extended field here, old librtmp and FFmpeg leave it out. It is there if the bytes say the same time again. (A payload that begins just so waits for the bytes that
 * tell the difference.)
 */
function skipRepeatedTimestamp(stream: ChunkStream, b: Uint8Array, at: number, end: number): number {
  const field = stream.timestampField;
  const { timestamp } = stream;
  let isField = true;
  let isTimestamp = true;
  for (let i = 0; i < 4; i++) {
    if (at + i >= end) return NEED_MORE;
    const byte = b[at + i]!;
    isField &&= byte === ((field >>> (24 - 8 * i)) & 0xff);
    isTimestamp &&= byte === ((timestamp >>> (24 - 8 * i)) & 0xff);
    if (!isField && !isTimestamp) return at;
  }
  return at + 4;
}
