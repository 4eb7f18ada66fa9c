import { ByteReader } from '../../wire/byte-reader.ts';
import type { ProtocolError } from '../../wire/errors.ts';
import {
  MAX_MIKEY_BYTES,
  MAX_MIKEY_PAYLOADS,
  type MikeyCryptoSession,
  type MikeyKey,
  type MikeyKeyValidity,
  type MikeyMessage,
  MikeyPayload,
  type MikeyPolicy,
  type MikeyPolicyParameter,
  type MikeyTimestamp,
  mikeyError,
} from './mikey-message.ts';

const VERSION = 1;
/** Types of the map from crypto sessions to SRTP streams: by SSRC, and none (RFC 4563 §4). */
const MAP_SRTP = 0;
const MAP_EMPTY = 1;
const HMAC_SHA1_BYTES = 20;

interface Parts {
  timestamp: MikeyTimestamp | undefined;
  random: Uint8Array | undefined;
  readonly policies: MikeyPolicy[];
  readonly keys: MikeyKey[];
}

/**
 * Reads a MIKEY message (RFC 3830 §6).
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+---------------+-+-------------+
 *     !   version     !   data type   ! next payload  !V! PRF func    !
 *     +---------------+---------------+---------------+-+-------------+
 *     !                            CSB ID                             !
 *     +---------------+---------------+-------------------------------+
 *     !    # CS       ! CS ID map type! CS ID map info                ~
 *     +---------------+---------------+-------------------------------+
 *
 * @returns the message, whose byte arrays are copies; or an error with a `MikeyErrorCode`: `mikey/unsupported` for keys
 * that are encrypted, signed or exchanged by other means than this server has, `mikey/refused` for a peer's error message
 */
export function parseMikeyMessage(bytes: Uint8Array): MikeyMessage | ProtocolError {
  if (bytes.length > MAX_MIKEY_BYTES) return mikeyError('mikey/too-large', `a message of ${bytes.length} bytes`);
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const dataType = reader.u8();
  let payload = reader.u8();
  const flags = reader.u8();
  const cryptoSessionBundleId = reader.u32();
  const sessionCount = reader.u8();
  const mapType = reader.u8();
  if (reader.overrun) return mikeyError('mikey/malformed', 'the header is cut short');
  if (version !== VERSION) return mikeyError('mikey/unsupported', `version ${version}`);
  if (mapType > MAP_EMPTY) return mikeyError('mikey/unsupported', `crypto session map of type ${mapType}`);
  const cryptoSessions: MikeyCryptoSession[] = [];
  for (let i = 0; mapType === MAP_SRTP && i < sessionCount; i++) {
    cryptoSessions.push({ policyNumber: reader.u8(), ssrc: reader.u32(), rolloverCounter: reader.u32() });
    if (reader.overrun) return mikeyError('mikey/malformed', 'the crypto sessions are cut short');
  }
  const parts: Parts = { timestamp: undefined, random: undefined, policies: [], keys: [] };
  for (let count = 0; payload !== MikeyPayload.last; count++) {
    if (count === MAX_MIKEY_PAYLOADS) return mikeyError('mikey/too-large', `more than ${count} payloads`);
    const next = reader.u8();
    const error = readPayload(reader, payload, parts);
    if (error !== undefined) return error;
    if (reader.overrun) return mikeyError('mikey/malformed', `payload ${payload} is cut short`);
    payload = next;
  }
  return {
    dataType,
    isVerificationWanted: flags >>> 7 === 1,
    pseudoRandomFunction: flags & 0x7f,
    cryptoSessionBundleId,
    cryptoSessions,
    ...parts,
  };
}

