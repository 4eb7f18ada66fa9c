/** MIKEY in SDP and RTSP (RFC 4567): the attribute `a=key-mgmt` and the header `KeyMgmt`. */
import { fromBase64, toBase64 } from '../../wire/base64.ts';
import { MAX_MIKEY_BYTES } from './mikey-message.ts';

/** Longest text that is looked at, characters: a message in base64 and an address. */
export const MAX_KEY_MANAGEMENT_CHARS: number = 2 * MAX_MIKEY_BYTES;
/** Entries of one header. */
export const MAX_KEY_MANAGEMENT_ENTRIES = 16;

/** One `prot=mikey` entry of a `KeyMgmt` header. */
export interface KeyManagementEntry {
  /** What of the presentation the keys are for; undefined: what the request is about. */
  readonly uri: string | undefined;
  /** The MIKEY message. */
  readonly message: Uint8Array;
}

/** Value of `a=key-mgmt` (RFC 4567 §3.1): `mikey AQAFgM0X…`. */
export function writeKeyManagementAttribute(message: Uint8Array): string {
  return `mikey ${toBase64(message)}`;
}

/** The MIKEY message in a value of `a=key-mgmt`; undefined for another protocol or what is no base64. */
export function parseKeyManagementAttribute(value: string): Uint8Array | undefined {
  if (value.length > MAX_KEY_MANAGEMENT_CHARS) return undefined;
  const [, data] = /^\s*mikey\s+(\S+)\s*$/i.exec(value) ?? [];
  return data === undefined ? undefined : fromBase64(data);
}

/** Value of the header `KeyMgmt` (RFC 4567 §4.1): `prot=mikey; uri="…"; data="…"`. */
export function writeKeyManagementHeader(entry: KeyManagementEntry): string {
  const uri = entry.uri === undefined ? '' : ` uri="${entry.uri.replace(/["\\]/g, '\\$&')}";`;
  return `prot=mikey;${uri} data="${toBase64(entry.message)}"`;
}

/** The MIKEY entries of a `KeyMgmt` header; others, and what can't be read, are left out. */
export function parseKeyManagementHeader(value: string): readonly KeyManagementEntry[] {
  if (value.length > MAX_KEY_MANAGEMENT_CHARS) return [];
  const entries: KeyManagementEntry[] = [];
  let fields = new Map<string, string>();
  const parameter = /\s*([\w-]+)\s*=(?:\s*"((?:[^"\\]|\\.)*)"\s*|([^;,"]*))([;,]|$)/y;
  while (parameter.lastIndex < value.length && entries.length < MAX_KEY_MANAGEMENT_ENTRIES) {
    const match = parameter.exec(value);
    if (match === null) break;
    const [, name = '', quoted, plain = '', separator] = match;
    fields.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain.trim());
    // live555 and GStreamer close an entry with the header, RFC 4567 parts entries by commas.
    if (separator === ';' && parameter.lastIndex < value.length) continue;
    const data = fields.get('prot')?.toLowerCase() === 'mikey' ? fromBase64(fields.get('data') ?? '') : undefined;
    if (data !== undefined && data.length > 0) entries.push({ uri: fields.get('uri'), message: data });
    fields = new Map();
  }
  return entries;
}
