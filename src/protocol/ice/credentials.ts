import type { StunCrypto, StunKey } from '../stun/stun-crypto.ts';
import { iceStateError } from './ice-error.ts';

/** What one side tells the other about itself (RFC 8839 §5.3, §5.4), under mediasoup's names. */
export interface IceParameters {
  /** 4–256 of letters, digits, `+` and `/`. */
  readonly usernameFragment: string;
  /** 22–256 of the same characters. */
  readonly password: string;
  /** Whether it only answers; default false. */
  readonly iceLite?: boolean;
}

/** 8 characters of 64 are 48 bits: no two transports of one port meet. */
const USERNAME_FRAGMENT_CHARACTERS = 8;
/** 32 characters of 64 are 192 bits; RFC 8445 §5.3 wants 128. */
const PASSWORD_CHARACTERS = 32;
const ICE_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const usernameFragmentForm = /^[A-Za-z0-9+/]{4,256}$/;
const passwordForm = /^[A-Za-z0-9+/]{22,256}$/;

/** New parameters of a session; `random` must be good enough for secrets. */
export function makeIceParameters(random: (sizeBytes: number) => Uint8Array): IceParameters {
  const text = (length: number): string =>
    Array.from(random(length), (byte) => ICE_CHARACTERS.charAt(byte & 63)).join('');
  return { usernameFragment: text(USERNAME_FRAGMENT_CHARACTERS), password: text(PASSWORD_CHARACTERS) };
}

/** Parameters with their password as a key. */
export class IceCredentials {
  readonly usernameFragment: string;
  readonly key: StunKey;

  /** @throws StateError `ice/bad-credentials` */
  constructor({ usernameFragment, password }: IceParameters, crypto: StunCrypto) {
    if (!usernameFragmentForm.test(usernameFragment) || !passwordForm.test(password)) {
      throw iceStateError('ice/bad-credentials', 'a username fragment or password RFC 8839 §5.4 does not allow');
    }
    this.usernameFragment = usernameFragment;
    this.key = crypto.importKey(new TextEncoder().encode(password));
  }
}
