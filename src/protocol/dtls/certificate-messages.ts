import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';

/** Certificates a chain may have. */
export const MAX_CHAIN_CERTIFICATES = 8;

/** `ClientCertificateType`: what kinds of certificates a server takes (RFC 8422 §5.5, RFC 5246 §7.4.4). */
export const ClientCertificateType = { rsaSign: 1, ecdsaSign: 64 } as const;

/** What a server wants of the client's certificate. Its list of authorities is read over and written empty. */
export interface CertificateRequest {
  readonly certificateTypes: readonly number[];
  readonly signatureAlgorithms: readonly number[];
}

/** A signature and how it was made (RFC 5246 §4.7). */
export interface DigitallySigned {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

/** The certificates of a Certificate message, the peer's own first; views. Undefined when malformed or too many. */
export function parseCertificates(body: Uint8Array): readonly Uint8Array[] | undefined {
  const reader = new ByteReader(body);
  if (reader.u24() !== reader.remaining) return undefined;
  const certificates: Uint8Array[] = [];
  while (reader.remaining > 0) {
    const certificate = reader.view(reader.u24());
    if (reader.overrun || certificate.length === 0 || certificates.length === MAX_CHAIN_CERTIFICATES) return undefined;
    certificates.push(certificate);
  }
  return reader.overrun ? undefined : certificates;
}

/** The body of a Certificate message. */
export function writeCertificates(certificates: readonly Uint8Array[]): Uint8Array {
  const list = new ByteWriter(2048);
  for (const certificate of certificates) list.u24(certificate.length).raw(certificate);
  return new ByteWriter(list.length + 3).u24(list.length).raw(list.finish()).finish();
}

/** Reads a CertificateRequest; undefined when malformed. */
export function parseCertificateRequest(body: Uint8Array): CertificateRequest | undefined {
  const reader = new ByteReader(body);
  const certificateTypes = [...reader.view(reader.u8())];
  const schemes = new ByteReader(reader.view(reader.u16()));
  const signatureAlgorithms: number[] = [];
  while (schemes.remaining > 0) signatureAlgorithms.push(schemes.u16());
  reader.skip(reader.u16());
  if (reader.overrun || reader.remaining > 0 || schemes.overrun) return undefined;
  return { certificateTypes, signatureAlgorithms };
}

/** The body of a CertificateRequest. */
export function writeCertificateRequest(request: CertificateRequest): Uint8Array {
  const writer = new ByteWriter(64);
  writer.u8(request.certificateTypes.length);
  for (const type of request.certificateTypes) writer.u8(type);
  writer.u16(2 * request.signatureAlgorithms.length);
  for (const scheme of request.signatureAlgorithms) writer.u16(scheme);
  return writer.u16(0).finish();
}

/** Reads a CertificateVerify; undefined when malformed. The signature is a view. */
export function parseCertificateVerify(body: Uint8Array): DigitallySigned | undefined {
  return readDigitallySigned(new ByteReader(body));
}

/** The body of a CertificateVerify. */
export function writeCertificateVerify(signed: DigitallySigned): Uint8Array {
  const writer = new ByteWriter(4 + signed.signature.length);
  writeDigitallySigned(writer, signed);
  return writer.finish();
}

/** Reads a signature that must be the rest; undefined when it isn't. */
export function readDigitallySigned(reader: ByteReader): DigitallySigned | undefined {
  const scheme = reader.u16();
  const signature = reader.view(reader.u16());
  return reader.overrun || reader.remaining > 0 ? undefined : { scheme, signature };
}

export function writeDigitallySigned(writer: ByteWriter, { scheme, signature }: DigitallySigned): void {
  writer.u16(scheme).u16(signature.length).raw(signature);
}
