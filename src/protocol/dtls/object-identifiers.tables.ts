import { writeDer } from './der.ts';

const OBJECT_IDENTIFIER = 0x06;

function identifier(...content: readonly number[]): Uint8Array {
  return writeDer(OBJECT_IDENTIFIER, Uint8Array.from(content));
}

type Name = 'ecPublicKey' | 'prime256v1' | 'ecdsaWithSha256' | 'rsaEncryption' | 'commonName';

/** Object identifiers as whole elements of DER (RFC 5480 §2.1.1, RFC 5758 §3.2, RFC 8017 §A.1, X.520). */
export const ObjectIdentifier: Readonly<Record<Name, Uint8Array>> = {
  /** 1.2.840.10045.2.1, any key of an elliptic curve. */
  ecPublicKey: identifier(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01),
  /** 1.2.840.10045.3.1.7, P-256. */
  prime256v1: identifier(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07),
  /** 1.2.840.10045.4.3.2 */
  ecdsaWithSha256: identifier(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02),
  /** 1.2.840.113549.1.1.1 */
  rsaEncryption: identifier(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01),
  /** 2.5.4.3 */
  commonName: identifier(0x55, 0x04, 0x03),
};
