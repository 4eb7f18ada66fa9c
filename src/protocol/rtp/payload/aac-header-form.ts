import { parameterNumber } from './mapping-parameters.ts';
import type { RtpMapping } from './payload-format.ts';

/** Most bits of one field of an AU-header. */
const MAX_FIELD_BITS = 32;
/** Largest `constantsize` and `constantduration` believed. */
const MAX_CONSTANT = 1_000_000;

/** Which fields AU-headers have, in bits, and what is the same for all access units (RFC 3640 §4.1). */
export interface AuHeaderForm {
  readonly sizeLength: number;
  readonly indexLength: number;
  readonly indexDeltaLength: number;
  readonly ctsDeltaLength: number;
  readonly dtsDeltaLength: number;
  readonly hasRandomAccess: boolean;
  readonly streamStateLength: number;
  readonly auxiliaryDataSizeLength: number;
  /** Bytes of every access unit; 0 when they differ. */
  readonly constantSize: number;
  /** RTP clock units of every access unit; 0 when SDP does not tell. */
  readonly constantDuration: number;
  /** Whether access units may come out of order. */
  readonly isInterleaved: boolean;
}

/** What the two modes for AAC fix (§3.3.5, §3.3.6): bits of AU-size, AU-Index and AU-Index-delta. */
const MODES: ReadonlyMap<string, readonly [size: number, index: number, indexDelta: number]> = new Map([
  ['aac-lbr', [6, 2, 2]],
  ['aac-hbr', [13, 3, 3]],
]);

/**
 * Reads the form from `a=fmtp`. What is missing is that of the mode; some cameras name the mode alone. `undefined` for
 * modes that are not for AAC, for streams that are not of sound, and where nothing tells the size of access units.
 */
export function auHeaderForm(mapping: RtpMapping): AuHeaderForm | undefined {
  const mode = mapping.parameters.get('mode')?.trim().toLowerCase() ?? 'aac-hbr';
  const fixed = MODES.get(mode) ?? (mode === 'generic' ? [0, 0, 0] : undefined);
  const streamType = parameterNumber(mapping, 'streamtype', 5, MAX_CONSTANT);
  if (fixed === undefined || streamType !== 5) return undefined;
  const bits = (name: string, otherwise = 0): number => parameterNumber(mapping, name, otherwise, MAX_FIELD_BITS);
  const constantSize = parameterNumber(mapping, 'constantsize', 0, MAX_CONSTANT);
  const sizeLength = bits('sizelength', constantSize > 0 ? 0 : fixed[0]);
  // Then a packet would not tell whether it holds a whole access unit.
  if (sizeLength === 0 && constantSize === 0) return undefined;
  return {
    sizeLength,
    indexLength: bits('indexlength', fixed[1]),
    indexDeltaLength: bits('indexdeltalength', fixed[2]),
    ctsDeltaLength: bits('ctsdeltalength'),
    dtsDeltaLength: bits('dtsdeltalength'),
    hasRandomAccess: parameterNumber(mapping, 'randomaccessindication', 0, 1) === 1,
    streamStateLength: bits('streamstateindication'),
    auxiliaryDataSizeLength: bits('auxiliarydatasizelength'),
    constantSize,
    constantDuration: parameterNumber(mapping, 'constantduration', 0, MAX_CONSTANT),
    isInterleaved: parameterNumber(mapping, 'maxdisplacement', 0, 0xffff_ffff) > 0,
  };
}

/** Whether packets have AU-headers at all, and so a length of them in front (§3.2.1). */
export function hasAuHeaders(form: AuHeaderForm): boolean {
  const { sizeLength, indexLength, indexDeltaLength, ctsDeltaLength, dtsDeltaLength, streamStateLength } = form;
  const bits = sizeLength + indexLength + indexDeltaLength + ctsDeltaLength + dtsDeltaLength + streamStateLength;
  return bits > 0 || form.hasRandomAccess;
}
