import { isIntegrityValid } from '../../src/protocol/stun/message-integrity.ts';
import { StunAttribute } from '../../src/protocol/stun/stun-attributes.ts';
import type { StunCrypto } from '../../src/protocol/stun/stun-crypto.ts';
import { MAX_STUN_ATTRIBUTES, parseStunMessage, type StunMessage } from '../../src/protocol/stun/stun-message.ts';
import { StunWriter } from '../../src/protocol/stun/stun-writer.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'stun';

/** Finds nothing right, as the cryptography does with anything a stranger sends. */
const crypto: StunCrypto = {
  importKey: () => ({ hmacSha1: () => new Uint8Array(20), hmacSha256: () => new Uint8Array(32) }),
  equal: () => false,
  md5: () => new Uint8Array(16),
};
const key = crypto.importKey(new Uint8Array());

/** STUN messages: none is believed, every value is found within the message, and what is read can be written. */
export function run(bytes: Uint8Array): void {
  const message = parseStunMessage(bytes);
  if (message === undefined) return;
  if (message.unknownRequired.length > MAX_STUN_ATTRIBUTES) throw new RangeError('too many attributes');
  if (isIntegrityValid(message, key, crypto)) throw new RangeError('a message nobody signed');
  const address = message.mappedAddress();
  message.errorCode();
  for (const type of Object.values(StunAttribute)) {
    message.u32(type);
    message.u64(type);
    message.text(type);
    const value = message.value(type);
    if (value === undefined) continue;
    if (value.byteOffset + value.length > bytes.byteOffset + bytes.length)
      throw new RangeError('a value from elsewhere');
  }
  const written = readAgain(message, address);
  if (address !== undefined) {
    const again = written.mappedAddress();
    if (again?.address !== address.address || again.port !== address.port) throw new RangeError('addresses differ');
  }
}

function readAgain(message: StunMessage, address: ReturnType<StunMessage['mappedAddress']>): StunMessage {
  const writer = new StunWriter(message.messageClass, message.method, message.transactionId);
  for (const type of [StunAttribute.username, StunAttribute.realm, StunAttribute.nonce]) {
    const value = message.value(type);
    if (value !== undefined) writer.attribute(type, value);
  }
  if (address !== undefined) writer.xorMappedAddress(address);
  const again = parseStunMessage(writer.fingerprint().finish());
  if (again === undefined) throw new RangeError('a written message is not read');
  expectSameBytes(again.transactionId, message.transactionId, 'transaction ids');
  const username = message.value(StunAttribute.username);
  if (username !== undefined) expectSameBytes(again.value(StunAttribute.username), username, 'user names');
  if (again.messageClass !== message.messageClass || again.method !== message.method)
    throw new RangeError('types differ');
  return again;
}
