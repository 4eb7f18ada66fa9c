import { ByteWriter } from '../../wire/byte-writer.ts';
import type { StateError } from '../../wire/errors.ts';
import { rtspStateError } from './rtsp-error.ts';
import { RtspHeaders } from './rtsp-headers.ts';
import type { StartLineProtocol } from './rtsp-message.ts';
import { parseStartLine } from './start-line.ts';
import { reasonOf } from './status-codes.ts';

/** Size of what stands in front of each interleaved frame. */
export const INTERLEAVED_HEADER_SIZE_BYTES = 4;
/** Largest payload of an interleaved frame (16-bit length). */
export const INTERLEAVED_MAX_PAYLOAD_SIZE_BYTES = 65_535;

interface OutgoingMessage {
  /** `RTSP` by default. */
  readonly protocol?: StartLineProtocol;
  /** `1.0` by default. */
  readonly version?: string;
  /** Written in their order. */
  readonly headers?: RtspHeaders | Iterable<readonly [name: string, value: string]>;
  /** Content-Length is written for it, in place of any in `headers`; without a body `headers` say what they say. */
  readonly body?: Uint8Array | string;
}

/** A request to be written. */
export interface OutgoingRtspRequest extends OutgoingMessage {
  readonly method: string;
  /** Absolute, `*`, or a path for HTTP. */
  readonly url: string;
}

/** A response to be written. */
export interface OutgoingRtspResponse extends OutgoingMessage {
  readonly statusCode: number;
  /** That of the table by default (see `reasonOf`). */
  readonly reason?: string;
}

/** A request as bytes (RFC 2326 §6). Throws `StateError` `rtsp/bad-message` when method or URL do not make a start line. */
export function writeRtspRequest(request: OutgoingRtspRequest): Uint8Array {
  const line = `${request.method} ${request.url} ${versionOf(request)}`;
  const read = parseStartLine(line);
  if (read?.type !== 'request' || read.method !== request.method) throw badStartLine(line);
  return writeMessage(line, request);
}

/** A response as bytes (RFC 2326 §7). Throws `StateError` `rtsp/bad-message` when the status code has not three digits. */
export function writeRtspResponse(response: OutgoingRtspResponse): Uint8Array {
  const reason = response.reason ?? reasonOf(response.statusCode);
  const line = `${versionOf(response)} ${response.statusCode} ${reason}`;
  if (parseStartLine(line)?.type !== 'response') throw badStartLine(line);
  return writeMessage(line, response);
}

/** An interleaved frame as bytes (RFC 2326 §10.12): a copy of `payload` behind its header. */
export function writeInterleavedFrame(channel: number, payload: Uint8Array): Uint8Array {
  if (payload.length > INTERLEAVED_MAX_PAYLOAD_SIZE_BYTES) {
    throw rtspStateError('rtsp/frame-too-large', `${payload.length} bytes do not fit into an interleaved frame`);
  }
  const bytes = new Uint8Array(INTERLEAVED_HEADER_SIZE_BYTES + payload.length);
  writeInterleavedHeader(bytes, 0, channel, payload.length);
  bytes.set(payload, INTERLEAVED_HEADER_SIZE_BYTES);
  return bytes;
}

/** Writes the header of an interleaved frame into `bytes` at `offset`; `sizeBytes` is that of the payload behind it. */
export function writeInterleavedHeader(bytes: Uint8Array, offset: number, channel: number, sizeBytes: number): void {
  bytes[offset] = 0x24;
  bytes[offset + 1] = channel;
  bytes[offset + 2] = sizeBytes >>> 8;
  bytes[offset + 3] = sizeBytes;
}

function versionOf(message: OutgoingMessage): string {
  return `${message.protocol ?? 'RTSP'}/${message.version ?? '1.0'}`;
}

function badStartLine(line: string): StateError {
  return rtspStateError('rtsp/bad-message', `not a start line: ${JSON.stringify(line)}`);
}

function writeMessage(startLine: string, message: OutgoingMessage): Uint8Array {
  const body = typeof message.body === 'string' ? new TextEncoder().encode(message.body) : message.body;
  let headers = message.headers instanceof RtspHeaders ? message.headers : new RtspHeaders(message.headers);
  if (body !== undefined) headers = new RtspHeaders(headers).set('Content-Length', String(body.length));
  let text = `${startLine}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  const out = new ByteWriter(text.length + 2 + (body?.length ?? 0)).utf8(`${text}\r\n`);
  if (body !== undefined) out.raw(body);
  return out.finish();
}
