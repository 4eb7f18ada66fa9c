import { AmfEcmaArray, type AmfEntries } from '../../protocol/amf/amf-value.ts';
import { writeAmf0Values } from '../../protocol/amf/amf0-writer.ts';
import { ByteReader } from '../../wire/byte-reader.ts';

/** Longest name of a data message that is compared with the names Millrace knows; longer ones are only relayed. */
export const MAX_SCRIPT_NAME_BYTES = 64;

const AMF0_STRING = 2;

/** A data message whose name was read. */
export interface ScriptData {
  /** The name, or an empty string for one longer than `MAX_SCRIPT_NAME_BYTES`. */
  readonly name: string;
  /** The message from its name on, without a `@setDataFrame` in front. A view into the body. */
  readonly message: Uint8Array;
  /** The values after the name. A view into the body. */
  readonly values: Uint8Array;
}

/**
 * Splits a data message (FLV v10.1 §E.4.4, RTMP §7.1.2) into name and values. `@setDataFrame`, by which FMLE-style
 * publishers ask a server to keep a message for players to come, is taken off. `undefined` when the message does not
 * begin with an AMF0 string.
 */
export function splitScriptData(body: Uint8Array): ScriptData | undefined {
  const first = splitName(body);
  if (first?.name !== '@setDataFrame') return first;
  return splitName(first.values);
}

function splitName(message: Uint8Array): ScriptData | undefined {
  const reader = new ByteReader(message);
  if (reader.u8() !== AMF0_STRING) return undefined;
  const bytes = reader.view(reader.u16());
  if (reader.overrun) return undefined;
  let name = '';
  if (bytes.length <= MAX_SCRIPT_NAME_BYTES) {
    // Names are ASCII wherever they matter, so no decoder is needed.
    for (const byte of bytes) name += String.fromCharCode(byte);
  }
  return { name, message, values: message.subarray(reader.offset) };
}

/**
 * The body of an onMetaData message or script tag: the name, then the entries in their order as an ECMA array, the
 * form players expect. A new buffer.
 *
 * @throws StateError from the AMF writer for values that nest too deep or fill more than a tag
 */
export function writeMetadata(entries: AmfEntries): Uint8Array {
  return writeAmf0Values(['onMetaData', new AmfEcmaArray(entries)]);
}
