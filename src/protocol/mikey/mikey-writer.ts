import { ByteWriter } from '../../wire/byte-writer.ts';
import { StateError } from '../../wire/errors.ts';
import {
  type MikeyKey,
  type MikeyMessage,
  MikeyPayload,
  type MikeyPolicy,
  type MikeyStateErrorCode,
} from './mikey-message.ts';

type PayloadType = (typeof MikeyPayload)[keyof typeof MikeyPayload];

/**
 * Writes a message with keys in clear and no MAC (RFC 3830 §6).
 * @throws StateError `mikey/bad-message` when something does not fit in its length field
 */
export function writeMikeyMessage(message: MikeyMessage): Uint8Array {
  const payloads: (readonly [type: PayloadType, body: Uint8Array])[] = [];
  const { timestamp, random } = message;
  if (timestamp !== undefined) {
    const body = new ByteWriter(16).u8(timestamp.type).raw(timestamp.value).finish();
    payloads.push([MikeyPayload.timestamp, body]);
  }
  if (random !== undefined) payloads.push([MikeyPayload.random, withLength8(new ByteWriter(32), random).finish()]);
  for (const policy of message.policies) payloads.push([MikeyPayload.policy, writePolicy(policy)]);
  if (message.keys.length > 0) payloads.push([MikeyPayload.keyData, writeKeys(message.keys)]);

  const writer = new ByteWriter();
  writer
    .u8(1)
    .u8(message.dataType)
    .u8(payloads[0]?.[0] ?? MikeyPayload.last);
  writer.u8((message.isVerificationWanted ? 0x80 : 0) | message.pseudoRandomFunction);
  writer.u32(message.cryptoSessionBundleId);
  check(message.cryptoSessions.length, 0xff, 'crypto sessions');
  writer.u8(message.cryptoSessions.length).u8(0);
  for (const session of message.cryptoSessions) {
    writer.u8(session.policyNumber).u32(session.ssrc).u32(session.rolloverCounter);
  }
  for (const [i, [, body]] of payloads.entries()) {
    writer.u8(payloads[i + 1]?.[0] ?? MikeyPayload.last).raw(body);
  }
  return writer.finish();
}

function writePolicy(policy: MikeyPolicy): Uint8Array {
  const parameters = new ByteWriter(64);
  for (const { type, value } of policy.parameters) withLength8(parameters.u8(type), value);
  return withLength16(new ByteWriter(64).u8(policy.policyNumber).u8(policy.protocol), parameters.finish()).finish();
}

function writeKeys(keys: readonly MikeyKey[]): Uint8Array {
  const list = new ByteWriter(64);
  for (const [i, key] of keys.entries()) {
    const { validity } = key;
    const kind = (key.kind === 'tgk' ? 0 : 2) + (key.salt === undefined ? 0 : 1);
    const validityType = validity === undefined ? 0 : validity.type === 'identifier' ? 1 : 2;
    list.u8(i + 1 < keys.length ? MikeyPayload.keyDataPart : MikeyPayload.last).u8((kind << 4) | validityType);
    withLength16(list, key.key);
    if (key.salt !== undefined) withLength16(list, key.salt);
    if (validity?.type === 'identifier') withLength8(list, validity.identifier);
    if (validity?.type === 'interval') withLength8(withLength8(list, validity.from), validity.to);
  }
  // NULL encryption in front, NULL MAC behind.
  return withLength16(new ByteWriter(64).u8(0), list.finish()).u8(0).finish();
}

function withLength8(writer: ByteWriter, bytes: Uint8Array): ByteWriter {
  check(bytes.length, 0xff, 'bytes');
  return writer.u8(bytes.length).raw(bytes);
}

function withLength16(writer: ByteWriter, bytes: Uint8Array): ByteWriter {
  check(bytes.length, 0xffff, 'bytes');
  return writer.u16(bytes.length).raw(bytes);
}

function check(count: number, limit: number, what: string): void {
  if (count <= limit) return;
  throw new StateError('mikey/bad-message' satisfies MikeyStateErrorCode, `${count} ${what}, ${limit} fit`);
}
