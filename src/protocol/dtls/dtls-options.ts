import { StateError } from '../../wire/errors.ts';
import { CIPHER_SUITES } from './cipher-suites.tables.ts';
import type { DtlsCertificate } from './dtls-certificate.ts';
import type { DtlsCrypto } from './dtls-crypto.ts';
import type { DtlsStateErrorCode } from './dtls-error.ts';
import type { CertificateFingerprint } from './fingerprint.ts';
import { type FlightOptions, MIN_MTU_BYTES } from './flight.ts';
import type { ExtendedMasterSecretPolicy, HandshakeOptions } from './handshake-step.ts';
import { NAMED_GROUPS } from './named-groups.tables.ts';
import { SRTP_KEY_SIZES } from './srtp-keying.tables.ts';

/** A UDP datagram has no more, bytes. */
const MAX_MTU_BYTES = 65_507;

/** Settings of a session. Times are milliseconds. */
export interface DtlsOptions {
  readonly role: 'client' | 'server';
  /** Our own. */
  readonly certificate: DtlsCertificate;
  readonly crypto: DtlsCrypto;
  /** Numbers of SRTP profiles (RFC 5764 §4.1.2, RFC 7714 §14.2) in order of preference; none by default. */
  readonly srtpProfiles?: readonly number[];
  /** Of the peer's certificate. They may come later by `setRemoteFingerprints`; until then there is no `connected`. */
  readonly expectedFingerprints?: readonly CertificateFingerprint[];
  /** Of a server: ask for a certificate and take no client without; true. If false there are no fingerprints to compare. */
  readonly requireClientCertificate?: boolean;
  /** Numbers in order of preference; those of `CIPHER_SUITES` by default. */
  readonly cipherSuites?: readonly number[];
  /** Numbers of groups in order of preference; those of `NAMED_GROUPS` by default. */
  readonly groups?: readonly number[];
  /** `prefer` by default: connections without are as good as long as fingerprints are compared, which they are. */
  readonly extendedMasterSecret?: ExtendedMasterSecretPolicy;
  /** Longest datagram of a handshake, bytes of UDP payload; 1200. */
  readonly mtu?: number;
  /**
   * From the first transmission of a flight to the second; 1000. Each further one takes twice as long. Where ICE has
   * measured the round trip a little more than that serves better.
   */
  readonly initialRetransmissionMs?: number;
  /** From `start` to `connected`, the wait for fingerprints included; 30000. */
  readonly handshakeTimeoutMs?: number;
  /** Of a server: what `HelloVerifier` says about the datagram that comes first; 0. */
  readonly firstMessageSequence?: number;
}

/** Options with their defaults, checked. */
export interface ResolvedDtlsOptions {
  readonly handshake: HandshakeOptions;
  readonly flight: FlightOptions;
  readonly handshakeTimeoutMs: number;
  /** Whether the peer must show a certificate. */
  readonly hasPeerCertificate: boolean;
}

/** @throws StateError `dtls/bad-option` for an unknown number, an empty list or a value out of range */
export function resolveDtlsOptions(options: DtlsOptions): ResolvedDtlsOptions {
  const { role, certificate, crypto, srtpProfiles = [], requireClientCertificate = true, mtu = 1200 } = options;
  const { initialRetransmissionMs = 1000, handshakeTimeoutMs = 30_000, firstMessageSequence = 0 } = options;
  const cipherSuites = select('cipher suite', CIPHER_SUITES, options.cipherSuites);
  if (role === 'server' && !cipherSuites.some(({ certificateKind }) => certificateKind === certificate.kind))
    throw badOption(`no cipher suite for a certificate of ${certificate.kind}`);
  const unknown = srtpProfiles.find((id) => !SRTP_KEY_SIZES.has(id));
  if (unknown !== undefined) throw badOption(`unknown SRTP profile ${unknown}`);
  const hasPeerCertificate = role === 'client' || requireClientCertificate;
  if (!hasPeerCertificate && options.expectedFingerprints !== undefined)
    throw badOption('fingerprints of a certificate that is not asked for');
  if (!(mtu >= MIN_MTU_BYTES && mtu <= MAX_MTU_BYTES)) throw badOption(`an MTU of ${mtu}`);
  if (!(initialRetransmissionMs > 0)) throw badOption(`a retransmission after ${initialRetransmissionMs} ms`);
  return {
    handshake: {
      crypto,
      certificate,
      cipherSuites,
      groups: select('group', NAMED_GROUPS, options.groups),
      srtpProfiles,
      extendedMasterSecret: options.extendedMasterSecret ?? 'prefer',
      requiresClientCertificate: requireClientCertificate,
      firstMessageSequence,
    },
    flight: { mtu, initialRetransmissionMs },
    handshakeTimeoutMs,
    hasPeerCertificate,
  };
}

function select<T extends { readonly id: number }>(
  what: string,
  all: readonly T[],
  ids: readonly number[] | undefined,
): readonly T[] {
  if (ids === undefined) return all;
  if (ids.length === 0) throw badOption(`no ${what}`);
  return ids.map((id) => {
    const found = all.find((item) => item.id === id);
    if (found === undefined) throw badOption(`unknown ${what} ${id}`);
    return found;
  });
}

function badOption(what: string): StateError {
  return new StateError('dtls/bad-option' satisfies DtlsStateErrorCode, what);
}
