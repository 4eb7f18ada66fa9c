/**
 * Errors of the mediasoup-compatible API (subpath `millrace/mediasoup/errors`). They extend `Error` directly and carry
 * their class in `name`, as applications written for mediasoup expect. Wrong arguments are plain `TypeError`s.
 */

/** A codec or feature is not supported, here or by the peer. */
export class UnsupportedError extends Error {
  override readonly name: string = 'UnsupportedError';
}

/** The worker is closed or died, or did so while the request waited for its answer. */
export class WorkerClosedError extends Error {
  override readonly name: string = 'WorkerClosedError';
}

/** The entity a request is for, or one it names, does not exist in the worker (any more). */
export class NotFoundError extends Error {
  override readonly name: string = 'NotFoundError';
}

/** The name of `WorkerClosedError` before mediasoup 3.21. */
export const InvalidStateError: typeof WorkerClosedError = WorkerClosedError;
/** The type of the alias. */
export type InvalidStateError = WorkerClosedError;
