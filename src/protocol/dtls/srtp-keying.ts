import type { SessionSecrets } from './key-schedule.ts';
import { SRTP_KEY_SIZES } from './srtp-keying.tables.ts';

/** Master keys and salts of SRTP, by the side that sends with them. */
export interface DtlsSrtpKeys {
  readonly clientKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly clientSalt: Uint8Array;
  readonly serverSalt: Uint8Array;
}

/** Label of the exporter (RFC 5764 §4.2). */
export const SRTP_EXPORTER_LABEL = 'EXTRACTOR-dtls_srtp';

/** The keys for the profile with that number, which must be one of `SRTP_KEY_SIZES` (RFC 5764 §4.2). */
export function toSrtpKeys(secrets: SessionSecrets, profile: number): DtlsSrtpKeys {
  const { keyBytes, saltBytes } = SRTP_KEY_SIZES.get(profile)!;
  const material = secrets.export(SRTP_EXPORTER_LABEL, undefined, 2 * (keyBytes + saltBytes))!;
  const saltsAt = 2 * keyBytes;
  return {
    clientKey: material.subarray(0, keyBytes),
    serverKey: material.subarray(keyBytes, saltsAt),
    clientSalt: material.subarray(saltsAt, saltsAt + saltBytes),
    serverSalt: material.subarray(saltsAt + saltBytes),
  };
}
