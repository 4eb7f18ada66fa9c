import { nodeDtlsCrypto } from '../../io/dtls-crypto.ts';
import { srtpProvider } from '../../io/srtp-crypto.ts';
import type { DtlsCertificate } from '../../protocol/dtls/dtls-certificate.ts';
import type { SctpOptions } from '../../protocol/sctp/sctp-options.ts';
import type { SrtpProfileName } from '../../protocol/srtp/srtp-profile.ts';
import { DtlsSrtpTransport } from '../../sfu/transport/dtls-srtp-transport.ts';

/** What is above ICE, for sessions of either kind. */
export interface WebRtcSecurityOptions {
  readonly certificate: DtlsCertificate;
  /** In order of preference; all there are by default. */
  readonly srtpProfiles?: readonly SrtpProfileName[];
  /** An association of SCTP is wanted. */
  readonly sctp?: SctpOptions;
  /** With `sctp`: data channels have the association. */
  readonly dataChannels?: boolean;
}

/** Keys and data of a session, with the cryptography there is. */
export function createSecureTransport(options: WebRtcSecurityOptions): DtlsSrtpTransport {
  const { certificate, srtpProfiles, sctp, dataChannels = false } = options;
  return new DtlsSrtpTransport({
    certificate,
    dtlsCrypto: nodeDtlsCrypto,
    srtpCrypto: srtpProvider().crypto,
    dataChannels,
    ...(srtpProfiles === undefined ? {} : { srtpProfiles }),
    ...(sctp === undefined ? {} : { sctp }),
  });
}
