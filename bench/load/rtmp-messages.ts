/** The few RTMP messages a load client sends, as bytes (specification §5.4, §7; AMF0 §2). */

const MESSAGE_HEADER_SIZE = 12;
const textEncoder = new TextEncoder();

type AmfValue = string | number | null | { readonly [key: string]: string | number };

function amfValue(value: AmfValue): number[] {
  if (value === null) return [5];
  if (typeof value === 'string') return [2, ...amfString(value)];
  if (typeof value === 'number') return [0, ...new Uint8Array(new Float64Array([value]).buffer).reverse()];
  const out = [3];
  for (const [key, field] of Object.entries(value)) out.push(...amfString(key), ...amfValue(field));
  out.push(0, 0, 9);
  return out;
}

function amfString(text: string): number[] {
  const bytes = textEncoder.encode(text);
  return [bytes.length >> 8, bytes.length & 255, ...bytes];
}

/**
 * One message as chunks, the first with a full header (fmt 0) at offset 0, so that its timestamp is bytes 1–3.
 * @param message payload and where it goes; `chunkSize` must be what the peer was told
 */
export function chunkMessage(
  message: {
    readonly chunkStreamId: number;
    readonly type: number;
    readonly streamId: number;
    readonly payload: Uint8Array;
  },
  chunkSize: number,
): Uint8Array {
  const { payload } = message;
  const separators = payload.length === 0 ? 0 : Math.ceil(payload.length / chunkSize) - 1;
  const out = new Uint8Array(MESSAGE_HEADER_SIZE + payload.length + separators);
  out[0] = message.chunkStreamId;
  out[4] = payload.length >> 16;
  out[5] = payload.length >> 8;
  out[6] = payload.length;
  out[7] = message.type;
  out[8] = message.streamId;
  let at = MESSAGE_HEADER_SIZE;
  for (let offset = 0; offset < payload.length; offset += chunkSize) {
    if (offset > 0) out[at++] = 0xc0 | message.chunkStreamId;
    const part = payload.subarray(offset, offset + chunkSize);
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Where the payload starts in what `chunkMessage` makes. */
export const PAYLOAD_OFFSET: number = MESSAGE_HEADER_SIZE;

/** Writes the timestamp (below 16,777,215 ms) into what `chunkMessage` made. */
export function writeTimestamp(chunks: Uint8Array, timestampMs: number): void {
  chunks[1] = timestampMs >> 16;
  chunks[2] = timestampMs >> 8;
  chunks[3] = timestampMs;
}

/** An AMF0 command message; `chunkSize` as told to the peer before. */
export function commandMessage(streamId: number, values: readonly AmfValue[], chunkSize: number): Uint8Array {
  const payload = Uint8Array.from(values.flatMap(amfValue));
  return chunkMessage({ chunkStreamId: 3, type: 20, streamId, payload }, chunkSize);
}

/** Set Chunk Size, Acknowledgement or another control message whose payload is 32-bit numbers after `prefix`. */
export function controlMessage(type: number, prefix: readonly number[], numbers: readonly number[]): Uint8Array {
  const words = numbers.flatMap((n) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
  return chunkMessage({ chunkStreamId: 2, type, streamId: 0, payload: Uint8Array.from([...prefix, ...words]) }, 128);
}

/** The name of a command or status message that starts with `head`, or an empty string. */
export function commandName(head: Uint8Array): string {
  if (head[0] !== 2) return '';
  return String.fromCharCode(...head.subarray(3, 3 + head[1]! * 256 + head[2]!));
}

/** The last AMF0 number of a short message, such as the stream id in the answer to createStream. */
export function lastNumber(head: Uint8Array): number {
  return new DataView(head.buffer, head.byteOffset + head.length - 8, 8).getFloat64(0);
}

/** Everything printable in a message, for error texts. */
export function printable(head: Uint8Array): string {
  return String.fromCharCode(...head).replace(/[^\x20-\x7e]+/g, ' ');
}
