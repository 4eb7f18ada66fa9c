import { ProtocolError } from '../../wire/errors.ts';

/** Codes of the `ProtocolError`s of MP4 and QuickTime files. */
export type Mp4ErrorCode =
  | 'mp4/not-mp4'
  /** No `moov` box: the recording was not finished, or its end is missing. */
  | 'mp4/no-movie'
  | 'mp4/movie-too-large'
  /** The `moov` box is compressed (QuickTime `cmov`), which is not supported. */
  | 'mp4/compressed-movie'
  | 'mp4/encrypted'
  /** No track of a codec Millrace knows, or none with samples. */
  | 'mp4/no-playable-track'
  | 'mp4/bad-box'
  | 'mp4/bad-fragment'
  | 'mp4/sample-too-large'
  /** A sample lies behind the end of the file. */
  | 'mp4/truncated';

/** A `ProtocolError` with a code of `Mp4ErrorCode`. */
export function mp4Error(code: Mp4ErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}

/** Largest `moov` box read, bytes. Ten hours of film at 60 pictures a second take about 50 MB. */
export const MAX_MOVIE_BYTES: number = 64 * 1024 * 1024;

/** Largest `moof` box read, bytes. */
export const MAX_FRAGMENT_BYTES: number = 8 * 1024 * 1024;

/** Largest sample, bytes: several times the largest intra picture of 8K. */
export const MAX_SAMPLE_BYTES: number = 32 * 1024 * 1024;

/** Most boxes looked at inside one box. */
export const MAX_CHILD_BOXES = 4096;

/** Most boxes at the top of the file looked at in a row before something of use comes. */
export const MAX_TOP_LEVEL_BOXES = 65_536;

/** Most tracks played; the others are left out. */
export const MAX_TRACKS = 64;

/** Most sample descriptions of one track. */
export const MAX_SAMPLE_DESCRIPTIONS = 64;

/** Largest decoder configuration kept, bytes. Real ones are below 1 KiB. */
export const MAX_CONFIG_BYTES = 65_536;

/** Most samples of one fragment that are only counted, not described one by one. */
export const MAX_FRAGMENT_SAMPLES = 1_048_576;

/** Samples passed over in a row (empty ones, of an unknown codec, before the place to start) after which a track ends. */
export const MAX_SKIPPED_SAMPLES = 1_048_576;

/** Most fragments the index of a fragmented file holds; seeks behind the last one walk on from there. */
export const MAX_INDEXED_FRAGMENTS = 16_384;

/** Most fragments walked over by one seek. */
export const MAX_WALKED_FRAGMENTS = 16_384;

/** Fragments held at once while tracks lie in fragments of their own. */
export const MAX_FRAGMENTS_AHEAD = 32;

/** Most places `seekPointsUs` tells; a file with more tells none. */
export const MAX_SEEK_POINTS = 65_536;
