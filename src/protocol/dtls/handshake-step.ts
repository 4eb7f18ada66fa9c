import type { ProtocolError } from '../../wire/errors.ts';
import type { CipherSuite } from './cipher-suites.tables.ts';
import type { DtlsCertificate } from './dtls-certificate.ts';
import type { DtlsCrypto, DtlsKeyExchange } from './dtls-crypto.ts';
import type { FlightItem } from './flight.ts';
import type { HandshakeMessage } from './handshake-message.ts';
import type { SessionSecrets } from './key-schedule.ts';
import type { NamedGroup } from './named-groups.tables.ts';
import { RecordProtection } from './record-protection.ts';

/**
 * Whether the master secret is bound to the whole handshake (RFC 7627): whenever the peer can, only then, or never. It
 * matters where sessions are resumed or certificates are not checked, neither of which is done here.
 */
export type ExtendedMasterSecretPolicy = 'prefer' | 'require' | 'never';

/** What both sides of a handshake start from. */
export interface HandshakeOptions {
  readonly crypto: DtlsCrypto;
  readonly certificate: DtlsCertificate;
  /** In order of preference, like all lists here. */
  readonly cipherSuites: readonly CipherSuite[];
  readonly groups: readonly NamedGroup[];
  readonly srtpProfiles: readonly number[];
  readonly extendedMasterSecret: ExtendedMasterSecretPolicy;
  /** Of a server: whether the client must have a certificate. */
  readonly requiresClientCertificate: boolean;
  /** Of a server: number of the first message of either side; 1 behind a HelloVerifyRequest from elsewhere. */
  readonly firstMessageSequence: number;
}

/** What is to be done after a message. */
export interface HandshakeStep {
  /** Can now be used for epoch 1; before the flight is sent. */
  readonly keys?: { readonly read: RecordProtection; readonly write: RecordProtection };
  /** To be sent. */
  readonly flight?: readonly FlightItem[];
  /** The peer's own certificate, whose fingerprint nobody has compared yet. A copy. */
  readonly certificate?: Uint8Array;
  /** The handshake is over; the peer's Finished message is right. */
  readonly result?: HandshakeResult;
}

/** What a handshake came to. */
export interface HandshakeResult {
  readonly secrets: SessionSecrets;
  readonly suite: CipherSuite;
  readonly srtpProfile: number | undefined;
}

/** One side of a handshake; messages come whole and in order. */
export interface Handshake {
  /** What to do first. */
  start(): HandshakeStep;
  receive(message: HandshakeMessage): HandshakeStep | ProtocolError;
}

/** Protection of both directions for one side. */
export function toProtection(
  crypto: DtlsCrypto,
  side: 'client' | 'server',
  agreed: { readonly suite: CipherSuite; readonly secrets: SessionSecrets },
): { readonly read: RecordProtection; readonly write: RecordProtection } {
  const keys = agreed.secrets.trafficKeys();
  const client = new RecordProtection(crypto, agreed.suite, keys.client);
  const server = new RecordProtection(crypto, agreed.suite, keys.server);
  return side === 'client' ? { read: server, write: client } : { read: client, write: server };
}

/** The shared secret; undefined when the peer's key is none, or gives only zeros (RFC 8422 §5.11). */
export function agreeOnSecret(
  group: NamedGroup,
  keyExchange: DtlsKeyExchange,
  peerPublicKey: Uint8Array,
): Uint8Array | undefined {
  if (peerPublicKey.length !== group.publicKeyBytes) return undefined;
  const secret = keyExchange.deriveSharedSecret(peerPublicKey);
  if (secret === undefined) return undefined;
  let bits = 0;
  for (const byte of secret) bits |= byte;
  return bits === 0 ? undefined : secret;
}
