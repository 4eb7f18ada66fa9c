/** What MIKEY messages say about SRTP: keys, profile and rollover counters. */
import type { ProtocolError } from '../../wire/errors.ts';
import { joinBytes } from '../../wire/join-bytes.ts';
import { toNtpTime } from '../../wire/ntp-time.ts';
import type { SrtpKeys } from '../srtp/key-derivation.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../srtp/srtp-profile.ts';
import {
  type MikeyCryptoSession,
  type MikeyMessage,
  type MikeyPolicyParameter,
  MikeySrtpParameter,
  mikeyError,
} from './mikey-message.ts';

/** Values of `MikeySrtpParameter.encryption` and `.authentication` (RFC 3830 §6.10.1, RFC 7714 §14.3). */
const AES_CM = 1;
const AES_GCM = 6;
const HMAC_SHA1 = 1;
const NO_AUTHENTICATION = 0;
const SHORT_TAG_BYTES = 4;

/** What an RTSP peer is told, or tells. */
export interface MikeySrtp {
  readonly keys: SrtpKeys;
  /** Rollover counter of each SSRC sent with these keys. */
  readonly rolloverCounters: ReadonlyMap<number, number>;
}

/** What a new message needs besides keys. All random bytes come from the caller. */
export interface MikeySrtpOptions extends MikeySrtp {
  /** Random, 32 bits. */
  readonly cryptoSessionBundleId: number;
  /** 16 random bytes (RFC 3830 §6.11 asks for that many at least). */
  readonly random: Uint8Array;
  /** Time of day, milliseconds since 1970. */
  readonly unixTimeMs: number;
}

/**
 * A message that offers SRTP keys in clear, as GStreamer and live555 read it: one key with its salt behind it, one policy,
 * and each SSRC. Only for connections that nobody else can read (RTSPS).
 */
export function mikeyMessageOf(options: MikeySrtpOptions): MikeyMessage {
  const { keys, rolloverCounters } = options;
  const { masterKeyIdentifier } = keys;
  const cryptoSessions: MikeyCryptoSession[] = [];
  for (const [ssrc, rolloverCounter] of rolloverCounters) {
    cryptoSessions.push({ policyNumber: 0, ssrc, rolloverCounter });
  }
  return {
    dataType: 0,
    isVerificationWanted: false,
    pseudoRandomFunction: 0,
    cryptoSessionBundleId: options.cryptoSessionBundleId,
    cryptoSessions,
    timestamp: { type: 0, value: ntpTime(options.unixTimeMs) },
    random: options.random,
    policies: [{ policyNumber: 0, protocol: 0, parameters: parametersOf(keys.profile) }],
    keys: [
      {
        kind: 'tek',
        key: joinBytes([keys.masterKey, keys.masterSalt]),
        salt: undefined,
        validity:
          masterKeyIdentifier === undefined || masterKeyIdentifier.length === 0
            ? undefined
            : { type: 'identifier', identifier: masterKeyIdentifier },
      },
    ],
  };
}

/**
 * The SRTP keys of a message that was received. A validity interval is not watched; of several keys the first is taken.
 * @returns an error with code `mikey/unsupported` when the peer asks for what SRTP here does not do (NULL ciphers, F8,
 * AES-256 in counter mode, keys to be derived, a key derivation rate), or `mikey/malformed`
 */
export function srtpOf(message: MikeyMessage): MikeySrtp | ProtocolError {
  const [key] = message.keys;
  if (key === undefined) return mikeyError('mikey/malformed', 'there is no key');
  if (key.kind !== 'tek') return mikeyError('mikey/unsupported', 'a key to derive keys from');
  const [session] = message.cryptoSessions;
  const policy =
    message.policies.find(({ policyNumber }) => policyNumber === session?.policyNumber) ?? message.policies[0];
  if (policy !== undefined && policy.protocol !== 0) return mikeyError('mikey/unsupported', 'a policy not for SRTP');
  const chosen = profileOf(policy?.parameters ?? []);
  if (typeof chosen === 'string') return mikeyError('mikey/unsupported', chosen);
  const { keyBytes, saltBytes } = SRTP_PROFILES[chosen.profile];
  const bytes = key.salt === undefined ? key.key : joinBytes([key.key, key.salt]);
  const isWhole = key.salt === undefined || key.key.length === keyBytes;
  if (bytes.length !== keyBytes + saltBytes || !isWhole) {
    return mikeyError('mikey/malformed', `${chosen.profile} has no key of ${bytes.length} bytes with its salt`);
  }
  const { validity } = key;
  const identifier = validity?.type === 'identifier' ? validity.identifier : undefined;
  if (identifier !== undefined && identifier.length > 128) return mikeyError('mikey/unsupported', 'so long an MKI');
  return {
    keys: {
      ...chosen,
      masterKey: bytes.slice(0, keyBytes),
      masterSalt: bytes.slice(keyBytes),
      ...(identifier === undefined || identifier.length === 0 ? {} : { masterKeyIdentifier: identifier }),
    },
    rolloverCounters: new Map(message.cryptoSessions.map(({ ssrc, rolloverCounter }) => [ssrc, rolloverCounter])),
  };
}

