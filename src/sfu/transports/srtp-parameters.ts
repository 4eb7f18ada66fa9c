import type { SrtpKeys } from '../../protocol/srtp/key-derivation.ts';
import type { SrtpCrypto } from '../../protocol/srtp/srtp-cipher.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../../protocol/srtp/srtp-profile.ts';
import { SrtpReceiver } from '../../protocol/srtp/srtp-receiver.ts';
import { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';
import { fromBase64, toBase64 } from '../../wire/base64.ts';
import { StateError } from '../../wire/errors.ts';
import type { SfuErrorCode } from '../router-environment.ts';

/** Keys of SRTP as they are signalled: master key and salt in one. */
export interface SrtpParameters {
  readonly cryptoSuite: string;
  readonly keyBase64: string;
}

/** What SRTP needs of the world. */
export interface SrtpSupport {
  readonly crypto: SrtpCrypto;
  randomBytes(sizeBytes: number): Uint8Array;
}

/** SRTP under signalled keys, one for each direction (RFC 4568). */
export class SignalledSrtp {
  readonly #support: SrtpSupport;
  #localParameters: SrtpParameters;
  #sender: SrtpSender;
  #receiver: SrtpReceiver | undefined;

  /** @throws StateError `sfu/bad-request` for an unknown suite */
  constructor(cryptoSuite: string, support: SrtpSupport) {
    this.#support = support;
    const { parameters, sender } = newSender(cryptoSuite, support);
    this.#localParameters = parameters;
    this.#sender = sender;
  }

  get localParameters(): SrtpParameters {
    return this.#localParameters;
  }

  /** Protects what goes to the peer; another one when the peer's suite is another. */
  get sender(): SrtpSender {
    return this.#sender;
  }

  /** Checks what comes from the peer; undefined before its keys are known. */
  get receiver(): SrtpReceiver | undefined {
    return this.#receiver;
  }

  /**
   * The peer's keys. Both directions have one suite (RFC 4568 §6.1): when the peer chose another, there is a new local key.
   * @throws StateError `sfu/bad-request` when they are none
   */
  setRemote({ cryptoSuite, keyBase64 }: SrtpParameters): void {
    const profile = profileOf(cryptoSuite);
    const key = fromBase64(keyBase64);
    const { keyBytes, saltBytes } = SRTP_PROFILES[profile];
    if (key?.length !== keyBytes + saltBytes) throw badRequest('a key of SRTP of another length than its suite has');
    this.#receiver = new SrtpReceiver(keysOf(profile, key), this.#support.crypto);
    if (cryptoSuite === this.#localParameters.cryptoSuite) return;
    const { parameters, sender } = newSender(cryptoSuite, this.#support);
    this.#localParameters = parameters;
    this.#sender = sender;
  }
}

function newSender(
  cryptoSuite: string,
  support: SrtpSupport,
): { readonly parameters: SrtpParameters; readonly sender: SrtpSender } {
  const profile = profileOf(cryptoSuite);
  const { keyBytes, saltBytes } = SRTP_PROFILES[profile];
  const key = support.randomBytes(keyBytes + saltBytes);
  const parameters = { cryptoSuite, keyBase64: toBase64(key) };
  return { parameters, sender: new SrtpSender(keysOf(profile, key), support.crypto) };
}

function keysOf(profile: SrtpProfileName, key: Uint8Array): SrtpKeys {
  const { keyBytes } = SRTP_PROFILES[profile];
  return { profile, masterKey: key.subarray(0, keyBytes), masterSalt: key.subarray(keyBytes) };
}

function profileOf(cryptoSuite: string): SrtpProfileName {
  if (!Object.hasOwn(SRTP_PROFILES, cryptoSuite)) throw badRequest(`the unknown crypto suite ${cryptoSuite}`);
  return cryptoSuite as SrtpProfileName;
}

function badRequest(message: string): StateError {
  return new StateError('sfu/bad-request' satisfies SfuErrorCode, message);
}
