import { ProtocolError } from '../../wire/errors.ts';

/** Why a MIKEY message can't be used (`ProtocolError`). */
export type MikeyErrorCode = 'mikey/malformed' | 'mikey/too-large' | 'mikey/unsupported' | 'mikey/refused';

/** How callers can misuse this folder (`StateError`). */
export type MikeyStateErrorCode = 'mikey/bad-message';

/** A longer message is refused, bytes; the usual one has some 130. */
export const MAX_MIKEY_BYTES = 8192;
/** Payloads and keys a message may have. */
export const MAX_MIKEY_PAYLOADS = 64;

/** Payloads that are read or written (RFC 3830 §6.1, table 6.1.b), as numbers of the field `next payload`. */
export const MikeyPayload = {
  last: 0,
  keyData: 1,
  timestamp: 5,
  identity: 6,
  certificate: 7,
  verification: 9,
  policy: 10,
  random: 11,
  error: 12,
  keyDataPart: 20,
  extension: 21,
} as const;

/** Types of policy parameters for SRTP (RFC 3830 §6.10.1, RFC 7714 §14.3). */
export const MikeySrtpParameter = {
  encryption: 0,
  encryptionKeyBytes: 1,
  authentication: 2,
  authenticationKeyBytes: 3,
  saltBytes: 4,
  pseudoRandomFunction: 5,
  keyDerivationRate: 6,
  isRtpEncrypted: 7,
  isRtcpEncrypted: 8,
  isRtpAuthenticated: 10,
  tagBytes: 11,
  aeadTagBytes: 20,
} as const;

/** An SRTP stream the message is about (RFC 3830 §6.1.1). */
export interface MikeyCryptoSession {
  /** `MikeyPolicy.policyNumber` of the policy it has. */
  readonly policyNumber: number;
  readonly ssrc: number;
  readonly rolloverCounter: number;
}

/** A security policy payload (RFC 3830 §6.10). */
export interface MikeyPolicy {
  readonly policyNumber: number;
  /** 0 for SRTP. */
  readonly protocol: number;
  readonly parameters: readonly MikeyPolicyParameter[];
}

export interface MikeyPolicyParameter {
  readonly type: number;
  /** 255 bytes at most. */
  readonly value: Uint8Array;
}

/** A key data sub-payload (RFC 3830 §6.13). */
export interface MikeyKey {
  /** A key from which traffic keys are generated, or a traffic encrypting key itself. */
  readonly kind: 'tgk' | 'tek';
  /** With `salt` undefined peers put the salt at its end. */
  readonly key: Uint8Array;
  readonly salt: Uint8Array | undefined;
  /** SPI or MKI the key belongs to, or its interval of validity (RFC 3830 §6.14). */
  readonly validity: MikeyKeyValidity | undefined;
}

export type MikeyKeyValidity =
  | { readonly type: 'identifier'; readonly identifier: Uint8Array }
  | { readonly type: 'interval'; readonly from: Uint8Array; readonly to: Uint8Array };

/**
 * A MIKEY message with keys in clear (RFC 3830, NULL encryption), as RTSP carries it over a connection that is safe itself
 * (RFC 4567). Payloads that say nothing about keys (identities, certificates, extensions) are skipped when read.
 */
export interface MikeyMessage {
  /** 0: an initiator's message with a pre-shared key; other numbers as in RFC 3830 table 6.1.a. */
  readonly dataType: number;
  /** The initiator wants an answer. */
  readonly isVerificationWanted: boolean;
  /** Function to derive keys from a TGK, 7 bits; 0 is MIKEY-1. */
  readonly pseudoRandomFunction: number;
  readonly cryptoSessionBundleId: number;
  /** 255 at most. */
  readonly cryptoSessions: readonly MikeyCryptoSession[];
  readonly timestamp: MikeyTimestamp | undefined;
  /** RAND, 255 bytes at most. */
  readonly random: Uint8Array | undefined;
  readonly policies: readonly MikeyPolicy[];
  readonly keys: readonly MikeyKey[];
}

/** Type 0 is NTP in UTC, 1 is NTP, 2 is a counter (RFC 3830 §6.6). */
export interface MikeyTimestamp {
  readonly type: 0 | 1 | 2;
  /** 8 bytes, 4 for a counter. */
  readonly value: Uint8Array;
}

/** A `ProtocolError` with a code of this area. */
export function mikeyError(code: MikeyErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}
