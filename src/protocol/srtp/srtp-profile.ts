/** Protection profiles of SRTP, by the names of SDP security descriptions (RFC 4568 §6.2, RFC 7714 §14.2). */
export type SrtpProfileName =
  | 'AES_CM_128_HMAC_SHA1_80'
  | 'AES_CM_128_HMAC_SHA1_32'
  | 'AEAD_AES_128_GCM'
  | 'AEAD_AES_256_GCM';

/** Codes of the `StateError`s this folder throws: faults of the caller. Faults of packets are counted. */
export type SrtpErrorCode = 'srtp/bad-key';

/** Sizes are bytes. */
export interface SrtpProfile {
  readonly name: SrtpProfileName;
  /** Number in the `use_srtp` extension of DTLS (RFC 5764 §4.1.2, RFC 7714 §14.2). */
  readonly dtlsId: number;
  /** AES in counter mode with HMAC-SHA1 (RFC 3711), or AES-GCM (RFC 7714). */
  readonly transform: 'aes-cm' | 'aes-gcm';
  /** Master key and session encryption key have one length. */
  readonly keyBytes: number;
  readonly saltBytes: number;
  /** 0 for the profiles that authenticate while they encrypt. */
  readonly authenticationKeyBytes: number;
  readonly rtpTagBytes: number;
  /** SRTCP keeps the long tag where SRTP has the short one (RFC 3711 §5.2). */
  readonly rtcpTagBytes: number;
}

const aesCm = {
  transform: 'aes-cm',
  keyBytes: 16,
  saltBytes: 14,
  authenticationKeyBytes: 20,
  rtcpTagBytes: 10,
} as const;
const aesGcm = {
  transform: 'aes-gcm',
  saltBytes: 12,
  authenticationKeyBytes: 0,
  rtpTagBytes: 16,
  rtcpTagBytes: 16,
} as const;

/** All profiles, in the order they are preferred here. AES-256 in counter mode (RFC 6188) and the NULL ciphers are left out. */
export const SRTP_PROFILES: Readonly<Record<SrtpProfileName, SrtpProfile>> = {
  AEAD_AES_256_GCM: { ...aesGcm, name: 'AEAD_AES_256_GCM', dtlsId: 8, keyBytes: 32 },
  AEAD_AES_128_GCM: { ...aesGcm, name: 'AEAD_AES_128_GCM', dtlsId: 7, keyBytes: 16 },
  AES_CM_128_HMAC_SHA1_80: { ...aesCm, name: 'AES_CM_128_HMAC_SHA1_80', dtlsId: 1, rtpTagBytes: 10 },
  AES_CM_128_HMAC_SHA1_32: { ...aesCm, name: 'AES_CM_128_HMAC_SHA1_32', dtlsId: 2, rtpTagBytes: 4 },
};
