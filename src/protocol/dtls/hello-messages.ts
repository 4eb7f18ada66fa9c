import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { type HelloExtensions, parseHelloExtensions, writeHelloExtensions } from './hello-extensions.ts';

export const RANDOM_BYTES = 32;
/** RFC 5246 §7.4.1.2 */
const MAX_SESSION_ID_BYTES = 32;

/** What a client wants (RFC 6347 §4.2.1). All arrays that come from `parseClientHello` are copies. */
export interface ClientHello {
  readonly version: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cookie: Uint8Array;
  readonly cipherSuites: readonly number[];
  readonly compressionMethods: readonly number[];
  readonly extensions: HelloExtensions;
}

/** What a server chose (RFC 5246 §7.4.1.3). */
export interface ServerHello {
  readonly version: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly compressionMethod: number;
  readonly extensions: HelloExtensions;
}

/** How a ClientHello starts: what stands in front of the cipher suites. */
export type ClientHelloStart = Pick<ClientHello, 'version' | 'random' | 'sessionId' | 'cookie'>;

/** Reads a whole message; undefined when it is malformed. */
export function parseClientHello(body: Uint8Array): ClientHello | undefined {
  const reader = new ByteReader(body);
  const start = readStart(reader);
  const suites = new ByteReader(reader.view(reader.u16()));
  const compressionMethods = [...reader.view(reader.u8())];
  const cipherSuites: number[] = [];
  while (suites.remaining > 0) cipherSuites.push(suites.u16());
  if (reader.overrun || suites.overrun || start === undefined) return undefined;
  if (cipherSuites.length === 0 || compressionMethods.length === 0) return undefined;
  const extensions = parseHelloExtensions(reader)?.extensions;
  return extensions === undefined ? undefined : { ...start, cipherSuites, compressionMethods, extensions };
}

/** Reads how a message starts that may be cut behind its cookie; undefined when it is malformed or cut before. */
export function parseClientHelloStart(body: Uint8Array): ClientHelloStart | undefined {
  return readStart(new ByteReader(body));
}

function readStart(reader: ByteReader): ClientHelloStart | undefined {
  const version = reader.u16();
  const random = new Uint8Array(reader.view(RANDOM_BYTES));
  const sessionId = new Uint8Array(reader.view(reader.u8()));
  const cookie = new Uint8Array(reader.view(reader.u8()));
  if (reader.overrun || sessionId.length > MAX_SESSION_ID_BYTES) return undefined;
  return { version, random, sessionId, cookie };
}

/** The body of a ClientHello. */
export function writeClientHello(hello: ClientHello): Uint8Array {
  const writer = new ByteWriter();
  writer.u16(hello.version).raw(hello.random).u8(hello.sessionId.length).raw(hello.sessionId);
  writer.u8(hello.cookie.length).raw(hello.cookie);
  writer.u16(2 * hello.cipherSuites.length);
  for (const suite of hello.cipherSuites) writer.u16(suite);
  writer.u8(hello.compressionMethods.length);
  for (const method of hello.compressionMethods) writer.u8(method);
  writeHelloExtensions(writer, hello.extensions);
  return writer.finish();
}

/** Reads a ServerHello and the numbers of all its extensions; undefined when it is malformed. */
export function parseServerHello(
  body: Uint8Array,
): { readonly hello: ServerHello; readonly extensionTypes: readonly number[] } | undefined {
  const reader = new ByteReader(body);
  const version = reader.u16();
  const random = new Uint8Array(reader.view(RANDOM_BYTES));
  const sessionId = new Uint8Array(reader.view(reader.u8()));
  const cipherSuite = reader.u16();
  const compressionMethod = reader.u8();
  if (reader.overrun || sessionId.length > MAX_SESSION_ID_BYTES) return undefined;
  const parsed = parseHelloExtensions(reader);
  if (parsed === undefined) return undefined;
  const { extensions, types: extensionTypes } = parsed;
  return { hello: { version, random, sessionId, cipherSuite, compressionMethod, extensions }, extensionTypes };
}

/** The body of a ServerHello. */
export function writeServerHello(hello: ServerHello): Uint8Array {
  const writer = new ByteWriter();
  writer.u16(hello.version).raw(hello.random).u8(hello.sessionId.length).raw(hello.sessionId);
  writer.u16(hello.cipherSuite).u8(hello.compressionMethod);
  writeHelloExtensions(writer, hello.extensions);
  return writer.finish();
}

/** The cookie of a HelloVerifyRequest as a copy; undefined when it is malformed. Its version says nothing (RFC 6347 §4.2.1). */
export function parseHelloVerifyRequest(body: Uint8Array): Uint8Array | undefined {
  const reader = new ByteReader(body, 2);
  if (body.length < 2) return undefined;
  const cookie = new Uint8Array(reader.view(reader.u8()));
  return reader.overrun || reader.remaining > 0 ? undefined : cookie;
}

/** The body of a HelloVerifyRequest. @param cookie of at most 255 bytes */
export function writeHelloVerifyRequest(version: number, cookie: Uint8Array): Uint8Array {
  return new ByteWriter(3 + cookie.length).u16(version).u8(cookie.length).raw(cookie).finish();
}
