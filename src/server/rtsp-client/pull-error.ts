import { ResourceError } from '../../wire/errors.ts';

/** Why a pull over a connection that stood came to nothing, beside `ConnectErrorCode` and `RtspErrorCode`. */
export type PullErrorCode =
  /** The server describes nothing Millrace can carry, or refuses every track of it. */
  | 'pull/no-tracks'
  /** Everything was agreed on, but no packet came. */
  | 'pull/silent'
  /** The server ended the stream. */
  | 'pull/ended'
  /** The server sends elsewhere, and nobody may be sent there. */
  | 'pull/bad-redirect'
  /** This server ended the publication: no frames, or another publisher. */
  | 'pull/revoked';

/** A `ResourceError` of a pull. */
export function pullError(code: PullErrorCode, message: string): ResourceError {
  return new ResourceError(code, message);
}
