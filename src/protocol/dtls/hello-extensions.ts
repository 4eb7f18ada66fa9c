import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';

/** Numbers of the extensions that are read or written; all others, ALPN among them, are ignored. */
export const ExtensionType = {
  /** RFC 8422 §5.1.1 */
  supportedGroups: 10,
  /** RFC 8422 §5.1.2 */
  pointFormats: 11,
  /** RFC 5246 §7.4.1.4.1 */
  signatureAlgorithms: 13,
  /** RFC 5764 §4.1.1 */
  useSrtp: 14,
  /** RFC 7627 §5.1 */
  extendedMasterSecret: 23,
  /** RFC 8446 §4.2.1 */
  supportedVersions: 43,
  /** RFC 5746 §3.2 */
  renegotiationInfo: 0xff01,
} as const;

/** Extensions a hello may have; Chromium's has some 15. */
export const MAX_EXTENSIONS = 64;

/** The extensions of a ClientHello or ServerHello. Undefined fields are extensions that are not there. */
export interface HelloExtensions {
  readonly supportedGroups?: readonly number[];
  readonly pointFormats?: readonly number[];
  readonly signatureAlgorithms?: readonly number[];
  /** Profiles in order of preference; in a ServerHello the one that was chosen. */
  readonly srtpProfiles?: readonly number[];
  /** Master key identifier, which goes with `srtpProfiles`. */
  readonly srtpMasterKeyIdentifier?: Uint8Array;
  readonly extendedMasterSecret?: boolean;
  /** Only of a ClientHello. */
  readonly supportedVersions?: readonly number[];
  /** `renegotiated_connection`: empty in the first handshake of a connection. */
  readonly renegotiationInfo?: Uint8Array;
}

/** What was read: extensions, and the numbers of all, unknown ones too. */
export interface ParsedExtensions {
  readonly extensions: HelloExtensions;
  readonly types: readonly number[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads the rest of a hello: the list of extensions, or nothing at all, as RFC 5246 §7.4.1.4 allows.
 * @returns undefined when it is malformed, has one extension twice or more than `MAX_EXTENSIONS`
 */
export function parseHelloExtensions(reader: ByteReader): ParsedExtensions | undefined {
  const types: number[] = [];
  const extensions: Writable<HelloExtensions> = {};
  if (reader.remaining === 0) return { extensions, types };
  if (reader.u16() !== reader.remaining || reader.overrun) return undefined;
  while (reader.remaining > 0) {
    const type = reader.u16();
    const body = new ByteReader(reader.view(reader.u16()));
    if (reader.overrun || types.includes(type) || types.length === MAX_EXTENSIONS) return undefined;
    types.push(type);
    if (readKnownExtension(type, body, extensions) && (body.overrun || body.remaining > 0)) return undefined;
  }
  return { extensions, types };
}

/** @returns whether the extension is known here: then its body must have been read to the end */
function readKnownExtension(type: number, body: ByteReader, extensions: Writable<HelloExtensions>): boolean {
  switch (type) {
    case ExtensionType.supportedGroups:
      extensions.supportedGroups = readNumbers(body, body.u16(), 2);
      return true;
    case ExtensionType.pointFormats:
      extensions.pointFormats = readNumbers(body, body.u8(), 1);
      return true;
    case ExtensionType.signatureAlgorithms:
      extensions.signatureAlgorithms = readNumbers(body, body.u16(), 2);
      return true;
    case ExtensionType.useSrtp:
      extensions.srtpProfiles = readNumbers(body, body.u16(), 2);
      extensions.srtpMasterKeyIdentifier = new Uint8Array(body.view(body.u8()));
      return true;
    case ExtensionType.extendedMasterSecret:
      extensions.extendedMasterSecret = true;
      return true;
    case ExtensionType.supportedVersions:
      extensions.supportedVersions = readNumbers(body, body.u8(), 2);
      return true;
    case ExtensionType.renegotiationInfo:
      extensions.renegotiationInfo = new Uint8Array(body.view(body.u8()));
      return true;
    default:
      return false;
  }
}

/** A list of `sizeBytes` bytes. One that does not come out even overruns the reader. */
function readNumbers(reader: ByteReader, sizeBytes: number, numberBytes: 1 | 2): readonly number[] {
  const list = new ByteReader(reader.view(sizeBytes));
  const numbers: number[] = [];
  while (list.remaining > 0) numbers.push(numberBytes === 1 ? list.u8() : list.u16());
  if (list.overrun) reader.skip(reader.remaining + 1);
  return numbers;
}

/** Writes the list of extensions, in the order of `ExtensionType`; nothing when there are none. */
export function writeHelloExtensions(writer: ByteWriter, extensions: HelloExtensions): void {
  const list = new ByteWriter();
  const put = (type: number, body: Uint8Array | undefined): void => {
    if (body !== undefined) list.u16(type).u16(body.length).raw(body);
  };
  put(ExtensionType.supportedGroups, numbers(extensions.supportedGroups, 2, 2));
  put(ExtensionType.pointFormats, numbers(extensions.pointFormats, 1, 1));
  put(ExtensionType.signatureAlgorithms, numbers(extensions.signatureAlgorithms, 2, 2));
  const profiles = numbers(extensions.srtpProfiles, 2, 2);
  if (profiles !== undefined) {
    const identifier = extensions.srtpMasterKeyIdentifier ?? new Uint8Array();
    put(ExtensionType.useSrtp, new ByteWriter().raw(profiles).u8(identifier.length).raw(identifier).finish());
  }
  if (extensions.extendedMasterSecret === true) put(ExtensionType.extendedMasterSecret, new Uint8Array());
  put(ExtensionType.supportedVersions, numbers(extensions.supportedVersions, 1, 2));
  const { renegotiationInfo } = extensions;
  if (renegotiationInfo !== undefined)
    put(ExtensionType.renegotiationInfo, new ByteWriter().u8(renegotiationInfo.length).raw(renegotiationInfo).finish());
  if (list.length > 0) writer.u16(list.length).raw(list.finish());
}

function numbers(list: readonly number[] | undefined, lengthBytes: 1 | 2, numberBytes: 1 | 2): Uint8Array | undefined {
  if (list === undefined) return undefined;
  const writer = new ByteWriter(2 + 2 * list.length);
  if (lengthBytes === 1) writer.u8(list.length * numberBytes);
  else writer.u16(list.length * numberBytes);
  for (const number of list) {
    if (numberBytes === 1) writer.u8(number);
    else writer.u16(number);
  }
  return writer.finish();
}