/** Reads what follows the field `next payload`. Leaves it to the caller to see an overrun. */
function readPayload(reader: ByteReader, payload: number, parts: Parts): ProtocolError | undefined {
  switch (payload) {
    case MikeyPayload.timestamp: {
      const type = reader.u8();
      if (type > 2) return mikeyError('mikey/unsupported', `timestamp of type ${type}`);
      parts.timestamp = { type: type as MikeyTimestamp['type'], value: reader.view(type === 2 ? 4 : 8).slice() };
      return undefined;
    }
    case MikeyPayload.random:
      parts.random = copy(reader, reader.u8());
      return undefined;
    case MikeyPayload.policy:
      return readPolicy(reader, parts.policies);
    case MikeyPayload.keyData:
      return readKeys(reader, parts.keys);
    case MikeyPayload.identity:
    case MikeyPayload.certificate:
    case MikeyPayload.extension:
      reader.skip(1);
      reader.skip(reader.u16());
      return undefined;
    case MikeyPayload.verification:
      return skipMac(reader);
    case MikeyPayload.error:
      return mikeyError('mikey/refused', `the peer reports error ${reader.u8()}`);
    default:
      return mikeyError('mikey/unsupported', `payload of type ${payload}`);
  }
}

/** RFC 3830 §6.10. */
function readPolicy(reader: ByteReader, policies: MikeyPolicy[]): ProtocolError | undefined {
  const policyNumber = reader.u8();
  const protocol = reader.u8();
  const sizeBytes = reader.u16();
  const list = new ByteReader(reader.view(sizeBytes));
  const parameters: MikeyPolicyParameter[] = [];
  while (list.remaining > 0) {
    const type = list.u8();
    parameters.push({ type, value: copy(list, list.u8()) });
  }
  if (list.overrun) return mikeyError('mikey/malformed', 'a policy parameter is longer than its policy');
  policies.push({ policyNumber, protocol, parameters });
  return undefined;
}

/** KEMAC and the key data inside (RFC 3830 §6.2, §6.13). */
function readKeys(reader: ByteReader, keys: MikeyKey[]): ProtocolError | undefined {
  const encryption = reader.u8();
  const list = new ByteReader(reader.view(reader.u16()));
  if (reader.overrun) return mikeyError('mikey/malformed', 'the key data are cut short');
  if (encryption !== 0) return mikeyError('mikey/unsupported', `key data with encryption ${encryption}`);
  let payload: number = MikeyPayload.keyDataPart;
  while (payload === MikeyPayload.keyDataPart) {
    if (keys.length === MAX_MIKEY_PAYLOADS) return mikeyError('mikey/too-large', `more than ${keys.length} keys`);
    payload = list.u8();
    const key = readKey(list);
    if (list.overrun) return mikeyError('mikey/malformed', 'a key is cut short');
    if (key === undefined) return mikeyError('mikey/unsupported', 'a key of an unknown type');
    keys.push(key);
  }
  // What the MAC covers was readable to everyone who could have changed it: the connection has to keep the message safe.
  return skipMac(reader);
}

function readKey(list: ByteReader): MikeyKey | undefined {
  const types = list.u8();
  const type = types >>> 4;
  const validityType = types & 0x0f;
  if (type > 3 || validityType > 2) return undefined;
  const key = copy(list, list.u16());
  const salt = type % 2 === 1 ? copy(list, list.u16()) : undefined;
  return { kind: type < 2 ? 'tgk' : 'tek', key, salt, validity: readValidity(list, validityType) };
}

function readValidity(list: ByteReader, type: number): MikeyKeyValidity | undefined {
  if (type === 1) return { type: 'identifier', identifier: copy(list, list.u8()) };
  if (type === 2) return { type: 'interval', from: copy(list, list.u8()), to: copy(list, list.u8()) };
  return undefined;
}

function skipMac(reader: ByteReader): ProtocolError | undefined {
  const algorithm = reader.u8();
  if (algorithm > 1) return mikeyError('mikey/unsupported', `message authentication ${algorithm}`);
  reader.skip(algorithm * HMAC_SHA1_BYTES);
  return undefined;
}

function copy(reader: ByteReader, sizeBytes: number): Uint8Array {
  return reader.view(sizeBytes).slice();
}
