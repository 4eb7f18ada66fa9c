import { StateError } from '../../wire/errors.ts';
import { MAX_NETSTRING_BYTES } from './netstring-reader.ts';

/** Codes of the `StateError`s of writing. */
export type NetstringWriterErrorCode = 'netstring/payload-too-large';

const text = new TextEncoder();
const COMMA = 0x2c;

/**
 * One netstring: the length of `payload` in decimal, a colon, `payload`, a comma; in memory of its own.
 * @throws StateError `netstring/payload-too-large` for more than `MAX_NETSTRING_BYTES`
 */
export function writeNetstring(payload: Uint8Array): Uint8Array {
  if (payload.length > MAX_NETSTRING_BYTES) {
    const code: NetstringWriterErrorCode = 'netstring/payload-too-large';
    throw new StateError(code, `${payload.length} bytes are more than fit into a netstring`);
  }
  const head = text.encode(`${payload.length}:`);
  const bytes = new Uint8Array(head.length + payload.length + 1);
  bytes.set(head, 0);
  bytes.set(payload, head.length);
  bytes[bytes.length - 1] = COMMA;
  return bytes;
}
