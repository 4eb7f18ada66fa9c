import type { CryptoAttribute } from '../../protocol/sdp/security-attributes.ts';
import type { SrtpKeys } from '../../protocol/srtp/key-derivation.ts';
import { SRTP_PROFILES, type SrtpProfileName } from '../../protocol/srtp/srtp-profile.ts';
import { fromBase64 } from '../../wire/base64.ts';

/** Key and salt, lifetime, identifier and its length (RFC 4568 §6.1). How long a key lives is not watched. */
const INLINE = /^inline:([A-Za-z0-9+/]{1,128}={0,2})(?:\|(?:2\^)?\d{1,20})?(?:\|(\d{1,20}):(\d{1,3}))?$/i;

/** Longest identifier SRTP takes, bytes. */
const MAX_IDENTIFIER_BYTES = 128;

/** May be there without a difference to the receiver: the window for replays, and what is marked as optional (§6.3). */
const HARMLESS = /^(?:WSH=\d+|-.*)$/i;

/**
 * The key of a crypto attribute (RFC 4568 §6, RFC 7714 §14.1). Undefined for suites and session parameters that are not
 * supported, several keys at once, and what makes no sense.
 */
export function sdesKeysOf(crypto: CryptoAttribute): SrtpKeys | undefined {
  const { suite, keyParameters, sessionParameters } = crypto;
  const profile = SRTP_PROFILES[suite as SrtpProfileName] as (typeof SRTP_PROFILES)[SrtpProfileName] | undefined;
  const [parameter, ...others] = keyParameters;
  if (profile === undefined || parameter === undefined || others.length > 0) return undefined;
  if (!sessionParameters.every((text) => HARMLESS.test(text))) return undefined;
  const [, base64, identifier, identifierBytes] = INLINE.exec(parameter) ?? [];
  const bytes = base64 === undefined ? undefined : fromBase64(base64);
  if (bytes?.length !== profile.keyBytes + profile.saltBytes) return undefined;
  const masterKeyIdentifier =
    identifier === undefined ? undefined : identifierOf(BigInt(identifier), Number(identifierBytes));
  if (identifier !== undefined && masterKeyIdentifier === undefined) return undefined;
  return {
    profile: profile.name,
    masterKey: bytes.slice(0, profile.keyBytes),
    masterSalt: bytes.slice(profile.keyBytes),
    ...(masterKeyIdentifier === undefined ? {} : { masterKeyIdentifier }),
  };
}

/** A number as the last of so many bytes; undefined when it has more. */
function identifierOf(number: bigint, sizeBytes: number): Uint8Array | undefined {
  if (sizeBytes === 0 || sizeBytes > MAX_IDENTIFIER_BYTES) return undefined;
  const identifier = new Uint8Array(sizeBytes);
  let rest = number;
  for (let i = sizeBytes - 1; i >= 0; i--) {
    identifier[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return rest === 0n ? identifier : undefined;
}
