/** Errors of the mediasoup-compatible API (subpath `millrace/mediasoup/errors`). */

import { WorkerClosedError } from '../worker/channel/request-errors.ts';

export { NotFoundError, UnsupportedError, WorkerClosedError } from '../worker/channel/request-errors.ts';

/** The name of `WorkerClosedError` before mediasoup 3.21. */
export const InvalidStateError: typeof WorkerClosedError = WorkerClosedError;
/** The type of the alias. */
export type InvalidStateError = WorkerClosedError;
