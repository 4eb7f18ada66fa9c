import { ProtocolError } from '../../wire/errors.ts';

/** Codes of the `ProtocolError`s of Matroska and WebM files. */
export type MatroskaErrorCode =
  | 'matroska/not-matroska'
  /** An element that can't be: no identifier, or a length where none may be missing. */
  | 'matroska/bad-element'
  | 'matroska/element-too-large'
  | 'matroska/no-tracks'
  /** No track of a codec Millrace knows that is neither compressed nor encrypted, or no block of one. */
  | 'matroska/no-playable-track'
  | 'matroska/bad-block'
  | 'matroska/block-too-large';

/** A `ProtocolError` with a code of `MatroskaErrorCode`. */
export function matroskaError(code: MatroskaErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}

/** Largest header element read whole (Info, Tracks, Cues, SeekHead), bytes. */
export const MAX_HEADER_ELEMENT_BYTES: number = 16 * 1024 * 1024;

/** Largest block, bytes: several times the largest intra picture of 8K. */
export const MAX_BLOCK_BYTES: number = 32 * 1024 * 1024;

/** Most elements looked at inside one header element. */
export const MAX_CHILD_ELEMENTS = 262_144;

/** Most elements of the file passed over in a row before something of use comes. */
export const MAX_SKIPPED_ELEMENTS = 65_536;

/** Most tracks played; the others are left out. */
export const MAX_TRACKS = 64;

/** Largest decoder configuration kept, bytes. The tables of Vorbis and Theora take some KiB. */
export const MAX_CONFIG_BYTES = 262_144;

/** Most cue points kept; a file with more is searched by its clusters behind the last one. */
export const MAX_CUE_POINTS = 65_536;

/** Most clusters remembered of a file without cues; places behind the last one are searched from there. */
export const MAX_INDEXED_CLUSTERS = 65_536;

/** Most blocks looked at before playing, to know what the header does not tell. */
export const MAX_PROBED_BLOCKS = 1024;

/** Bytes at the end of the file looked through for the last cluster, when the header tells no duration. */
export const MAX_TAIL_BYTES: number = 4 * 1024 * 1024;
