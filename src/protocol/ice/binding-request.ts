/** What both kinds of agent do with a Binding request before anything of it is believed, and how they answer. */
import { addIntegrity, integrityKindOf, isIntegrityValid } from '../stun/message-integrity.ts';
import { StunAttribute, StunErrorCode } from '../stun/stun-attributes.ts';
import type { StunCrypto } from '../stun/stun-crypto.ts';
import { BINDING_METHOD, StunClass, type StunMessage } from '../stun/stun-message.ts';
import { StunWriter } from '../stun/stun-writer.ts';
import type { IceCredentials } from './credentials.ts';
import type { IceTuple } from './ice-tuple.ts';

/** Errors told to senders who have not shown that they know the password, each second and at once. */
export const MAX_UNAUTHENTICATED_ERRORS_PER_SECOND = 10;

/** The credentials a request was made with, or the error that refuses it (RFC 8489 §9.1.3). */
export function authenticate(
  request: StunMessage,
  accepted: readonly (IceCredentials | undefined)[],
  crypto: StunCrypto,
): IceCredentials | 400 | 401 {
  const username = request.text(StunAttribute.username);
  if (username === undefined || integrityKindOf(request) === undefined) return StunErrorCode.badRequest;
  for (const credentials of accepted) {
    if (credentials === undefined || !username.startsWith(`${credentials.usernameFragment}:`)) continue;
    return isIntegrityValid(request, credentials.key, crypto) ? credentials : StunErrorCode.unauthenticated;
  }
  return StunErrorCode.unauthenticated;
}

/** The answer to a genuine request: where it was seen to come from (RFC 8445 §7.3.1.3). */
export function writeSuccess(request: StunMessage, from: IceTuple, credentials: IceCredentials): Uint8Array {
  const writer = new StunWriter(StunClass.success, BINDING_METHOD, request.transactionId).xorMappedAddress({
    address: from.remoteAddress,
    port: from.remotePort,
  });
  return addIntegrity(writer, integrityKindOf(request) ?? 'sha1', credentials.key)
    .fingerprint()
    .finish();
}

/** An error told to a peer that is genuine. */
export function writeError(request: StunMessage, code: number, credentials: IceCredentials): Uint8Array {
  const writer = new StunWriter(StunClass.error, BINDING_METHOD, request.transactionId).errorCode(code);
  if (code === StunErrorCode.unknownAttribute) writer.unknownAttributes(request.unknownRequired);
  return addIntegrity(writer, integrityKindOf(request) ?? 'sha1', credentials.key)
    .fingerprint()
    .finish();
}

/**
 * Tells senders of requests that are not genuine what is wrong, without serving those who forge addresses: no answer is
 * longer than its request, and there are few in a second.
 */
export class UnauthenticatedErrors {
  #tokens: number = MAX_UNAUTHENTICATED_ERRORS_PER_SECOND;
  #filledMs: number | undefined;

  /** The answer, without integrity; undefined when there is to be none. */
  answer(request: StunMessage, code: 400 | 401, nowMs: number): Uint8Array | undefined {
    const most = MAX_UNAUTHENTICATED_ERRORS_PER_SECOND;
    const elapsedMs = Math.max(nowMs - (this.#filledMs ?? nowMs), 0);
    this.#tokens = Math.min(this.#tokens + (elapsedMs * most) / 1000, most);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return undefined;
    const writer = new StunWriter(StunClass.error, BINDING_METHOD, request.transactionId).errorCode(code);
    const answer = (request.hasFingerprint ? writer.fingerprint() : writer).finish();
    if (answer.length > request.bytes.length) return undefined;
    this.#tokens--;
    return answer;
  }
}
