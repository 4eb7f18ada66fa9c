/** Alerts, the way DTLS says that something went wrong or is over (RFC 5246 §7.2). */

/** Length of every alert, bytes. */
const ALERT_BYTES = 2;

/** `AlertLevel` of the wire. */
export const AlertLevel = { warning: 1, fatal: 2 } as const;

/** `AlertDescription` of the wire, those that are sent or acted on here (RFC 5246 §7.2, RFC 7301 §3.2). */
export const AlertDescription = {
  closeNotify: 0,
  unexpectedMessage: 10,
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  illegalParameter: 47,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  internalError: 80,
  userCanceled: 90,
  noRenegotiation: 100,
  unsupportedExtension: 110,
} as const;

/** One alert. The numbers are whatever the peer sent. */
export interface Alert {
  readonly level: number;
  readonly description: number;
}

/** Reads the body of an alert record; undefined when it isn't exactly one alert. */
export function parseAlert(bytes: Uint8Array): Alert | undefined {
  return bytes.length === ALERT_BYTES ? { level: bytes[0]!, description: bytes[1]! } : undefined;
}

/** The body of an alert record in a new buffer. */
export function writeAlert(alert: Alert): Uint8Array {
  return Uint8Array.of(alert.level, alert.description);
}
