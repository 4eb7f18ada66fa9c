/**
 * Errors of the mediasoup-compatible API. They extend `Error` directly and carry their class in `name`, as applications
 * written for mediasoup expect; a worker's answer names one, and the control side makes it again. Wrong arguments are
 * plain `TypeError`s.
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

/** The request cannot be answered: what a worker does not know, a time limit, a message too large. */
export class RequestError extends Error {
  override readonly name: string = 'Error';
}

/** The error a worker's answer names; `RequestError` for names nobody knows. */
export function requestErrorOf(name: string, reason: string): Error {
  switch (name) {
    case 'TypeError':
      return new TypeError(reason);
    case 'UnsupportedError':
      return new UnsupportedError(reason);
    case 'NotFoundError':
      return new NotFoundError(reason);
    default:
      return new RequestError(reason);
  }
}

/** How an error is named in an answer. */
export function nameOfRequestError(error: unknown): 'TypeError' | 'UnsupportedError' | 'NotFoundError' | 'Error' {
  if (error instanceof TypeError) return 'TypeError';
  if (error instanceof UnsupportedError) return 'UnsupportedError';
  return error instanceof NotFoundError ? 'NotFoundError' : 'Error';
}
