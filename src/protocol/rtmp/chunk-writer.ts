import { setU32 } from '../../wire/big-endian.ts';
import { RTMP_MESSAGE_TYPE } from './rtmp-message.ts';

/** Timestamps from here on do not fit the 24-bit field and travel in the extended field (RTMP 1.0 §5.3.1.3). */
const EXTENDED_TIMESTAMP = 0xffffff;

/** A message to be cut into chunks. */
export interface OutgoingMessage {
  /** 2–65,599; see `RTMP_CHUNK_STREAM`. */
  readonly chunkStreamId: number;
  /** Milliseconds, absolute; only the low 32 bits count. */
  readonly timestamp: number;
  readonly typeId: number;
  readonly messageStreamId: number;
  /** The payload, in pieces that are written one after another; together at most 16,777,215 bytes. */
  readonly parts: readonly Uint8Array[];
}

/**
 * One whole message as chunks of `chunkSize`, in one buffer of exactly the right size: the first chunk with a full
 * header (fmt 0), the others fmt 3. An extended timestamp is repeated on every chunk (RTMP 1.0 §5.3.1.3).
 */
export function writeMessage(message: OutgoingMessage, chunkSize: number): Uint8Array {
  const { chunkStreamId, parts } = message;
  const timestamp = message.timestamp >>> 0;
  let length = 0;
  for (const part of parts) length += part.length;
  const isExtended = timestamp >= EXTENDED_TIMESTAMP;
  const basicSize = chunkStreamId < 64 ? 1 : chunkStreamId < 320 ? 2 : 3;
  const continuationSize = basicSize + (isExtended ? 4 : 0);
  const continuations = length > chunkSize ? Math.ceil(length / chunkSize) - 1 : 0;
  const out = new Uint8Array(basicSize + 11 + (isExtended ? 4 : 0) + continuations * continuationSize + length);

  let at = writeBasicHeader(out, 0, 0, chunkStreamId);
  const field = isExtended ? EXTENDED_TIMESTAMP : timestamp;
  out[at] = field >>> 16;
  out[at + 1] = field >>> 8;
  out[at + 2] = field;
  out[at + 3] = length >>> 16;
  out[at + 4] = length >>> 8;
  out[at + 5] = length;
  out[at + 6] = message.typeId;
  // The message stream id is the one little-endian field of RTMP.
  out[at + 7] = message.messageStreamId;
  out[at + 8] = message.messageStreamId >>> 8;
  out[at + 9] = message.messageStreamId >>> 16;
  out[at + 10] = message.messageStreamId >>> 24;
  at += 11;
  if (isExtended) {
    setU32(out, at, timestamp);
    at += 4;
  }

  let roomInChunk = chunkSize;
  for (const part of parts) {
    let taken = 0;
    while (taken < part.length) {
      if (roomInChunk === 0) {
        at = writeBasicHeader(out, at, 3, chunkStreamId);
        if (isExtended) {
          setU32(out, at, timestamp);
          at += 4;
        }
        roomInChunk = chunkSize;
      }
      const size = Math.min(roomInChunk, part.length - taken);
      out.set(size === part.length ? part : part.subarray(taken, taken + size), at);
      at += size;
      taken += size;
      roomInChunk -= size;
    }
  }
  return out;
}

/** The chunk stream media of this type goes on: video 6, audio 7, data 4. */
export function chunkStreamOfMedia(typeId: number): number {
  if (typeId === RTMP_MESSAGE_TYPE.video) return 6;
  return typeId === RTMP_MESSAGE_TYPE.audio ? 7 : 4;
}

function writeBasicHeader(out: Uint8Array, at: number, fmt: number, chunkStreamId: number): number {
  if (chunkStreamId < 64) {
    out[at] = (fmt << 6) | chunkStreamId;
    return at + 1;
  }
  const id = chunkStreamId - 64;
  if (id < 256) {
    out[at] = fmt << 6;
    out[at + 1] = id;
    return at + 2;
  }
  out[at] = (fmt << 6) | 1;
  out[at + 1] = id;
  out[at + 2] = id >>> 8;
  return at + 3;
}
