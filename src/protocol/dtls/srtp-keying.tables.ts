/** Sizes of master keys and salts of the SRTP profiles (RFC 5764 §4.1.2, RFC 7714 §12), bytes. */
export interface SrtpKeySizes {
  readonly keyBytes: number;
  readonly saltBytes: number;
}

/** By number of the profile. */
export const SRTP_KEY_SIZES: ReadonlyMap<number, SrtpKeySizes> = new Map([
  [0x0001, { keyBytes: 16, saltBytes: 14 }],
  [0x0002, { keyBytes: 16, saltBytes: 14 }],
  [0x0007, { keyBytes: 16, saltBytes: 12 }],
  [0x0008, { keyBytes: 32, saltBytes: 12 }],
]);
