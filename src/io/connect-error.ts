import { ResourceError } from '../wire/errors.ts';

/** Codes of the `ResourceError`s of connecting to other servers. */
export type ConnectErrorCode =
  | 'connect/unknown-host'
  | 'connect/refused'
  | 'connect/unreachable'
  | 'connect/timeout'
  | 'connect/bad-certificate'
  | 'connect/bad-answer'
  | 'connect/too-many-redirects'
  | 'connect/lost'
  | 'connect/cancelled'
  | 'connect/failed';

/** A `ResourceError` of connecting; `cause` is kept when there is one. */
export function connectError(code: ConnectErrorCode, message: string, cause?: unknown): ResourceError {
  return new ResourceError(code, message, cause === undefined ? {} : { cause });
}

/** The error for a connection that was not answered in time. */
export function connectTimeout(where: string, timeoutMs: number): ResourceError {
  return connectError('connect/timeout', `${where} does not answer within ${timeoutMs / 1000} s`);
}

/** What Node says about a connection that did not come about, in words for people. `where` is `host:port`. */
export function describeConnectFailure(where: string, cause: Error): ResourceError {
  if (cause instanceof ResourceError) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return connectError('connect/unknown-host', `there is no host ${withoutPort(where)}`, cause);
    case 'ECONNREFUSED':
      return connectError('connect/refused', `nothing listens on ${where}`, cause);
    case 'ETIMEDOUT':
      return connectError('connect/timeout', `${where} does not answer`, cause);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return connectError('connect/unreachable', `there is no way to ${where}`, cause);
    case 'ECONNRESET':
    case 'EPIPE':
      return connectError('connect/lost', `${where} closed the connection`, cause);
    default:
      return isCertificateError(code, cause)
        ? connectError(
            'connect/bad-certificate',
            `the certificate of ${where} is not trusted: ${cause.message} (--insecure accepts it)`,
            cause,
          )
        : connectError('connect/failed', `can't connect to ${where}: ${cause.message}`, cause);
  }
}

/** Node reports a failed verification with OpenSSL's name for it as the code; there are some thirty of them. */
function isCertificateError(code: string | undefined, cause: Error): boolean {
  return code === 'ERR_TLS_CERT_ALTNAME_INVALID' || /certificate|CERT/.test(`${code} ${cause.message}`);
}

function withoutPort(where: string): string {
  return where.replace(/:\d+$/, '');
}
