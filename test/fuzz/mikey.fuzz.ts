import {
  parseKeyManagementAttribute,
  parseKeyManagementHeader,
  writeKeyManagementAttribute,
  writeKeyManagementHeader,
} from '../../src/protocol/mikey/key-management.ts';
import { MAX_MIKEY_PAYLOADS, type MikeyMessage } from '../../src/protocol/mikey/mikey-message.ts';
import { parseMikeyMessage } from '../../src/protocol/mikey/mikey-reader.ts';
import { mikeyMessageOf, srtpOf } from '../../src/protocol/mikey/mikey-srtp.ts';
import { writeMikeyMessage } from '../../src/protocol/mikey/mikey-writer.ts';
import { ProtocolError } from '../../src/wire/errors.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'mikey';

/** MIKEY messages, their SRTP keys, and the texts of SDP and RTSP they come in: errors, not throws; what is read can be written. */
export function run(bytes: Uint8Array): void {
  const message = parseMikeyMessage(bytes);
  if (!(message instanceof ProtocolError)) readAgain(message, bytes.length);
  const text = new TextDecoder('latin1').decode(bytes);
  const attribute = parseKeyManagementAttribute(text);
  if (attribute !== undefined) {
    expectSameBytes(parseKeyManagementAttribute(writeKeyManagementAttribute(attribute)), attribute, 'attributes');
    run(attribute);
  }
  for (const entry of parseKeyManagementHeader(text)) {
    const [again] = parseKeyManagementHeader(writeKeyManagementHeader(entry));
    if (again?.uri !== entry.uri) throw new RangeError('addresses differ');
    expectSameBytes(again?.message, entry.message, 'messages of entries');
  }
}

function readAgain(message: MikeyMessage, inputBytes: number): void {
  if (message.keys.length > MAX_MIKEY_PAYLOADS) throw new RangeError('too many keys');
  const written = writeMikeyMessage(message);
  // An empty policy or a timestamp that came twice is written once.
  if (written.length > inputBytes + 4) throw new RangeError('a message grows');
  const again = parseMikeyMessage(written);
  if (JSON.stringify(again) !== JSON.stringify(message)) throw new RangeError('messages differ');
  const srtp = srtpOf(message);
  if (srtp instanceof ProtocolError) return;
  const offered = mikeyMessageOf({ ...srtp, cryptoSessionBundleId: 1, random: new Uint8Array(16), unixTimeMs: 0 });
  const read = srtpOf(parseMikeyMessage(writeMikeyMessage(offered)) as MikeyMessage);
  if (read instanceof ProtocolError) throw read;
  if (read.keys.profile !== srtp.keys.profile) throw new RangeError('profiles differ');
  expectSameBytes(read.keys.masterKey, srtp.keys.masterKey, 'keys');
  expectSameBytes(read.keys.masterSalt, srtp.keys.masterSalt, 'salts');
}
