import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import { type DigitallySigned, readDigitallySigned, writeDigitallySigned } from './certificate-messages.ts';

/** `ECCurveType` of a group that has a number (RFC 8422 §5.4); the other ways to name one are left out. */
const NAMED_CURVE = 3;

/** The server's half of the key exchange (RFC 8422 §5.4). Views where it was read. */
export interface ServerKeyExchange {
  readonly group: number;
  readonly publicKey: Uint8Array;
  readonly signed: DigitallySigned;
}

/** Reads a ServerKeyExchange; undefined when it is malformed or not about a named group. */
export function parseServerKeyExchange(body: Uint8Array): ServerKeyExchange | undefined {
  const reader = new ByteReader(body);
  const curveType = reader.u8();
  const group = reader.u16();
  const publicKey = reader.view(reader.u8());
  const signed = readDigitallySigned(reader);
  return curveType !== NAMED_CURVE || signed === undefined ? undefined : { group, publicKey, signed };
}

/** The body of a ServerKeyExchange. */
export function writeServerKeyExchange({ group, publicKey, signed }: ServerKeyExchange): Uint8Array {
  const writer = new ByteWriter(512).raw(writeParameters(group, publicKey));
  writeDigitallySigned(writer, signed);
  return writer.finish();
}

/** What the server signs: both randoms and its parameters (RFC 8422 §5.4). */
export function toSignedParameters(
  clientRandom: Uint8Array,
  serverRandom: Uint8Array,
  { group, publicKey }: Pick<ServerKeyExchange, 'group' | 'publicKey'>,
): Uint8Array {
  return joinBytes([clientRandom, serverRandom, writeParameters(group, publicKey)]);
}

function writeParameters(group: number, publicKey: Uint8Array): Uint8Array {
  return new ByteWriter(4 + publicKey.length).u8(NAMED_CURVE).u16(group).u8(publicKey.length).raw(publicKey).finish();
}

/** The client's public key as a view (RFC 8422 §5.7); undefined when malformed. */
export function parseClientKeyExchange(body: Uint8Array): Uint8Array | undefined {
  const reader = new ByteReader(body);
  const publicKey = reader.view(reader.u8());
  return reader.overrun || reader.remaining > 0 ? undefined : publicKey;
}

/** The body of a ClientKeyExchange. */
export function writeClientKeyExchange(publicKey: Uint8Array): Uint8Array {
  return new ByteWriter(1 + publicKey.length).u8(publicKey.length).raw(publicKey).finish();
}
