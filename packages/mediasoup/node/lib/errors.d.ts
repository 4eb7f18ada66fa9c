/** Types of `mediasoup/errors`: each class, and what it makes. */
import type * as errors from 'millrace/mediasoup/errors' with { 'resolution-mode': 'import' };

export declare const UnsupportedError: typeof errors.UnsupportedError;
export type UnsupportedError = errors.UnsupportedError;
export declare const NotFoundError: typeof errors.NotFoundError;
export type NotFoundError = errors.NotFoundError;
export declare const WorkerClosedError: typeof errors.WorkerClosedError;
export type WorkerClosedError = errors.WorkerClosedError;
export declare const InvalidStateError: typeof errors.InvalidStateError;
export type InvalidStateError = errors.InvalidStateError;
