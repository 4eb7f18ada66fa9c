import { ProtocolError } from '../../wire/errors.ts';
import { AlertDescription } from './alert.ts';

/** Why a session failed (`ProtocolError`). */
export type DtlsErrorCode =
  /** A message that can't be read. */
  | 'dtls/malformed'
  /** A message that has no place here, or a second one of a kind. */
  | 'dtls/unexpected-message'
  /** A message, a chain of certificates or a list is larger than its limit. */
  | 'dtls/too-large'
  /** The peer wants another version than DTLS 1.2. */
  | 'dtls/unsupported-version'
  /** No cipher suite, group or signature scheme in common. */
  | 'dtls/no-common-parameters'
  /** A choice that was not offered, a public key that is none. */
  | 'dtls/illegal-parameter'
  /** An extension in the answer that was not asked for. */
  | 'dtls/unsupported-extension'
  | 'dtls/no-certificate'
  /** A certificate that can't be read, or has another kind of key than ECDSA P-256 and RSA. */
  | 'dtls/unsupported-certificate'
  /** The certificate is not the one whose fingerprint was signalled. */
  | 'dtls/fingerprint-mismatch'
  /** ServerKeyExchange or CertificateVerify is not signed by the key of the certificate. */
  | 'dtls/bad-signature'
  /** Both sides did not see the same handshake. */
  | 'dtls/bad-finished'
  /** The handshake took too long. */
  | 'dtls/timeout'
  /** The peer ended the session with a fatal alert; its number is in the message. */
  | 'dtls/peer-alert';

/** How callers can misuse this folder (`StateError`). */
export type DtlsStateErrorCode = 'dtls/bad-option' | 'dtls/wrong-state' | 'dtls/record-too-large' | 'dtls/bad-key';

/** The alert that tells the peer; undefined where none is sent. */
const ALERTS: Readonly<Record<DtlsErrorCode, number | undefined>> = {
  'dtls/malformed': AlertDescription.decodeError,
  'dtls/unexpected-message': AlertDescription.unexpectedMessage,
  'dtls/too-large': AlertDescription.illegalParameter,
  'dtls/unsupported-version': AlertDescription.protocolVersion,
  'dtls/no-common-parameters': AlertDescription.handshakeFailure,
  'dtls/illegal-parameter': AlertDescription.illegalParameter,
  'dtls/unsupported-extension': AlertDescription.unsupportedExtension,
  'dtls/no-certificate': AlertDescription.handshakeFailure,
  'dtls/unsupported-certificate': AlertDescription.unsupportedCertificate,
  'dtls/fingerprint-mismatch': AlertDescription.badCertificate,
  'dtls/bad-signature': AlertDescription.decryptError,
  'dtls/bad-finished': AlertDescription.decryptError,
  'dtls/timeout': undefined,
  'dtls/peer-alert': undefined,
};

/** A fault of the peer. */
export function dtlsError(code: DtlsErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}

/** @param type number of the handshake message */
export function unexpectedMessage(type: number): ProtocolError {
  return dtlsError('dtls/unexpected-message', `a handshake message of type ${type} has no place here`);
}

/** @param name of the handshake message */
export function malformedMessage(name: string): ProtocolError {
  return dtlsError('dtls/malformed', `${name} can't be read`);
}

/** The alert to send about an error that `dtlsError` made; undefined for none. */
export function alertOf(error: ProtocolError): number | undefined {
  return ALERTS[error.code as DtlsErrorCode];
}
