import { joinBytes } from '../../wire/join-bytes.ts';
import { DerTag, writeDer } from './der.ts';
import { DtlsCertificate } from './dtls-certificate.ts';
import type { DtlsCrypto } from './dtls-crypto.ts';
import { ObjectIdentifier } from './object-identifiers.tables.ts';
import { CERTIFICATE_SCHEME } from './signature-schemes.tables.ts';

const SERIAL_BYTES = 16;
const DAY_MS = 86_400_000;
/** Clocks of peers may be behind ours, days. */
const BACKDATED_DAYS = 1;
/** Years from here on take the longer form of time (RFC 5280 §4.1.2.5). */
const FIRST_GENERALIZED_YEAR = 2050;

const textEncoder = new TextEncoder();

/** Settings of a self-signed certificate. */
export interface SelfSignedCertificateOptions {
  readonly crypto: DtlsCrypto;
  /** Wall clock, milliseconds since 1970: the certificate starts a day before. */
  readonly wallClockMs: number;
  /** How long it is valid from now, days; 30. */
  readonly validDays?: number;
  /** Subject and issuer; `millrace`. */
  readonly commonName?: string;
}

/**
 * Makes a key pair on P-256 and a certificate for it, signed with itself (RFC 5280 §4.1). It has no extensions: what
 * makes it good is its fingerprint.
 */
export function createSelfSignedCertificate(options: SelfSignedCertificateOptions): DtlsCertificate {
  const { crypto, wallClockMs, validDays = 30, commonName = 'millrace' } = options;
  const { privateKey, subjectPublicKeyInfo } = crypto.createSigningKey();
  const name = nameOf(commonName);
  const algorithm = writeDer(DerTag.sequence, ObjectIdentifier.ecdsaWithSha256);
  const fields = writeDer(
    DerTag.sequence,
    // Version 3 counts from 0.
    writeDer(DerTag.context0, writeDer(DerTag.integer, Uint8Array.of(2))),
    serialOf(crypto),
    algorithm,
    name,
    writeDer(DerTag.sequence, timeOf(wallClockMs - BACKDATED_DAYS * DAY_MS), timeOf(wallClockMs + validDays * DAY_MS)),
    name,
    subjectPublicKeyInfo,
  );
  const signature = privateKey.sign(CERTIFICATE_SCHEME, fields);
  const unusedBits = Uint8Array.of(0);
  const der = writeDer(
    DerTag.sequence,
    fields,
    algorithm,
    writeDer(DerTag.bitString, joinBytes([unusedBits, signature])),
  );
  return new DtlsCertificate({ crypto, der, privateKey });
}

/** Positive, and without a leading zero. */
function serialOf(crypto: DtlsCrypto): Uint8Array {
  const serial = new Uint8Array(crypto.randomBytes(SERIAL_BYTES));
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return writeDer(DerTag.integer, serial);
}

function nameOf(commonName: string): Uint8Array {
  const text = writeDer(DerTag.utf8String, textEncoder.encode(commonName));
  return writeDer(DerTag.sequence, writeDer(DerTag.set, writeDer(DerTag.sequence, ObjectIdentifier.commonName, text)));
}

function timeOf(wallClockMs: number): Uint8Array {
  const date = new Date(wallClockMs);
  const digits = `${date.toISOString().replace(/\.\d+/, '').replaceAll(/[-:T]/g, '')}`;
  return date.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? writeDer(DerTag.utcTime, textEncoder.encode(digits.slice(2)))
    : writeDer(DerTag.generalizedTime, textEncoder.encode(digits));
}
