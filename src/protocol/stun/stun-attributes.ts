/** Attributes this implementation knows, by their registered numbers. */
export const StunAttribute = {
  mappedAddress: 0x0001,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  realm: 0x0014,
  nonce: 0x0015,
  messageIntegritySha256: 0x001c,
  passwordAlgorithm: 0x001d,
  userhash: 0x001e,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  /** Renomination (draft-thatcher-ice-renomination), as registered since. */
  nomination: 0x0030,
  passwordAlgorithms: 0x8002,
  software: 0x8022,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
  /** Renomination under the number libwebrtc sends. */
  googNomination: 0xc001,
} as const;

/** From here on an attribute that is not understood may be ignored (RFC 8489 §14). */
const FIRST_OPTIONAL = 0x8000;

const known: ReadonlySet<number> = new Set<number>(Object.values(StunAttribute));

/** Whether a request that has this attribute must be refused with 420, because it is not understood here. */
export function isUnknownRequired(type: number): boolean {
  return type < FIRST_OPTIONAL && !known.has(type);
}

/** Error codes that are sent or acted on here (RFC 8489 §14.8, RFC 8445 §7.3.1.1). */
export const StunErrorCode = {
  badRequest: 400,
  unauthenticated: 401,
  unknownAttribute: 420,
  roleConflict: 487,
} as const;
