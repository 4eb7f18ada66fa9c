import { ProtocolError, StateError } from '../../wire/errors.ts';
import type { AmfValue } from './amf-value.ts';

/** How deep values may nest before a message is refused. Real messages nest three or four deep. */
export const AMF_MAX_DEPTH = 32;

/** How many values one message may hold. A ten-hour file's key-frame index has about 40,000. */
export const AMF_MAX_VALUES = 262_144;

/** How long one string may be, in bytes. XMP metadata is the longest text seen in practice (tens of kilobytes). */
export const AMF_MAX_STRING_BYTES = 1_048_576;

/** How large one written message may become: what fits the 24-bit length of an RTMP message or FLV tag. */
export const AMF_MAX_WRITTEN_BYTES = 0xffffff;

/** Why AMF bytes could not be read (`ProtocolError`), or values could not be written (`StateError`, the last two). */
export type AmfErrorCode =
  | 'amf/truncated'
  | 'amf/too-deep'
  | 'amf/too-many-values'
  | 'amf/string-too-long'
  | 'amf/bad-marker'
  | 'amf/bad-reference'
  | 'amf/unsupported-externalizable'
  | 'amf/write-too-deep'
  | 'amf/write-too-large';

/** Bounds for one reader; the constants of this file are the defaults. */
export interface AmfLimits {
  readonly maxDepth?: number;
  readonly maxValues?: number;
  readonly maxStringBytes?: number;
}

/** A `ProtocolError` with a code of this area. */
export function amfError(code: AmfErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}

/** What `parseAmf0` and `parseAmf3` read: the values before the first fault, and the fault. */
export interface AmfParseResult {
  readonly values: AmfValue[];
  readonly error: ProtocolError | undefined;
}

/**
 * Throws when a value being written has gone too deep or too far. Values that were read can only get here by sharing
 * parts in a way the other encoding cannot express; values we made ourselves never do.
 */
export function checkAmfWrite(depth: number, sizeBytes: number): void {
  if (depth > AMF_MAX_DEPTH) throw amfStateError('amf/write-too-deep', `value nests deeper than ${AMF_MAX_DEPTH}`);
  if (sizeBytes > AMF_MAX_WRITTEN_BYTES) {
    throw amfStateError('amf/write-too-large', `message grows beyond ${AMF_MAX_WRITTEN_BYTES} bytes`);
  }
}

function amfStateError(code: AmfErrorCode, message: string): StateError {
  return new StateError(code, message);
}

/**
 * What remains of one message's limits, shared by an AMF0 reader and the AMF3 readers it starts, together with the
 * first error met. Once `error` is set every further read gives `undefined`.
 */
export class AmfBudget {
  readonly maxDepth: number;
  readonly maxStringBytes: number;
  error: ProtocolError | undefined;
  #valuesLeft: number;

  constructor(limits: AmfLimits = {}) {
    this.maxDepth = limits.maxDepth ?? AMF_MAX_DEPTH;
    this.maxStringBytes = limits.maxStringBytes ?? AMF_MAX_STRING_BYTES;
    this.#valuesLeft = limits.maxValues ?? AMF_MAX_VALUES;
  }

  /** Notes the first error; later ones are consequences of it. Always gives `undefined`. */
  fail(code: AmfErrorCode, message: string): undefined {
    this.error ??= amfError(code, message);
    return undefined;
  }

  /** Accounts for one value at `depth`; false when a limit is passed. */
  enter(depth: number): boolean {
    if (this.error !== undefined) return false;
    if (depth > this.maxDepth) {
      this.fail('amf/too-deep', `AMF values nest deeper than ${this.maxDepth}`);
      return false;
    }
    if (--this.#valuesLeft < 0) {
      this.fail('amf/too-many-values', 'AMF message holds too many values');
      return false;
    }
    return true;
  }
}