/**
 * Parameters of a policy. GStreamer takes the length of the authentication key for that of the tag: where the tag is short
 * it has to be told so there.
 */
function parametersOf(name: SrtpProfileName): readonly MikeyPolicyParameter[] {
  const profile = SRTP_PROFILES[name];
  const isGcm = profile.transform === 'aes-gcm';
  const isShort = profile.rtpTagBytes === SHORT_TAG_BYTES;
  const p = MikeySrtpParameter;
  const values: readonly (readonly [type: number, value: number])[] = [
    [p.encryption, isGcm ? AES_GCM : AES_CM],
    [p.encryptionKeyBytes, profile.keyBytes],
    [p.authentication, isGcm ? NO_AUTHENTICATION : HMAC_SHA1],
    [p.authenticationKeyBytes, isShort ? SHORT_TAG_BYTES : profile.authenticationKeyBytes],
    [p.saltBytes, profile.saltBytes],
    [p.isRtpEncrypted, 1],
    [p.isRtcpEncrypted, 1],
    [p.isRtpAuthenticated, 1],
    [isGcm ? p.aeadTagBytes : p.tagBytes, profile.rtpTagBytes],
  ];
  return values.map(([type, value]) => ({ type, value: Uint8Array.of(value) }));
}

/** The profile a policy means, with the tag of SRTCP where it differs; or what is not supported in it. */
function profileOf(parameters: readonly MikeyPolicyParameter[]): Pick<SrtpKeys, 'profile' | 'rtcpTagBytes'> | string {
  const p = MikeySrtpParameter;
  const numberOf = (type: number): number | undefined => {
    const value = parameters.findLast((parameter) => parameter.type === type)?.value;
    return value?.reduce((number, byte) => number * 256 + byte, 0);
  };
  if (numberOf(p.isRtpEncrypted) === 0 || numberOf(p.isRtcpEncrypted) === 0) return 'packets in clear';
  if ((numberOf(p.pseudoRandomFunction) ?? 0) !== 0) return 'another pseudo-random function';
  if ((numberOf(p.keyDerivationRate) ?? 0) !== 0) return 'a key derivation rate';
  const encryption = numberOf(p.encryption) ?? AES_CM;
  const keyBytes = numberOf(p.encryptionKeyBytes) ?? 16;
  if (encryption === AES_GCM) {
    if ((numberOf(p.aeadTagBytes) ?? 16) !== 16) return 'a short AEAD tag';
    if (keyBytes === 16) return { profile: 'AEAD_AES_128_GCM' };
    return keyBytes === 32 ? { profile: 'AEAD_AES_256_GCM' } : `AES-GCM with ${keyBytes} bytes of key`;
  }
  if (encryption !== AES_CM || keyBytes !== 16) return `encryption ${encryption} with ${keyBytes} bytes of key`;
  if ((numberOf(p.authentication) ?? HMAC_SHA1) !== HMAC_SHA1 || numberOf(p.isRtpAuthenticated) === 0) {
    return 'packets without authentication';
  }
  // GStreamer means the tag of both when it says so short a key.
  if (numberOf(p.authenticationKeyBytes) === SHORT_TAG_BYTES) {
    return { profile: 'AES_CM_128_HMAC_SHA1_32', rtcpTagBytes: SHORT_TAG_BYTES };
  }
  const tagBytes = numberOf(p.tagBytes) ?? 10;
  if (tagBytes === 10) return { profile: 'AES_CM_128_HMAC_SHA1_80' };
  return tagBytes === SHORT_TAG_BYTES ? { profile: 'AES_CM_128_HMAC_SHA1_32' } : `a tag of ${tagBytes} bytes`;
}

function ntpTime(unixTimeMs: number): Uint8Array {
  const value = new Uint8Array(8);
  const view = new DataView(value.buffer);
  const { ntpSeconds, ntpFraction } = toNtpTime(unixTimeMs);
  view.setUint32(0, ntpSeconds);
  view.setUint32(4, ntpFraction);
  return value;
}
