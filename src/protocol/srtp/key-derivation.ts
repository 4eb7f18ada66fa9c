import { StateError } from '../../wire/errors.ts';
import type { SrtpCipher, SrtpCrypto } from './srtp-cipher.ts';
import { SRTP_PROFILES, type SrtpErrorCode, type SrtpProfile, type SrtpProfileName } from './srtp-profile.ts';

/** A master key and what belongs to it: one per direction. */
export interface SrtpKeys {
  readonly profile: SrtpProfileName;
  /** `SrtpProfile.keyBytes` bytes. */
  readonly masterKey: Uint8Array;
  /** `SrtpProfile.saltBytes` bytes. */
  readonly masterSalt: Uint8Array;
  /** Put into every packet, and expected in every packet (RFC 3711 §3.1); 128 bytes at most. Default: none. */
  readonly masterKeyIdentifier?: Uint8Array;
  /** Length of the tag of SRTCP where a peer has the short one there too; only with AES-CM. Default: the profile's. */
  readonly rtcpTagBytes?: 4 | 10;
}

/** Keys and cipher of SRTP or of SRTCP under one master key. */
export interface SrtpSession {
  readonly cipher: SrtpCipher;
  readonly profile: SrtpProfile;
  readonly salt: Uint8Array;
  readonly tagBytes: number;
  readonly masterKeyIdentifier: Uint8Array;
}

/** Labels of RFC 3711 §4.3.1 and §4.3.2, of the encryption key; authentication key and salt have the next two. */
const LABEL_RTP = 0;
const LABEL_RTCP = 3;

const MAX_MASTER_KEY_IDENTIFIER_BYTES = 128;
const NOTHING: Uint8Array = new Uint8Array();

/**
 * Derives the session keys with a key derivation rate of 0, that is once (RFC 3711 §4.3, RFC 7714 §11).
 * @throws StateError `srtp/bad-key` when a key, salt or identifier has the wrong length
 */
export function deriveSession(crypto: SrtpCrypto, keys: SrtpKeys, kind: 'rtp' | 'rtcp'): SrtpSession {
  const profile = SRTP_PROFILES[keys.profile];
  const { masterKeyIdentifier = NOTHING } = keys;
  if (
    keys.masterKey.length !== profile.keyBytes ||
    keys.masterSalt.length !== profile.saltBytes ||
    masterKeyIdentifier.length > MAX_MASTER_KEY_IDENTIFIER_BYTES
  ) {
    throw new StateError(
      'srtp/bad-key' satisfies SrtpErrorCode,
      `${profile.name} takes a key of ${profile.keyBytes} and a salt of ${profile.saltBytes} bytes, not ` +
        `${keys.masterKey.length} and ${keys.masterSalt.length}`,
    );
  }
  if (keys.rtcpTagBytes !== undefined && profile.transform === 'aes-gcm') {
    throw new StateError('srtp/bad-key' satisfies SrtpErrorCode, `${profile.name} has no other tag for SRTCP`);
  }
  const label = kind === 'rtp' ? LABEL_RTP : LABEL_RTCP;
  const tagBytes = kind === 'rtp' ? profile.rtpTagBytes : (keys.rtcpTagBytes ?? profile.rtcpTagBytes);
  const cipher = crypto.createCipher({
    transform: profile.transform,
    encryptionKey: deriveKey(crypto, keys, label, profile.keyBytes),
    authenticationKey: deriveKey(crypto, keys, label + 1, profile.authenticationKeyBytes),
    tagBytes,
  });
  const salt = deriveKey(crypto, keys, label + 2, profile.saltBytes);
  return { cipher, profile, salt, tagBytes, masterKeyIdentifier };
}

/** The pseudo-random function of RFC 3711 §4.3.3: AES in counter mode from salt and label. */
export function deriveKey(
  crypto: SrtpCrypto,
  keys: Pick<SrtpKeys, 'masterKey' | 'masterSalt'>,
  label: number,
  sizeBytes: number,
): Uint8Array {
  if (sizeBytes === 0) return NOTHING;
  const blocks = new Uint8Array(16 * Math.ceil(sizeBytes / 16));
  for (let at = 0; at < blocks.length; at += 16) {
    // A salt of 12 bytes (AEAD) counts as one of 14 that ends in zeros.
    blocks.set(keys.masterSalt, at);
    blocks[at + 7]! ^= label;
    blocks[at + 15] = at >>> 4;
  }
  const key = new Uint8Array(sizeBytes);
  key.set(crypto.encryptBlocks(keys.masterKey, blocks).subarray(0, sizeBytes));
  return key;
}
