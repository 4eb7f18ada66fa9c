/** A group for the ephemeral key exchange (RFC 8422 §5.1.1). */
export interface NamedGroup {
  /** Number on the wire. */
  readonly id: number;
  readonly name: 'x25519' | 'secp256r1';
  /** Length of a public key: of P-256 an uncompressed point. */
  readonly publicKeyBytes: number;
}

/** The groups there are here, in the order they are preferred. */
export const NAMED_GROUPS: readonly NamedGroup[] = [
  { id: 29, name: 'x25519', publicKeyBytes: 32 },
  { id: 23, name: 'secp256r1', publicKeyBytes: 65 },
];

/** The group of that number; undefined when it isn't here. */
export function findNamedGroup(id: number): NamedGroup | undefined {
  return NAMED_GROUPS.find((group) => group.id === id);
}
