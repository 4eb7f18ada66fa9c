import { AmfObject } from '../../../src/protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../../../src/protocol/amf/amf0-writer.ts';
import { writeMessage } from '../../../src/protocol/rtmp/chunk-writer.ts';

const HANDSHAKE_SIZE = 1536;
const DEFAULT_CHUNK_SIZE = 128;
const COMMAND = 20;

/** C0 and a C1 of the simple handshake. */
export function c0c1(): Uint8Array {
  const bytes = new Uint8Array(1 + HANDSHAKE_SIZE).fill(0x2a);
  bytes[0] = 3;
  bytes.fill(0, 5, 9);
  return bytes;
}

/** C0, C1, C2, and what follows the handshake, without waiting for the server. */
export function afterHandshake(...parts: readonly Uint8Array[]): Uint8Array {
  return concat(c0c1(), new Uint8Array(HANDSHAKE_SIZE), ...parts);
}

/** A command message whose AMF0 body is given. */
export function command(body: Uint8Array, messageStreamId = 0): Uint8Array {
  const message = { chunkStreamId: 3, timestamp: 0, typeId: COMMAND, messageStreamId, parts: [body] };
  return writeMessage(message, DEFAULT_CHUNK_SIZE);
}

export function connectCommand(): Uint8Array {
  const object = new AmfObject([
    ['app', 'live'],
    ['tcUrl', 'rtmp://127.0.0.1/live'],
  ]);
  return command(writeAmf0Values(['connect', 1, object]));
}

/** Set Chunk Size (RTMP 1.0 §5.4.1). */
export function setChunkSize(sizeBytes: number): Uint8Array {
  const body = Uint8Array.of(sizeBytes >>> 24, sizeBytes >>> 16, sizeBytes >>> 8, sizeBytes);
  return writeMessage({ chunkStreamId: 2, timestamp: 0, typeId: 1, messageStreamId: 0, parts: [body] }, 128);
}

/** The first chunk's header of an audio message that claims `length` bytes. */
export function messageHeader(chunkStreamId: number, length: number): Uint8Array {
  const id = chunkStreamId < 64 ? [chunkStreamId] : [1, (chunkStreamId - 64) & 255, (chunkStreamId - 64) >>> 8];
  return Uint8Array.of(...id, 0, 0, 0, length >>> 16, length >>> 8, length, 8, 1, 0, 0, 0);
}

/** `connect` whose command object is `body`, AMF0 as it stands on the wire. */
export function connectWith(body: Uint8Array): Uint8Array {
  return command(concat(writeAmf0Values(['connect', 1]), body));
}

/** Objects in objects, `depth` of them, never closed. */
export function nestedObjects(depth: number): Uint8Array {
  const one = Uint8Array.of(3, 0, 1, 0x61);
  const out = new Uint8Array(depth * one.length);
  for (let i = 0; i < depth; i++) out.set(one, i * one.length);
  return out;
}

/** A strict array that claims `count` entries. */
export function claimedArray(count: number): Uint8Array {
  return Uint8Array.of(10, count >>> 24, count >>> 16, count >>> 8, count);
}

/** A long string that claims `length` bytes. */
export function claimedString(length: number): Uint8Array {
  return Uint8Array.of(12, length >>> 24, length >>> 16, length >>> 8, length, 0x61);
}

/** Arrays of ten entries in each other, by AMF0 references: 10^`depth` values when taken apart. */
export function referenceBomb(depth: number): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(10, 0, 0, 0, 1, 5)];
  const arrays: Uint8Array[] = [];
  for (let i = 0; i < depth; i++) {
    const entries = new Uint8Array(30);
    for (let entry = 0; entry < 10; entry++) entries.set([7, 0, i], entry * 3);
    arrays.push(concat(Uint8Array.of(10, 0, 0, 0, 10), entries));
  }
  return concat(...parts, ...arrays);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

export function text(value: string): Uint8Array {
  return Buffer.from(value, 'latin1');
}
