import { MillraceError } from '../../src/wire/errors.ts';

/** Why a benchmark, or one row of it, could not be done. */
export type BenchErrorCode =
  | 'bench/bad-option'
  | 'bench/clip'
  | 'bench/missing-program'
  | 'bench/server-start'
  | 'bench/load-process'
  | 'bench/not-joined'
  | 'bench/no-work';

/** A failure of a benchmark itself or of a server under load. */
export class BenchError extends MillraceError {
  constructor(code: BenchErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(code, message, options);
  }
}
